//! Messages about names that exist, of connections that have not logged in: a key was proven and more is wanted, the next
//! method was begun, the connection ended.
//!
//! `Partial publickey for NAME from ADDRESS port N ssh2: TYPE SHA256:…` and `Postponed keyboard-interactive for NAME from
//! ADDRESS port N ssh2` (auth.c, `auth_log`; with `/pam` where it has failed) are written at `LogLevel VERBOSE` only; `Connection closed by authenticating
//! user NAME ADDRESS port N` (packet.c, `sshpkt_vfatal`) always.

use super::message::{address_of, unescape};

/// What sshd wrote about one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The login name, as it came over the wire: a user, with an asset behind an `@` or not.
    pub name: String,
    /// The client's address; `UNKNOWN` where sshd knew none.
    pub source: String,
    /// The client's port.
    pub port: u16,
    /// What happened.
    pub step: Step,
}

/// How far a connection came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A key was proven, and sshd wants more than that.
    KeyProven {
        /// Its fingerprint, `SHA256:…`.
        key: String,
    },
    /// Keyboard-interactive was begun, and PAM with it.
    Begun,
    /// The client ended it before it had logged in.
    Ended,
}

/// What stands before the name where the client ended a connection: it closed it, with sshd's protocol or without, or was lost.
const ENDS: [&[u8]; 3] = [
    b"Connection closed by authenticating user ",
    b"Connection reset by authenticating user ",
    b"Disconnected from authenticating user ",
];
/// What stands before the name where keyboard-interactive was begun; behind it the device and ` for `.
const BEGUN: [&[u8]; 3] = [
    b"Postponed keyboard-interactive",
    b"Partial keyboard-interactive",
    b"Failed keyboard-interactive",
];

/// Reads sshd's message, `None` when it is another one.
#[must_use]
pub fn known_user(message: &[u8]) -> Option<Known> {
    let message = message.trim_ascii_end();
    let message = message.strip_suffix(b" [preauth]").unwrap_or(message);
    if let Some(rest) = ENDS.iter().find_map(|words| message.strip_prefix(*words)) {
        return place(rest, b" ", Step::Ended);
    }
    if let Some(rest) = message.strip_prefix(b"Partial publickey for ") {
        // No name stands behind the last blank: `ssh2: ED25519 SHA256:…`.
        let colon = rest.windows(7).rposition(|window| window == b" ssh2: ")?;
        let (rest, key) = (rest.get(..colon)?, rest.get(colon + 7..)?);
        let key = std::str::from_utf8(key).ok()?.split_once(' ')?.1;
        let step = Step::KeyProven {
            key: fingerprint(key)?,
        };
        return place(rest, b" from ", step);
    }
    let rest = BEGUN
        .iter()
        .find_map(|words| message.strip_prefix(*words))?;
    let rest = rest.strip_prefix(b"/pam").unwrap_or(rest);
    let rest = rest.strip_prefix(b" for ")?.strip_suffix(b" ssh2")?;
    place(rest, b" from ", Step::Begun)
}

/// `NAME`, what stands between, `ADDRESS port N`; read from its end, as a name may hold anything.
fn place(text: &[u8], between: &[u8], step: Step) -> Option<Known> {
    let blank = |text: &[u8]| text.iter().rposition(|byte| *byte == b' ');
    let (rest, port) = text.split_at_checked(blank(text)?)?;
    let rest = rest.strip_suffix(b" port")?;
    let (rest, source) = rest.split_at_checked(blank(rest)? + 1)?;
    let name = rest.strip_suffix(between)?;
    let source = address_of(std::str::from_utf8(source).ok()?)?;
    Some(Known {
        name: String::from_utf8_lossy(&unescape(name)).into_owned(),
        source: source.to_owned(),
        port: std::str::from_utf8(port.get(1..)?).ok()?.parse().ok()?,
        step,
    })
}

/// `SHA256:` and 43 digits of base64.
fn fingerprint(text: &str) -> Option<String> {
    let digits = text.strip_prefix("SHA256:")?;
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    (digits.len() == 43 && digits.bytes().all(good)).then(|| text.to_owned())
}
