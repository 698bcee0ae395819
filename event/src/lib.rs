//! Event schema 1: what the bastion says to syslog, how it is escaped, how it is sent.
//!
//! One event is one line. Values come from people and machines that nobody trusts (names,
//! commands, host names), so nothing here believes them: every character that could end a line,
//! end a value or turn the reading direction is escaped, long values are cut and carry the
//! SHA-256 and the length of the whole, and a line never exceeds [`LINE_MAX`].
//!
//! **Secrets**: [`Value`] is made only from text, numbers, flags and addresses. The types that hold
//! secrets in this project offer none of these conversions; keep it so, and never add a
//! conversion from bytes or from a secret's exposed content.
//!
//! ```
//! use event::{Event, Format, Type};
//! let event = Event::new(Type::SessionRefused).user("alice").asset("web1").reason("no grant");
//! let line = event.to_line(Format::KeyValue, Some(7));
//! assert!(line.contains(r#"type="session.refused""#) && line.contains(r#"user="alice""#));
//! ```
#![forbid(unsafe_code)]

mod escape;
mod kind;
mod parse;
mod record;
mod render;
mod sender;
mod value;

pub use kind::{Severity, Type};
pub use parse::ParseError;
pub use record::{Event, FIELDS};
pub use render::{Format, LINE_MAX};
pub use sender::{DATAGRAM_MAX, SYSTEM_SOCKET, SendError, Sender};
pub use value::{VALUE_MAX, Value};

/// The number in the field `schema`. Fields are only added to a schema, never renamed.
pub const SCHEMA: u64 = 1;
