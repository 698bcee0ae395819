//! ECDSA over the three NIST curves (RFC 5656), each with the hash that belongs to it.

use super::KeyKind;
use zeroize::Zeroizing;

/// One of the curves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
    P521,
}

/// The two halves of a signature, big-endian, padded to the curve's size.
pub(super) struct Halves {
    pub(super) r: Vec<u8>,
    pub(super) s: Vec<u8>,
}

/// Runs `$body` with `$curve` standing for the crate of the curve.
macro_rules! with_curve {
    ($value:expr, $curve:ident => $body:expr) => {
        match $value {
            Curve::P256 => {
                use p256 as $curve;
                $body
            }
            Curve::P384 => {
                use p384 as $curve;
                $body
            }
            Curve::P521 => {
                use p521 as $curve;
                $body
            }
        }
    };
}

impl Curve {
    pub(super) fn of(kind: KeyKind) -> Option<Self> {
        match kind {
            KeyKind::EcdsaP256 | KeyKind::SkEcdsaP256 => Some(Self::P256),
            KeyKind::EcdsaP384 => Some(Self::P384),
            KeyKind::EcdsaP521 => Some(Self::P521),
            KeyKind::Ed25519 | KeyKind::SkEd25519 | KeyKind::Rsa => None,
        }
    }

    /// The name inside keys and signatures.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::P256 => "nistp256",
            Self::P384 => "nistp384",
            Self::P521 => "nistp521",
        }
    }

    pub(super) fn bits(self) -> u32 {
        match self {
            Self::P256 => 256,
            Self::P384 => 384,
            Self::P521 => 521,
        }
    }

    fn bytes(self) -> usize {
        usize::try_from(self.bits().div_ceil(8)).unwrap_or(usize::MAX)
    }

    /// Whether `point` is an uncompressed point of the curve (the only form that OpenSSH reads).
    pub(super) fn has_point(self, point: &[u8]) -> bool {
        point.first() == Some(&4)
            && with_curve!(self, curve => curve::PublicKey::from_sec1_bytes(point).is_ok())
    }

    /// The uncompressed public point of a private key, if the key is one of this curve.
    pub(super) fn public_point(self, scalar: &[u8]) -> Option<Vec<u8>> {
        let scalar = self.padded(scalar)?;
        with_curve!(self, curve => {
            use curve::elliptic_curve::sec1::ToEncodedPoint;
            let secret = curve::SecretKey::from_slice(&scalar).ok()?;
            Some(secret.public_key().to_encoded_point(false).as_bytes().to_vec())
        })
    }

    /// Signs `data`; the nonce is derived from key and data (RFC 6979).
    pub(super) fn sign(self, scalar: &[u8], data: &[u8]) -> Option<Halves> {
        let scalar = self.padded(scalar)?;
        with_curve!(self, curve => {
            use curve::ecdsa::signature::Signer;
            let key = curve::ecdsa::SigningKey::from_slice(&scalar).ok()?;
            let signature: curve::ecdsa::Signature = key.try_sign(data).ok()?;
            let (r, s) = signature.split_bytes();
            Some(Halves { r: r.to_vec(), s: s.to_vec() })
        })
    }

    /// Whether `r` and `s` (positive, big-endian) are a signature of `data` by the key at `point`.
    pub(super) fn verify(self, point: &[u8], data: &[u8], r: &[u8], s: &[u8]) -> bool {
        let (Some(r), Some(s)) = (self.padded(r), self.padded(s)) else {
            return false;
        };
        let both = [r.as_slice(), s.as_slice()].concat();
        with_curve!(self, curve => {
            use curve::ecdsa::signature::Verifier;
            let Ok(key) = curve::ecdsa::VerifyingKey::from_sec1_bytes(point) else {
                return false;
            };
            let Ok(signature) = curve::ecdsa::Signature::from_slice(&both) else {
                return false;
            };
            key.verify(data, &signature).is_ok()
        })
    }

    /// A number with the leading zeros that an `mpint` leaves out.
    fn padded(self, number: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let missing = self.bytes().checked_sub(number.len())?;
        let mut padded = Zeroizing::new(Vec::with_capacity(self.bytes()));
        padded.resize(missing, 0);
        padded.extend_from_slice(number);
        Some(padded)
    }
}
