//! One session over a connection that is kept: the client that keeps it is given the session's descriptors and does its
//! reading and writing.
//!
//! Trusts the client with nothing that it was not given: what it says is a status and nothing more.
#![forbid(unsafe_code)]

use super::child::Exit;
use super::fuse::Fuse;
use super::lease::{Kept, Lease, Word};
use super::mux::{Answers, Said, Wish, request};
use crate::sys;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket};
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
use nix::unistd::{Uid, geteuid, getppid, read, seteuid, setfsuid, write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

/// The client's process ends right after its connections do.
const ENDING: Duration = Duration::from_millis(100);

/// A session that is over before its channel is open waits so long for what becomes of it: longer than a client that asks
/// a silent asset whether it is there (`alive_interval`), unless it is told to ask for longer.
const SETTLING: Duration = Duration::from_secs(90);
/// A keeper ends its client at once.
const BREAKING: Duration = Duration::from_secs(2);

/// Reads of one turn: a client says a few words.
const TURNS: usize = 16;

/// Whose channel it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Of the session that makes the connection: nobody else uses it before that is through.
    First,
    /// Of a session that has found it.
    Later,
}

/// What came of asking for a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// It is open.
    Open,
    /// The asset opens none on this connection; nothing was asked of it.
    Refused,
    /// The client is gone, before the request went out.
    Gone,
    /// There is no answer.
    Late,
    /// Something else has happened before there was one.
    Disturbed,
}

/// What else may happen while a channel is waited for.
pub struct Meanwhile<'a> {
    /// Readable when something happens.
    pub watched: &'a [BorrowedFd<'a>],
    /// Whether it matters; where not, nothing of it is left to be read.
    pub is_news: &'a dyn Fn() -> bool,
}

impl Meanwhile<'_> {
    /// Nothing else is waited for.
    pub const NOTHING: Self = Self {
        watched: &[],
        is_news: &|| false,
    };
}

/// A session's channel.
#[derive(Debug)]
pub struct Channel {
    /// To the client; its end is the channel's.
    socket: Option<OwnedFd>,
    /// The client's end.
    gone: OwnedFd,
    lease: Lease,
    /// Until it is known that the client has nothing of this session's left to send.
    fuse: Option<Fuse>,
    answers: Answers,
    opened: bool,
    refused: bool,
    status: Option<i32>,
    exit: Option<Exit>,
    turn: Turn,
    /// What was asked for runs nothing by itself, and gets no input before the channel is open.
    harmless: bool,
}

impl Channel {
    /// Asks the client that listens at `path` for a channel whose input, output and errors are `standard`. It takes
    /// nobody but its own user `uid` in.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn ask(
        (path, uid): (&Path, u32),
        wish: &Wish<'_>,
        standard: [BorrowedFd<'_>; 3],
        (Kept { pid, gone }, lease): (Kept, Lease),
        turn: Turn,
    ) -> Result<Self, Errno> {
        let fuse = Fuse::lay(pid, gone.as_fd())?;
        if let Err(errno) = lease.give(Word::Asks, fuse.far()) {
            fuse.cut();
            return Err(errno);
        }
        let send = || -> Result<OwnedFd, Errno> {
            let socket = connect_as(path, uid)?;
            let mut bytes = request(wish);
            while !bytes.is_empty() {
                let written = write(&socket, &bytes)?;
                bytes.drain(..written.min(bytes.len()));
            }
            for descriptor in standard {
                sys::send_descriptor(socket.as_fd(), &[0], Some(descriptor))?;
            }
            Ok(socket)
        };
        let socket = match send() {
            Ok(socket) => socket,
            // Half of a request is none.
            Err(errno) => {
                fuse.cut();
                lease.say(Word::Nothing);
                return Err(errno);
            }
        };
        Ok(Self {
            socket: Some(socket),
            gone,
            lease,
            fuse: Some(fuse),
            answers: Answers::default(),
            opened: false,
            refused: false,
            status: None,
            exit: None,
            turn,
            harmless: wish.terminal && wish.command.is_empty(),
        })
    }

    /// Waits until it is known whether the channel is open.
    /// What happens at `meanwhile` ends the wait.
    pub fn await_opening(&mut self, until: Instant, meanwhile: &Meanwhile<'_>) -> Opening {
        let others = meanwhile.watched;
        loop {
            let over = self.ended(None).is_some();
            if self.opened {
                return Opening::Open;
            }
            if over {
                return match self.refused {
                    true => Opening::Refused,
                    false => Opening::Gone,
                };
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Opening::Late;
            }
            let left = PollTimeout::try_from(left.as_millis() + 1).unwrap_or(PollTimeout::MAX);
            let mut watched: Vec<PollFd<'_>> = self
                .watches()
                .chain(others.iter().copied())
                .map(|one| PollFd::new(one, PollFlags::POLLIN))
                .collect();
            let _ = poll(&mut watched, left);
            let mut of_others = watched.iter().rev().take(others.len());
            if of_others.any(|one| one.any() == Some(true)) && (meanwhile.is_news)() {
                return match self.ended(None) {
                    None if self.opened => Opening::Open,
                    None => Opening::Disturbed,
                    Some(_) => continue,
                };
            }
        }
    }

    /// Has the connection ended if nobody has a channel on it: it does not answer.
    pub fn give_up(&self) {
        self.lease.say(Word::End);
    }

    /// Readable when [`Channel::ended`] has something to do.
    pub fn watches(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let socket = self.socket.as_ref().map(AsFd::as_fd);
        socket.into_iter().chain([self.gone.as_fd()])
    }

    /// How the session ended, if it has; never waits long. `terminal`: the master of its terminal, which is made raw as
    /// soon as the client has read its modes.
    pub fn ended(&mut self, terminal: Option<BorrowedFd<'_>>) -> Option<Exit> {
        if self.exit.is_some() {
            return self.exit;
        }
        // First, so that nothing that it wrote before its end stays unread.
        let is_gone = is_readable(self.gone.as_fd(), Duration::ZERO);
        let is_over = self.listen(terminal);
        if is_over || is_gone {
            let status = self.status.map(Exit::Status);
            self.exit = Some(status.unwrap_or_else(|| {
                match self.refused || is_readable(self.gone.as_fd(), ENDING) {
                    true => self.lost(),
                    // As ssh: it ended by a signal, or its request was refused.
                    false => Exit::Status(crate::status::CONNECTION),
                }
            }));
        }
        self.exit
    }

    /// Reads what the client says; whether it was its last.
    fn listen(&mut self, terminal: Option<BorrowedFd<'_>>) -> bool {
        // One that writes without end is read again in the next turn.
        for _ in 0..TURNS {
            let Some(socket) = &self.socket else {
                return true;
            };
            let mut bytes = [0; 512];
            match read(socket, &mut bytes) {
                Ok(0) => return true,
                Ok(length) => self
                    .answers
                    .receive(bytes.get(..length).unwrap_or_default()),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return false,
                Err(_) => return true,
            }
            if self.understand(terminal) {
                return true;
            }
        }
        false
    }

    /// Whether the last word was among what was read.
    fn understand(&mut self, terminal: Option<BorrowedFd<'_>>) -> bool {
        loop {
            match self.answers.said() {
                Ok(None) => return false,
                Ok(Some(Said::Opened)) if !self.opened => {
                    self.opened = true;
                    self.has_nothing_to_send();
                    self.lease.say(Word::Connected);
                    if let Some(terminal) = terminal {
                        make_raw(terminal);
                    }
                }
                Ok(Some(Said::Refused)) => {
                    self.refused = true;
                    self.has_nothing_to_send();
                    self.lease.say(Word::Nothing);
                    return true;
                }
                Ok(Some(Said::Exit(status))) if self.status.is_none() => {
                    self.status = Some(i32::try_from(status & 0xff).unwrap_or_default());
                }
                Ok(Some(Said::NoTerminal)) => {}
                // It is not what we took it for.
                Ok(Some(Said::Opened | Said::Exit(_))) | Err(_) => {
                    self.lease.say(Word::Broken);
                    return true;
                }
            }
        }
    }

    /// From now on the client outlives this session.
    fn has_nothing_to_send(&mut self) {
        if let Some(fuse) = self.fuse.take() {
            fuse.cut();
        }
    }

    /// The size of the terminal is another one: the client looks when it is told.
    pub fn resized(&self) {
        self.lease.say(Word::Resized);
    }

    /// Ends the session: the client closes its channel.
    pub fn close(&mut self) -> Exit {
        self.socket = None;
        let lost = self.lost();
        *self.exit.get_or_insert(lost)
    }

    /// Whether the channel is open, or was.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.opened
    }

    /// Whether a status was said of what was asked for: then it has run.
    #[must_use]
    pub fn has_status(&self) -> bool {
        self.status.is_some()
    }

    /// What it means when the client ends and has said no status.
    fn lost(&self) -> Exit {
        match self.turn {
            // Why it has ended stands in its log.
            Turn::First => Exit::Status(crate::status::CONNECTION),
            Turn::Later => Exit::Signal(0),
        }
    }

    /// The session is over, and others may use the connection. Where the channel is not open yet, the client sends what was
    /// asked for as soon as it is, whether somebody is there or not: so the session waits for that, and closes it then.
    /// `must_not_run`: nothing may run any more, whomever that costs his session.
    pub fn settle(&mut self, must_not_run: bool) {
        if self.opened || self.exit.is_some() || self.turn == Turn::First {
            return;
        }
        let patience = match must_not_run && !self.harmless {
            true => {
                self.lease.say(Word::Broken);
                BREAKING
            }
            false => {
                // At once, if nobody has a channel on it.
                self.lease.say(Word::End);
                SETTLING
            }
        };
        let _ = self.await_opening(Instant::now() + patience, &Meanwhile::NOTHING);
    }
}

/// Puts the terminal into the mode in which the client passes everything on (OpenSSH's sshtty.c, `enter_raw_mode`; the
/// client of a shared connection does this for itself).
pub fn make_raw(terminal: BorrowedFd<'_>) {
    if let Ok(mut modes) = tcgetattr(terminal) {
        cfmakeraw(&mut modes);
        let _ = tcsetattr(terminal, SetArg::TCSANOW, &modes);
    }
}

/// Whether there is something to read, or an end, now or within `patience`.
pub fn is_readable(descriptor: BorrowedFd<'_>, patience: Duration) -> bool {
    let patience = PollTimeout::try_from(patience.as_millis()).unwrap_or(PollTimeout::ZERO);
    let mut one = [PollFd::new(descriptor, PollFlags::POLLIN)];
    poll(&mut one, patience).is_ok_and(|ready| ready > 0)
}

/// Connects as the user `uid` does, to a socket that only the service user can find: the kernel tells who is at the other
/// end by the effective uid, and looks for files by another one.
fn connect_as(path: &Path, uid: u32) -> Result<OwnedFd, Errno> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
    let address = UnixAddr::new(path)?;
    let service = geteuid();
    let (parent, dies_by) = (getppid(), prctl::get_pdeathsig()?);
    seteuid(Uid::from_raw(uid))?;
    setfsuid(service);
    let connected = connect(socket.as_raw_fd(), &address);
    if seteuid(service).is_err() || geteuid() != service {
        // Half of one user and half of another: nothing may be done as that.
        sys::leave(crate::status::BASTION);
    }
    setfsuid(service);
    if let Some(signal) = dies_by {
        // A change of uid clears it.
        prctl::set_pdeathsig(signal)?;
        if getppid() != parent {
            sys::leave(crate::status::ENDED);
        }
    }
    connected.map(|()| socket)
}
