//! A person's answer to the question for a code: right once, or not.

use super::FactorKind;
use crate::factor::{HashedCode, RecoveryCode, Typed};
use crate::policy::lockout::Limits;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::lockout::{Answerer, Attempt, Locked, Outcome, Reserved};
use crate::store::read::Read;
use crate::time::Time;
use event::Type;
use rusqlite::Connection;

/// What became of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// It was right; that it is used up is on the disk.
    Passed(Passed),
    /// It was not.
    Refused(FactorRefusal),
    /// It was not looked at: too many wrong ones came before.
    Locked(Locked),
}

/// A right answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passed {
    /// With what.
    pub kind: FactorKind,
    /// When.
    pub at: Time,
    /// How many recovery codes are left.
    pub recovery_codes: u32,
}

/// Why an answer does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactorRefusal {
    /// The person typed nothing: no answer at all.
    Nothing,
    /// The code is wrong.
    Wrong,
    /// The code is right, and was used before, or is older than one that was.
    Used,
    /// There is nothing enrolled that the answer could belong to.
    NotEnrolled,
}

impl FactorRefusal {
    /// A stable word for events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "no-answer",
            Self::Wrong => "code-wrong",
            Self::Used => "code-used",
            Self::NotEnrolled => "not-enrolled",
        }
    }
}

impl Store {
    /// Judges what a person typed as a code, of the authenticator app or a recovery code: through the door that counts
    /// wrong answers. A right one is used up on the disk before this returns; each answer but none at all is an event.
    ///
    /// # Errors
    /// [`StoreError`]: then it did not count, whatever it was.
    pub fn answer_factor(
        &mut self,
        who: &Answerer<'_>,
        limits: &Limits,
        source: &str,
        typed: &Typed,
        now: Time,
    ) -> Result<Answered, StoreError> {
        let answered = match typed {
            Typed::Nothing => Answered::Refused(FactorRefusal::Nothing),
            Typed::Code { number, digits } => {
                self.answer_code(who, limits, (*number, *digits), now)?
            }
            Typed::Recovery(code) => self.answer_recovery(who, limits, code, now)?,
            Typed::Neither => {
                let attempt = self.attempt(who, limits, now, |_| Ok(None::<Passed>))?;
                answered(attempt, FactorRefusal::Wrong)
            }
        };
        if let Some(event) = event_of(who, source, answered, now) {
            self.emit(&event)?;
        }
        Ok(answered)
    }

    /// Judges what a person typed as the code without which he may not enrol, through the same door. A right one is not
    /// used up: [`Store::confirm_enrolment`] does that.
    ///
    /// # Errors
    /// [`StoreError`]: then it did not count, whatever it was.
    pub fn answer_enrolment_code(
        &mut self,
        who: &Answerer<'_>,
        limits: &Limits,
        source: &str,
        typed: &Typed,
        now: Time,
    ) -> Result<Answered, StoreError> {
        if matches!(typed, Typed::Nothing) {
            return Ok(Answered::Refused(FactorRefusal::Nothing));
        }
        let place = match self.reserve(who, limits, now)? {
            Reserved::Locked(locked, _) => return Ok(Answered::Locked(locked)),
            Reserved::Place(place) => place,
        };
        let stored = self.read().enrolment_hash(who.user_id, now)?;
        let right = match (typed, &stored) {
            (Typed::Recovery(code), Some(hash)) => {
                let found = code
                    .find(std::slice::from_ref(hash))
                    .map_err(super::secret)?;
                found.is_some()
            }
            _ => false,
        };
        let outcome = if right {
            Outcome::Passed
        } else {
            Outcome::Wrong
        };
        let held = self.settle(place, who, limits, outcome, now)?;
        let answered = match (stored, right && held) {
            (None, _) => Answered::Refused(FactorRefusal::NotEnrolled),
            (Some(_), true) => Answered::Passed(Passed {
                kind: FactorKind::Enrolment,
                at: now,
                recovery_codes: 0,
            }),
            (Some(_), false) => Answered::Refused(FactorRefusal::Wrong),
        };
        if let Some(event) = event_of(who, source, answered, now) {
            self.emit(&event)?;
        }
        Ok(answered)
    }

    /// The used step is written in the transaction that finds the code right.
    fn answer_code(
        &mut self,
        who: &Answerer<'_>,
        limits: &Limits,
        (number, digits): (u32, usize),
        now: Time,
    ) -> Result<Answered, StoreError> {
        let key = super::master_key(&self.paths)?;
        if self.read().enrolled(who.user_id, &key)?.is_none() {
            return Ok(Answered::Refused(FactorRefusal::NotEnrolled));
        }
        let mut wrong = FactorRefusal::Wrong;
        let attempt = self.attempt(who, limits, now, |connection| {
            let Some(enrolled) = Read::new(connection).enrolled(who.user_id, &key)? else {
                return Ok(None);
            };
            let totp = &enrolled.totp;
            if totp.digits.count() != digits {
                return Ok(None);
            }
            match totp.matching_step(number, now, enrolled.last_step) {
                Some(step) => use_step(connection, who.user_id, step, now),
                None => {
                    // Only for the log: the person learns the same of both.
                    if totp.matching_step(number, now, -1).is_some() {
                        wrong = FactorRefusal::Used;
                    }
                    Ok(None)
                }
            }
        })?;
        Ok(answered(attempt, wrong))
    }

    /// argon2id takes its time, so the answer takes a place first; the code is used up before it is settled.
    fn answer_recovery(
        &mut self,
        who: &Answerer<'_>,
        limits: &Limits,
        code: &RecoveryCode,
        now: Time,
    ) -> Result<Answered, StoreError> {
        let place = match self.reserve(who, limits, now)? {
            Reserved::Locked(locked, _) => return Ok(Answered::Locked(locked)),
            Reserved::Place(place) => place,
        };
        let stored = self.read().unused_codes(who.user_id)?;
        let hashes: Vec<HashedCode> = stored.iter().map(|one| one.hash.clone()).collect();
        let found = code.find(&hashes).map_err(super::secret)?;
        let used = match found.and_then(|at| stored.get(at)) {
            Some(code) => use_code(&self.connection, who.user_id, code.id, now)?,
            None => None,
        };
        let outcome = match used {
            Some(_) => Outcome::Passed,
            None => Outcome::Wrong,
        };
        let held = self.settle(place, who, limits, outcome, now)?;
        Ok(match used {
            Some(passed) if held => Answered::Passed(passed),
            _ => Answered::Refused(FactorRefusal::Wrong),
        })
    }
}

fn answered(attempt: Attempt<Passed>, wrong: FactorRefusal) -> Answered {
    match attempt {
        Attempt::Right(passed) => Answered::Passed(passed),
        Attempt::Wrong => Answered::Refused(wrong),
        Attempt::Locked(locked) => Answered::Locked(locked),
    }
}

/// Marks the step as used; whoever else is at it has seen the same code and comes too late.
fn use_step(
    connection: &Connection,
    user_id: i64,
    step: i64,
    now: Time,
) -> Result<Option<Passed>, StoreError> {
    let changed = connection.execute(
        "UPDATE totp SET last_step = ?2 WHERE user_id = ?1 AND last_step < ?2",
        [user_id, step],
    )?;
    passed(connection, user_id, changed, FactorKind::Totp, now)
}

fn use_code(
    connection: &Connection,
    user_id: i64,
    id: i64,
    now: Time,
) -> Result<Option<Passed>, StoreError> {
    let changed = connection.execute(
        "UPDATE recovery_code SET used_at = ?2 WHERE id = ?1 AND used_at IS NULL",
        [id, now.0],
    )?;
    passed(connection, user_id, changed, FactorKind::Recovery, now)
}

fn passed(
    connection: &Connection,
    user_id: i64,
    changed: usize,
    kind: FactorKind,
    at: Time,
) -> Result<Option<Passed>, StoreError> {
    if changed != 1 {
        return Ok(None);
    }
    Ok(Some(Passed {
        kind,
        at,
        recovery_codes: Read::new(connection).recovery_codes_left(user_id)?,
    }))
}

fn event_of(
    who: &Answerer<'_>,
    source: &str,
    answered: Answered,
    now: Time,
) -> Option<event::Event> {
    let event = match answered {
        Answered::Refused(FactorRefusal::Nothing) => return None,
        Answered::Passed(passed) => super::about(Type::FactorPassed, who.user, now)
            .result("allow")
            .with("factor", passed.kind.as_str())
            .with("recovery_codes", u64::from(passed.recovery_codes)),
        Answered::Locked(locked) => super::about(Type::FactorRefused, who.user, now)
            .result("deny")
            .reason("locked")
            .with("until", locked.until.to_string()),
        Answered::Refused(refusal) => super::about(Type::FactorRefused, who.user, now)
            .result("deny")
            .reason(refusal.as_str()),
    };
    Some(event.source(source))
}
