//! A public key: its wire form, checked.

use super::ecdsa::Curve;
use super::line::PublicKeyError;
use super::{Fingerprint, KeyKind};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ssh_key::Mpint;
use ssh_key::public::KeyData;
use std::fmt;

/// RSA keys of people: `ssh-keygen` makes 3072 bits, sshd takes at most 16384.
const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=16384;

/// A public key of a kind that we take, with the comment that stood beside it. Equal when the keys are equal,
/// whatever the comments.
#[derive(Clone)]
pub struct PublicKey {
    kind: KeyKind,
    bits: u32,
    blob: Vec<u8>,
    comment: String,
}

impl PublicKey {
    /// Checks a key in wire form (RFC 4253, section 6.6; `PROTOCOL.u2f`): of a kind that we take, of an allowed size,
    /// in the one canonical encoding, its point on the curve.
    ///
    /// # Errors
    /// [`PublicKeyError`] with a sentence for the person who gave it.
    pub fn from_blob(blob: &[u8]) -> Result<Self, PublicKeyError> {
        let key = Self::with_rsa_bits(blob, RSA_BITS)?;
        // A key that the snapshot cannot hold would stop every other one from being published.
        match snapshot::parse_key_blob(blob) {
            Ok(key_type) if key_type.name() == key.kind.as_str() => Ok(key),
            _ => Err(PublicKeyError::Malformed),
        }
    }

    /// As [`PublicKey::from_blob`] with another range for RSA (host keys of old devices are smaller).
    pub(super) fn with_rsa_bits(
        blob: &[u8],
        rsa_bits: std::ops::RangeInclusive<u32>,
    ) -> Result<Self, PublicKeyError> {
        let name = super::wire::Reader::new(blob)
            .text()
            .map_err(|_| PublicKeyError::Malformed)?;
        let kind = KeyKind::parse(name).ok_or_else(|| PublicKeyError::kind(name))?;
        let parsed = ssh_key::PublicKey::from_bytes(blob).map_err(|_| PublicKeyError::Malformed)?;
        // The fingerprint is over the bytes, so a second encoding of the same key would be a second key.
        if parsed.to_bytes().ok().as_deref() != Some(blob) {
            return Err(PublicKeyError::Malformed);
        }
        let bits = match parsed.key_data() {
            KeyData::Rsa(key) => {
                let (e, n) = (canonical(&key.e)?, canonical(&key.n)?);
                let odd = |number: &[u8]| number.last().is_some_and(|byte| byte % 2 == 1);
                if !odd(e) || !odd(n) || e == [1] {
                    return Err(PublicKeyError::Malformed);
                }
                let bits = bit_length(n);
                if !rsa_bits.contains(&bits) {
                    return Err(PublicKeyError::RsaSize {
                        bits,
                        least: *rsa_bits.start(),
                        most: *rsa_bits.end(),
                    });
                }
                bits
            }
            KeyData::Ecdsa(point) => on_curve(kind, point.as_sec1_bytes())?,
            KeyData::SkEcdsaSha2NistP256(key) => on_curve(kind, key.ec_point().as_bytes())?,
            KeyData::Ed25519(_) | KeyData::SkEd25519(_) => 256,
            _ => return Err(PublicKeyError::kind(name)),
        };
        Ok(Self {
            kind,
            bits,
            blob: blob.to_vec(),
            comment: String::new(),
        })
    }

    /// Control characters (tabs, too) become blanks.
    pub(super) fn with_comment(mut self, comment: &str) -> Self {
        self.comment = plain(comment);
        self
    }

    /// The kind of key.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Its size as `ssh-keygen -l` says it: bits of the modulus or of the curve.
    #[must_use]
    pub fn bits(&self) -> u32 {
        self.bits
    }

    /// The wire form: what sshd hashes, compares and sends.
    #[must_use]
    pub fn blob(&self) -> &[u8] {
        &self.blob
    }

    /// The comment of the line that it was read from; empty otherwise. Free of control characters.
    #[must_use]
    pub fn comment(&self) -> &str {
        &self.comment
    }

    /// The fingerprint, displayed as `SHA256:…`.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.blob)
    }

    /// One line for `authorized_keys`, without a newline; control characters in `comment` become blanks.
    #[must_use]
    pub fn openssh_line(&self, comment: &str) -> String {
        let line = format!(
            "{} {} {}",
            self.kind,
            STANDARD.encode(&self.blob),
            plain(comment)
        );
        line.trim_end().to_owned()
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.blob == other.blob
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.fingerprint())
    }
}

fn plain(comment: &str) -> String {
    comment.replace(char::is_control, " ").trim().to_owned()
}

/// A positive number in the shortest encoding.
fn canonical(number: &Mpint) -> Result<&[u8], PublicKeyError> {
    match number.as_bytes() {
        [0, rest @ ..] if rest.first().is_some_and(|first| *first >= 0x80) => Ok(rest),
        number @ [1..=0x7f, ..] => Ok(number),
        _ => Err(PublicKeyError::Malformed),
    }
}

/// The number of bits of a big-endian number without leading zeros.
fn bit_length(number: &[u8]) -> u32 {
    let zeros = number.first().map_or(0, |first| first.leading_zeros());
    u32::try_from(number.len())
        .unwrap_or(u32::MAX)
        .saturating_mul(8)
        .saturating_sub(zeros)
}

fn on_curve(kind: KeyKind, point: &[u8]) -> Result<u32, PublicKeyError> {
    let curve = Curve::of(kind).ok_or(PublicKeyError::Malformed)?;
    if curve.has_point(point) {
        Ok(curve.bits())
    } else {
        Err(PublicKeyError::NotOnCurve)
    }
}
