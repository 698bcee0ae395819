//! What sshd itself wrote about login names that do not exist: for these nothing of ours runs, so its own `Invalid user`
//! lines are the only witness.
//!
//! The lines are chosen, for the larger part, by strangers: name, number and pace. Nothing here fails, grows
//! without bound or believes more than the form of a line. A name may hold anything, ` from 192.0.2.1 port 1`
//! too, so a line is read from its end.
#![forbid(unsafe_code)]

mod line;
mod message;
mod tally;
#[cfg(test)]
mod tests;

pub use line::{journal, syslog};
pub use message::{Invalid, invalid_user};
pub use tally::{Row, Tally};

use crate::time::Time;

/// Somebody asked sshd for a name that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When.
    pub at: Time,
    /// As whom, and from where.
    pub invalid: Invalid,
}

/// What a line of a log is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Such an attempt.
    Attempt(Attempt),
    /// sshd's, about something else.
    Sshd,
    /// Not sshd's, or not a line at all.
    Other,
}
