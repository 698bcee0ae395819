//! The relay shuts itself in, before it reads the first byte that an asset can have written.
//!
//! By then the session's secrets are in its agents, recording and store are open, and every client runs. What it can
//! still do is listed here and in docs/confinement.md: read and write the store, read and write its own recording (both are
//! open), read its clients' logs, answer its clients, end them, tell syslog, remove its own names in `/run/jms`.
#![forbid(unsafe_code)]

use super::client::ConfinementError;
use super::domain::{Domain, May, Outside};
use super::filter::{Argument, Calls, FCNTLS, FilterError, IOCTLS};
use crate::sys;
use jms::id::Id;
use jms::paths::Paths;
use nix::errno::Errno;
use std::fmt;
use std::path::{Path, PathBuf};

/// A process that the relay may end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Process {
    /// It alone.
    One(i32),
    /// The process group that it leads.
    Group(i32),
}

/// Why the relay is not shut in; then the session must not go on.
#[derive(Debug)]
pub enum ShutInError {
    /// The lists cannot be made.
    Lists(ConfinementError),
    /// The kernel refuses.
    System(Errno),
    /// The kernel has Landlock and did not apply it.
    NotEnforced,
}

impl fmt::Display for ShutInError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lists(error) => error.fmt(f),
            Self::System(errno) => write!(f, "seccomp: {}", errno.desc()),
            Self::NotEnforced => f.write_str("Landlock: the kernel did not apply it"),
        }
    }
}

impl std::error::Error for ShutInError {}

impl<E: Into<ConfinementError>> From<E> for ShutInError {
    fn from(error: E) -> Self {
        Self::Lists(error.into())
    }
}

/// Shuts this process in for good. `processes`: whom it may end.
///
/// # Errors
/// [`ShutInError`].
pub fn shut_in(
    paths: &Paths,
    session: &Id,
    processes: &[Process],
    has_landlock: bool,
) -> Result<(), ShutInError> {
    let database = paths.database();
    let beside = |end: &str| {
        let mut name = database.clone().into_os_string();
        name.push(end);
        PathBuf::from(name)
    };
    let (log, memory) = (beside("-wal"), beside("-shm"));
    let (egress, sessions) = (paths.egress(), paths.sessions());
    let own = egress.join(session.as_str());
    let rules: [(&Path, May); 6] = [
        (&database, May::ReadWrite),
        (&log, May::ReadWrite),
        (&memory, May::ReadWrite),
        (&own, May::ReadRemove),
        (&egress, May::RemoveFolders),
        (&sessions, May::RemoveFiles),
    ];
    enter(rules, calls(processes)?, has_landlock)
}

/// Shuts the keeper of a connection in for good: it removes its own names, `folder` and its control socket, and ends its
/// client. `processes`: whom it may end.
///
/// # Errors
/// [`ShutInError`].
pub fn shut_in_keeper(
    paths: &Paths,
    folder: &Path,
    processes: &[Process],
    has_landlock: bool,
) -> Result<(), ShutInError> {
    let (warm, sessions) = (paths.warm(), paths.sessions());
    let rules: [(&Path, May); 3] = [
        (folder, May::ReadRemove),
        (&warm, May::RemoveFolders),
        (&sessions, May::RemoveFiles),
    ];
    let mut calls = calls(processes)?;
    // Sessions that come, and what they are given with its yes.
    calls.allow(&[libc::SYS_accept4, libc::SYS_sendmsg]);
    enter(rules, calls, has_landlock)
}

fn enter<'p>(
    rules: impl IntoIterator<Item = (&'p Path, May)>,
    calls: Calls,
    has_landlock: bool,
) -> Result<(), ShutInError> {
    let domain = Domain::new(rules, Outside::Signals)?;
    let calls = calls.compile()?;
    nix::sys::prctl::set_no_new_privs().map_err(ShutInError::System)?;
    if domain.enter()? != has_landlock {
        return Err(ShutInError::NotEnforced);
    }
    sys::install_filter(&calls).map_err(ShutInError::System)
}

/// Files that are open, the clients' requests, the client's terminal.
const OWN: &[libc::c_long] = &[
    libc::SYS_fallocate,
    libc::SYS_fdatasync,
    libc::SYS_flock,
    libc::SYS_ftruncate,
    libc::SYS_timerfd_settime,
    libc::SYS_unlinkat,
];

#[cfg(target_arch = "x86_64")]
const OWN_X86_64: &[libc::c_long] = &[libc::SYS_rmdir, libc::SYS_unlink];

/// Beside those of the client: the size of a client's terminal, and what a listener is asked.
const MORE_IOCTLS: &[u32] = &[
    libc::TIOCSWINSZ as u32,
    libc::SECCOMP_IOCTL_NOTIF_RECV as u32,
    libc::SECCOMP_IOCTL_NOTIF_SEND as u32,
    libc::SECCOMP_IOCTL_NOTIF_ADDFD as u32,
];

fn calls(processes: &[Process]) -> Result<Calls, FilterError> {
    let mut calls = Calls::common();
    calls.allow(OWN);
    #[cfg(target_arch = "x86_64")]
    calls.allow(OWN_X86_64);
    calls.allow_if(libc::SYS_ioctl, 1, IOCTLS)?;
    calls.allow_if(libc::SYS_ioctl, 1, MORE_IOCTLS)?;
    calls.allow_if(libc::SYS_fcntl, 1, FCNTLS)?;
    calls.allow_if(libc::SYS_prlimit64, 0, &[0])?;
    // Both ends stay here or go to a client: nobody else is reached by it.
    calls.allow_if(libc::SYS_socketpair, 0, &[libc::AF_UNIX as u32])?;
    // To whom the socket is connected: syslog, an agent's client.
    calls.allow_when(libc::SYS_sendto, &[Argument::IsNull(4)])?;
    for process in processes {
        let number = match process {
            Process::One(pid) => *pid,
            Process::Group(pid) => pid.wrapping_neg(),
        };
        calls.allow_if(libc::SYS_kill, 0, &[number as u32])?;
    }
    Ok(calls)
}

#[cfg(test)]
#[path = "relay_tests.rs"]
mod tests;
