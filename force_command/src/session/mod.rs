//! One session: decided, opened, connected, relayed, closed.
//!
//! The order is what makes it safe: the control socket before the decision (no change is missed),
//! row and recording before the first byte, the client program's end before the recording's.

mod confirm;
mod deeds;
mod departure;
mod hop;
mod kept;
mod live;
mod observed;
mod open;
mod output_limit;
pub(crate) mod person;
mod prepare;
mod record;
mod report;
mod ruling;
mod run;

pub use person::{Answer, Person};
pub use record::Record;
pub use run::{connect, tell};

use crate::message::{Message, Trouble};
use crate::status;
use std::fmt::Display;

/// A refusal or a failure: what the client is told, and with which status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The sentence.
    pub message: Message,
    /// The exit status (CLI.md, “EXIT STATUS”).
    pub status: i32,
    /// What only the event says.
    pub cause: Option<String>,
}

impl Refused {
    /// A sentence and its status.
    #[must_use]
    pub fn new(message: Message, status: i32) -> Self {
        Self {
            message,
            status,
            cause: None,
        }
    }

    /// Something of the bastion is out of order; the event says why.
    #[must_use]
    pub fn because(trouble: Trouble, cause: impl Display) -> Self {
        Self {
            cause: Some(cause.to_string()),
            ..Self::new(Message::Bastion(trouble), status::BASTION)
        }
    }

    /// Not granted, or not yet.
    #[must_use]
    pub fn denied(message: Message) -> Self {
        Self::new(message, status::DENIED)
    }
}
