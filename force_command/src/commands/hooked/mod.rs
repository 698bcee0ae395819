//! The hooks of the asset's shell, within the tap: what they announce is judged and kept, and answered.
//!
//! The engine goes on beside them: it judges first, when the line is accepted, and its readings of lines of the shell give way
//! to what the shell itself says ([`readings`]). Lines of other programs are the engine's.
//!
//! Nothing that comes over this way is believed further than the engine's word: who knows the token can add rows to the log,
//! and can take none away.

mod ahead;
mod announced;
mod explained;
mod readings;

use super::board::Note;
use super::judged::Judged;
use super::tap::Watch;
use crate::hooks::start::{answer, echoed};
use crate::hooks::{Marker, Sieve};
use crate::relay::TapFailure;
use crate::session::Record;
use ahead::Sent;
use announced::Said;
use capture::Command;
use jms::id::Token;
use readings::Readings;
use std::time::{Duration, Instant};

/// A shell that has not asked for its token by then gets none.
const STARTING: Duration = Duration::from_secs(60);
/// A hook that says nothing after an answer is not waited for any longer.
const ANSWERED: Duration = Duration::from_secs(10);
/// A shell that was told to skip a command reads the next line within this time, or may be running it.
const SKIPPED: Duration = Duration::from_secs(30);

/// For so long an answer waits after an interrupt, which may have ended the hook: what it had begun to read of the answer the
/// line editor would take for keys.
const INTERRUPTED: Duration = Duration::from_millis(300);
/// Ctrl-C and Ctrl-\.
const INTERRUPTS: [u8; 2] = [0x03, 0x1c];

const STUCK: &str = "a filter denies a line, and the shell, which handles interrupts itself, cannot be kept from running it";
const NOT_SKIPPED: &str =
    "a filter denies a line, and the shell has not said that it left the line out";

const LOST: &str = "jms: what was typed ahead could not be given back to the shell: type it again";

/// Where the conversation with the shell stands.
#[derive(Debug)]
enum Phase {
    /// It is starting.
    Starting,
    /// It has been given the token.
    Greeted { until: Instant },
    /// It reads a line.
    Reading,
    /// The person is asked whether its command may run.
    Asking {
        nonce: String,
        edited: bool,
        until: Instant,
        command: Command,
        judged: Judged,
    },
    /// It has been answered.
    Answered { until: Instant, denied: Denied },
    /// It leaves out a command that was denied, and will say that it reads.
    Skipping { until: Instant },
    /// It runs something.
    Running,
    /// It announces nothing.
    Off,
}

/// What an answer expects of the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Denied {
    /// Nothing: the command runs.
    No,
    /// That it takes the answer: the line stands in its editor, or it does not say when it reads.
    Taken,
    /// That it takes the answer, and reads the next line.
    Skipped,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Hooks {
    sieve: Sieve,
    token: Token,
    phase: Phase,
    began: Instant,
    /// That the hooks are not there, or not any more, has been told.
    told: bool,
    heard: Vec<Marker>,
    /// For the asset, before anything that the person types.
    answers: Vec<u8>,
    /// Not before this.
    answers_at: Option<Instant>,
    /// The person typed an interrupt since the shell began to read.
    interrupted: bool,
    /// The number of the question that was answered last.
    asked: String,
    sent: Sent,
    readings: Readings,
    /// Number and text of what was announced since the last prompt.
    last: Option<(String, String)>,
    /// It has said that it reads since it announced something.
    prompted: bool,
    patience: Duration,
}

impl Hooks {
    /// For a shell that is starting. `patience`: how long a question to the person waits.
    pub(super) fn new(token: Token, patience: Duration) -> Self {
        let now = Instant::now();
        Self {
            sieve: Sieve::new(token.clone()),
            token,
            phase: Phase::Starting,
            began: now,
            told: false,
            heard: Vec::new(),
            answers: Vec::new(),
            answers_at: None,
            interrupted: false,
            asked: String::new(),
            sent: Sent::default(),
            readings: Readings::new(now),
            last: None,
            prompted: false,
            patience,
        }
    }

    /// What of the output others are to see.
    pub(super) fn sift(&mut self, bytes: &[u8]) -> Vec<u8> {
        let (seen, markers) = self.sieve.feed(bytes);
        self.heard.extend(markers);
        seen
    }

    /// What was held back, when no more comes.
    pub(super) fn sift_end(&mut self) -> Vec<u8> {
        self.sieve.end()
    }

    /// What goes to the asset before anything else.
    pub(super) fn answers(&mut self, now: Instant, pass: &mut Vec<u8>) {
        if self.answers_at.is_none_or(|due| due <= now) {
            self.answers_at = None;
            pass.append(&mut self.answers);
        }
    }

    /// This goes to the asset.
    pub(super) fn sent(&mut self, bytes: &[u8]) {
        self.interrupted |= bytes.iter().any(|byte| INTERRUPTS.contains(byte));
        self.sent.add(bytes);
    }

    /// A hook reads the terminal: what the person types waits.
    pub(super) fn is_busy(&self) -> bool {
        matches!(
            self.phase,
            Phase::Greeted { .. } | Phase::Asking { .. } | Phase::Answered { .. }
        )
    }

    /// The person is asked something.
    pub(super) fn asks(&self) -> bool {
        matches!(self.phase, Phase::Asking { .. })
    }

    /// When [`Watch::tick_hooks`] has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let phase = match &self.phase {
            Phase::Starting => Some(self.began + STARTING),
            Phase::Greeted { until }
            | Phase::Answered { until, .. }
            | Phase::Skipping { until }
            | Phase::Asking { until, .. } => Some(*until),
            Phase::Reading | Phase::Running | Phase::Off => None,
        };
        phase
            .into_iter()
            .chain(self.readings.deadline())
            .chain(self.answers_at)
            .min()
    }

    fn reply(&mut self, now: Instant, nonce: &str, text: &str) {
        if std::mem::take(&mut self.interrupted) {
            self.answers_at = Some(now + INTERRUPTED);
        }
        for echo in echoed(nonce, text) {
            self.sieve.expect_echo(echo);
        }
        self.answers.extend(answer(nonce, text));
        nonce.clone_into(&mut self.asked);
    }

    /// A hook has taken its answer, and hands back what it read before. Whether it was asked, and can have read that.
    fn taken(&mut self, now: Instant, nonce: &str, eaten: &[u8]) -> bool {
        if nonce != self.asked {
            return true;
        }
        self.phase = match self.phase {
            Phase::Answered {
                denied: Denied::Skipped,
                ..
            } => Phase::Skipping {
                until: now + SKIPPED,
            },
            Phase::Answered { .. } | Phase::Greeted { .. } => Phase::Running,
            // Nobody was answered.
            _ => return true,
        };
        self.asked.clear();
        self.sieve.expect_no_echo();
        let known = self.sent.ends_with(eaten);
        if known {
            // It stands behind nothing else: what was typed since has waited.
            self.answers.extend_from_slice(eaten);
        }
        known
    }
}

impl Watch<'_> {
    /// What the engine read: kept, unless the shell itself says what it was.
    pub(super) fn row(&mut self, command: Command, record: &mut Record) -> Result<(), TapFailure> {
        let taken = self.hooks.as_mut().is_some_and(|hooks| {
            let reads = matches!(hooks.phase, Phase::Reading);
            hooks.readings.takes(&command, reads)
        });
        match taken {
            true => Ok(()),
            false => self.keep(command, record),
        }
    }

    /// Answers what the shell has said.
    pub(super) fn hear(&mut self, now: Instant, record: &mut Record) -> Result<(), TapFailure> {
        let Some(hooks) = &mut self.hooks else {
            return Ok(());
        };
        let heard = std::mem::take(&mut hooks.heard);
        if !heard.is_empty() {
            self.released_at = Some(now);
        }
        for marker in heard {
            self.hear_one(now, marker, record)?;
        }
        Ok(())
    }

    fn hear_one(
        &mut self,
        now: Instant,
        marker: Marker,
        record: &mut Record,
    ) -> Result<(), TapFailure> {
        let Some(hooks) = &mut self.hooks else {
            return Ok(());
        };
        match marker {
            Marker::Hello { nonce, .. } => {
                if matches!(hooks.phase, Phase::Starting) {
                    let token = hooks.token.reveal().to_owned();
                    hooks.reply(now, &nonce, &token);
                    let until = now + ANSWERED;
                    hooks.phase = Phase::Greeted { until };
                }
            }
            Marker::None { shell } => {
                if matches!(hooks.phase, Phase::Starting) {
                    hooks.phase = Phase::Off;
                    self.tell(&format!("there are no hooks for the shell {shell}"))?;
                }
            }
            Marker::Hooked { nonce, eaten } | Marker::Goes { nonce, eaten } => {
                if !hooks.taken(now, &nonce, &eaten) {
                    self.say(LOST);
                }
            }
            Marker::Prompt { hooked } => return self.prompt(now, hooked, record),
            Marker::Command {
                nonce,
                fresh,
                edited,
                number,
                line,
            } => {
                // What was denied ought to have been left out first.
                if matches!(hooks.phase, Phase::Skipping { .. }) {
                    return Err(TapFailure::Forbidden(NOT_SKIPPED.to_owned()));
                }
                let said = Said {
                    fresh,
                    edited,
                    number,
                    line,
                };
                return self.announced(now, nonce, said, record);
            }
            Marker::Stuck => return Err(TapFailure::Forbidden(STUCK.to_owned())),
        }
        Ok(())
    }

    /// The shell reads a line: what it has not announced was none of its commands.
    fn prompt(
        &mut self,
        now: Instant,
        hooked: bool,
        record: &mut Record,
    ) -> Result<(), TapFailure> {
        let Some(hooks) = &mut self.hooks else {
            return Ok(());
        };
        // Somebody ended the hook that had the answer no, and the command may have run.
        if let Phase::Answered { denied, .. } = hooks.phase
            && denied != Denied::No
        {
            return Err(TapFailure::Forbidden(NOT_SKIPPED.to_owned()));
        }
        // An interrupt ended the hook and its command: nobody waits for the answer.
        if hooks.answers_at.take().is_some() {
            hooks.answers.clear();
        }
        hooks.interrupted = false;
        hooks.last = None;
        hooks.prompted = true;
        hooks.phase = if hooked { Phase::Reading } else { Phase::Off };
        let rows = hooks.readings.prompted(now);
        for command in rows {
            self.keep(command, record)?;
        }
        if !hooked {
            self.tell("the shell announces its commands no more: its hook was taken away")?;
        }
        Ok(())
    }

    /// Does what is due.
    pub(super) fn tick_hooks(
        &mut self,
        now: Instant,
        record: &mut Record,
    ) -> Result<(), TapFailure> {
        let Some(hooks) = &mut self.hooks else {
            return Ok(());
        };
        let late = hooks.readings.late(now);
        let due = |until: &Instant| *until <= now;
        let mut tell = None;
        let mut refused = false;
        match &hooks.phase {
            Phase::Starting if hooks.began + STARTING <= now => {
                hooks.phase = Phase::Off;
                tell = Some("the shell has not said that its hooks are set up");
            }
            Phase::Greeted { until } if due(until) => {
                hooks.phase = Phase::Off;
                self.released_at = Some(now);
                tell = Some("the shell did not take its hooks");
            }
            Phase::Answered {
                until,
                denied: Denied::No,
            } if due(until) => {
                hooks.phase = Phase::Running;
                self.released_at = Some(now);
            }
            Phase::Answered { until, .. } | Phase::Skipping { until } if due(until) => {
                return Err(TapFailure::Forbidden(NOT_SKIPPED.to_owned()));
            }
            Phase::Asking { until, .. } => refused = due(until),
            _ => {}
        }
        for command in late {
            self.keep(command, record)?;
        }
        if refused {
            self.answered(now, false, record)?;
        }
        tell.map_or(Ok(()), |why| self.tell(why))
    }

    /// The session is over: what waits is kept.
    pub(super) fn end_hooks(&mut self, record: &mut Record) -> Result<(), TapFailure> {
        let Some(hooks) = &mut self.hooks else {
            return Ok(());
        };
        for command in hooks.readings.all() {
            self.keep(command, record)?;
        }
        Ok(())
    }

    /// Tells, once in a session, why commands are not announced.
    fn tell(&mut self, why: &str) -> Result<(), TapFailure> {
        let Some(hooks) = self.hooks.as_mut().filter(|hooks| !hooks.told) else {
            return Ok(());
        };
        hooks.told = true;
        match self.board.borrow_mut().add(Note::Unhooked(why.to_owned())) {
            true => Ok(()),
            false => Err(TapFailure::Capture(
                "too much waits for the store".to_owned(),
            )),
        }
    }
}
