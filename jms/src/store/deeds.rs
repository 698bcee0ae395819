//! What was done in a login and in a session: transfers, events.

use super::error::StoreError;
use super::events::row_of_event;
use super::read::{Read, maybe_time, number, time};
use crate::nouns::{EventRow, Transfer};
use rusqlite::{Row, params};

fn transfer(row: &Row<'_>) -> Result<Transfer, StoreError> {
    let size: Option<i64> = row.get("size")?;
    Ok(Transfer {
        begun_at: time(row, "begun_at")?,
        ended_at: maybe_time(row, "ended_at")?,
        operation: row.get("operation")?,
        path: row.get("path")?,
        other_path: row.get("other_path")?,
        size: size.map(|size| number("size", size)).transpose()?,
        sha256: row.get("sha256")?,
        verdict: row.get("verdict")?,
        result: row.get("result")?,
    })
}

impl Read<'_> {
    /// The newest transfers of a session (whole id), oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn transfers_of(self, session: &str, limit: u32) -> Result<Vec<Transfer>, StoreError> {
        let mut rows = self.rows(
            "SELECT * FROM transfer WHERE session_id = ?1 ORDER BY begun_at DESC, id DESC LIMIT ?2",
            params![session, limit],
            transfer,
        )?;
        rows.reverse();
        Ok(rows)
    }

    /// The newest events of a session (whole id), also of who looked at it later; oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn events_of_session(self, session: &str, limit: u32) -> Result<Vec<EventRow>, StoreError> {
        // The condition of the index.
        let mut rows = self.rows(
            "SELECT seq, body, sent FROM event WHERE session_id = ?1 AND session_id <> ''
             ORDER BY seq DESC LIMIT ?2",
            params![session, limit],
            row_of_event,
        )?;
        rows.reverse();
        Ok(rows)
    }

    /// The newest events of a login (whole id) that belong to none of its own sessions, oldest first: its opening
    /// and closing, what it was refused, what its user changed and looked at through it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn events_of_login(self, login: &str, limit: u32) -> Result<Vec<EventRow>, StoreError> {
        let mut rows = self.rows(
            "SELECT seq, body, sent FROM event WHERE login_id = ?1 AND login_id <> ''
               AND NOT EXISTS (SELECT 1 FROM session WHERE session.id = event.session_id AND session.login_id = ?1)
             ORDER BY seq DESC LIMIT ?2",
            params![login, limit],
            row_of_event,
        )?;
        rows.reverse();
        Ok(rows)
    }
}
