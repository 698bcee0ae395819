//! The one place of this crate with `unsafe`: being told of an interrupt without ending at once, the size of a terminal.
#![allow(unsafe_code)]

use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use nix::pty::Winsize;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

extern "C" fn note(_signal: libc::c_int) {
    INTERRUPTED.store(true, Ordering::Relaxed);
}

/// From now on SIGINT, SIGTERM and SIGHUP do not end this process: the program that it waits for ends, and this process
/// then cleans up. Programs that it starts have the ordinary handling.
///
/// # Errors
/// When the kernel refuses.
pub fn outlive_interrupts() -> nix::Result<()> {
    let action = SigAction::new(
        SigHandler::Handler(note),
        SaFlags::SA_RESTART,
        SigSet::empty(),
    );
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        // SAFETY: the handler stores into an atomic and does nothing else, which is safe at any moment (signal-safety(7)).
        unsafe { sigaction(signal, &action) }?;
    }
    Ok(())
}

mod ioctl {
    use nix::pty::Winsize;
    nix::ioctl_write_ptr_bad!(set_window_size, libc::TIOCSWINSZ, Winsize);
}

/// Gives a terminal another size; the kernel tells its programs (SIGWINCH).
///
/// # Errors
/// When it is no terminal.
pub fn set_window_size(terminal: BorrowedFd<'_>, size: &Winsize) -> nix::Result<()> {
    // SAFETY: TIOCSWINSZ reads a struct winsize, which `size` points to.
    unsafe { ioctl::set_window_size(terminal.as_raw_fd(), size) }.map(drop)
}

/// Whether one of them has come.
#[must_use]
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}
