//! RSA signatures with SHA-1 (`ssh-rsa`, RFC 4253, section 6.6), for devices that know nothing newer.
//!
//! `ring` makes none, and the crate `rsa` has a known leak of time (RUSTSEC-2023-0071). How long the arithmetic takes here
//! tells nothing of the key: base and exponent are blinded with fresh random numbers (Kocher 1996, sections 10 and 11).
#![forbid(unsafe_code)]

use super::rsa::{Hash, Private, verify};
use num_bigint::BigUint;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use zeroize::Zeroizing;

/// What stands before the hash of 20 bytes: DigestInfo of SHA-1 (RFC 8017, section 9.2, note 1).
const DIGEST_INFO: [u8; 15] = [
    0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14,
];
/// RFC 8017, section 9.2, step 3: at least so many bytes of padding.
const LEAST_PADDING: usize = 8;
/// Bytes of the random factor before phi in the exponent.
const EXPONENT_BLINDING: usize = 16;

/// Signs `data` (RSASSA-PKCS1-v1_5); `None` when the numbers are no key, or the kernel gives no random numbers. What is
/// returned has been verified.
pub(super) fn sign(key: &Private, data: &[u8]) -> Option<Vec<u8>> {
    let number = BigUint::from_bytes_be;
    let one = BigUint::from(1_u8);
    let (n, e, d) = (number(&key.n), number(&key.e), number(&key.d));
    let (p, q) = (number(&key.p), number(&key.q));
    if p <= one || q <= one || &p * &q != n {
        return None;
    }
    let message = number(&padded(data, key.n.len())?);
    let phi = (p - &one) * (q - &one);
    let exponent = d + phi * random(EXPONENT_BLINDING)?;
    let (factor, inverse) = loop {
        let factor = random(key.n.len())? % &n;
        // All but a few of the numbers below n have an inverse.
        if let Some(inverse) = factor.modinv(&n) {
            break (factor, inverse);
        }
    };
    let blinded = message * factor.modpow(&e, &n) % &n;
    let signature = (blinded.modpow(&exponent, &n) * inverse % &n).to_bytes_be();
    let zeros = key.n.len().checked_sub(signature.len())?;
    let signature = [vec![0; zeros], signature].concat();
    verify(&key.n, &key.e, Hash::Sha1, data, &signature).then_some(signature)
}

/// EMSA-PKCS1-v1_5 of `length` bytes (RFC 8017, section 9.2).
fn padded(data: &[u8], length: usize) -> Option<Vec<u8>> {
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, data);
    let rest = [&[0], DIGEST_INFO.as_slice(), hash.as_ref()].concat();
    let padding = length.checked_sub(rest.len() + 2)?;
    (padding >= LEAST_PADDING).then(|| [vec![0, 1], vec![0xff; padding], rest].concat())
}

fn random(bytes: usize) -> Option<BigUint> {
    let mut random = Zeroizing::new(vec![0; bytes]);
    getrandom::fill(&mut random).ok()?;
    Some(BigUint::from_bytes_be(&random))
}
