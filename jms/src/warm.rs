//! Connections to assets that are kept for a user's next session: their folders in `/run/jms/warm`, and what is written
//! there of them.
//!
//! Trusts the folder's mode: only the service user and root get in.
#![forbid(unsafe_code)]

use crate::id::Id;
use crate::paths::Paths;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::time::SystemTime;

/// The file in which it is written what a connection is.
pub const ABOUT: &str = "about";
/// The socket at which a session says that it uses the connection.
pub const LEASE: &str = "lease";
/// The socket at which the connection's client is asked for a channel.
pub const CHANNEL: &str = "channel";

/// What a kept connection is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Id: its control socket is the one of this name in `/run/jms/sessions`.
    pub id: String,
    /// Who may use it.
    pub user: String,
    /// The login whose session made it.
    pub login: String,
    /// The asset.
    pub asset: String,
    /// Its address.
    pub address: String,
    /// And port.
    pub port: u16,
    /// The system user.
    pub system_user: String,
    /// The account's name there.
    pub account: String,
    /// Pid of the process that keeps it.
    pub keeper_pid: i32,
    /// When it was made, in milliseconds since 1970.
    pub since: i64,
}

/// Whether a session, or a kept connection, with this control socket lives.
#[must_use]
pub fn is_live(paths: &Paths, id: &str) -> bool {
    let lives = || UnixDatagram::unbound()?.connect(paths.sessions().join(id));
    !lives().is_err_and(|error: io::Error| {
        matches!(
            error.kind(),
            io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound
        )
    })
}

/// The connections that are kept now, the oldest first.
#[must_use]
pub fn kept(paths: &Paths) -> Vec<About> {
    let places = Place::all(paths).into_iter();
    let live = places.filter(|place| is_live(paths, &place.id));
    live.filter_map(|place| place.about()).collect()
}

/// Everything that makes a connection another one, as one word. Where two are equal, either serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    uid: u32,
    hash: String,
}

impl Identity {
    /// Of the user `uid`'s connection that all of `parts` belong to.
    #[must_use]
    pub fn of<'p>(uid: u32, parts: impl IntoIterator<Item = &'p [u8]>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            // With its length, so that no two lists are the same bytes.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let hash = hash.finalize();
        // A path of a socket is short; half of it is as good as a random id.
        let half = hash.iter().take(16);
        let hash = half.map(|byte| format!("{byte:02x}")).collect();
        Self { uid, hash }
    }
}

/// One connection's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Whose.
    pub uid: u32,
    hash: String,
    /// Id.
    pub id: String,
    path: PathBuf,
}

impl Place {
    /// The folder of a connection of this identity; nothing is made.
    #[must_use]
    pub fn of(paths: &Paths, identity: &Identity, id: &Id) -> Self {
        let name = format!("{}.{}.{id}", identity.uid, identity.hash);
        Self {
            uid: identity.uid,
            hash: identity.hash.clone(),
            id: id.to_string(),
            path: paths.warm().join(name),
        }
    }

    /// All that there are, the oldest first; those whose process is gone may be among them.
    #[must_use]
    pub fn all(paths: &Paths) -> Vec<Self> {
        let entries = std::fs::read_dir(paths.warm()).into_iter().flatten();
        let mut all: Vec<(Option<SystemTime>, Self)> = entries
            .flatten()
            .filter_map(|entry| {
                let made = entry.path().join(CHANNEL).symlink_metadata();
                let made = made.and_then(|made| made.modified()).ok();
                let name = entry.file_name().into_string().ok()?;
                let mut parts = name.split('.');
                let (uid, hash, id) = (parts.next()?, parts.next()?, parts.next()?);
                let place = Self {
                    uid: uid.parse().ok()?,
                    hash: hash.to_owned(),
                    id: Id::parse(id)?.to_string(),
                    path: entry.path(),
                };
                parts.next().is_none().then_some((made, place))
            })
            .collect();
        all.sort_by(|one, other| (one.0, &one.1.id).cmp(&(other.0, &other.1.id)));
        all.into_iter().map(|(_, place)| place).collect()
    }

    /// Whether it serves where this one is wanted.
    #[must_use]
    pub fn is(&self, identity: &Identity) -> bool {
        self.uid == identity.uid && self.hash == identity.hash
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// A file in it.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// What is written of it; `None` when there is nothing, or not yet.
    #[must_use]
    pub fn about(&self) -> Option<About> {
        serde_json::from_slice(&std::fs::read(self.file(ABOUT)).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_changes_makes_it_another_connection() {
        let of = |uid, parts: &[&str]| Identity::of(uid, parts.iter().map(|it| it.as_bytes()));
        let one = of(70_001, &["web1", "key 1"]);
        assert_eq!(one, of(70_001, &["web1", "key 1"]));
        for other in [
            of(70_002, &["web1", "key 1"]),
            of(70_001, &["web1", "key 2"]),
            of(70_001, &["web1k", "ey 1"]),
            of(70_001, &["web1key 1"]),
            of(70_001, &["web1", "key 1", ""]),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn the_folders_are_found_the_oldest_first_and_nothing_else_is() {
        let root = tempfile::tempdir().unwrap();
        let paths = Paths::under(root.path());
        paths.create().unwrap();
        let identity = Identity::of(70_001, [b"web1".as_slice()]);
        let mut made = Vec::new();
        for _ in 0..3 {
            let place = Place::of(&paths, &identity, &Id::random().unwrap());
            std::fs::create_dir(place.path()).unwrap();
            std::fs::write(place.file(CHANNEL), "").unwrap();
            made.push(place);
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        std::fs::write(paths.warm().join("lock"), "").unwrap();
        std::fs::create_dir(paths.warm().join("70001.x.y")).unwrap();
        assert_eq!(Place::all(&paths), made);
        assert!(made.iter().all(|place| place.is(&identity)));
        let other = Identity::of(70_001, [b"web2".as_slice()]);
        assert!(!made.iter().any(|place| place.is(&other)));
        assert_eq!(made[0].about(), None);
    }
}
