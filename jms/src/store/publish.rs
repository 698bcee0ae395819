//! Publishing: the snapshots are made from the store, under a lock, whenever they are older than it.
//!
//! They only ever let a person *reach* the decision; PAM and the session program ask the store.

use super::Store;
use super::change::Change;
use super::error::StoreError;
use super::read::{Read, word};
use crate::nouns::{Defaults, Mfa, MfaAsked, Role};
use crate::paths::Paths;
use crate::policy::factor::{demanded, sshd_asks};
use nix::fcntl::{Flock, FlockArg};
use rusqlite::Row;
use snapshot::{Kind, SnapshotFile, UserName, keys, users};
use std::collections::HashSet;
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, Instant};

/// How long anybody waits for another publisher; a million users take two seconds.
const WAIT: Duration = Duration::from_secs(10);
const USERS_MODE: u32 = 0o444;
const KEYS_MODE: u32 = 0o440;

fn failed(error: impl std::fmt::Display) -> StoreError {
    StoreError::Publish {
        sentence: error.to_string(),
    }
}

/// Generation of the published snapshots: the older of the two; `None` when one cannot be read.
#[must_use]
pub fn read_snapshot_generation(paths: &Paths) -> Option<u64> {
    let users = users::Reader::new(SnapshotFile::open(&paths.users_snapshot()).ok()?)
        .ok()?
        .generation();
    let keys = keys::Reader::new(SnapshotFile::open(&paths.keys_snapshot()).ok()?)
        .ok()?
        .generation();
    Some(users.min(keys))
}

/// Publishes both snapshots if they are older than the store; returns whether it did.
pub(super) fn publish_if_older(store: &Store) -> Result<bool, StoreError> {
    let is_current = || {
        Ok::<_, StoreError>(
            read_snapshot_generation(&store.paths) == Some(generation(store.read())?),
        )
    };
    if is_current()? {
        return Ok(false);
    }
    let _lock = lock(&store.paths)?;
    // Whoever held the lock may have published what we saw; and what we saw may be old by now.
    if is_current()? {
        return Ok(false);
    }
    // One read transaction: both snapshots and the generation show the same moment.
    let transaction = store.connection.unchecked_transaction()?;
    let read = Read::new(&transaction);
    let generation = generation(read)?;
    let users = users::write(generation, users_of(read)?).map_err(failed)?;
    let keys = keys::write(generation, keys_of(read)?).map_err(failed)?;
    drop(transaction);
    snapshot::publish(&store.paths.keys_snapshot(), &keys, Kind::Keys, KEYS_MODE)
        .map_err(failed)?;
    snapshot::publish(
        &store.paths.users_snapshot(),
        &users,
        Kind::Users,
        USERS_MODE,
    )
    .map_err(failed)?;
    Ok(true)
}

impl Store {
    /// Publishes the snapshots if they are missing or older than the store; returns whether it did.
    ///
    /// # Errors
    /// [`StoreError::Publish`]; the snapshots that were there stay.
    pub fn publish(&self) -> Result<bool, StoreError> {
        publish_if_older(self)
    }
}

impl Change<'_> {
    /// What stands in no table that triggers watch has changed the snapshots.
    pub(super) fn snapshots_are_old(&self) -> Result<(), StoreError> {
        self.execute(
            "UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE name = 'generation'",
            [],
        )?;
        Ok(())
    }
}

impl Read<'_> {
    /// Number of the newest change that the snapshots show.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn generation(self) -> Result<u64, StoreError> {
        generation(self)
    }
}

fn generation(read: Read<'_>) -> Result<u64, StoreError> {
    let number = read.number(
        "SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'generation'",
        [],
    )?;
    super::read::number("generation", number)
}

fn lock(paths: &Paths) -> Result<Flock<std::fs::File>, StoreError> {
    let path = paths.state().join("publish.lock");
    let mut options = std::fs::OpenOptions::new();
    options
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(nix::libc::O_NOFOLLOW);
    let mut file = options
        .open(&path)
        .map_err(|error| StoreError::file("open", &path, error))?;
    let begun = Instant::now();
    loop {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(lock),
            Err((_, _)) if begun.elapsed() > WAIT => {
                return Err(failed(
                    "another process has been publishing the snapshots for ten seconds; try again",
                ));
            }
            Err((given_back, _)) => file = given_back,
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether sshd asks the user in this row for a second factor.
fn is_asked(row: &Row<'_>, defaults: &Defaults) -> Result<bool, StoreError> {
    let asked = row.get::<_, String>("mfa_asked")?;
    let asked = word("mfa_asked", &asked, MfaAsked::parse)?;
    Ok(sshd_asks(demanded_of(row, defaults)?, asked))
}

impl Read<'_> {
    /// The names of the users whom sshd is to ask for a second factor.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn asked_at_login(self) -> Result<HashSet<String>, StoreError> {
        let sql = "SELECT name, role, mfa, mfa_asked FROM user";
        let defaults = self.defaults()?;
        let names = self.rows(sql, [], |row| {
            let name: String = row.get("name")?;
            Ok(is_asked(row, &defaults)?.then_some(name))
        })?;
        Ok(names.into_iter().flatten().collect())
    }
}

/// The second factor that is demanded of the user in this row.
fn demanded_of(row: &Row<'_>, defaults: &Defaults) -> Result<Mfa, StoreError> {
    let role = word("role", &row.get::<_, String>("role")?, Role::parse)?;
    let own = word("mfa", &row.get::<_, String>("mfa")?, Mfa::parse)?;
    Ok(demanded(own, defaults.mfa_of(role)).0)
}

fn users_of(read: Read<'_>) -> Result<Vec<users::User>, StoreError> {
    let sql = "SELECT name, uid, enabled, role, mfa, mfa_asked FROM user ORDER BY uid";
    let defaults = read.defaults()?;
    read.rows(sql, [], |row| {
        let (name, uid): (String, u32) = (row.get("name")?, row.get("uid")?);
        let asks = is_asked(row, &defaults)?;
        let flag = |set: bool, flag| if set { flag } else { users::Flags::empty() };
        let flags = flag(asks, users::Flags::MFA_AT_LOGIN).union(flag(
            !row.get::<_, bool>("enabled")?,
            users::Flags::DISABLED,
        ));
        let user =
            UserName::new(name.as_bytes()).and_then(|valid| users::User::new(valid, uid, flags));
        user.ok_or_else(|| StoreError::Nonsense {
            what: "a user's name and uid",
            found: format!("{name} {uid}"),
        })
    })
}

fn keys_of(read: Read<'_>) -> Result<Vec<keys::Key>, StoreError> {
    let defaults = read.defaults()?;
    let sql = "SELECT u.name, u.enabled, u.role, u.mfa, k.blob, k.fingerprint, k.sources, k.valid_until, k.verify_required
               FROM login_key k JOIN user u ON u.id = k.user_id ORDER BY k.id";
    let rows = read.rows(sql, [], |row| {
        let name: String = row.get("name")?;
        let fingerprint: String = row.get("fingerprint")?;
        let nonsense = || StoreError::Nonsense {
            what: "a login key",
            found: format!("{name} {fingerprint}"),
        };
        let only_security_keys = demanded_of(row, &defaults)? == Mfa::SecurityKey;
        let sources: String = row.get("sources")?;
        let from: Result<Vec<_>, _> = sources
            .split(',')
            .filter(|part| !part.is_empty())
            .map(str::parse)
            .collect();
        let until: Option<i64> = row.get("valid_until")?;
        let blob: Vec<u8> = row.get("blob")?;
        // A user who must touch a security key has no use of an ordinary one at login.
        let is_security_key =
            snapshot::parse_key_blob(&blob).is_ok_and(snapshot::KeyType::is_security_key);
        if only_security_keys && !is_security_key {
            return Ok(None);
        }
        let conditions = keys::Conditions {
            from: from.map_err(|_| nonsense())?,
            valid_until: until.map(|at| u64::try_from(at.div_euclid(1000)).unwrap_or(0)),
            verify_required: row.get::<_, bool>("verify_required")? || only_security_keys,
            user_disabled: !row.get::<_, bool>("enabled")?,
        };
        let user = UserName::new(name.as_bytes()).ok_or_else(nonsense)?;
        let hash = <sha2::Sha256 as sha2::Digest>::digest(&blob).into();
        keys::Key::new(user, hash, blob, conditions)
            .map(Some)
            .map_err(|_| nonsense())
    })?;
    Ok(rows.into_iter().flatten().collect())
}
