//! People: users and the keys with which they log in.

use super::words;
use crate::time::Time;
use serde::Serialize;

words! {
    /// What a user may do beside reaching assets.
    Role {
        /// Nothing more.
        User = "user",
        /// Read policy and evidence.
        Auditor = "auditor",
        /// Change policy.
        Admin = "admin",
    }
}

words! {
    /// The second factor that is demanded of a user.
    Mfa {
        /// None.
        Off = "off",
        /// A time-based one-time password.
        Totp = "totp",
        /// A FIDO key that verifies its person.
        SecurityKey = "security-key",
        /// Either.
        Any = "any",
    }
}

words! {
    /// Where the second factor is asked for.
    MfaAsked {
        /// By sshd, at login.
        Login = "login",
        /// By the session program.
        Session = "session",
    }
}

/// A person or robot that logs in to the bastion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct User {
    /// Row id; 0 before it is added.
    #[serde(skip)]
    pub id: i64,
    /// Login name.
    pub name: String,
    /// The uid that NSS shows; given once, never again.
    pub uid: u32,
    /// The person's name.
    pub full_name: String,
    /// Where mail reaches the person.
    pub email: String,
    /// Role.
    pub role: Role,
    /// False after `user disable`.
    pub enabled: bool,
    /// May log in from then on.
    pub valid_from: Option<Time>,
    /// May log in until just before then.
    pub valid_until: Option<Time>,
    /// Second factor.
    pub mfa: Mfa,
    /// Where it is asked for.
    pub mfa_asked: MfaAsked,
    /// Names of the user groups he is in.
    pub user_groups: Vec<String>,
    /// Free text.
    pub comment: String,
    /// When it was added.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

impl User {
    /// A user with nothing but a name.
    #[must_use]
    pub fn new(name: &str, now: Time) -> Self {
        Self {
            id: 0,
            name: name.to_owned(),
            uid: 0,
            full_name: String::new(),
            email: String::new(),
            role: Role::User,
            enabled: true,
            valid_from: None,
            valid_until: None,
            mfa: Mfa::Off,
            mfa_asked: MfaAsked::Login,
            user_groups: Vec::new(),
            comment: String::new(),
            created_at: now,
            updated_at: now,
        }
    }

    /// Whether he is enabled and valid at that moment. It is not the whole decision of a login
    /// (`policy::login`), and enough to say that somebody has none.
    #[must_use]
    pub fn may_log_in_at(&self, now: Time) -> bool {
        self.enabled
            && self.valid_from.is_none_or(|from| from <= now)
            && self.valid_until.is_none_or(|until| now < until)
    }
}

/// A public key with which a user logs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoginKey {
    /// Row id; 0 before it is added.
    #[serde(skip)]
    pub id: i64,
    /// Whose.
    pub user: String,
    /// `ssh-ed25519` and so on.
    #[serde(rename = "type")]
    pub kind: String,
    /// The wire form (RFC 4253, 6.6).
    #[serde(skip)]
    pub blob: Vec<u8>,
    /// `SHA256:…`
    pub fingerprint: String,
    /// Networks (CIDR) that it may be used from; empty: from anywhere.
    pub from: Vec<String>,
    /// Usable until just before then.
    pub valid_until: Option<Time>,
    /// A security key must verify its person (PIN, finger).
    pub verify_required: bool,
    /// Free text.
    pub comment: String,
    /// When it was added.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}
