//! The client program's start and end: the one place where it is confined.
//!
//! Trusts nothing that runs in the child once `execve` has happened. Before that, the child is
//! this program, so everything that must hold for the client is done and checked here.

use super::channel::{self, Channel, Meanwhile, Opening};
use crate::confinement::{ClientConfinement, Listener};
use crate::sys::{self, Forked, Window};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, killpg, sigprocmask};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use nix::sys::stat::Mode;
use nix::sys::termios::{SetArg, Termios, tcsetattr};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{
    Gid, Pid, Uid, dup2_stderr, dup2_stdin, dup2_stdout, getpid, getppid, getresgid, getresuid,
    pipe2, setresgid, setresuid, setsid,
};
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

/// Buffer that is asked for in the pipes to and from the client, in bytes.
const PIPE: i32 = 256 * 1024;

/// What to start, and as whom.
#[derive(Debug)]
pub struct Plan<'a> {
    /// Path of the program.
    pub program: &'a CStr,
    /// Its arguments, its name first.
    pub arguments: &'a [CString],
    /// Its whole environment.
    pub environment: &'a [CString],
    /// The user it becomes for good.
    pub uid: u32,
    /// The group it becomes for good.
    pub gid: u32,
    /// What its standard descriptors are.
    pub streams: Streams<'a>,
    /// What it can do at all.
    pub confinement: &'a ClientConfinement,
}

/// What the client program's standard descriptors are.
#[derive(Debug, Clone, Copy)]
pub enum Streams<'a> {
    /// Pipes to and from us.
    Pipes,
    /// A terminal with the user's modes and window as its input; pipes for the rest.
    Terminal(&'a Termios, Window),
    /// Input and output are the next client's connection, and errors lead nowhere: a gateway's client.
    Passage(BorrowedFd<'a>),
}

/// Why there is no child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChildError {
    /// The step that failed.
    pub step: Step,
    /// What the kernel said.
    pub errno: Errno,
}

/// The steps of a start, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Step {
    /// Pipes.
    Pipes = 1,
    /// The terminal.
    Terminal,
    /// `fork`.
    Fork,
    /// Its own session and terminal.
    Session,
    /// Standard descriptors.
    Descriptors,
    /// Giving up the service user.
    Identity,
    /// Death with its parent, no new privileges, files, system calls.
    Confinement,
    /// `execve`.
    Execute,
}

impl Step {
    const ALL: [Self; 8] = [
        Self::Pipes,
        Self::Terminal,
        Self::Fork,
        Self::Session,
        Self::Descriptors,
        Self::Identity,
        Self::Confinement,
        Self::Execute,
    ];
}

impl std::error::Error for ChildError {}

/// How the client ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// With a status.
    Status(i32),
    /// By a signal.
    Signal(i32),
}

/// The running client. Dropped, it is killed with everything in its session; of a connection that is kept, only the
/// session's channel ends.
#[derive(Debug)]
pub struct Child {
    process: Process,
    /// Where its input is written: a pipe, or the master of its terminal. `None` once closed.
    pub input: Option<OwnedFd>,
    /// Its output.
    pub output: Option<OwnedFd>,
    /// Its errors.
    pub errors: Option<OwnedFd>,
    /// `input` is a terminal's master.
    pub has_terminal: bool,
    /// Where it asks for its connections; whoever answers takes it.
    pub listener: Option<Listener>,
}

/// Who does the client's work.
#[derive(Debug)]
enum Process {
    /// A client of its own.
    Own {
        pid: Pid,
        watch: OwnedFd,
        exit: Option<Exit>,
    },
    /// One that others use as well.
    Shared(Channel),
}

impl Child {
    /// Starts the client; returns when its program runs.
    ///
    /// # Errors
    /// [`ChildError`]: the step that failed, in the child too.
    pub fn start(plan: &Plan<'_>) -> Result<Self, ChildError> {
        let at = |step| move |errno| ChildError { step, errno };
        let (report, their_report) = socketpair(
            AddressFamily::Unix,
            SockType::SeqPacket,
            None,
            SockFlag::SOCK_CLOEXEC,
        )
        .map_err(at(Step::Pipes))?;
        let Ends { theirs, ours } = Ends::make(plan.streams)?;
        let parent = getpid();
        match sys::fork().map_err(at(Step::Fork))? {
            Forked::Child => {
                let standard = theirs.each_ref().map(AsFd::as_fd);
                let failed = become_client(plan, parent, standard, their_report.as_fd());
                let errno = failed.errno as i32;
                let mut message = [0; 5];
                message[0] = failed.step as u8;
                message[1..].copy_from_slice(&errno.to_ne_bytes());
                let _ = nix::unistd::write(&their_report, &message);
                sys::leave(127)
            }
            Forked::Parent(pid) => {
                drop((theirs, their_report));
                let [input, output, errors] = ours;
                let pid = Pid::from_raw(pid);
                let watch = sys::pidfd(pid.as_raw()).map_err(|errno| {
                    // It has not been waited for, so the number is still its own.
                    let _ = nix::sys::signal::kill(pid, Signal::SIGKILL);
                    let _ = waitpid(pid, None);
                    at(Step::Fork)(errno)
                })?;
                let exit = None;
                let mut child = Self {
                    process: Process::Own { pid, watch, exit },
                    input,
                    output,
                    errors,
                    has_terminal: matches!(plan.streams, Streams::Terminal(..)),
                    listener: None,
                };
                match read_report(report.as_fd()) {
                    Ok(listener) => {
                        child.listener = Some(listener);
                        Ok(child)
                    }
                    Err(error) => {
                        child.wait();
                        Err(error)
                    }
                }
            }
        }
    }

    /// A session over a connection that is kept: `open` is given its standard descriptors.
    ///
    /// # Errors
    /// [`ChildError`], or what `open` returns.
    pub fn over<E: From<ChildError>>(
        streams: Streams<'_>,
        open: impl FnOnce([BorrowedFd<'_>; 3]) -> Result<Channel, E>,
    ) -> Result<Self, E> {
        let Ends { theirs, ours } = Ends::make(streams)?;
        let channel = open(theirs.each_ref().map(AsFd::as_fd))?;
        let [input, output, errors] = ours;
        Ok(Self {
            process: Process::Shared(channel),
            input,
            output,
            errors,
            has_terminal: matches!(streams, Streams::Terminal(..)),
            listener: None,
        })
    }

    /// Waits until it is known whether the channel over a kept connection is open.
    /// [`Channel::await_opening`].
    pub fn await_opening(&mut self, until: Instant, meanwhile: &Meanwhile<'_>) -> Opening {
        match &mut self.process {
            Process::Own { .. } => Opening::Open,
            Process::Shared(channel) => {
                let opening = channel.await_opening(until, meanwhile);
                if let Some(terminal) = self.input.as_ref().filter(|_| self.has_terminal) {
                    channel::make_raw(terminal.as_fd());
                }
                opening
            }
        }
    }

    /// The kept connection is out of order, and ends.
    pub fn give_up(&self) {
        if let Process::Shared(channel) = &self.process {
            channel.give_up();
        }
    }

    /// The session is over: a channel that is not open yet is waited for, as [`Channel::settle`] says.
    pub fn settle(&mut self, must_not_run: bool) {
        if let Process::Shared(channel) = &mut self.process {
            channel.settle(must_not_run);
        }
    }

    /// Whether what was asked for may have gone out: a channel over a kept connection is open first.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match &self.process {
            Process::Own { .. } => true,
            Process::Shared(channel) => channel.is_open(),
        }
    }

    /// Whether last words are the client's own, `output` bytes after which they came: over a kept connection anybody at the
    /// asset can say them, but not without that something has run.
    #[must_use]
    pub fn says_farewell(&self, output: u64) -> bool {
        match &self.process {
            Process::Own { .. } => true,
            Process::Shared(channel) => output == 0 && !channel.has_status(),
        }
    }

    /// Any of these becomes readable when the client may have ended.
    pub fn watches(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let (own, shared) = match &self.process {
            Process::Own { watch, .. } => (Some(watch.as_fd()), None),
            Process::Shared(channel) => (None, Some(channel.watches())),
        };
        own.into_iter().chain(shared.into_iter().flatten())
    }

    /// Becomes readable when the client has ended.
    #[cfg(test)]
    pub fn watch(&self) -> BorrowedFd<'_> {
        self.watches().next().unwrap()
    }

    /// Its pid, by which our agent knows it; 0 if it is not ours.
    #[must_use]
    pub fn pid(&self) -> i32 {
        match &self.process {
            Process::Own { pid, .. } => pid.as_raw(),
            Process::Shared(_) => 0,
        }
    }

    /// How it ended, if it has; never waits.
    pub fn ended(&mut self) -> Option<Exit> {
        match &mut self.process {
            Process::Own { pid, exit, .. } => reap(*pid, exit, Some(WaitPidFlag::WNOHANG)),
            Process::Shared(channel) => {
                let terminal = self.input.as_ref().filter(|_| self.has_terminal);
                channel.ended(terminal.map(AsFd::as_fd))
            }
        }
    }

    /// Sends a signal to everything in its session, if it is ours.
    pub fn signal(&self, signal: Signal) {
        if let Process::Own {
            pid, exit: None, ..
        } = &self.process
        {
            let _ = killpg(*pid, signal);
        }
    }

    /// The size of its terminal was changed: a client that others use as well must be told.
    pub fn resized(&self) {
        if let Process::Shared(channel) = &self.process {
            channel.resized();
        }
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> Option<Exit> {
        match &mut self.process {
            Process::Own { pid, exit, .. } => reap(*pid, exit, None),
            Process::Shared(channel) => Some(channel.close()),
        }
    }

    /// Ends it: asked first, killed if it does not go within `grace`.
    pub fn stop(&mut self, grace: Duration) -> Option<Exit> {
        if let Process::Shared(channel) = &mut self.process {
            return Some(channel.close());
        }
        self.signal(Signal::SIGTERM);
        let until = Instant::now() + grace;
        loop {
            let ended = self.ended();
            if ended.is_some() {
                return ended;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.signal(Signal::SIGKILL);
                return self.wait();
            }
            let timeout = PollTimeout::try_from(left.as_millis() + 1).unwrap_or(PollTimeout::MAX);
            let mut watched: Vec<PollFd<'_>> = self
                .watches()
                .map(|watch| PollFd::new(watch, PollFlags::POLLIN))
                .collect();
            let _ = poll(&mut watched, timeout);
        }
    }
}

fn reap(pid: Pid, exit: &mut Option<Exit>, flags: Option<WaitPidFlag>) -> Option<Exit> {
    while exit.is_none() {
        match waitpid(pid, flags) {
            Ok(WaitStatus::Exited(_, status)) => *exit = Some(Exit::Status(status)),
            Ok(WaitStatus::Signaled(_, signal, _)) => *exit = Some(Exit::Signal(signal as i32)),
            Ok(WaitStatus::StillAlive) => return None,
            Ok(_) | Err(Errno::EINTR) => {}
            // Somebody else has waited for it, which nobody does: it is gone all the same.
            Err(_) => *exit = Some(Exit::Signal(libc::SIGKILL)),
        }
    }
    *exit
}

impl Drop for Child {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
        self.wait();
    }
}

/// Both ends of the three standard descriptors; ours never block, and a passage has none.
struct Ends {
    theirs: [OwnedFd; 3],
    ours: [Option<OwnedFd>; 3],
}

impl Ends {
    fn make(streams: Streams<'_>) -> Result<Self, ChildError> {
        let at = |step| move |errno| ChildError { step, errno };
        let (their_input, input) = match streams {
            Streams::Pipes => pipe().map_err(at(Step::Pipes))?,
            Streams::Terminal(modes, window) => {
                terminal(modes, window).map_err(at(Step::Terminal))?
            }
            Streams::Passage(passage) => {
                return Self::passage(passage).map_err(at(Step::Pipes));
            }
        };
        let (output, their_output) = pipe().map_err(at(Step::Pipes))?;
        let (errors, their_errors) = pipe().map_err(at(Step::Pipes))?;
        for ours in [&input, &output, &errors] {
            unblock(ours).map_err(at(Step::Pipes))?;
        }
        Ok(Self {
            theirs: [their_input, their_output, their_errors],
            ours: [input, output, errors].map(Some),
        })
    }

    fn passage(passage: BorrowedFd<'_>) -> Result<Self, Errno> {
        let nowhere = open(
            "/dev/null",
            OFlag::O_WRONLY | OFlag::O_CLOEXEC,
            Mode::empty(),
        )?;
        let end = || passage.try_clone_to_owned().map_err(|_| Errno::EMFILE);
        let (input, output) = (end()?, end()?);
        Ok(Self {
            theirs: [input, output, nowhere],
            ours: [None, None, None],
        })
    }
}

fn pipe() -> Result<(OwnedFd, OwnedFd), Errno> {
    let (read, write) = pipe2(OFlag::O_CLOEXEC)?;
    sys::set_pipe_size(&write, PIPE);
    Ok((read, write))
}

/// Makes reads and writes of our end return at once; the client's end is another open file and stays as it is.
fn unblock(ours: &OwnedFd) -> Result<(), Errno> {
    let flags = OFlag::from_bits_truncate(fcntl(ours, FcntlArg::F_GETFL)?);
    fcntl(ours, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK)).map(drop)
}

/// A new terminal with the client's modes and size: (its own end, the master). It belongs to the
/// service user, so no process of the user's uid can open it by name.
fn terminal(modes: &Termios, window: Window) -> Result<(OwnedFd, OwnedFd), Errno> {
    let master: PtyMaster = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let name = ptsname_r(&master)?;
    let own = open(
        name.as_str(),
        OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC,
        Mode::empty(),
    )?;
    tcsetattr(&own, SetArg::TCSANOW, modes)?;
    sys::set_window(own.as_fd(), window)?;
    Ok((own, master.into()))
}

/// The longest file that the client can write, which is its log: bytes.
const LOG_LIMIT: u64 = 1024 * 1024;

/// In the child: everything between `fork` and the client program. Returns only what failed.
fn become_client(
    plan: &Plan<'_>,
    parent: Pid,
    standard: [BorrowedFd<'_>; 3],
    report: BorrowedFd<'_>,
) -> ChildError {
    let run = || -> Result<(), (Step, Errno)> {
        let at = |step| move |errno| (step, errno);
        let [input, output, errors] = standard;
        setsid().map_err(at(Step::Session))?;
        if matches!(plan.streams, Streams::Terminal(..)) {
            sys::make_controlling(input).map_err(at(Step::Session))?;
        }
        dup2_stdin(input).map_err(at(Step::Descriptors))?;
        dup2_stdout(output).map_err(at(Step::Descriptors))?;
        dup2_stderr(errors).map_err(at(Step::Descriptors))?;
        sys::close_from(3, true).map_err(at(Step::Descriptors))?;
        give_up(plan.uid, plan.gid).map_err(at(Step::Identity))?;
        // Past the limit on its log a write fails, and the client goes on without it.
        sys::default_signals(&[libc::SIGXFSZ]);
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)
            .map_err(at(Step::Confinement))?;
        bind_to(parent).map_err(at(Step::Confinement))?;
        // The listener goes to the parent in a message of one byte, which is no step.
        plan.confinement
            .enter(|listener| sys::send_descriptor(report, &[0], Some(listener.as_fd())))
            .map_err(at(Step::Confinement))?;
        Err((
            Step::Execute,
            sys::execute(plan.program, plan.arguments, plan.environment),
        ))
    };
    match run() {
        Err((step, errno)) => ChildError { step, errno },
        Ok(()) => ChildError {
            step: Step::Execute,
            errno: Errno::UnknownErrno,
        },
    }
}

/// Becomes the user in all three uids and gids, and sees that there is no way back.
pub(crate) fn give_up(uid: u32, gid: u32) -> Result<(), Errno> {
    let before = getresuid()?;
    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
    setresgid(gid, gid, gid)?;
    setresuid(uid, uid, uid)?;
    let (uids, gids) = (getresuid()?, getresgid()?);
    let all = [uids.real, uids.effective, uids.saved]
        .iter()
        .all(|it| *it == uid)
        && [gids.real, gids.effective, gids.saved]
            .iter()
            .all(|it| *it == gid);
    let way_back = before.effective != uid
        && setresuid(before.effective, before.effective, before.effective).is_ok();
    if all && !way_back {
        Ok(())
    } else {
        Err(Errno::EPERM)
    }
}

/// A process of ours that is not the client: becomes the user for good, without new privileges, and dies with `parent`.
///
/// # Errors
/// What the kernel says.
pub(super) fn become_user(uid: u32, gid: u32, parent: Pid) -> Result<(), Errno> {
    give_up(uid, gid)?;
    prctl::set_no_new_privs()?;
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    if getppid() == parent {
        Ok(())
    } else {
        Err(Errno::ESRCH)
    }
}

/// It dies with its parent, and what it writes has a limit.
fn bind_to(parent: Pid) -> Result<(), Errno> {
    // A hostile asset may have the client complain without end.
    setrlimit(Resource::RLIMIT_FSIZE, LOG_LIMIT, LOG_LIMIT)?;
    // Set after the uids: a change of uid clears it. If the parent died before, nobody would send it.
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    if getppid() == parent {
        Ok(())
    } else {
        Err(Errno::ESRCH)
    }
}

/// What the child says before its program runs: its listener, and perhaps the step that failed.
fn read_report(report: BorrowedFd<'_>) -> Result<Listener, ChildError> {
    let mut listener = None;
    loop {
        let mut message = [0; 5];
        let (length, descriptor) =
            sys::receive_descriptor(report, &mut message).unwrap_or((0, None));
        listener = listener.or(descriptor);
        let [step, rest @ ..] = message;
        match length {
            // Its program runs, or it was killed and has ended.
            0 => break,
            5 => {
                return Err(ChildError {
                    step: Step::ALL
                        .into_iter()
                        .find(|it| *it as u8 == step)
                        .unwrap_or(Step::Execute),
                    errno: Errno::from_raw(i32::from_ne_bytes(rest)),
                });
            }
            _ => {}
        }
    }
    listener.map(Listener::new).ok_or(ChildError {
        step: Step::Confinement,
        errno: Errno::ECANCELED,
    })
}

#[cfg(test)]
#[path = "child_tests.rs"]
mod tests;
