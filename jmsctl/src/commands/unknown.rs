//! `jmsctl login ls --unknown`: who asked for names that do not exist, and which name was perhaps meant.
#![forbid(unsafe_code)]

use super::evidence::{Wanted, print};
use crate::cli::evidence::LoginLs;
use crate::context::Context;
use crate::failure::Done;
use crate::output::Noun;
use crate::sshd_log::{Log, Within};
use jms::sshd_log::{Line, Row, Tally};
use jms::time::Time;
use serde::Serialize;

/// A name from one source, as it is listed.
#[derive(Serialize)]
struct Unknown {
    name: String,
    nearest: Option<String>,
    source: String,
    count: u64,
    first: Time,
    last: Time,
    /// sshd writes down only the beginning of a long name.
    cut: bool,
}

impl Noun for Unknown {
    const NAME: &'static str = "unknown login";
    const KEY: &'static str = "name";
    const FIELDS: &'static [&'static str] =
        &["name", "nearest", "source", "count", "first", "last", "cut"];
    const COLUMNS: &'static [&'static str] =
        &["name", "nearest", "source", "count", "first", "last"];
    const NEWEST_LAST: bool = true;
}

impl From<Row> for Unknown {
    fn from(row: Row) -> Self {
        Self {
            name: row.name,
            nearest: row.nearest,
            source: row.source,
            count: row.count,
            first: row.first,
            last: row.last,
            cut: row.cut,
        }
    }
}

fn within(verb: &LoginLs) -> Within {
    Within {
        since: verb.span.since,
        until: verb.span.until,
    }
}

/// Opens what it needs, with the rights that are there.
pub fn open(verb: &LoginLs) -> Done<Log> {
    Log::open(within(verb))
}

/// Lists. `--user` and `--user-group` choose by the name that was perhaps meant.
pub fn run(verb: &LoginLs, log: Log, context: &mut Context) -> Done {
    let (mut tally, within) = (Tally::default(), within(verb));
    let remarks = log.read("--unknown", &mut |line| match line {
        Line::Attempt(attempt) if within.holds(attempt.at) => tally.add(attempt),
        _ => {}
    })?;
    for remark in &remarks {
        context.out.note(remark);
    }
    let others = tally.others();
    if others > 0 {
        context.out.note(&format!(
            "{others} attempts with yet other names are not shown: there are too many; --since looks at less"
        ));
    }
    let read = context.store.read();
    let users = read.user_names()?;
    let wanted = Wanted::users(read, &verb.user, &verb.user_group)?;
    let mut rows = tally.rows(users.iter().map(String::as_str));
    rows.retain(|row| wanted.fits(row.nearest.as_deref().unwrap_or_default()));
    let rows: Vec<Unknown> = rows.into_iter().map(Unknown::from).collect();
    print(context, rows, &verb.list)
}
