//! The client's `socket` calls, answered by us: it is given a connection that exists, or an error.
//!
//! Trusts nothing that the caller says: family and type are only used to see which of the few things it asks for.
#![forbid(unsafe_code)]

use crate::sys;
use nix::errno::Errno;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// What the client wants a socket for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A stream over IPv4 or IPv6.
    Connection,
    /// A stream to a program on this host.
    Local,
}

/// A client that waits for a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    id: u64,
    /// The process that asks: the client program, or one that it has started.
    pub pid: i32,
    /// For what.
    pub wanted: Wanted,
}

/// Where the client's requests arrive.
#[derive(Debug)]
pub struct Listener(OwnedFd);

impl Listener {
    /// The descriptor that the filter's installation gave.
    #[must_use]
    pub fn new(descriptor: OwnedFd) -> Self {
        Self(descriptor)
    }

    /// The next request. To be called when the descriptor is readable; blocks otherwise.
    pub fn next(&self) -> Option<Request> {
        let call = sys::receive_call(self.0.as_fd()).ok()?;
        let family = i32::try_from(call.arguments[0]).unwrap_or(-1);
        let wanted = match family {
            libc::AF_INET | libc::AF_INET6 => Wanted::Connection,
            libc::AF_UNIX => Wanted::Local,
            _ => {
                let _ = sys::answer_call(self.0.as_fd(), call.id, Err(Errno::EAFNOSUPPORT));
                return None;
            }
        };
        Some(Request {
            id: call.id,
            pid: call.pid,
            wanted,
        })
    }

    /// Hands over a copy of `socket`, connected as it is.
    ///
    /// # Errors
    /// `ENOENT` when the client does not wait any more, for example because a signal came: it will ask again.
    pub fn hand_over(&self, request: Request, socket: BorrowedFd<'_>) -> Result<(), Errno> {
        let number = sys::give_descriptor(self.0.as_fd(), request.id, socket)?;
        sys::answer_call(self.0.as_fd(), request.id, Ok(number))
    }

    /// Refuses.
    pub fn refuse(&self, request: Request) {
        // Who does not wait any more needs no answer.
        let _ = sys::answer_call(self.0.as_fd(), request.id, Err(Errno::EACCES));
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
