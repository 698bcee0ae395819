//! When users were last here, and how many logins of theirs are open.
//!
//! Who has not passed the second factor that is demanded of him was not here: somebody else may have his key.
//!
//! Kept beside the user, not in his row: that somebody logs in is no change of policy, and no snapshot is made for it.

use super::change::Change;
use super::error::StoreError;
use super::read::Read;
use crate::nouns::User;
use crate::process::Process;
use crate::time::Time;
use rusqlite::{Connection, params};

impl Read<'_> {
    /// When that user last logged in and passed what is demanded of him, was let in again by an administrator or was added, whichever came last.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn seen_at(self, user: &User) -> Result<Time, StoreError> {
        let seen = self.first(
            "SELECT seen_at FROM user_activity WHERE user_id = ?1",
            [user.id],
            |row| Ok(Time(row.get(0)?)),
        )?;
        Ok(seen.map_or(user.created_at, |seen| seen.max(user.created_at)))
    }

    /// The logins of that user that are open: neither closed, nor left behind by an sshd that is gone.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open_logins_of(self, user: &User) -> Result<u32, StoreError> {
        // Among the open ones of everybody, not among all that he ever had.
        let processes = self.rows(
            "SELECT sshd_pid, sshd_started FROM login WHERE +user_id = ?1 AND closed_at IS NULL",
            [user.id],
            |row| {
                Ok(Process {
                    pid: row.get(0)?,
                    started: row.get(1)?,
                })
            },
        )?;
        let open = processes.iter().filter(|sshd| !sshd.is_gone()).count();
        Ok(u32::try_from(open).unwrap_or(u32::MAX))
    }
}

impl Change<'_> {
    /// Lets somebody in again who was away for too long: his time begins anew.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn renew_activity(&self, user: &User) -> Result<(), StoreError> {
        self.execute(SEEN, params![user.id, self.now().0])?;
        Ok(())
    }
}

const SEEN: &str = "INSERT INTO user_activity (user_id, seen_at) VALUES (?1, ?2)
    ON CONFLICT (user_id) DO UPDATE SET seen_at = excluded.seen_at";

/// Remembers that the user was here, in a login that was opened at this moment.
pub(super) fn was_here(connection: &Connection, user: i64, now: Time) -> Result<(), StoreError> {
    connection
        .prepare_cached(SEEN)?
        .execute(params![user, now.0])?;
    Ok(())
}

/// The same for an open login whose user passes his factor in the session, at `at`, or did so shortly before.
pub(super) fn who_opened_was_here(
    connection: &Connection,
    login_id: &str,
    at: Time,
) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO user_activity (user_id, seen_at)
         SELECT user_id, max(opened_at, ?2) FROM login WHERE id = ?1 AND closed_at IS NULL AND user_id IS NOT NULL
         ON CONFLICT (user_id) DO UPDATE SET seen_at = max(seen_at, excluded.seen_at)",
        params![login_id, at.0],
    )?;
    Ok(())
}
