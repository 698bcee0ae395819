//! Fields of a body: written and read with a limit each, checked on use.

use crate::error::{Field, ProtocolError};
use crate::limits;

/// Collects the fields of one body.
#[derive(Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Makes a writer that will not move its bytes: a copy of a secret must not stay behind.
    pub(crate) fn unmoving() -> Self {
        Self {
            bytes: Vec::with_capacity(limits::BODY),
        }
    }

    pub(crate) fn byte(&mut self, value: u8) {
        self.bytes.push(value);
    }

    pub(crate) fn number(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    pub(crate) fn bytes(
        &mut self,
        field: Field,
        limit: usize,
        value: &[u8],
    ) -> Result<(), ProtocolError> {
        let length = value.len();
        let too_long = ProtocolError::TooLong {
            field,
            length,
            limit,
        };
        if length > limit {
            return Err(too_long);
        }
        self.number(u32::try_from(length).map_err(|_| too_long)?);
        self.bytes.extend_from_slice(value);
        Ok(())
    }

    pub(crate) fn text(
        &mut self,
        field: Field,
        limit: usize,
        value: &str,
    ) -> Result<(), ProtocolError> {
        if value.contains('\0') {
            return Err(ProtocolError::BadValue(field));
        }
        self.bytes(field, limit, value.as_bytes())
    }

    pub(crate) fn optional(
        &mut self,
        field: Field,
        limit: usize,
        value: Option<&str>,
    ) -> Result<(), ProtocolError> {
        match value {
            None => {
                self.byte(0);
                Ok(())
            }
            Some(text) => {
                self.byte(1);
                self.text(field, limit, text)
            }
        }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Takes fields off the front of one body.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Self {
        Self { rest: body }
    }

    fn take(&mut self, field: Field, length: usize) -> Result<&'a [u8], ProtocolError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(ProtocolError::Truncated(field))?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn byte(&mut self, field: Field) -> Result<u8, ProtocolError> {
        self.take(field, 1)?
            .first()
            .copied()
            .ok_or(ProtocolError::Truncated(field))
    }

    pub(crate) fn flag(&mut self, field: Field) -> Result<bool, ProtocolError> {
        match self.byte(field)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(ProtocolError::BadValue(field)),
        }
    }

    pub(crate) fn number(&mut self, field: Field) -> Result<u32, ProtocolError> {
        let bytes = self.take(field, 4)?;
        let bytes = <[u8; 4]>::try_from(bytes).map_err(|_| ProtocolError::Truncated(field))?;
        Ok(u32::from_be_bytes(bytes))
    }

    pub(crate) fn bytes(&mut self, field: Field, limit: usize) -> Result<&'a [u8], ProtocolError> {
        let length = self.number(field)?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > limit {
            return Err(ProtocolError::TooLong {
                field,
                length,
                limit,
            });
        }
        self.take(field, length)
    }

    pub(crate) fn text(&mut self, field: Field, limit: usize) -> Result<String, ProtocolError> {
        let bytes = self.bytes(field, limit)?;
        let text = std::str::from_utf8(bytes).map_err(|_| ProtocolError::BadValue(field))?;
        if text.contains('\0') {
            return Err(ProtocolError::BadValue(field));
        }
        Ok(text.to_owned())
    }

    pub(crate) fn optional(
        &mut self,
        field: Field,
        limit: usize,
    ) -> Result<Option<String>, ProtocolError> {
        if self.flag(field)? {
            self.text(field, limit).map(Some)
        } else {
            Ok(None)
        }
    }

    /// The body must be used up.
    pub(crate) fn end(self) -> Result<(), ProtocolError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(ProtocolError::TrailingBytes(self.rest.len()))
        }
    }
}

/// Whether a sentence can be shown to a person: no control characters, so that it cannot drive
/// a terminal nor forge a second line.
pub(crate) fn is_sentence(text: &str) -> bool {
    !text.chars().any(char::is_control)
}
