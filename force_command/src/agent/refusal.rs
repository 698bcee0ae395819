//! Why a request was not granted, in words for the event log.

use jms::keys::{Fingerprint, SignError, VerifyError};
use std::fmt;

/// Why the agent did not do what its client asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Not a message of the protocol.
    Malformed,
    /// A message of more bytes than any real one.
    TooLong(u32),
    /// A request that this agent does not serve (adding keys, locking, other extensions), by its type.
    NotServed(u8),
    /// The connection should be bound for forwarding.
    BindForwarding,
    /// It is bound already.
    BoundAlready,
    /// The session id cannot be one: its length in bytes.
    SessionId(usize),
    /// The host key is none that is stored for the asset.
    BindHostKey(Fingerprint),
    /// The server did not prove that it has the host key.
    BindSignature(VerifyError),
    /// A signature before the connection was bound.
    NotBound,
    /// Something else than the login of a user should be signed.
    NotALogin,
    /// The login is for another SSH session than the one that the connection is bound to.
    OtherSession,
    /// The login is for another user at the asset: printable, at most 64 characters.
    OtherUser(String),
    /// The login is for another service than a session.
    OtherService,
    /// The signature should be made by another key.
    OtherKey,
    /// The login names another host key than the asset's.
    OtherHostKey(Fingerprint),
    /// Key, flags and algorithm do not fit together.
    Algorithm,
    /// The key cannot sign in this way.
    Sign(SignError),
    /// All signatures that one login may need are made.
    TooMany,
    /// The login is over and the key is gone.
    Finished,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("the client sent something that is no agent request"),
            Self::TooLong(length) => {
                write!(f, "the client sent an agent request of {length} bytes, longer than any real one")
            }
            Self::NotServed(kind) => {
                write!(f, "the client asked for something that this agent does not do (request {kind})")
            }
            Self::BindForwarding => f.write_str("the client wanted to forward the agent to the asset"),
            Self::BoundAlready => f.write_str("the client wanted to use the agent for a second SSH session"),
            Self::SessionId(length) => {
                write!(f, "the client named an SSH session by an id of {length} bytes, which is none")
            }
            Self::BindHostKey(fingerprint) => write!(
                f,
                "the client speaks with a machine whose host key {fingerprint} is not one of the asset's stored keys"
            ),
            Self::BindSignature(error) => {
                write!(f, "the machine at the other end did not prove its host key: {error}")
            }
            Self::NotBound => f.write_str(
                "the client wanted a signature without saying for which SSH session; OpenSSH says so since 8.9",
            ),
            Self::NotALogin => f.write_str("the client wanted something else than a login signed"),
            Self::OtherSession => f.write_str("the client wanted a login signed for another SSH session"),
            Self::OtherUser(user) => {
                write!(f, "the client wanted a login as “{user}” signed, which is not this session's")
            }
            Self::OtherService => f.write_str("the client wanted a login for another service signed"),
            Self::OtherKey => f.write_str("the client wanted a signature by another key"),
            Self::OtherHostKey(fingerprint) => {
                write!(f, "the client wanted a login signed for a machine with the host key {fingerprint}")
            }
            Self::Algorithm => {
                f.write_str("the client wanted a signature algorithm that does not fit the key")
            }
            Self::Sign(error) => error.fmt(f),
            Self::TooMany => f.write_str("the client wanted more signatures than a login needs"),
            Self::Finished => f.write_str("the client wanted a signature after the login was over"),
        }
    }
}

impl std::error::Error for Refusal {}
