//! The kinds of keys that we take.

use std::fmt;

/// A kind of key. DSA is not one of them, nor are certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// `ssh-ed25519`
    Ed25519,
    /// `ecdsa-sha2-nistp256`
    EcdsaP256,
    /// `ecdsa-sha2-nistp384`
    EcdsaP384,
    /// `ecdsa-sha2-nistp521`
    EcdsaP521,
    /// `ssh-rsa`
    Rsa,
    /// `sk-ssh-ed25519@openssh.com`: in a security key (FIDO)
    SkEd25519,
    /// `sk-ecdsa-sha2-nistp256@openssh.com`: in a security key (FIDO)
    SkEcdsaP256,
}

impl KeyKind {
    /// All of them, the best first.
    pub const ALL: [Self; 7] = [
        Self::Ed25519,
        Self::SkEd25519,
        Self::SkEcdsaP256,
        Self::EcdsaP256,
        Self::EcdsaP384,
        Self::EcdsaP521,
        Self::Rsa,
    ];

    /// The name that stands in `authorized_keys` and in the key itself.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ed25519 => "ssh-ed25519",
            Self::EcdsaP256 => "ecdsa-sha2-nistp256",
            Self::EcdsaP384 => "ecdsa-sha2-nistp384",
            Self::EcdsaP521 => "ecdsa-sha2-nistp521",
            Self::Rsa => "ssh-rsa",
            Self::SkEd25519 => "sk-ssh-ed25519@openssh.com",
            Self::SkEcdsaP256 => "sk-ecdsa-sha2-nistp256@openssh.com",
        }
    }

    /// The kind of this name, if it is one that we take.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether the private key stays in a security key, so that the bastion cannot hold it.
    #[must_use]
    pub fn is_security_key(self) -> bool {
        matches!(self, Self::SkEd25519 | Self::SkEcdsaP256)
    }

    /// How OpenSSH spells the kind in `ssh-keygen -l`: `ED25519`, `ECDSA`, `RSA`, `ED25519-SK`, `ECDSA-SK`.
    #[must_use]
    pub fn short(self) -> &'static str {
        match self {
            Self::Ed25519 => "ED25519",
            Self::EcdsaP256 | Self::EcdsaP384 | Self::EcdsaP521 => "ECDSA",
            Self::Rsa => "RSA",
            Self::SkEd25519 => "ED25519-SK",
            Self::SkEcdsaP256 => "ECDSA-SK",
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a login key of this name is taken: the rule for the store, the snapshot of keys and the command line.
#[must_use]
pub fn is_allowed_kind(name: &str) -> bool {
    KeyKind::parse(name).is_some()
}
