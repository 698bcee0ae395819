//! argon2id, as the store keeps it: `$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`.

use crate::secret::SecretString;
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::fmt;
use zeroize::Zeroizing;

const SALT_LENGTH: usize = 16;
const HASH_LENGTH: usize = 32;
/// One thread: sshd's child and its helper have no more.
const LANES: u32 = 1;

/// What one hash takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    memory_kib: u32,
    passes: u32,
}

impl Default for Cost {
    fn default() -> Self {
        Self {
            memory_kib: 19 * 1024,
            passes: 2,
        }
    }
}

impl Cost {
    /// Least and most memory, in KiB: OWASP's least for argon2id is 19 MiB with two passes; with eight at once the most
    /// is one GiB.
    pub const MEMORY_KIB: std::ops::RangeInclusive<u32> = 8 * 1024..=128 * 1024;
    /// Least and most passes: more would take longer than the PAM module waits.
    pub const PASSES: std::ops::RangeInclusive<u32> = 1..=10;

    /// Within the bounds, or none.
    #[must_use]
    pub fn new(memory_kib: u32, passes: u32) -> Option<Self> {
        let within = Self::MEMORY_KIB.contains(&memory_kib) && Self::PASSES.contains(&passes);
        within.then_some(Self { memory_kib, passes })
    }

    fn hash(self, password: &str, salt: &[u8]) -> Result<[u8; HASH_LENGTH], HashError> {
        let params = Params::new(self.memory_kib, self.passes, LANES, Some(HASH_LENGTH))
            .map_err(|_| HashError::CannotHash)?;
        let mut hash = [0; HASH_LENGTH];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(password.as_bytes(), salt, &mut hash)
            .map_err(|_| HashError::CannotHash)?;
        Ok(hash)
    }

    /// Takes as long as a check of a password, and finds nothing: for users without one, so that the time tells nobody
    /// who has one.
    ///
    /// # Errors
    /// [`HashError::CannotHash`].
    pub fn spend(self, password: &SecretString) -> Result<(), HashError> {
        let hash = Zeroizing::new(self.hash(password.expose(), &[0; SALT_LENGTH])?);
        std::hint::black_box(&hash);
        Ok(())
    }
}

/// A hashed password.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    cost: Cost,
    salt: [u8; SALT_LENGTH],
    hash: [u8; HASH_LENGTH],
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// Why there is no hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashError {
    /// The kernel gives no random numbers.
    NoRandomness,
    /// No memory.
    CannotHash,
    /// The store's text is no hash of ours.
    NotAHash,
}

impl fmt::Display for HashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoRandomness => "the kernel gives no random numbers (getrandom failed)",
            Self::CannotHash => "the password could not be hashed: no memory is left",
            Self::NotAHash => {
                "the stored hash of a password is none; give a new one: jmsctl user password-reset USER"
            }
        })
    }
}

impl std::error::Error for HashError {}

impl PasswordHash {
    /// Hashes a password with a new salt.
    ///
    /// # Errors
    /// [`HashError`].
    pub fn of(password: &SecretString, cost: Cost) -> Result<Self, HashError> {
        let mut salt = [0; SALT_LENGTH];
        getrandom::fill(&mut salt).map_err(|_| HashError::NoRandomness)?;
        let hash = cost.hash(password.expose(), &salt)?;
        Ok(Self { cost, salt, hash })
    }

    /// Whether it is the hash of that password. Takes the same time for every answer.
    ///
    /// # Errors
    /// [`HashError::CannotHash`].
    pub fn is_of(&self, password: &SecretString) -> Result<bool, HashError> {
        let hash = Zeroizing::new(self.cost.hash(password.expose(), &self.salt)?);
        let differing = self
            .hash
            .iter()
            .zip(hash.iter())
            .fold(0_u8, |differing, (one, other)| differing | (one ^ other));
        Ok(std::hint::black_box(differing) == 0)
    }

    /// What checking it takes.
    #[must_use]
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// As the store keeps it.
    #[must_use]
    pub fn to_text(&self) -> String {
        let Cost { memory_kib, passes } = self.cost;
        let (salt, hash) = (
            STANDARD_NO_PAD.encode(self.salt),
            STANDARD_NO_PAD.encode(self.hash),
        );
        format!("$argon2id$v=19$m={memory_kib},t={passes},p={LANES}${salt}${hash}")
    }

    /// Reads it back; parameters outside of the bounds are refused, whoever wrote them.
    ///
    /// # Errors
    /// [`HashError::NotAHash`].
    pub fn parse(text: &str) -> Result<Self, HashError> {
        Self::parse_parts(text).ok_or(HashError::NotAHash)
    }

    fn parse_parts(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("$argon2id$v=19$m=")?;
        let (memory_kib, rest) = rest.split_once(",t=")?;
        let (passes, rest) = rest.split_once(",p=1$")?;
        let (salt, hash) = rest.split_once('$')?;
        let read = |text: &str| STANDARD_NO_PAD.decode(text).ok();
        Some(Self {
            cost: Cost::new(memory_kib.parse().ok()?, passes.parse().ok()?)?,
            salt: read(salt)?.try_into().ok()?,
            hash: read(hash)?.try_into().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cheap() -> Cost {
        Cost::new(*Cost::MEMORY_KIB.start(), 1).unwrap()
    }

    fn secret(text: &str) -> SecretString {
        SecretString::from(text.to_owned())
    }

    #[test]
    fn a_hash_knows_its_password_and_no_other() {
        let hash = PasswordHash::of(&secret("correct horse"), cheap()).unwrap();
        assert!(hash.is_of(&secret("correct horse")).unwrap());
        for other in ["", "correct hors", "correct horse ", "Correct horse"] {
            assert!(!hash.is_of(&secret(other)).unwrap(), "{other:?}");
        }
        let again = PasswordHash::of(&secret("correct horse"), cheap()).unwrap();
        assert_ne!(hash.to_text(), again.to_text());
        assert_eq!(PasswordHash::parse(&hash.to_text()), Ok(hash));
    }

    /// What argon2-cffi, which is the reference implementation, makes of it.
    #[test]
    fn it_is_everybodys_argon2id() {
        let hash = PasswordHash::parse(
            "$argon2id$v=19$m=8192,t=1,p=1$c2l4dGVlbiBieXRlcy4uLg$7hpe6iswDEdUbVr6z8RVrfgS7516fe2a20RnFnLKnZw",
        );
        assert!(hash.unwrap().is_of(&secret("correct horse")).unwrap());
    }

    #[test]
    fn a_stored_hash_cannot_ask_for_more_than_the_bounds() {
        let good = PasswordHash::of(&secret("x"), cheap()).unwrap().to_text();
        assert!(PasswordHash::parse(&good).is_ok());
        for (from, to) in [
            ("m=8192", "m=4194304"),
            ("m=8192", "m=1"),
            ("t=1", "t=1000"),
            ("t=1", "t=0"),
            ("p=1", "p=4"),
            ("argon2id", "argon2i"),
            ("v=19", "v=16"),
        ] {
            assert_eq!(
                PasswordHash::parse(&good.replacen(from, to, 1)),
                Err(HashError::NotAHash),
                "{to}"
            );
        }
        for bad in ["", "$", "*", &good[..good.len() - 2], &format!("{good}A")] {
            assert_eq!(PasswordHash::parse(bad), Err(HashError::NotAHash), "{bad}");
        }
    }
}
