//! The engine: owns the rooms and the order of things.
use crate::accept::{Accept, Ahead};
use crate::action::{Action, Command, EndReason, JudgementId, Settings, Size};
use crate::echo::{Echo, Echoed};
use crate::gate::Gate;
use crate::hold::Hold;
use crate::keys::{Key, Keys};
use crate::line::Anchor;
use crate::pause::Pause;
use crate::program::Program;
use crate::prompt::Prompts;
use crate::replies::Replies;
use crate::screen::{Event, Place, Screen};
use crate::typed::{Explained, Typed};
use crate::unread::Unread;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Output that is this old has come to rest.
pub(crate) const REST: Duration = Duration::from_millis(30);
/// What is held of the user's typing at most.
pub(crate) const HELD_LIMIT: usize = 256 * 1024;
/// Accepted lines that wait for their confirmation at most.
pub(crate) const WAITING_LIMIT: usize = 2048;
/// Only so many of the first of them are looked for on the screen.
pub(crate) const LOOKED_FOR: usize = 64;
/// A line that nothing has confirmed after this many rows of output is not confirmed by rows any more.
pub(crate) const FEEDS: u32 = 50;
/// Output that comes in pieces of this size answers no key.
pub(crate) const FLOOD: usize = 4096;
/// Output that comes in pieces of this size, while no key waits for its answer, is looked at when somebody has to know what it
/// left behind.
const BULK: usize = 512;
/// Characters of them at most.
pub(crate) const WAITING_CHARACTERS: usize = 48 * 1024;

/// Command capture of one terminal session. See the head of the crate.
#[derive(Debug)]
pub struct Capture {
    pub(crate) settings: Settings,
    pub(crate) screen: Screen,
    pub(crate) actions: VecDeque<Action>,
    pub(crate) keys: Keys,
    pub(crate) typed: Typed,
    pub(crate) anchor: Option<Anchor>,
    pub(crate) prompts: Prompts,
    pub(crate) echo: Echo,
    pub(crate) program: Program,
    pub(crate) waiting: VecDeque<Accept>,
    pub(crate) unread: Option<Unread>,
    pub(crate) ahead: Ahead,
    /// See `doubtful`.
    pub(crate) doubtful: VecDeque<Command>,
    /// See `claimed`.
    pub(crate) claimed: VecDeque<Command>,
    pub(crate) held: VecDeque<u8>,
    pub(crate) hold: Hold,
    pub(crate) judgements: u64,
    /// Counts the times that a line editor began to read.
    pub(crate) epoch: u64,
    pub(crate) abandoned: bool,
    pub(crate) disturbed: bool,
    pub(crate) last_output: Option<Instant>,
    pub(crate) last_key: Option<Instant>,
    pub(crate) gate: Option<Gate>,
    pub(crate) replies: Replies,
    /// A line whose history designators the shell is about to print expanded.
    pub(crate) expanding: Option<Command>,
    pub(crate) expected_line: u64,
    pub(crate) history: VecDeque<String>,
    pub(crate) dropping_paste: bool,
    /// Where the line editor began to read.
    pub(crate) began: Place,
    /// On the alternate screen.
    pub(crate) began_alternate: bool,
    /// A key was typed that interrupts programs, and nothing has shown yet that it did.
    pub(crate) signalled: bool,
    /// The line editor has stopped in the midst of a line.
    pub(crate) paused: Option<Pause>,
    /// When `ESC` was typed last.
    pub(crate) escape_at: Option<Instant>,
    /// The line whose accepting key is held was not seen.
    pub(crate) unknown: bool,
    /// What looks like an answer of the terminal has come since the line editor began.
    pub(crate) answers: bool,
    pub(crate) edited: Edited,
    pub(crate) recent: [Option<Key>; 2],
}

/// A line that is being written in an editor of files, which the shell then prints and runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edited {
    No,
    Outside,
    Back,
}

impl Capture {
    /// A session whose terminal has this size.
    pub fn new(size: Size, settings: Settings) -> Self {
        Capture {
            settings,
            screen: Screen::new(size.rows, size.columns),
            actions: VecDeque::new(),
            keys: Keys::new(),
            typed: Typed::default(),
            anchor: None,
            prompts: Prompts::default(),
            echo: Echo::default(),
            program: Program::default(),
            waiting: VecDeque::new(),
            unread: None,
            ahead: Ahead::default(),
            doubtful: VecDeque::new(),
            claimed: VecDeque::new(),
            held: VecDeque::new(),
            hold: Hold::Free,
            judgements: 0,
            epoch: 0,
            abandoned: false,
            disturbed: false,
            last_output: None,
            last_key: None,
            gate: None,
            replies: Replies::default(),
            expanding: None,
            expected_line: 0,
            history: VecDeque::new(),
            dropping_paste: false,
            began: Place { line: 0, column: 0 },
            began_alternate: false,
            signalled: false,
            paused: None,
            escape_at: None,
            unknown: false,
            answers: false,
            edited: Edited::No,
            recent: [None; 2],
        }
    }

    /// Rules were attached or taken away. What is held is let go with the next tick.
    pub fn enforce(&mut self, enforcing: bool) {
        self.settings.enforcing = enforcing;
    }

    /// How many of the user's bytes are held. An owner that can make the user wait reads no more of them while this is large.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// The oldest judgement that a line which has still to be logged was given: what was said before is asked for no more.
    pub fn oldest_judgement(&self) -> Option<JudgementId> {
        let waiting = self.waiting.iter().filter_map(|accept| accept.judged);
        let expanding = self.expanding.iter().filter_map(|command| command.judged);
        let logged = self.actions.iter().filter_map(|action| match action {
            Action::Command(command) => command.judged,
            _ => None,
        });
        waiting
            .chain(expanding)
            .chain(self.doubtful.iter().filter_map(|command| command.judged))
            .chain(self.claimed.iter().filter_map(|command| command.judged))
            .chain(logged)
            .chain(self.hold.judgement())
            .min()
    }

    /// About how many bytes of memory this session's capture holds.
    pub fn footprint(&self) -> usize {
        size_of::<Self>()
            + self.screen.footprint()
            + self.held.capacity()
            + self.history.iter().map(String::capacity).sum::<usize>()
            + self.typed.footprint()
            + self
                .doubtful
                .iter()
                .chain(&self.claimed)
                .map(|c| c.line.capacity())
                .sum::<usize>()
            + self
                .waiting
                .iter()
                .map(|a| a.typed.footprint())
                .sum::<usize>()
            + self.waiting.capacity() * size_of::<Accept>()
    }

    /// The user typed these bytes. They reach the asset by [`Action::Send`] only.
    pub fn typed(&mut self, now: Instant, bytes: &[u8]) {
        self.screen.catch_up();
        if self.held.len() + bytes.len() > HELD_LIMIT {
            self.actions.push_back(Action::End(EndReason::TypeAhead));
            return;
        }
        self.held.extend(bytes);
        self.pump(now);
        if self.settings.enforcing && !self.held.is_empty() {
            self.overtake(bytes);
            self.pump(now);
        }
    }

    /// The asset printed these bytes; they have been passed on already.
    pub fn printed(&mut self, now: Instant, bytes: &[u8]) {
        let late = REST + self.echo.round_trip() * 2;
        if self.typed.any
            && self.waiting.is_empty()
            && self.asset_answered()
            && self
                .last_output
                .is_some_and(|at| now.saturating_duration_since(at) > late)
        {
            // No key's answer.
            self.disturbed = true;
        }
        if self.screen.in_alternate() {
            let editor = self.screen.bracketed();
            self.program.printed(now, bytes, editor);
            self.program_answers();
        }
        let idle = matches!(self.hold, Hold::Free) && self.expanding.is_none();
        let nothing = self.waiting.is_empty() && self.echo.is_empty();
        let unwatched = idle
            && nothing
            && self.paused.is_none()
            && self.held.is_empty()
            && self.doubtful.is_empty()
            && self.claimed.is_empty();
        if unwatched && bytes.len() >= BULK && self.screen.defer(bytes) {
            self.disturbed |= self.screen.bracketed() && self.anchor.is_some();
            self.heard(now);
            self.tell_unread();
            return;
        }
        self.screen.catch_up();
        // Where a line editor begins or ends in it, each byte counts.
        let flood = bytes.len() >= FLOOD
            && self.waiting.iter().all(|a| a.feeds >= FEEDS)
            && memchr::memmem::find(bytes, b"\x1b[?").is_none();
        let pauses = self.paused.is_some()
            || self.typed.any && memchr::memmem::find(bytes, b"\x1b[?2004l").is_some();
        if idle && !pauses && (nothing && bytes.len() >= BULK || flood) {
            let mut events = Vec::new();
            let before = self.screen.bracketed();
            self.screen
                .advance_many(bytes, |_, event| events.push(event));
            if before && self.anchor.is_some() {
                self.disturbed = true;
            }
            for event in events {
                self.event(now, event);
            }
        } else {
            for &byte in bytes {
                self.byte(now, byte);
            }
        }
        self.look_for_shell();
        self.paused_rest(now);
        self.heard(now);
        self.mark_seen();
        self.after_output(now);
        self.pump(now);
    }

    /// Something was printed, whatever it is.
    fn heard(&mut self, now: Instant) {
        self.last_output = Some(now);
        if let Some(took) = self.replies.printed(now) {
            self.echo.took(took);
        }
    }

    pub(crate) fn byte(&mut self, now: Instant, byte: u8) {
        self.paused_byte(now, byte);
        if matches!(byte, b'\n' | 0x1b) {
            self.look_for_shell();
        }
        if byte == b'\n' {
            self.look_for_claimed();
        }
        if self.screen.will_feed(byte) {
            if !self.screen.bracketed() {
                self.signalled = false;
            }
            if self.expanding.is_some() {
                self.expanded(true);
            }
            if self.edited == Edited::Back {
                self.edited_line(now);
            }
            if self.screen.bracketed() {
                if self.waiting.is_empty()
                    && self.echo.is_empty()
                    && self
                        .last_key
                        .is_none_or(|at| now.saturating_duration_since(at) > REST)
                {
                    self.disturbed = true;
                }
            } else if !self.waiting.is_empty() {
                self.confirm_by_feed();
            }
        }
        let event = self.screen.advance(byte);
        self.event(now, event);
    }

    pub(crate) fn event(&mut self, now: Instant, event: Event) {
        match event {
            Event::None => {}
            Event::Printed(c) => match self.echo.printed(now, c) {
                Echoed::No => {}
                Echoed::Current { swallowed } => {
                    if swallowed && self.screen.in_alternate() {
                        self.program.swallowed();
                        self.program_answers();
                    }
                    self.still_editing();
                }
            },
            Event::EditorOff => {
                self.program.shell(false);
                if self.began_alternate && !self.screen.in_alternate() && self.waiting.is_empty() {
                    // It was no line editor but a full-screen program, which has ended.
                    self.anchor = None;
                } else if self.pauses() {
                    self.pause();
                } else {
                    let shown = self.paused.take().and_then(|pause| pause.shown);
                    self.editor_off(now, shown);
                }
            }
            Event::EditorOn if self.resumes(now) => {}
            Event::EditorOn => {
                self.program.shell(false);
                self.began = self.screen.grid().cursor();
                self.began_alternate = self.screen.in_alternate();
                if !self.screen.in_alternate() {
                    self.edited = Edited::No;
                }
                self.epoch += 1;
                self.anchor = None;
                self.disturbed = false;
                self.answers = false;
                if std::mem::take(&mut self.signalled) && self.typed.shown == 0 {
                    self.typed.clear();
                }
            }
            Event::AlternateOn | Event::AlternateOff => {
                self.end_pause(now);
                self.anchor = None;
                self.program.forget();
                self.began_alternate |= event == Event::AlternateOn && self.screen.bracketed();
                if event == Event::AlternateOff && self.edited == Edited::Outside {
                    self.edited = Edited::Back;
                }
            }
        }
    }

    /// The user's terminal has a new size.
    pub fn resized(&mut self, now: Instant, size: Size) {
        self.screen.catch_up();
        self.screen.resize(size.rows, size.columns);
        self.last_output = Some(now);
        self.pump(now);
    }

    /// The session is over: what is pending is logged.
    pub fn ended(&mut self, _now: Instant) {
        self.screen.catch_up();
        self.expanded(false);
        while let Some(front) = self.waiting.front() {
            if front.editor && self.prompt_is_back(front) {
                self.take_shown();
            } else {
                self.settle_front();
            }
        }
        self.shell_reads();
        self.tell_unread();
    }

    /// When [`tick`](Self::tick) has to be called, if nothing else happens before.
    pub fn deadline(&self) -> Option<Instant> {
        let patience = self.patience();
        let stale = self
            .waiting
            .front()
            .map(|a| self.last_output.map_or(a.at, |o| o.max(a.at)) + patience);
        [stale, self.hold_deadline(), self.unread_due()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Instant) {
        self.screen.catch_up();
        let patience = self.patience();
        let rested = self
            .last_output
            .is_none_or(|at| now.saturating_duration_since(at) >= patience);
        while rested
            && self
                .waiting
                .front()
                .is_some_and(|a| now.saturating_duration_since(a.at) >= patience)
        {
            self.settle_front();
        }
        if self.waiting.is_empty() {
            self.waiting.shrink_to(LOOKED_FOR);
        }
        if self.unread_due().is_some_and(|due| due <= now) {
            self.tell_unread();
        }
        self.hold_tick(now);
        self.pump(now);
    }

    /// The next thing to do; to be called after each of the above until it says none.
    pub fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// A key that accepts nothing is on its way.
    pub(crate) fn key(&mut self, now: Instant, key: Key) {
        if matches!(key, Key::Report | Key::Answer) {
            self.answers |= key == Key::Answer;
            return;
        }
        if self.waiting.is_empty() {
            self.echo.forget_old();
        }
        self.screen.close_string();
        self.settle_stale(now);
        let end_of_file = key == Key::Control(0x04) && self.typed.is_empty();
        if matches!(key, Key::Control(0x03 | 0x1a | 0x1c)) {
            self.typed.clear();
            self.echo.clear();
            if self.screen.bracketed() && !self.screen.in_alternate() {
                // It may have been ignored: the line stands until the editor begins anew.
                self.typed.prefilled();
            } else {
                self.anchor = None;
            }
            self.signalled = true;
            self.abandoned = true;
            self.last_key = Some(now);
            return;
        }
        self.abandoned = end_of_file;
        self.recent = [self.recent[1], Some(key)];
        if self.anchor.is_none() && self.waiting.is_empty() {
            self.forget_gone(now);
            self.set_anchor(now);
        }
        self.expanded(false);
        if self.screen.bracketed() && self.has_rested(now) {
            self.ahead.forget();
        }
        self.forget_claimed(now);
        self.resynchronise();
        self.typed.key(key);
        let text = matches!(key, Key::Char(c) if c >= ' ') && !self.typed.commands;
        let command = !text && (self.typed.explained() == Explained::No || self.typed.tab);
        let rested = self
            .last_output
            .is_none_or(|at| now.saturating_duration_since(at) >= REST * 2);
        self.replies.key(now, command, rested);
        if self.screen.in_alternate() {
            self.typed.ahead |= !self.at_prompt_known(self.anchor.as_ref());
            let printable = match key {
                Key::Char(c) => Some(c),
                _ => None,
            };
            self.program
                .key(now, printable, self.last_output, self.echo.misses_end());
            self.program_answers();
        }
        if let Key::Char(c) = key
            && c >= ' '
        {
            self.echo.typed(now, c);
        }
        self.last_key = Some(now);
    }

    /// Something was printed since the last key.
    pub(crate) fn asset_answered(&self) -> bool {
        self.last_shown()
            .is_some_and(|output| self.last_key.is_none_or(|key| output >= key))
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        if let Some(Action::Send(pending)) = self.actions.back_mut() {
            pending.extend_from_slice(bytes);
        } else {
            self.actions.push_back(Action::Send(bytes.to_vec()));
        }
    }
}
