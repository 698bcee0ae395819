//! The process that keeps a connection: forked from the session that makes it, it starts the client and outlives the
//! session. It has neither key nor store, reads nothing that an asset can have written, and ends by itself.
//!
//! Trusts whoever reaches its sockets: only the service user does.
#![forbid(unsafe_code)]

use super::replaced::Replaced;
use super::standing::{Reason, Standing};
use crate::confinement::relay::Process;
use crate::confinement::shut_in_keeper;
use crate::control::{Control, Told};
use crate::egress::Child;
use crate::egress::child::Plan;
use crate::egress::lease::{FAILED, LONGEST, NO, NOT_YET, STARTED, Terms, Word, YES};
use crate::relay::Signals;
use crate::sys::{self, StandardNumber};
use event::{Event, Sender, Type};
use jms::paths::{FORCE_COMMAND, Paths};
use jms::time::Time;
use jms::warm::{About, Place};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use nix::unistd::{geteuid, setsid};
use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::{Duration, Instant};

/// Its name in lists of processes.
const NAME: &std::ffi::CStr = c"jms-kept";
/// After the client was asked to end, it is killed.
const STOPPING: Duration = Duration::from_millis(300);
/// So many are listened to, sessions and those who only ask.
const MOST_LEASES: usize = 64;

/// What is kept, and by what.
pub struct Keeping<'a> {
    /// The folders.
    pub paths: &'a Paths,
    /// The connection's own.
    pub place: &'a Place,
    /// The client.
    pub plan: &'a Plan<'a>,
    /// What it is, for events.
    pub about: &'a About,
    /// Its control socket.
    pub control: Control,
    /// Where sessions come.
    pub leases: OwnedFd,
    /// The first one's lease.
    pub first: OwnedFd,
    /// How long it stays without one.
    pub stays: Duration,
    /// On what the first session uses it.
    pub terms: Terms,
    /// Whether the kernel has Landlock.
    pub landlock: bool,
    /// How events are written.
    pub format: event::Format,
}

/// Keeps the connection, from the fork to the end of the process.
pub fn keep(keeping: Keeping<'_>) -> ! {
    let (place, control) = (
        keeping.place.path().to_owned(),
        keeping.control.path().to_owned(),
    );
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(keeping)));
    // What is left of it nobody may find.
    let _ = std::fs::remove_dir_all(place);
    let _ = std::fs::remove_file(control);
    sys::leave(i32::from(!matches!(caught, Ok(Ok(())))))
}

fn run(keeping: Keeping<'_>) -> Result<(), Errno> {
    let first = keeping.first.try_clone().map_err(|_| Errno::EMFILE)?;
    match Keeper::begin(keeping, &first) {
        Ok(mut keeper) => {
            drop(first);
            keeper.until_the_end();
            Ok(())
        }
        Err(why) => {
            let said = [&[FAILED], why.as_bytes()].concat();
            let said = said.get(..LONGEST.min(said.len())).unwrap_or_default();
            sys::send_descriptor(first.as_fd(), said, None)
        }
    }
}

/// How far a lease has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It is no session, or none any more.
    Visitor,
    /// A session that was admitted, and has asked the client for nothing yet.
    Admitted,
    /// It asks: the client may have its request still to send.
    Asking,
    /// Its channel is open.
    Works,
}

struct Keeper {
    standing: Standing,
    control: Control,
    place: std::path::PathBuf,
    leases: UnixListener,
    /// How many of them have an open channel.
    working: usize,
    /// Those who have come.
    sessions: Vec<(OwnedFd, Stage)>,
    client: Child,
    signals: Signals,
    expiry: TimerFd,
    until: Option<Time>,
    /// Number of the newest change of the policy that it was made under.
    policy: u64,
    /// Whether the bastion's programs or settings were changed.
    replaced: Replaced,
    sender: Sender,
    ended: Event,
    format: event::Format,
}

impl Keeper {
    /// Lets go of everything that was the session's, starts the client and shuts itself in.
    /// `spare` stays open, too.
    fn begin(keeping: Keeping<'_>, spare: &OwnedFd) -> Result<Self, String> {
        let Keeping {
            paths,
            place,
            plan,
            about,
            control,
            leases,
            first,
            stays,
            terms,
            landlock,
            format,
        } = keeping;
        let step = |what: &'static str| move |errno: Errno| format!("{what}: {}", errno.desc());
        detach().map_err(step("detach"))?;
        let mut client = Child::start(plan).map_err(|error| error.to_string())?;
        let listener = client.listener.take().ok_or("the client has no listener")?;
        let (settings, ssh) = (paths.settings(), OsStr::from_bytes(plan.program.to_bytes()));
        let files = [settings.as_path(), Path::new(FORCE_COMMAND), Path::new(ssh)];
        let replaced = Replaced::watch(files).map_err(step("watch"))?;
        // What it was started with is open no more: neither store and recording, nor the person's connection.
        let kept = [
            control.descriptor(),
            leases.as_fd(),
            first.as_fd(),
            spare.as_fd(),
            listener.as_fd(),
        ];
        let kept: Vec<RawFd> = kept
            .into_iter()
            .chain(client.watches())
            .map(|one| one.as_raw_fd())
            .chain(replaced.descriptors())
            .collect();
        sys::close_all_but(&kept).map_err(step("close"))?;
        let mut sender = Sender::system();
        // Whoever does not listen now is not told.
        let _ = sender.connect();
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let expiry = TimerFd::new(ClockId::CLOCK_REALTIME, flags).map_err(step("timer"))?;
        let signals = Signals::block().map_err(step("signals"))?;
        let processes = [Process::Group(client.pid())];
        shut_in_keeper(paths, place.path(), &processes, landlock)
            .map_err(|error| error.to_string())?;
        let said = [&[STARTED], client.pid().to_ne_bytes().as_slice()].concat();
        sys::send_descriptor(first.as_fd(), &said, Some(listener.as_fd())).map_err(step("tell"))?;
        let mut keeper = Self {
            standing: Standing::new(stays, Instant::now()),
            control,
            place: place.path().to_owned(),
            leases: leases.into(),
            working: 0,
            sessions: vec![(first, Stage::Asking)],
            client,
            signals,
            expiry,
            until: None,
            policy: terms.policy,
            replaced,
            sender,
            ended: event_of(Type::ConnectionEnded, about, &place.id),
            format,
        };
        keeper.expires(terms.until);
        Ok(keeper)
    }

    fn until_the_end(&mut self) {
        let reason = loop {
            if let Some(reason) = self.turn() {
                break reason;
            }
        };
        // First, so that nobody comes any more.
        let _ = std::fs::remove_dir_all(&self.place);
        if matches!(
            reason,
            Reason::Abandoned | Reason::NotConnected | Reason::Lost
        ) {
            // At once: it must not send what nobody waits for.
            self.client.signal(Signal::SIGKILL);
        }
        self.client.stop(STOPPING);
        if self.standing.is_connected() {
            let event = self.ended.clone().reason(reason.word());
            let line = event.to_line(self.format, None);
            let _ = self.sender.send(event.level(), &line);
        }
    }

    /// Waits for something to happen, and does what follows; why it is over, if it is.
    fn turn(&mut self) -> Option<Reason> {
        let now = Instant::now();
        if let Some(reason) = self.standing.over(now) {
            return Some(reason);
        }
        let ready = self.wait(now);
        if self.client.ended().is_some() {
            return Some(Reason::Lost);
        }
        let mut signalled = false;
        for signal in self.signals.taken() {
            match signal {
                // Of the package's scripts: the bastion is being removed, and its sessions go on.
                Signal::SIGHUP => self.standing.retire(Reason::Replaced),
                Signal::SIGWINCH => {}
                _ => signalled = true,
            }
        }
        if signalled {
            return Some(Reason::Signalled);
        }
        while let Some(told) = self.control.next() {
            match told {
                Told::End(_) => return Some(Reason::Killed),
                Told::DecideAgain(Some(policy)) if policy != self.policy => {
                    self.standing.retire(Reason::Changed);
                }
                // Nothing has changed.
                Told::DecideAgain(_) => {}
            }
        }
        let mut bytes = [0; 4096];
        let is_there =
            |read: Result<usize, Errno>| !matches!(read, Err(Errno::EAGAIN | Errno::EINTR));
        if self.replaced.happened() {
            self.standing.retire(Reason::Replaced);
        }
        // The clock was set, or the time is there.
        if is_there(nix::unistd::read(&self.expiry, &mut bytes)) {
            let until = self.until.take();
            match until {
                Some(until) if until > Time::now() => self.expires(Some(until)),
                _ => self.standing.retire(Reason::Expired),
            }
        }
        self.come();
        self.hear(&ready)
    }

    /// Which of those who have come say something, or have gone.
    fn wait(&self, now: Instant) -> Vec<RawFd> {
        let deadline = self.standing.deadline();
        let left = deadline.map(|at| at.saturating_duration_since(now).as_millis() + 1);
        let left = left.map_or(PollTimeout::NONE, |left| {
            PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)
        });
        let own = [
            self.signals.as_fd(),
            self.control.descriptor(),
            self.expiry.as_fd(),
            self.leases.as_fd(),
        ];
        let sessions = self.sessions.iter().map(|(session, _)| session.as_fd());
        let mut watched: Vec<PollFd<'_>> = own
            .into_iter()
            .chain(self.client.watches())
            .chain([self.replaced.as_fd()])
            .chain(sessions)
            .map(|one| PollFd::new(one, PollFlags::POLLIN))
            .collect();
        if poll(&mut watched, left).is_err() {
            return Vec::new();
        }
        let ready = |one: &&PollFd<'_>| one.revents().is_some_and(|it| !it.is_empty());
        let ready = watched.iter().filter(ready);
        ready.map(|one| one.as_fd().as_raw_fd()).collect()
    }

    /// Those who knock are let in if they are the service user's, which the folder sees to already.
    fn come(&mut self) {
        while let Ok((session, _)) = self.leases.accept() {
            if session.set_nonblocking(true).is_err() {
                continue;
            }
            let session = OwnedFd::from(session);
            let peer = getsockopt(&session, PeerCredentials);
            let is_ours = peer.is_ok_and(|peer| peer.uid() == geteuid().as_raw());
            if is_ours && self.sessions.len() < MOST_LEASES {
                self.sessions.push((session, Stage::Visitor));
            }
        }
    }

    fn hear(&mut self, ready: &[RawFd]) -> Option<Reason> {
        let mut sessions = std::mem::take(&mut self.sessions);
        let mut over = None;
        sessions.retain_mut(|(session, stage)| {
            if over.is_some() || !ready.contains(&session.as_raw_fd()) {
                return true;
            }
            let mut bytes = [0; LONGEST];
            let said = sys::receive_descriptor(session.as_fd(), &mut bytes);
            let word = match said {
                Err(Errno::EAGAIN) => return true,
                Ok((length, _)) => Word::parse(bytes.get(..length).unwrap_or_default()),
                Err(_) => None,
            };
            match word {
                Some(word) => over = self.serve(session.as_fd(), stage, word),
                None => {
                    if *stage != Stage::Visitor {
                        self.standing.leave(Instant::now());
                    }
                    self.working -= usize::from(*stage == Stage::Works);
                    if *stage == Stage::Asking {
                        over = Some(match self.standing.is_connected() {
                            true => Reason::Abandoned,
                            false => Reason::NotConnected,
                        });
                    }
                    return false;
                }
            }
            true
        });
        self.sessions = sessions;
        over
    }

    fn serve(&mut self, session: BorrowedFd<'_>, stage: &mut Stage, word: Word) -> Option<Reason> {
        let answer = |answer: &[u8]| {
            let gone = self.client.watches().next().filter(|_| answer == YES);
            sys::send_descriptor(session, answer, gone).is_ok()
        };
        match word {
            Word::Attach(terms) => {
                // It may have heard nothing of the change.
                if terms.policy != self.policy {
                    self.standing.retire(Reason::Changed);
                }
                let new = *stage == Stage::Visitor;
                let admitted = new && self.standing.admit(Instant::now());
                let heard = answer(match (admitted, self.standing.is_connected()) {
                    (true, _) => YES,
                    (false, true) => NO,
                    (false, false) => NOT_YET,
                });
                if admitted && heard {
                    *stage = Stage::Admitted;
                    self.expires(terms.until);
                } else if admitted {
                    // It has waited long enough, and gone.
                    self.standing.leave(Instant::now());
                }
                None
            }
            Word::EndIfIdle => {
                let idle = self.standing.is_idle();
                answer(if idle { YES } else { NO });
                idle.then_some(Reason::Limit)
            }
            Word::Asks if *stage == Stage::Admitted => {
                *stage = Stage::Asking;
                None
            }
            Word::Connected if *stage == Stage::Asking => {
                self.standing.connected();
                *stage = Stage::Works;
                self.working += 1;
                None
            }
            Word::Nothing if *stage == Stage::Asking => {
                *stage = Stage::Admitted;
                None
            }
            Word::Resized if *stage == Stage::Works => {
                self.client.signal(Signal::SIGWINCH);
                None
            }
            Word::End if *stage != Stage::Visitor => {
                self.standing.retire(Reason::Lost);
                // Who only waits, too, is better off with a connection of its own.
                (self.working == 0).then_some(Reason::Lost)
            }
            Word::Broken if *stage != Stage::Visitor => Some(Reason::Lost),
            _ => None,
        }
    }

    /// Of all rights that it was used by, the one that runs out first counts.
    fn expires(&mut self, until: Option<Time>) {
        let first = self.until.into_iter().chain(until).min();
        self.until = first;
        let Some(first) = first else { return };
        let at = u64::try_from(first.0).unwrap_or(1).max(1);
        let at = TimeSpec::from(Duration::from_millis(at));
        let flags =
            TimerSetTimeFlags::TFD_TIMER_ABSTIME | TimerSetTimeFlags::TFD_TIMER_CANCEL_ON_SET;
        if self.expiry.set(Expiration::OneShot(at), flags).is_err() {
            self.standing.retire(Reason::Expired);
        }
    }
}

/// The event about a connection.
pub fn event_of(kind: Type, about: &About, id: &str) -> Event {
    Event::new(kind)
        .login(about.login.as_str())
        .user(about.user.as_str())
        .asset(about.asset.as_str())
        .system_user(about.system_user.as_str())
        .with("connection", id)
}

/// In a session of its own, without the descriptors of the person's, which would keep his connection open.
fn detach() -> Result<(), Errno> {
    setsid()?;
    let null = nix::fcntl::open(
        "/dev/null",
        nix::fcntl::OFlag::O_RDWR | nix::fcntl::OFlag::O_CLOEXEC,
        nix::sys::stat::Mode::empty(),
    )?;
    for number in [
        StandardNumber::Input,
        StandardNumber::Output,
        StandardNumber::Error,
    ] {
        sys::replace(sys::standard(number), &null)?;
    }
    nix::sys::prctl::set_name(NAME)
}
