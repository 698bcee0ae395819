//! The outside of an OpenSSH private key file: recognising the format, base64, and the passphrase (`PROTOCOL.key`).

use super::PrivateKeyError;
use crate::keys::wire::{Reader, WireError, Writer};
use crate::keys::{KeyKind, PublicKey, PublicKeyError};
use crate::secret::SecretString;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ssh_key::{Cipher, Kdf};
use zeroize::Zeroizing;

const BEGIN: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";
const END: &str = "-----END OPENSSH PRIVATE KEY-----";
const MAGIC: &[u8] = b"openssh-key-v1\0";
/// An RSA key of 16384 bits has 13 KB.
const MAX_TEXT: usize = 64 * 1024;
/// `ssh-keygen` uses 16 to 24; each round takes some milliseconds.
const MAX_ROUNDS: u32 = 1024;
/// As wide as `ssh-keygen` writes.
const WIDTH: usize = 70;

/// A key file whose private section may still be encrypted.
pub(super) struct Sealed {
    pub(super) public: PublicKey,
    cipher: Cipher,
    kdf: Kdf,
    section: Zeroizing<Vec<u8>>,
    tag: Option<[u8; 16]>,
}

impl From<WireError> for PrivateKeyError {
    fn from(_: WireError) -> Self {
        Self::Damaged("a field is missing or not in its form")
    }
}

pub(super) fn read(text: &str) -> Result<Sealed, PrivateKeyError> {
    let bytes = unarmor(text)?;
    let mut reader = Reader::new(&bytes);
    if reader.bytes(MAGIC.len())? != MAGIC {
        return Err(PrivateKeyError::Damaged("it does not begin as it should"));
    }
    let cipher_name = reader.text()?;
    let cipher = Cipher::new(cipher_name)
        .map_err(|_| PrivateKeyError::Cipher(cipher_name.chars().take(64).collect()))?;
    let kdf_name = reader.text()?;
    let kdf = read_kdf(kdf_name, reader.string()?)?;
    if cipher.is_some() != kdf.is_some() {
        return Err(PrivateKeyError::Damaged(
            "cipher and passphrase do not go together",
        ));
    }
    if reader.uint32()? != 1 {
        return Err(PrivateKeyError::SeveralKeys);
    }
    let public = read_public(reader.string()?)?;
    let section = Zeroizing::new(reader.string()?.to_vec());
    if section.is_empty() || section.len() % cipher.block_size() != 0 {
        return Err(PrivateKeyError::Damaged(
            "the private part has a wrong length",
        ));
    }
    let tag = if cipher.has_tag() {
        reader.bytes(16)?.try_into().ok()
    } else {
        None
    };
    reader.finish()?;
    Ok(Sealed {
        public,
        cipher,
        kdf,
        section,
        tag,
    })
}

fn read_public(blob: &[u8]) -> Result<PublicKey, PrivateKeyError> {
    match PublicKey::from_blob(blob) {
        // Only these sizes sign here; the sentence about private keys helps more than that about login keys.
        Err(PublicKeyError::RsaSize { bits, .. }) => Err(PrivateKeyError::RsaSize(bits)),
        Err(error) => Err(PrivateKeyError::Public(error)),
        Ok(key) if key.kind().is_security_key() => Err(PrivateKeyError::SecurityKey(key.kind())),
        Ok(key)
            if key.kind() == KeyKind::Rsa
                && !crate::keys::rsa::PRIVATE_BITS.contains(&key.bits()) =>
        {
            Err(PrivateKeyError::RsaSize(key.bits()))
        }
        Ok(key) => Ok(key),
    }
}

fn read_kdf(name: &str, options: &[u8]) -> Result<Kdf, PrivateKeyError> {
    match name {
        "none" if options.is_empty() => Ok(Kdf::None),
        "bcrypt" => {
            let mut reader = Reader::new(options);
            let salt = reader.string()?.to_vec();
            let rounds = reader.uint32()?;
            reader.finish()?;
            if rounds > MAX_ROUNDS {
                return Err(PrivateKeyError::Rounds(rounds));
            }
            if rounds == 0 || salt.is_empty() {
                return Err(PrivateKeyError::Damaged(
                    "the passphrase has no rounds or no salt",
                ));
            }
            Ok(Kdf::Bcrypt { salt, rounds })
        }
        _ => Err(PrivateKeyError::Damaged(
            "the passphrase is checked in an unknown way",
        )),
    }
}

impl Sealed {
    pub(super) fn decipher(
        &self,
        passphrase: Option<&str>,
    ) -> Result<Zeroizing<Vec<u8>>, PrivateKeyError> {
        let mut section = self.section.clone();
        if self.cipher.is_some() {
            let passphrase = passphrase.ok_or(PrivateKeyError::Encrypted)?;
            let (key, iv) = self
                .kdf
                .derive_key_and_iv(self.cipher, passphrase)
                .map_err(|_| PrivateKeyError::WrongPassphrase)?;
            self.cipher
                .decrypt(&key, &iv, &mut section, self.tag)
                .map_err(|_| PrivateKeyError::WrongPassphrase)?;
        }
        // The same random number twice: how a wrong passphrase is seen where the cipher has no tag.
        let mut reader = Reader::new(&section);
        if reader.uint32()? != reader.uint32()? {
            return Err(match self.cipher {
                Cipher::None => PrivateKeyError::Damaged("its two check numbers differ"),
                _ => PrivateKeyError::WrongPassphrase,
            });
        }
        Ok(section)
    }
}

/// The bytes between the first and the last line.
fn unarmor(text: &str) -> Result<Zeroizing<Vec<u8>>, PrivateKeyError> {
    let text =
        text.trim_matches(|character: char| character.is_whitespace() || character == '\u{feff}');
    if text.is_empty() {
        return Err(PrivateKeyError::Empty);
    }
    if text.len() > MAX_TEXT {
        return Err(PrivateKeyError::TooLong);
    }
    let body = text
        .strip_prefix(BEGIN)
        .ok_or_else(|| another_format(text))?;
    let (body, after) = body
        .split_once(END)
        .ok_or(PrivateKeyError::Damaged("the last line is missing"))?;
    if !after.is_empty() {
        return Err(if after.contains("-----BEGIN") {
            PrivateKeyError::SeveralKeys
        } else {
            PrivateKeyError::Damaged("something follows after the last line")
        });
    }
    let mut encoded = Zeroizing::new(Vec::with_capacity(body.len()));
    encoded.extend(body.bytes().filter(|byte| !byte.is_ascii_whitespace()));
    STANDARD
        .decode(&encoded)
        .map(Zeroizing::new)
        .map_err(|_| PrivateKeyError::Damaged("it is not base64"))
}

/// What people give instead.
fn another_format(text: &str) -> PrivateKeyError {
    let first = text.lines().next().unwrap_or_default().trim();
    if first.starts_with("PuTTY-User-Key-File") {
        return PrivateKeyError::Putty;
    }
    if first.starts_with("---- BEGIN SSH2 ENCRYPTED PRIVATE KEY") {
        return PrivateKeyError::SshCom;
    }
    if first.starts_with("SSH PRIVATE KEY FILE FORMAT 1.1") {
        return PrivateKeyError::Ssh1;
    }
    let label = first
        .strip_prefix("-----BEGIN ")
        .and_then(|rest| rest.strip_suffix("-----"));
    match label {
        Some(label) if label.ends_with("PRIVATE KEY") => {
            PrivateKeyError::Pem(label.chars().take(64).collect())
        }
        _ if PublicKey::parse_line(text).is_ok() || first.contains("PUBLIC KEY") => {
            PrivateKeyError::PublicKey
        }
        _ if text.contains(BEGIN) => {
            PrivateKeyError::Damaged("something stands before the first line")
        }
        _ => PrivateKeyError::NotAKey,
    }
}

/// The file around an unencrypted private section.
pub(super) fn write(section: &[u8], public: &[u8]) -> SecretString {
    // Large enough from the start: a vector that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(section.len() + public.len() + 64));
    bytes.extend_from_slice(MAGIC);
    bytes.put_string(b"none");
    bytes.put_string(b"none");
    bytes.put_string(b"");
    bytes.extend_from_slice(&1_u32.to_be_bytes());
    bytes.put_string(public);
    bytes.put_string(section);
    let encoded = Zeroizing::new(STANDARD.encode(&bytes));
    let mut text = String::with_capacity(encoded.len() + encoded.len() / WIDTH + 80);
    text.push_str(BEGIN);
    for (index, character) in encoded.chars().enumerate() {
        if index % WIDTH == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    text.push('\n');
    text.push_str(END);
    text.push('\n');
    SecretString::from(text)
}
