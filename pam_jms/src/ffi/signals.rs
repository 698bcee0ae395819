//! Signals of the host program while a child of ours is alive.
//!
//! Everything is blocked around fork(2), so that no handler of the host's runs in the child.
//! SIGCHLD stays blocked until the child is gone: a handler that waits for all children would
//! take ours; blocked, it comes afterwards and loses nothing. A host that ignores SIGCHLD has its
//! children's statuses thrown away by the kernel, so the default is put in place meanwhile.

use std::io;
use std::mem::MaybeUninit;

use libc::{c_int, sigaction, sigset_t};

/// The host's own signal mask and SIGCHLD disposition; given back when dropped.
pub(crate) struct Held {
    mask: sigset_t,
    child: Option<sigaction>,
}

impl Held {
    /// Blocks every signal, and sees to it that a child's exit status is kept.
    pub(crate) fn all() -> io::Result<Self> {
        let mask = set_mask(&full_set())?;
        let mut held = Self { mask, child: None };
        let current = disposition(libc::SIGCHLD)?;
        if current.sa_sigaction == libc::SIG_IGN || current.sa_flags & libc::SA_NOCLDWAIT != 0 {
            set_disposition(libc::SIGCHLD, &default_action())?;
            held.child = Some(current);
        }
        Ok(held)
    }

    /// Lets the host's signals through again, all but SIGCHLD.
    pub(crate) fn only_child(&self) -> io::Result<()> {
        let mut mask = self.mask;
        // SAFETY: the set was filled in by the kernel; SIGCHLD is a valid number.
        unsafe { libc::sigaddset(&raw mut mask, libc::SIGCHLD) };
        set_mask(&mask).map(drop)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(child) = &self.child {
            let _ = set_disposition(libc::SIGCHLD, child);
        }
        let _ = set_mask(&self.mask);
    }
}

/// In the child, before exec: default for every signal, none blocked. Async-signal-safe.
pub(crate) fn reset_in_child() {
    let default = default_action();
    for signal in 1..=64 {
        // Fails for KILL, STOP and the C library's own two, which cannot be changed.
        let _ = set_disposition(signal, &default);
    }
    let _ = set_mask(&empty_set());
}

fn default_action() -> sigaction {
    // SAFETY: integers, a set and an optional function: all zero is SIG_DFL with an empty mask.
    unsafe { MaybeUninit::<sigaction>::zeroed().assume_init() }
}

fn full_set() -> sigset_t {
    let mut set = empty_set();
    // SAFETY: the set is ours to fill.
    unsafe { libc::sigfillset(&raw mut set) };
    set
}

fn empty_set() -> sigset_t {
    // SAFETY: a set is an array of integers; all zero is the empty one.
    unsafe { MaybeUninit::<sigset_t>::zeroed().assume_init() }
}

fn set_mask(mask: &sigset_t) -> io::Result<sigset_t> {
    let mut old = empty_set();
    // SAFETY: both sets are live objects of ours.
    let error = unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, mask, &raw mut old) };
    if error == 0 {
        Ok(old)
    } else {
        Err(io::Error::from_raw_os_error(error))
    }
}

fn disposition(signal: c_int) -> io::Result<sigaction> {
    let mut current = default_action();
    // SAFETY: a null pointer means "do not change"; the other is a live object of ours.
    if unsafe { libc::sigaction(signal, std::ptr::null(), &raw mut current) } == 0 {
        Ok(current)
    } else {
        Err(io::Error::last_os_error())
    }
}

fn set_disposition(signal: c_int, action: &sigaction) -> io::Result<()> {
    // SAFETY: the action is either the default or one that sigaction itself returned.
    if unsafe { libc::sigaction(signal, action, std::ptr::null_mut()) } == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
