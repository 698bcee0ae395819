//! Values of fields: bounded when they are made, so that nothing long is ever carried about.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::net::IpAddr;
use std::path::Path;

use sha2::{Digest, Sha256};

/// Longest text value, in bytes of UTF-8 before escaping. What is longer is cut at a character.
pub const VALUE_MAX: usize = 4096;

/// The value of one field.
///
/// Made by `From` only; there is no conversion from bytes or from a type that holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value(pub(crate) Inner);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Inner {
    Null,
    Flag(bool),
    Number(i64),
    Text(Text),
}

/// A text of at most [`VALUE_MAX`] bytes, and what it was cut from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) kept: String,
    pub(crate) whole: Option<Whole>,
}

/// What a cut text was, so that it can be recognised where the whole is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Whole {
    /// SHA-256 of the whole UTF-8 text, 64 lower-case hexadecimal digits.
    pub(crate) sha256: String,
    /// Its length in bytes.
    pub(crate) length: u64,
}

impl Whole {
    fn of(text: &str) -> Whole {
        let mut sha256 = String::with_capacity(64);
        for byte in Sha256::digest(text.as_bytes()) {
            use std::fmt::Write as _;
            // Writing to a String cannot fail.
            let _ = write!(sha256, "{byte:02x}");
        }
        Whole {
            sha256,
            length: text.len() as u64,
        }
    }
}

impl Text {
    pub(crate) fn new(text: String) -> Text {
        if text.len() <= VALUE_MAX {
            return Text {
                kept: text,
                whole: None,
            };
        }
        Text {
            kept: cut(&text, VALUE_MAX).to_owned(),
            whole: Some(Whole::of(&text)),
        }
    }

    /// This text in at most `limit` bytes, and what it was cut from if it is cut.
    pub(crate) fn within(&self, limit: usize) -> (&str, Option<Cow<'_, Whole>>) {
        let kept = cut(&self.kept, limit);
        let whole = match &self.whole {
            Some(whole) => Some(Cow::Borrowed(whole)),
            None if kept.len() < self.kept.len() => Some(Cow::Owned(Whole::of(&self.kept))),
            None => None,
        };
        (kept, whole)
    }
}

/// The longest beginning of `text` of at most `limit` bytes that ends between two characters.
pub(crate) fn cut(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

impl Value {
    /// True for a value that is not there.
    pub fn is_null(&self) -> bool {
        self.0 == Inner::Null
    }

    pub(crate) fn text(text: impl Into<String>) -> Value {
        Value(Inner::Text(Text::new(text.into())))
    }

    /// The value as people read it; `None` for a value that is not there.
    pub fn as_text(&self) -> Option<Cow<'_, str>> {
        match &self.0 {
            Inner::Null => None,
            Inner::Flag(flag) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
            Inner::Number(number) => Some(Cow::Owned(number.to_string())),
            Inner::Text(text) => Some(Cow::Borrowed(&text.kept)),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::text(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::text(text)
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Value {
        Value::text(text.as_str())
    }
}

impl From<Cow<'_, str>> for Value {
    fn from(text: Cow<'_, str>) -> Value {
        Value::text(text)
    }
}

/// Bytes that are not UTF-8 become U+FFFD.
impl From<&OsStr> for Value {
    fn from(text: &OsStr) -> Value {
        Value::text(text.to_string_lossy())
    }
}

/// Bytes that are not UTF-8 become U+FFFD.
impl From<&Path> for Value {
    fn from(path: &Path) -> Value {
        Value::from(path.as_os_str())
    }
}

impl From<IpAddr> for Value {
    fn from(address: IpAddr) -> Value {
        Value::text(address.to_string())
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Value {
        Value(Inner::Flag(flag))
    }
}

macro_rules! from_number {
    ($($number:ty)+) => {$(
        impl From<$number> for Value {
            fn from(number: $number) -> Value {
                Value(Inner::Number(i64::from(number)))
            }
        }
    )+};
}
from_number! { i32 i64 u16 u32 }

/// A number above `i64::MAX` is kept as text, so that no reader rounds it.
impl From<u64> for Value {
    fn from(number: u64) -> Value {
        match i64::try_from(number) {
            Ok(number) => Value(Inner::Number(number)),
            Err(_) => Value::text(number.to_string()),
        }
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Value {
        Value::from(number as u64)
    }
}

/// `None` is the value that is not there: `null` in JSON, left out of a key="value" line.
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value(Inner::Null), Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_cut_is_named_by_the_hash_of_the_whole() {
        let whole = format!("{}é", "a".repeat(VALUE_MAX - 1));
        let Value(Inner::Text(text)) = Value::from(&whole) else {
            panic!("text")
        };
        assert_eq!(text.kept, "a".repeat(VALUE_MAX - 1));
        let cut_from = text.whole.expect("it was cut");
        assert_eq!(cut_from.length, VALUE_MAX as u64 + 1);
        assert_eq!(cut_from, Whole::of(&whole));
    }

    #[test]
    fn the_hash_is_sha_256() {
        assert_eq!(
            Whole::of("abc").sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn a_text_that_fits_is_whole() {
        let Value(Inner::Text(text)) = Value::from("a".repeat(VALUE_MAX)) else {
            panic!("text")
        };
        assert_eq!((text.kept.len(), text.whole), (VALUE_MAX, None));
    }

    #[test]
    fn numbers_that_readers_would_round_are_text() {
        assert_eq!(
            Value::from(u64::MAX).as_text().as_deref(),
            Some("18446744073709551615")
        );
        assert_eq!(Value::from(5u64), Value::from(5i64));
        assert!(Value::from(None::<&str>).is_null());
    }

    proptest! {
        #[test]
        fn a_cut_ends_between_characters(text: String, limit in 0usize..40) {
            let kept = cut(&text, limit);
            prop_assert!(text.starts_with(kept) && kept.len() <= limit);
            prop_assert!(kept.len() == text.len() || kept.len() + 4 > limit);
        }
    }
}
