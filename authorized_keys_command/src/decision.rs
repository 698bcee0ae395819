//! Whether the snapshot gives this key to this user, now.
#![forbid(unsafe_code)]

use std::{fmt, path::Path};

use snapshot::{SnapshotFile, keys::Reader};

use crate::{line::authorized_keys_line, request::Request};

/// Why nothing is printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// sshd does not call it so.
    Arguments(&'static str),
    /// A type of key that nobody can have registered.
    KeyType(String),
    /// An RSA key with too few bits, or far too many.
    RsaBits(u32),
    /// Not a key of this user. Ordinary: clients offer every key that they have.
    NotRegistered,
    /// The user is disabled.
    UserDisabled,
    /// The key was valid until then (seconds since 1970).
    Expired(u64),
    /// The key in the snapshot is another one than its fingerprint says.
    Forged,
    /// The snapshot cannot be read.
    Snapshot(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arguments(problem) => write!(f, "not called as by sshd: {problem}"),
            Self::KeyType(name) => write!(f, "keys of type {name} are not taken"),
            Self::RsaBits(bits) => write!(f, "an RSA key with {bits} bits is not taken"),
            Self::NotRegistered => f.write_str("not a key of this user"),
            Self::UserDisabled => f.write_str("the user is disabled"),
            Self::Expired(seconds) => {
                match i64::try_from(*seconds).map(jiff::Timestamp::from_second) {
                    Ok(Ok(time)) => write!(f, "the key was valid until {time}"),
                    _ => f.write_str("the key is no longer valid"),
                }
            }
            Self::Forged => f.write_str("the snapshot has another key under this fingerprint"),
            Self::Snapshot(problem) => f.write_str(problem),
        }
    }
}

/// The line that admits the key, or why there is none. `now` is in seconds since 1970.
pub(crate) fn decide(request: &Request, keys: &Path, now: u64) -> Result<String, Refusal> {
    let unreadable = |error: snapshot::Error| Refusal::Snapshot(error.to_string());
    let reader = SnapshotFile::open(keys)
        .and_then(Reader::new)
        .map_err(unreadable)?;
    let key = reader
        .find(&request.fingerprint, &request.user)
        .map_err(unreadable)?
        .ok_or(Refusal::NotRegistered)?;
    if key.blob() != request.blob || key.key_type() != request.key_type {
        return Err(Refusal::Forged);
    }
    if key.conditions().user_disabled {
        return Err(Refusal::UserDisabled);
    }
    match key.conditions().valid_until {
        Some(end) if now >= end => Err(Refusal::Expired(end)),
        _ => Ok(authorized_keys_line(&key)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use snapshot::{
        UserName,
        keys::{self, Conditions, Key},
    };

    use super::*;
    use crate::request::tests::{FINGERPRINT, KEY};

    fn request(user: &str) -> Request {
        Request::parse(&[user, FINGERPRINT, "ssh-ed25519", KEY]).unwrap()
    }

    fn decide_with(conditions: Conditions, user: &str, now: u64) -> Result<String, Refusal> {
        let (folder, asked) = (tempfile::tempdir().unwrap(), request(user));
        let alice = UserName::new(b"alice").unwrap();
        let key = Key::new(alice, asked.fingerprint, asked.blob.clone(), conditions).unwrap();
        let path = folder.path().join("keys.snap");
        fs::write(&path, keys::write(1, [key]).unwrap()).unwrap();
        decide(&asked, &path, now)
    }

    #[test]
    fn the_users_own_key() {
        let line = format!("restrict,pty ssh-ed25519 {KEY}\n");
        assert_eq!(
            decide_with(Conditions::default(), "alice", 100),
            Ok(line.clone())
        );
        assert_eq!(
            decide_with(Conditions::default(), "alice@dev@web1", 100),
            Ok(line)
        );
    }

    #[test]
    fn somebody_elses_key() {
        assert_eq!(
            decide_with(Conditions::default(), "bob", 100),
            Err(Refusal::NotRegistered)
        );
        assert_eq!(
            decide_with(Conditions::default(), "alic@e", 100),
            Err(Refusal::NotRegistered)
        );
    }

    #[test]
    fn the_last_second_of_a_key() {
        let until = |end| Conditions {
            valid_until: Some(end),
            ..Conditions::default()
        };
        assert!(decide_with(until(100), "alice", 99).is_ok());
        assert_eq!(
            decide_with(until(100), "alice", 100),
            Err(Refusal::Expired(100))
        );
        assert_eq!(decide_with(until(0), "alice", 0), Err(Refusal::Expired(0)));
        assert!(
            Refusal::Expired(0)
                .to_string()
                .contains("1970-01-01T00:00:00Z")
        );
        assert!(!Refusal::Expired(u64::MAX).to_string().is_empty());
    }

    #[test]
    fn a_disabled_user() {
        let disabled = Conditions {
            user_disabled: true,
            ..Conditions::default()
        };
        assert_eq!(
            decide_with(disabled, "alice", 100),
            Err(Refusal::UserDisabled)
        );
    }

    #[test]
    fn another_key_under_the_offered_keys_fingerprint() {
        let (folder, asked) = (tempfile::tempdir().unwrap(), request("alice"));
        let mut blob = asked.blob.clone();
        *blob.last_mut().unwrap() ^= 1;
        let key = Key::new(asked.user, asked.fingerprint, blob, Conditions::default()).unwrap();
        let path = folder.path().join("keys.snap");
        fs::write(&path, keys::write(1, [key]).unwrap()).unwrap();
        assert_eq!(decide(&asked, &path, 100), Err(Refusal::Forged));
    }

    #[test]
    fn no_snapshot_or_one_of_users() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.snap");
        assert!(matches!(
            decide(&request("alice"), &path, 100),
            Err(Refusal::Snapshot(_))
        ));
        fs::write(&path, snapshot::users::write(1, []).unwrap()).unwrap();
        assert!(matches!(
            decide(&request("alice"), &path, 100),
            Err(Refusal::Snapshot(_))
        ));
    }
}
