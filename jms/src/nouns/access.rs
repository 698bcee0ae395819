//! Accounts on assets, and the grants that let people use them.

use super::words;
use crate::policy::Rights;
use crate::time::Time;
use serde::{Serialize, Serializer};

words! {
    /// What proves a system user to an asset.
    CredentialKind {
        /// A stored key.
        Key = "key",
        /// A stored password.
        Password = "password",
        /// The user types it.
        Ask = "ask",
        /// A certificate for one session.
        Certificate = "certificate",
    }
}

/// An account on assets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SystemUser {
    /// Row id; 0 before it is added.
    #[serde(skip)]
    pub id: i64,
    /// Unique name.
    pub name: String,
    /// The account's name on assets, where it differs from `name`.
    pub login: Option<String>,
    /// Pushes the others.
    pub privileged: bool,
    /// Its account is called like the user.
    pub dynamic: bool,
    /// Login shell that a push gives it.
    pub shell: String,
    /// Credential.
    pub credential: CredentialKind,
    /// Public half of the stored key, as a line for `authorized_keys`.
    pub public_key: Option<String>,
    /// Its fingerprint, `SHA256:…`
    pub fingerprint: Option<String>,
    /// Whether a secret is stored.
    pub has_secret: bool,
    /// Pushed to an asset as soon as a grant needs it.
    pub auto_push: bool,
    /// Its shells announce their commands.
    pub shell_hooks: bool,
    /// Free text.
    pub comment: String,
    /// When it was added.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

impl SystemUser {
    /// A system user with nothing but a name.
    #[must_use]
    pub fn new(name: &str, now: Time) -> Self {
        Self {
            id: 0,
            name: name.to_owned(),
            login: None,
            privileged: false,
            dynamic: false,
            shell: "/bin/bash".to_owned(),
            credential: CredentialKind::Key,
            public_key: None,
            fingerprint: None,
            has_secret: false,
            auto_push: false,
            shell_hooks: false,
            comment: String::new(),
            created_at: now,
            updated_at: now,
        }
    }

    /// The account's name on an asset, for the user `user_name`.
    #[must_use]
    pub fn account<'a>(&'a self, user_name: &'a str) -> &'a str {
        if self.dynamic {
            user_name
        } else {
            self.login.as_deref().unwrap_or(&self.name)
        }
    }
}

/// What differs of a system user on one asset; `None`: as the system user says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SystemUserOverride {
    /// Whose.
    pub system_user: String,
    /// Where.
    pub asset: String,
    /// The account's name there.
    pub login: Option<String>,
    /// Its login shell there.
    pub shell: Option<String>,
    /// Whether its shells there announce their commands.
    pub shell_hooks: Option<bool>,
    /// Whether a secret is stored for this asset alone.
    pub has_secret: bool,
    /// Public half of the key that is stored for this asset alone.
    pub public_key: Option<String>,
    /// Its fingerprint, `SHA256:…`
    pub fingerprint: Option<String>,
}

impl SystemUserOverride {
    /// One that says nothing.
    #[must_use]
    pub fn new(system_user: &str, asset: &str) -> Self {
        Self {
            system_user: system_user.to_owned(),
            asset: asset.to_owned(),
            login: None,
            shell: None,
            shell_hooks: None,
            has_secret: false,
            public_key: None,
            fingerprint: None,
        }
    }
}

/// A stored credential, sealed: opening it needs the master key.
#[derive(Clone)]
pub struct Credential {
    /// Row id, bound into the seal.
    pub id: i64,
    /// Key or password.
    pub kind: CredentialKind,
    /// Sealed by [`crate::secret`].
    pub sealed: Vec<u8>,
    /// Public half.
    pub public_key: String,
    /// `SHA256:…`
    pub fingerprint: String,
}

/// (users) × (assets) × system users × rights × validity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Grant {
    /// Row id; 0 before it is added.
    #[serde(skip)]
    pub id: i64,
    /// Unique name.
    pub name: String,
    /// Users by name.
    pub users: Vec<String>,
    /// User groups by name.
    pub user_groups: Vec<String>,
    /// Assets by name.
    pub assets: Vec<String>,
    /// Asset groups by path; each covers all below.
    pub asset_groups: Vec<String>,
    /// Sites by name.
    pub sites: Vec<String>,
    /// System users by name.
    pub system_users: Vec<String>,
    /// Rights.
    #[serde(serialize_with = "rights_as_list")]
    pub rights: Rights,
    /// Holds from then on.
    pub valid_from: Option<Time>,
    /// Holds until just before then.
    pub valid_until: Option<Time>,
    /// A second factor must not be older than so many seconds.
    pub require_mfa: Option<u32>,
    /// Free text.
    pub comment: String,
    /// When it was added.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

impl Grant {
    /// A grant of nothing to nobody.
    #[must_use]
    pub fn new(name: &str, now: Time) -> Self {
        Self {
            id: 0,
            name: name.to_owned(),
            users: Vec::new(),
            user_groups: Vec::new(),
            assets: Vec::new(),
            asset_groups: Vec::new(),
            sites: Vec::new(),
            system_users: Vec::new(),
            rights: Rights::NONE,
            valid_from: None,
            valid_until: None,
            require_mfa: None,
            comment: String::new(),
            created_at: now,
            updated_at: now,
        }
    }
}

fn rights_as_list<S: Serializer>(rights: &Rights, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(rights.iter().map(super::super::policy::Right::as_str))
}
