//! Whether a key that sshd saw proven is still this user's, here and now.
//!
//! sshd took the key because the snapshot of keys has it. A snapshot can be older than the store,
//! so the store has the last word: a key that was removed an hour ago opens nothing.

use std::net::IpAddr;

use jms::nouns::LoginKey;
use jms::time::Time;
use snapshot::Cidr;

use crate::authentication::ProvenKey;

/// What the store says of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is one of the user's keys and may be used from there.
    Good {
        /// It is a security key, and sshd had it verify its person.
        person_verified: bool,
    },
    /// It is none of the user's keys.
    Unknown,
    /// Its validity is over.
    Expired,
    /// It may not be used from this address.
    Elsewhere,
}

impl Standing {
    /// A stable word for events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good { .. } => "key-good",
            Self::Unknown => "key-unknown",
            Self::Expired => "key-expired",
            Self::Elsewhere => "key-not-from-there",
        }
    }
}

impl Standing {
    /// The same, if sshd demanded what the store says it should: a security key that was only touched has verified nobody.
    #[must_use]
    pub fn as_demanded(self, demanded: impl FnOnce() -> bool) -> Self {
        match self {
            Self::Good {
                person_verified: true,
            } => Self::Good {
                person_verified: demanded(),
            },
            other => other,
        }
    }
}

/// Looks the key up among the user's own. `verified_by_rule`: every security key of this user is
/// published with `verify-required`, whatever its own row says (`--mfa security-key`).
#[must_use]
pub fn standing(
    keys: &[LoginKey],
    proven: &ProvenKey,
    verified_by_rule: bool,
    source: Option<IpAddr>,
    now: Time,
) -> Standing {
    let fingerprint = proven.fingerprint.to_string();
    let Some(key) = keys.iter().find(|key| key.fingerprint == fingerprint) else {
        return Standing::Unknown;
    };
    if key.valid_until.is_some_and(|until| now >= until) {
        return Standing::Expired;
    }
    let from_there = |network: &String| match (network.parse::<Cidr>(), source) {
        (Ok(network), Some(address)) => network.contains(address),
        // A network that is not understood and an address that is not known allow nothing.
        _ => false,
    };
    if !key.from.is_empty() && !key.from.iter().any(from_there) {
        return Standing::Elsewhere;
    }
    Standing::Good {
        person_verified: proven.kind.is_security_key() && (key.verify_required || verified_by_rule),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jms::keys::Fingerprint;
    use snapshot::KeyType;

    const NOW: Time = Time(1000);

    fn stored(from: &[&str]) -> LoginKey {
        LoginKey {
            id: 1,
            user: "alice".into(),
            kind: "ssh-ed25519".into(),
            blob: b"blob".to_vec(),
            fingerprint: Fingerprint::of(b"blob").to_string(),
            from: from.iter().map(|network| (*network).to_owned()).collect(),
            valid_until: None,
            verify_required: false,
            comment: String::new(),
            created_at: NOW,
            updated_at: NOW,
        }
    }

    fn proven(kind: KeyType) -> ProvenKey {
        ProvenKey {
            kind,
            fingerprint: Fingerprint::of(b"blob"),
        }
    }

    fn from(networks: &[&str], address: &str) -> bool {
        let standing = standing(
            &[stored(networks)],
            &proven(KeyType::Ed25519),
            false,
            address.parse().ok(),
            NOW,
        );
        assert!(matches!(
            standing,
            Standing::Good { .. } | Standing::Elsewhere
        ));
        standing != Standing::Elsewhere
    }

    #[test]
    fn networks_are_compared_to_the_bit() {
        assert!(from(&[], ""));
        assert!(
            from(&["203.0.113.0/24"], "203.0.113.255") && !from(&["203.0.113.0/24"], "203.0.114.0")
        );
        assert!(from(&["10.0.0.0/8", "203.0.113.7/32"], "203.0.113.7"));
        assert!(!from(&["203.0.113.6/32"], "203.0.113.7"));
        assert!(from(&["0.0.0.0/0"], "203.0.113.7") && !from(&["0.0.0.0/0"], "2001:db8::1"));
        assert!(from(&["::/0"], "2001:db8::1") && !from(&["::/0"], "203.0.113.7"));
        assert!(
            from(&["2001:db8::/32"], "2001:db8::1") && !from(&["2001:db8::/32"], "2001:db9::1")
        );
        assert!(from(&["203.0.113.0/24"], "::ffff:203.0.113.7"));
        assert!(!from(&["203.0.113.0/24"], "a name") && !from(&["garbage"], "203.0.113.7"));
    }

    #[test]
    fn a_key_is_good_only_while_it_is_the_users() {
        let key = proven(KeyType::Ed25519);
        assert_eq!(standing(&[], &key, false, None, NOW), Standing::Unknown);
        let until = |at| LoginKey {
            valid_until: Some(Time(at)),
            ..stored(&[])
        };
        assert_eq!(
            standing(&[until(1000)], &key, false, None, NOW),
            Standing::Expired
        );
        assert_eq!(
            standing(&[until(1001)], &key, false, None, NOW),
            Standing::Good {
                person_verified: false
            }
        );
    }

    #[test]
    fn only_a_security_key_that_had_to_verify_has_verified() {
        for (kind, verify_required, by_rule, person_verified) in [
            (KeyType::Ed25519, true, true, false),
            (KeyType::SkEd25519, false, false, false),
            (KeyType::SkEd25519, true, false, true),
            (KeyType::SkEd25519, false, true, true),
            (KeyType::SkEcdsaP256, true, false, true),
        ] {
            let stored = LoginKey {
                verify_required,
                ..stored(&[])
            };
            assert_eq!(
                standing(&[stored], &proven(kind), by_rule, None, NOW),
                Standing::Good { person_verified }
            );
        }
    }
}
