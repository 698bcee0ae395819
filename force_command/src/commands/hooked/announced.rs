//! A command that the shell is about to run, as it says: judged, kept, answered.

use super::{ANSWERED, Denied, Phase};
use crate::commands::judged::Judged;
use crate::commands::tap::Watch;
use crate::hooks::start;
use crate::relay::TapFailure;
use crate::session::Record;
use capture::{Certainty, Command, Outcome, Verdict};
use std::time::Instant;

/// So much of a line is kept, in bytes.
const LINE: usize = 64 * 1024;

/// What a hook said of a command.
pub(super) struct Said {
    /// The text is surely that of this command: the shell's history has it.
    pub(super) fresh: bool,
    /// It stands in the line editor still.
    pub(super) edited: bool,
    /// Its number in the history.
    pub(super) number: String,
    /// The text; none: something disturbed it.
    pub(super) line: Option<String>,
}

impl Watch<'_> {
    pub(super) fn announced(
        &mut self,
        now: Instant,
        nonce: String,
        said: Said,
        record: &mut Record,
    ) -> Result<(), TapFailure> {
        let Some(hooks) = &mut self.hooks else {
            return Ok(());
        };
        let rows = match (&said.line, said.fresh) {
            (Some(line), true) => hooks.readings.announced(line),
            _ => hooks.readings.oldest().into_iter().collect(),
        };
        let contradicted = rows.is_empty() && hooks.readings.unexplained();
        let entry = said
            .line
            .as_ref()
            .map(|line| (said.number.clone(), line.clone()));
        // One paste of several commands is one entry of the history, announced once for each of them.
        let again = said.fresh && said.number != "0" && entry.is_some() && hooks.last == entry;
        hooks.last = entry;
        let mut command = read(now, &said, rows.first());
        if contradicted {
            command.certainty = command.certainty.min(Certainty::Likely);
        }
        let again = again || hooks.readings.kept_ahead(&command.line, rows.first());
        if !again {
            hooks.readings.said(now, &command.line);
        }
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
                        until: now + hooks.patience,
                        edited: said.edited,
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
        let outcome = command.outcome;
        if !again || outcome == Outcome::Denied {
            self.keep_as(command, judged, record)?;
        }
        self.reply_to(now, &nonce, outcome, said.edited);
        Ok(())
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
        // What is not in the history stands there only as what ran before it.
        let known = rows.iter().any(|row| row.certainty != Certainty::Raw);
        let stale = !said.fresh && known;
        let mut readings: Vec<String> = said.line.iter().filter(|_| !stale).cloned().collect();
        if !said.fresh || said.line.is_none() {
            readings.extend(rows.iter().map(|row| row.line.clone()));
        }
        match readings.is_empty() {
            true => rules.judge_disturbed(),
            false => rules.judge(&readings),
        }
    }

    /// Gives the shell its answer.
    fn reply_to(&mut self, now: Instant, nonce: &str, outcome: Outcome, edited: bool) {
        let Some(hooks) = &mut self.hooks else {
            return;
        };
        let passes = matches!(outcome, Outcome::Passed | Outcome::Confirmed);
        hooks.reply(now, nonce, if passes { start::YES } else { start::NO });
        let denied = match (passes, edited || !hooks.prompted) {
            (true, _) => Denied::No,
            (false, true) => Denied::Taken,
            (false, false) => Denied::Skipped,
        };
        hooks.phase = Phase::Answered {
            until: now + ANSWERED,
            denied,
        };
        // A line that stands in the editor was not taken: the shell reads on.
        hooks.prompted &= edited;
        self.released_at = Some(now);
    }

    /// The person's answer to a question.
    pub(in crate::commands) fn answered(
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
            edited,
            mut command,
            judged,
            ..
        } = std::mem::replace(&mut hooks.phase, Phase::Off)
        else {
            return Ok(());
        };
        let (outcome, text) = match yes {
            true => (Outcome::Confirmed, &b"y\r\n"[..]),
            false => (Outcome::Refused, &b"\r\njms: not run\r\n"[..]),
        };
        command.outcome = outcome;
        self.show.extend(text);
        self.keep_as(command, judged, record)?;
        self.reply_to(now, &nonce, outcome, edited);
        Ok(())
    }

    pub(super) fn say(&mut self, sentence: &str) {
        self.show.extend(sentence.as_bytes());
        self.show.extend(b"\r\n");
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
        cut: cut || row.is_some_and(|row| row.cut),
        outcome: Outcome::Passed,
        judged: None,
    }
}
