//! Who uses a kept connection, how far each of them has got, and what follows from what they say: the rules, without clock,
//! sockets and processes.
#![forbid(unsafe_code)]

use super::standing::{Reason, Standing};
use crate::egress::lease::{Terms, Word};
use jms::time::Time;
use std::collections::BTreeMap;
use std::time::Instant;

/// So many are listened to, sessions and those who only ask.
const MOST: usize = 64;

/// Which of those who have come.
pub type Number = u64;

/// How far a lease has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It is no session, or none any more.
    Visitor,
    /// It is being told that it may.
    Invited(Terms),
    /// A session that was admitted, and has asked the client for nothing yet.
    Admitted,
    /// It asks: the client may have its request still to send.
    Asking,
    /// Its channel is open.
    Works,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    Nothing,
    /// It is told so; [`Leases::told`] then says whether it has heard it.
    Answer(Reply),
    /// The client looks at the sizes of its terminals.
    Resize,
    /// The connection ends.
    End(Reason),
    /// It is told yes, and the connection ends.
    Yield(Reason),
}

/// What one who asks is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// It may, or it is so.
    Yes,
    /// No.
    No,
    /// The asset has not let us in yet.
    NotYet,
}

/// All of them, and the connection that they use.
#[derive(Debug)]
pub struct Leases {
    standing: Standing,
    stages: BTreeMap<Number, Stage>,
    next: Number,
    /// Number of the newest change of the policy that it was made under.
    policy: u64,
    /// Of all rights that it was used by, the one that runs out first.
    until: Option<Time>,
}

impl Leases {
    /// Of a connection that is being made; its first session asks already, on `terms`, and has the number 0.
    #[must_use]
    pub fn new(standing: Standing, terms: Terms) -> Self {
        Self {
            standing,
            stages: [(0, Stage::Asking)].into(),
            next: 1,
            policy: terms.policy,
            until: terms.until,
        }
    }

    /// Somebody has come; `None`: there is no room for him.
    pub fn come(&mut self) -> Option<Number> {
        if self.stages.len() >= MOST {
            return None;
        }
        let number = self.next;
        self.next += 1;
        self.stages.insert(number, Stage::Visitor);
        Some(number)
    }

    /// He says something. What he may not say now means nothing.
    pub fn hear(&mut self, number: Number, word: Word, now: Instant) -> Step {
        let working = self.working();
        let Some(stage) = self.stages.get_mut(&number) else {
            return Step::Nothing;
        };
        match (word, *stage) {
            (Word::Attach(terms), before) => {
                // It may have heard nothing of the change.
                if terms.policy != self.policy {
                    self.standing.retire(Reason::Changed);
                }
                if before == Stage::Visitor && self.standing.admit(now) {
                    *stage = Stage::Invited(terms);
                    return Step::Answer(Reply::Yes);
                }
                Step::Answer(match self.standing.is_connected() {
                    true => Reply::No,
                    false => Reply::NotYet,
                })
            }
            (Word::EndIfIdle, _) => match self.standing.is_idle() {
                true => Step::Yield(Reason::Limit),
                false => Step::Answer(Reply::No),
            },
            (Word::Asks, Stage::Admitted) => {
                *stage = Stage::Asking;
                Step::Nothing
            }
            (Word::Connected, Stage::Asking) => {
                self.standing.connected();
                *stage = Stage::Works;
                Step::Nothing
            }
            (Word::Nothing, Stage::Asking) => {
                *stage = Stage::Admitted;
                Step::Nothing
            }
            (Word::Resized, Stage::Works) => Step::Resize,
            (Word::End, Stage::Admitted | Stage::Asking | Stage::Works) => {
                self.standing.retire(Reason::Lost);
                // Who only waits, too, is better off with a connection of its own.
                match working {
                    0 => Step::End(Reason::Lost),
                    _ => Step::Nothing,
                }
            }
            (Word::Broken, Stage::Admitted | Stage::Asking | Stage::Works) => {
                Step::End(Reason::Lost)
            }
            _ => Step::Nothing,
        }
    }

    /// He was given his answer, or was gone: he had waited long enough.
    pub fn told(&mut self, number: Number, heard: bool, now: Instant) {
        let Some(stage) = self.stages.get_mut(&number) else {
            return;
        };
        if let Stage::Invited(terms) = *stage {
            if heard {
                *stage = Stage::Admitted;
                self.until = self.until.into_iter().chain(terms.until).min();
            } else {
                *stage = Stage::Visitor;
                self.standing.leave(now);
            }
        }
    }

    /// He has gone, in whatever way; why the connection ends, if it does.
    pub fn gone(&mut self, number: Number, now: Instant) -> Option<Reason> {
        let stage = self.stages.remove(&number)?;
        if stage != Stage::Visitor {
            self.standing.leave(now);
        }
        // What it asked for would be sent for nobody.
        (stage == Stage::Asking).then(|| match self.standing.is_connected() {
            true => Reason::Abandoned,
            false => Reason::NotConnected,
        })
    }

    /// The policy has this number now; `None`: it is not known that it has another one.
    pub fn policy_is(&mut self, policy: Option<u64>) {
        if policy.is_some_and(|policy| policy != self.policy) {
            self.standing.retire(Reason::Changed);
        }
    }

    /// Nobody new may use it, and it ends with its last session.
    pub fn retire(&mut self, reason: Reason) {
        self.standing.retire(reason);
    }

    /// When the first right runs out that it was used by, if none has yet.
    #[must_use]
    pub fn until(&self) -> Option<Time> {
        self.until
    }

    /// It is `now`, or the clock was set.
    pub fn clock_says(&mut self, now: Time) {
        if self.until.is_some_and(|until| until <= now) {
            self.until = None;
            self.standing.retire(Reason::Expired);
        }
    }

    /// How it stands.
    #[must_use]
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// How many have an open channel.
    fn working(&self) -> usize {
        let works = |stage: &&Stage| **stage == Stage::Works;
        self.stages.values().filter(works).count()
    }
}

#[cfg(test)]
#[path = "leases_tests.rs"]
mod tests;
