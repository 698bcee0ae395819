//! The message `Invalid user NAME from ADDRESS port N`, and how a name got into it.
//!
//! sshd cuts the name at 100 bytes (`%.100s`, auth.c), then makes the whole message printable (vis(3) with
//! `VIS_CSTYLE|VIS_OCTAL`, log.c): a backslash becomes two, other bytes `\n` and the like or `\ooo`. rsyslog writes
//! control characters that are left as `#ooo`.

use std::net::IpAddr;

/// Bytes of a name that sshd writes down.
const LONGEST: usize = 100;

/// A name that does not exist, and who asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// The name, as it came over the wire; what is no UTF-8 is replaced. May hold any character.
    pub name: String,
    /// Whether sshd may have cut it.
    pub cut: bool,
    /// The client's address; `UNKNOWN` where sshd knew none.
    pub source: String,
}

/// Reads sshd's message, `None` when it is another one.
#[must_use]
pub fn invalid_user(message: &[u8]) -> Option<Invalid> {
    let message = message.trim_ascii_end();
    let message = message.strip_suffix(b" [preauth]").unwrap_or(message);
    let rest = message.strip_prefix(b"Invalid user ")?;
    // The name may hold the word, too; the last one is sshd's.
    let place = rest.windows(6).rposition(|window| window == b" from ")?;
    let (name, source) = (rest.get(..place)?, rest.get(place + 6..)?);
    let source = source_of(std::str::from_utf8(source).ok()?)?;
    let name = unescape(name);
    Some(Invalid {
        cut: name.len() >= LONGEST,
        name: String::from_utf8_lossy(&name).into_owned(),
        source,
    })
}

/// `192.0.2.1 port 4242`; older versions write no port.
fn source_of(text: &str) -> Option<String> {
    let mut words = text.split(' ');
    let address = address_of(words.next()?)?;
    match (words.next(), words.next(), words.next()) {
        (None, None, None) => {}
        (Some("port"), Some(port), None) => {
            port.parse::<u32>().ok()?;
        }
        _ => return None,
    }
    Some(address.to_owned())
}

/// An address as sshd writes it.
pub(super) fn address_of(text: &str) -> Option<&str> {
    let plain = text.split('%').next()?;
    let known = plain.parse::<IpAddr>().is_ok() && text.len() <= 64;
    (known || text == "UNKNOWN").then_some(text)
}

/// The bytes that sshd and rsyslog have written as something else.
pub(super) fn unescape(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let (byte, taken) = match (first, after) {
            (b'\\', [b'\\', ..]) => (b'\\', 2),
            (b'\\', [letter, ..]) if letter_of(*letter).is_some() => {
                (letter_of(*letter).unwrap_or_default(), 2)
            }
            (b'\\', digits) => octal(digits).map_or((*first, 1), |byte| (byte, 4)),
            // Only what rsyslog writes so; anything else is a name with a `#` in it.
            (b'#', digits) => octal(digits)
                .filter(|byte| *byte < b' ' || *byte >= 0x7f)
                .map_or((*first, 1), |byte| (byte, 4)),
            _ => (*first, 1),
        };
        bytes.push(byte);
        rest = rest.get(taken..).unwrap_or_default();
    }
    bytes
}

/// vis(3)'s letters for control characters.
fn letter_of(letter: u8) -> Option<u8> {
    Some(match letter {
        b'n' => b'\n',
        b'r' => b'\r',
        b'b' => 8,
        b'a' => 7,
        b'v' => 11,
        b't' => b'\t',
        b'f' => 12,
        b's' => b' ',
        _ => return None,
    })
}

/// Three octal digits of one byte.
fn octal(digits: &[u8]) -> Option<u8> {
    let three = digits.get(..3)?;
    three.iter().try_fold(0_u8, |byte, digit| match digit {
        b'0'..=b'7' => byte.checked_mul(8)?.checked_add(digit - b'0'),
        _ => None,
    })
}
