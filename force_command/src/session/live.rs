//! What watches over a live session beside its bytes: the control socket, the login's sshd, the
//! clock, the agent, and the client program's log while it connects.

use crate::agent::{Agent, Notice};
use crate::control::{Control, Told};
use crate::egress::Folder;
use crate::egress::failure::is_connected;
use crate::relay::{Stop, Supervisor};
use crate::sys;
use jms::nouns::Login;
use jms::policy::{Channel, Decision};
use jms::store::Store;
use jms::time::Time;
use nix::poll::PollFlags;
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

/// Between questions to a store that was busy.
const ASK_AGAIN: Duration = Duration::from_millis(200);
/// So many failed questions in a row end the session: a right that cannot be seen is none.
const QUESTIONS: u32 = 5;
/// The log is looked at so often while connecting, where the kernel has no watch for it left.
const LOG_CHECK: Duration = Duration::from_millis(100);

/// Everything that the decision is made of again.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The real uid.
    pub uid: u32,
    /// The login.
    pub login: &'a Login,
    /// Row ids of asset and system user.
    pub target: (i64, i64),
    /// Type of channel.
    pub channel: Channel,
}

/// The watch over one session.
pub struct Live<'a> {
    store: &'a mut Store,
    asked: Asked<'a>,
    control: &'a Control,
    folder: &'a Folder,
    agent: Agent,
    notices: Vec<Notice>,
    sshd: Vec<OwnedFd>,
    expiry: TimerFd,
    log: Option<OwnedFd>,
    connected: bool,
    give_up_at: Instant,
    log_check: Option<Instant>,
    ask_again: Option<Instant>,
    failures: u32,
}

impl<'a> Live<'a> {
    /// Begins to watch. `sshd`: the processes without which nobody is there any more; `connect`: how
    /// long the asset may take to let us in.
    ///
    /// # Errors
    /// What the kernel says. A process that is gone already is seen at the first turn.
    pub fn begin(
        store: &'a mut Store,
        asked: Asked<'a>,
        control: &'a Control,
        folder: &'a Folder,
        agent: Agent,
        sshd: Vec<OwnedFd>,
        connect: Duration,
    ) -> Result<Self, nix::errno::Errno> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let expiry = TimerFd::new(ClockId::CLOCK_REALTIME, flags)?;
        let log = CString::new(folder.log().as_os_str().as_bytes()).ok();
        let log = log.and_then(|path| sys::watch_file(&path).ok());
        let now = Instant::now();
        Ok(Self {
            store,
            asked,
            control,
            folder,
            agent,
            notices: Vec::new(),
            sshd,
            expiry,
            log_check: log.is_none().then_some(now),
            log,
            connected: false,
            give_up_at: now + connect,
            ask_again: None,
            failures: 0,
        })
    }

    /// Wakes us when the rights that the session lives on run out.
    pub fn expires(&mut self, until: Option<Time>) {
        // A clock that is set wakes us too: then the question is asked again.
        let flags =
            TimerSetTimeFlags::TFD_TIMER_ABSTIME | TimerSetTimeFlags::TFD_TIMER_CANCEL_ON_SET;
        let set = until.map(|until| {
            let at = TimeSpec::from(Duration::from_millis(
                u64::try_from(until.0).unwrap_or(1).max(1),
            ));
            self.expiry.set(Expiration::OneShot(at), flags)
        });
        match set {
            Some(Err(_)) => self.ask_again = Some(Instant::now()),
            Some(Ok(())) => {}
            None => drop(self.expiry.unset()),
        }
    }

    /// The one process that may ask the agent.
    pub fn expect(&mut self, pid: i32, uid: u32) {
        self.agent.expect(crate::agent::Peer { pid, uid });
    }

    /// What the agent has refused, for the event log.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        self.notices.extend(self.agent.take_notices());
        std::mem::take(&mut self.notices)
    }

    fn decide_again(&mut self) -> Option<Stop> {
        let Asked {
            uid,
            login,
            target,
            channel,
        } = self.asked;
        match self
            .store
            .decide_again(uid, login, target, channel, Time::now())
        {
            Ok(Some(Decision {
                allow: true,
                limits,
                ..
            })) => {
                (self.failures, self.ask_again) = (0, None);
                self.expires(limits.until);
                None
            }
            Ok(Some(decision)) => Some(Stop::Withdrawn(decision.reason.to_string())),
            Ok(None) => Some(Stop::Withdrawn(
                "user, asset or system user was removed".into(),
            )),
            Err(error) => {
                self.failures += 1;
                self.ask_again = Some(Instant::now() + ASK_AGAIN);
                (self.failures >= QUESTIONS).then(|| Stop::NoStore(error.to_string()))
            }
        }
    }

    /// The asset has let us in: the key is wiped, the log no longer watched.
    fn look_at_log(&mut self) {
        if !self.connected && is_connected(&self.folder.read_log()) {
            self.connected = true;
            self.agent.finish();
            (self.log, self.log_check) = (None, None);
        }
    }
}

impl Supervisor for Live<'_> {
    fn watched(&self) -> Vec<(BorrowedFd<'_>, PollFlags)> {
        let readable = |descriptor| (descriptor, PollFlags::POLLIN);
        let mut watched = vec![
            readable(self.control.descriptor()),
            readable(self.expiry.as_fd()),
        ];
        watched.extend(self.sshd.iter().map(|sshd| readable(sshd.as_fd())));
        watched.extend(self.log.as_ref().map(|log| readable(log.as_fd())));
        watched.extend(self.agent.poll_fd());
        watched
    }

    fn ready(&mut self) -> Option<Stop> {
        if self.sshd.iter().any(is_readable) {
            return Some(Stop::ClientGone);
        }
        while let Some(told) = self.control.next() {
            match told {
                Told::End(reason) => return Some(Stop::Killed(reason)),
                Told::DecideAgain => self.ask_again = Some(Instant::now()),
            }
        }
        let mut count = [0; 8];
        if !matches!(
            nix::unistd::read(&self.expiry, &mut count),
            Err(nix::errno::Errno::EAGAIN)
        ) {
            self.ask_again = Some(Instant::now());
        }
        if self.agent.poll_fd().is_some() {
            self.agent.on_ready();
            self.notices.extend(self.agent.take_notices());
        }
        if let Some(log) = &self.log {
            let mut changes = [0; 4096];
            while matches!(nix::unistd::read(log, &mut changes), Ok(1..)) {}
            self.look_at_log();
        }
        None
    }

    fn next_deadline(&self) -> Option<Instant> {
        let give_up = (!self.connected).then_some(self.give_up_at);
        [give_up, self.log_check, self.ask_again]
            .into_iter()
            .flatten()
            .min()
    }

    fn tick(&mut self, now: Instant) -> Option<Stop> {
        if self.log_check.is_some_and(|at| at <= now) {
            self.log_check = Some(now + LOG_CHECK);
            self.look_at_log();
        }
        if !self.connected && self.give_up_at <= now {
            self.look_at_log();
            if !self.connected {
                return Some(Stop::NotConnected);
            }
        }
        if self.ask_again.is_some_and(|at| at <= now) {
            return self.decide_again();
        }
        None
    }
}

fn is_readable(descriptor: &OwnedFd) -> bool {
    let mut one = [nix::poll::PollFd::new(
        descriptor.as_fd(),
        PollFlags::POLLIN,
    )];
    nix::poll::poll(&mut one, nix::poll::PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
}
