//! Secrets at rest and in memory: the key that encrypts stored secrets, and types that cannot be printed.
//!
//! Trusts the kernel (random numbers, file owners) and whoever may write `/etc/jms`. What comes out of the
//! store is not trusted: a sealed value opens only in the table, column and row that it was sealed for.

mod file;
mod line;
mod memory;
mod sys;

pub use file::MasterKeyError;
pub use line::{SecretLine, Typed};
pub use memory::{SecretBytes, SecretString};
pub use sys::{WipingAllocator, wipe_stack};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};
use std::fmt;
use zeroize::Zeroizing;

/// The first byte of every sealed value: XChaCha20-Poly1305, nonce of 24 bytes, context as additional data.
const VERSION: u8 = 1;
const KEY_LENGTH: usize = 32;
const NONCE_LENGTH: usize = 24;
const TAG_LENGTH: usize = 16;

/// Where a sealed value lives. A value that was moved to another row, by whoever can write the store, does not open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context(Vec<u8>);

impl Context {
    /// The place `table`.`column` of the row called `row` (its id, or the parts of its key joined by the caller).
    ///
    /// The three are length-prefixed, so that no two places share an encoding. The encoding is part of the file
    /// format: it never changes for a given version of sealed values.
    #[must_use]
    pub fn new(table: &str, column: &str, row: impl fmt::Display) -> Self {
        let row = row.to_string();
        let text = format!(
            "jms-secret-{VERSION}\n{}:{table},{}:{column},{}:{row},",
            table.len(),
            column.len(),
            row.len()
        );
        Self(text.into_bytes())
    }

    /// The place of a system user's stored secret: the row `row` of the table of credentials.
    #[must_use]
    pub fn credential(row: i64) -> Self {
        Self::new("credential", "secret", row)
    }
}

/// The key of `/etc/jms/secret.key`. Wiped when dropped, never printed.
pub struct MasterKey(Box<Zeroizing<[u8; KEY_LENGTH]>>);

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Why a sealed value did not open, or could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretError {
    /// The value is shorter than version, nonce and tag: `length` bytes.
    Truncated {
        /// Length of what was found, in bytes.
        length: usize,
    },
    /// Sealed by a program that knows a newer format.
    UnknownVersion(u8),
    /// Another key, another row, or changed bytes: the cipher cannot tell them apart.
    NotAuthentic,
    /// The bytes are no UTF-8 where text was expected.
    NotText,
    /// The kernel gave no random numbers for the nonce, or the value was too long to seal.
    CannotSeal,
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { length } => write!(
                f,
                "the stored secret is cut off ({length} bytes); set it again, or restore the store from a backup"
            ),
            Self::UnknownVersion(version) => write!(
                f,
                "the stored secret has format {version}, this program knows {VERSION}; install the version that wrote it"
            ),
            Self::NotAuthentic => f.write_str(
                "the stored secret does not open: /etc/jms/secret.key is not the key it was sealed with, or the store \
                 was changed behind our back; restore both from the same backup, or set the secret again",
            ),
            Self::NotText => f.write_str("the stored secret is not text; set it again"),
            Self::CannotSeal => f.write_str(
                "the secret cannot be encrypted: the kernel gives no random numbers (getrandom failed)",
            ),
        }
    }
}

impl std::error::Error for SecretError {}

impl MasterKey {
    /// A name for this key that tells nothing about it: the beginning of a hash over a constant and the key, in hex.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(b"jms-secret-key-fingerprint-1\n");
        hash.update(&self.0[..]);
        hash.finalize()
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// Whether `bytes` are this key.
    #[must_use]
    pub fn is(&self, bytes: &[u8]) -> bool {
        bytes == &self.0[..]
    }

    /// Encrypts `secret` for the place `context`: version byte ‖ nonce (24 random bytes) ‖ ciphertext and tag.
    ///
    /// # Errors
    /// [`SecretError::CannotSeal`] when the kernel gives no random numbers.
    pub fn seal(&self, context: &Context, secret: &[u8]) -> Result<Vec<u8>, SecretError> {
        let mut nonce = [0; NONCE_LENGTH];
        getrandom::fill(&mut nonce).map_err(|_| SecretError::CannotSeal)?;
        let payload = Payload {
            msg: secret,
            aad: &context.0,
        };
        let ciphertext = self
            .cipher()
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| SecretError::CannotSeal)?;
        let mut sealed = Vec::with_capacity(1 + NONCE_LENGTH + ciphertext.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&ciphertext);
        Ok(sealed)
    }

    /// Decrypts what [`MasterKey::seal`] made for the same `context`.
    ///
    /// # Errors
    /// [`SecretError`]: cut off, of an unknown version, or not what this key sealed for this place.
    pub fn open(&self, context: &Context, sealed: &[u8]) -> Result<SecretBytes, SecretError> {
        let truncated = SecretError::Truncated {
            length: sealed.len(),
        };
        let (version, rest) = sealed.split_first().ok_or(truncated)?;
        if *version != VERSION {
            return Err(SecretError::UnknownVersion(*version));
        }
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_LENGTH>().ok_or(truncated)?;
        if ciphertext.len() < TAG_LENGTH {
            return Err(truncated);
        }
        let payload = Payload {
            msg: ciphertext,
            aad: &context.0,
        };
        self.cipher()
            .decrypt(&XNonce::from(*nonce), payload)
            .map(SecretBytes::from)
            .map_err(|_| SecretError::NotAuthentic)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&**self.0).into())
    }
}

#[cfg(test)]
mod tests;
