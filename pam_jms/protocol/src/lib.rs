//! What `pam_jms.so` and `jms-pam-helper` say to each other.
//!
//! The two talk over one socket pair that the module makes: the module sends a
//! [`Request`], the helper sends a [`HelperMessage`] and exits. A helper that was started with [`STAY`] may say
//! [`Kind::Waits`] after a yes to the authentication or account phase; then it answers one request more, which the same
//! process sends through the same socket, and exits. A conversation with the person is
//! a [`Prompt`] from the helper that the module answers with a [`Response`], any number of
//! times up to [`limits::PROMPTS`] before the verdict, in authentications only.
//!
//! Trust runs one way. The module is root's and believes nothing: an answer that is cut, too long,
//! of another version, of an unknown kind or followed by one byte more is no answer, and no answer
//! is a refusal. The helper believes the module, but parses as strictly, because user names and
//! host names in a request come from the network.
//!
//! # On the wire
//!
//! All numbers are big-endian. Every message is a header of [`HEADER_LEN`] bytes and a body:
//!
//! | bytes | what |
//! | --- | --- |
//! | 4 | `JMSP` |
//! | 2 | version, at most [`VERSION`]: the lowest that can say the message |
//! | 2 | kind, see [`Kind`] |
//! | 4 | length of the body, at most [`limits::BODY`] |
//!
//! A body is its message's fields in order, nothing between and nothing after. A text is its
//! length (4 bytes), then UTF-8 without NUL; an optional text has a byte 0 or 1 before it. Every
//! text has its own limit in [`limits`]. A message of another version than its kind has is
//! refused unread by either side. While a package is upgraded, the module that sshd has loaded meets the next version's helper:
//! both speak of accounts and sessions in the first version.
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod answer;
mod conversation;
mod error;
mod fields;
mod frame;
pub mod limits;
mod request;
mod token;

pub use answer::{Allow, HelperMessage, Refusal, Refuse, Variable};
pub use conversation::{Prompt, Response};
pub use error::{Field, ProtocolError, ReadError};
pub use frame::{Frame, HEADER_LEN, Kind, STAY, VERSION};
pub use request::{ModuleMessage, Phase, Request};
pub use token::LoginToken;
