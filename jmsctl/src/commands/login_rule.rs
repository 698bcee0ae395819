//! `jmsctl login-rule`.
#![forbid(unsafe_code)]

use super::remove;
use super::selection::ListEdit;
use crate::cli::login_rule::{Add, Attributes, LoginRule as Verb, Set, Test};
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output::{Noun, harmless};
use jms::nouns::LoginRule;
use jms::policy::login_rule::Outcome;
use jms::store::{Read, Selector, StoreError};
use jms::time::Time;
use serde::Serialize;

impl Noun for LoginRule {
    const NAME: &'static str = "login rule";
    const KEY: &'static str = "name";
    const FIELDS: &'static [&'static str] = &[
        "name",
        "priority",
        "verdict",
        "everybody",
        "users",
        "user_groups",
        "roles",
        "sources",
        "times",
        "comment",
        "created_at",
        "updated_at",
    ];
    const COLUMNS: &'static [&'static str] = &[
        "priority",
        "name",
        "verdict",
        "everybody",
        "users",
        "user_groups",
        "roles",
        "sources",
        "times",
        "comment",
    ];
}

/// What the rules would say of a login. Fields are a promise to scripts.
#[derive(Serialize)]
struct Trial {
    user: String,
    source: String,
    at: Time,
    /// Whether the rules would let him in.
    allow: bool,
    /// `allow`, `deny`, `notify`; `unreadable`: a rule came up that cannot be read; `null`: no rule fits.
    verdict: Option<&'static str>,
    /// The rule that decides; `null`: none.
    rule: Option<String>,
    /// Each rule that was tried.
    steps: Vec<Step>,
}

/// One rule and what it said.
#[derive(Serialize)]
struct Step {
    rule: String,
    fits: bool,
    because: String,
}

/// Runs a verb.
pub fn run(verb: &Verb, context: &mut Context) -> Done {
    match verb {
        Verb::Add(verb) => add(verb, context),
        Verb::Set(verb) => set(verb, context),
        Verb::Rm(names) => {
            remove::<LoginRule>(context, &names.names, &names.change, "", |change, name| {
                change.remove_login_rule(name)
            })
        }
        Verb::Ls(ls) => {
            let read = context.store.read();
            context
                .out
                .list_each(ls, |visit| read.each_login_rule(visit))
        }
        Verb::Show(verb) => {
            let rule = context.store.read().login_rule(&verb.name)?;
            context.out.show(&rule)
        }
        Verb::Test(verb) => test(verb, context),
    }
}

/// A list of words; `none` is an empty one.
fn words(given: &[String]) -> Vec<String> {
    match given {
        [one] if one == "none" => Vec::new(),
        given => given.to_vec(),
    }
}

fn apply(read: Read<'_>, attributes: &Attributes, rule: &mut LoginRule) -> Result<(), StoreError> {
    let lists = [
        (Selector::User, &attributes.user, &mut rule.users),
        (
            Selector::UserGroup,
            &attributes.user_group,
            &mut rule.user_groups,
        ),
    ];
    for (selector, names, list) in lists {
        ListEdit::replace(names.as_ref()).apply(read, selector, LoginRule::NAME, list)?;
    }
    if let Some(roles) = &attributes.role {
        rule.roles = words(roles);
    }
    if let Some(sources) = &attributes.source {
        rule.sources = words(sources);
    }
    if let Some(times) = &attributes.time {
        rule.times = words(times);
    }
    rule.priority = attributes.priority.unwrap_or(rule.priority);
    Ok(())
}

fn add(verb: &Add, context: &mut Context) -> Done {
    let now = context.now;
    let added = context.change((&verb.change).into(), |change| {
        let mut rule = LoginRule::new(&verb.name, verb.verdict, now);
        apply(change.read(), &verb.attributes, &mut rule)?;
        rule.everybody = !rule.names_somebody();
        rule.comment = verb.change.comment.clone().unwrap_or_default();
        change.add_login_rule(&rule)
    })?;
    context.out.changed(&added)
}

fn set(verb: &Set, context: &mut Context) -> Done {
    let edited = context.change((&verb.change).into(), |change| {
        let mut rule = change.read().login_rule(&verb.name)?;
        apply(change.read(), &verb.attributes, &mut rule)?;
        let lists = [
            (
                Selector::User,
                &verb.add_user,
                &verb.rm_user,
                &mut rule.users,
            ),
            (
                Selector::UserGroup,
                &verb.add_user_group,
                &verb.rm_user_group,
                &mut rule.user_groups,
            ),
        ];
        for (selector, add, remove, list) in lists {
            let edit = ListEdit {
                replace: None,
                add,
                remove,
            };
            edit.apply(change.read(), selector, LoginRule::NAME, list)?;
        }
        if verb.everybody {
            rule.users.clear();
            rule.user_groups.clear();
            rule.roles.clear();
            rule.everybody = true;
        } else if rule.names_somebody() {
            rule.everybody = false;
        }
        rule.verdict = verb.verdict.unwrap_or(rule.verdict);
        if let Some(comment) = &verb.change.comment {
            rule.comment.clone_from(comment);
        }
        change.set_login_rule(&rule)
    })?;
    context.out.changed(&edited)
}

fn test(verb: &Test, context: &mut Context) -> Done {
    let at = verb.at.unwrap_or(context.now);
    let read = context.store.read();
    let user = read.user(&verb.user)?;
    let (outcome, steps) = read.explain_login(&user, Some(verb.source), at)?;
    let trial = Trial {
        user: user.name,
        source: verb.source.to_string(),
        at,
        allow: outcome.allows(),
        verdict: match &outcome {
            Outcome::NoRule => None,
            Outcome::Allowed(_) => Some("allow"),
            Outcome::Notified(_) => Some("notify"),
            Outcome::Denied(_) => Some("deny"),
            Outcome::Unreadable { .. } => Some("unreadable"),
        },
        rule: outcome.rule().map(str::to_owned),
        steps: steps
            .into_iter()
            .map(|step| Step {
                rule: step.rule,
                fits: step.fits,
                because: step.because,
            })
            .collect(),
    };
    if context.out.is_json() {
        context.out.show(&trial)?;
    } else {
        let text = in_words(&trial);
        context.out.text(&text)?;
    }
    if trial.allow {
        return Ok(());
    }
    context.out.flush()?;
    Err(Failure::Failed(format!(
        "{} would not be let in from {} then",
        trial.user, trial.source
    )))
}

fn in_words(trial: &Trial) -> String {
    let mut text = format!("{} from {} at {}\n\n", trial.user, trial.source, trial.at);
    let width = trial.steps.iter().map(|step| step.rule.len()).max();
    let width = width.unwrap_or_default();
    for step in &trial.steps {
        let word = if step.fits { "yes" } else { "no" };
        let (rule, because) = (harmless(&step.rule), harmless(&step.because));
        text.push_str(&format!("  {word:3}  {rule:width$}  {because}\n"));
    }
    if !trial.steps.is_empty() {
        text.push('\n');
    }
    match (&trial.rule, trial.verdict) {
        (Some(rule), Some(verdict)) => {
            text.push_str(&format!("{verdict}, by login rule {}\n", harmless(rule)));
        }
        _ => text.push_str("no rule fits: nothing is said against it\n"),
    }
    text
}
