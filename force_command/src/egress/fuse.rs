//! Ends a client that others keep with the session that has asked it for something, however that session ends and whoever is
//! too late to see it: the kernel does it, by the close of a socket.
//!
//! A client sends a request as soon as its channel is open, whether somebody is still there or not. Its keeper ends it when
//! a session goes before that, but a keeper that is frozen, or has not had its turn yet, does not.
#![forbid(unsafe_code)]

use super::channel::is_readable;
use crate::sys;
use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

/// It burns when it is dropped, or its process ends, unless it was cut before; somebody else must hold [`Fuse::far`].
#[derive(Debug)]
pub struct Fuse {
    /// Closed, it is lit.
    _near: OwnedFd,
    far: OwnedFd,
}

impl Fuse {
    /// Lays one to the process `client`, of which `gone` becomes readable when it has ended.
    ///
    /// # Errors
    /// `ESRCH` when the client has ended, or what the kernel says.
    pub fn lay(client: i32, gone: BorrowedFd<'_>) -> Result<Self, Errno> {
        let flags = SockFlag::SOCK_CLOEXEC;
        let (near, far) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)?;
        sys::kill_by(far.as_fd(), client)?;
        if is_readable(gone, Duration::ZERO) {
            // Its number may be another's by now.
            sys::kill_by_no_more(far.as_fd())?;
            return Err(Errno::ESRCH);
        }
        Ok(Self { _near: near, far })
    }

    /// What somebody must hold who outlives the session.
    #[must_use]
    pub fn far(&self) -> BorrowedFd<'_> {
        self.far.as_fd()
    }

    /// It does not burn any more.
    pub fn cut(self) {
        let _ = sys::kill_by_no_more(self.far.as_fd());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Child, Command};

    fn client() -> (Child, OwnedFd) {
        let child = Command::new("sleep").arg("60").spawn().unwrap();
        let gone = sys::pidfd(i32::try_from(child.id()).unwrap()).unwrap();
        (child, gone)
    }

    #[test]
    fn a_client_dies_with_the_session_that_asked_it_while_somebody_holds_the_far_end() {
        let (mut child, gone) = client();
        let fuse = Fuse::lay(i32::try_from(child.id()).unwrap(), gone.as_fd()).unwrap();
        let held = fuse.far().try_clone_to_owned().unwrap();
        assert!(!is_readable(gone.as_fd(), Duration::from_millis(50)));
        drop(fuse);
        assert!(is_readable(gone.as_fd(), Duration::from_secs(20)));
        assert_eq!(child.wait().unwrap().signal(), Some(libc::SIGKILL));
        drop(held);
    }

    #[test]
    fn one_that_was_cut_harms_nobody() {
        let (mut child, gone) = client();
        let fuse = Fuse::lay(i32::try_from(child.id()).unwrap(), gone.as_fd()).unwrap();
        let held = fuse.far().try_clone_to_owned().unwrap();
        fuse.cut();
        drop(held);
        assert!(!is_readable(gone.as_fd(), Duration::from_millis(100)));
        child.kill().unwrap();
        let _ = child.wait().unwrap();
    }

    #[test]
    fn none_is_laid_to_a_client_that_has_ended() {
        let (mut child, gone) = client();
        child.kill().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        assert!(is_readable(gone.as_fd(), Duration::from_secs(20)));
        assert_eq!(Fuse::lay(pid, gone.as_fd()).unwrap_err(), Errno::ESRCH);
        let _ = child.wait().unwrap();
        assert_eq!(Fuse::lay(pid, gone.as_fd()).unwrap_err(), Errno::ESRCH);
    }
}
