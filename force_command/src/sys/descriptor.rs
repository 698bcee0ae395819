//! Descriptors: the three standard ones, closing the rest, watching a process.

use nix::errno::Errno;
use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// Standard input, output or error (0, 1, 2). They are open for the whole life of the process:
/// the start of the program has seen to it, and nothing closes them.
#[must_use]
pub fn standard(number: StandardNumber) -> BorrowedFd<'static> {
    // SAFETY: descriptors 0 to 2 are never closed, only replaced by dup2.
    unsafe { BorrowedFd::borrow_raw(number as RawFd) }
}

/// Which standard descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum StandardNumber {
    /// Standard input.
    Input = 0,
    /// Standard output.
    Output = 1,
    /// Standard error.
    Error = 2,
}

/// Closes every descriptor from `first` on (`close_range(2)`, Linux 5.9), or only marks them to be
/// closed by `execve` (Linux 5.11).
///
/// # Errors
/// What the kernel says.
pub fn close_from(first: u32, only_on_exec: bool) -> Result<(), Errno> {
    let flags = if only_on_exec {
        libc::CLOSE_RANGE_CLOEXEC
    } else {
        0
    };
    // SAFETY: takes numbers; the caller owns no descriptor from `first` on, or loses it knowingly.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, flags) };
    Errno::result(result).map(drop)
}

/// A descriptor that becomes readable when the process has ended (`pidfd_open(2)`).
///
/// # Errors
/// `ESRCH` when there is no such process, or what the kernel says.
pub fn pidfd(pid: i32) -> Result<OwnedFd, Errno> {
    // SAFETY: takes numbers and returns a new descriptor (close-on-exec) or -1.
    let result = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let descriptor = RawFd::try_from(Errno::result(result)?).map_err(|_| Errno::EBADF)?;
    // SAFETY: the kernel has just made it and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Asks for a larger buffer in a pipe; the kernel may refuse, which costs only speed.
pub fn set_pipe_size(pipe: &OwnedFd, bytes: i32) {
    // SAFETY: takes a descriptor that is open and a number.
    let _ = unsafe { libc::fcntl(pipe.as_raw_fd(), libc::F_SETPIPE_SZ, bytes) };
}

/// Makes the number of `descriptor` mean what `by` means; what it meant before is closed.
///
/// # Errors
/// What the kernel says.
pub fn replace(descriptor: BorrowedFd<'_>, by: &OwnedFd) -> Result<(), Errno> {
    // SAFETY: takes two open descriptors; the number stays open, so nobody who holds it is misled.
    Errno::result(unsafe { libc::dup2(by.as_raw_fd(), descriptor.as_raw_fd()) }).map(drop)
}

/// A descriptor that becomes readable when something is written to the file (`inotify(7)`).
///
/// # Errors
/// What the kernel says: no permission to read it, or too many of these.
pub fn watch_file(path: &CStr) -> Result<OwnedFd, Errno> {
    // SAFETY: takes flags and returns a new descriptor or -1.
    let number =
        Errno::result(unsafe { libc::inotify_init1(libc::IN_NONBLOCK | libc::IN_CLOEXEC) })?;
    // SAFETY: the kernel has just made it and nobody else knows it.
    let watch = unsafe { OwnedFd::from_raw_fd(number) };
    // SAFETY: the path ends in NUL and lives through the call.
    Errno::result(unsafe {
        libc::inotify_add_watch(watch.as_raw_fd(), path.as_ptr(), libc::IN_MODIFY)
    })?;
    Ok(watch)
}
