//! SSH keys: what the rest of the bastion knows of them, behind types of our own.
//!
//! Trusts nobody: public keys come from people, host keys and signatures from assets, key files from whoever
//! typed a passphrase wrong. `ssh-key` reads public keys and deciphers key files, `ring` makes RSA signatures
//! (`ssh-key` 0.6 cannot), and the curves' own crates do ECDSA (`ssh-key` 0.6 does not read a private key with
//! leading zeros, which is every second one of P-521).
#![forbid(unsafe_code)]

mod ecdsa;
mod fingerprint;
mod host;
mod kind;
mod line;
mod private;
mod public;
mod rsa;
mod rsa_sha1;
mod verify;
pub mod wire;

pub use fingerprint::Fingerprint;
pub use host::{HostKey, HostKeyError, HostNameError, Keyscan, SkippedKey, parse_keyscan};
pub use kind::{KeyKind, is_allowed_kind};
pub use line::PublicKeyError;
pub use private::{PrivateKey, PrivateKeyError, SignError, SignatureFlags};
pub use public::PublicKey;
pub use verify::{LegacyHash, VerifyError};

#[cfg(test)]
mod tests;
