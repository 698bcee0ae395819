//! One session: decided, opened, connected, relayed, closed.
//!
//! The order is what makes it safe: the control socket before the decision (no change is missed),
//! row and recording before the first byte, the client program's end before the recording's.

mod live;
mod open;
mod prepare;
mod record;
mod report;
mod run;

pub use run::{connect, tell};

use crate::message::{Message, Trouble, say};
use crate::status;

/// A refusal or a failure: what the client is told, and with which status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The sentence.
    pub message: Message,
    /// The exit status (CLI.md, “EXIT STATUS”).
    pub status: i32,
}

impl Refused {
    /// Something of the bastion is out of order.
    #[must_use]
    pub fn trouble(trouble: Trouble) -> Self {
        Self {
            message: Message::Bastion(trouble),
            status: status::BASTION,
        }
    }

    /// Not granted, or not yet.
    #[must_use]
    pub fn denied(message: Message) -> Self {
        Self {
            message,
            status: status::DENIED,
        }
    }

    /// Says it; the status to leave with.
    pub fn say(&self) -> i32 {
        say(&self.message);
        self.status
    }
}
