//! Who may end a session from outside: the control socket, clocks, the end of the login.
#![forbid(unsafe_code)]

use nix::poll::PollFlags;
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
    /// Ctrl-C before the asset had let us in.
    Interrupted,
    /// The asset did not let us in, or not in time.
    NotConnected,
    /// The store could not be asked whether the right is still there.
    NoStore(String),
}

/// Watches over one session beside its bytes.
pub trait Supervisor {
    /// What to wait for; when any of it is there, [`Supervisor::ready`] is called.
    fn watched(&self) -> Vec<(BorrowedFd<'_>, PollFlags)>;

    /// Something of [`Supervisor::watched`] is there. Never blocks.
    fn ready(&mut self) -> Option<Stop>;

    /// Whether, since the last call, the person was asked something at the client's terminal: what was typed before
    /// was not meant for the asset.
    fn voids_input(&mut self) -> bool {
        false
    }

    /// When [`Supervisor::tick`] has something to do, if ever.
    fn next_deadline(&self) -> Option<Instant>;

    /// Does what is due.
    fn tick(&mut self, now: Instant) -> Option<Stop>;

    /// The session is going to wait: what only work needs can be given back.
    fn settle(&mut self) {}
}

/// Nobody watches.
#[derive(Debug, Default)]
pub struct Alone;

impl Supervisor for Alone {
    fn watched(&self) -> Vec<(BorrowedFd<'_>, PollFlags)> {
        Vec::new()
    }
    fn ready(&mut self) -> Option<Stop> {
        None
    }
    fn next_deadline(&self) -> Option<Instant> {
        None
    }
    fn tick(&mut self, _: Instant) -> Option<Stop> {
        None
    }
}
