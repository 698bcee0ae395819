//! `SSH_AUTH_INFO_0`: what sshd has seen proven so far.
//!
//! One line for each method that succeeded, in order (`auth2_update_session_info` in sshd's
//! auth2.c): the method, after a slash its device, after a blank its public key. Strict: a line
//! that is not understood makes the whole unusable, because a factor that we do not know must not
//! count as one that we do. sshd writes it, but key blobs in it come from the client.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jms::keys::Fingerprint;
use snapshot::{KeyType, parse_key_blob};

/// More factors than any AuthenticationMethods asks for.
const MAX_FACTORS: usize = 8;
/// Longest name of a keyboard-interactive device; sshd knows `pam` and `bsdauth`.
const MAX_DEVICE: usize = 32;

/// One method that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Factor {
    /// `publickey`: sshd checked a signature.
    PublicKey(ProvenKey),
    /// `keyboard-interactive`, with the device that asked.
    KeyboardInteractive(String),
    /// `password`: sshd asked, PAM checked.
    Password,
}

/// A public key that sshd saw proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProvenKey {
    /// Its type.
    pub kind: KeyType,
    /// SHA-256 of its blob.
    pub fingerprint: Fingerprint,
}

/// Why the text is no list of factors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthenticationError {
    /// More lines than factors can be.
    TooMany,
    /// A line is empty or is no `method[/device][ key]`.
    Line(usize),
    /// A method that we do not know.
    Method(usize),
    /// The public key in this line is none, or of a type that nobody may log in with.
    Key(usize),
}

impl fmt::Display for AuthenticationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany => write!(f, "sshd names more than {MAX_FACTORS} factors"),
            Self::Line(line) => write!(f, "line {line} of sshd's factors is not understood"),
            Self::Method(line) => write!(f, "line {line} of sshd's factors has an unknown method"),
            Self::Key(line) => write!(f, "line {line} of sshd's factors has no key that is taken"),
        }
    }
}

impl std::error::Error for AuthenticationError {}

/// Reads the whole. An empty text is an empty list: sshd has told PAM nothing yet.
///
/// # Errors
/// Which line is not understood.
pub fn parse(text: &str) -> Result<Vec<Factor>, AuthenticationError> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let mut factors = Vec::new();
    for (line, number) in text.split('\n').zip(1_usize..) {
        if number > MAX_FACTORS {
            return Err(AuthenticationError::TooMany);
        }
        factors.push(parse_line(line, number)?);
    }
    Ok(factors)
}

fn parse_line(line: &str, number: usize) -> Result<Factor, AuthenticationError> {
    let (method, rest) = match line.split_once(' ') {
        Some((method, rest)) => (method, Some(rest)),
        None => (line, None),
    };
    let (name, device) = match method.split_once('/') {
        Some((name, device)) => (name, Some(device)),
        None => (method, None),
    };
    match (name, device, rest) {
        ("publickey", None, Some(key)) => parse_key(key)
            .map(Factor::PublicKey)
            .ok_or(AuthenticationError::Key(number)),
        ("keyboard-interactive", Some(device), None) if is_device(device) => {
            Ok(Factor::KeyboardInteractive(device.to_owned()))
        }
        ("password", None, None) => Ok(Factor::Password),
        ("publickey" | "keyboard-interactive" | "password" | "", _, _) => {
            Err(AuthenticationError::Line(number))
        }
        _ => Err(AuthenticationError::Method(number)),
    }
}

fn is_device(text: &str) -> bool {
    (1..=MAX_DEVICE).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// `type base64`, where the blob is of that type from its first to its last byte. Certificates are
/// not login keys here, so they are not taken.
fn parse_key(text: &str) -> Option<ProvenKey> {
    let (name, encoded) = text.split_once(' ')?;
    let blob = STANDARD.decode(encoded).ok()?;
    let kind = parse_key_blob(&blob).ok()?;
    (kind.name() == name).then(|| ProvenKey {
        kind,
        fingerprint: Fingerprint::of(&blob),
    })
}

/// The methods in order, as they are kept with the login: `publickey,keyboard-interactive/pam`.
#[must_use]
pub fn summary(factors: &[Factor]) -> String {
    let words: Vec<String> = factors
        .iter()
        .map(|factor| match factor {
            Factor::PublicKey(_) => "publickey".to_owned(),
            Factor::KeyboardInteractive(device) => format!("keyboard-interactive/{device}"),
            Factor::Password => "password".to_owned(),
        })
        .collect();
    words.join(",")
}

/// The first public key among the factors.
#[must_use]
pub fn first_key(factors: &[Factor]) -> Option<ProvenKey> {
    factors.iter().find_map(|factor| match factor {
        Factor::PublicKey(key) => Some(*key),
        Factor::KeyboardInteractive(_) | Factor::Password => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `ssh-keygen -t ed25519`, and what `ssh-keygen -l` says of it.
    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPAaKq47/kg4Dt6K28HYdE4b1kAbFDdHGTRDjiXV2R1I";

    fn key_line() -> String {
        format!("publickey {KEY}\n")
    }

    #[test]
    fn what_sshd_writes_is_understood() {
        let text = format!("{}keyboard-interactive/pam\npassword\n", key_line());
        let factors = parse(&text).unwrap();
        assert_eq!(
            summary(&factors),
            "publickey,keyboard-interactive/pam,password"
        );
        let key = first_key(&factors).unwrap();
        assert_eq!(key.kind, KeyType::Ed25519);
        let blob = STANDARD.decode(KEY.split_once(' ').unwrap().1).unwrap();
        assert_eq!(key.fingerprint, Fingerprint::of(&blob));
    }

    #[test]
    fn nothing_said_is_no_factor() {
        assert_eq!(parse(""), Ok(Vec::new()));
        assert_eq!(parse("\n"), Ok(Vec::new()));
        assert_eq!(first_key(&[]), None);
    }

    #[test]
    fn the_last_line_may_lack_its_end() {
        assert_eq!(parse(key_line().trim_end()), parse(&key_line()));
    }

    #[test]
    fn what_is_not_understood_spoils_the_whole() {
        use AuthenticationError::{Key, Line, Method, TooMany};
        let cases = [
            (format!("{}\n{}", key_line(), key_line()), Line(2)),
            ("publickey\n".into(), Line(1)),
            (format!("publickey/x {KEY}\n"), Line(1)),
            (format!("publickey  {KEY}\n"), Key(1)),
            (format!("publickey {KEY} comment\n"), Key(1)),
            (format!("publickey {KEY}\r\n"), Key(1)),
            (
                format!("publickey {}\n", KEY.replace("ssh-ed25519", "ssh-rsa")),
                Key(1),
            ),
            (format!("publickey {}\n", &KEY[..KEY.len() - 4]), Key(1)),
            (format!("publickey {KEY}AAAA\n"), Key(1)),
            (
                "publickey ssh-ed25519-cert-v01@openssh.com AAAA\n".into(),
                Key(1),
            ),
            ("keyboard-interactive\n".into(), Line(1)),
            ("keyboard-interactive/\n".into(), Line(1)),
            ("keyboard-interactive/PAM\n".into(), Line(1)),
            ("keyboard-interactive/pam x\n".into(), Line(1)),
            ("password x\n".into(), Line(1)),
            ("none\n".into(), Method(1)),
            (
                "hostbased ssh-ed25519 AAAA client user \"a\"\n".into(),
                Method(1),
            ),
            ("gssapi-with-mic\n".into(), Method(1)),
            ("password\n".repeat(9), TooMany),
        ];
        for (text, error) in cases {
            assert_eq!(parse(&text), Err(error), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_understood_or_refused(text in "[a-z/ \n=A-Z0-9]{0,200}") {
            let _ = parse(&text);
        }

        #[test]
        fn one_changed_character_of_the_key_is_another_key_or_none(at in 12_usize..80, to in "[A-Za-z0-9+/]") {
            let mut line = format!("publickey {KEY}\n");
            let at = "publickey ".len() + at;
            prop_assume!(line.as_bytes()[at] != to.as_bytes()[0] && line.as_bytes()[at] != b' ');
            line.replace_range(at..=at, &to);
            if let Ok(factors) = parse(&line) {
                prop_assert_ne!(Ok(factors), parse(&key_line()));
            }
        }
    }
}
