//! The hooks of the asset's shell, within the tap: what they announce is judged and kept, and answered.
//!
//! The engine goes on beside them: it judges first, when the line is accepted, and its readings of lines of the shell give way
//! to what the shell itself says. Lines of other programs are the engine's.

use super::board::Note;
use super::judged::Judged;
use super::tap::Watch;
use crate::hooks::start::{self, answer, echoed};
use crate::hooks::{Marker, Sieve};
use crate::relay::TapFailure;
use crate::session::Record;
use capture::{Certainty, Command, Outcome, Verdict};
use jms::id::Token;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A shell that has not asked for its token by then is told of.
const STARTING: Duration = Duration::from_secs(30);
/// A hook that says nothing after an answer is not waited for any longer.
const ANSWERED: Duration = Duration::from_secs(10);
/// A line that a shell has taken is announced within this time, or never.
const ANNOUNCED: Duration = Duration::from_secs(2);
/// So many lines that may have been typed ahead are remembered.
const AHEAD: usize = 32;
/// So much of a line is kept, in bytes.
const LINE: usize = 64 * 1024;

const STUCK: &str = "a filter denies a line, and the shell, which handles interrupts itself, cannot be kept from running it";

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
        until: Instant,
        command: Command,
        judged: Judged,
    },
    /// It has been answered.
    Answered { until: Instant },
    /// It runs something.
    Running,
    /// It announces nothing.
    Off,
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
    /// The engine's readings of what the shell is about to announce.
    rows: Vec<(Instant, Command)>,
    /// Something was announced then of which the engine has said nothing yet.
    owed: Option<Instant>,
    /// Number and text of what was announced since the last prompt.
    last: Option<(String, String)>,
    /// Lines that were kept while another program ran: some were typed ahead, and the shell will announce them.
    ahead: VecDeque<String>,
    /// Since when it reads.
    reads_since: Instant,
    answer: Duration,
}

impl Hooks {
    /// For a shell that is starting. `answer`: how long a question to the person waits.
    pub(super) fn new(token: Token, answer: Duration) -> Self {
        Self {
            sieve: Sieve::new(token.clone()),
            token,
            phase: Phase::Starting,
            began: Instant::now(),
            told: false,
            heard: Vec::new(),
            answers: Vec::new(),
            rows: Vec::new(),
            owed: None,
            last: None,
            ahead: VecDeque::new(),
            reads_since: Instant::now(),
            answer,
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
    pub(super) fn answers(&mut self, pass: &mut Vec<u8>) {
        pass.append(&mut self.answers);
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
            Phase::Starting => (!self.told).then(|| self.began + STARTING),
            Phase::Greeted { until } | Phase::Answered { until } | Phase::Asking { until, .. } => {
                Some(*until)
            }
            Phase::Reading | Phase::Running | Phase::Off => None,
        };
        let rows = self.rows.first().map(|(since, _)| *since + ANNOUNCED);
        phase.into_iter().chain(rows).min()
    }

    fn reply(&mut self, nonce: &str, text: &str) {
        for echo in echoed(nonce, text) {
            self.sieve.expect_echo(echo);
        }
        self.answers.extend(answer(nonce, text));
    }

    /// Whether the engine's reading waits for what the shell says of the line.
    fn takes(&mut self, command: &Command) -> bool {
        if !matches!(command.outcome, Outcome::Passed | Outcome::Confirmed) {
            return false;
        }
        if self.owed.is_some_and(|announced| command.at <= announced) {
            self.owed = None;
            return true;
        }
        if matches!(self.phase, Phase::Reading) {
            self.rows.push((Instant::now(), command.clone()));
            return true;
        }
        self.ahead.push_back(command.line.trim().to_owned());
        if self.ahead.len() > AHEAD {
            self.ahead.pop_front();
        }
        false
    }

    /// Whether the line was typed before the shell began to read, and is kept already.
    fn kept_ahead(&mut self, command: &Command, row: Option<&Command>) -> bool {
        let fresh = row.is_some_and(|row| row.at >= self.reads_since);
        let place = self.ahead.iter().position(|line| *line == command.line);
        match place.filter(|_| !fresh) {
            Some(place) => {
                self.ahead.drain(..=place);
                true
            }
            None => false,
        }
    }
}

/// What a hook said of a command.
struct Said {
    fresh: bool,
    edited: bool,
    number: String,
    line: Option<String>,
}

impl Watch<'_> {
    /// What the engine read: kept, unless the shell itself says what it was.
    pub(super) fn row(&mut self, command: Command, record: &mut Record) -> Result<(), TapFailure> {
        let hooks = self.hooks.as_mut();
        match hooks.is_some_and(|hooks| hooks.takes(&command)) {
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
                    hooks.reply(&nonce, &token);
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
            Marker::Hooked { eaten } | Marker::Goes { eaten } => {
                hooks.sieve.expect_no_echo();
                hooks.answers.extend(eaten);
                hooks.phase = Phase::Running;
            }
            Marker::Prompt { hooked } => return self.prompt(now, hooked, record),
            Marker::Command {
                nonce,
                fresh,
                edited,
                number,
                line,
            } => {
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
        hooks.last = None;
        hooks.owed = None;
        hooks.reads_since = now;
        hooks.phase = if hooked { Phase::Reading } else { Phase::Off };
        let rows = std::mem::take(&mut hooks.rows);
        for (_, command) in rows {
            self.keep(command, record)?;
        }
        if !hooked {
            self.tell("the shell announces its commands no more: its hook was taken away")?;
        }
        Ok(())
    }

    fn announced(
        &mut self,
        now: Instant,
        nonce: String,
        said: Said,
        record: &mut Record,
    ) -> Result<(), TapFailure> {
        let Some(hooks) = &mut self.hooks else {
            return Ok(());
        };
        let rows: Vec<Command> = std::mem::take(&mut hooks.rows)
            .into_iter()
            .map(|(_, command)| command)
            .collect();
        if rows.is_empty() {
            hooks.owed = Some(now);
        }
        let said_before = said
            .line
            .as_ref()
            .map(|line| (said.number.clone(), line.clone()));
        // One paste of several commands is one entry of the history, announced once for each of them.
        let again =
            said.fresh && said.number != "0" && said_before.is_some() && hooks.last == said_before;
        hooks.last = said_before;
        let mut command = read(now, &said, rows.last());
        let again = again || hooks.kept_ahead(&command, rows.last());
        let judged = self.judge_announced(&command, &said, &rows);
        // What the engine has asked or told of the same line is not asked or told again.
        let known = rows.iter().any(|row| {
            let earlier = row.judged.and_then(|id| self.judged.get(&id));
            earlier.is_some_and(|earlier| earlier.sentence == judged.sentence)
        });
        let confirmed = known && rows.iter().any(|row| row.outcome == Outcome::Confirmed);
        let answer = self.board.borrow().rules().answer(&judged, false);
        let speaks = matches!(answer, Verdict::Deny(_) | Verdict::End(_))
            || matches!(answer, Verdict::Warn(_)) && !known && !again
            || matches!(answer, Verdict::Confirm { .. }) && !confirmed;
        if said.edited && speaks {
            self.show.extend(b"\r\n");
        }
        match answer {
            Verdict::Warn(text) if !known && !again => self.say(&text),
            Verdict::Allow | Verdict::Warn(_) => {}
            Verdict::Confirm { .. } if confirmed => command.outcome = Outcome::Confirmed,
            Verdict::Confirm { question, .. } => {
                self.show.extend(question.as_bytes());
                if let Some(hooks) = &mut self.hooks {
                    hooks.phase = Phase::Asking {
                        nonce,
                        until: now + hooks.answer,
                        command,
                        judged,
                    };
                }
                return Ok(());
            }
            Verdict::Deny(text) | Verdict::End(text) => {
                self.say(&text);
                command.outcome = Outcome::Denied;
            }
        }
        self.settle(now, &nonce, (command, judged), again, record)
    }

    fn judge_announced(&self, command: &Command, said: &Said, rows: &[Command]) -> Judged {
        let board = self.board.borrow();
        let rules = board.rules();
        if !rules.apply() {
            return Judged::nothing();
        }
        if command.cut {
            return rules.judge_cut();
        }
        let mut readings: Vec<String> = said.line.iter().cloned().collect();
        if !said.fresh || said.line.is_none() {
            readings.extend(rows.iter().map(|row| row.line.clone()));
        }
        match readings.is_empty() {
            true => rules.judge_disturbed(),
            false => rules.judge(&readings),
        }
    }

    /// Keeps a command and gives the shell its answer.
    fn settle(
        &mut self,
        now: Instant,
        nonce: &str,
        (command, judged): (Command, Judged),
        again: bool,
        record: &mut Record,
    ) -> Result<(), TapFailure> {
        let passes = matches!(command.outcome, Outcome::Passed | Outcome::Confirmed);
        if !again || !passes {
            self.keep_as(command, judged, record)?;
        }
        if let Some(hooks) = &mut self.hooks {
            hooks.reply(nonce, if passes { start::YES } else { start::NO });
            let until = now + ANSWERED;
            hooks.phase = Phase::Answered { until };
            self.released_at = Some(now);
        }
        Ok(())
    }

    /// The person's answer to a question.
    pub(super) fn answered(
        &mut self,
        now: Instant,
        yes: bool,
        record: &mut Record,
    ) -> Result<(), TapFailure> {
        let Some(hooks) = &mut self.hooks else {
            return Ok(());
        };
        let Phase::Asking {
            nonce,
            mut command,
            judged,
            ..
        } = std::mem::replace(&mut hooks.phase, Phase::Off)
        else {
            return Ok(());
        };
        command.outcome = if yes {
            Outcome::Confirmed
        } else {
            Outcome::Refused
        };
        self.show.extend(if yes {
            &b"y\r\n"[..]
        } else {
            b"\r\njms: not run\r\n"
        });
        self.settle(now, &nonce, (command, judged), false, record)
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
        let late: Vec<Command> = match hooks.rows.first() {
            Some((since, _)) if *since + ANNOUNCED <= now => std::mem::take(&mut hooks.rows)
                .into_iter()
                .map(|(_, command)| command)
                .collect(),
            _ => Vec::new(),
        };
        let due = |until: &Instant| *until <= now;
        let mut tell = None;
        let mut refused = false;
        match &hooks.phase {
            Phase::Starting if hooks.began + STARTING <= now => {
                tell = Some("the shell has not said that its hooks are set up");
            }
            Phase::Greeted { until } if due(until) => {
                hooks.phase = Phase::Off;
                self.released_at = Some(now);
                tell = Some("the shell did not take its hooks");
            }
            Phase::Answered { until } if due(until) => {
                hooks.phase = Phase::Running;
                self.released_at = Some(now);
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
        for (_, command) in std::mem::take(&mut hooks.rows) {
            self.keep(command, record)?;
        }
        Ok(())
    }

    fn say(&mut self, sentence: &str) {
        self.show.extend(sentence.as_bytes());
        self.show.extend(b"\r\n");
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

/// The command that the shell is about to run, as it says or, where it cannot say, as the engine read it.
fn read(now: Instant, said: &Said, row: Option<&Command>) -> Command {
    let same = |line: &str| row.is_some_and(|row| row.line.trim() == line.trim());
    let (line, certainty) = match (&said.line, row) {
        (Some(line), _) if said.fresh || same(line) => (line.clone(), Certainty::Exact),
        (_, Some(row)) => (row.line.clone(), row.certainty),
        (Some(line), None) => (line.clone(), Certainty::Likely),
        (None, None) => (String::new(), Certainty::Raw),
    };
    let mut line = line.trim().to_owned();
    let cut = line.len() > LINE;
    if cut {
        let end = (0..=LINE)
            .rev()
            .find(|at| line.is_char_boundary(*at))
            .unwrap_or(0);
        line.truncate(end);
    }
    Command {
        at: row.map_or(now, |row| row.at),
        hidden: line.is_empty(),
        line,
        certainty,
        cut,
        outcome: Outcome::Passed,
        judged: None,
    }
}
