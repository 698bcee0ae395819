//! Host keys: what `ssh-keyscan` printed or a person gave, and the lines of `known_hosts` that `ssh` believes.
//!
//! Trusts nothing: a scan is what an unknown machine chose to say.

use super::line::{one_line, word};
use super::rsa::VERIFY_MAX_BITS;
use super::{Fingerprint, KeyKind, LegacyHash, PublicKey, PublicKeyError, VerifyError};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

/// OpenSSH's client refuses RSA host keys below 1024 bits; above 8192 the relay could not check a signature.
const RSA_BITS: std::ops::RangeInclusive<u32> = 1024..=VERIFY_MAX_BITS;
/// The most of a scan that is read, in bytes; a machine has a handful of keys.
const MAX_SCAN: usize = 64 * 1024;
/// The most keys that are taken from one scan.
const MAX_KEYS: usize = 16;

/// The public key of a machine: Ed25519, ECDSA or RSA (1024 to 8192 bits).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostKey(PublicKey);

/// Why a text is not a host key that we take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostKeyError {
    /// Not a key that we take.
    Key(PublicKeyError),
    /// A line that begins with a marker: `@cert-authority` or `@revoked`.
    Marker(String),
    /// A kind that machines do not use.
    NotForHosts(KeyKind),
}

impl fmt::Display for HostKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(error) => error.fmt(f),
            Self::Marker(marker) => write!(
                f,
                "the line begins with “{}”, which is not a key of one machine; give its own host key",
                marker.escape_debug()
            ),
            Self::NotForHosts(kind) => {
                write!(f, "a key of the kind “{kind}” is not taken for a machine")
            }
        }
    }
}

impl std::error::Error for HostKeyError {}

/// An address that cannot stand in `known_hosts`, where some characters have a meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostNameError(String);

impl fmt::Display for HostNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "“{}” cannot be the address of an asset: use letters, digits, and . - _ : %",
            self.0.escape_debug()
        )
    }
}

impl std::error::Error for HostNameError {}

impl HostKey {
    /// Checks a host key in wire form.
    ///
    /// # Errors
    /// [`HostKeyError`] with a sentence for the person who gave it.
    pub fn from_blob(blob: &[u8]) -> Result<Self, HostKeyError> {
        let key = PublicKey::with_rsa_bits(blob, RSA_BITS).map_err(HostKeyError::Key)?;
        match key.kind() {
            kind if kind.is_security_key() => Err(HostKeyError::NotForHosts(kind)),
            _ => Ok(Self(key)),
        }
    }

    /// Reads one line: of `/etc/ssh/ssh_host_*_key.pub` (`type base64 comment`), of `ssh-keyscan` or `known_hosts`
    /// (`names type base64`). The names are not looked at: the key is stored for the asset that it is given for.
    ///
    /// # Errors
    /// [`HostKeyError`] with a sentence for the person who gave it.
    pub fn parse_line(text: &str) -> Result<Self, HostKeyError> {
        let line = one_line(text).map_err(HostKeyError::Key)?;
        let (first, rest) = word(line);
        if first.starts_with('@') {
            return Err(HostKeyError::Marker(first.chars().take(64).collect()));
        }
        let (name, rest) = match KeyKind::parse(first) {
            Some(_) => (first, rest),
            None if rest.contains([' ', '\t']) => word(rest),
            None => (first, rest),
        };
        Self::from_words(name, word(rest).0)
    }

    fn from_words(name: &str, encoded: &str) -> Result<Self, HostKeyError> {
        let kind =
            KeyKind::parse(name).ok_or_else(|| HostKeyError::Key(PublicKeyError::kind(name)))?;
        if encoded.is_empty() {
            return Err(HostKeyError::Key(PublicKeyError::NoKey(kind)));
        }
        let blob = STANDARD
            .decode(encoded)
            .map_err(|_| HostKeyError::Key(PublicKeyError::Base64))?;
        let key = Self::from_blob(&blob)?;
        if key.kind() == kind {
            Ok(key)
        } else {
            Err(HostKeyError::Key(PublicKeyError::KindMismatch {
                line: kind,
                key: key.kind(),
            }))
        }
    }

    /// The kind of key.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.0.kind()
    }

    /// Its size as `ssh-keygen -l` says it.
    #[must_use]
    pub fn bits(&self) -> u32 {
        self.0.bits()
    }

    /// The wire form.
    #[must_use]
    pub fn blob(&self) -> &[u8] {
        self.0.blob()
    }

    /// The fingerprint, displayed as `SHA256:…`.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.0.fingerprint()
    }

    /// `type base64`, as in a `.pub` file.
    #[must_use]
    pub fn openssh_line(&self) -> String {
        self.0.openssh_line("")
    }

    /// The line of a `known_hosts` file, without a newline, that makes `ssh` believe this key for this address:
    /// `address type base64` for port 22, `[address]:port type base64` for any other.
    ///
    /// # Errors
    /// [`HostNameError`] for an address that would be read as a pattern, a list, a hash or a marker.
    pub fn known_hosts_line(&self, address: &str, port: u16) -> Result<String, HostNameError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:%".contains(&byte);
        if address.is_empty() || address.len() > 255 || !address.bytes().all(plain) {
            return Err(HostNameError(address.chars().take(64).collect()));
        }
        let key = self.openssh_line();
        Ok(match port {
            22 => format!("{address} {key}"),
            port => format!("[{address}]:{port} {key}"),
        })
    }

    /// Checks a signature that a machine made with this key.
    ///
    /// # Errors
    /// [`VerifyError`] when it did not, or when that cannot be told.
    pub fn verify(
        &self,
        data: &[u8],
        signature: &[u8],
        legacy: LegacyHash,
    ) -> Result<(), VerifyError> {
        self.0.verify(data, signature, legacy)
    }
}

/// A key that was seen in a scan and not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedKey {
    /// The kind that the line named: printable ASCII, at most 64 characters.
    pub kind: String,
    /// Why it was not taken.
    pub reason: HostKeyError,
}

/// What a scan found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keyscan {
    /// The keys, the best kind first, each once.
    pub keys: Vec<HostKey>,
    /// Keys of kinds or sizes that are not taken, and lines that were not understood.
    pub skipped: Vec<SkippedKey>,
}

/// Reads what `ssh-keyscan` printed to its standard output. Comment lines (they carry the machine's own banner) are
/// not looked at; nor are names, because one address was scanned. At most 64 KiB and 16 keys are taken.
#[must_use]
pub fn parse_keyscan(output: &[u8]) -> Keyscan {
    let mut found = Keyscan::default();
    let output = output.get(..MAX_SCAN).unwrap_or(output);
    for line in output.split(|byte| *byte == b'\n') {
        let Ok(line) = std::str::from_utf8(line) else {
            continue;
        };
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if found.keys.len() + found.skipped.len() >= MAX_KEYS {
            break;
        }
        let (_name, rest) = word(line);
        let (kind, encoded) = word(rest);
        match HostKey::from_words(kind, encoded) {
            Ok(key) if found.keys.contains(&key) => {}
            Ok(key) => found.keys.push(key),
            Err(reason) => {
                let kind = kind
                    .chars()
                    .filter(char::is_ascii_graphic)
                    .take(64)
                    .collect();
                found.skipped.push(SkippedKey { kind, reason });
            }
        }
    }
    let rank = |key: &HostKey| KeyKind::ALL.iter().position(|kind| *kind == key.kind());
    found.keys.sort_by_key(rank);
    found
}
