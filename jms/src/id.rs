//! Ids of logins and sessions, and the token that ties a session to its login.
//!
//! Trusts the kernel's random numbers and nothing else.
#![forbid(unsafe_code)]

use sha2::{Digest, Sha256};
use std::fmt;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH: usize = 20;

/// The kernel gave no random numbers; nothing that needs them may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRandomness;

impl fmt::Display for NoRandomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the kernel gives no random numbers (getrandom failed); is /dev missing here?")
    }
}

impl std::error::Error for NoRandomness {}

fn random<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// Names a login or a session: 20 characters of `0-9a-z` without `i l o u`, 100 random bits.
///
/// It is part of file names and of paths in `/run/jms`, so it must not be guessable.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(String);

impl Id {
    /// A new random id.
    ///
    /// # Errors
    /// [`NoRandomness`] when the kernel gives none.
    pub fn random() -> Result<Self, NoRandomness> {
        let bytes = random::<LENGTH>()?;
        let text = bytes
            .iter()
            .filter_map(|byte| ALPHABET.get(usize::from(byte & 31)))
            .map(|byte| char::from(*byte));
        Ok(Self(text.collect()))
    }

    /// Reads an id that was written by [`fmt::Display`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == LENGTH && is_prefix(text)).then(|| Self(text.to_owned()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether `text` could be the beginning of an id: only letters of its alphabet, not longer.
#[must_use]
pub fn is_prefix(text: &str) -> bool {
    text.len() <= LENGTH && text.bytes().all(|byte| ALPHABET.contains(&byte))
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// 128 random bits that `pam_putenv` hands to a session as `JMS_LOGIN`: 32 lower-case hex digits.
///
/// The store keeps only its SHA-256; a token alone opens nothing (DESIGN, Trust 2).
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A new random token.
    ///
    /// # Errors
    /// [`NoRandomness`] when the kernel gives none.
    pub fn random() -> Result<Self, NoRandomness> {
        Ok(Self(hex(&random::<16>()?)))
    }

    /// Reads a token from the environment.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        (text.len() == 32 && digits).then(|| Self(text.to_owned()))
    }

    /// What the store keeps: SHA-256 of the text, as hex.
    #[must_use]
    pub fn hash(&self) -> String {
        hex(&Sha256::digest(self.0.as_bytes()))
    }

    /// The text for `JMS_LOGIN`.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[token]")
    }
}

/// Lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_and_differ() {
        let (a, b) = (Id::random().unwrap(), Id::random().unwrap());
        assert_ne!(a, b);
        assert_eq!(Id::parse(a.as_str()), Some(a));
        assert_eq!(Id::parse("../../../../etc/pass"), None);
        assert_eq!(Id::parse("short"), None);
    }

    #[test]
    fn a_token_never_prints_itself() {
        let token = Token::random().unwrap();
        assert!(!format!("{token:?}").contains(token.reveal()));
        assert_eq!(Token::parse(token.reveal()), Some(token));
        assert_eq!(Token::parse(&"A".repeat(32)), None);
    }
}
