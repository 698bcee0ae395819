//! The data types of the SSH protocol (RFC 4251, section 5): a reader that never trusts a length, and a writer.

use std::fmt;

/// The bytes end before the field does, or a field is not of its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WireError(&'static str);

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for WireError {}

/// Reads fields from the front of a slice.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// A reader at the first byte of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// What is not read yet.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// One byte.
    ///
    /// # Errors
    /// [`WireError`] at the end of the bytes.
    pub fn byte(&mut self) -> Result<u8, WireError> {
        let (byte, rest) = self.0.split_first().ok_or(WireError("a byte is missing"))?;
        self.0 = rest;
        Ok(*byte)
    }

    /// A boolean. Only 0 and 1 are accepted, as OpenSSH writes them.
    ///
    /// # Errors
    /// [`WireError`] at the end of the bytes or for another value.
    pub fn boolean(&mut self) -> Result<bool, WireError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(WireError("a boolean is neither 0 nor 1")),
        }
    }

    /// A `uint32`, big-endian.
    ///
    /// # Errors
    /// [`WireError`] at the end of the bytes.
    pub fn uint32(&mut self) -> Result<u32, WireError> {
        let (bytes, rest) = self
            .0
            .split_first_chunk()
            .ok_or(WireError("a number is cut off"))?;
        self.0 = rest;
        Ok(u32::from_be_bytes(*bytes))
    }

    /// Exactly `length` bytes without a length before them.
    ///
    /// # Errors
    /// [`WireError`] when fewer are left.
    pub fn bytes(&mut self, length: usize) -> Result<&'a [u8], WireError> {
        let (bytes, rest) = self
            .0
            .split_at_checked(length)
            .ok_or(WireError("a field is cut off"))?;
        self.0 = rest;
        Ok(bytes)
    }

    /// A `string`: its length, then its bytes.
    ///
    /// # Errors
    /// [`WireError`] when the length is more than what is left.
    pub fn string(&mut self) -> Result<&'a [u8], WireError> {
        let length =
            usize::try_from(self.uint32()?).map_err(|_| WireError("a field is cut off"))?;
        self.bytes(length)
    }

    /// A `string` that is UTF-8.
    ///
    /// # Errors
    /// [`WireError`] as for [`Reader::string`], or when it is not text.
    pub fn text(&mut self) -> Result<&'a str, WireError> {
        std::str::from_utf8(self.string()?).map_err(|_| WireError("a name is not text"))
    }

    /// A positive `mpint`, without its leading zero byte. Only the shortest encoding is accepted.
    ///
    /// # Errors
    /// [`WireError`] when it is negative, zero, cut off, or longer than it need be.
    pub fn positive(&mut self) -> Result<&'a [u8], WireError> {
        match self.string()? {
            [0, rest @ ..] if rest.first().is_some_and(|first| *first >= 0x80) => Ok(rest),
            [] | [0, ..] => Err(WireError("a number is zero or has needless zeros")),
            [first, ..] if *first >= 0x80 => Err(WireError("a number is negative")),
            number => Ok(number),
        }
    }

    /// Says that everything has been read.
    ///
    /// # Errors
    /// [`WireError`] when bytes are left.
    pub fn finish(self) -> Result<(), WireError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(WireError("bytes follow after the last field"))
        }
    }
}

/// Appends fields to a vector. A field of 4 GiB or more cannot be written; nothing of ours comes near.
pub trait Writer {
    /// Appends a `string`.
    fn put_string(&mut self, bytes: &[u8]);
    /// Appends a positive `mpint`, given as big-endian bytes, leading zeros allowed.
    fn put_positive(&mut self, number: &[u8]);
}

impl Writer for Vec<u8> {
    fn put_string(&mut self, bytes: &[u8]) {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.extend_from_slice(&length.to_be_bytes());
        self.extend_from_slice(bytes);
    }

    fn put_positive(&mut self, number: &[u8]) {
        let start = number
            .iter()
            .position(|byte| *byte != 0)
            .unwrap_or(number.len());
        let number = number.get(start..).unwrap_or_default();
        let padding = usize::from(number.first().is_some_and(|first| *first >= 0x80));
        let length = u32::try_from(number.len() + padding).unwrap_or(u32::MAX);
        self.extend_from_slice(&length.to_be_bytes());
        self.extend(std::iter::repeat_n(0, padding));
        self.extend_from_slice(number);
    }
}
