//! The start of the set-uid program: nothing else happens before it has finished.
//!
//! Trusts only the kernel: who calls, who we are, which descriptors are open. Whoever starts this
//! program chooses arguments, environment, signal dispositions, limits, timers and descriptors.

pub mod environment;

use crate::sys;
use environment::Environment;
use jms::paths::Paths;
use nix::sys::signal::{SigSet, SigmaskHow, sigprocmask};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{getresgid, getresuid};
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;

/// Descriptors that one session may have open; a session needs about thirty.
const OPEN_FILES: u64 = 256;
/// Processes that a user may have, the kernel counts them by his uid: a hundred sessions need some five hundred. Whoever
/// takes over one of his programs cannot use up those of sshd's whole service.
const PROCESSES: u64 = 1024;
/// The usual size of a stack, in bytes.
const STACK: u64 = 8 * 1024 * 1024;

/// Who started us, and with which wishes. Made once by [`start`].
#[derive(Debug)]
pub struct Start {
    /// The caller's real uid: the virtual user.
    pub uid: u32,
    /// His primary gid, which stays ours too.
    pub gid: u32,
    /// The service user's uid, the owner of this program's file.
    pub service_uid: u32,
    /// What the environment wishes.
    pub environment: Environment,
    /// The argument of `-c`, when the program was started as a login shell or by ForceCommand.
    pub command: Option<Vec<u8>>,
    /// Standard input and output are a terminal.
    pub has_terminal: bool,
}

/// Why the program does not go on. Each is a sentence for whoever started it.
#[derive(Debug)]
pub enum StartError {
    /// The set-uid bit had no effect.
    NotServiceUser,
    /// Set-uid to root, or group changed: not how the package installs it.
    WrongIdentity,
    /// The caller is not a virtual user.
    NotVirtualUser(u32),
    /// Root's file of uids is missing or bad.
    UidRange(snapshot::UidRangeError),
    /// The kernel refused something that the start needs.
    System(&'static str, std::io::Error),
}

impl std::error::Error for StartError {}

impl StartError {
    /// A stable word for events.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::NotServiceUser => "not-service-user",
            Self::WrongIdentity => "wrong-identity",
            Self::NotVirtualUser(_) => "not-virtual-user",
            Self::UidRange(_) => "uid-range",
            Self::System(..) => "system",
        }
    }
}

/// Makes the process clean and learns who called.
///
/// # Errors
/// [`StartError`]: the program says it and ends.
pub fn start() -> Result<Start, StartError> {
    // The environment goes first: nothing may be read from it but what is taken here.
    let given: Vec<(OsString, OsString)> = std::env::vars_os().collect();
    let arguments: Vec<OsString> = std::env::args_os().take(4).collect();
    sys::clear_environment();

    sys::default_signals(&[libc::SIGPIPE, libc::SIGXFSZ]);
    let system = |what| move |error: nix::errno::Errno| StartError::System(what, error.into());
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)
        .map_err(system("set the signal mask"))?;
    sys::stop_timers();
    umask(Mode::from_bits_truncate(0o077));
    standard_descriptors().map_err(|error| StartError::System("open /dev/null", error))?;
    sys::close_from(3, false).map_err(system("close inherited descriptors"))?;
    limits().map_err(system("set limits"))?;
    std::env::set_current_dir("/").map_err(|error| StartError::System("change to /", error))?;
    nix::sys::prctl::set_dumpable(false).map_err(system("forbid core dumps and tracing"))?;

    let (uid, gid, service_uid) = identity()?;
    let range =
        snapshot::UidRange::load(&Paths::system().uid_range()).map_err(StartError::UidRange)?;
    // A local account may have got a uid of the range; it has not got one of our groups.
    if !range.contains(uid) || ![range.users_gid(), range.mfa_gid()].contains(&gid) {
        return Err(StartError::NotVirtualUser(uid));
    }
    Ok(Start {
        uid,
        gid,
        service_uid,
        environment: Environment::from_given(given),
        command: environment::command(arguments),
        has_terminal: crate::relay::Descriptors::standard().are_terminal(),
    })
}

/// Real uid, real gid and service uid, when they are as the package's set-uid bit makes them.
fn identity() -> Result<(u32, u32, u32), StartError> {
    let system = |what| move |error: nix::errno::Errno| StartError::System(what, error.into());
    let uids = getresuid().map_err(system("learn who called"))?;
    let gids = getresgid().map_err(system("learn who called"))?;
    let program = std::fs::metadata("/proc/self/exe")
        .map_err(|error| StartError::System("see the program's own file in /proc", error))?;
    if uids.effective == uids.real {
        return Err(StartError::NotServiceUser);
    }
    let service = uids.effective.as_raw();
    let as_installed = uids.saved == uids.effective
        && service != 0
        && service == program.uid()
        && gids.real == gids.effective
        && gids.real == gids.saved;
    if as_installed {
        Ok((uids.real.as_raw(), gids.real.as_raw(), service))
    } else {
        Err(StartError::WrongIdentity)
    }
}

/// Descriptors 0 to 2 are open, so that no file of ours can become one of them.
fn standard_descriptors() -> std::io::Result<()> {
    loop {
        let opened = nix::fcntl::open("/dev/null", nix::fcntl::OFlag::O_RDWR, Mode::empty())?;
        if std::os::fd::AsRawFd::as_raw_fd(&opened) > 2 {
            return Ok(());
        }
        std::mem::forget(opened);
    }
}

/// Every limit is set by us: to the highest that the caller left, less where more would only harm.
fn limits() -> Result<(), nix::errno::Errno> {
    sys::limit(libc::RLIMIT_CORE, 0)?;
    sys::limit(libc::RLIMIT_NOFILE, OPEN_FILES)?;
    sys::limit(libc::RLIMIT_STACK, STACK)?;
    sys::limit(libc::RLIMIT_NPROC, PROCESSES)?;
    for resource in [
        libc::RLIMIT_AS,
        libc::RLIMIT_CPU,
        libc::RLIMIT_DATA,
        libc::RLIMIT_FSIZE,
        libc::RLIMIT_LOCKS,
        libc::RLIMIT_MEMLOCK,
        libc::RLIMIT_MSGQUEUE,
        libc::RLIMIT_NICE,
        libc::RLIMIT_RSS,
        libc::RLIMIT_RTPRIO,
        libc::RLIMIT_RTTIME,
        libc::RLIMIT_SIGPENDING,
    ] {
        sys::limit(resource, libc::RLIM_INFINITY)?;
    }
    Ok(())
}
