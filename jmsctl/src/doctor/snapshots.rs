//! The snapshots that sshd's parts read: whole, and of the store's newest generation.
#![forbid(unsafe_code)]

use super::finding::Findings;
use super::stored::Stored;
use super::table;
use jms::paths::Paths;
use snapshot::{SnapshotFile, keys, users};
use std::collections::BTreeSet;

/// A user as the name service would show him.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Name.
    pub name: String,
    /// Uid.
    pub uid: u32,
    /// sshd has to ask for a second factor.
    pub mfa: bool,
}

/// What the two files hold.
#[derive(Debug)]
pub struct Snapshots {
    /// Generation and users, or why not.
    users: Result<(u64, Vec<Shown>), String>,
    /// Generation, or why not.
    keys: Result<u64, String>,
    paths: [String; 2],
}

impl Snapshots {
    /// Reads both, with the readers that every process of the host uses.
    pub fn gather(paths: &Paths) -> Self {
        Self {
            users: read_users(paths),
            keys: read_keys(paths),
            paths: [paths.users_snapshot(), paths.keys_snapshot()]
                .map(|path| path.display().to_string()),
        }
    }

    /// The users in it; none when it cannot be read.
    pub fn users(&self) -> &[Shown] {
        self.users
            .as_ref()
            .map(|(_, users)| users.as_slice())
            .unwrap_or_default()
    }

    /// Generations of both, as far as they can be read.
    pub fn generations(&self) -> (Option<u64>, Option<u64>) {
        (
            self.users.as_ref().ok().map(|(generation, _)| *generation),
            self.keys.as_ref().ok().copied(),
        )
    }

    /// Judges them against the store; without one, there is nothing that they could be made from.
    pub fn judge(&self, stored: Option<&Stored>, findings: &mut Findings) {
        let Some(stored) = stored else { return };
        let publish = "jmsctl status > /dev/null";
        let anew = format!("rm -rf -- {} && {publish}", self.paths.join(" "));
        for (path, error) in [
            (&self.paths[0], self.users.as_ref().err()),
            (&self.paths[1], self.keys.as_ref().err()),
        ] {
            if let Some(error) = error {
                findings.add(table::SNAPSHOT_UNREADABLE, format!("{path}: {error}"), anew);
                return;
            }
        }
        let (Some(users), Some(keys)) = self.generations() else {
            return;
        };
        if users.min(keys) != stored.generation || users != keys {
            findings.add(
                table::SNAPSHOT_OLD,
                format!(
                    "the store is at generation {}, users.snap at {users}, keys.snap at {keys}",
                    stored.generation
                ),
                publish,
            );
            return;
        }
        let shown: BTreeSet<(&str, u32)> = self
            .users()
            .iter()
            .map(|user| (user.name.as_str(), user.uid))
            .collect();
        let wanted: BTreeSet<(&str, u32)> = stored
            .users
            .iter()
            .map(|user| (user.name.as_str(), user.uid))
            .collect();
        if shown != wanted {
            findings.add(
                table::SNAPSHOT_OLD,
                format!(
                    "{} has other users than the store, although both say generation {users}",
                    self.paths[0]
                ),
                anew,
            );
        }
    }
}

fn read_users(paths: &Paths) -> Result<(u64, Vec<Shown>), String> {
    let said = |error: snapshot::Error| error.to_string();
    let reader = users::Reader::new(SnapshotFile::open(&paths.users_snapshot()).map_err(said)?)
        .map_err(said)?;
    reader.verify().map_err(said)?;
    let shown = |user: users::User| Shown {
        name: String::from_utf8_lossy(user.name().as_bytes()).into_owned(),
        uid: user.uid(),
        mfa: user.flags().contains(users::Flags::MFA_AT_LOGIN),
    };
    let users: Result<Vec<Shown>, snapshot::Error> =
        reader.iter().map(|user| user.map(shown)).collect();
    Ok((reader.generation(), users.map_err(said)?))
}

fn read_keys(paths: &Paths) -> Result<u64, String> {
    let said = |error: snapshot::Error| error.to_string();
    let reader = keys::Reader::new(SnapshotFile::open(&paths.keys_snapshot()).map_err(said)?)
        .map_err(said)?;
    reader.verify().map_err(said)?;
    Ok(reader.generation())
}
