//! Starts the helper: a process that was root a moment ago and never will be again.
//!
//! All that can be prepared is prepared before fork(2). Between fork and exec only
//! async-signal-safe calls (signal-safety(7)) run, each checked; the first that fails ends the
//! child with a status that says which one it was.

use std::ffi::CStr;
use std::fmt;
use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use libc::{c_char, c_int, gid_t, pid_t, rlim_t, uid_t};

use super::channel::{Channel, above_standard};
use super::passwd;
use super::signals::{Held, reset_in_child};

/// The user that the helper runs as.
const SERVICE_USER: &CStr = c"jms";
/// How long a killed helper may take to go; it can hang in the kernel on a broken disk.
const LAST_GRACE: Duration = Duration::from_millis(500);
/// Between two looks at a helper's end, where the kernel has not said when it comes.
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// Why there is no helper.
#[derive(Debug)]
pub(crate) enum StartError {
    /// There is no user `jms`.
    NoServiceUser,
    /// `jms` is root or in root's group.
    ServiceUserIsRoot,
    /// A descriptor, /dev/null, a signal mask or the process itself could not be had.
    System(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoServiceUser => f.write_str("there is no user jms; reinstall the package"),
            Self::ServiceUserIsRoot => {
                f.write_str("the user jms has uid or gid 0; reinstall the package")
            }
            Self::System(error) => write!(f, "{error}"),
        }
    }
}

impl From<io::Error> for StartError {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

/// The steps between fork and exec. The child ends with [`STEP_BASE`] plus the step's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
enum Step {
    Descriptors = 1,
    CloseOthers = 2,
    Limits = 3,
    Folder = 4,
    Groups = 5,
    Gid = 6,
    Uid = 7,
    StillRoot = 8,
    NoNewPrivileges = 9,
    Execute = 10,
}

/// Above what shells, Rust's runtime (101) and the helper itself use.
const STEP_BASE: c_int = 200;

impl Step {
    const ALL: [Self; 10] = [
        Self::Descriptors,
        Self::CloseOthers,
        Self::Limits,
        Self::Folder,
        Self::Groups,
        Self::Gid,
        Self::Uid,
        Self::StillRoot,
        Self::NoNewPrivileges,
        Self::Execute,
    ];

    fn status(self) -> c_int {
        STEP_BASE.saturating_add(self as c_int)
    }

    fn what(self) -> &'static str {
        match self {
            Self::Descriptors => "its descriptors could not be set up",
            Self::CloseOthers => "other descriptors could not be closed (close_range)",
            Self::Limits => "its resource limits could not be set",
            Self::Folder => "its working folder could not be set",
            Self::Groups => "its groups could not be set",
            Self::Gid => "its gid could not be set",
            Self::Uid => "its uid could not be set",
            Self::StillRoot => "it was still able to become root",
            Self::NoNewPrivileges => "new privileges could not be forbidden",
            Self::Execute => "/usr/libexec/jms/jms-pam-helper is missing or cannot be executed",
        }
    }
}

/// How the helper ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Exit status 0.
    Good,
    /// Any other status.
    Bad(ExitStatus),
    /// By us, at the deadline.
    Killed,
    /// Somebody else waited for it, so its status is not known.
    Unknown,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Good => f.write_str("jms-pam-helper ended well"),
            Self::Killed => f.write_str("jms-pam-helper was ended at the deadline"),
            Self::Unknown => f.write_str("how jms-pam-helper ended could not be found out"),
            Self::Bad(status) => {
                let step = Step::ALL
                    .into_iter()
                    .find(|step| status.code() == Some(step.status()));
                match step {
                    Some(step) => write!(f, "jms-pam-helper did not start: {}", step.what()),
                    None => write!(f, "jms-pam-helper failed: {status}"),
                }
            }
        }
    }
}

/// A running helper. Gone, killed if need be, when dropped.
pub(crate) struct Child {
    pid: pid_t,
    /// The process whose child it is: a copy of this value in a process that was forked from that one owns nothing.
    parent: u32,
    reaped: bool,
    /// The host's signals; its own again while the child rests.
    held: Option<Held>,
}

/// All that the child needs, in place before fork.
struct Plan<'a> {
    path: &'a CStr,
    argument: Option<&'a CStr>,
    uid: uid_t,
    gid: gid_t,
    socket: RawFd,
    null: RawFd,
}

impl Child {
    /// Starts `path` as the service user, with the other end of the channel as its standard input
    /// and output, and `argument` as its only one.
    pub(crate) fn start(
        path: &CStr,
        argument: Option<&CStr>,
        deadline: Instant,
    ) -> Result<(Self, Channel), StartError> {
        let service = passwd::lookup(SERVICE_USER).ok_or(StartError::NoServiceUser)?;
        if service.uid == 0 || service.gid == 0 {
            return Err(StartError::ServiceUserIsRoot);
        }
        let (channel, theirs) = Channel::pair(deadline)?;
        let null = OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/null")?;
        let null = above_standard(OwnedFd::from(null))?;
        let plan = Plan {
            path,
            argument,
            uid: service.uid,
            gid: service.gid,
            socket: theirs.as_raw_fd(),
            null: null.as_raw_fd(),
        };
        let held = Held::all()?;
        // SAFETY: the child calls nothing but async-signal-safe functions and does not return.
        let pid = unsafe { libc::fork() };
        match pid {
            0 => become_helper(&plan),
            1.. => {
                let child = Self {
                    pid,
                    parent: std::process::id(),
                    reaped: false,
                    held: Some(held),
                };
                if let Some(held) = &child.held {
                    held.only_child()?;
                }
                Ok((child, channel))
            }
            _ => Err(io::Error::last_os_error().into()),
        }
    }

    /// The host goes on with its own signals while the child waits.
    pub(crate) fn rest(&mut self) {
        self.held = None;
    }

    /// The child is asked again: its end is ours to see, as from its start.
    pub(crate) fn resume(&mut self) -> io::Result<()> {
        let held = Held::all()?;
        held.only_child()?;
        self.held = Some(held);
        Ok(())
    }

    /// Whether this process started it.
    pub(crate) fn is_ours(&self) -> bool {
        self.parent == std::process::id()
    }

    /// Waits for the end; at the deadline makes it.
    pub(crate) fn end(mut self, deadline: Instant) -> End {
        if let Some(end) = self.wait_until(deadline) {
            return end;
        }
        self.kill();
        End::Killed
    }

    fn kill(&mut self) {
        // While it rested the host may have waited for it: then its number can be somebody else's by now.
        if self.wait_until(Instant::now()).is_some() {
            return;
        }
        // SAFETY: the process is our child and was just seen not to have ended, so the number is still its own.
        unsafe { libc::kill(self.pid, libc::SIGKILL) };
        if let Some(deadline) = Instant::now().checked_add(LAST_GRACE) {
            self.wait_until(deadline);
        }
        // One that hangs in the kernel is left to init: sshd must not hang with it.
        self.reaped = true;
    }

    fn wait_until(&mut self, deadline: Instant) -> Option<End> {
        let mut pause = Duration::from_micros(100);
        let mut asked = false;
        loop {
            let mut status: c_int = 0;
            // SAFETY: the status is a live object of ours; the number is our child's.
            let waited = unsafe { libc::waitpid(self.pid, &raw mut status, libc::WNOHANG) };
            if waited == self.pid {
                self.reaped = true;
                let status = ExitStatus::from_raw(status);
                return Some(if status.success() {
                    End::Good
                } else {
                    End::Bad(status)
                });
            }
            if waited < 0 && io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
                self.reaped = true;
                return Some(End::Unknown);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            // It has closed its socket, so it is about to go: the kernel says when, once; a few tries do as well.
            if asked || ending(self.pid, left).is_err() {
                std::thread::sleep(pause.min(left));
                pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
            }
            asked = true;
        }
    }
}

/// Waits until the process has ended, for at most `patience`. An error, at once, where the kernel does not say.
fn ending(pid: pid_t, patience: Duration) -> io::Result<()> {
    // SAFETY: takes two numbers; that of a process of this one that was not waited for is its own.
    let opened = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0_u32) };
    let opened = RawFd::try_from(opened).map_err(io::Error::other)?;
    if opened < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has just made this descriptor (close-on-exec, as all of its kind), nobody else knows it.
    let process = unsafe { OwnedFd::from_raw_fd(opened) };
    let mut descriptor = libc::pollfd {
        fd: process.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    let milliseconds = patience.as_millis().saturating_add(1);
    let timeout = c_int::try_from(milliseconds).unwrap_or(c_int::MAX);
    // SAFETY: one live pollfd, as the count says. Whatever it says, the caller looks for itself.
    unsafe { libc::poll(&raw mut descriptor, 1, timeout) };
    Ok(())
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.reaped && self.is_ours() {
            self.kill();
        }
    }
}

/// The child's way to exec. Nothing here allocates, locks or panics.
fn become_helper(plan: &Plan<'_>) -> ! {
    reset_in_child();
    let failed = match prepare(plan) {
        Ok(()) => {
            let argument = plan.argument.map_or(std::ptr::null(), CStr::as_ptr);
            let argv: [*const c_char; 3] = [plan.path.as_ptr(), argument, std::ptr::null()];
            let environment: [*const c_char; 1] = [std::ptr::null()];
            // SAFETY: path, arguments and environment are NUL-terminated and alive.
            unsafe { libc::execve(plan.path.as_ptr(), argv.as_ptr(), environment.as_ptr()) };
            Step::Execute
        }
        Err(step) => step,
    };
    // SAFETY: ends the process without the host's exit handlers.
    unsafe { libc::_exit(failed.status()) }
}

fn prepare(plan: &Plan<'_>) -> Result<(), Step> {
    for (from, to) in [(plan.socket, 0), (plan.socket, 1), (plan.null, 2)] {
        // SAFETY: dup2 touches descriptors of this process only; the sources lie above 2.
        check(unsafe { libc::dup2(from, to) }, Step::Descriptors)?;
    }
    // SAFETY: closes descriptors that this process will not use again.
    let closed = unsafe { libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, 0_u32) };
    if closed != 0 {
        return Err(Step::CloseOthers);
    }
    set_limits()?;
    // SAFETY: sets a mask of this process.
    unsafe { libc::umask(0o077) };
    // SAFETY: the path is NUL-terminated.
    check(unsafe { libc::chdir(c"/".as_ptr()) }, Step::Folder)?;
    drop_root(plan.uid, plan.gid)?;
    let (zero, one): (libc::c_ulong, libc::c_ulong) = (0, 1);
    // SAFETY: takes four numbers.
    let forbidden = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, one, zero, zero, zero) };
    check(forbidden, Step::NoNewPrivileges)?;
    let signal = libc::SIGKILL as libc::c_ulong;
    // SAFETY: takes a number. After setresuid, which clears the setting: a dead sshd needs no answer.
    let dies_along = unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, signal, zero, zero, zero) };
    check(dies_along, Step::NoNewPrivileges)
}

/// What sshd limits for itself is not what the helper needs, and the other way round. Where root
/// may not raise a limit (CAP_SYS_RESOURCE taken away), the lower one stays.
fn set_limits() -> Result<(), Step> {
    let limits: [(_, rlim_t); 4] = [
        (libc::RLIMIT_CORE, 0),
        (libc::RLIMIT_CPU, 5),
        (libc::RLIMIT_NOFILE, 64),
        (libc::RLIMIT_FSIZE, libc::RLIM_INFINITY),
    ];
    for (resource, wanted) in limits {
        let mut limit = libc::rlimit {
            rlim_cur: wanted,
            rlim_max: wanted,
        };
        // SAFETY: the limit is a live object of ours.
        if unsafe { libc::setrlimit(resource, &raw const limit) } == 0 {
            continue;
        }
        // SAFETY: as above.
        let asked = unsafe { libc::getrlimit(resource, &raw mut limit) };
        check(asked, Step::Limits)?;
        limit.rlim_max = limit.rlim_max.min(wanted);
        limit.rlim_cur = limit.rlim_max;
        // SAFETY: as above.
        let set = unsafe { libc::setrlimit(resource, &raw const limit) };
        check(set, Step::Limits)?;
    }
    Ok(())
}

/// Groups, then gid, then uid; then proof that it was done and cannot be undone.
fn drop_root(uid: uid_t, gid: gid_t) -> Result<(), Step> {
    let groups = [gid];
    // SAFETY: one group, as the count says.
    check(unsafe { libc::setgroups(1, groups.as_ptr()) }, Step::Groups)?;
    // SAFETY: takes numbers.
    check(unsafe { libc::setresgid(gid, gid, gid) }, Step::Gid)?;
    // SAFETY: takes numbers.
    check(unsafe { libc::setresuid(uid, uid, uid) }, Step::Uid)?;

    let (mut real, mut effective, mut saved): (uid_t, uid_t, uid_t) = (0, 0, 0);
    // SAFETY: three live objects of ours.
    let asked = unsafe { libc::getresuid(&raw mut real, &raw mut effective, &raw mut saved) };
    check(asked, Step::StillRoot)?;
    let (mut real_gid, mut effective_gid, mut saved_gid): (gid_t, gid_t, gid_t) = (0, 0, 0);
    // SAFETY: three live objects of ours.
    let asked_gid = unsafe {
        libc::getresgid(
            &raw mut real_gid,
            &raw mut effective_gid,
            &raw mut saved_gid,
        )
    };
    check(asked_gid, Step::StillRoot)?;
    let uids_right = [real, effective, saved] == [uid; 3];
    let gids_right = [real_gid, effective_gid, saved_gid] == [gid; 3];
    let mut now: [gid_t; 2] = [0; 2];
    // SAFETY: room for two groups, as the count says.
    let count = unsafe { libc::getgroups(2, now.as_mut_ptr()) };
    if !uids_right || !gids_right || count != 1 || now != [gid, 0] {
        return Err(Step::StillRoot);
    }
    // SAFETY: takes a number; must fail.
    if unsafe { libc::setuid(0) } == 0 {
        return Err(Step::StillRoot);
    }
    Ok(())
}

fn check(result: c_int, step: Step) -> Result<(), Step> {
    if result < 0 { Err(step) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failing_step_has_its_own_sentence() {
        let mut seen = std::collections::HashSet::new();
        for step in Step::ALL {
            let sentence = End::Bad(ExitStatus::from_raw(step.status() << 8)).to_string();
            assert!(sentence.contains("did not start"), "{sentence}");
            assert!(seen.insert(sentence));
        }
        let other = End::Bad(ExitStatus::from_raw(1 << 8)).to_string();
        assert_eq!(other, "jms-pam-helper failed: exit status: 1");
        let signal = End::Bad(ExitStatus::from_raw(9)).to_string();
        assert!(
            signal.starts_with("jms-pam-helper failed: signal: 9"),
            "{signal}"
        );
    }
}
