//! The process that keeps a connection: forked from the session that makes it, it starts the client and outlives the
//! session. It has neither key nor store, reads nothing that an asset can have written, and ends by itself.
//!
//! Trusts whoever reaches its sockets: only the service user does.
#![forbid(unsafe_code)]

use super::leases::{Leases, Number, Reply, Step};
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
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::{Duration, Instant};

/// Its name in lists of processes.
const NAME: &std::ffi::CStr = c"jms-kept";
/// After the client was asked to end, it is killed.
const STOPPING: Duration = Duration::from_millis(300);
/// So many words of one who has come are heard in a turn.
const WORDS: usize = 16;

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

/// One who has come.
struct Visitor {
    number: Number,
    socket: OwnedFd,
    /// What ends the client with him while he asks, held for him (`egress::fuse`).
    fuse: Option<OwnedFd>,
}

struct Keeper {
    leases: Leases,
    control: Control,
    place: std::path::PathBuf,
    door: UnixListener,
    /// Those who have come.
    visitors: Vec<Visitor>,
    client: Child,
    signals: Signals,
    expiry: TimerFd,
    /// What that is set to.
    until: Option<Time>,
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
        let first = Visitor {
            number: 0,
            socket: first,
            fuse: None,
        };
        let mut keeper = Self {
            leases: Leases::new(Standing::new(stays, Instant::now()), terms),
            control,
            place: place.path().to_owned(),
            door: leases.into(),
            visitors: vec![first],
            client,
            signals,
            expiry,
            until: None,
            replaced,
            sender,
            ended: event_of(Type::ConnectionEnded, about, &place.id),
            format,
        };
        keeper.set_expiry();
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
        if self.leases.standing().is_connected() {
            let event = self.ended.clone().reason(reason.word());
            let line = event.to_line(self.format, None);
            let _ = self.sender.send(event.level(), &line);
        }
    }

    /// Waits for something to happen, and does what follows; why it is over, if it is.
    fn turn(&mut self) -> Option<Reason> {
        let now = Instant::now();
        if let Some(reason) = self.leases.standing().over(now) {
            return Some(reason);
        }
        let ready = self.wait(now);
        if self.client.ended().is_some() {
            // With a session that asked it for something, or by itself.
            return Some(match self.hear(|_| true) {
                Some(Reason::Abandoned) => Reason::Abandoned,
                _ => Reason::Lost,
            });
        }
        let mut signalled = false;
        for signal in self.signals.taken() {
            match signal {
                // Of the package's scripts: the bastion is being removed, and its sessions go on.
                Signal::SIGHUP => self.leases.retire(Reason::Replaced),
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
                Told::DecideAgain(policy) => self.leases.policy_is(policy),
            }
        }
        let mut bytes = [0; 4096];
        let is_there =
            |read: Result<usize, Errno>| !matches!(read, Err(Errno::EAGAIN | Errno::EINTR));
        if self.replaced.happened() {
            self.leases.retire(Reason::Replaced);
        }
        // The clock was set, or the time is there.
        if is_there(nix::unistd::read(&self.expiry, &mut bytes)) {
            self.until = None;
            self.leases.clock_says(Time::now());
            self.set_expiry();
        }
        self.come();
        self.hear(|visitor| ready.contains(&visitor))
    }

    /// Which of those who have come say something, or have gone.
    fn wait(&self, now: Instant) -> Vec<RawFd> {
        let deadline = self.leases.standing().deadline();
        let left = deadline.map(|at| at.saturating_duration_since(now).as_millis() + 1);
        let left = left.map_or(PollTimeout::NONE, |left| {
            PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)
        });
        let own = [
            self.signals.as_fd(),
            self.control.descriptor(),
            self.expiry.as_fd(),
            self.door.as_fd(),
        ];
        let visitors = self.visitors.iter().map(|visitor| visitor.socket.as_fd());
        let mut watched: Vec<PollFd<'_>> = own
            .into_iter()
            .chain(self.client.watches())
            .chain([self.replaced.as_fd()])
            .chain(visitors)
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
        while let Ok((visitor, _)) = self.door.accept() {
            if visitor.set_nonblocking(true).is_err() {
                continue;
            }
            let socket = OwnedFd::from(visitor);
            let peer = getsockopt(&socket, PeerCredentials);
            if !peer.is_ok_and(|peer| peer.uid() == geteuid().as_raw()) {
                continue;
            }
            if let Some(number) = self.leases.come() {
                let fuse = None;
                self.visitors.push(Visitor {
                    number,
                    socket,
                    fuse,
                });
            }
        }
    }

    /// What those say who are ready; why it is over, if it is.
    fn hear(&mut self, is_ready: impl Fn(RawFd) -> bool) -> Option<Reason> {
        let mut visitors = std::mem::take(&mut self.visitors);
        let mut over = None;
        visitors.retain_mut(|visitor| {
            if over.is_some() || !is_ready(visitor.socket.as_raw_fd()) {
                return true;
            }
            // One that talks without end is heard again in the next turn.
            for _ in 0..WORDS {
                let mut bytes = [0; LONGEST];
                let (word, came) = match sys::receive_descriptor(visitor.socket.as_fd(), &mut bytes)
                {
                    Err(Errno::EAGAIN) => return true,
                    Ok((length, came)) => {
                        let said = bytes.get(..length).unwrap_or_default();
                        (Word::parse(said), came)
                    }
                    Err(_) => (None, None),
                };
                let Some(word) = word else {
                    over = self.leases.gone(visitor.number, Instant::now());
                    return false;
                };
                match word {
                    Word::Asks => visitor.fuse = came,
                    Word::Connected | Word::Nothing => visitor.fuse = None,
                    _ => {}
                }
                let step = self.leases.hear(visitor.number, word, Instant::now());
                over = self.follow(visitor, step);
                if over.is_some() {
                    break;
                }
            }
            true
        });
        self.visitors = visitors;
        over
    }

    /// Does what follows; why it is over, if it is.
    fn follow(&mut self, visitor: &Visitor, step: Step) -> Option<Reason> {
        match step {
            Step::Nothing => None,
            Step::Answer(reply) => {
                let heard = self.answer(visitor, reply);
                self.leases.told(visitor.number, heard, Instant::now());
                self.set_expiry();
                None
            }
            Step::Yield(reason) => {
                let _ = self.answer(visitor, Reply::Yes);
                Some(reason)
            }
            Step::Resize => {
                self.client.signal(Signal::SIGWINCH);
                None
            }
            Step::End(reason) => Some(reason),
        }
    }

    /// Whether it was heard.
    fn answer(&self, visitor: &Visitor, reply: Reply) -> bool {
        let pid = self.client.pid().to_ne_bytes();
        let yes = [&[YES], pid.as_slice()].concat();
        let (said, gone) = match reply {
            Reply::Yes => (yes.as_slice(), self.client.watches().next()),
            Reply::No => (NO, None),
            Reply::NotYet => (NOT_YET, None),
        };
        sys::send_descriptor(visitor.socket.as_fd(), said, gone).is_ok()
    }

    /// The clock wakes us when the first right runs out, if that lies ahead.
    fn set_expiry(&mut self) {
        let first = self.leases.until();
        let Some(at) = first.filter(|_| first != self.until) else {
            return;
        };
        self.until = first;
        let at = u64::try_from(at.0).unwrap_or(1).max(1);
        let at = TimeSpec::from(Duration::from_millis(at));
        let flags =
            TimerSetTimeFlags::TFD_TIMER_ABSTIME | TimerSetTimeFlags::TFD_TIMER_CANCEL_ON_SET;
        if self.expiry.set(Expiration::OneShot(at), flags).is_err() {
            self.leases.retire(Reason::Expired);
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
