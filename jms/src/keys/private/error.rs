//! Why a private key was not read or did not sign, in words for the person who gave it.

use super::SignatureFlags;
use crate::keys::rsa::PRIVATE_BITS;
use crate::keys::{KeyKind, PublicKeyError};
use std::fmt;

/// Why a text is not a private key that the bastion can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrivateKeyError {
    /// Nothing but blanks.
    Empty,
    /// Nothing that looks like a key.
    NotAKey,
    /// Longer than any key.
    TooLong,
    /// The public half.
    PublicKey,
    /// A PEM file of OpenSSL or of an old `ssh-keygen`: its label.
    Pem(String),
    /// A file of PuTTY.
    Putty,
    /// A file of SSH.com's programs.
    SshCom,
    /// A file of SSH protocol 1.
    Ssh1,
    /// More than one key in the text.
    SeveralKeys,
    /// The end line is missing, the base64 is bad, or a field is cut off.
    Damaged(&'static str),
    /// A passphrase is needed.
    Encrypted,
    /// The passphrase does not open it (or it is damaged: that cannot be told apart).
    WrongPassphrase,
    /// Encrypted in a way that is not known here: the cipher's name.
    Cipher(String),
    /// More rounds of bcrypt than are tried here.
    Rounds(u32),
    /// In a security key; the file is only a handle.
    SecurityKey(KeyKind),
    /// The public half is none that is taken.
    Public(PublicKeyError),
    /// The two halves do not belong together.
    Inconsistent,
    /// An RSA key of a size that cannot sign here, in bits.
    RsaSize(u32),
    /// An RSA key with a public exponent below 65537.
    RsaExponent,
    /// The kernel gave no random numbers.
    NoRandomness,
}

impl fmt::Display for PrivateKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("there is no key here: give a private key file of OpenSSH"),
            Self::NotAKey => f.write_str(
                "this is no private key: the file begins with -----BEGIN OPENSSH PRIVATE KEY-----",
            ),
            Self::TooLong => f.write_str("this is too long for a private key; give one key file"),
            Self::PublicKey => f.write_str("this is the public half; give the file of the same name without .pub"),
            Self::Pem(label) => write!(
                f,
                "this key is in the PEM format “{}”: `ssh-keygen -p -f FILE` rewrites it in OpenSSH's own format (it \
                 changes FILE: work on a copy; the new passphrase may be the old one or empty)",
                label.escape_debug()
            ),
            Self::Putty => f.write_str(
                "this is a file of PuTTY: `puttygen FILE -O private-openssh-new -o NEWFILE` converts it (in PuTTYgen: \
                 Conversions, Export OpenSSH key, new file format)",
            ),
            Self::SshCom => f.write_str("this is a file of SSH.com's programs: `ssh-keygen -i -f FILE` converts it"),
            Self::Ssh1 => f.write_str("this is a key of SSH protocol 1, which nothing takes any more"),
            Self::SeveralKeys => f.write_str("there is more than one key here; give one"),
            Self::Damaged(what) => write!(f, "the key file is damaged: {what}; copy it again whole"),
            Self::Encrypted => f.write_str("the key has a passphrase; give it when asked, or remove it from a copy with `ssh-keygen -p -f FILE`"),
            Self::WrongPassphrase => f.write_str("the passphrase does not open the key"),
            Self::Cipher(name) => write!(
                f,
                "the key is encrypted with “{}”, which is not known here: `ssh-keygen -p -f FILE` on a copy encrypts \
                 it in today's way",
                name.escape_debug()
            ),
            Self::Rounds(rounds) => write!(
                f,
                "the key's passphrase takes {rounds} rounds to check, too many: `ssh-keygen -p -a 16 -f FILE` on a copy"
            ),
            Self::SecurityKey(kind) => write!(
                f,
                "this is the handle of a key in a security key ({kind}), which somebody must touch; the bastion needs \
                 a key that it can hold: `--generate ed25519` makes one"
            ),
            Self::Public(error) => error.fmt(f),
            Self::Inconsistent => {
                f.write_str("the key file is damaged: its private and public halves do not belong together")
            }
            Self::RsaSize(bits) => write!(
                f,
                "the bastion signs with RSA keys of {} bits, this one has {bits}: `--generate ed25519` makes a good \
                 key",
                list(&PRIVATE_BITS)
            ),
            Self::RsaExponent => f.write_str(
                "this RSA key has a public exponent below 65537, as very old programs made them; `--generate ed25519` \
                 makes a good key",
            ),
            Self::NoRandomness => f.write_str("the kernel gives no random numbers (getrandom failed)"),
        }
    }
}

impl std::error::Error for PrivateKeyError {}

fn list(numbers: &[u32]) -> String {
    let words: Vec<String> = numbers.iter().map(u32::to_string).collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// Why a signature was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignError {
    /// RSA was asked for with SHA-1.
    Sha1,
    /// Flags that do not belong to the key.
    Flags(SignatureFlags),
    /// The numbers are no key.
    Failed,
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sha1 => f.write_str(
                "an RSA signature with SHA-1 was asked for, which only assets with `--algorithms legacy` get; better is an \
                 Ed25519 or ECDSA key for this system user",
            ),
            Self::Flags(SignatureFlags(flags)) => {
                write!(f, "a signature with flags {flags:#x} was asked for, which do not belong to the key")
            }
            Self::Failed => f.write_str("the key is damaged and cannot sign; set it again"),
        }
    }
}

impl std::error::Error for SignError {}
