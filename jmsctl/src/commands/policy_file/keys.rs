//! Login keys and host keys in the file: parts of their users and assets.
#![forbid(unsafe_code)]

use super::values::{Line, Moment, Network, OrNone};
use crate::commands::key::check;
use jms::nouns::{self, HostKeyOrigin};
use jms::store::{Change, StoreError};
use jms::time::Time;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A public key, written as `TYPE BASE64`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicKey {
    line: String,
    kind: String,
    blob: Vec<u8>,
    fingerprint: String,
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.line)
    }
}

impl PublicKey {
    fn of(key: &jms::keys::PublicKey) -> Self {
        Self {
            line: key.openssh_line("").trim_end().to_owned(),
            kind: key.kind().as_str().to_owned(),
            blob: key.blob().to_vec(),
            fingerprint: key.fingerprint().to_string(),
        }
    }

    fn of_blob(blob: &[u8]) -> Result<Self, StoreError> {
        let key = jms::keys::PublicKey::from_blob(blob);
        key.map(|key| Self::of(&key))
            .map_err(|error| StoreError::Nonsense {
                what: "a public key",
                found: error.to_string(),
            })
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let key = jms::keys::PublicKey::parse_line(&text).map_err(D::Error::custom)?;
        Ok(Self::of(&key))
    }
}

/// `[[user.NAME.key]]`
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginKey {
    public_key: PublicKey,
    #[serde(default)]
    from: Vec<Network>,
    #[serde(default = "nothing")]
    valid_until: OrNone<Moment>,
    #[serde(default)]
    verify_required: bool,
    #[serde(default)]
    comment: Line,
}

fn nothing() -> OrNone<Moment> {
    OrNone(None)
}

impl LoginKey {
    /// As the file says it.
    pub fn of(key: &nouns::LoginKey) -> Result<Self, StoreError> {
        Ok(Self {
            public_key: PublicKey::of_blob(&key.blob)?,
            from: key.from.iter().cloned().map(Network).collect(),
            valid_until: OrNone(key.valid_until.map(Moment)),
            verify_required: key.verify_required,
            comment: Line(key.comment.clone()),
        })
    }

    fn edit(&self, key: &mut nouns::LoginKey) {
        key.from = self.from.iter().map(|network| network.0.clone()).collect();
        key.valid_until = self.valid_until.0.map(|moment| moment.0);
        key.verify_required = self.verify_required;
        key.comment.clone_from(&self.comment.0);
    }

    fn noun(&self, user: &str, now: Time) -> nouns::LoginKey {
        nouns::LoginKey {
            id: 0,
            user: user.to_owned(),
            kind: self.public_key.kind.clone(),
            blob: self.public_key.blob.clone(),
            fingerprint: self.public_key.fingerprint.clone(),
            from: Vec::new(),
            valid_until: None,
            verify_required: false,
            comment: String::new(),
            created_at: now,
            updated_at: now,
        }
    }

    /// Makes `wanted` the only keys of `user`.
    pub fn replace(
        user: &str,
        wanted: &[Self],
        change: &Change<'_>,
        now: Time,
    ) -> Result<(), StoreError> {
        let stored = change.read().login_keys(Some(user))?;
        for said in wanted {
            let fingerprint = &said.public_key.fingerprint;
            match stored.iter().find(|key| key.fingerprint == *fingerprint) {
                Some(key) if Self::of(key)? == *said => {}
                Some(key) => {
                    let mut key = key.clone();
                    said.edit(&mut key);
                    check(&key)?;
                    change.set_login_key(&key)?;
                }
                None => {
                    let mut key = said.noun(user, now);
                    said.edit(&mut key);
                    check(&key)?;
                    change.add_login_key(&key)?;
                }
            }
        }
        for key in &stored {
            if !wanted
                .iter()
                .any(|said| said.public_key.fingerprint == key.fingerprint)
            {
                change.remove_login_key(key)?;
            }
        }
        Ok(())
    }
}

/// A line of `host_keys = [...]` of an asset.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostKey {
    line: String,
    kind: String,
    blob: Vec<u8>,
    fingerprint: String,
}

impl Serialize for HostKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.line)
    }
}

impl<'de> Deserialize<'de> for HostKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let key = jms::keys::HostKey::parse_line(&text).map_err(D::Error::custom)?;
        Ok(Self::of_key(&key))
    }
}

impl HostKey {
    fn of_key(key: &jms::keys::HostKey) -> Self {
        Self {
            line: key.openssh_line().trim_end().to_owned(),
            kind: key.kind().as_str().to_owned(),
            blob: key.blob().to_vec(),
            fingerprint: key.fingerprint().to_string(),
        }
    }

    /// As the file says it.
    pub fn of(key: &nouns::HostKey) -> Result<Self, StoreError> {
        let parsed = jms::keys::HostKey::from_blob(&key.blob);
        parsed
            .map(|key| Self::of_key(&key))
            .map_err(|error| StoreError::Nonsense {
                what: "a host key",
                found: error.to_string(),
            })
    }

    /// Makes `wanted` the only host keys of `asset`.
    pub fn replace(
        asset: &str,
        wanted: &[Self],
        change: &Change<'_>,
        now: Time,
    ) -> Result<(), StoreError> {
        let stored = change.read().host_keys(Some(asset))?;
        for said in wanted {
            if stored.iter().any(|key| key.fingerprint == said.fingerprint) {
                continue;
            }
            change.add_host_key(&nouns::HostKey {
                asset: asset.to_owned(),
                kind: said.kind.clone(),
                blob: said.blob.clone(),
                fingerprint: said.fingerprint.clone(),
                origin: HostKeyOrigin::Added,
                created_at: now,
            })?;
        }
        for key in &stored {
            if !wanted
                .iter()
                .any(|said| said.fingerprint == key.fingerprint)
            {
                change.remove_host_key(asset, &key.fingerprint)?;
            }
        }
        Ok(())
    }
}
