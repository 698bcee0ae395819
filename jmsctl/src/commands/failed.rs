//! `jmsctl login ls --failed`: who proved who he is, and was not let in; from the events that say so, and from sshd's log
//! where a user ended before he was asked for his second factor.
//!
//! Keys that are nobody's and names that do not exist are sshd's to tell: `--unknown`, and its own log.
#![forbid(unsafe_code)]

use super::event::{Listed, all_listed, text};
use super::evidence::{Wanted, print, rows_needed};
use super::follow;
use super::not_given::{self, Cause, Opened};
use crate::cli::evidence::LoginLs;
use crate::context::Context;
use crate::failure::Done;
use crate::output::{Noun, harmless};
use jms::nouns::EventRow;
use jms::sshd_log::Ended;
use jms::store::EventSearch;
use jms::time::Time;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;

/// A login that was refused, as it is listed.
#[derive(Serialize)]
struct Refused {
    seq: Option<u64>,
    time: Option<String>,
    user: Option<String>,
    login_name: Option<String>,
    source: Option<String>,
    source_port: Option<u64>,
    key: Option<String>,
    factors: Option<String>,
    phase: Option<String>,
    reason: Option<String>,
    rule: Option<String>,
    /// How often; events come one by one.
    count: u64,
    /// The first of them.
    first: Option<String>,
    /// The reason as a sentence, where the word does not say enough.
    remark: Option<String>,
}

impl Noun for Refused {
    const NAME: &'static str = "failed login";
    const KEY: &'static str = "user";
    const FIELDS: &'static [&'static str] = &[
        "seq",
        "time",
        "user",
        "login_name",
        "source",
        "source_port",
        "key",
        "factors",
        "phase",
        "reason",
        "rule",
        "count",
        "first",
        "remark",
    ];
    const COLUMNS: &'static [&'static str] = &[
        "time",
        "user",
        "source",
        "login_name",
        "reason",
        "rule",
        "count",
    ];
    const NEWEST_LAST: bool = true;
}

impl From<Listed> for Refused {
    fn from(Listed(fields): Listed) -> Self {
        let word = |name: &str| text(&fields, name).map(str::to_owned);
        let number = |name: &str| fields.get(name).and_then(Value::as_u64);
        Self {
            seq: number("seq"),
            time: word("time"),
            user: word("user"),
            login_name: word("login_name"),
            source: word("source"),
            source_port: number("source_port"),
            key: word("key"),
            factors: word("factors"),
            phase: word("phase"),
            reason: word("reason"),
            rule: word("rule"),
            count: 1,
            first: word("time"),
            remark: None,
        }
    }
}

impl From<Ended> for Refused {
    fn from(ended: Ended) -> Self {
        let last = ended.last;
        let cause = Cause::of(&last.stage);
        let key = last.stage.key().map(str::to_owned);
        Self {
            seq: None,
            time: Some(last.at.timestamp().to_string()),
            user: last.name.split('@').next().map(str::to_owned),
            login_name: Some(last.name),
            source: Some(last.source),
            source_port: Some(last.port.into()),
            factors: key.as_ref().map(|_| "publickey".to_owned()),
            key,
            phase: None,
            reason: Some(cause.reason.to_owned()),
            rule: None,
            count: ended.count,
            first: Some(ended.first.timestamp().to_string()),
            remark: Some(cause.sentence),
        }
    }
}

/// Lists, and follows if that was asked for: then only events. `log`: sshd's, opened with the rights that there were.
pub fn run(verb: &LoginLs, log: Option<Opened>, context: &mut Context) -> Done {
    let users = Wanted::users(context.store.read(), &verb.user, &verb.user_group)?;
    let search = EventSearch {
        kind: Some(event::Type::LoginRefused.as_str().to_owned()),
        since: verb.span.since,
        until: verb.span.until,
        limit: rows_needed(&verb.list, !users.asks()),
        ..EventSearch::default()
    };
    if verb.follow {
        return follow::run(context, search, &verb.list, &verb.span, |context, rows| {
            for row in refused(&rows, &users) {
                line(context, &row, verb)?;
            }
            Ok(())
        });
    }
    let events = context.store.read().events(&search)?;
    let mut rows = refused(&events, &users);
    let log = log.unwrap_or_else(|| not_given::open(verb));
    let ended = not_given::read(log, verb, &users, context)?;
    rows.extend(ended.into_iter().map(Refused::from));
    let time = |row: &Refused| row.time.as_deref().and_then(Time::parse_rfc3339);
    rows.sort_by_key(time);
    if !context.out.is_json() && verb.list.columns.is_empty() {
        explain(context, &rows);
    }
    print(context, rows, &verb.list)
}

/// Says once what each word means that has a sentence.
fn explain(context: &Context, rows: &[Refused]) {
    let sentence = |row: &Refused| row.reason.clone().zip(row.remark.clone());
    let sentences: BTreeSet<(String, String)> = rows.iter().filter_map(sentence).collect();
    for (reason, sentence) in sentences {
        context.out.note(&format!("{reason}: {sentence}"));
    }
}

fn refused(rows: &[EventRow], users: &Wanted) -> Vec<Refused> {
    let rows = all_listed(rows, true).into_iter().map(Refused::from);
    rows.filter(|row| users.fits(row.user.as_deref().unwrap_or_default()))
        .collect()
}

fn line(context: &mut Context, row: &Refused, verb: &LoginLs) -> Done {
    if context.out.is_json() {
        return context.out.show(row);
    }
    let cells = [
        &row.time,
        &row.user,
        &row.source,
        &row.login_name,
        &row.reason,
    ];
    let line = cells
        .map(|cell| harmless(cell.as_deref().unwrap_or("-")))
        .join("  ");
    let wanted = verb
        .list
        .text
        .as_ref()
        .is_none_or(|text| line.contains(text.as_str()));
    match wanted {
        true => context.out.text(&format!("{line}\n")),
        false => Ok(()),
    }
}
