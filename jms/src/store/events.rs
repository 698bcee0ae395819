//! Events: kept first, sent to syslog after. A number is given once; a gap is visible.

use super::Store;
use super::error::StoreError;
use super::read::{Read, number};
use crate::nouns::EventRow;
use crate::time::Time;
use event::Event;
use rusqlite::{Connection, TransactionBehavior, params};
use std::time::Duration;

/// At most so many are sent at one opportunity: a long outage must not make a login slow.
const SENT_AT_ONCE: i64 = 200;

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct EventSearch {
    /// Only this type, or all that begin with it and a dot.
    pub kind: Option<String>,
    /// Only this actor or user.
    pub actor: Option<String>,
    /// Only what syslog has not taken.
    pub unsent: bool,
    /// Not before.
    pub since: Option<Time>,
    /// Before.
    pub until: Option<Time>,
    /// Only numbers above this one (for `--follow`).
    pub after_seq: u64,
    /// At most so many, the newest.
    pub limit: u32,
}

pub(super) fn insert(connection: &Connection, event: &Event) -> Result<(), StoreError> {
    let text = |name: &str| {
        event
            .get(name)
            .and_then(|value| value.as_text().map(std::borrow::Cow::into_owned))
            .unwrap_or_default()
    };
    connection
        .prepare_cached(
            "INSERT INTO event (at, type, severity, user_name, actor, login_id, session_id, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            event.time().as_millisecond(),
            event.kind().as_str(),
            event.level().as_str(),
            text("user"),
            text("actor"),
            text("login"),
            text("session"),
            event.to_json(None),
        ])?;
    Ok(())
}

impl Store {
    /// Keeps an event and tries to send it. What syslog does not take now is sent later.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be kept; sending never fails the call.
    pub fn emit(&mut self, event: &Event) -> Result<(), StoreError> {
        insert(&self.connection, event)?;
        self.send_unsent();
        Ok(())
    }

    /// Sends what syslog has not taken yet, oldest first; returns how many it took.
    ///
    /// Never blocks: the socket does not, and whoever finds the store busy leaves it to the next.
    pub fn send_unsent(&mut self) -> usize {
        self.try_to_send().unwrap_or(0)
    }

    fn try_to_send(&mut self) -> Result<usize, StoreError> {
        let waiting = Read::new(&self.connection)
            .number("SELECT EXISTS (SELECT 1 FROM event WHERE sent = 0)", [])?;
        if waiting == 0 {
            return Ok(0);
        }
        self.connection.busy_timeout(Duration::ZERO)?;
        let taken = self.send_under_lock();
        self.connection.busy_timeout(super::BUSY)?;
        taken
    }

    /// The write lock makes two senders take turns, so that nothing is sent twice.
    fn send_under_lock(&mut self) -> Result<usize, StoreError> {
        // That a line was taken may be forgotten when the machine dies: it is sent again then. It is not worth waiting for
        // the disk a second time; the event itself was, when it was kept.
        self.connection
            .pragma_update(None, "synchronous", "normal")?;
        let taken = self.send_in_transaction();
        self.connection.pragma_update(None, "synchronous", "full")?;
        taken
    }

    fn send_in_transaction(&mut self) -> Result<usize, StoreError> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let rows = Read::new(&transaction).rows(
            "SELECT seq, body, sent FROM event WHERE sent = 0 ORDER BY seq LIMIT ?1",
            [SENT_AT_ONCE],
            row_of_event,
        )?;
        let mut taken = 0;
        for row in &rows {
            // A body that cannot be read is none that we wrote: say so in its place.
            let event = Event::from_json(&row.body).unwrap_or_else(|error| {
                Event::new(event::Type::StoreProblem)
                    .result("error")
                    .reason(format!("event {} cannot be read: {error}", row.seq))
            });
            let line = event.to_line(self.format, Some(row.seq));
            if self.sender.send(event.level(), &line).is_err() {
                break;
            }
            transaction
                .prepare_cached("UPDATE event SET sent = 1 WHERE seq = ?1")?
                .execute([i64::try_from(row.seq).unwrap_or(i64::MAX)])?;
            taken += 1;
        }
        transaction.commit()?;
        Ok(taken)
    }
}

pub(super) fn row_of_event(row: &rusqlite::Row<'_>) -> Result<EventRow, StoreError> {
    Ok(EventRow {
        seq: number("event number", row.get("seq")?)?,
        body: row.get("body")?,
        sent: row.get("sent")?,
    })
}

impl Read<'_> {
    /// Whether an event of this type was kept about the user for this reason, not before `since`. Looks at no older ones.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn was_told(
        self,
        kind: event::Type,
        user: &str,
        reason: &str,
        since: Time,
    ) -> Result<bool, StoreError> {
        let found = self.number(
            "SELECT count(*) FROM (SELECT 1 FROM event INDEXED BY event_by_time
             WHERE at >= ?1 AND type = ?2 AND user_name = ?3 AND json_extract(body, '$.reason') = ?4 LIMIT 1)",
            params![since.0, kind.as_str(), user, reason],
        )?;
        Ok(found > 0)
    }

    /// Events that match, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn events(self, search: &EventSearch) -> Result<Vec<EventRow>, StoreError> {
        let Some(kind) = &search.kind else {
            return self.events_of_type(None, search);
        };
        // One after the other: the index of types then gives the newest of each without reading the others.
        let mut rows = Vec::new();
        for kind in types(kind) {
            rows.extend(self.events_of_type(Some(kind), search)?);
        }
        rows.sort_unstable_by_key(|row| row.seq);
        let most = usize::try_from(search.limit).unwrap_or(usize::MAX);
        rows.drain(..rows.len().saturating_sub(most));
        Ok(rows)
    }

    fn events_of_type(
        self,
        kind: Option<&str>,
        search: &EventSearch,
    ) -> Result<Vec<EventRow>, StoreError> {
        let of_type = if kind.is_some() {
            "type = ?1"
        } else {
            "?1 IS NULL"
        };
        let sql = format!(
            "SELECT seq, body, sent FROM event
             WHERE {of_type}
               AND (?2 IS NULL OR actor = ?2 OR user_name = ?2)
               AND (?3 = 0 OR sent = 0)
               AND (?4 IS NULL OR at >= ?4) AND (?5 IS NULL OR at < ?5) AND seq > ?6
             ORDER BY seq DESC LIMIT ?7"
        );
        let mut rows = self.rows(
            &sql,
            params![
                kind,
                search.actor,
                search.unsent,
                search.since.map(|at| at.0),
                search.until.map(|at| at.0),
                i64::try_from(search.after_seq).unwrap_or(i64::MAX),
                search.limit
            ],
            row_of_event,
        )?;
        rows.reverse();
        Ok(rows)
    }
}

/// The types of events that are called so, or begin so and a dot.
fn types(kind: &str) -> impl Iterator<Item = &'static str> {
    let names = event::Type::ALL.iter().map(|one| one.as_str());
    names.filter(move |name| {
        let rest = name.strip_prefix(kind);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}
