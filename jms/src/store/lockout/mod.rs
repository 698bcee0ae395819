//! The door that every answer of a person goes through before it is believed: passwords, one-time passwords,
//! recovery codes. Wrong ones count, and too many of them lock (`policy::lockout`).
//!
//! A check that takes no time is made inside of the transaction that counts it ([`Store::attempt`]); one that does
//! (argon2id) takes a place first and is settled after ([`Store::reserve`], [`Store::settle`]), because nobody else
//! could write meanwhile. Places count like wrong answers until they are settled: so however many come at once, no
//! more answers are ever heard than the limits allow. Only users have counters; a name that nobody has leaves nothing.

mod checks;
mod counters;
mod locks;
mod places;
#[cfg(test)]
mod tests;

use super::error::StoreError;
use super::{BUSY, Store};
use crate::policy::lockout::{Limits, Network, Proof};
use crate::time::Time;
pub use checks::Check;
use counters::Standing;
use rusqlite::{Connection, TransactionBehavior};
use std::fmt;
use std::time::{Duration, Instant};

/// How long somebody whose answers are all being checked waits before he looks again.
const PAUSE: Duration = Duration::from_millis(20);

/// Whose answer it is, and how he came.
#[derive(Debug, Clone, Copy)]
pub struct Answerer<'a> {
    /// Row id of the user.
    pub user_id: i64,
    /// His name, for the event of a lock.
    pub user: &'a str,
    /// Whether sshd saw a key of his proven in this authentication.
    pub proof: Proof,
    /// Where from.
    pub source: &'a Network,
}

/// Nobody is asked now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Locked {
    /// Until when.
    pub until: Time,
    /// Which limit.
    pub why: Why,
}

/// Which limit locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Of this user from this network.
    UserAndSource,
    /// Of this user from everywhere.
    User,
    /// Of this network for all users.
    Source,
}

impl Why {
    /// A stable word for events and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UserAndSource => "user-and-source",
            Self::User => "user",
            Self::Source => "source",
        }
    }
}

/// For the person, once he has proved a key: never before.
impl fmt::Display for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.why {
            Why::UserAndSource => "too many wrong answers from where you are",
            Why::User => "too many wrong answers for this account",
            Why::Source => "too many wrong answers from your network",
        };
        let until = self.until.timestamp().strftime("%Y-%m-%d %H:%M UTC");
        write!(
            f,
            "{what}: try again after {until}, or ask your administrator"
        )
    }
}

/// What became of an answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Attempt<T> {
    /// It was not looked at.
    Locked(Locked),
    /// It was wrong, and counts.
    Wrong,
    /// It was right.
    Right(T),
}

/// A place for one answer that is being checked. Not settled, it becomes a wrong answer.
#[derive(Debug)]
#[must_use]
pub struct Place {
    id: i64,
    _check: Check,
}

/// What became of the wish for a place.
#[derive(Debug)]
pub enum Reserved {
    /// The answer must not be looked at. It may be hashed for nothing, while the check is held.
    Locked(Locked, Check),
    /// It may.
    Place(Place),
}

/// How a place is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The answer was wrong.
    Wrong,
    /// It was right, and more is to be asked: nothing counts, nothing is forgotten.
    Right,
    /// It was right and the last one: the wrong ones from there are forgotten.
    Passed,
}

impl Store {
    /// Whether he is asked at all now; looks and counts nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn locked(
        &self,
        who: &Answerer<'_>,
        limits: &Limits,
        now: Time,
    ) -> Result<Option<Locked>, StoreError> {
        Ok(match counters::standing(self.read(), who, limits, now)? {
            Standing::Locked(locked) => Some(locked),
            Standing::Open(_) => None,
        })
    }

    /// Checks an answer inside of the transaction that counts it. `check` says `None` for a wrong one, and what it
    /// wrote is kept only for a right one. A right one is the last: the wrong ones from there are forgotten.
    ///
    /// # Errors
    /// What `check` returns, and then nothing counts; [`StoreError::Busy`].
    pub(super) fn attempt<T>(
        &mut self,
        who: &Answerer<'_>,
        limits: &Limits,
        now: Time,
        check: impl FnOnce(&Connection) -> Result<Option<T>, StoreError>,
    ) -> Result<Attempt<T>, StoreError> {
        let mut check = Some(check);
        let attempt = self.take_turn(who, limits, now, |connection| {
            let Some(check) = check.take() else {
                return Ok(None);
            };
            connection.execute_batch("SAVEPOINT answer")?;
            let right = check(connection)?;
            if right.is_none() {
                connection.execute_batch("ROLLBACK TO answer")?;
            }
            connection.execute_batch("RELEASE answer")?;
            Ok(Some(match right {
                Some(right) => {
                    counters::forget(connection, who)?;
                    Attempt::Right(right)
                }
                None => {
                    counters::count_wrong(connection, who, limits, now)?;
                    Attempt::Wrong
                }
            }))
        })?;
        Ok(attempt.unwrap_or_else(Attempt::Locked))
    }

    /// Takes a place for an answer that is checked outside of the store.
    ///
    /// # Errors
    /// [`StoreError::Crowded`] when more are being checked for two seconds than may be at once; [`StoreError::Busy`].
    pub fn reserve(
        &mut self,
        who: &Answerer<'_>,
        limits: &Limits,
        now: Time,
    ) -> Result<Reserved, StoreError> {
        let since = Instant::now();
        let paths = self.paths.clone();
        let place = self.take_turn(who, limits, now, |connection| {
            let Some(check) = checks::try_take(&paths, who.proof)? else {
                return Ok(None);
            };
            let id = places::take(connection, who, now)?;
            Ok(Some(Place { id, _check: check }))
        })?;
        match place {
            Ok(place) => Ok(Reserved::Place(place)),
            Err(locked) => Ok(Reserved::Locked(locked, self.wait_for_check(who, since)?)),
        }
    }

    fn wait_for_check(&self, who: &Answerer<'_>, since: Instant) -> Result<Check, StoreError> {
        loop {
            if let Some(check) = checks::try_take(&self.paths, who.proof)? {
                return Ok(check);
            }
            if since.elapsed() >= BUSY {
                return Err(StoreError::Crowded);
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Says how the answer was. `false`: the place is gone, because it took too long and counts as wrong; then the
    /// answer must not be believed, right or not.
    ///
    /// # Errors
    /// [`StoreError`]; then the place becomes a wrong answer by itself.
    pub fn settle(
        &mut self,
        place: Place,
        who: &Answerer<'_>,
        limits: &Limits,
        outcome: Outcome,
        now: Time,
    ) -> Result<bool, StoreError> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let held = places::give_back(&transaction, place.id)?;
        match (held, outcome) {
            (true, Outcome::Wrong) => counters::count_wrong(&transaction, who, limits, now)?,
            (true, Outcome::Passed) => counters::forget(&transaction, who)?,
            (true, Outcome::Right) | (false, _) => {}
        }
        transaction.commit()?;
        self.send_unsent();
        Ok(held)
    }

    /// Runs `work` in one transaction when it is sure that one more wrong answer is not one too many. `work` says `None`
    /// to wait as well.
    fn take_turn<T>(
        &mut self,
        who: &Answerer<'_>,
        limits: &Limits,
        now: Time,
        mut work: impl FnMut(&Connection) -> Result<Option<T>, StoreError>,
    ) -> Result<Result<T, Locked>, StoreError> {
        let since = Instant::now();
        loop {
            let transaction = self
                .connection
                .transaction_with_behavior(TransactionBehavior::Immediate)?;
            places::collect_dead(&transaction, limits, now)?;
            let turn = match counters::standing(super::Read::new(&transaction), who, limits, now)? {
                Standing::Locked(locked) => Some(Err(locked)),
                Standing::Open(left) if places::may_take(&transaction, who, left)? => {
                    work(&transaction)?.map(Ok)
                }
                Standing::Open(_) => None,
            };
            transaction.commit()?;
            if let Some(taken) = turn {
                self.send_unsent();
                return Ok(taken);
            }
            if since.elapsed() >= BUSY {
                return Err(StoreError::Crowded);
            }
            std::thread::sleep(PAUSE);
        }
    }
}
