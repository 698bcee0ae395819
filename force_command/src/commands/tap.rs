//! The taps of one session: the recording first, whatever the engine makes of it; then the engine.

use super::board::{Board, LONGEST, Line, Note};
use super::engine::{Broken, Engine};
use super::hooked::Hooks;
use super::judged::Judged;
use super::pace::Pace;
use crate::relay::{Stream, Tap, TapFailure};
use crate::session::Record;
use crate::sys::Window;
use capture::{Action, Certainty, Command, EndReason, JudgementId, Outcome, Size, Verdict};
use jms::id::Token;
use jms::time::Time;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// When so many judgements wait for their line, those that no line waits for any more go.
const JUDGEMENTS: usize = 64;
/// While so many bytes are held, the person waits: a long paste is judged line by line. A terminal gives 4 KiB at a time, and
/// what is not read is not seen: neither is an interrupt behind it.
const HELD: usize = 192 * 1024;
/// While so many lines wait for the store, no more are taken.
const UNWRITTEN: usize = 1024;

/// What settings say of a terminal.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long an accepting key is held at most.
    pub hold: Duration,
    /// How long a question waits.
    pub answer: Duration,
    /// So many allowed lines are kept one by one, at once and each hour.
    pub lines_per_hour: u32,
}

/// See the module. Without an engine it is the recording alone.
pub struct Watched<'a> {
    record: &'a mut Record,
    watch: Option<Watch<'a>>,
}

pub(super) struct Watch<'a> {
    pub(super) board: &'a RefCell<Board>,
    engine: Engine,
    /// The change of rules that the engine knows of.
    known: u64,
    pub(super) judged: BTreeMap<JudgementId, Judged>,
    /// The hooks of the asset's shell.
    pub(super) hooks: Option<Hooks>,
    pace: Pace,
    /// What the rules ended the session with.
    ended: Option<String>,
    /// For the asset.
    send: Vec<u8>,
    /// Since when.
    pub(super) released_at: Option<Instant>,
    /// For the person.
    pub(super) show: Vec<u8>,
}

impl<'a> Watched<'a> {
    /// The recording alone.
    pub fn recorded(record: &'a mut Record) -> Self {
        Self {
            record,
            watch: None,
        }
    }

    /// The recording, and a terminal of this size that is watched.
    pub fn terminal(
        record: &'a mut Record,
        board: &'a RefCell<Board>,
        window: Option<Window>,
        limits: Limits,
    ) -> Self {
        let settings = capture::Settings {
            enforcing: board.borrow().rules().apply(),
            hold: limits.hold,
            answer: limits.answer,
        };
        let watch = Watch {
            engine: Engine::new(size(window), settings),
            known: board.borrow().changes(),
            board,
            judged: BTreeMap::new(),
            hooks: None,
            pace: Pace::new(limits.lines_per_hour),
            ended: None,
            send: Vec::new(),
            released_at: None,
            show: Vec::new(),
        };
        Self {
            record,
            watch: Some(watch),
        }
    }

    /// The asset's shell is started with hooks that know this token. `answer`: how long a question waits.
    #[must_use]
    pub fn hooked(mut self, token: Token, answer: Duration) -> Self {
        if let Some(watch) = &mut self.watch {
            watch.hooks = Some(Hooks::new(token, answer));
        }
        self
    }

    /// The session is over: the last line is kept.
    ///
    /// # Errors
    /// [`TapFailure`] for what could not be kept.
    pub fn ended(&mut self) -> Result<(), TapFailure> {
        let now = Instant::now();
        self.with(now, |engine| engine.ended(now))?;
        match &mut self.watch {
            Some(watch) => {
                watch.end_hooks(self.record)?;
                watch.keep_counted(self.record)
            }
            None => Ok(()),
        }
    }

    /// Has the engine do something, and does what it wants done.
    fn with(
        &mut self,
        now: Instant,
        work: impl FnOnce(&mut Engine) -> Result<(), Broken>,
    ) -> Result<(), TapFailure> {
        let Some(watch) = &mut self.watch else {
            return Ok(());
        };
        if !watch.engine.works() {
            return watch.broken();
        }
        let done = watch
            .follow_rules()
            .and_then(|()| work(&mut watch.engine))
            .map_err(|Broken| None)
            .and_then(|()| watch.obey(now, self.record).map_err(Some));
        match done {
            Ok(()) => Ok(()),
            Err(Some(failure)) => Err(failure),
            Err(None) => {
                let _ = watch.board.borrow_mut().add(Note::Broken);
                watch.broken()
            }
        }
    }
}

fn before_now(at: Instant) -> Time {
    let age = i64::try_from(at.elapsed().as_millis()).unwrap_or(0);
    Time::now().plus(age.saturating_neg())
}

fn size(window: Option<Window>) -> Size {
    window.map_or(
        Size {
            rows: 0,
            columns: 0,
        },
        |window| Size {
            rows: window.rows,
            columns: window.columns,
        },
    )
}

impl Watch<'_> {
    /// Where rules apply, nothing goes on unwatched.
    fn broken(&self) -> Result<(), TapFailure> {
        if self.board.borrow().rules().apply() {
            return Err(TapFailure::Capture(
                "the capture of commands broke, and filters apply".to_owned(),
            ));
        }
        Ok(())
    }

    fn release(&mut self, now: Instant, pass: &mut Vec<u8>) {
        self.released_at = None;
        if let Some(hooks) = &mut self.hooks {
            hooks.answers(now, pass);
            if hooks.is_busy() {
                return;
            }
            hooks.sent(&self.send);
        }
        pass.append(&mut self.send);
    }

    fn follow_rules(&mut self) -> Result<(), Broken> {
        let board = self.board.borrow();
        if board.changes() != self.known {
            self.known = board.changes();
            self.engine.enforce(board.rules().apply())?;
        }
        Ok(())
    }

    fn obey(&mut self, now: Instant, record: &mut Record) -> Result<(), TapFailure> {
        loop {
            let action = match self.engine.next_action() {
                Ok(Some(action)) => action,
                Ok(None) => return Ok(()),
                Err(Broken) => {
                    let _ = self.board.borrow_mut().add(Note::Broken);
                    return self.broken();
                }
            };
            match action {
                Action::Send(bytes) => {
                    self.send.extend(bytes);
                    self.released_at.get_or_insert(now);
                }
                Action::Show(bytes) => self.show.extend(bytes),
                Action::Judge {
                    id,
                    candidates,
                    hidden,
                    silent,
                    cut,
                } => {
                    let answer = self.judge(id, &candidates, hidden, silent, cut);
                    if self.engine.verdict(now, id, answer).is_err() {
                        let _ = self.board.borrow_mut().add(Note::Broken);
                        return self.broken();
                    }
                }
                Action::Command(command) => self.row(command, record)?,
                Action::Hidden { at } => record.mark_at(at, "hidden input")?,
                Action::End(reason) => return Err(TapFailure::Forbidden(self.because(reason))),
            }
        }
    }

    fn judge(
        &mut self,
        id: JudgementId,
        candidates: &[String],
        hidden: bool,
        silent: bool,
        cut: bool,
    ) -> Verdict {
        let board = self.board.borrow();
        let rules = board.rules();
        let mut judged = match (cut, silent) {
            (true, _) => rules.judge_cut(),
            (_, true) => rules.judge_silent(candidates),
            _ => rules.judge(candidates),
        };
        if hidden && rules.judge_hidden().verdict > judged.verdict {
            judged = rules.judge_hidden();
        }
        let answer = rules.answer(&judged, hidden);
        if let Verdict::End(sentence) = &answer {
            self.ended = Some(sentence.clone());
        }
        // What no line that has still to be kept was given: passwords, keys of full-screen programs.
        if self.judged.len() >= JUDGEMENTS {
            let oldest = self.engine.oldest_judgement().unwrap_or(id);
            self.judged = self.judged.split_off(&oldest);
        }
        self.judged.insert(id, judged);
        answer
    }

    pub(super) fn keep(&mut self, command: Command, record: &mut Record) -> Result<(), TapFailure> {
        let judged = command.judged.and_then(|id| self.judged.remove(&id));
        self.keep_as(command, judged.unwrap_or_else(Judged::nothing), record)
    }

    pub(super) fn keep_as(
        &mut self,
        command: Command,
        judged: Judged,
        record: &mut Record,
    ) -> Result<(), TapFailure> {
        let accepted = matches!(command.outcome, Outcome::Passed | Outcome::Confirmed);
        let ordinary = accepted && judged.verdict == filter::Verdict::Allow && !command.hidden;
        if ordinary && !self.pace.takes(command.at, &command.line) {
            return self.count(command.at, record);
        }
        let line = Line {
            at: before_now(command.at),
            recorded_at: record.since_start(command.at),
            text: command.line,
            cut: command.cut,
            certainty: command.certainty,
            accepted,
            judged,
        };
        let label = match command.hidden {
            true => "hidden input".to_owned(),
            false => line.marker(),
        };
        record.mark_at(command.at, &label)?;
        let note = match command.hidden {
            true => Note::Hidden(Line {
                text: String::new(),
                ..line
            }),
            false => Note::Line(line),
        };
        self.add(note)
    }

    fn add(&self, note: Note) -> Result<(), TapFailure> {
        if self.board.borrow_mut().add(note) {
            return Ok(());
        }
        Err(TapFailure::Capture(format!(
            "more than {LONGEST} commands wait for the store"
        )))
    }

    /// A line is one of too many.
    fn count(&self, at: Instant, record: &mut Record) -> Result<(), TapFailure> {
        if !self.pace.begins() {
            return Ok(());
        }
        record.mark_at(at, "command: (more lines than are kept one by one)")?;
        self.add(Note::TooMany)
    }

    /// One row for all lines that were too many.
    fn keep_counted(&mut self, record: &Record) -> Result<(), TapFailure> {
        let Some((lines, since)) = self.pace.take_more() else {
            return Ok(());
        };
        let word = if lines == 1 { "line" } else { "lines" };
        self.add(Note::Line(Line {
            at: before_now(since),
            recorded_at: record.since_start(since),
            text: format!("({lines} {word} more, allowed and not kept one by one)"),
            cut: false,
            certainty: Certainty::Raw,
            accepted: true,
            judged: Judged::nothing(),
        }))
    }

    fn because(&mut self, reason: EndReason) -> String {
        match reason {
            EndReason::NotCleared => {
                "a line that a filter denies could not be removed from where it was typed"
                    .to_owned()
            }
            EndReason::TypeAhead => {
                "more was typed ahead than can be held until it is checked".to_owned()
            }
            EndReason::Verdict => self
                .ended
                .take()
                .unwrap_or_else(|| "a filter forbids that it goes on".to_owned()),
        }
    }
}

impl Tap for Watched<'_> {
    fn sift(&mut self, _: Instant, stream: Stream, bytes: &[u8]) -> Option<Vec<u8>> {
        let hooks = self.watch.as_mut()?.hooks.as_mut()?;
        (stream == Stream::Output).then(|| hooks.sift(bytes))
    }

    fn sift_end(&mut self, stream: Stream) -> Vec<u8> {
        let hooks = self.watch.as_mut().and_then(|watch| watch.hooks.as_mut());
        hooks
            .filter(|_| stream == Stream::Output)
            .map_or_else(Vec::new, Hooks::sift_end)
    }

    fn hear(&mut self, at: Instant) -> Result<(), TapFailure> {
        match &mut self.watch {
            Some(watch) => watch.hear(at, self.record),
            None => Ok(()),
        }
    }

    fn output(&mut self, at: Instant, stream: Stream, bytes: &[u8]) -> Result<(), TapFailure> {
        self.record.output(at, stream, bytes)?;
        self.with(at, |engine| engine.printed(at, bytes))
    }

    fn watches_input(&self) -> bool {
        self.watch.is_some()
    }

    fn takes_input(&self) -> bool {
        let watch = self.watch.as_ref();
        watch.is_none_or(|watch| {
            watch.engine.held() < HELD && watch.board.borrow().waiting() < UNWRITTEN
        })
    }

    fn input(&mut self, at: Instant, bytes: &[u8], pass: &mut Vec<u8>) -> Result<(), TapFailure> {
        let worked = self
            .watch
            .as_ref()
            .is_some_and(|watch| watch.engine.works());
        let mut bytes = bytes;
        if let Some(watch) = &mut self.watch
            && watch.hooks.as_ref().is_some_and(Hooks::asks)
            && let Some((first, rest)) = bytes.split_first()
        {
            watch.answered(at, matches!(first, b'y' | b'Y'), self.record)?;
            bytes = rest;
        }
        self.with(at, |engine| engine.typed(at, bytes))?;
        if let Some(watch) = &mut self.watch {
            if worked && watch.engine.works() {
                watch.release(at, pass);
                return Ok(());
            }
            // No rules apply, or this session had ended: nothing is held back.
            watch.release(at, pass);
        }
        pass.extend_from_slice(bytes);
        Ok(())
    }

    fn shows(&mut self, at: Instant) -> Result<Vec<u8>, TapFailure> {
        let Some(watch) = &mut self.watch else {
            return Ok(Vec::new());
        };
        let shown = std::mem::take(&mut watch.show);
        if !shown.is_empty() {
            self.record.output(at, Stream::Output, &shown)?;
        }
        Ok(shown)
    }

    fn resize(&mut self, at: Instant, window: Window) -> Result<(), TapFailure> {
        self.record.resize(at, window)?;
        self.with(at, |engine| engine.resized(at, size(Some(window))))
    }

    fn next_deadline(&self) -> Option<Instant> {
        let watch = self.watch.as_ref();
        // What an echo has released goes on at once; so do other rules.
        let released = watch.and_then(|watch| watch.released_at);
        let changed = watch.and_then(|watch| {
            let board = watch.board.borrow();
            (board.changes() != watch.known).then(|| board.changed_at())
        });
        let engine = watch.and_then(|watch| watch.engine.deadline());
        let hooks = watch.and_then(|watch| watch.hooks.as_ref()?.deadline());
        let counted = watch.and_then(|watch| watch.pace.due());
        [
            self.record.next_deadline(),
            released,
            changed,
            engine,
            hooks,
            counted,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn tick(&mut self, at: Instant, pass: &mut Vec<u8>) -> Result<(), TapFailure> {
        self.record.tick(at, pass)?;
        self.with(at, |engine| match engine.deadline() {
            Some(due) if due <= at => engine.tick(at),
            _ => Ok(()),
        })?;
        if let Some(watch) = &mut self.watch {
            watch.tick_hooks(at, self.record)?;
            if watch.pace.due().is_some_and(|due| due <= at) {
                watch.keep_counted(self.record)?;
            }
            watch.release(at, pass);
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "tap_tests.rs"]
mod tests;
