//! The conversation with the person: a prompt from the helper, a response from the module.
//!
//! Used by the `authenticate` phase for passwords and one-time codes. The module shows the prompt
//! through PAM's conversation function and sends back what it returns; the helper decides.

use std::fmt;

use zeroize::Zeroize;

use crate::error::{Field, ProtocolError};
use crate::fields::{Reader, Writer, is_sentence};
use crate::frame::{Frame, Kind};
use crate::limits;

/// The helper wants the person to type something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// Shown to the person, one line.
    pub text: String,
    /// Whether typing is shown (PAM_PROMPT_ECHO_ON) or not (PAM_PROMPT_ECHO_OFF).
    pub echo: bool,
}

impl Prompt {
    pub(crate) fn to_frame(&self) -> Result<Frame, ProtocolError> {
        if !is_sentence(&self.text) {
            return Err(ProtocolError::BadValue(Field::Prompt));
        }
        let mut writer = Writer::default();
        writer.text(Field::Prompt, limits::PROMPT, &self.text)?;
        writer.byte(u8::from(self.echo));
        Frame::new(Kind::Prompt, writer.into_bytes())
    }

    pub(crate) fn from_body(body: &[u8]) -> Result<Self, ProtocolError> {
        let mut reader = Reader::new(body);
        let text = reader.text(Field::Prompt, limits::PROMPT)?;
        let echo = reader.flag(Field::Echo)?;
        reader.end()?;
        if !is_sentence(&text) {
            return Err(ProtocolError::BadValue(Field::Prompt));
        }
        Ok(Self { text, echo })
    }
}

/// What the person typed: any bytes without NUL. Never printed, wiped when dropped.
#[derive(PartialEq, Eq)]
pub struct Response(Vec<u8>);

impl Response {
    /// Takes what the conversation function returned.
    #[must_use]
    pub fn new(typed: Vec<u8>) -> Self {
        Self(typed)
    }

    /// The bytes, for the comparison and nothing else.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn to_frame(&self) -> Result<Frame, ProtocolError> {
        if self.0.contains(&0) {
            return Err(ProtocolError::BadValue(Field::Response));
        }
        let mut writer = Writer::unmoving();
        writer.bytes(Field::Response, limits::RESPONSE, &self.0)?;
        Frame::new(Kind::Response, writer.into_bytes())
    }

    pub(crate) fn from_body(body: &[u8]) -> Result<Self, ProtocolError> {
        let mut reader = Reader::new(body);
        let typed = reader.bytes(Field::Response, limits::RESPONSE)?;
        reader.end()?;
        if typed.contains(&0) {
            return Err(ProtocolError::BadValue(Field::Response));
        }
        Ok(Self(typed.to_vec()))
    }
}

impl Drop for Response {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Response(…)")
    }
}
