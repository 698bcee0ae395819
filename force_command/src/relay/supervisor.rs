//! Who may end a session from outside: the control socket, clocks, the end of the login.
#![forbid(unsafe_code)]

use std::os::fd::BorrowedFd;
use std::time::Instant;

/// Why a session is stopped before it ends by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The login's sshd is gone: nobody is there to see anything.
    ClientGone,
    /// An administrator ended it; his reason, or nothing.
    Killed(String),
    /// The right is no longer there; why.
    Withdrawn(String),
    /// The asset did not let us in in time.
    NotConnected,
}

/// Watches over one session beside its bytes.
pub trait Supervisor {
    /// Descriptors that become readable when [`Supervisor::ready`] has something to look at. One
    /// that is done with is left out.
    fn watched(&self) -> Vec<BorrowedFd<'_>>;

    /// The descriptor at this place of [`Supervisor::watched`] is readable.
    fn ready(&mut self, place: usize) -> Option<Stop>;

    /// When [`Supervisor::tick`] has something to do, if ever.
    fn next_deadline(&self) -> Option<Instant>;

    /// Does what is due.
    fn tick(&mut self, now: Instant) -> Option<Stop>;
}

/// Nobody watches.
#[derive(Debug, Default)]
pub struct Alone;

impl Supervisor for Alone {
    fn watched(&self) -> Vec<BorrowedFd<'_>> {
        Vec::new()
    }
    fn ready(&mut self, _: usize) -> Option<Stop> {
        None
    }
    fn next_deadline(&self) -> Option<Instant> {
        None
    }
    fn tick(&mut self, _: Instant) -> Option<Stop> {
        None
    }
}
