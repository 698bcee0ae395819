//! A secret as it is typed, key by key, at a terminal that shows nothing.
#![forbid(unsafe_code)]

use super::SecretString;
use zeroize::Zeroizing;

/// Longer than any password or passphrase that a person types, in bytes.
const LONGEST: usize = 1024;

/// A line that is being typed. Wiped when dropped.
#[derive(Default)]
pub struct SecretLine(Zeroizing<Vec<u8>>);

/// What a key has made of the line.
#[derive(Debug)]
pub enum Typed {
    /// More is to come.
    More,
    /// The line is whole.
    Done(SecretString),
    /// It was given up: ^C, ^D on an empty line, or bytes that are no text.
    GivenUp,
}

impl SecretLine {
    /// An empty line.
    #[must_use]
    pub fn new() -> Self {
        Self(Zeroizing::new(Vec::with_capacity(LONGEST)))
    }

    /// Takes a byte of the terminal: backspace and ^U correct, ^C and ^D give up.
    #[must_use]
    pub fn key(&mut self, byte: u8) -> Typed {
        let line = &mut self.0;
        match byte {
            b'\r' | b'\n' => {
                return match String::from_utf8(std::mem::take(&mut **line)) {
                    Ok(text) => Typed::Done(SecretString::from(text)),
                    Err(error) => {
                        drop(Zeroizing::new(error.into_bytes()));
                        Typed::GivenUp
                    }
                };
            }
            0x03 => return Typed::GivenUp,
            0x04 if line.is_empty() => return Typed::GivenUp,
            0x15 => line.clear(),
            0x08 | 0x7f => {
                // A character may be several bytes.
                while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            }
            byte if line.len() < LONGEST => line.push(byte),
            _ => {}
        }
        Typed::More
    }
}

impl std::fmt::Debug for SecretLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[u8]) -> Option<String> {
        let mut line = SecretLine::new();
        for key in keys {
            match line.key(*key) {
                Typed::More => {}
                Typed::Done(text) => return Some(text.expose().to_owned()),
                Typed::GivenUp => return None,
            }
        }
        None
    }

    #[test]
    fn a_line_is_corrected_and_given_up_as_people_expect() {
        assert_eq!(typed(b"secret\n").as_deref(), Some("secret"));
        assert_eq!(typed(b"sex\x7fcret\r").as_deref(), Some("secret"));
        assert_eq!(typed("é\x7fa\n".as_bytes()).as_deref(), Some("a"));
        assert_eq!(typed(b"wrong\x15right\n").as_deref(), Some("right"));
        assert_eq!(typed(b"sec\x03ret\n"), None);
        assert_eq!(typed(b"\x04"), None);
        assert_eq!(typed(b"no end"), None);
        assert_eq!(typed(b"\xff\n"), None);
        assert_eq!(format!("{:?}", SecretLine::new()), "[secret]");
    }
}
