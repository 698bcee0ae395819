//! Header and body of one message, before its fields are read.

use std::fmt;
use std::io::{self, Read};

use zeroize::{Zeroize, Zeroizing};

use crate::error::{ProtocolError, ReadError};
use crate::limits;

/// Version of the protocol that this library speaks. Each message is sent in the lowest version that can say it, because an
/// upgrade exchanges module and helper while sshd goes on with the module that it has loaded: 2 has conversations, and the
/// proof of a passed factor.
pub const VERSION: u16 = 2;
/// The argument with which a module starts a helper that may stay after its first answer.
pub const STAY: &str = "--stay";
/// The version of what was there from the beginning.
pub(crate) const FIRST_VERSION: u16 = 1;
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
    /// After an [`Kind::Allow`]: the helper stays for the next question about the same login.
    Waits = 259,
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
            259 => Self::Waits,
            other => return Err(ProtocolError::Kind(other)),
        })
    }

    /// The number on the wire.
    #[must_use]
    pub fn number(self) -> u16 {
        self as u16
    }

    /// The version that such a message is sent in; [`Kind::OpenSession`] with a proof is of the next.
    fn version(self) -> u16 {
        match self {
            Self::Account | Self::OpenSession | Self::CloseSession | Self::Allow | Self::Refuse => {
                FIRST_VERSION
            }
            Self::Authenticate
            | Self::AuthenticateAfterPassword
            | Self::Response
            | Self::Prompt
            | Self::Waits => VERSION,
        }
    }

    fn is_of(self, version: u16) -> bool {
        version == self.version() || (self == Self::OpenSession && version == VERSION)
    }
}

/// One message as it travels; wiped when dropped, because a body can hold what a person typed.
pub struct Frame {
    version: u16,
    kind: Kind,
    body: Vec<u8>,
}

impl Frame {
    pub(crate) fn new(kind: Kind, body: Vec<u8>) -> Result<Self, ProtocolError> {
        if body.len() > limits::BODY {
            return Err(ProtocolError::BodyTooLong(body.len() as u64));
        }
        Ok(Self {
            version: kind.version(),
            kind,
            body,
        })
    }

    /// What a helper that was started with [`STAY`] says after its yes: it waits for one more request.
    #[must_use]
    pub fn waits() -> Self {
        Self {
            version: Kind::Waits.version(),
            kind: Kind::Waits,
            body: Vec::new(),
        }
    }

    /// Whether this is exactly [`Frame::waits`].
    #[must_use]
    pub fn says_waits(&self) -> bool {
        self.kind == Kind::Waits && self.body.is_empty()
    }

    /// The same in this library's own version.
    pub(crate) fn in_this_version(mut self) -> Self {
        self.version = VERSION;
        self
    }

    pub(crate) fn version(&self) -> u16 {
        self.version
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
        bytes.extend_from_slice(&self.version.to_be_bytes());
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
        let (version, kind, length) = parse_header(header)?;
        let mut body = vec![0_u8; length];
        if fill(reader, &mut body)? != length {
            body.zeroize();
            return Err(ReadError::Cut);
        }
        Ok(Self {
            version,
            kind,
            body,
        })
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

fn parse_header(header: [u8; HEADER_LEN]) -> Result<(u16, Kind, usize), ProtocolError> {
    let [m0, m1, m2, m3, v0, v1, k0, k1, l0, l1, l2, l3] = header;
    if [m0, m1, m2, m3] != MAGIC {
        return Err(ProtocolError::Magic);
    }
    let version = u16::from_be_bytes([v0, v1]);
    if !(FIRST_VERSION..=VERSION).contains(&version) {
        return Err(ProtocolError::Version(version));
    }
    let kind = Kind::from_number(u16::from_be_bytes([k0, k1]))?;
    if !kind.is_of(version) {
        return Err(ProtocolError::Version(version));
    }
    let length = u32::from_be_bytes([l0, l1, l2, l3]);
    match usize::try_from(length) {
        Ok(length) if length <= limits::BODY => Ok((version, kind, length)),
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
