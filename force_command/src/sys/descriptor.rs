//! Descriptors: the three standard ones, closing the rest, watching a process.

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

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

/// Closes every descriptor from 3 on but `kept`.
///
/// # Errors
/// What the kernel says.
pub fn close_all_but(kept: &[RawFd]) -> Result<(), Errno> {
    let mut kept: Vec<u32> = kept
        .iter()
        .filter_map(|number| u32::try_from(*number).ok())
        .collect();
    kept.sort_unstable();
    let mut first = 3;
    for number in kept.into_iter().map(Some).chain([None]) {
        let last = number.map_or(u32::MAX, |number| number.saturating_sub(1));
        if first <= last {
            // SAFETY: takes numbers; the caller owns none of these descriptors, or loses it knowingly.
            let result = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
            Errno::result(result)?;
        }
        first = number.map_or(first, |number| first.max(number.saturating_add(1)));
    }
    Ok(())
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

// Of Linux's fcntl.h; the libc crate lacks them.
const F_SETOWN_EX: libc::c_int = 15;
const F_SETSIG: libc::c_int = 10;
const F_OWNER_TID: libc::c_int = 0;
const F_OWNER_PID: libc::c_int = 1;
const DN_MODIFY: libc::c_uint = 0x02;
const DN_CREATE: libc::c_uint = 0x04;
const DN_DELETE: libc::c_uint = 0x08;
const DN_RENAME: libc::c_uint = 0x10;
const DN_ATTRIB: libc::c_uint = 0x20;
const DN_MULTISHOT: libc::c_uint = 0x8000_0000;

/// `struct f_owner_ex`.
#[repr(C)]
struct Owner {
    kind: libc::c_int,
    pid: libc::pid_t,
}

/// Has `SIGIO` sent to this thread, from now on, when something changes in a folder that is open for reading (`dnotify`:
/// `F_NOTIFY` of `fcntl(2)`).
///
/// # Errors
/// What the kernel says: it was built without.
pub fn notify_of_changes(folder: BorrowedFd<'_>) -> Result<(), Errno> {
    own(folder, F_OWNER_TID, nix::unistd::gettid().as_raw())?;
    let changes = DN_MODIFY | DN_CREATE | DN_DELETE | DN_RENAME | DN_ATTRIB | DN_MULTISHOT;
    // SAFETY: takes an open descriptor and a number.
    Errno::result(unsafe { libc::fcntl(folder.as_raw_fd(), libc::F_NOTIFY, changes) }).map(drop)
}

/// Who is signalled about `descriptor`.
fn own(descriptor: BorrowedFd<'_>, kind: libc::c_int, pid: libc::pid_t) -> Result<(), Errno> {
    let owner = Owner { kind, pid };
    // SAFETY: takes an open descriptor and a structure that lives through the call; writes nothing.
    Errno::result(unsafe { libc::fcntl(descriptor.as_raw_fd(), F_SETOWN_EX, &raw const owner) })
        .map(drop)
}

/// Has the kernel kill a process as soon as anything happens at a socket, its other end's close at the latest, for as long as
/// somebody holds this one (`F_SETSIG` of `fcntl(2)`). Nobody has to run for it.
///
/// # Errors
/// `ESRCH` when there is no such process, or what the kernel says.
pub fn kill_by(socket: BorrowedFd<'_>, pid: i32) -> Result<(), Errno> {
    // SAFETY: takes an open descriptor and a number.
    Errno::result(unsafe { libc::fcntl(socket.as_raw_fd(), F_SETSIG, libc::SIGKILL) })?;
    own(socket, F_OWNER_PID, pid)?;
    signal_by(socket, true)
}

/// Kills nobody by it any more.
///
/// # Errors
/// What the kernel says, which has no reason to.
pub fn kill_by_no_more(socket: BorrowedFd<'_>) -> Result<(), Errno> {
    signal_by(socket, false)
}

fn signal_by(socket: BorrowedFd<'_>, on: bool) -> Result<(), Errno> {
    let mut flags = OFlag::from_bits_retain(fcntl(socket, FcntlArg::F_GETFL)?);
    flags.set(OFlag::O_ASYNC, on);
    fcntl(socket, FcntlArg::F_SETFL(flags)).map(drop)
}

/// Writes all of `bytes`, or gives up after `patience`; the descriptor blocks again afterwards if it
/// did before.
///
/// # Errors
/// `ETIMEDOUT` when the reader does not read, or what the kernel says.
pub fn write_within(
    into: BorrowedFd<'_>,
    mut bytes: &[u8],
    patience: Duration,
) -> Result<(), Errno> {
    let until = Instant::now() + patience;
    let flags = OFlag::from_bits_truncate(fcntl(into, FcntlArg::F_GETFL)?);
    fcntl(into, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    let mut write = || -> Result<(), Errno> {
        while !bytes.is_empty() {
            match nix::unistd::write(into, bytes) {
                Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => {
                    let left = until.saturating_duration_since(Instant::now());
                    let left = PollTimeout::try_from(left.as_millis()).unwrap_or(PollTimeout::ZERO);
                    let ready = poll(&mut [PollFd::new(into, PollFlags::POLLOUT)], left);
                    if ready == Ok(0) {
                        return Err(Errno::ETIMEDOUT);
                    }
                }
                Err(errno) => return Err(errno),
            }
        }
        Ok(())
    };
    let written = write();
    fcntl(into, FcntlArg::F_SETFL(flags))?;
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    #[test]
    fn a_reader_that_does_not_read_is_given_up() {
        let (reader, writer) = nix::unistd::pipe().unwrap();
        let begun = Instant::now();
        let patience = Duration::from_millis(50);
        let written = write_within(writer.as_fd(), &vec![b'x'; 1 << 20], patience);
        assert_eq!(written, Err(Errno::ETIMEDOUT));
        assert!(begun.elapsed() < Duration::from_secs(5));
        let flags = OFlag::from_bits_truncate(fcntl(&writer, FcntlArg::F_GETFL).unwrap());
        assert!(!flags.contains(OFlag::O_NONBLOCK));
        drop(reader);
        assert_eq!(
            write_within(writer.as_fd(), b"x", patience),
            Err(Errno::EPIPE)
        );
    }
}
