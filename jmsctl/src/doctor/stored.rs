//! The store, and the files that belong to it, as the service user sees them.
//!
//! Nothing here mends: other commands publish, sweep and send when they open the store; doctor looks.
#![forbid(unsafe_code)]

use jms::nouns::{LoginKey, User};
use jms::paths::Paths;
use jms::secret::{MasterKey, MasterKeyError};
use jms::settings::{Settings, SettingsError};
use jms::store::{KeyBackup, LocalAccount, Store, StoreError, Waiting};
use jms::time::Time;

/// What a store that opens says.
#[derive(Debug)]
pub struct Stored {
    /// Of the policy that snapshots show.
    pub generation: u64,
    /// Everybody.
    pub users: Vec<User>,
    /// Their login keys.
    pub keys: Vec<LoginKey>,
    /// The newest moment of any evidence.
    pub newest: Option<Time>,
    /// Events that syslog has not taken.
    pub waiting: Waiting,
    /// The copy of the key that somebody showed.
    pub backup: Option<KeyBackup>,
    /// The local account that somebody came in by.
    pub tried: Option<LocalAccount>,
    /// Whether it could be written.
    pub write: Result<(), StoreError>,
}

/// Everything that the service user can see.
#[derive(Debug)]
pub struct Inside {
    /// The settings, or what is wrong with them.
    pub settings: Result<Settings, SettingsError>,
    /// The key's fingerprint, or why there is none.
    pub key: Result<String, MasterKeyError>,
    /// Whether a stored secret does not open with the key.
    pub key_is_wrong: bool,
    /// The store.
    pub store: Result<Stored, StoreError>,
    /// Whether something that is no file stands in its place.
    pub store_is_no_file: bool,
}

impl Inside {
    /// Looks; as the service user. The whole file is checked only when `thorough`.
    pub fn gather(paths: &Paths, thorough: bool) -> Self {
        let key = MasterKey::load(&paths.secret_key());
        let is_no_file = paths
            .database()
            .symlink_metadata()
            .is_ok_and(|metadata| !metadata.is_file());
        let mut sample = None;
        let store = if is_no_file {
            Err(StoreError::Damaged {
                source: "it is no file".into(),
            })
        } else {
            Store::open(paths).and_then(|mut store| {
                sample = store.read().sealed_sample()?;
                read(&mut store, thorough)
            })
        };
        let key_is_wrong = match (&key, &sample) {
            (Ok(key), Some(sample)) => key.open(&sample.context, &sample.sealed).is_err(),
            _ => false,
        };
        Self {
            settings: Settings::load(&paths.settings()),
            key: key.map(|key| key.fingerprint()),
            key_is_wrong,
            store,
            store_is_no_file: is_no_file,
        }
    }

    /// The store, if it opened.
    pub fn stored(&self) -> Option<&Stored> {
        self.store.as_ref().ok()
    }
}

fn read(store: &mut Store, thorough: bool) -> Result<Stored, StoreError> {
    if thorough {
        let complaints = store.check()?;
        if let Some(first) = complaints.first() {
            return Err(StoreError::Damaged {
                source: first.clone(),
            });
        }
    }
    let write = store.try_to_write();
    let read = store.read();
    Ok(Stored {
        generation: read.generation()?,
        users: read.users()?,
        keys: read.login_keys(None)?,
        newest: read.newest_moment()?,
        waiting: read.waiting_events()?,
        backup: read.key_backup()?,
        tried: read.local_account_tried()?,
        write,
    })
}
