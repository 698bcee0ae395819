//! One machine on the way to the asset, or the asset itself: its client's folder, agent, connection and log.

use super::observed::Observed;
use super::prepare::Proof;
use crate::agent::Agent;
use crate::confinement::Listener;
use crate::confinement::relay::Process;
use crate::egress::ask::{Asking, Question};
use crate::egress::failure::{Failure, is_connected};
use crate::egress::{Child, Destination, Folder, Handover};
use crate::sys;
use jms::secret::SecretString;
use nix::poll::PollFlags;
use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

/// The log is looked at so often while connecting, where the kernel has no watch for it left.
const LOG_CHECK: Duration = Duration::from_millis(100);

/// One connection while it is made and as long as it lasts.
pub struct Hop {
    /// The asset's name.
    pub name: String,
    folder: Folder,
    agent: Agent,
    handover: Handover,
    proof: Proof,
    asking: Option<Asking>,
    answered: bool,
    log: Option<OwnedFd>,
    log_check: Option<Instant>,
    connected: bool,
    /// A gateway's client; the asset's own belongs to the relay.
    client: Option<Child>,
}

impl Hop {
    /// Begins to watch over the connection to the asset `name`, which goes to `destination`.
    #[must_use]
    pub fn new(
        name: String,
        folder: Folder,
        agent: Agent,
        handover: Handover,
        (proof, destination): (Proof, &Destination),
    ) -> Self {
        let log = CString::new(folder.log().as_os_str().as_bytes()).ok();
        let log = log.and_then(|path| sys::watch_file(&path).ok());
        let asks = destination.method.asks();
        let asking = asks.then(|| Asking::new(&destination.account));
        Self {
            name,
            folder,
            agent,
            handover,
            proof,
            asking,
            answered: false,
            log_check: log.is_none().then(Instant::now),
            log,
            connected: false,
            client: None,
        }
    }

    /// Its client's folder.
    #[must_use]
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Its client runs, and is answered from now on.
    pub fn answer(&mut self, client: &mut Child) {
        if self.asking.is_some() {
            self.handover.allow_helpers(1);
        }
        if let Some(listener) = client.listener.take() {
            self.handover.answer(client.pid(), listener);
        }
    }

    /// The same for a client that another process keeps, and the socket at which sessions come to it.
    pub fn answer_kept(&mut self, (pid, listener): (i32, Listener), door: OwnedFd) {
        if self.asking.is_some() {
            self.handover.allow_helpers(1);
        }
        self.handover.offer_door(door);
        self.handover.answer(pid, listener);
    }

    /// Keeps a gateway's client, which ends with the session.
    pub fn keep(&mut self, mut client: Child) {
        self.answer(&mut client);
        self.client = Some(client);
    }

    /// The processes that the relay must be able to end: a gateway's client, the one that looks up a name.
    pub fn processes(&self) -> impl Iterator<Item = Process> {
        let client = self.client.as_ref();
        let client = client.map(|client| Process::Group(client.pid()));
        client
            .into_iter()
            .chain(self.handover.resolver().map(Process::One))
    }

    /// Whether the machine has let us in.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.connected
    }

    /// What there is to tell since the last call.
    pub fn take_observed(&mut self) -> Vec<Observed> {
        let notices = self.agent.take_notices().into_iter().map(Observed::Agent);
        let refusals = self.handover.take_refusals().into_iter();
        notices.chain(refusals.map(Observed::Client)).collect()
    }

    /// What to wait for; when any of it is there, [`Hop::on_ready`] is called.
    pub fn watched(&self) -> impl Iterator<Item = (BorrowedFd<'_>, PollFlags)> {
        let log = self.log.as_ref();
        let log = log.map(|log| (log.as_fd(), PollFlags::POLLIN));
        log.into_iter()
            .chain(self.agent.poll_fd())
            .chain(self.handover.watched())
            .chain(self.asking.as_ref().and_then(Asking::watched))
    }

    /// Does what can be done now without waiting. A question that the person must answer is returned, to be
    /// followed by [`Hop::reply`].
    ///
    /// # Errors
    /// Why there is no connection to the machine.
    pub fn on_ready(&mut self) -> Result<Option<Question>, Failure> {
        self.connect()?;
        self.agent.on_ready();
        if let Some(log) = &self.log {
            let mut changes = [0; 4096];
            while matches!(nix::unistd::read(log, &mut changes), Ok(1..)) {}
            self.look_at_log();
        }
        let question = self.asking.as_mut().and_then(Asking::on_ready);
        question.map_or(Ok(None), |question| self.consider(question))
    }

    /// Hands over what is asked for; a program that the client has started to ask something is heard.
    fn connect(&mut self) -> Result<(), Failure> {
        if self.handover.has_door() {
            // What it asks for next depends on it.
            self.look_at_log();
        }
        self.handover.on_ready(&mut self.agent)?;
        if let Some((asking, visitor)) = self.asking.as_mut().zip(self.handover.take_visitor()) {
            asking.hear(visitor);
        }
        Ok(())
    }

    /// Answers what can be answered without the person. What has no answer ends the connection: an empty one would
    /// count as a second attempt there.
    fn consider(&mut self, question: Question) -> Result<Option<Question>, Failure> {
        if !self.agent.may_give_password() {
            self.agent.withhold();
            return Err(Failure::PasswordWithheld);
        }
        match &mut self.proof {
            Proof::Typed if question != Question::Other => Ok(Some(question)),
            Proof::Stored(_) if question.is_for_password() => {
                // Once: a second question means that it was wrong.
                if let Proof::Stored(password) = std::mem::replace(&mut self.proof, Proof::Key) {
                    self.reply(Some(&password));
                }
                Ok(None)
            }
            _ => Err(self.refused_login()),
        }
    }

    /// Gives the client what it has asked for, or nothing.
    pub fn reply(&mut self, secret: Option<&SecretString>) {
        self.answered |= secret.is_some();
        if let Some(asking) = &mut self.asking {
            asking.answer(secret);
            // The next question comes by a program of its own.
            self.handover.allow_helpers(1);
        }
    }

    /// What a refused login means here.
    #[must_use]
    pub fn refused_login(&self) -> Failure {
        match (&self.asking, self.answered, &self.proof) {
            (None, _, _) => Failure::LoginRefused,
            (_, false, _) => Failure::NoPasswordLogin,
            (_, true, Proof::Typed) => Failure::TypedRefused,
            (_, true, _) => Failure::PasswordRefused,
        }
    }

    /// The host key that the machine has proved to have, in its wire form.
    #[must_use]
    pub fn proved(&self) -> Option<&[u8]> {
        self.agent.proved()
    }

    /// When [`Hop::tick`] has something to do, if ever.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.log_check
            .into_iter()
            .chain(self.handover.next_deadline())
            .min()
    }

    /// Does what is due.
    ///
    /// # Errors
    /// As [`Hop::on_ready`].
    pub fn tick(&mut self, now: Instant) -> Result<(), Failure> {
        if self.log_check.is_some_and(|at| at <= now) {
            self.log_check = Some(now + LOG_CHECK);
            self.look_at_log();
        }
        self.connect()
    }

    /// Once the machine has let us in, key and password are wiped and the log no longer watched.
    pub fn look_at_log(&mut self) {
        if !self.connected && is_connected(&self.folder.read_log()) {
            self.connected = true;
            self.agent.finish();
            (self.proof, self.asking) = (Proof::Key, None);
            self.handover.allow_helpers(0);
            (self.log, self.log_check) = (None, None);
        }
    }
}
