//! Command lines: kept with what the filters said of them, listed, followed.

use super::Store;
use super::error::StoreError;
use super::events;
use super::read::{Read, time};
use super::sessions::{event_of, session_of_id};
use crate::id::Id;
use crate::nouns::{Captured, Command, Login};
use crate::time::Time;
use event::{Event, Type};
use filter::Verdict;
use rusqlite::{Row, Transaction, TransactionBehavior, params};
use std::time::Duration;

/// The longest line that is kept, in bytes.
pub const LONGEST_LINE: usize = 64 * 1024;
/// As much of a line stands in an event, in characters.
const IN_EVENTS: usize = 1024;

/// A line that ran, or was not allowed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCommand<'a> {
    /// The line. More than [`LONGEST_LINE`] is cut.
    pub line: &'a str,
    /// It is only the beginning already.
    pub cut: bool,
    /// How sure it is.
    pub captured: Captured,
    /// What the filters said.
    pub verdict: Verdict,
    /// Whether it was let through.
    pub accepted: bool,
    /// The filter that spoke; empty: none.
    pub filter: &'a str,
    /// The rule of it, as it is written; empty: its default, or no filter.
    pub rule: &'a str,
    /// Why, in words for people; empty if the rule says it all.
    pub reason: &'a str,
    /// Where in the recording: after its start.
    pub recorded_at: Option<Duration>,
}

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct CommandSearch {
    /// Only of this session (whole id).
    pub session: Option<String>,
    /// Only of this user.
    pub user: Option<String>,
    /// Only on this asset.
    pub asset: Option<String>,
    /// Only as this system user.
    pub system_user: Option<String>,
    /// Only lines with this text in them; case is of no interest.
    pub text: Option<String>,
    /// Only with this verdict.
    pub verdict: Option<Verdict>,
    /// Not before.
    pub since: Option<Time>,
    /// Before.
    pub until: Option<Time>,
    /// Only with a number above this one (for `--follow`).
    pub after_id: i64,
    /// At most so many, the newest.
    pub limit: u32,
}

/// The columns of a command with those of its session.
const COLUMNS: &str = "command.id, session_id, user_name, asset, system_user, run_at, line, cut, captured, verdict,
                       action, filter, rule, recorded_at FROM command JOIN session ON session.id = session_id";

fn command(row: &Row<'_>) -> Result<Command, StoreError> {
    Ok(Command {
        id: row.get("id")?,
        time: time(row, "run_at")?,
        session: row.get("session_id")?,
        user: row.get("user_name")?,
        asset: row.get("asset")?,
        system_user: row.get("system_user")?,
        line: row.get("line")?,
        cut: row.get("cut")?,
        captured: row.get("captured")?,
        verdict: row.get("verdict")?,
        action: row.get("action")?,
        filter: row.get("filter")?,
        rule: row.get("rule")?,
        at: row.get("recorded_at")?,
    })
}

/// As much of `line` as is kept, and whether that is all.
fn kept(line: &str) -> (&str, bool) {
    let mut end = LONGEST_LINE.min(line.len());
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    let begin = line.get(..end).unwrap_or_default();
    (begin, begin.len() < line.len())
}

/// What syslog is told of a line. Nothing, if it was simply allowed.
fn event_of_command(new: &NewCommand<'_>) -> Option<Type> {
    match (new.accepted, new.verdict) {
        (false, _) | (true, Verdict::Deny) => Some(Type::CommandDenied),
        (true, Verdict::Confirm) => Some(Type::CommandConfirmed),
        (true, Verdict::Warn) => Some(Type::CommandWarned),
        (true, Verdict::Allow) => None,
    }
}

impl Store {
    /// Keeps a line of a live session, and tells syslog if a filter had something to say of it. Returns its number.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing is kept, and what was not let through yet must not be.
    pub fn add_command(
        &mut self,
        session: &Id,
        login: &Login,
        new: &NewCommand<'_>,
        now: Time,
    ) -> Result<i64, StoreError> {
        let numbers = self.add_commands(session, login, &[(new, now)])?;
        Ok(numbers.last().copied().unwrap_or_default())
    }

    /// Keeps some lines of a live session, all or none, and tells syslog of those that a filter had something to say of. Returns
    /// their numbers.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing is kept.
    pub fn add_commands(
        &mut self,
        session: &Id,
        login: &Login,
        lines: &[(&NewCommand<'_>, Time)],
    ) -> Result<Vec<i64>, StoreError> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let numbers = lines
            .iter()
            .map(|(new, at)| insert(&transaction, session, login, new, *at))
            .collect::<Result<_, _>>()?;
        transaction.commit()?;
        if lines.iter().any(|(new, _)| event_of_command(new).is_some()) {
            self.send_unsent();
        }
        Ok(numbers)
    }
}

fn insert(
    transaction: &Transaction<'_>,
    session: &Id,
    login: &Login,
    new: &NewCommand<'_>,
    now: Time,
) -> Result<i64, StoreError> {
    let (line, cut) = kept(new.line);
    transaction
            .prepare_cached(
                "INSERT INTO command (session_id, run_at, line, cut, captured, verdict, action, filter, rule, recorded_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute(params![
                session.as_str(),
                now.0,
                line,
                cut || new.cut,
                new.captured.as_str(),
                new.verdict.as_str(),
                if new.accepted { "accept" } else { "deny" },
                new.filter,
                new.rule,
                new.recorded_at
                    .map(|at| i64::try_from(at.as_millis()).unwrap_or(i64::MAX)),
            ])?;
    let id = transaction.last_insert_rowid();
    if let Some(kind) = event_of_command(new) {
        let session = session_of_id(Read::new(transaction), session)?;
        let shown: String = line.chars().take(IN_EVENTS).collect();
        let event: Event = event_of(kind, &session, Some(login), now)
            .result(if new.accepted { "allow" } else { "deny" })
            .reason(new.reason)
            .with("verdict", new.verdict.as_str())
            .with("filter", new.filter)
            .with("rule", new.rule)
            .with("captured", new.captured.as_str())
            .with("line", shown);
        events::insert(transaction, &event)?;
    }
    Ok(id)
}

impl Read<'_> {
    /// Commands that match, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn commands(self, search: &CommandSearch) -> Result<Vec<Command>, StoreError> {
        // LIKE compares without case; its own signs are to mean themselves.
        let text = search.text.as_ref().map(|text| {
            let text = text.replace('\\', "\\\\");
            format!("%{}%", text.replace('%', "\\%").replace('_', "\\_"))
        });
        let order = if search.after_id > 0 {
            "command.id DESC"
        } else {
            "run_at DESC, command.id DESC"
        };
        let sql = format!(
            "SELECT {COLUMNS}
             WHERE (?1 IS NULL OR session_id = ?1) AND (?2 IS NULL OR user_name = ?2) AND (?3 IS NULL OR asset = ?3)
               AND (?4 IS NULL OR system_user = ?4) AND (?5 IS NULL OR line LIKE ?5 ESCAPE '\\')
               AND (?6 IS NULL OR verdict = ?6) AND (?7 IS NULL OR run_at >= ?7) AND (?8 IS NULL OR run_at < ?8)
               AND command.id > ?9
             ORDER BY {order} LIMIT ?10"
        );
        let mut rows = self.rows(
            &sql,
            params![
                search.session,
                search.user,
                search.asset,
                search.system_user,
                text,
                search.verdict.map(Verdict::as_str),
                search.since.map(|at| at.0),
                search.until.map(|at| at.0),
                search.after_id,
                search.limit
            ],
            command,
        )?;
        rows.reverse();
        Ok(rows)
    }

    /// The command with this number.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn command(self, id: i64) -> Result<Command, StoreError> {
        let found = self.first(
            &format!("SELECT {COLUMNS} WHERE command.id = ?1"),
            [id],
            command,
        )?;
        found.ok_or_else(|| StoreError::NotFound {
            kind: "command",
            name: id.to_string(),
            nearest: None,
        })
    }

    /// The number of the newest command of all; 0 if there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn newest_command(self) -> Result<i64, StoreError> {
        self.number("SELECT ifnull(max(id), 0) FROM command", [])
    }

    /// The newest commands of a session (whole id), oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn commands_of(self, session: &str, limit: u32) -> Result<Vec<Command>, StoreError> {
        self.commands(&CommandSearch {
            session: Some(session.to_owned()),
            limit,
            ..CommandSearch::default()
        })
    }
}

#[cfg(test)]
#[path = "commands_tests.rs"]
mod tests;
