//! What watches over a live session beside its bytes: the control socket, the login's sshd, the
//! clock, and each machine on the way while it is being connected.

use super::deeds::{Deeds, Whose};
use super::hop::Hop;
use super::observed::{Observations, Observed};
use super::output_limit::Reached;
use super::person::{Answer, Person};
use crate::confinement::relay::Process;
use crate::control::{Control, Told};
use crate::egress::Failure;
use crate::egress::ask::Question;
use crate::egress::failure::{Place, diagnose, of_session, overdue};
use crate::message::{Message, say_while_raw};
use crate::relay::{Stop, Supervisor};
use crate::report;
use event::Type;
use jms::id::Id;
use jms::keys::HostKey;
use jms::nouns::Login;
use jms::policy::{Channel, Decision};
use jms::store::{Actor, Store};
use jms::time::Time;
use nix::poll::PollFlags;
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

/// Between decisions of a store that was busy.
const DECIDE_AGAIN: Duration = Duration::from_millis(200);
/// So many failed decisions in a row end the session: a right that cannot be seen is none.
const ATTEMPTS: u32 = 5;

/// From then on a person wonders what happens.
const LONG: Duration = Duration::from_secs(1);

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
    /// When the session was opened.
    pub since: Time,
}

/// The watch over one session.
pub struct Live<'a> {
    store: &'a mut Store,
    asked: Asked<'a>,
    /// What is done in the session's terminal, if it has one.
    deeds: Option<Deeds<'a>>,
    /// The limit on what is recorded, until it is told that it was reached.
    limit: Option<(Reached, &'a Id, Whose<'a>)>,
    control: &'a Control,
    /// The gateways, the first one first, and the asset.
    hops: Vec<Hop>,
    /// Who can be asked, if somebody is there.
    person: Option<Person<'a>>,
    /// The asset is not known yet: its key is stored when it has let us in.
    pins: bool,
    failed: Option<Place>,
    observed: Observations,
    sshd: Vec<OwnedFd>,
    expiry: TimerFd,
    begun: Instant,
    give_up_at: Instant,
    /// When a person is told what is waited for, and the words.
    announce: Option<(Instant, Message)>,
    /// The right is looked at again then.
    decide_at: Option<Instant>,
    /// The person was asked something since the relay last wanted to know.
    asked_person: bool,
    failures: u32,
}

impl<'a> Live<'a> {
    /// Begins to watch. `hops`: the gateways and the asset, in order; `connect`: how long the asset may take to let
    /// us in; `person`: who can be asked; `pins`: the asset's key is to be stored; `sshd`: the processes without
    /// which nobody is there any more.
    ///
    /// # Errors
    /// What the kernel says. A process that is gone already is seen at the first turn.
    pub fn begin(
        store: &'a mut Store,
        asked: Asked<'a>,
        control: &'a Control,
        (hops, connect): (Vec<Hop>, Duration),
        (person, pins): (Option<Person<'a>>, bool),
        sshd: Vec<OwnedFd>,
    ) -> Result<Self, nix::errno::Errno> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let expiry = TimerFd::new(ClockId::CLOCK_REALTIME, flags)?;
        Ok(Self {
            store,
            asked,
            deeds: None,
            limit: None,
            control,
            hops,
            person,
            pins,
            failed: None,
            observed: Observations::default(),
            sshd,
            expiry,
            begun: Instant::now(),
            give_up_at: Instant::now() + connect,
            announce: None,
            decide_at: None,
            asked_person: false,
            failures: 0,
        })
    }

    /// Keeps what is done in the terminal, and reads its filters again when the right is looked at again.
    pub fn keep(&mut self, deeds: Deeds<'a>) {
        self.deeds = Some(deeds);
    }

    /// Tells, once, when the limit on what is recorded of this session is reached.
    pub fn tells_of(&mut self, limit: Reached, session: &'a Id, whose: Whose<'a>) {
        self.limit = Some((limit, session, whose));
    }

    fn limit_is_reached(&self) -> bool {
        let limit = self.limit.as_ref();
        limit.is_some_and(|(limit, ..)| limit.is_reached())
    }

    /// Tells that the limit on what is recorded was reached, if that is not told yet.
    pub fn tell_of_limit(&mut self) {
        if let Some((_, session, whose)) = self.limit.take_if(|(limit, ..)| limit.is_reached()) {
            let event = report::about(Type::RecordingLimit, whose.login)
                .session(session.as_str())
                .asset(whose.asset)
                .system_user(whose.system_user)
                .with("channel", self.asked.channel.as_str())
                .with("setting", "recording.exec_output_bytes");
            report::emit(self.store, &event);
        }
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
            Some(Err(_)) => self.decide_at = Some(Instant::now()),
            Some(Ok(())) => {}
            None => drop(self.expiry.unset()),
        }
    }

    /// The processes of the gateways' clients and of name look-ups.
    pub fn processes(&self) -> Vec<Process> {
        self.hops.iter().flat_map(Hop::processes).collect()
    }

    /// Connects to syslog while that can still be done.
    pub fn connect_log(&mut self) {
        self.store.connect_log();
    }

    /// A person at a terminal reads what is waited for, if it takes long.
    pub fn announce(&mut self, words: Message) {
        self.announce = Some((Instant::now() + LONG, words));
    }

    /// What happened between the clients and us, for the event log; each with the number of the machine.
    pub fn take_observed(&mut self) -> Vec<(usize, Observed)> {
        self.observe();
        self.observed.take()
    }

    /// Where the connection failed or broke, if it did: the machine's name if it is a gateway, and how.
    /// `said`: what the asset's client said on standard error of its own accord.
    #[must_use]
    pub fn trouble(&self, said: &str) -> Option<(Option<String>, Failure)> {
        if self.hops.is_empty() {
            // The connection was there before.
            return of_session(said).map(|failure| (None, failure));
        }
        let mut logs: Vec<String> = self
            .hops
            .iter()
            .map(|hop| hop.folder().read_log())
            .collect();
        if let Some(asset) = logs.last_mut() {
            *asset = format!("{asset}\n{said}");
        }
        let (place, failure) = self.failed.or_else(|| diagnose(&logs))?;
        let hop = self.hops.get(place)?;
        let failure = match failure {
            Failure::LoginRefused => hop.refused_login(),
            other => other,
        };
        let is_gateway = place + 1 < self.hops.len();
        Some((is_gateway.then(|| hop.name.clone()), failure))
    }

    /// What the control socket, the clock and the login's sshd say.
    fn told(&mut self) -> Option<Stop> {
        if self.sshd.iter().any(is_readable) {
            return Some(Stop::ClientGone);
        }
        while let Some(told) = self.control.next() {
            match told {
                Told::End(reason) => return Some(Stop::Killed(reason)),
                Told::DecideAgain(_) => self.decide_at = Some(Instant::now()),
            }
        }
        let mut count = [0; 8];
        if !matches!(
            nix::unistd::read(&self.expiry, &mut count),
            Err(nix::errno::Errno::EAGAIN)
        ) {
            self.decide_at = Some(Instant::now());
        }
        None
    }

    fn fail(&mut self, place: usize, failure: Failure) -> Stop {
        self.failed = Some((place, failure));
        Stop::NotConnected
    }

    /// Has the person answer. Meanwhile no byte of the session flows, and who ends the session ends the question.
    fn ask(&mut self, place: usize, question: &Question) -> Option<Stop> {
        let Some(person) = self.person else {
            self.hops.get_mut(place)?.reply(None);
            return None;
        };
        // Who is asked something knows that it is connecting.
        self.announce = None;
        self.asked_person = true;
        let begun = Instant::now();
        let mut asked = person.ask(question);
        let secret = loop {
            let mut others = vec![
                (self.control.descriptor(), PollFlags::POLLIN),
                (self.expiry.as_fd(), PollFlags::POLLIN),
            ];
            others.extend(
                self.sshd
                    .iter()
                    .map(|sshd| (sshd.as_fd(), PollFlags::POLLIN)),
            );
            match asked.wait(&others, self.decide_at) {
                Answer::Typed(secret) => break secret,
                Answer::GivenUp => return Some(Stop::Interrupted),
                Answer::Gone => return Some(Stop::ClientGone),
                Answer::Late => return Some(self.fail(place, Failure::NotTyped)),
                Answer::Disturbed => {
                    let stop = self.told();
                    let again = self.decide_at.is_some_and(|at| at <= Instant::now());
                    let stop = stop.or_else(|| again.then(|| self.decide_again()).flatten());
                    if stop.is_some() {
                        return stop;
                    }
                }
            }
        };
        self.hops.get_mut(place)?.reply(Some(&secret));
        // The asset's time does not run while the person thinks.
        self.give_up_at += begun.elapsed();
        None
    }

    /// Stores the host key of an asset that was not known, once it has let us in: the client has verified it in a
    /// whole key exchange, and shown us the signature.
    fn pin(&mut self) -> Option<Stop> {
        if !self.pins || !self.is_connected() {
            return None;
        }
        self.pins = false;
        let place = self.hops.len().saturating_sub(1);
        let proved = self.hops.last().and_then(Hop::proved);
        let Some(key) = proved.and_then(|blob| HostKey::from_blob(blob).ok()) else {
            return Some(self.fail(place, Failure::HostKeyUnproved));
        };
        let actor = Actor {
            name: self.asked.login.user.clone(),
            why: format!("proved at the first login, {}", self.asked.login.id),
        };
        let asset = self.asked.target.0;
        let now = Time::now();
        let pinned = self
            .store
            .change_alone(&actor, now, |change| change.pin_host_key(asset, &key));
        match pinned {
            Ok(true) => None,
            // Somebody else was quicker, with another key.
            Ok(false) => Some(self.fail(place, Failure::HostKeyChanged)),
            Err(error) => Some(Stop::NoStore(error.to_string())),
        }
    }

    fn observe(&mut self) {
        for (place, hop) in self.hops.iter_mut().enumerate() {
            for one in hop.take_observed() {
                self.observed.add(place, one);
            }
        }
    }

    /// Whether the asset has let us in.
    pub fn is_connected(&self) -> bool {
        self.hops.last().is_none_or(Hop::is_connected)
    }

    fn decide_again(&mut self) -> Option<Stop> {
        let Asked {
            uid,
            login,
            target,
            channel,
            since,
        } = self.asked;
        match self
            .store
            .decide_again(uid, login, target, channel, since, Time::now())
        {
            Ok(Some(Decision {
                allow: true,
                limits,
                ..
            })) => {
                self.expires(limits.until);
                if let Some(deeds) = &mut self.deeds
                    && let Err(sentence) = deeds.read_rules(self.store)
                {
                    return self.decide_later(sentence);
                }
                (self.failures, self.decide_at) = (0, None);
                None
            }
            Ok(Some(decision)) => Some(Stop::Withdrawn(decision.reason.to_string())),
            Ok(None) => Some(Stop::Withdrawn(
                "user, asset or system user was removed".into(),
            )),
            Err(error) => self.decide_later(error.to_string()),
        }
    }

    fn decide_later(&mut self, sentence: String) -> Option<Stop> {
        self.failures += 1;
        self.decide_at = Some(Instant::now() + DECIDE_AGAIN);
        (self.failures >= ATTEMPTS).then_some(Stop::NoStore(sentence))
    }

    /// Writes down some of what was done.
    fn write_deeds(&mut self) -> Option<Stop> {
        let written = self.deeds.as_mut()?.write(self.store);
        written.err().map(Stop::NoStore)
    }

    /// Writes down all that was done and is not written yet: the session is over.
    pub fn write_all_deeds(&mut self) -> Option<Stop> {
        let written = self.deeds.as_mut()?.write_all(self.store);
        written.err().map(Stop::NoStore)
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
        watched.extend(self.hops.iter().flat_map(Hop::watched));
        watched
    }

    fn ready(&mut self) -> Option<Stop> {
        if let Some(stop) = self.told() {
            return Some(stop);
        }
        for (place, hop) in self.hops.iter_mut().enumerate() {
            match hop.on_ready() {
                Ok(None) => {}
                Ok(Some(question)) => return self.ask(place, &question),
                Err(failure) => return Some(self.fail(place, failure)),
            }
        }
        self.observe();
        self.pin()
    }

    fn voids_input(&mut self) -> bool {
        std::mem::take(&mut self.asked_person)
    }

    fn next_deadline(&self) -> Option<Instant> {
        let give_up = (!self.is_connected()).then_some(self.give_up_at);
        let hops = self.hops.iter().map(Hop::next_deadline);
        let announce = self.announce.as_ref().map(|(at, _)| *at);
        let deeds = self.deeds.as_ref().and_then(Deeds::next_deadline);
        // What was due long ago is due at once.
        let limit = self.limit_is_reached().then_some(self.begun);
        [give_up, announce, self.decide_at, deeds, limit]
            .into_iter()
            .chain(hops)
            .flatten()
            .min()
    }

    fn settle(&mut self) {
        // It costs memory if it fails, and nothing else.
        let _ = self.store.give_back_memory();
    }

    fn tick(&mut self, now: Instant) -> Option<Stop> {
        for (place, hop) in self.hops.iter_mut().enumerate() {
            if let Err(failure) = hop.tick(now) {
                return Some(self.fail(place, failure));
            }
        }
        self.observe();
        self.tell_of_limit();
        if let Some((_, words)) = self.announce.take_if(|(at, _)| *at <= now)
            && !self.is_connected()
        {
            say_while_raw(words);
        }
        if !self.is_connected() && self.give_up_at <= now {
            for hop in &mut self.hops {
                hop.look_at_log();
            }
            if !self.is_connected() {
                let logs = self.hops.iter().map(|hop| hop.folder().read_log());
                self.failed = Some(overdue(&logs.collect::<Vec<_>>()));
                return Some(Stop::NotConnected);
            }
        }
        if let Some(stop) = self.pin() {
            return Some(stop);
        }
        if self.decide_at.is_some_and(|at| at <= now)
            && let Some(stop) = self.decide_again()
        {
            return Some(stop);
        }
        let deeds = self.deeds.as_ref().and_then(Deeds::next_deadline);
        deeds
            .is_some_and(|at| at <= now)
            .then(|| self.write_deeds())
            .flatten()
    }
}

fn is_readable(descriptor: &OwnedFd) -> bool {
    let mut one = [nix::poll::PollFd::new(
        descriptor.as_fd(),
        PollFlags::POLLIN,
    )];
    nix::poll::poll(&mut one, nix::poll::PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
}
