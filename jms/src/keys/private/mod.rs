//! A private key: read from an OpenSSH key file, made, written for storage, and used to sign for the agent.
//!
//! Nothing of it is printable; the secret numbers are wiped when it is dropped.

mod armor;
mod error;
mod section;

pub use error::{PrivateKeyError, SignError};

use super::ecdsa::Curve;
use super::rsa::{self, Hash};
use super::wire::Writer;
use super::{KeyKind, LegacyHash, PublicKey};
use crate::secret::SecretString;
use ssh_key::private::Ed25519Keypair;
use std::fmt;
use zeroize::Zeroizing;

/// The flags of a signature request in the agent protocol (draft-miller-ssh-agent, section 3.6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignatureFlags(pub u32);

impl SignatureFlags {
    /// None: what every kind but RSA is asked with.
    pub const NONE: Self = Self(0);
    /// RSA with SHA-256.
    pub const RSA_SHA2_256: Self = Self(2);
    /// RSA with SHA-512.
    pub const RSA_SHA2_512: Self = Self(4);
}

/// The secret numbers of a key.
enum Material {
    /// The seed of 32 bytes.
    // In a box: what moves is then its address, and no copy is left where it was.
    Ed25519(Box<Zeroizing<[u8; 32]>>),
    /// The scalar, big-endian, without leading zeros.
    Ecdsa(Curve, Zeroizing<Vec<u8>>),
    Rsa(Box<rsa::Private>),
}

/// A private key of a kind that the bastion can sign with. `Debug` shows the public half only.
pub struct PrivateKey {
    public: PublicKey,
    material: Material,
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[secret] of {:?}", self.public)
    }
}

impl PrivateKey {
    /// Reads an OpenSSH private key file (`-----BEGIN OPENSSH PRIVATE KEY-----`), as `ssh-keygen` writes it since
    /// 2018, with its passphrase if it has one. The key must be one that the bastion can sign with; that is tried.
    ///
    /// # Errors
    /// [`PrivateKeyError`]: another format (with the command that converts it), a passphrase that is missing or
    /// wrong, a damaged file, a kind or size that cannot sign here.
    pub fn parse(text: &str, passphrase: Option<&str>) -> Result<Self, PrivateKeyError> {
        let sealed = armor::read(text)?;
        let plain = sealed.decipher(passphrase)?;
        section::read(&plain, &sealed.public)?.tried()
    }

    /// Makes a new Ed25519 key.
    ///
    /// # Errors
    /// [`PrivateKeyError::NoRandomness`] when the kernel gives no random numbers.
    pub fn generate_ed25519() -> Result<Self, PrivateKeyError> {
        let mut seed = Box::new(Zeroizing::new([0; 32]));
        getrandom::fill(&mut **seed).map_err(|_| PrivateKeyError::NoRandomness)?;
        let mut blob = Vec::new();
        blob.put_string(KeyKind::Ed25519.as_str().as_bytes());
        blob.put_string(&Ed25519Keypair::from_seed(&seed).public.0);
        let public = PublicKey::from_blob(&blob).map_err(PrivateKeyError::Public)?;
        Self {
            public,
            material: Material::Ed25519(seed),
        }
        .tried()
    }

    /// The public half. Its comment is that of the key file.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The key as an OpenSSH private key file without passphrase: the form in which it is sealed into the store.
    #[must_use]
    pub fn to_openssh(&self) -> SecretString {
        armor::write(&section::write(self), self.public.blob())
    }

    /// The name of the signature algorithm that these flags ask of this key. `legacy`: whether it may be SHA-1.
    ///
    /// # Errors
    /// [`SignError`]: SHA-1 where it may not be, or flags that do not belong to the key.
    pub fn algorithm(
        &self,
        flags: SignatureFlags,
        legacy: LegacyHash,
    ) -> Result<&'static str, SignError> {
        match (&self.material, flags) {
            (Material::Rsa(_), flags) => rsa_hash(flags, legacy).map(|(name, _)| name),
            (_, SignatureFlags::NONE) => Ok(self.public.kind().as_str()),
            (_, flags) => Err(SignError::Flags(flags)),
        }
    }

    /// Signs `data`: the signature as the agent protocol carries it, algorithm and signature as two strings. `legacy`:
    /// whether it may be one with SHA-1.
    ///
    /// # Errors
    /// [`SignError`]: SHA-1 where it may not be, flags that do not belong to the key, or numbers that are no key.
    pub fn sign(
        &self,
        data: &[u8],
        flags: SignatureFlags,
        legacy: LegacyHash,
    ) -> Result<Vec<u8>, SignError> {
        let algorithm = self.algorithm(flags, legacy)?;
        let mut bare = Vec::new();
        match &self.material {
            Material::Ed25519(seed) => {
                use p256::ecdsa::signature::Signer;
                let signature: ssh_key::Signature = Ed25519Keypair::from_seed(seed)
                    .try_sign(data)
                    .map_err(|_| SignError::Failed)?;
                bare.extend_from_slice(signature.as_bytes());
            }
            Material::Ecdsa(curve, scalar) => {
                let halves = curve.sign(scalar, data).ok_or(SignError::Failed)?;
                bare.put_positive(&halves.r);
                bare.put_positive(&halves.s);
            }
            Material::Rsa(private) => {
                let (_, hash) = rsa_hash(flags, legacy)?;
                bare = private.sign(hash, data).ok_or(SignError::Failed)?;
            }
        }
        let mut signature = Vec::new();
        signature.put_string(algorithm.as_bytes());
        signature.put_string(&bare);
        Ok(signature)
    }

    /// The key, after it has signed something that its public half verifies: a damaged one is found when it is
    /// given, not at night when it is needed.
    fn tried(self) -> Result<Self, PrivateKeyError> {
        let flags = match self.material {
            Material::Rsa(_) => SignatureFlags::RSA_SHA2_256,
            Material::Ed25519(_) | Material::Ecdsa(..) => SignatureFlags::NONE,
        };
        let data = b"a trial signature of a key that was just read";
        let signature = self
            .sign(data, flags, LegacyHash::Refused)
            .map_err(|_| PrivateKeyError::Inconsistent)?;
        self.public
            .verify(data, &signature, LegacyHash::Refused)
            .map_err(|_| PrivateKeyError::Inconsistent)?;
        Ok(self)
    }
}

fn rsa_hash(flags: SignatureFlags, legacy: LegacyHash) -> Result<(&'static str, Hash), SignError> {
    match flags {
        SignatureFlags::RSA_SHA2_256 => Ok(("rsa-sha2-256", Hash::Sha256)),
        SignatureFlags::RSA_SHA2_512 => Ok(("rsa-sha2-512", Hash::Sha512)),
        SignatureFlags::NONE if legacy == LegacyHash::Accepted => Ok(("ssh-rsa", Hash::Sha1)),
        SignatureFlags::NONE => Err(SignError::Sha1),
        flags => Err(SignError::Flags(flags)),
    }
}
