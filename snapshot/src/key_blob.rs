//! Which public keys a user may log in with, and what their wire form must be (RFC 4253 section 6.6, RFC 5656 section
//! 3.1, RFC 8709, `PROTOCOL.u2f`).
//!
//! Checks form and size, no mathematics: sshd does that when it reads the key. Trusts nothing.
#![forbid(unsafe_code)]

use std::fmt;

use crate::fields::Fields;

/// Longest key blob that is taken, in bytes: room for RSA with 16384 bits.
pub(crate) const MAX_BLOB: usize = 4096;

const MIN_RSA_BITS: u32 = 2048;
const MAX_RSA_BITS: u32 = 16384;
const MAX_APPLICATION: usize = 256;

/// A type of login key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum KeyType {
    /// `ssh-rsa`, 2048 bits or more.
    Rsa = 1,
    /// `ecdsa-sha2-nistp256`
    EcdsaP256 = 2,
    /// `ecdsa-sha2-nistp384`
    EcdsaP384 = 3,
    /// `ecdsa-sha2-nistp521`
    EcdsaP521 = 4,
    /// `ssh-ed25519`
    Ed25519 = 5,
    /// `sk-ssh-ed25519@openssh.com`
    SkEd25519 = 6,
    /// `sk-ecdsa-sha2-nistp256@openssh.com`
    SkEcdsaP256 = 7,
}

impl KeyType {
    /// All types.
    pub const ALL: [Self; 7] = [
        Self::Rsa,
        Self::EcdsaP256,
        Self::EcdsaP384,
        Self::EcdsaP521,
        Self::Ed25519,
        Self::SkEd25519,
        Self::SkEcdsaP256,
    ];

    /// The name in `authorized_keys` and in the blob itself.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rsa => "ssh-rsa",
            Self::EcdsaP256 => "ecdsa-sha2-nistp256",
            Self::EcdsaP384 => "ecdsa-sha2-nistp384",
            Self::EcdsaP521 => "ecdsa-sha2-nistp521",
            Self::Ed25519 => "ssh-ed25519",
            Self::SkEd25519 => "sk-ssh-ed25519@openssh.com",
            Self::SkEcdsaP256 => "sk-ecdsa-sha2-nistp256@openssh.com",
        }
    }

    /// The type with this name.
    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|known| known.name().as_bytes() == name)
    }

    /// Whether the private key lives in a FIDO security key, so that `verify-required` means something.
    #[must_use]
    pub fn is_security_key(self) -> bool {
        matches!(self, Self::SkEd25519 | Self::SkEcdsaP256)
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|known| *known as u8 == code)
    }
}

/// Why a key blob is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyBlobError {
    /// It is of no type that is taken (a certificate, DSA, …).
    Type,
    /// It is not what keys of its type look like.
    Form,
    /// An RSA key with this many bits.
    RsaBits(u32),
}

impl fmt::Display for KeyBlobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type => f.write_str("the key is of a type that is not taken; use ssh-ed25519, ecdsa-sha2-*, a security key or ssh-rsa"),
            Self::Form => f.write_str("the key is malformed"),
            Self::RsaBits(bits) => {
                write!(f, "the RSA key has {bits} bits; {MIN_RSA_BITS} to {MAX_RSA_BITS} are taken")
            }
        }
    }
}

impl std::error::Error for KeyBlobError {}

/// Checks a public key in wire form (what stands in base64 in `authorized_keys`) from its first to its last byte.
///
/// # Errors
/// Why it is not taken.
pub fn parse_key_blob(blob: &[u8]) -> Result<KeyType, KeyBlobError> {
    let mut fields = Fields(blob);
    let name = fields
        .ssh_string()
        .filter(|_| blob.len() <= MAX_BLOB)
        .ok_or(KeyBlobError::Form)?;
    let key_type = KeyType::from_name(name).ok_or(KeyBlobError::Type)?;
    let good = match key_type {
        KeyType::Rsa => return rsa(fields),
        KeyType::EcdsaP256 => point(&mut fields, b"nistp256", 65),
        KeyType::EcdsaP384 => point(&mut fields, b"nistp384", 97),
        KeyType::EcdsaP521 => point(&mut fields, b"nistp521", 133),
        KeyType::Ed25519 => ed25519(&mut fields),
        KeyType::SkEd25519 => ed25519(&mut fields).and_then(|()| application(&mut fields)),
        KeyType::SkEcdsaP256 => {
            point(&mut fields, b"nistp256", 65).and_then(|()| application(&mut fields))
        }
    };
    match good {
        Some(()) if fields.0.is_empty() => Ok(key_type),
        _ => Err(KeyBlobError::Form),
    }
}

fn rsa(mut fields: Fields<'_>) -> Result<KeyType, KeyBlobError> {
    let (Some(exponent), Some(modulus), []) =
        (positive(&mut fields), positive(&mut fields), fields.0)
    else {
        return Err(KeyBlobError::Form);
    };
    let odd = |number: &[u8]| number.last().is_some_and(|byte| byte & 1 == 1);
    if !odd(exponent) || !odd(modulus) || exponent == [1] {
        return Err(KeyBlobError::Form);
    }
    let leading = modulus.first().map_or(0, |byte| byte.leading_zeros());
    let bits = u32::try_from(modulus.len())
        .unwrap_or(u32::MAX)
        .saturating_mul(8)
        .saturating_sub(leading);
    if (MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) {
        Ok(KeyType::Rsa)
    } else {
        Err(KeyBlobError::RsaBits(bits))
    }
}

/// An `mpint` (RFC 4251, section 5) above zero in its shortest form, without its sign byte.
fn positive<'a>(fields: &mut Fields<'a>) -> Option<&'a [u8]> {
    match fields.ssh_string()? {
        [0, rest @ ..] if rest.first().is_some_and(|first| *first >= 0x80) => Some(rest),
        bytes @ [first, ..] if (1..0x80).contains(first) => Some(bytes),
        _ => None,
    }
}

/// The curve's name and an uncompressed point (SEC 1, section 2.3.3).
fn point(fields: &mut Fields<'_>, curve: &[u8], length: usize) -> Option<()> {
    let named = fields.ssh_string()? == curve;
    let point = fields.ssh_string()?;
    (named && point.len() == length && point.first() == Some(&4)).then_some(())
}

fn ed25519(fields: &mut Fields<'_>) -> Option<()> {
    (fields.ssh_string()?.len() == 32).then_some(())
}

/// The FIDO relying party, `ssh:` or `ssh:…`.
fn application(fields: &mut Fields<'_>) -> Option<()> {
    let text = fields.ssh_string()?;
    (!text.is_empty() && text.len() <= MAX_APPLICATION && text.iter().all(u8::is_ascii_graphic))
        .then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(parts: &[&[u8]]) -> Vec<u8> {
        let string =
            |part: &&[u8]| [&u32::try_from(part.len()).unwrap().to_be_bytes()[..], part].concat();
        parts.iter().flat_map(string).collect()
    }

    fn modulus(bits: usize) -> Vec<u8> {
        let mut number = vec![0xFF; bits.div_ceil(8)];
        number[0] >>= bits.next_multiple_of(8) - bits;
        if number[0] >= 0x80 {
            number.insert(0, 0);
        }
        number
    }

    #[test]
    fn each_type_once() {
        let point = |length: usize| [&[4][..], &vec![7; length - 1]].concat();
        let keys: [(&[&[u8]], KeyType); 7] = [
            (&[b"ssh-rsa", &[1, 0, 1], &modulus(2048)], KeyType::Rsa),
            (
                &[b"ecdsa-sha2-nistp256", b"nistp256", &point(65)],
                KeyType::EcdsaP256,
            ),
            (
                &[b"ecdsa-sha2-nistp384", b"nistp384", &point(97)],
                KeyType::EcdsaP384,
            ),
            (
                &[b"ecdsa-sha2-nistp521", b"nistp521", &point(133)],
                KeyType::EcdsaP521,
            ),
            (&[b"ssh-ed25519", &[7; 32]], KeyType::Ed25519),
            (
                &[b"sk-ssh-ed25519@openssh.com", &[7; 32], b"ssh:"],
                KeyType::SkEd25519,
            ),
            (
                &[
                    b"sk-ecdsa-sha2-nistp256@openssh.com",
                    b"nistp256",
                    &point(65),
                    b"ssh:x",
                ],
                KeyType::SkEcdsaP256,
            ),
        ];
        for (parts, key_type) in keys {
            let whole = blob(parts);
            assert_eq!(parse_key_blob(&whole), Ok(key_type));
            for end in 0..whole.len() {
                assert!(
                    parse_key_blob(&whole[..end]).is_err(),
                    "{key_type:?} cut at {end}"
                );
            }
            assert_eq!(
                parse_key_blob(&[&whole[..], &[0]].concat()),
                Err(KeyBlobError::Form),
                "{key_type:?} with a tail"
            );
            assert_eq!(KeyType::from_code(key_type as u8), Some(key_type));
        }
    }

    #[test]
    fn rsa_sizes() {
        for (bits, good) in [
            (1024, false),
            (2047, false),
            (2048, true),
            (3072, true),
            (4095, true),
            (16384, true),
            (16392, false),
        ] {
            let parsed = parse_key_blob(&blob(&[b"ssh-rsa", &[1, 0, 1], &modulus(bits)]));
            let expected = if good {
                Ok(KeyType::Rsa)
            } else {
                Err(KeyBlobError::RsaBits(bits as u32))
            };
            assert_eq!(parsed, expected);
        }
    }

    #[test]
    fn rsa_forms() {
        let even = [&modulus(2048)[..2048 / 8], &[0xFE]].concat();
        let negative = &modulus(2048)[1..];
        let padded = [&[0], &modulus(2048)[..]].concat();
        for (exponent, modulus) in [
            (&[1, 0, 1][..], &even[..]),
            (&[1, 0, 1], negative),
            (&[1, 0, 1], &padded),
            (&[1, 0, 1], &[]),
            (&[1], &modulus(2048)),
            (&[4], &modulus(2048)),
            (&[], &modulus(2048)),
            (&[0x81], &modulus(2048)),
        ] {
            assert_eq!(
                parse_key_blob(&blob(&[b"ssh-rsa", exponent, modulus])),
                Err(KeyBlobError::Form)
            );
        }
    }

    #[test]
    fn what_is_not_taken() {
        let compressed = [&[2][..], &[7; 32]].concat();
        let whole = [&[4][..], &[7; 64]].concat();
        for (parts, error) in [
            (&[&b"ssh-dss"[..], b"x"][..], KeyBlobError::Type),
            (
                &[b"ssh-ed25519-cert-v01@openssh.com", &[7; 32]],
                KeyBlobError::Type,
            ),
            (&[b"ssh-ed25519", &[7; 31]], KeyBlobError::Form),
            (
                &[b"ecdsa-sha2-nistp256", b"nistp384", &whole],
                KeyBlobError::Form,
            ),
            (
                &[b"ecdsa-sha2-nistp256", b"nistp256", &compressed],
                KeyBlobError::Form,
            ),
            (
                &[b"sk-ssh-ed25519@openssh.com", &[7; 32], b"s h"],
                KeyBlobError::Form,
            ),
            (
                &[b"sk-ssh-ed25519@openssh.com", &[7; 32], b""],
                KeyBlobError::Form,
            ),
        ] {
            assert_eq!(parse_key_blob(&blob(parts)), Err(error));
        }
        assert_eq!(parse_key_blob(b""), Err(KeyBlobError::Form));
        assert_eq!(
            parse_key_blob(&blob(&[b"ssh-ed25519", &[7; 5000]])),
            Err(KeyBlobError::Form)
        );
    }
}
