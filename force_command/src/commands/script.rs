//! The tap of a session whose standard input is a script: each line of it, with what belongs to it, is held until the filters
//! have said yes. Behind one that they deny nothing is sent any more; what came before it runs to its end.
//!
//! Where no filter applies, nothing is looked at.

use super::board::{Board, Line, Note};
use super::judged::Judged;
use super::room::Room;
use super::rules::{Before, OfScript};
use crate::relay::{Stream, Tap, TapFailure};
use crate::session::Record;
use crate::sys::Window;
use capture::Certainty;
use filter::{Language, Piece, Reads, Script, Verdict};
use jms::store::LONGEST_LINE;
use jms::time::Time;
use std::cell::RefCell;
use std::time::{Duration, Instant};

/// So long the script is judged before others get their turn.
const TURN: Duration = Duration::from_millis(5);
/// So many lines wait for the store at most; then the script waits.
const WAITING: usize = 256;
/// How long it waits until it looks again.
const AGAIN: Duration = Duration::from_millis(10);
/// When it was looked for the end of what belongs together and there was none, more of it waits so many times as long as that
/// took: whoever sends it in crumbs does not keep the bastion busy.
const PATIENCE: u32 = 4;

/// See the module.
pub struct Gated<'a> {
    record: &'a mut Record,
    board: &'a RefCell<Board>,
    language: Language,
    script: Script,
    before: Before,
    /// No more comes.
    ended: bool,
    /// When what is held is looked at again, if it could not be all.
    again: Option<Instant>,
    denied: Option<String>,
    /// What was let through and is not kept yet.
    passed: Option<(Judged, String)>,
    /// For what is let through.
    room: Room,
}

impl<'a> Gated<'a> {
    /// For a script that `reads` says who reads. `most`: so many bytes are kept of what is let through.
    pub fn new(record: &'a mut Record, board: &'a RefCell<Board>, reads: Reads, most: u64) -> Self {
        let language = match reads {
            Reads::Shell => Language::Shell,
            Reads::Interpreter => Language::Text,
        };
        Self {
            record,
            board,
            language,
            script: Script::new(language),
            before: Before::default(),
            ended: false,
            again: None,
            denied: None,
            passed: None,
            room: Room::new(most),
        }
    }

    /// The session is over: what was not kept is counted.
    ///
    /// # Errors
    /// [`TapFailure`] for what could not be kept.
    pub fn ended(&mut self) -> Result<(), TapFailure> {
        self.keep_passed(Instant::now())?;
        self.keep_more()
    }

    /// What the person is told, if a line was denied.
    #[must_use]
    pub fn denied(&self) -> Option<&str> {
        self.denied.as_deref()
    }

    /// Judges what is held, as far as there is time and room.
    fn work(&mut self, now: Instant, pass: &mut Vec<u8>) -> Result<(), TapFailure> {
        let until = now + TURN;
        self.again = None;
        while self.denied.is_none() {
            if !self.board.borrow().rules().apply() {
                pass.append(&mut self.script.take_all());
                break;
            }
            if self.board.borrow().waiting() >= WAITING {
                self.again = Some(now + AGAIN);
                break;
            }
            if Instant::now() >= until {
                self.again = Some(now);
                break;
            }
            let looked = Instant::now();
            let piece = match self.script.next_piece() {
                None if self.ended => self.script.finish(),
                piece => piece,
            };
            match piece {
                Some(piece) => self.judge(now, piece, pass)?,
                None => {
                    self.again = pause(looked.elapsed()).map(|pause| now + pause);
                    break;
                }
            }
        }
        self.keep_passed(now)
    }

    fn judge(&mut self, now: Instant, piece: Piece, pass: &mut Vec<u8>) -> Result<(), TapFailure> {
        let OfScript { judged, then } =
            self.board
                .borrow()
                .rules()
                .judge_script(&piece, self.language, self.before);
        self.before = then;
        match judged.verdict {
            Verdict::Allow => {
                pass.extend(piece.bytes);
                self.remember(now, judged, &piece.text)
            }
            Verdict::Warn => {
                pass.extend(piece.bytes);
                self.keep_passed(now)?;
                self.keep(now, judged, piece.text, true)
            }
            Verdict::Confirm | Verdict::Deny => {
                let sentence = match judged.verdict {
                    Verdict::Confirm => {
                        format!("{}; a script has nobody who could say yes", judged.sentence)
                    }
                    _ => judged.sentence.clone(),
                };
                self.denied = Some(sentence);
                self.script = Script::new(self.language);
                self.keep_passed(now)?;
                self.keep_more()?;
                self.keep(now, judged, piece.text, false)
            }
        }
    }

    /// Lines of which the same was said are kept together: a script can have many.
    fn remember(&mut self, now: Instant, judged: Judged, text: &str) -> Result<(), TapFailure> {
        if text.trim().is_empty() {
            return Ok(());
        }
        let fits = self.passed.as_ref().is_some_and(|(known, kept)| {
            (&known.filter, &known.rule) == (&judged.filter, &judged.rule)
                && kept.len() + text.len() <= LONGEST_LINE
        });
        if !fits {
            self.keep_passed(now)?;
        }
        let (_, kept) = self.passed.get_or_insert((judged, String::new()));
        kept.push_str(text);
        Ok(())
    }

    fn keep_passed(&mut self, now: Instant) -> Result<(), TapFailure> {
        match self.passed.take() {
            Some((judged, text)) if self.room.takes(text.len(), now) => {
                self.keep(now, judged, text, true)
            }
            _ => Ok(()),
        }
    }

    /// One row for all that there was no room for.
    fn keep_more(&mut self) -> Result<(), TapFailure> {
        let Some((bytes, since)) = self.room.take_more() else {
            return Ok(());
        };
        let text = format!("({bytes} bytes more of the script, allowed and not kept)");
        self.keep(since, Judged::nothing(), text, true)
    }

    fn keep(
        &mut self,
        now: Instant,
        judged: Judged,
        text: String,
        accepted: bool,
    ) -> Result<(), TapFailure> {
        let text = text.trim_end_matches('\n').to_owned();
        let age = i64::try_from(now.elapsed().as_millis()).unwrap_or(0);
        let line = Line {
            at: Time::now().plus(age.saturating_neg()),
            recorded_at: self.record.since_start(now),
            text,
            cut: false,
            certainty: Certainty::Exact,
            accepted,
            judged,
        };
        self.record.mark_at(now, &line.marker())?;
        match self.board.borrow_mut().add(Note::Line(line)) {
            true => Ok(()),
            false => Err(TapFailure::Capture(
                "too many commands wait for the store".to_owned(),
            )),
        }
    }
}

/// How long more of a script waits, if looking at what there is came to nothing and took so long.
fn pause(looked: Duration) -> Option<Duration> {
    let long = looked > Duration::from_micros(200);
    long.then(|| (looked * PATIENCE).min(AGAIN))
}

impl Tap for Gated<'_> {
    fn output(&mut self, at: Instant, stream: Stream, bytes: &[u8]) -> Result<(), TapFailure> {
        self.record.output(at, stream, bytes)
    }

    fn watches_input(&self) -> bool {
        true
    }

    fn input(&mut self, at: Instant, bytes: &[u8], pass: &mut Vec<u8>) -> Result<(), TapFailure> {
        if self.denied.is_some() {
            return Ok(());
        }
        if self.script.is_empty() && !self.board.borrow().rules().apply() {
            pass.extend_from_slice(bytes);
            return Ok(());
        }
        self.script.push(bytes);
        self.work(at, pass)
    }

    fn input_ended(&mut self, at: Instant, pass: &mut Vec<u8>) -> Result<(), TapFailure> {
        self.ended = true;
        self.work(at, pass)
    }

    fn takes_input(&self) -> bool {
        self.again.is_none() && self.denied.is_none()
    }

    fn holds_input(&self) -> bool {
        self.again.is_some()
    }

    fn closes_input(&self) -> bool {
        self.denied.is_some()
    }

    fn resize(&mut self, at: Instant, window: Window) -> Result<(), TapFailure> {
        self.record.resize(at, window)
    }

    fn next_deadline(&self) -> Option<Instant> {
        let record = self.record.next_deadline();
        record.into_iter().chain(self.again).min()
    }

    fn tick(&mut self, at: Instant, pass: &mut Vec<u8>) -> Result<(), TapFailure> {
        self.record.tick(at, pass)?;
        match self.again {
            Some(again) if again <= at => self.work(at, pass),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
#[path = "script_tests.rs"]
mod tests;
