//! Recovery codes: for the day when the phone is lost. Ten, each good once; the store keeps argon2id hashes.
//!
//! A code has 50 random bits, so the hash need not be slow for its sake; it is so that a copied store is of little use.
//! The ten of one person share a salt, so that looking for a typed one costs one hash and not ten.
#![forbid(unsafe_code)]

use argon2::{Algorithm, Argon2, Params, Version};
use data_encoding::{BASE64_NOPAD, Encoding};
use std::fmt;
use zeroize::Zeroizing;

/// How many there are.
pub const CODES: usize = 10;
/// Characters of a code without its hyphen: base32 of 50 bits.
pub(super) const LENGTH: usize = 10;
const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyz234567";

/// 19 MiB, two passes, one lane: OWASP's least for argon2id. It runs beside sshd.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const HEAD: &str = "$argon2id$v=19$m=19456,t=2,p=1$";
const SALT_LENGTH: usize = 16;
const HASH_LENGTH: usize = 32;

/// A recovery code: wiped on drop, never printed.
pub struct RecoveryCode(Zeroizing<String>);

/// What the store keeps of one: `$argon2id$v=19$m=…,t=…,p=…$SALT$HASH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashedCode {
    salt: [u8; SALT_LENGTH],
    hash: [u8; HASH_LENGTH],
}

/// Why codes cannot be made or compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecoveryError {
    /// The kernel gives no random numbers.
    NoRandomness,
    /// argon2id could not work: no memory.
    CannotHash,
    /// The store's text is no hash of ours.
    NotAHash,
}

impl fmt::Display for RecoveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoRandomness => "the kernel gives no random numbers (getrandom failed)",
            Self::CannotHash => "a recovery code could not be hashed: no memory is left",
            Self::NotAHash => {
                "the stored hash of a recovery code is none; make new codes: ssh USER@bastion mfa recovery"
            }
        })
    }
}

impl std::error::Error for RecoveryError {}

impl RecoveryCode {
    /// Ten new codes with what the store keeps of each.
    ///
    /// # Errors
    /// [`RecoveryError`].
    pub fn make_all() -> Result<Vec<(Self, HashedCode)>, RecoveryError> {
        let mut salt = [0; SALT_LENGTH];
        getrandom::fill(&mut salt).map_err(|_| RecoveryError::NoRandomness)?;
        (0..CODES)
            .map(|_| {
                let code = Self::random()?;
                let hash = code.hashed_with(salt)?;
                Ok((code, hash))
            })
            .collect()
    }

    /// One of its own, with what the store keeps of it.
    ///
    /// # Errors
    /// [`RecoveryError`].
    pub fn make_one() -> Result<(Self, HashedCode), RecoveryError> {
        let mut salt = [0; SALT_LENGTH];
        getrandom::fill(&mut salt).map_err(|_| RecoveryError::NoRandomness)?;
        let code = Self::random()?;
        let hash = code.hashed_with(salt)?;
        Ok((code, hash))
    }

    fn random() -> Result<Self, RecoveryError> {
        let mut bytes = Zeroizing::new([0_u8; LENGTH]);
        getrandom::fill(&mut *bytes).map_err(|_| RecoveryError::NoRandomness)?;
        // 256 is a multiple of 32: each letter is as likely as the others.
        let letters = bytes.iter().map(|byte| usize::from(byte % 32));
        let letters: Zeroizing<Vec<u8>> =
            Zeroizing::new(letters.filter_map(|at| ALPHABET.get(at).copied()).collect());
        Self::parse(&letters).ok_or(RecoveryError::NoRandomness)
    }

    /// Of ten small letters and digits of base32, without a hyphen.
    pub(super) fn parse(letters: &[u8]) -> Option<Self> {
        let good = letters.len() == LENGTH && letters.iter().all(|byte| ALPHABET.contains(byte));
        let (one, other) = std::str::from_utf8(letters)
            .ok()?
            .split_at_checked(LENGTH / 2)?;
        good.then(|| {
            let mut code = Zeroizing::new(String::with_capacity(LENGTH + 1));
            code.push_str(one);
            code.push('-');
            code.push_str(other);
            Self(code)
        })
    }

    /// The text, for the moment in which it is shown: `abcde-f2345`.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Which of `stored` this is. One hash is made for each salt among them.
    ///
    /// # Errors
    /// [`RecoveryError::CannotHash`].
    pub fn find(&self, stored: &[HashedCode]) -> Result<Option<usize>, RecoveryError> {
        let mut known: Option<HashedCode> = None;
        let mut found = None;
        for (place, one) in stored.iter().enumerate() {
            let hashed = match known.take() {
                Some(hashed) if hashed.salt == one.salt => hashed,
                _ => self.hashed_with(one.salt)?,
            };
            if same(&hashed.hash, &one.hash) {
                found = Some(place);
            }
            known = Some(hashed);
        }
        Ok(found)
    }

    fn hashed_with(&self, salt: [u8; SALT_LENGTH]) -> Result<HashedCode, RecoveryError> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(HASH_LENGTH))
            .map_err(|_| RecoveryError::CannotHash)?;
        let mut hash = [0; HASH_LENGTH];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(self.0.as_bytes(), &salt, &mut hash)
            .map_err(|_| RecoveryError::CannotHash)?;
        Ok(HashedCode { salt, hash })
    }
}

/// In a time that tells nothing.
fn same(one: &[u8; HASH_LENGTH], other: &[u8; HASH_LENGTH]) -> bool {
    let differing = one.iter().zip(other).map(|(a, b)| a ^ b);
    differing.fold(0, |all, byte| all | byte) == 0
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl HashedCode {
    /// Reads what [`fmt::Display`] wrote.
    ///
    /// # Errors
    /// [`RecoveryError::NotAHash`].
    pub fn parse(text: &str) -> Result<Self, RecoveryError> {
        let parse = || {
            let (salt, hash) = text.strip_prefix(HEAD)?.split_once('$')?;
            Some(Self {
                salt: exactly(&BASE64_NOPAD, salt)?,
                hash: exactly(&BASE64_NOPAD, hash)?,
            })
        };
        parse().ok_or(RecoveryError::NotAHash)
    }
}

fn exactly<const N: usize>(encoding: &Encoding, text: &str) -> Option<[u8; N]> {
    encoding.decode(text.as_bytes()).ok()?.try_into().ok()
}

impl fmt::Display for HashedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (salt, hash) = (
            BASE64_NOPAD.encode(&self.salt),
            BASE64_NOPAD.encode(&self.hash),
        );
        write!(f, "{HEAD}{salt}${hash}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_codes_differ_each_is_found_and_no_other() {
        let made = RecoveryCode::make_all().unwrap();
        assert_eq!(made.len(), CODES);
        let hashes: Vec<HashedCode> = made.iter().map(|(_, hash)| hash.clone()).collect();
        for (place, (code, hash)) in made.iter().enumerate() {
            assert_eq!(code.expose().len(), LENGTH + 1);
            assert!(
                made.iter()
                    .skip(place + 1)
                    .all(|(other, _)| other.0 != code.0)
            );
            assert_eq!(HashedCode::parse(&hash.to_string()).as_ref(), Ok(hash));
        }
        let (code, _) = &made[7];
        assert_eq!(code.find(&hashes), Ok(Some(7)));
        assert_eq!(code.find(&hashes[..7]), Ok(None));
        let stranger = RecoveryCode::parse(b"abcdef2345").unwrap();
        assert_eq!(stranger.find(&hashes), Ok(None));
        assert_eq!(format!("{stranger:?}"), "[secret]");
    }

    /// The hash is argon2id as others make it: `echo -n abcde-f2345 | argon2 0123456789abcdef -id -t 2 -k 19456 -p 1 -l 32`.
    #[test]
    fn the_text_names_what_made_it_and_nothing_else_is_read() {
        let code = RecoveryCode::parse(b"abcdef2345").unwrap();
        let hashed = code.hashed_with(*b"0123456789abcdef").unwrap().to_string();
        assert!(hashed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$"));
        for wrong in [
            "",
            "$argon2id$v=19$m=8,t=1,p=1$AAAA$AAAA",
            &hashed[..hashed.len() - 1],
        ] {
            assert_eq!(HashedCode::parse(wrong), Err(RecoveryError::NotAHash));
        }
    }
}
