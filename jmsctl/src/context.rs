//! What every command that works with the store is given: the store, who asks, when, and how to print.
#![forbid(unsafe_code)]

use crate::cli::flags::Global;
use crate::failure::{Done, Failure};
use crate::input::confirm;
use crate::output::{Output, warn};
use crate::privilege::caller_behind_sudo;
use jms::nouns::{Login, User};
use jms::paths::Paths;
use jms::secret::MasterKey;
use jms::settings::Settings;
use jms::store::{Actor, Change, Store, StoreError};
use jms::time::Time;

/// The surroundings of a command.
pub struct Context {
    /// The open store.
    pub store: Store,
    /// The moment of the call.
    pub now: Time,
    /// The settings' limits of sessions, a part of every decision.
    pub limits: jms::policy::access::Counts,
    /// The settings' limits of wrong answers.
    pub lockout: jms::policy::lockout::Limits,
    /// The settings of second factors.
    pub mfa: jms::settings::Mfa,
    /// The settings of passwords.
    pub password: jms::settings::Password,
    /// Where to print.
    pub out: Output,
    yes: bool,
    asker: Asker,
    actor: String,
}

/// Whether a change is kept, and why it is made.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// Show only.
    pub dry_run: bool,
    /// The reason for the event.
    pub why: Option<&'a str>,
}

impl<'a> From<&'a crate::cli::flags::Reasoned> for Terms<'a> {
    fn from(flags: &'a crate::cli::flags::Reasoned) -> Self {
        Self {
            dry_run: flags.dry_run,
            why: flags.why.as_deref(),
        }
    }
}

impl<'a> From<&'a crate::cli::flags::Change> for Terms<'a> {
    fn from(flags: &'a crate::cli::flags::Change) -> Self {
        Self {
            dry_run: flags.dry_run,
            why: flags.comment.as_deref(),
        }
    }
}

/// Who asks.
#[derive(Debug, Clone)]
pub enum Asker {
    /// Root on the bastion, directly or through sudo.
    Root,
    /// An administrator or auditor over ssh, through this login.
    OverSsh(Box<(User, Login)>),
}

impl Asker {
    /// Who it is, for events.
    pub fn name(&self) -> String {
        match self {
            Self::Root => caller(),
            Self::OverSsh(who) => who.0.name.clone(),
        }
    }

    /// The login through which he asks.
    pub fn login(&self) -> Option<&Login> {
        match self {
            Self::Root => None,
            Self::OverSsh(who) => Some(&who.1),
        }
    }
}

/// Who calls, for events: `root`, or `root (sudo by carol)`.
pub fn caller() -> String {
    caller_behind_sudo().map_or_else(
        || "root".to_owned(),
        |name| format!("root (sudo by {name})"),
    )
}

impl Context {
    /// The surroundings of a command that works with the opened `store`. What is due by then is done: the
    /// logins and sessions whose processes are gone are closed, waiting events sent, old snapshots replaced.
    pub fn new(
        mut store: Store,
        global: &Global,
        settings: &Settings,
        out: Output,
        asker: Asker,
    ) -> Self {
        let now = Time::now();
        if let Some(login) = asker.login() {
            store.set_login(login.clone());
        }
        store.set_event_format(settings.syslog.format.into());
        // None of this is what was asked for, so none of it stands in the way.
        if let Err(error) = store.sweep(now) {
            warn(&format!("lost sessions could not be closed: {error}"));
        }
        if let Err(error) = store.anchor_lost_recordings() {
            warn(&format!(
                "the hashes of lost recordings could not be kept: {error}"
            ));
        }
        // Whoever changed something and was killed before he could say so: it is said now.
        store.poke_live_sessions();
        store.send_unsent();
        if let Err(error) = store.publish() {
            warn(&format!(
                "the snapshots for sshd could not be published: {error}"
            ));
        }
        Self {
            store,
            now,
            limits: settings.session.limits(),
            lockout: settings.lockout.limits(),
            mfa: settings.mfa.clone(),
            password: settings.password.clone(),
            out,
            yes: global.yes,
            actor: asker.name(),
            asker,
        }
    }

    /// Whether whoever asks still may, for what runs for a long time: over ssh, a user who is disabled meanwhile, who
    /// has another role, whose key was removed or has expired, whose second factor was reset, or whose login is closed may
    /// not. Root always may.
    pub fn still_allowed(&self) -> Done {
        let Asker::OverSsh(who) = &self.asker else {
            return Ok(());
        };
        let (user, login) = who.as_ref();
        let read = self.store.read();
        match read.standing_with_factor(login, Time::now())? {
            Ok(as_now) if as_now.role == user.role => Ok(()),
            _ => Err(Failure::NotAllowed("you may not look any more".to_owned())),
        }
    }

    /// The folders of this bastion.
    pub fn paths(&self) -> &Paths {
        self.store.paths()
    }

    /// Who calls, for events.
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// An event about something that whoever calls does or looks at.
    pub fn event(&self, kind: event::Type) -> event::Event {
        let event = event::Event::new(kind)
            .at(self.now.timestamp())
            .with("actor", self.actor());
        match self.asker.login() {
            Some(login) => event.login(login.id.as_str()).source(login.source.as_str()),
            None => event,
        }
    }

    /// Asks, unless `--yes` was said.
    pub fn confirm(&self, question: &str) -> Done {
        confirm(question, self.yes)
    }

    /// The key that seals secrets.
    pub fn master_key(&self) -> Done<MasterKey> {
        let key = MasterKey::load(&self.paths().secret_key());
        key.map_err(|error| Failure::Failed(error.to_string()))
    }

    /// Finds out whether a change is possible, and says what else it would do.
    pub fn foresee<T>(
        &mut self,
        work: impl FnOnce(&Change<'_>) -> Result<T, StoreError>,
    ) -> Done<T> {
        let (actor, now) = (self.acting(""), self.now);
        let (shown, consequences) = self.store.dry_run(&actor, now, |change| {
            let (done, mut consequences) = watched(work)(change)?;
            for session in change.read().ending_sessions(now)? {
                let id: String = session.id.chars().take(8).collect();
                consequences.push(format!(
                    "the running session {id} of {} on {}@{} ends",
                    session.user, session.system_user, session.asset
                ));
            }
            Ok((done, consequences))
        })?;
        self.say_all(&consequences);
        Ok(shown)
    }

    /// Changes policy, or with `--dry-run` finds out what the change would be. What it does to other
    /// objects than the one that was named is said.
    pub fn change<T>(
        &mut self,
        terms: Terms<'_>,
        work: impl FnOnce(&Change<'_>) -> Result<T, StoreError>,
    ) -> Done<T> {
        if terms.dry_run {
            return self.rehearse(work);
        }
        let actor = self.acting(terms.why.unwrap_or_default());
        let (done, consequences) = self.store.change(&actor, Time::now(), watched(work))?;
        self.say_all(&consequences);
        Ok(done)
    }

    /// The same for a change that was foreseen: what it does was said before it was agreed to.
    pub fn change_quietly<T>(
        &mut self,
        terms: Terms<'_>,
        work: impl FnOnce(&Change<'_>) -> Result<T, StoreError>,
    ) -> Done<T> {
        if terms.dry_run {
            return self.rehearse(work);
        }
        let actor = self.acting(terms.why.unwrap_or_default());
        Ok(self.store.change(&actor, Time::now(), work)?)
    }

    fn rehearse<T>(&mut self, work: impl FnOnce(&Change<'_>) -> Result<T, StoreError>) -> Done<T> {
        let shown = self.foresee(work)?;
        self.out
            .note("dry run: nothing was changed; it would be as shown");
        Ok(shown)
    }

    fn acting(&self, why: &str) -> Actor {
        Actor {
            name: self.actor.clone(),
            why: why.to_owned(),
        }
    }

    fn say_all(&self, consequences: &[String]) {
        /// More than a person reads.
        const MOST: usize = 20;
        for sentence in consequences.iter().take(MOST) {
            self.out.note(sentence);
        }
        if consequences.len() > MOST {
            self.out
                .note(&format!("… and {} more", consequences.len() - MOST));
        }
    }
}

/// The same work, and what else it did.
fn watched<T>(
    work: impl FnOnce(&Change<'_>) -> Result<T, StoreError>,
) -> impl FnOnce(&Change<'_>) -> Result<(T, Vec<String>), StoreError> {
    |change| {
        let done = work(change)?;
        Ok((done, change.consequences()))
    }
}
