//! `jmsctl filter test`: what a command line would be judged as, each command found on it and each rule asked.
#![forbid(unsafe_code)]

use super::explain::parties;
use crate::cli::filter::Test;
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output::harmless;
use filter::look_into::Command;
use filter::{Context as Place, Filter, FilterText, Judgement, Tried, enforce, judge, tried};
use jms::nouns::User;
use jms::policy::{Right, Rights, decide_rights};
use jms::store::Read;
use serde::Serialize;

/// So many rules that do not speak of a command are shown to people.
const SHOWN: usize = 10;

/// The explanation. Fields are a promise to scripts.
#[derive(Serialize)]
struct Explanation {
    /// `USER@SYSTEM_USER@ASSET`
    login: String,
    line: String,
    verdict: &'static str,
    /// By which filter; `null`: none applies.
    filter: Option<String>,
    /// The number of the rule that decided.
    rule_id: Option<i64>,
    /// Its text.
    rule: Option<String>,
    /// The command, or the whole line, that it is about.
    command: String,
    /// Why, as a sentence.
    because: String,
    /// What cannot be known of the line.
    opaque: Option<String>,
    /// A shell would wait for more lines.
    unfinished: bool,
    /// The filter that is enforced: there, only one plain command is run.
    enforced_by: Option<String>,
    /// What the asset would be sent in its place.
    sent: Option<String>,
    /// The filters that were asked, each with how many rules hold there.
    filters: Vec<Asked>,
    /// Every simple command, those that others start after them.
    commands: Vec<Found>,
    /// All that was said.
    findings: Vec<Finding>,
}

#[derive(Serialize)]
struct Asked {
    name: String,
    default: &'static str,
    rules: usize,
}

#[derive(Serialize)]
struct Found {
    /// How many commands it stands in.
    depth: usize,
    command: String,
    /// The program without its folder; `null`: the line does not say.
    program: Option<String>,
    /// What it hides.
    opaque: Option<String>,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
struct Rule {
    filter: String,
    id: i64,
    text: String,
    verdict: &'static str,
    hit: bool,
}

#[derive(Serialize)]
struct Finding {
    filter: String,
    verdict: &'static str,
    command: String,
    because: String,
}

/// Runs the verb.
pub fn run(verb: &Test, context: &mut Context) -> Done {
    let read = context.store.read();
    let (user, system_user, asset) = parties(read, &verb.login, context.now)?;
    let texts = if verb.filter.is_empty() {
        read.filters_for(&user.name, &asset.name, &system_user.name)?
    } else {
        named(read, &verb.filter)?
    };
    let filters =
        Filter::compile_all(&texts).map_err(|error| Failure::Failed(error.to_string()))?;
    let place = Place {
        origin: verb.origin.into(),
        ..Place::EXEC
    };
    let enforcer = match place.origin {
        filter::Origin::Exec => enforcer(context, &texts, &user, (asset.id, system_user.id))?,
        _ => None,
    };
    // What is judged and sent where a filter is enforced.
    let sent = enforcer.as_ref().map(|_| enforce(&verb.line));
    let judged = match &sent {
        Some(Ok(line)) => line,
        _ => &verb.line,
    };
    let judgement = judge(&filters, judged, place);
    let login = format!("{}@{}@{}", user.name, system_user.name, asset.name);
    let mut explanation = explanation(login, &verb.line, &texts, &filters, &judgement);
    explanation.enforced_by.clone_from(&enforcer);
    match (enforcer, sent) {
        (Some(filter), Some(Err(why))) => {
            explanation.because = format!("denied by filter {filter}: {why}");
            explanation.verdict = filter::Verdict::Deny.as_str();
            (explanation.filter, explanation.rule_id, explanation.rule) =
                (Some(filter), None, None);
        }
        (_, Some(Ok(line))) => explanation.sent = Some(line),
        _ => {}
    }
    if context.out.is_json() {
        return context.out.show(&explanation);
    }
    context.out.text(&in_words(&explanation))
}

/// The filter that is enforced: one with a default of deny, for who may run commands there and open no shell.
fn enforcer(
    context: &Context,
    filters: &[FilterText],
    user: &User,
    ids: (i64, i64),
) -> Done<Option<String>> {
    let strict = |filter: &&FilterText| filter.default == filter::Verdict::Deny;
    let Some(filter) = filters.iter().find(strict) else {
        return Ok(None);
    };
    let facts = context
        .store
        .read()
        .facts(user, None, ids, context.limits)?;
    let right = |right: Right| {
        decide_rights(
            &facts,
            right.as_str(),
            Rights::NONE.with(right),
            context.now,
        )
        .allow
    };
    Ok((right(Right::Exec) && !right(Right::Shell)).then(|| filter.name.clone()))
}

/// Filters by name, with all their rules.
fn named(read: Read<'_>, names: &[String]) -> Done<Vec<FilterText>> {
    names
        .iter()
        .map(|name| {
            let filter = read.filter(name)?;
            let rules = read.filter_rules(name)?;
            Ok(FilterText {
                name: filter.name,
                default: filter.default,
                rules: rules.iter().map(jms::nouns::FilterRule::text).collect(),
            })
        })
        .collect()
}

fn explanation(
    login: String,
    line: &str,
    texts: &[FilterText],
    filters: &[Filter],
    judgement: &Judgement,
) -> Explanation {
    let mut commands = Vec::new();
    for command in &judgement.line.commands {
        collect(command, 0, filters, &mut commands);
    }
    let decided = !judgement.filter.is_empty();
    Explanation {
        login,
        line: line.to_owned(),
        verdict: judgement.verdict.as_str(),
        filter: decided.then(|| judgement.filter.clone()),
        rule_id: judgement.rule_id(),
        rule: judgement.rule_id().map(|_| judgement.rule().to_owned()),
        command: judgement.command.clone(),
        because: judgement.sentence(),
        opaque: judgement.opaque().map(|opaque| opaque.to_string()),
        unfinished: judgement.is_unfinished(),
        enforced_by: None,
        sent: None,
        filters: texts
            .iter()
            .map(|text| Asked {
                name: text.name.clone(),
                default: text.default.as_str(),
                rules: text.rules.len(),
            })
            .collect(),
        commands,
        findings: judgement
            .findings
            .iter()
            .map(|finding| Finding {
                filter: finding.filter.clone(),
                verdict: finding.verdict.as_str(),
                command: finding.command.clone(),
                because: finding.reason.to_string(),
            })
            .collect(),
    }
}

fn collect(command: &Command, depth: usize, filters: &[Filter], into: &mut Vec<Found>) {
    let rule = |filter: &Filter, one: Tried| Rule {
        filter: filter.name.clone(),
        id: one.id,
        text: one.text,
        verdict: one.verdict.as_str(),
        hit: one.hit,
    };
    let rules = filters.iter().flat_map(|filter| {
        let tried = tried(filter, command).into_iter();
        tried.map(move |one| rule(filter, one))
    });
    into.push(Found {
        depth,
        command: command.simple.source.clone(),
        program: command.program().map(str::to_owned),
        opaque: command.opaque.as_ref().map(|opaque| opaque.to_string()),
        rules: rules.collect(),
    });
    for inner in &command.inner {
        collect(inner, depth + 1, filters, into);
    }
}

fn in_words(explanation: &Explanation) -> String {
    let mut text = format!("{}\n", explanation.login);
    for filter in &explanation.filters {
        text.push_str(&format!(
            "filter {}: {} rules hold here, default {}\n",
            filter.name, filter.rules, filter.default
        ));
    }
    if let Some(filter) = &explanation.enforced_by {
        text.push_str(&format!(
            "filter {filter} is enforced: exec without shell, default deny\n"
        ));
    }
    if let Some(sent) = &explanation.sent {
        text.push_str(&format!("the asset is sent: {}\n", harmless(sent)));
    }
    text.push_str("\ncommands:\n");
    for found in &explanation.commands {
        let indent = "  ".repeat(found.depth + 1);
        text.push_str(&format!("{indent}{}\n", harmless(&found.command)));
        if let Some(opaque) = &found.opaque {
            text.push_str(&format!("{indent}    opaque: {opaque}\n"));
        }
        let silent = found.rules.iter().filter(|rule| !rule.hit);
        for rule in silent.clone().take(SHOWN) {
            text.push_str(&format!("{indent}    not {}\n", in_line(rule)));
        }
        if let Some(more) = silent.count().checked_sub(SHOWN).filter(|more| *more > 0) {
            text.push_str(&format!("{indent}    nor {more} others\n"));
        }
        for rule in found.rules.iter().filter(|rule| rule.hit) {
            text.push_str(&format!(
                "{indent}    {}: {}\n",
                rule.verdict,
                in_line(rule)
            ));
        }
    }
    if let Some(opaque) = &explanation.opaque {
        text.push_str(&format!("\nopaque: {opaque}\n"));
    }
    if explanation.unfinished {
        text.push_str("\nunfinished: a shell would wait for more lines\n");
    }
    text.push_str("\nfindings:\n");
    for finding in &explanation.findings {
        text.push_str(&format!(
            "  {:7}  {}: {}: {}\n",
            finding.verdict,
            finding.filter,
            harmless(&finding.command),
            finding.because
        ));
    }
    text.push_str(&format!(
        "\n{}: {}\n",
        explanation.verdict,
        harmless(&explanation.because)
    ));
    text
}

fn in_line(rule: &Rule) -> String {
    format!(
        "rule {} of {} ({})",
        rule.id,
        rule.filter,
        harmless(&rule.text)
    )
}
