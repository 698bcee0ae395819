//! The two kinds of child that the menu has: one that reads a line, and one that is a session.
//!
//! The menu holds no store, key or recording while it waits, so a child inherits none. A child
//! begins like a program of its own: default signals, no descriptor of the menu's, and the kernel
//! ends it if the menu dies.

use crate::sys::{self, Forked};
use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill, sigprocmask};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, dup2_stderr, getpid, getppid};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Signals that the kernel sends for keys, and to those who are not in the foreground: none of them is
/// for the menu itself.
const KEYS: [libc::c_int; 5] = [
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGTSTP,
    libc::SIGTTIN,
    libc::SIGTTOU,
];
/// Signals that no part of the session program ever takes.
const NEVER: [libc::c_int; 2] = [libc::SIGPIPE, libc::SIGXFSZ];

/// A child; killed and waited for when it goes away.
#[derive(Debug)]
pub struct Process {
    pid: Pid,
    watch: OwnedFd,
    ended: Option<WaitStatus>,
}

/// The menu itself: keys of a terminal that is not raw end a page, not the menu.
pub fn ignore_keys() {
    let ignored: Vec<libc::c_int> = KEYS.into_iter().chain(NEVER).collect();
    sys::default_signals(&ignored);
}

/// Keys again as they were for a program that has just begun.
pub fn heed_keys() {
    sys::default_signals(&NEVER);
}

impl Process {
    /// Runs `work` in a child and makes what it returns the exit status. The child's standard error
    /// is `errors`, if given.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn start(errors: Option<&OwnedFd>, work: impl FnOnce() -> i32) -> Result<Self, Errno> {
        let parent = getpid();
        match sys::fork()? {
            Forked::Child => {
                // Nothing may unwind into the menu's own frames: its destructors are not ours.
                let run = std::panic::AssertUnwindSafe(|| match begin(parent, errors) {
                    Ok(()) => work(),
                    Err(_) => crate::status::BASTION,
                });
                let status = std::panic::catch_unwind(run);
                sys::leave(status.unwrap_or(crate::status::BASTION))
            }
            Forked::Parent(pid) => {
                let pid = Pid::from_raw(pid);
                let watch = sys::pidfd(pid.as_raw()).inspect_err(|_| {
                    // It has not been waited for, so the number is still its own.
                    let _ = kill(pid, Signal::SIGKILL);
                    let _ = waitpid(pid, None);
                })?;
                Ok(Self {
                    pid,
                    watch,
                    ended: None,
                })
            }
        }
    }

    /// Becomes readable when it has ended.
    #[must_use]
    pub fn watch(&self) -> BorrowedFd<'_> {
        self.watch.as_fd()
    }

    /// Tells it that nobody is there any more.
    pub fn end(&self) {
        if self.ended.is_none() {
            let _ = kill(self.pid, Signal::SIGHUP);
        }
    }

    /// Waits for its end; how it ended.
    pub fn wait(&mut self) -> WaitStatus {
        loop {
            if let Some(ended) = self.ended {
                return ended;
            }
            match waitpid(self.pid, None) {
                Err(Errno::EINTR) => {}
                // Nobody else waits for it; were it so, it is gone all the same.
                Err(_) => self.ended = Some(WaitStatus::Signaled(self.pid, Signal::SIGKILL, false)),
                Ok(ended @ (WaitStatus::Exited(..) | WaitStatus::Signaled(..))) => {
                    self.ended = Some(ended);
                }
                Ok(_) => {}
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ended.is_none() {
            let _ = kill(self.pid, Signal::SIGKILL);
            self.wait();
        }
    }
}

/// In the child, before its work.
fn begin(parent: Pid, errors: Option<&OwnedFd>) -> Result<(), Errno> {
    if let Some(errors) = errors {
        dup2_stderr(errors)?;
    }
    sys::close_from(3, false)?;
    sys::default_signals(&NEVER);
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?;
    prctl::set_pdeathsig(Signal::SIGHUP)?;
    if getppid() == parent {
        Ok(())
    } else {
        Err(Errno::ESRCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    // Tests have several threads, and a child of them may do little: no allocation, no lock.

    #[test]
    fn the_status_of_the_work_is_the_status_of_the_child() {
        let mut child = Process::start(None, || 7).unwrap();
        assert!(matches!(child.wait(), WaitStatus::Exited(_, 7)));
    }

    #[test]
    fn what_a_child_says_on_standard_error_can_be_read_and_ends_with_it() {
        let (read, write) = nix::unistd::pipe().unwrap();
        let child = Process::start(Some(&write), || {
            let _ = nix::unistd::write(sys::standard(sys::StandardNumber::Error), b"line");
            0
        });
        drop(write);
        let mut said = String::new();
        std::fs::File::from(read).read_to_string(&mut said).unwrap();
        assert_eq!(said, "line");
        assert!(matches!(child.unwrap().wait(), WaitStatus::Exited(_, 0)));
    }

    #[test]
    fn a_child_that_is_let_go_is_gone() {
        let child = Process::start(None, || {
            loop {
                nix::unistd::pause();
            }
        });
        let child = child.unwrap();
        let pid = child.pid;
        drop(child);
        assert_eq!(kill(pid, None), Err(Errno::ESRCH));
    }
}
