//! Checking a signature in the form of the SSH protocol (RFC 4253, section 6.6): algorithm, then signature.

use super::ecdsa::Curve;
use super::rsa::{self, Hash};
use super::wire::{Reader, WireError};
use super::{KeyKind, PublicKey};
use ring::signature::{ED25519, UnparsedPublicKey};
use std::fmt;

/// Whether signatures with SHA-1 are believed, and made. Only for assets whose administrator said `--algorithms legacy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LegacyHash {
    /// No `ssh-rsa` signatures.
    Refused,
    /// `ssh-rsa` signatures of old devices are accepted, and made for them.
    Accepted,
}

/// Why a signature is not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VerifyError {
    /// Not in the form of a signature.
    Malformed(WireError),
    /// An algorithm that does not belong to the key, by its name (cut, escaped).
    Algorithm(String),
    /// An RSA signature with SHA-1.
    Sha1,
    /// Of a security key, whose signatures mean something else.
    SecurityKey,
    /// Not made by this key over these bytes.
    Wrong,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "the signature is damaged ({error})"),
            Self::Algorithm(name) => write!(
                f,
                "the signature algorithm “{name}” does not belong to the key"
            ),
            Self::Sha1 => f.write_str(
                "the signature uses SHA-1, which only assets with `--algorithms legacy` may",
            ),
            Self::SecurityKey => f.write_str("signatures of security keys are not checked here"),
            Self::Wrong => f.write_str("the signature was not made by this key"),
        }
    }
}

impl std::error::Error for VerifyError {}

impl From<WireError> for VerifyError {
    fn from(error: WireError) -> Self {
        Self::Malformed(error)
    }
}

impl PublicKey {
    /// Checks that `signature` was made by this key over exactly `data`.
    ///
    /// # Errors
    /// [`VerifyError`] when it was not, or when that cannot be told.
    pub fn verify(
        &self,
        data: &[u8],
        signature: &[u8],
        legacy: LegacyHash,
    ) -> Result<(), VerifyError> {
        let mut reader = Reader::new(signature);
        let algorithm = reader.string()?;
        let signature = reader.string()?;
        reader.finish()?;
        let mut key = Reader::new(self.blob());
        key.string()?;
        let genuine = match self.kind() {
            KeyKind::SkEd25519 | KeyKind::SkEcdsaP256 => return Err(VerifyError::SecurityKey),
            KeyKind::Rsa => {
                let hash = match algorithm {
                    b"rsa-sha2-256" => Hash::Sha256,
                    b"rsa-sha2-512" => Hash::Sha512,
                    b"ssh-rsa" if legacy == LegacyHash::Accepted => Hash::Sha1,
                    b"ssh-rsa" => return Err(VerifyError::Sha1),
                    _ => return Err(foreign(algorithm)),
                };
                let (e, n) = (key.positive()?, key.positive()?);
                rsa::verify(n, e, hash, data, signature)
            }
            kind if algorithm != kind.as_str().as_bytes() => return Err(foreign(algorithm)),
            KeyKind::Ed25519 => UnparsedPublicKey::new(&ED25519, key.string()?)
                .verify(data, signature)
                .is_ok(),
            kind => {
                key.string()?;
                let mut halves = Reader::new(signature);
                let (r, s) = (halves.positive()?, halves.positive()?);
                halves.finish()?;
                Curve::of(kind).is_some_and(|curve| match key.string() {
                    Ok(point) => curve.verify(point, data, r, s),
                    Err(_) => false,
                })
            }
        };
        if genuine {
            Ok(())
        } else {
            Err(VerifyError::Wrong)
        }
    }
}

fn foreign(algorithm: &[u8]) -> VerifyError {
    VerifyError::Algorithm(
        algorithm
            .iter()
            .take(64)
            .map(|byte| byte.escape_ascii().to_string())
            .collect(),
    )
}
