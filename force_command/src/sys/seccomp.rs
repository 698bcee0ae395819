//! Filters for system calls, and the listener that answers one of them in the kernel's place (seccomp(2),
//! seccomp_unotify(2)).

use nix::errno::Errno;
use seccompiler::sock_filter;
use std::mem::zeroed;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// A system call that waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// By which the kernel knows it.
    pub id: u64,
    /// The calling thread.
    pub pid: i32,
    /// Number of the system call.
    pub number: i32,
    /// Its arguments: numbers are what they were, pointers may lead to something else by now.
    pub arguments: [u64; 6],
}

/// Installs a filter for this process for good; it holds for everything that it executes, too.
/// No new privileges must be set.
///
/// # Errors
/// What the kernel says.
pub fn install_filter(program: &[sock_filter]) -> Result<(), Errno> {
    install(program, 0).map(drop)
}

/// The same, and the descriptor at which the calls appear that the filter does not decide.
///
/// # Errors
/// What the kernel says: `EBUSY` when an older filter of the process has a listener already.
pub fn install_listener(program: &[sock_filter]) -> Result<OwnedFd, Errno> {
    let number = install(program, libc::SECCOMP_FILTER_FLAG_NEW_LISTENER)?;
    // SAFETY: the kernel has just made it (close-on-exec) and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

fn install(program: &[sock_filter], flags: libc::c_ulong) -> Result<RawFd, Errno> {
    let filters: Vec<libc::sock_filter> = program
        .iter()
        .map(|filter| libc::sock_filter {
            code: filter.code,
            jt: filter.jt,
            jf: filter.jf,
            k: filter.k,
        })
        .collect();
    let program = libc::sock_fprog {
        len: u16::try_from(filters.len()).map_err(|_| Errno::E2BIG)?,
        filter: filters.as_ptr().cast_mut(),
    };
    // SAFETY: the program and its filters live through the call; the kernel only reads them.
    let result = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            flags,
            &raw const program,
        )
    };
    RawFd::try_from(Errno::result(result)?).map_err(|_| Errno::EBADF)
}

/// The next call that waits. Blocks when none does: ask `poll` before.
///
/// # Errors
/// `ENOENT` when the caller was interrupted meanwhile, or what the kernel says.
pub fn receive_call(listener: BorrowedFd<'_>) -> Result<Call, Errno> {
    // SAFETY: the structure is made of numbers, for which zero is a value; the kernel demands zeros.
    let mut call: libc::seccomp_notif = unsafe { zeroed() };
    // SAFETY: `call` is valid for writing and of the type that this request fills.
    Errno::result(unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            libc::SECCOMP_IOCTL_NOTIF_RECV,
            &raw mut call,
        )
    })?;
    Ok(Call {
        id: call.id,
        pid: i32::try_from(call.pid).unwrap_or(0),
        number: call.data.nr,
        arguments: call.data.args,
    })
}

/// Gives the caller a copy of `descriptor` (close-on-exec); its number there.
///
/// # Errors
/// `ENOENT` when the caller does not wait any more, or what the kernel says.
pub fn give_descriptor(
    listener: BorrowedFd<'_>,
    call: u64,
    descriptor: BorrowedFd<'_>,
) -> Result<i32, Errno> {
    let given = libc::seccomp_notif_addfd {
        id: call,
        flags: 0,
        srcfd: u32::try_from(descriptor.as_raw_fd()).map_err(|_| Errno::EBADF)?,
        newfd: 0,
        newfd_flags: libc::O_CLOEXEC as u32,
    };
    // SAFETY: `given` is valid for reading and of the type that this request reads.
    Errno::result(unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            libc::SECCOMP_IOCTL_NOTIF_ADDFD,
            &raw const given,
        )
    })
}

/// Ends the call: with a value, or with an error.
///
/// # Errors
/// `ENOENT` when the caller does not wait any more, or what the kernel says.
pub fn answer_call(
    listener: BorrowedFd<'_>,
    call: u64,
    answer: Result<i32, Errno>,
) -> Result<(), Errno> {
    let answer = libc::seccomp_notif_resp {
        id: call,
        val: i64::from(answer.unwrap_or(0)),
        error: answer.err().map_or(0, |errno| -(errno as i32)),
        flags: 0,
    };
    // SAFETY: `answer` is valid for reading and of the type that this request reads.
    Errno::result(unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            libc::SECCOMP_IOCTL_NOTIF_SEND,
            &raw const answer,
        )
    })
    .map(drop)
}
