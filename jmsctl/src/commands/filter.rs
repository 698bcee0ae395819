//! `jmsctl filter`.
#![forbid(unsafe_code)]

use super::selection::ListEdit;
use super::{filter_test, remove};
use crate::cli::filter::{Add, Attach, Filter as Verb, Load, Scope as Flags, Set};
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output::Noun;
use jms::nouns::{Filter, FilterRule, Scope};
use jms::store::{Read, Selector, StoreError};
use serde::Serialize;

impl Noun for Filter {
    const NAME: &'static str = "filter";
    const KEY: &'static str = "name";
    const FIELDS: &'static [&'static str] = &[
        "name",
        "default",
        "users",
        "user_groups",
        "assets",
        "asset_groups",
        "system_users",
        "rule_count",
        "comment",
        "created_at",
        "updated_at",
    ];
    const COLUMNS: &'static [&'static str] = &[
        "name",
        "default",
        "users",
        "user_groups",
        "assets",
        "asset_groups",
        "system_users",
        "rule_count",
        "comment",
    ];
}

/// A filter with its rules.
#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    filter: Filter,
    rules: Vec<Line>,
}

/// A rule as it stands in its filter.
#[derive(Serialize)]
struct Line {
    id: i64,
    priority: u32,
    verdict: &'static str,
    command: Option<String>,
    regex: Option<String>,
    ignore_case: bool,
    everywhere: bool,
    comment: String,
}

impl From<FilterRule> for Line {
    fn from(rule: FilterRule) -> Self {
        Self {
            id: rule.id,
            priority: rule.priority,
            verdict: rule.verdict.as_str(),
            command: rule.command,
            regex: rule.regex,
            ignore_case: rule.ignore_case,
            everywhere: rule.everywhere,
            comment: rule.comment,
        }
    }
}

/// Runs a verb.
pub fn run(verb: &Verb, context: &mut Context) -> Done {
    match verb {
        Verb::Add(verb) => add(verb, context),
        Verb::Set(verb) => set(verb, context),
        Verb::Rm(names) => remove::<Filter>(
            context,
            &names.names,
            &names.change,
            " with all rules",
            |change, name| change.remove_filter(name),
        ),
        Verb::Ls(ls) => {
            let read = context.store.read();
            context.out.list_each(ls, |visit| read.each_filter(visit))
        }
        Verb::Show(verb) => {
            let read = context.store.read();
            let whole = Whole {
                filter: read.filter(&verb.name)?,
                rules: read
                    .filter_rules(&verb.name)?
                    .into_iter()
                    .map(Line::from)
                    .collect(),
            };
            context.out.show(&whole)
        }
        Verb::Load(verb) => load(verb, context),
        Verb::Test(verb) => filter_test::run(verb, context),
        Verb::Attach(verb) => attach(verb, context),
        Verb::Detach(verb) => detach(verb, context),
    }
}

/// The flags of a scope, each with what it names.
pub(super) fn flags(flags: &Flags) -> [(Selector, Option<&Vec<String>>); 5] {
    [
        (Selector::User, flags.user.as_ref()),
        (Selector::UserGroup, flags.user_group.as_ref()),
        (Selector::Asset, flags.asset.as_ref()),
        (Selector::AssetGroup, flags.asset_group.as_ref()),
        (Selector::SystemUser, flags.system_user.as_ref()),
    ]
}

fn add(verb: &Add, context: &mut Context) -> Done {
    let now = context.now;
    let added = context.change((&verb.change).into(), |change| {
        let mut filter = Filter::new(&verb.name, now);
        filter.default = verb.default.into();
        filter.comment = verb.change.comment.clone().unwrap_or_default();
        change.add_filter(&filter)
    })?;
    say_where(&added, context);
    context.out.changed(&added)
}

fn set(verb: &Set, context: &mut Context) -> Done {
    let edited = context.change((&verb.change).into(), |change| {
        let mut filter = change.read().filter(&verb.name)?;
        if let Some(default) = verb.default {
            filter.default = default.into();
        }
        if let Some(comment) = &verb.change.comment {
            filter.comment.clone_from(comment);
        }
        change.set_filter(&filter)
    })?;
    context.out.changed(&edited)
}

/// Where it applies: nowhere is said, because nothing else would tell.
fn say_where(filter: &Filter, context: &Context) {
    if filter.scope.is_empty() {
        context.out.note(&format!(
            "the filter {0} is attached to nobody and applies nowhere: jmsctl filter attach {0} --user-group NAME",
            filter.name
        ));
    }
}

fn load(verb: &Load, context: &mut Context) -> Done {
    let now = context.now;
    let text = verb.file.read()?;
    let entries = jms::filter_file::parse(text.expose()).map_err(|sentence| {
        Failure::BadInput(format!("{}: {}", verb.file.name(), sentence.trim_end()))
    })?;
    let rules: Vec<FilterRule> = entries
        .into_iter()
        .map(|entry| entry.rule(&verb.name, now))
        .collect();
    let loaded = context.change((&verb.change).into(), |change| {
        change.replace_filter_rules(&verb.name, &rules)
    })?;
    say_where(&loaded, context);
    context.out.changed(&loaded)
}

const KINDS: [(&str, &str); 3] = [
    ("person", "all users"),
    ("place", "all assets"),
    ("system user", "all system users"),
];

fn attach(verb: &Attach, context: &mut Context) -> Done {
    if flags(&verb.scope).iter().all(|(_, names)| names.is_none()) {
        return Err(Failure::BadInput(
            "say to whom or what: --user, --user-group, --asset, --asset-group, --system-user"
                .to_owned(),
        ));
    }
    let edited = context.change((&verb.change).into(), |change| {
        let mut filter = change.read().filter(&verb.name)?;
        let before = filter.scope.clone();
        edit(change.read(), &verb.scope, &mut filter.scope, true)?;
        // Attaching to more must not make it apply to less.
        let narrowed = before
            .kinds()
            .iter()
            .zip(filter.scope.kinds())
            .position(|(before, after)| !before && after);
        if let (Some(kind), false) = (narrowed.and_then(|at| KINDS.get(at)), before.is_empty()) {
            return Err(StoreError::Refused {
                sentence: format!(
                    "the filter {0} applies to {1} now, and would no longer: kinds that are named must all agree; attach another filter, or detach this one first (jmsctl filter detach {0}) and attach it to all at once",
                    filter.name, kind.1
                ),
            });
        }
        change.set_filter(&filter)
    })?;
    say_where(&edited, context);
    context.out.changed(&edited)
}

fn detach(verb: &Attach, context: &mut Context) -> Done {
    let edited = context.change((&verb.change).into(), |change| {
        let mut filter = change.read().filter(&verb.name)?;
        if flags(&verb.scope).iter().all(|(_, names)| names.is_none()) {
            filter.scope = Scope::default();
            return change.set_filter(&filter);
        }
        let before = filter.scope.clone();
        edit(change.read(), &verb.scope, &mut filter.scope, false)?;
        // Nor must detaching make it apply to more.
        let widened = before
            .kinds()
            .iter()
            .zip(filter.scope.kinds())
            .position(|(before, after)| *before && !after);
        if let (Some(kind), false) = (
            widened.and_then(|at| KINDS.get(at)),
            filter.scope.is_empty(),
        ) {
            return Err(StoreError::Refused {
                sentence: format!(
                    "that is the last {1} that the filter {0} names; without it, it would apply to {2}: detach it from everything (jmsctl filter detach {0}) and attach it anew",
                    filter.name, kind.0, kind.1
                ),
            });
        }
        change.set_filter(&filter)
    })?;
    say_where(&edited, context);
    context.out.changed(&edited)
}

fn edit(
    read: Read<'_>,
    given: &Flags,
    scope: &mut Scope,
    attaches: bool,
) -> Result<(), StoreError> {
    for (selector, names) in flags(given) {
        let (Some(names), Some(list)) = (names, scope.list_mut(selector)) else {
            continue;
        };
        let none: &[String] = &[];
        let (add, remove) = if attaches {
            (names.as_slice(), none)
        } else {
            (none, names.as_slice())
        };
        let edit = ListEdit {
            replace: None,
            add,
            remove,
        };
        edit.apply(read, selector, Filter::NAME, list)?;
    }
    Ok(())
}
