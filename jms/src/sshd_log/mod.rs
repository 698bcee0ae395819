//! What sshd itself wrote where nothing of ours runs, so that its own lines are the only witness: about login names that do not
//! exist (`Invalid user`), and about users whom it was to ask for a second factor, and who ended the connection before.
//!
//! The lines are chosen, for the larger part, by strangers: name, number and pace. Nothing here fails, grows
//! without bound or believes more than the form of a line. A name may hold anything, ` from 192.0.2.1 port 1`
//! too, so a line is read from its end.
#![forbid(unsafe_code)]

mod endings;
mod known;
#[cfg(test)]
mod known_tests;
mod line;
mod message;
mod tally;
#[cfg(test)]
mod tests;

pub use endings::{Ended, Ending, Endings, LOGGING_IN, Stage};
pub use known::{Known, Step, known_user};
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

/// A step of a connection that asked for a name that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// When.
    pub at: Time,
    /// Whose, and which.
    pub known: Known,
}

/// What a line of a log is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Such an attempt.
    Attempt(Attempt),
    /// Such a step.
    Moment(Moment),
    /// sshd's, about something else.
    Sshd,
    /// Not sshd's, or not a line at all.
    Other,
}
