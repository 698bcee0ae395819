//! What the store says about itself: for `jmsctl doctor` and `jmsctl status`.

use super::Store;
use super::change::Change;
use super::error::StoreError;
use super::events::row_of_event;
use super::read::{Read, number};
use crate::nouns::EventRow;
use crate::secret::Context;
use crate::time::Time;
use rusqlite::{OptionalExtension, TransactionBehavior, params};

/// Where the store remembers that somebody showed a copy of the key to stored secrets.
const KEY_BACKUP: &str = "secret_key_backup";

/// Where the store remembers that a local account got in without the bastion.
const LOCAL_ACCOUNT: &str = "local_account_tried";

/// Types of events that tell of somebody who was refused.
const REFUSALS: &str = "'key.refused', 'login.refused', 'session.refused', 'request.refused'";

/// How much there is of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Users.
    pub users: u64,
    /// Assets.
    pub assets: u64,
    /// Sessions that were ever recorded.
    pub sessions: u64,
    /// Open logins.
    pub open_logins: u64,
    /// Live sessions.
    pub live_sessions: u64,
    /// Size of all finished recordings, in bytes.
    pub recorded_bytes: u64,
    /// Number of the schema.
    pub schema: u64,
}

/// Events that syslog has not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    /// How many.
    pub count: u64,
    /// When the oldest of them happened.
    pub oldest: Option<Time>,
}

/// A copy of the key to stored secrets that lies elsewhere, as far as somebody showed one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyBackup {
    /// Fingerprint of the key that was copied ([`crate::secret::MasterKey::fingerprint`]).
    pub fingerprint: String,
    /// When it was shown.
    pub at: Time,
}

/// A local account that was seen to get in over ssh and to become root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalAccount {
    /// Its name.
    pub name: String,
    /// When.
    pub at: Time,
}

/// A sealed secret of the store, to try a key on.
#[derive(Debug, Clone)]
pub struct SealedSample {
    /// What it was sealed for.
    pub context: Context,
    /// Its sealed secret.
    pub sealed: Vec<u8>,
}

impl Read<'_> {
    /// The newest moment that any evidence tells of; `None` in a store without any.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn newest_moment(self) -> Result<Option<Time>, StoreError> {
        let newest: Option<i64> = self.connection.query_row(
            "SELECT max(at) FROM (SELECT max(at) AS at FROM event UNION ALL SELECT max(opened_at) FROM login
                                  UNION ALL SELECT max(started_at) FROM session)",
            [],
            |row| row.get(0),
        )?;
        Ok(newest.map(Time))
    }

    /// Events that syslog has not taken.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn waiting_events(self) -> Result<Waiting, StoreError> {
        let (count, oldest): (i64, Option<i64>) = self.connection.query_row(
            "SELECT count(*), min(at) FROM event WHERE sent = 0",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        Ok(Waiting {
            count: number("number of unsent events", count)?,
            oldest: oldest.map(Time),
        })
    }

    /// How much there is of everything.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn counts(self) -> Result<Counts, StoreError> {
        let count = |sql: &str| number("a count", self.number(sql, [])?);
        Ok(Counts {
            users: count("SELECT count(*) FROM user")?,
            assets: count("SELECT count(*) FROM asset")?,
            sessions: count("SELECT count(*) FROM session")?,
            open_logins: count("SELECT count(*) FROM login WHERE closed_at IS NULL")?,
            live_sessions: count("SELECT count(*) FROM session WHERE ended_at IS NULL")?,
            recorded_bytes: count("SELECT ifnull(sum(recording_size), 0) FROM session")?,
            schema: count("PRAGMA user_version")?,
        })
    }

    /// How often somebody was refused since then, and the newest of these events, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn refusals(self, since: Time, limit: u32) -> Result<(u64, Vec<EventRow>), StoreError> {
        let count = self.number(
            &format!("SELECT count(*) FROM event WHERE type IN ({REFUSALS}) AND at >= ?1"),
            [since.0],
        )?;
        let mut rows = self.rows(
            &format!("SELECT seq, body, sent FROM event WHERE type IN ({REFUSALS}) AND at >= ?1 ORDER BY seq DESC LIMIT ?2"),
            params![since.0, limit],
            row_of_event,
        )?;
        rows.reverse();
        Ok((number("number of refusals", count)?, rows))
    }

    /// The copy of the key to stored secrets that somebody showed last.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn key_backup(self) -> Result<Option<KeyBackup>, StoreError> {
        let noted = self.noted(KEY_BACKUP)?;
        Ok(noted.map(|(at, fingerprint)| KeyBackup { fingerprint, at }))
    }

    /// The local account that was seen last to get in over ssh and to become root.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn local_account_tried(self) -> Result<Option<LocalAccount>, StoreError> {
        let noted = self.noted(LOCAL_ACCOUNT)?;
        Ok(noted.map(|(at, name)| LocalAccount { name, at }))
    }

    /// What [`Change::note`] noted last under this name, and when.
    fn noted(self, name: &str) -> Result<Option<(Time, String)>, StoreError> {
        let text: Option<String> = self
            .connection
            .query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| {
                row.get(0)
            })
            .optional()?;
        Ok(text.and_then(|text| {
            let (at, value) = text.split_once(' ')?;
            Some((Time(at.parse().ok()?), value.to_owned()))
        }))
    }

    /// One sealed secret, if any is stored.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn sealed_sample(self) -> Result<Option<SealedSample>, StoreError> {
        let credential = self.first(
            "SELECT id, secret FROM credential ORDER BY id DESC LIMIT 1",
            [],
            |row| {
                Ok(SealedSample {
                    context: Context::credential(row.get(0)?),
                    sealed: row.get(1)?,
                })
            },
        )?;
        match credential {
            Some(sample) => Ok(Some(sample)),
            // A bastion without stored keys may have people's authenticator apps.
            None => self.sealed_totp(),
        }
    }
}

impl Store {
    /// Whether somebody could write now: takes the write lock and gives it back.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when another writer holds it for longer than two seconds; not writable.
    pub fn try_to_write(&mut self) -> Result<(), StoreError> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        // A lock alone succeeds on a file system that has become read-only.
        transaction.execute(
            "UPDATE meta SET value = value WHERE name = 'generation'",
            [],
        )?;
        transaction.rollback()?;
        Ok(())
    }
}

impl Change<'_> {
    /// Remembers that a copy of the key with this fingerprint was shown.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn note_key_backup(&self, fingerprint: &str) -> Result<(), StoreError> {
        let before = self.note(KEY_BACKUP, fingerprint)?;
        self.audit(
            "secret-key-backup",
            "/etc/jms/secret.key",
            before.as_ref(),
            Some(&fingerprint.to_owned()),
        )
    }

    /// Remembers that this local account got in over ssh and became root.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn note_local_account(&self, name: &str) -> Result<(), StoreError> {
        let before = self.note(LOCAL_ACCOUNT, name)?;
        self.audit(
            "local-account-tried",
            name,
            before.as_ref(),
            Some(&name.to_owned()),
        )
    }

    /// Notes a value with the moment; gives back the one before.
    fn note(&self, name: &str, value: &str) -> Result<Option<String>, StoreError> {
        let before = self.read().noted(name)?.map(|(_, value)| value);
        self.execute(
            "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2",
            params![name, format!("{} {value}", self.now().0)],
        )?;
        Ok(before)
    }
}

#[cfg(test)]
mod tests {
    use crate::paths::Paths;
    use crate::store::{Actor, Store};
    use crate::time::Time;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        paths.create().unwrap();
        let mut store = Store::create(&paths).unwrap();
        store.set_event_sender(event::Sender::to(folder.path().join("nobody-listens")));
        (folder, store)
    }

    #[test]
    fn a_shown_copy_of_the_key_is_remembered_with_its_moment_and_is_an_event() {
        let (_folder, mut store) = store();
        assert_eq!(store.read().key_backup().unwrap(), None);
        assert_eq!(store.read().newest_moment().unwrap(), None);
        let actor = Actor {
            name: "root".into(),
            why: String::new(),
        };
        store
            .change(&actor, Time(5_000), |change| change.note_key_backup("abc"))
            .unwrap();
        let backup = store.read().key_backup().unwrap().unwrap();
        assert_eq!(
            (backup.fingerprint.as_str(), backup.at),
            ("abc", Time(5_000))
        );
        assert_eq!(store.read().newest_moment().unwrap(), Some(Time(5_000)));
        assert_eq!(store.read().counts().unwrap().live_sessions, 0);
        assert_eq!(store.read().refusals(Time(0), 5).unwrap(), (0, vec![]));
        let waiting = store.read().waiting_events().unwrap();
        assert_eq!((waiting.count, waiting.oldest), (1, Some(Time(5_000))));
    }

    #[test]
    fn the_local_account_that_was_tried_last_is_remembered() {
        let (_folder, mut store) = store();
        assert_eq!(store.read().local_account_tried().unwrap(), None);
        let actor = Actor {
            name: "root".into(),
            why: String::new(),
        };
        for (name, at) in [("admin", 5_000), ("warden", 6_000)] {
            store
                .change(&actor, Time(at), |change| change.note_local_account(name))
                .unwrap();
        }
        let tried = store.read().local_account_tried().unwrap().unwrap();
        assert_eq!((tried.name.as_str(), tried.at), ("warden", Time(6_000)));
    }

    #[test]
    fn trying_to_write_changes_nothing_and_sees_a_writer() {
        let (folder, mut store) = store();
        let generation = store.read().generation().unwrap();
        store.try_to_write().unwrap();
        assert_eq!(store.read().generation().unwrap(), generation);
        let other = Store::open(&Paths::under(folder.path())).unwrap();
        other.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        assert!(matches!(
            store.try_to_write(),
            Err(crate::store::StoreError::Busy)
        ));
    }
}
