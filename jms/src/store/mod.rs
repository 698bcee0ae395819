//! The store: everything that an administrator configured and everything that happened, in SQLite.
//!
//! SQL lives in this module and nowhere else. It trusts the file (only the service user can write
//! it) as far as memory safety goes, and checks words and numbers when it reads them: a row that
//! makes no sense is an error, never a default.
//!
//! One process opens the file through one [`Store`]. Reads go through [`Store::read`]; policy is
//! changed through [`Store::change`], which writes the audit event in the same transaction, then
//! pokes the live sessions, sends what syslog has not yet taken and publishes the snapshots.
#![forbid(unsafe_code)]

mod access;
mod activity;
mod asset_groups;
mod assets;
mod change;
mod commands;
mod deeds;
mod defaults;
mod ending;
mod error;
mod events;
mod factor;
mod filter_rules;
mod filter_scopes;
mod filters;
mod gateways;
mod grants;
mod hanging;
mod health;
mod high_water;
mod keys;
mod last_administrator;
mod lockout;
mod login_rules;
mod logins;
mod migrate;
mod overrides;
mod passwords;
mod platforms;
mod poke;
mod publish;
mod read;
mod selector;
mod sessions;
mod sites;
mod standing;
mod system_users;
mod targets;
mod user_groups;
mod users;

pub use access::{Access, Lack, NearMiss};
pub use change::{Actor, Change};
pub use commands::{CommandSearch, LONGEST_LINE, NewCommand};
pub use error::StoreError;
pub use events::EventSearch;
pub use factor::{Answered, Before, Confirmed, EnrolmentCode, FactorKind, FactorRefusal, Passed};
pub use health::{Counts, KeyBackup, LocalAccount, SealedSample, Waiting};
pub use lockout::{Answerer, Attempt, Check, Locked, Outcome, Place, Reserved, Why};
pub use logins::{LoginSearch, NewLogin, OpenLogin};
pub use passwords::{PasswordAnswer, StoredPassword};
pub use publish::read_snapshot_generation;
pub use read::{Read, Visit};
pub use selector::Selector;
pub use sessions::{Egress, EndOfSession, NewSession, Opening, SessionSearch};
pub use standing::Lapse;
pub use system_users::NewCredential;
pub use targets::{Account, Reachable, Target};

use crate::nouns::Login;
use crate::paths::Paths;
use nix::sys::statvfs::statvfs;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

/// How long anybody waits for another writer before it gives up.
const BUSY: Duration = Duration::from_secs(2);

/// So many statements stay prepared. A decision takes some twenty; a list asks for one decision after the other.
const STATEMENTS: usize = 64;

/// With less room than this the store is not written to: SQLite's log of a login or two, in bytes.
const ROOM: u64 = 64 * 1024;

/// The open store.
pub struct Store {
    connection: Connection,
    paths: Paths,
    format: event::Format,
    sender: event::Sender,
    login: Option<Login>,
}

impl Store {
    /// Makes the store where there is none yet (`jmsctl init`) and opens it.
    ///
    /// # Errors
    /// [`StoreError`], as [`Store::open`]; a store that exists is opened, not overwritten.
    pub fn create(paths: &Paths) -> Result<Self, StoreError> {
        let path = paths.database();
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        match options.open(&path) {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(StoreError::file("make", &path, error)),
        }
        Self::open_with(paths, true)
    }

    /// Opens the store, and brings an older schema up to date.
    ///
    /// # Errors
    /// [`StoreError`]: missing, not a store, written by a newer version, locked for longer than two
    /// seconds, not writable.
    pub fn open(paths: &Paths) -> Result<Self, StoreError> {
        Self::open_with(paths, false)
    }

    fn open_with(paths: &Paths, may_be_empty: bool) -> Result<Self, StoreError> {
        let path = paths.database();
        if !path.exists() {
            return Err(StoreError::Missing { path });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_NOFOLLOW
            | OpenFlags::SQLITE_OPEN_PRIVATE_CACHE;
        let mut connection = Connection::open_with_flags(&path, flags)?;
        connection.busy_timeout(BUSY)?;
        // Plans depend on the statement alone. Otherwise SQLite compiles most statements a second time once their parameters are
        // known, to choose by statistics, and there are none.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        connection.pragma_update(None, "trusted_schema", false)?;
        connection.pragma_update(None, "cell_size_check", true)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "secure_delete", true)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        migrate::to_newest(&mut connection, paths, may_be_empty)?;
        Ok(Self {
            connection,
            paths: paths.clone(),
            format: event::Format::KeyValue,
            sender: event::Sender::system(),
            login: None,
        })
    }

    /// Leaves SQLite's log beside the file when this store is closed, for somebody who comes soon: a login opens the store
    /// three times within milliseconds, and the close phase of PAM, its last, writes the log into the file and removes it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn leave_log(&self) -> Result<(), StoreError> {
        self.connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        Ok(())
    }

    /// Gives back the memory that only makes the next question quicker: pages of the file, statements that were prepared.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn give_back_memory(&self) -> Result<(), StoreError> {
        self.connection.flush_prepared_statement_cache();
        Ok(self.connection.execute_batch("PRAGMA shrink_memory")?)
    }

    /// The last word of a process that ends now: nothing is written, and nothing is given back that the kernel takes with
    /// the process anyway. What was committed is in SQLite's log; whoever closes the store next puts it into the file.
    pub fn leave(self) {
        std::mem::forget(self);
    }

    /// How events are written to syslog from now on (`[syslog] format`).
    pub fn set_event_format(&mut self, format: event::Format) {
        self.format = format;
    }

    /// Where events are sent from now on; tests only have a reason to change it.
    pub fn set_event_sender(&mut self, sender: event::Sender) {
        self.sender = sender;
    }

    /// The login through which an administrator changes policy from now on: it stands in the event of each
    /// change, and a change is refused once it, its key, its user or his role is not what it was.
    pub fn set_login(&mut self, login: Login) {
        self.login = Some(login);
    }

    /// Connects to syslog now, for a process that will not be able to later. If nobody listens there, events
    /// wait in the store for the next process.
    pub fn connect_log(&mut self) {
        let _ = self.sender.connect();
    }

    /// The folders that this store belongs to.
    #[must_use]
    pub fn paths(&self) -> &Paths {
        &self.paths
    }

    /// Everything that can be looked up.
    #[must_use]
    pub fn read(&self) -> Read<'_> {
        Read::new(&self.connection)
    }

    /// Whether something could be written now, so that whoever is about to depend on it can say no in time: takes the
    /// write lock and gives it back, and looks at the disk.
    ///
    /// # Errors
    /// [`StoreError`]: locked for longer than two seconds, not writable, no room.
    pub fn check_writable(&mut self) -> Result<(), StoreError> {
        // SQLite opens a file that may only be read without a word, and begins a reading transaction then.
        if self.connection.is_readonly("main")? {
            return Err(StoreError::NotWritable {
                source: "the file may only be read".to_owned(),
            });
        }
        self.connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?
            .rollback()?;
        let disk = statvfs(self.paths.state())
            .map_err(|error| StoreError::file("look at", self.paths.state(), error.into()))?;
        if disk.blocks_available() * disk.fragment_size() < ROOM {
            return Err(StoreError::NotWritable {
                source: "the disk is full".to_owned(),
            });
        }
        Ok(())
    }

    /// Whether the file is sound (`PRAGMA quick_check`), in SQLite's own words if not.
    ///
    /// # Errors
    /// [`StoreError`] when even asking fails.
    pub fn check(&self) -> Result<Vec<String>, StoreError> {
        let mut statement = self.connection.prepare("PRAGMA quick_check")?;
        let lines: Vec<String> = statement
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        Ok(lines.into_iter().filter(|line| line != "ok").collect())
    }
}

#[cfg(test)]
mod filters_tests;
#[cfg(test)]
mod older_schema_tests;
#[cfg(test)]
mod passwords_tests;
#[cfg(test)]
mod random_policy_tests;
#[cfg(test)]
mod removal_tests;
#[cfg(test)]
mod tests;
