//! `jmsctl login ls --failed`: who proved who he is, and was not let in; from the events that say so.
//!
//! Keys that are nobody's and names that do not exist are sshd's to tell: `--unknown`, and its own log.
#![forbid(unsafe_code)]

use super::event::{Listed, all_listed, text};
use super::evidence::{Wanted, print, rows_needed};
use super::follow;
use crate::cli::evidence::LoginLs;
use crate::context::Context;
use crate::failure::Done;
use crate::output::{Noun, harmless};
use jms::nouns::EventRow;
use jms::store::EventSearch;
use serde::Serialize;
use serde_json::Value;

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
    ];
    const COLUMNS: &'static [&'static str] =
        &["time", "user", "source", "login_name", "reason", "rule"];
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
        }
    }
}

/// Lists, and follows if that was asked for.
pub fn run(verb: &LoginLs, context: &mut Context) -> Done {
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
    let rows = context.store.read().events(&search)?;
    print(context, refused(&rows, &users), &verb.list)
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
