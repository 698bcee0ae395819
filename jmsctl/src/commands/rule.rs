//! `jmsctl rule`.
#![forbid(unsafe_code)]

use super::filter::flags;
use super::selection::ListEdit;
use crate::cli::filter::Scope as Flags;
use crate::cli::rule::{Add, LsRules, Rm, Rule as Verb, Set};
use crate::context::Context;
use crate::failure::Done;
use crate::output::Noun;
use filter::Matching;
use jms::nouns::FilterRule;
use jms::store::{Read, StoreError};

impl Noun for FilterRule {
    const NAME: &'static str = "rule";
    const KEY: &'static str = "id";
    const FIELDS: &'static [&'static str] = &[
        "id",
        "filter",
        "priority",
        "verdict",
        "command",
        "regex",
        "ignore_case",
        "everywhere",
        "users",
        "user_groups",
        "assets",
        "asset_groups",
        "system_users",
        "comment",
        "created_at",
        "updated_at",
    ];
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "filter",
        "priority",
        "verdict",
        "command",
        "regex",
        "ignore_case",
        "everywhere",
        "comment",
    ];
}

/// Runs a verb.
pub fn run(verb: &Verb, context: &mut Context) -> Done {
    match verb {
        Verb::Add(verb) => add(verb, context),
        Verb::Set(verb) => set(verb, context),
        Verb::Rm(verb) => remove(verb, context),
        Verb::Ls(verb) => list(verb, context),
        Verb::Show(verb) => {
            let rule = context.store.read().filter_rule(verb.id)?;
            context.out.show(&rule)
        }
    }
}

/// What the flags say of where it holds.
fn apply(read: Read<'_>, given: &Flags, rule: &mut FilterRule) -> Result<(), StoreError> {
    let mut said = false;
    for (selector, names) in flags(given) {
        let (Some(names), Some(list)) = (names, rule.scope.list_mut(selector)) else {
            continue;
        };
        said = true;
        ListEdit::replace(Some(names)).apply(read, selector, FilterRule::NAME, list)?;
    }
    if said {
        rule.everywhere = false;
        if rule.scope.is_empty() {
            return Err(StoreError::Refused {
                sentence: "the rule would hold nowhere: name somebody or something, say --everywhere, or remove it"
                    .to_owned(),
            });
        }
    }
    Ok(())
}

fn add(verb: &Add, context: &mut Context) -> Done {
    let now = context.now;
    let matching = match (&verb.command, &verb.regex) {
        (Some(command), _) => Matching::Command(command.clone()),
        (None, regex) => Matching::Regex(regex.clone().unwrap_or_default()),
    };
    let added = context.change((&verb.change).into(), |change| {
        let matching = matching.clone();
        let mut rule = FilterRule::new(&verb.filter, verb.verdict.into(), matching, now);
        rule.priority = verb.priority;
        rule.ignore_case = verb.ignore_case;
        rule.comment = verb.change.comment.clone().unwrap_or_default();
        apply(change.read(), &verb.scope, &mut rule)?;
        change.add_filter_rule(&rule)
    })?;
    context.out.changed(&added)
}

fn set(verb: &Set, context: &mut Context) -> Done {
    let edited = context.change((&verb.change).into(), |change| {
        let mut rule = change.read().filter_rule(verb.id)?;
        if let Some(priority) = verb.priority {
            rule.priority = priority;
        }
        if let Some(verdict) = verb.verdict {
            rule.verdict = verdict.into();
        }
        if verb.command.is_some() || verb.regex.is_some() {
            rule.command.clone_from(&verb.command);
            rule.regex.clone_from(&verb.regex);
        }
        if let Some(ignore_case) = verb.ignore_case {
            rule.ignore_case = ignore_case;
        }
        if let Some(comment) = &verb.change.comment {
            rule.comment.clone_from(comment);
        }
        if verb.everywhere {
            rule.everywhere = true;
        }
        apply(change.read(), &verb.scope, &mut rule)?;
        change.set_filter_rule(&rule)
    })?;
    context.out.changed(&edited)
}

fn remove(verb: &Rm, context: &mut Context) -> Done {
    let names: Vec<String> = verb.ids.iter().map(i64::to_string).collect();
    super::remove::<FilterRule>(context, &names, &verb.change, "", |change, name| {
        change.remove_filter_rule(name.parse().unwrap_or_default())
    })
}

fn list(verb: &LsRules, context: &mut Context) -> Done {
    let read = context.store.read();
    match &verb.filter {
        Some(filter) => {
            let rules = read.filter_rules(filter)?;
            context.out.list_policy(rules, &verb.ls)
        }
        None => context
            .out
            .list_each(&verb.ls, |visit| read.each_filter_rule(visit)),
    }
}
