//! Header and body of one message, before its fields are read.

use std::fmt;
use std::io::{self, Read};

use zeroize::{Zeroize, Zeroizing};

use crate::error::{ProtocolError, ReadError};
use crate::limits;

/// Version of the protocol that this library speaks.
pub const VERSION: u16 = 2;
/// Length of every message's header, in bytes.
pub const HEADER_LEN: usize = 12;

const MAGIC: [u8; 4] = *b"JMSP";

/// What a message is. Below 256 they go to the helper, from there on to the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum Kind {
    /// A request for a factor: passwords and one-time codes.
    Authenticate = 1,
    /// May this user log in now?
    Account = 2,
    /// Open a login.
    OpenSession = 3,
    /// Close a login.
    CloseSession = 4,
    /// What the person typed at a [`Kind::Prompt`].
    Response = 5,
    /// As [`Kind::Authenticate`], behind a module that took the password.
    AuthenticateAfterPassword = 6,
    /// Yes.
    Allow = 256,
    /// No.
    Refuse = 257,
    /// Ask the person something, then send a [`Kind::Response`].
    Prompt = 258,
}

impl Kind {
    fn from_number(number: u16) -> Result<Self, ProtocolError> {
        Ok(match number {
            1 => Self::Authenticate,
            2 => Self::Account,
            3 => Self::OpenSession,
            4 => Self::CloseSession,
            5 => Self::Response,
            6 => Self::AuthenticateAfterPassword,
            256 => Self::Allow,
            257 => Self::Refuse,
            258 => Self::Prompt,
            other => return Err(ProtocolError::Kind(other)),
        })
    }

    /// The number on the wire.
    #[must_use]
    pub fn number(self) -> u16 {
        self as u16
    }
}

/// One message as it travels; wiped when dropped, because a body can hold what a person typed.
pub struct Frame {
    kind: Kind,
    body: Vec<u8>,
}

impl Frame {
    pub(crate) fn new(kind: Kind, body: Vec<u8>) -> Result<Self, ProtocolError> {
        if body.len() > limits::BODY {
            return Err(ProtocolError::BodyTooLong(body.len() as u64));
        }
        Ok(Self { kind, body })
    }

    /// What the message is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    /// Header and body as one piece, wiped as the frame itself.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let length = HEADER_LEN.saturating_add(self.body.len());
        let mut bytes = Zeroizing::new(Vec::with_capacity(length));
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&VERSION.to_be_bytes());
        bytes.extend_from_slice(&self.kind.number().to_be_bytes());
        // `new` and `read` keep the body below 2^32 bytes.
        let length = u32::try_from(self.body.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Reads exactly one message; what follows it stays unread.
    ///
    /// # Errors
    /// [`ReadError::Closed`] at an end before the first byte, [`ReadError::Cut`] at a later one,
    /// [`ReadError::Protocol`] for a header that this version does not accept.
    pub fn read(reader: &mut impl Read) -> Result<Self, ReadError> {
        let mut header = [0_u8; HEADER_LEN];
        match fill(reader, &mut header)? {
            HEADER_LEN => {}
            0 => return Err(ReadError::Closed),
            _ => return Err(ReadError::Cut),
        }
        let (kind, length) = parse_header(header)?;
        let mut body = vec![0_u8; length];
        if fill(reader, &mut body)? != length {
            body.zeroize();
            return Err(ReadError::Cut);
        }
        Ok(Self { kind, body })
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        self.body.zeroize();
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({:?}, {} bytes)", self.kind, self.body.len())
    }
}

fn parse_header(header: [u8; HEADER_LEN]) -> Result<(Kind, usize), ProtocolError> {
    let [m0, m1, m2, m3, v0, v1, k0, k1, l0, l1, l2, l3] = header;
    if [m0, m1, m2, m3] != MAGIC {
        return Err(ProtocolError::Magic);
    }
    let version = u16::from_be_bytes([v0, v1]);
    if version != VERSION {
        return Err(ProtocolError::Version(version));
    }
    let kind = Kind::from_number(u16::from_be_bytes([k0, k1]))?;
    let length = u32::from_be_bytes([l0, l1, l2, l3]);
    match usize::try_from(length) {
        Ok(length) if length <= limits::BODY => Ok((kind, length)),
        _ => Err(ProtocolError::BodyTooLong(u64::from(length))),
    }
}

/// Reads until the buffer is full or the other side closes; how many bytes came.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> Result<usize, ReadError> {
    let mut filled = 0_usize;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(count) => filled = filled.saturating_add(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(ReadError::Io(error)),
        }
    }
    Ok(filled)
}
