//! RSA signatures with SHA-2 (RFC 8332), made and checked by `ring`; those with SHA-1 (RFC 4253), for old devices alone, are
//! made in `rsa_sha1` and checked by `ring`.

use super::rsa_sha1;
use num_bigint::BigUint;
use ring::rsa::{KeyPair, KeyPairComponents, PublicKeyComponents};
use ring::signature::{
    RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512,
    RsaParameters, RsaPublicKeyComponents,
};
use zeroize::Zeroizing;

/// The sizes that `ring` signs with: both primes must be a multiple of 512 bits.
pub(super) const PRIVATE_BITS: [u32; 3] = [2048, 3072, 4096];
/// The largest key whose signatures `ring` checks.
pub(super) const VERIFY_MAX_BITS: u32 = 8192;
/// The smallest public exponent that `ring` signs with.
const MIN_EXPONENT: u32 = 65537;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha1,
    Sha256,
    Sha512,
}

/// A private key as OpenSSH stores it; all numbers positive and big-endian.
pub(super) struct Private {
    pub(super) n: Vec<u8>,
    pub(super) e: Vec<u8>,
    pub(super) d: Zeroizing<Vec<u8>>,
    /// The inverse of q modulo p.
    pub(super) iqmp: Zeroizing<Vec<u8>>,
    pub(super) p: Zeroizing<Vec<u8>>,
    pub(super) q: Zeroizing<Vec<u8>>,
}

impl Private {
    pub(super) fn has_small_exponent(&self) -> bool {
        BigUint::from_bytes_be(&self.e) < BigUint::from(MIN_EXPONENT)
    }

    /// Signs `data`; `None` when the numbers are no key.
    pub(super) fn sign(&self, hash: Hash, data: &[u8]) -> Option<Vec<u8>> {
        let padding = match hash {
            Hash::Sha1 => return rsa_sha1::sign(self, data),
            Hash::Sha256 => &RSA_PKCS1_SHA256,
            Hash::Sha512 => &RSA_PKCS1_SHA512,
        };
        let components = KeyPairComponents {
            public_key: PublicKeyComponents {
                n: &self.n,
                e: &self.e,
            },
            d: &self.d,
            p: &self.p,
            q: &self.q,
            dP: &self.exponent_modulo(&self.p)?,
            dQ: &self.exponent_modulo(&self.q)?,
            qInv: &self.iqmp,
        };
        // Made for each signature and dropped at once: `ring` does not wipe it, the program's allocator does.
        let key = KeyPair::from_components(&components).ok()?;
        let mut signature = vec![0; key.public().modulus_len()];
        let random = ring::rand::SystemRandom::new();
        key.sign(padding, &random, data, &mut signature).ok()?;
        Some(signature)
    }

    /// d modulo (`prime` − 1), which OpenSSH's key files leave out.
    fn exponent_modulo(&self, prime: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let less_one = BigUint::from_bytes_be(prime);
        let one = BigUint::from(1_u8);
        if less_one <= one {
            return None;
        }
        let remainder = BigUint::from_bytes_be(&self.d) % (less_one - one);
        Some(Zeroizing::new(remainder.to_bytes_be()))
    }
}

/// Whether `signature` is one of `data` by the key with modulus `n` and exponent `e`.
pub(super) fn verify(n: &[u8], e: &[u8], hash: Hash, data: &[u8], signature: &[u8]) -> bool {
    let parameters: &RsaParameters = match hash {
        Hash::Sha1 => &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha256 => &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        Hash::Sha512 => &RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
    };
    // Some servers leave out leading zeros, and OpenSSH accepts that.
    let Some(missing) = n.len().checked_sub(signature.len()) else {
        return false;
    };
    let padded = [vec![0; missing].as_slice(), signature].concat();
    RsaPublicKeyComponents { n, e }
        .verify(parameters, data, &padded)
        .is_ok()
}
