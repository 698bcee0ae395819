//! Why a message was not made or not understood.

use std::fmt;
use std::io;

/// A part of a message, named in errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// PAM_USER.
    User,
    /// The user's uid.
    Uid,
    /// PAM_SERVICE.
    Service,
    /// PAM_RHOST.
    RemoteHost,
    /// PAM_TTY.
    Terminal,
    /// SSH_AUTH_INFO_0.
    Authentication,
    /// SSH_CONNECTION.
    Connection,
    /// The process that asks.
    Process,
    /// JMS_LOGIN.
    Token,
    /// JMS_FACTOR: what the `authenticate` phase says to the session phase.
    Passed,
    /// The sentence for the person.
    Message,
    /// Number of variables.
    Variables,
    /// A variable's name.
    VariableName,
    /// A variable's value.
    VariableValue,
    /// Why it was refused.
    Refusal,
    /// A prompt's text.
    Prompt,
    /// Whether typing is shown.
    Echo,
    /// What the person typed.
    Response,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User => "user name",
            Self::Uid => "uid",
            Self::Service => "service name",
            Self::RemoteHost => "remote host",
            Self::Terminal => "terminal name",
            Self::Authentication => "authentication information",
            Self::Connection => "connection",
            Self::Process => "process id",
            Self::Token => "login token",
            Self::Passed => "proof of a passed factor",
            Self::Message => "message",
            Self::Variables => "number of variables",
            Self::VariableName => "variable name",
            Self::VariableValue => "variable value",
            Self::Refusal => "refusal code",
            Self::Prompt => "prompt",
            Self::Echo => "echo flag",
            Self::Response => "response",
        })
    }
}

/// A message breaks the rules of the protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProtocolError {
    /// The first four bytes are not ours.
    Magic,
    /// The other side speaks this version.
    Version(u16),
    /// No such kind of message, or not one for this direction.
    Kind(u16),
    /// The body would be this long.
    BodyTooLong(u64),
    /// The body ends before this field does.
    Truncated(Field),
    /// The body goes on after its last field, by this many bytes.
    TrailingBytes(usize),
    /// A field is longer than its limit.
    TooLong {
        /// Which.
        field: Field,
        /// Its length in bytes.
        length: usize,
        /// The most that is allowed.
        limit: usize,
    },
    /// A field has a value or character that it may not have.
    BadValue(Field),
    /// A field is there in a phase that has none, or missing in one that needs it.
    Misplaced(Field),
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Magic => f.write_str("not a message of jms-pam-helper's protocol"),
            Self::Version(theirs) => write!(
                f,
                "the other side speaks version {theirs} of the protocol, this one {}: \
                 pam_jms.so and jms-pam-helper must come from one package",
                crate::VERSION
            ),
            Self::Kind(kind) => write!(f, "unexpected kind of message {kind}"),
            Self::BodyTooLong(length) => write!(
                f,
                "a message of {length} bytes, at most {} are allowed",
                crate::limits::BODY
            ),
            Self::Truncated(field) => write!(f, "the message ends within the {field}"),
            Self::TrailingBytes(count) => write!(f, "{count} bytes after the message's end"),
            Self::TooLong {
                field,
                length,
                limit,
            } => write!(
                f,
                "the {field} has {length} bytes, at most {limit} are allowed"
            ),
            Self::BadValue(field) => write!(f, "the {field} has a value that is not allowed"),
            Self::Misplaced(field) => {
                write!(
                    f,
                    "the {field} is missing, or does not belong to this phase"
                )
            }
        }
    }
}

impl std::error::Error for ProtocolError {}

/// A message could not be read from the other side.
#[derive(Debug)]
pub enum ReadError {
    /// The other side closed before one byte of a message.
    Closed,
    /// The other side closed in the middle of a message.
    Cut,
    /// Reading failed; a reader with a deadline says [`io::ErrorKind::TimedOut`].
    Io(io::Error),
    /// What was read breaks the protocol.
    Protocol(ProtocolError),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the other side closed without a message"),
            Self::Cut => f.write_str("the other side closed in the middle of a message"),
            Self::Io(error) => write!(f, "the message could not be read: {error}"),
            Self::Protocol(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ReadError {}

impl From<ProtocolError> for ReadError {
    fn from(error: ProtocolError) -> Self {
        Self::Protocol(error)
    }
}
