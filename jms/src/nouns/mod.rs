//! The nouns of the bastion as plain data: what the store keeps, what `jmsctl` shows as JSON.
//!
//! Names inside were validated when they were written; secrets are not part of any noun.
#![forbid(unsafe_code)]

pub mod access;
pub mod defaults;
pub mod evidence;
pub mod filter;
pub mod group;
pub mod lock;
pub mod login_rule;
pub mod machine;
pub mod person;

pub use self::filter::{Filter, FilterRule, Scope};
pub use access::{Credential, CredentialKind, Grant, SystemUser, SystemUserOverride};
pub use defaults::Defaults;
pub use evidence::{Captured, Command, EventRow, Login, Session, Transfer};
pub use group::{AssetGroup, Site, UserGroup};
pub use lock::Lock;
pub use login_rule::LoginRule;
pub use machine::{Algorithms, Asset, HostKey, HostKeyOrigin, HostKeyPolicy, Platform};
pub use person::{LoginKey, Mfa, MfaAsked, Role, User};

/// An enum whose variants have one word each, the same in the store, in JSON and on the command line.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word for it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// Reads the word back.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == text)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}
pub(crate) use words;
