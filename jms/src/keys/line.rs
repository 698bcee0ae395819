//! Reading the one line of a public key that a person gives: `type base64 comment`, and nothing else.
//!
//! What people give by mistake is recognised, and answered with what to do instead.

use super::{KeyKind, PublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

/// The longest line that is read, in bytes; an RSA key of 16384 bits needs 2800.
const MAX_LINE: usize = 16 * 1024;

/// Why a text is not a public key that we take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKeyError {
    /// Nothing but blanks and comments.
    Empty,
    /// Longer than `MAX_LINE`.
    TooLong,
    /// More than one line with something in it.
    SeveralLines,
    /// A control character or a byte order mark inside the line.
    ControlCharacter,
    /// A private key in any format.
    PrivateKey,
    /// A certificate, as a line or as a file.
    Certificate,
    /// PuTTY's or another program's export (RFC 4716).
    Rfc4716,
    /// A PEM file with a public key.
    Pem,
    /// Options stand before the key: the first one's name.
    Options(String),
    /// A DSA key.
    Dsa,
    /// A name that is no kind of key we know.
    UnknownKind(String),
    /// The kind is there and nothing follows.
    NoKey(KeyKind),
    /// The line says one kind and the key inside is another one.
    KindMismatch {
        /// What the line says.
        line: KeyKind,
        /// What the key says.
        key: KeyKind,
    },
    /// The second word is not base64.
    Base64,
    /// The key inside is cut off or not in the form of its kind.
    Malformed,
    /// The point is not on the curve.
    NotOnCurve,
    /// An RSA key of a size that is not taken.
    RsaSize {
        /// Its size.
        bits: u32,
        /// The smallest size.
        least: u32,
        /// The largest size.
        most: u32,
    },
}

impl PublicKeyError {
    /// The error for a kind that is not ours, by its name.
    pub(super) fn kind(name: &str) -> Self {
        if name.contains("-cert-v") {
            return Self::Certificate;
        }
        match name {
            "ssh-dss" => Self::Dsa,
            _ => Self::UnknownKind(name.chars().take(64).collect()),
        }
    }
}

impl fmt::Display for PublicKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("there is no key here: give one line like `ssh-ed25519 AAAA… comment`"),
            Self::TooLong => write!(f, "a public key is one line of at most {MAX_LINE} bytes"),
            Self::SeveralLines => f.write_str(
                "there is more than one line: a public key is one line; give several keys one after the other",
            ),
            Self::ControlCharacter => {
                f.write_str("there is a control character in the line; copy the key again from its .pub file")
            }
            Self::PrivateKey => f.write_str(
                "this is a private key: it must not leave its owner's machine; give the file whose name ends in .pub \
                 (`ssh-keygen -y -f FILE` prints it)",
            ),
            Self::Certificate => f.write_str(
                "this is a certificate: give the key itself, the file whose name ends in .pub and not in -cert.pub",
            ),
            Self::Rfc4716 => f.write_str(
                "this is a key in the format of PuTTY and others: `ssh-keygen -i -f FILE` prints it as one line; in \
                 PuTTYgen copy the text of the upper box",
            ),
            Self::Pem => f.write_str(
                "this is a public key in PEM format: `ssh-keygen -i -m PKCS8 -f FILE` prints it as one line",
            ),
            Self::Options(name) => options_sentence(f, name),
            Self::Dsa => f.write_str("DSA keys are not taken, nor does sshd take them: `ssh-keygen -t ed25519` makes a good one"),
            Self::UnknownKind(name) => write!(
                f,
                "“{}” is no kind of key that is taken; a line begins with one of: {}",
                name.escape_debug(),
                KeyKind::ALL.map(KeyKind::as_str).join(", ")
            ),
            Self::NoKey(kind) => write!(f, "nothing follows “{kind}”: the line was cut off; copy it again whole"),
            Self::KindMismatch { line, key } => {
                write!(f, "the line says “{line}” but the key in it is of the kind “{key}”; copy it again whole")
            }
            Self::Base64 => f.write_str("the key is not base64: a character was lost or added; copy the line again whole"),
            Self::Malformed => f.write_str("the key is damaged: a part was lost or added; copy the line again whole"),
            Self::NotOnCurve => f.write_str("the key is damaged: its point is not on the curve; copy the line again whole"),
            Self::RsaSize { bits, least, .. } if bits < least => write!(
                f,
                "an RSA key needs at least {least} bits, this one has {bits}: `ssh-keygen -t ed25519` makes a good one"
            ),
            Self::RsaSize { bits, most, .. } => write!(
                f,
                "an RSA key may have at most {most} bits, this one has {bits}: `ssh-keygen -t ed25519` makes a good one"
            ),
        }
    }
}

impl std::error::Error for PublicKeyError {}

fn options_sentence(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    let name = name.escape_debug();
    let instead = match name.to_string().to_ascii_lowercase().as_str() {
        "from" => "give the addresses to the flag --from",
        "expiry-time" => "give the time to the flag --valid-until",
        "verify-required" => "use the flag --verify-required",
        "no-touch-required" => "there is no such exception here, and a touch is always asked for",
        "cert-authority" | "principals" => "a certificate authority is not a login key",
        _ => "what a user may do is said by grants (jmsctl grant), not by the key",
    };
    write!(
        f,
        "the option “{name}” stands before the key: {instead}; then give the key alone, `type base64 comment`"
    )
}

impl PublicKey {
    /// Reads the line of a `.pub` file: type, base64, comment. Lines that begin with `#` and empty ones around it
    /// are skipped; everything else is refused, options before the key too.
    ///
    /// # Errors
    /// [`PublicKeyError`] with a sentence for the person who gave it.
    pub fn parse_line(text: &str) -> Result<Self, PublicKeyError> {
        let line = one_line(text)?;
        let (name, rest) = word(line);
        let Some(kind) = KeyKind::parse(name) else {
            return Err(options(line).unwrap_or_else(|| PublicKeyError::kind(name)));
        };
        let (encoded, comment) = word(rest);
        if encoded.is_empty() {
            return Err(PublicKeyError::NoKey(kind));
        }
        let blob = STANDARD
            .decode(encoded)
            .map_err(|_| PublicKeyError::Base64)?;
        let key = Self::from_blob(&blob)?;
        if key.kind() != kind {
            return Err(PublicKeyError::KindMismatch {
                line: kind,
                key: key.kind(),
            });
        }
        Ok(key.with_comment(comment))
    }
}

/// The only line with something in it.
pub(super) fn one_line(text: &str) -> Result<&str, PublicKeyError> {
    if let Some(error) = another_format(text) {
        return Err(error);
    }
    let mut lines = text
        .lines()
        .map(|line| line.trim_matches([' ', '\t', '\r']))
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let line = lines.next().ok_or(PublicKeyError::Empty)?;
    if lines.next().is_some() {
        return Err(PublicKeyError::SeveralLines);
    }
    if line.len() > MAX_LINE {
        return Err(PublicKeyError::TooLong);
    }
    if line.contains(|character: char| {
        (character.is_control() && character != '\t') || character == '\u{feff}'
    }) {
        return Err(PublicKeyError::ControlCharacter);
    }
    Ok(line)
}

/// Files that people take for a public key.
fn another_format(text: &str) -> Option<PublicKeyError> {
    let text = text.trim_start();
    if text.starts_with("PuTTY-User-Key-File")
        || text.starts_with("SSH PRIVATE KEY FILE FORMAT 1.1")
    {
        return Some(PublicKeyError::PrivateKey);
    }
    let first = text.lines().find(|line| line.starts_with("----"))?;
    if first.contains("PRIVATE KEY") {
        Some(PublicKeyError::PrivateKey)
    } else if first.contains("SSH2 PUBLIC KEY") {
        Some(PublicKeyError::Rfc4716)
    } else if first.contains("CERTIFICATE") {
        Some(PublicKeyError::Certificate)
    } else {
        first.contains("PUBLIC KEY").then_some(PublicKeyError::Pem)
    }
}

/// The first word and what follows the blanks after it.
pub(super) fn word(line: &str) -> (&str, &str) {
    match line.split_once([' ', '\t']) {
        Some((word, rest)) => (word, rest.trim_matches([' ', '\t'])),
        None => (line, ""),
    }
}

/// Recognises options as sshd splits them off: up to the first blank outside of quotes, and a kind of key after it.
fn options(line: &str) -> Option<PublicKeyError> {
    let mut quoted = false;
    let mut escaped = false;
    let end = line.find(|character| {
        match character {
            '"' if !escaped => quoted = !quoted,
            ' ' | '\t' if !quoted => return true,
            _ => {}
        }
        escaped = character == '\\' && !escaped;
        false
    })?;
    let (options, rest) = line.split_at_checked(end)?;
    let kind = word(rest.trim_start()).0;
    let known =
        KeyKind::parse(kind).is_some() || kind.starts_with("ssh-") || kind.contains("-cert-v");
    let name = options.split(['=', ',']).next()?;
    known.then(|| PublicKeyError::Options(name.chars().take(64).collect()))
}
