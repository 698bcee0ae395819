//! Changing policy: one transaction, with the event that says who changed what from what to what.

use super::error::StoreError;
use super::events;
use super::last_administrator::Administrators;
use super::read::Read;
use super::{Store, high_water, poke, publish};
use crate::nouns::{Login, Role};
use crate::time::Time;
use event::{Event, Type};
use rusqlite::{Transaction, TransactionBehavior};
use serde::Serialize;
use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};

/// Who changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// `root`, `root (sudo by carol)`, or an administrator's user name.
    pub name: String,
    /// Why, in the administrator's own words (`--comment`); may be empty.
    pub why: String,
}

/// An open change. Dropped without a commit, nothing happened.
pub struct Change<'a> {
    transaction: Transaction<'a>,
    actor: &'a Actor,
    now: Time,
    login: Option<&'a Login>,
    consequences: RefCell<Vec<String>>,
    /// The high-water file and the highest uid given; written once, before the commit.
    given_uid: RefCell<Option<(PathBuf, u32)>>,
    /// Those there were before the first of them was touched.
    pub(super) administrators: Cell<Option<Administrators>>,
}

impl Store {
    /// Runs `work` in one transaction. What it returns as an error undoes everything.
    ///
    /// After the commit: live sessions decide again, events are sent, snapshots are published. Of
    /// these only the publishing can fail the call, with the change itself already kept. It is the last because it
    /// may wait for another publisher, and whoever waits may be killed.
    ///
    /// `now` is the moment of the change, except for an administrator over ssh: his is taken when the store is
    /// locked, and he must still be one then.
    ///
    /// # Errors
    /// What `work` returns; [`StoreError::Busy`]; [`StoreError::Publish`].
    pub fn change<T>(
        &mut self,
        actor: &Actor,
        now: Time,
        work: impl FnOnce(&Change<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let (done, policy) = self.within(actor, now, true, |change| {
            let done = work(change)?;
            Ok((done, change.count()?))
        })?;
        poke::live_sessions(&self.paths, Some(policy));
        self.send_unsent();
        publish::publish_if_older(self)?;
        Ok(done)
    }

    /// The same by a process that can open no file any more, a relay: nothing is published and no session is told, so
    /// the change must touch neither names nor rights.
    ///
    /// # Errors
    /// What `work` returns; [`StoreError::Busy`].
    pub fn change_alone<T>(
        &mut self,
        actor: &Actor,
        now: Time,
        work: impl FnOnce(&Change<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let done = self.within(actor, now, true, work)?;
        self.send_unsent();
        Ok(done)
    }

    /// The same without keeping it: what `--dry-run` shows is what would have been done.
    ///
    /// # Errors
    /// As [`Store::change`].
    pub fn dry_run<T>(
        &mut self,
        actor: &Actor,
        now: Time,
        work: impl FnOnce(&Change<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.within(actor, now, false, work)
    }

    /// Lets live sessions decide again. Each change does so; whoever opens the store for administration does it
    /// again, for a process that died between its commit and this.
    pub fn poke_live_sessions(&self) {
        poke::live_sessions(&self.paths, self.read().policy_number().ok());
    }

    fn within<T>(
        &mut self,
        actor: &Actor,
        now: Time,
        keep: bool,
        work: impl FnOnce(&Change<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let now = match &self.login {
            None => now,
            Some(login) => {
                // Under the lock: nobody can take the role away between this and the commit.
                let now = Time::now();
                refuse_lapsed(Read::new(&transaction), login, now)?;
                now
            }
        };
        let change = Change {
            transaction,
            actor,
            now,
            login: self.login.as_ref(),
            consequences: RefCell::default(),
            given_uid: RefCell::default(),
            administrators: Cell::default(),
        };
        let done = work(&change)?;
        change.keep_administrators()?;
        change.refuse_own_lockout()?;
        if keep {
            if let Some((path, uid)) = change.given_uid.take() {
                high_water::raise(&path, uid)?;
            }
            change.transaction.commit()?;
        }
        Ok(done)
    }
}

impl Read<'_> {
    /// Number of the newest change of the policy; 0 before the first one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn policy_number(self) -> Result<u64, StoreError> {
        let number = self.number(
            "SELECT ifnull((SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'policy'), 0)",
            [],
        )?;
        super::read::number("the number of the newest change", number)
    }
}

impl Change<'_> {
    /// Gives the change its number.
    fn count(&self) -> Result<u64, StoreError> {
        self.execute(
            "INSERT INTO meta (name, value) VALUES ('policy', '1')
             ON CONFLICT (name) DO UPDATE SET value = CAST(value AS INTEGER) + 1",
            [],
        )?;
        self.read().policy_number()
    }

    /// An administrator over ssh leaves no login rules behind that keep him out where he is now: he could not mend them.
    fn refuse_own_lockout(&self) -> Result<(), StoreError> {
        let Some(login) = self.login else {
            return Ok(());
        };
        let Some(user) = self.read().user_if_any(&login.user)? else {
            return Ok(());
        };
        let source = login.source_address();
        let outcome = self.read().judge_login(&user, source, self.now)?;
        match outcome.rule() {
            Some(rule) if !outcome.allows() => Err(StoreError::NotAllowed {
                sentence: format!(
                    "nothing was changed: login rule {rule} would not let you in again from {}; let another administrator do it, or root on the bastion",
                    login.source
                ),
            }),
            _ => Ok(()),
        }
    }

    /// Looks things up as the change has left them so far.
    #[must_use]
    pub fn read(&self) -> Read<'_> {
        Read::new(&self.transaction)
    }

    /// The moment of the change.
    #[must_use]
    pub fn now(&self) -> Time {
        self.now
    }

    /// Whether an administrator over ssh makes it, not root on the bastion.
    pub(super) fn is_over_ssh(&self) -> bool {
        self.login.is_some()
    }

    /// Who changes, as the event says it.
    pub(super) fn actor_name(&self) -> &str {
        &self.actor.name
    }

    /// What the change has done so far to other objects than the one that was named, a sentence each.
    #[must_use]
    pub fn consequences(&self) -> Vec<String> {
        self.consequences.borrow().clone()
    }

    pub(super) fn has_consequence(&self, sentence: String) {
        self.consequences.borrow_mut().push(sentence);
    }

    /// Refuses a name that another object of the kind has.
    pub(super) fn refuse_taken(
        &self,
        kind: &'static str,
        table: &'static str,
        name: &str,
    ) -> Result<(), StoreError> {
        match self.read().id_if_any(table, name)? {
            Some(_) => Err(StoreError::Exists {
                kind,
                name: name.to_owned(),
            }),
            None => Ok(()),
        }
    }

    /// Runs a part of the change; what it returns as an error undoes this part and nothing else, unless the error
    /// [is fatal](StoreError::is_fatal): then the change must be given up.
    ///
    /// # Errors
    /// What `work` returns; [`StoreError`] when the store itself fails.
    pub fn attempt<T>(
        &self,
        work: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        // On some errors (no room) SQLite undoes the whole transaction by itself. What comes then would not be part of
        // it and be kept, so nothing may come.
        let undone = || StoreError::NotWritable {
            source: "the whole change was undone".to_owned(),
        };
        if self.transaction.is_autocommit() {
            return Err(undone());
        }
        self.transaction.execute_batch("SAVEPOINT attempt")?;
        let done = work();
        if self.transaction.is_autocommit() {
            let error = done.err().filter(StoreError::is_fatal);
            return Err(error.unwrap_or_else(undone));
        }
        self.transaction.execute_batch(match done {
            Ok(_) => "RELEASE attempt",
            Err(_) => "ROLLBACK TO attempt; RELEASE attempt",
        })?;
        done
    }

    /// The highest uid that this change itself has given so far.
    pub(super) fn highest_given_uid(&self) -> u32 {
        self.given_uid.borrow().as_ref().map_or(0, |(_, uid)| *uid)
    }

    /// Remembers that `uid` was given; the file that never forgets it learns so before the commit.
    pub(super) fn gave_uid(&self, high_water: &Path, uid: u32) {
        *self.given_uid.borrow_mut() = Some((high_water.to_owned(), uid));
    }

    pub(super) fn execute(
        &self,
        sql: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<usize, StoreError> {
        Ok(self.transaction.prepare_cached(sql)?.execute(parameters)?)
    }

    pub(super) fn connection(&self) -> &rusqlite::Connection {
        &self.transaction
    }

    pub(super) fn last_id(&self) -> i64 {
        self.transaction.last_insert_rowid()
    }

    /// Writes the event of this change. `None` before: added; `None` after: removed.
    pub(super) fn audit<T: Serialize>(
        &self,
        kind: &'static str,
        name: &str,
        before: Option<&T>,
        after: Option<&T>,
    ) -> Result<(), StoreError> {
        let verb = match (before.is_some(), after.is_some()) {
            (false, _) => "add",
            (true, true) => "set",
            (true, false) => "rm",
        };
        let json = |noun: Option<&T>| noun.and_then(|noun| serde_json::to_string(noun).ok());
        let mut event = self
            .signed(Event::new(Type::PolicyChange))
            .result(verb)
            .with("object", kind)
            .with("name", name);
        if let Some(before) = json(before) {
            event = event.with("before", before);
        }
        if let Some(after) = json(after) {
            event = event.with("after", after);
        }
        self.keep_event(&event)
    }

    /// The event with who changes, when, through which login and why.
    pub(super) fn signed(&self, event: Event) -> Event {
        let mut event = event
            .at(self.now.timestamp())
            .with("actor", self.actor.name.as_str());
        if let Some(login) = self.login {
            event = event.login(login.id.as_str()).source(login.source.as_str());
        }
        if !self.actor.why.is_empty() {
            event = event.with("comment", self.actor.why.as_str());
        }
        event
    }

    /// Keeps an event with the change, or not at all.
    pub(super) fn keep_event(&self, event: &Event) -> Result<(), StoreError> {
        events::insert(&self.transaction, event)
    }
}

/// Refuses whoever is no administrator any more, although he was one when his command began.
fn refuse_lapsed(read: Read<'_>, login: &Login, now: Time) -> Result<(), StoreError> {
    let why = match read.standing_with_factor(login, now)? {
        Ok(user) if user.role == Role::Admin => return Ok(()),
        Ok(_) => "you are no administrator any more".to_owned(),
        Err(lapse) => lapse.to_string(),
    };
    Err(StoreError::NotAllowed {
        sentence: format!("nothing was changed: {why}"),
    })
}

/// A name that was checked, or its rule in words.
pub(super) fn valid<T>(name: Result<T, crate::names::NameError>) -> Result<T, StoreError> {
    name.map_err(|error| StoreError::Refused {
        sentence: error.to_string(),
    })
}

/// Replaces the rows that tie one thing to many: `table(one, many)`.
pub(super) fn replace_links(
    change: &Change<'_>,
    table: &'static str,
    (one, id): (&'static str, i64),
    many: &'static str,
    ids: impl IntoIterator<Item = Result<i64, StoreError>>,
) -> Result<(), StoreError> {
    change.execute(&format!("DELETE FROM {table} WHERE {one} = ?1"), [id])?;
    for other in ids {
        change.execute(
            &format!("INSERT OR IGNORE INTO {table} ({one}, {many}) VALUES (?1, ?2)"),
            [id, other?],
        )?;
    }
    Ok(())
}
