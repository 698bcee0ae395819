//! The engine: owns the rooms and the order of things.
use crate::accept::{Accept, Ahead};
use crate::action::{Action, Certainty, Command, EndReason, JudgementId, Outcome, Settings, Size};
use crate::echo::{Echo, Echoed};
use crate::hold::Hold;
use crate::keys::{Key, Keys};
use crate::line::{Anchor, Reading, anchor_at, cursor_line, read, same_without_space};
use crate::program::Program;
use crate::prompt::{Prompts, looks_like_one};
use crate::reading::{Decision, Evidence, decide};
use crate::screen::{Event, Place, Screen};
use crate::typed::{Explained, LINE_LIMIT, Typed};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Output that is this old has come to rest.
pub(crate) const REST: Duration = Duration::from_millis(30);
/// What is held of the user's typing at most.
const HELD_LIMIT: usize = 256 * 1024;
/// Accepted lines that wait for their confirmation at most.
const WAITING_LIMIT: usize = 64;
/// A line that nothing has confirmed after this many rows of output is not confirmed by rows any more.
const FEEDS: u32 = 50;
/// Output that comes in pieces of this size answers no key.
const FLOOD: usize = 4096;
/// Characters of them at most.
const WAITING_CHARACTERS: usize = 48 * 1024;

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
    pub(crate) ahead: Ahead,
    pub(crate) held: VecDeque<u8>,
    pub(crate) hold: Hold,
    pub(crate) judgements: u64,
    /// Counts the times that a line editor began to read.
    pub(crate) epoch: u64,
    pub(crate) abandoned: bool,
    pub(crate) disturbed: bool,
    pub(crate) last_output: Option<Instant>,
    pub(crate) last_key: Option<Instant>,
    pub(crate) last_accept: Option<Instant>,
    pub(crate) accepted_in_editor: bool,
    /// A line whose history designators the shell is about to print expanded.
    pub(crate) expanding: Option<Command>,
    pub(crate) expected_line: u64,
    pub(crate) history: VecDeque<String>,
    pub(crate) dropping_paste: bool,
    /// Where the line editor began to read.
    began: Place,
    /// On the alternate screen.
    began_alternate: bool,
    /// A key was typed that interrupts programs, and nothing has shown yet that it did.
    pub(crate) signalled: bool,
    /// When `ESC` was typed last.
    pub(crate) escape_at: Option<Instant>,
    /// The line whose accepting key is held was not seen.
    pub(crate) unknown: bool,
    /// What looks like an answer of the terminal has come since the line editor began.
    pub(crate) answers: bool,
    edited: Edited,
    recent: [Option<Key>; 2],
}

/// A line that is being written in an editor of files, which the shell then prints and runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edited {
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
            ahead: Ahead::default(),
            held: VecDeque::new(),
            hold: Hold::Free,
            judgements: 0,
            epoch: 0,
            abandoned: false,
            disturbed: false,
            last_output: None,
            last_key: None,
            last_accept: None,
            accepted_in_editor: false,
            expanding: None,
            expected_line: 0,
            history: VecDeque::new(),
            dropping_paste: false,
            began: Place { line: 0, column: 0 },
            began_alternate: false,
            signalled: false,
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

    /// About how many bytes of memory this session's capture holds.
    pub fn footprint(&self) -> usize {
        size_of::<Self>()
            + self.screen.footprint()
            + self.held.capacity()
            + self.history.iter().map(String::capacity).sum::<usize>()
            + self.typed.footprint()
            + self
                .waiting
                .iter()
                .map(|a| a.typed.footprint() + size_of::<Accept>())
                .sum::<usize>()
    }

    /// The user typed these bytes. They reach the asset by [`Action::Send`] only.
    pub fn typed(&mut self, now: Instant, bytes: &[u8]) {
        if self.held.len() + bytes.len() > HELD_LIMIT {
            self.actions.push_back(Action::End(EndReason::TypeAhead));
            return;
        }
        self.held.extend(bytes);
        self.pump(now);
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
        }
        let idle = matches!(self.hold, Hold::Free) && self.expanding.is_none();
        let nothing = self.waiting.is_empty() && self.echo.is_empty();
        let flood = bytes.len() >= FLOOD && self.waiting.iter().all(|a| a.feeds >= FEEDS);
        if idle && (nothing && bytes.len() >= 512 || flood) {
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
        self.last_output = Some(now);
        self.mark_seen();
        self.after_output(now);
        self.pump(now);
    }

    fn byte(&mut self, now: Instant, byte: u8) {
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
                self.confirm_by_feed(now);
            }
        }
        let event = self.screen.advance(byte);
        self.event(now, event);
    }

    fn event(&mut self, now: Instant, event: Event) {
        match event {
            Event::None => {}
            Event::Printed(c) => match self.echo.printed(now, c) {
                Echoed::No => {}
                Echoed::Current { swallowed } => {
                    if swallowed && self.screen.in_alternate() {
                        self.program.swallowed();
                    }
                    self.still_editing();
                }
            },
            Event::EditorOff => {
                self.program.shell(false);
                if self.began_alternate && !self.screen.in_alternate() && self.waiting.is_empty() {
                    // It was no line editor but a full-screen program, which has ended.
                    self.anchor = None;
                } else {
                    self.editor_off(now);
                }
            }
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
        self.screen.resize(size.rows, size.columns);
        self.last_output = Some(now);
    }

    /// The session is over: what is pending is logged.
    pub fn ended(&mut self, now: Instant) {
        self.expanded(false);
        while !self.waiting.is_empty() {
            self.settle_front(now);
        }
    }

    /// When [`tick`](Self::tick) has to be called, if nothing else happens before.
    pub fn deadline(&self) -> Option<Instant> {
        let stale = self
            .waiting
            .front()
            .map(|a| self.last_output.map_or(a.at, |o| o.max(a.at)) + Duration::from_secs(2));
        [stale, self.hold_deadline()].into_iter().flatten().min()
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Instant) {
        let rested = self
            .last_output
            .is_none_or(|at| now.saturating_duration_since(at) >= Duration::from_secs(2));
        while rested
            && self
                .waiting
                .front()
                .is_some_and(|a| now.saturating_duration_since(a.at) >= Duration::from_secs(2))
        {
            self.settle_front(now);
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
        self.ahead.key(self.screen.bracketed());
        self.resynchronise();
        self.typed.key(key);
        if self.screen.in_alternate() {
            self.typed.ahead |= !self.at_prompt_known(self.anchor.as_ref());
            let printable = match key {
                Key::Char(c) => Some(c),
                _ => None,
            };
            self.program
                .key(now, printable, self.last_output, self.echo.misses_end());
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
        self.last_output
            .is_some_and(|output| self.last_key.is_none_or(|key| output >= key))
    }

    /// When the line editor shows an empty line, the keys start anew.
    fn resynchronise(&mut self) {
        if self.typed.explained() == Explained::No
            && self.asset_answered()
            && !self.disturbed
            && !self.signalled
            && self.echo.is_empty()
            && let Some(anchor) = &self.anchor
            && anchor.sure
            && self.screen.grid().cursor().column == anchor.place.column
        {
            let reading = read(&self.screen, anchor);
            if reading.found && !reading.moved && reading.text.is_empty() {
                self.typed.clear();
            }
        }
    }

    /// A line editor that rests at its prompt and shows nothing: what was typed before, other programs have read.
    fn forget_gone(&mut self, now: Instant) {
        let rest = REST + self.echo.round_trip() * 2;
        let rested = self
            .last_output
            .is_some_and(|at| now.saturating_duration_since(at) >= rest);
        if !self.typed.any || !rested || !self.screen.bracketed() || self.screen.in_alternate() {
            return;
        }
        let grid = self.screen.grid();
        let cursor = grid.cursor();
        let empty = self
            .prompts
            .behind(grid, cursor.line)
            .is_some_and(|(place, _)| place == cursor);
        if empty {
            self.typed.clear();
            self.echo.clear();
        }
    }

    /// Where the line begins: here, or before what was typed ahead.
    fn set_anchor(&mut self, now: Instant) {
        let grid = self.screen.grid();
        let cursor = grid.cursor();
        let rested = self.screen.bracketed()
            || self
                .last_output
                .is_some_and(|at| now.saturating_duration_since(at) >= Duration::from_millis(4));
        if !self.typed.is_empty() {
            if let Some((place, _)) = self.prompts.behind(grid, cursor.line) {
                self.anchor = Some(Anchor {
                    stamp: 0,
                    right: String::new(),
                    ..anchor_at(&self.screen, place, rested)
                });
                return;
            }
            let keys = self.typed.text();
            if let Some(column) = cursor.column.checked_sub(keys.chars().count())
                && grid
                    .line(cursor.line)
                    .is_some_and(|row| crate::line::text_of(row, column, cursor.column) == keys)
            {
                let mut anchor = anchor_at(
                    &self.screen,
                    Place {
                        line: cursor.line,
                        column,
                    },
                    false,
                );
                anchor.stamp = 0;
                anchor.right.clear();
                self.anchor = Some(anchor);
                return;
            }
        }
        if self.typed.is_empty()
            && self.screen.bracketed()
            && let Some(place) = self.prefilled_from(grid)
            && place.column < cursor.column
        {
            // The line editor begins with text of its own: what a history designator became, or a line put aside.
            self.anchor = Some(Anchor {
                stamp: 0,
                right: String::new(),
                ..anchor_at(&self.screen, place, false)
            });
            self.typed.prefilled();
            self.expanding = None;
            return;
        }
        let anchor = anchor_at(&self.screen, cursor, false);
        let sure = rested && self.typed.is_empty() && !anchor.prompt.trim().is_empty();
        self.anchor = Some(Anchor { sure, ..anchor });
        self.disturbed = false;
    }

    /// A line that was begun before its prompt was there stands behind that prompt now.
    pub(crate) fn better_anchor(&mut self) {
        let Some(anchor) = self
            .anchor
            .as_ref()
            .filter(|a| !a.sure && a.prompt.trim().is_empty())
        else {
            return;
        };
        let cursor = self.screen.grid().cursor();
        if let Some((place, _)) = self.prompts.behind(self.screen.grid(), cursor.line)
            && place > anchor.place
            && place.column <= cursor.column
        {
            self.anchor = Some(Anchor {
                stamp: 0,
                right: String::new(),
                ..anchor_at(&self.screen, place, true)
            });
        }
    }

    /// Where a line that the editor shows behind a known prompt begins. The editor may have begun to read in mid-row.
    fn prefilled_from(&self, grid: &crate::screen::Grid) -> Option<Place> {
        let line = grid.cursor().line;
        let began = if self.began.line == line {
            self.began.column
        } else {
            0
        };
        if began == 0 {
            return self.prompts.behind(grid, line).map(|(place, _)| place);
        }
        if let Some((place, _)) = self.prompts.behind_from(grid, line, began) {
            return Some(place);
        }
        let before = crate::line::text_of(grid.line(line)?, 0, began);
        if self.prompts.knows(&before) {
            return Some(self.began);
        }
        // Some say that they read only when all is painted.
        let place = self.prompts.behind(grid, line).map(|(place, _)| place);
        place.filter(|_| self.began == grid.cursor())
    }

    /// An accepting key is passed to the asset.
    pub(crate) fn accept(
        &mut self,
        now: Instant,
        byte: u8,
        judged: Option<JudgementId>,
        outcome: Outcome,
    ) {
        self.screen.close_string();
        self.settle_stale(now);
        if self.anchor.is_none() && self.waiting.is_empty() {
            self.set_anchor(now);
        }
        self.expanded(false);
        self.better_anchor();
        if self.at_prompt(self.anchor.as_ref()) {
            self.program.shell(self.screen.in_alternate());
        } else if self.screen.in_alternate() {
            self.program
                .key(now, None, self.last_output, self.echo.misses_end());
        }
        let settled = self.echo.is_empty() && self.anchor.is_some() && self.waiting.is_empty();
        let before = if settled {
            self.anchor
                .as_ref()
                .map(|anchor| read(&self.screen, anchor))
        } else {
            None
        };
        let masked = self
            .anchor
            .as_ref()
            .is_some_and(|anchor| crate::reading::masked(&read(&self.screen, anchor).text));
        // Its last characters may not have been echoed yet.
        let keys = self.typed.text();
        let bang = self.escape_to_shell().map(|row| {
            let whole = keys.rfind(&row).and_then(|at| keys.get(at..));
            whole.map_or(row.clone(), str::to_owned)
        });
        let mut characters: usize = self.waiting.iter().map(|a| a.typed.len()).sum();
        while self.waiting.len() >= WAITING_LIMIT || characters > WAITING_CHARACTERS {
            characters -= self.waiting.front().map_or(characters, |a| a.typed.len());
            self.settle_front(now);
        }
        self.waiting.push_back(Accept {
            at: now,
            byte,
            silent: self.echo.silent() && self.typed.shown > 0,
            typed: std::mem::take(&mut self.typed),
            anchor: self.anchor.take(),
            before,
            settled,
            echo: self.echo.line(),
            editor: self.screen.bracketed(),
            epoch: self.epoch,
            alternate: self.screen.in_alternate(),
            seen: false,
            feeds: 0,
            bang,
            masked,
            disturbed: std::mem::take(&mut self.disturbed),
            judged,
            outcome,
            unknown: std::mem::take(&mut self.unknown),
        });
        self.echo.next_line();
        self.abandoned = false;
        self.last_key = Some(now);
        self.last_accept = Some(now);
        self.accepted_in_editor = self.screen.bracketed();
        self.mark_seen();
        self.send(&[byte]);
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        if let Some(Action::Send(pending)) = self.actions.back_mut() {
            pending.extend_from_slice(bytes);
        } else {
            self.actions.push_back(Action::Send(bytes.to_vec()));
        }
    }

    /// Notes whether what was typed is to be seen.
    fn mark_seen(&mut self) {
        let Some(front) = self.waiting.front() else {
            return;
        };
        if front.seen || front.typed.is_empty() || front.feeds >= FEEDS {
            return;
        }
        let keys = front.typed.text();
        let shown = match &front.anchor {
            Some(anchor) => read(&self.screen, anchor).text,
            None => cursor_line(self.screen.grid()).1,
        };
        if (shown.contains(keys.trim()) || same_without_space(&shown, &keys))
            && let Some(front) = self.waiting.front_mut()
        {
            front.seen = true;
        }
    }

    /// Without a line editor's word: a line is taken when the terminal goes on to the next row behind it.
    fn confirm_by_feed(&mut self, now: Instant) {
        let mut index = 0;
        while index < self.waiting.len() {
            let accept = &self.waiting[index];
            if accept.feeds >= FEEDS {
                index += 1;
                continue;
            }
            let reading = accept
                .anchor
                .as_ref()
                .map(|anchor| read(&self.screen, anchor))
                .filter(|r| r.found);
            let keys = accept.typed.text();
            let keys = keys.trim_end();
            let confirmed =
                if accept.typed.explained() == Explained::Fully && !keys.trim().is_empty() {
                    let (_, shown) = cursor_line(self.screen.grid());
                    let all = reading.as_ref().map_or(shown.as_str(), |r| r.text.as_str());
                    let erased = accept.settled
                        && accept.feeds == 0
                        && all.is_empty()
                        && accept.before.as_ref().is_some_and(|r| !r.text.is_empty());
                    if erased {
                        // A program that reads keys has taken it off the screen again.
                        self.waiting.remove(index);
                        continue;
                    }
                    let scrolled =
                        accept.settled && accept.feeds == 0 && !all.is_empty() && !accept.silent;
                    ends_with_keys(all, keys) || ends_with_keys(&shown, keys) || scrolled
                } else if accept.typed.any {
                    let sure = accept.anchor.as_ref().is_some_and(|a| a.sure);
                    sure && (accept.settled || !self.echo.misses(accept.echo))
                        && accept.feeds == 0
                        && reading.as_ref().is_some_and(|r| !r.text.is_empty())
                } else {
                    accept.feeds == 0
                };
            if confirmed {
                for _ in 0..index {
                    self.settle_front(now);
                }
                if let Some(accept) = self.waiting.pop_front() {
                    let reading = match reading {
                        Some(reading) => Some(reading),
                        None => Some(Reading {
                            text: keys.to_owned(),
                            found: true,
                            moved: true,
                            without_tail: None,
                            without_faint: None,
                        }),
                    };
                    if !self.settings_alternate(&accept) {
                        return;
                    }
                    let unread = !accept.editor && self.epoch > 0;
                    if let Some(line) = self.take(accept, reading.as_ref(), false)
                        && unread
                    {
                        self.ahead.passed(line);
                    }
                }
                return;
            }
            if let Some(accept) = self.waiting.get_mut(index) {
                accept.feeds += 1;
                if self.epoch > 0
                    && !accept.editor
                    && accept.typed.explained() == Explained::Fully
                    && accept.typed.any
                {
                    // Typed ahead, its echo lost in other output: the shell shows it again when it reads it.
                    return;
                }
            }
            index += 1;
        }
    }

    /// On the alternate screen only what stands behind a prompt is a line.
    fn settings_alternate(&mut self, accept: &Accept) -> bool {
        if !accept.alternate || self.at_prompt(accept.anchor.as_ref()) {
            return true;
        }
        self.log_bang(accept);
        false
    }

    /// Whether this is the start of a line behind a shell's prompt.
    pub(crate) fn at_prompt(&self, anchor: Option<&Anchor>) -> bool {
        match anchor {
            Some(anchor) => {
                self.prompts.knows(&anchor.prompt)
                    || (looks_like_one(&anchor.prompt)
                        && anchor.prompt.trim_end().chars().count() > 1)
            }
            None => self
                .prompts
                .behind(self.screen.grid(), self.screen.grid().cursor().line)
                .is_some(),
        }
    }

    /// A command that is handed to a shell from within a full-screen program: what stands behind `:!` or `!` on its command row.
    pub(crate) fn escape_to_shell(&self) -> Option<String> {
        let grid = self.screen.grid();
        if grid.row + 2 < grid.height() || self.at_prompt(self.anchor.as_ref()) {
            return None;
        }
        // Rows above that are full belong to the text that is shown.
        let mut start = grid.cursor().line;
        while grid
            .line(start.saturating_sub(1))
            .is_some_and(|r| r.wrapped)
            && start > 0
        {
            start -= 1;
        }
        let place = Place {
            line: start,
            column: 0,
        };
        let row = crate::line::read_from(grid, place, 0, "", true).text;
        let row = row.trim();
        let line = row
            .strip_prefix(':')
            .map(str::trim_start)
            .map_or(row, |r| r);
        let bang = line.find('!')?;
        let (range, command) = line.split_at(bang);
        let known = range.is_empty()
            || row.starts_with(':')
                && matches!(
                    range
                        .trim_start_matches(|c: char| "%.,$'<>0123456789".contains(c))
                        .trim(),
                    "" | "r" | "read" | "w" | "write" | "sil" | "silent" | "term" | "terminal"
                );
        let command = command[1..].trim();
        (known && !command.is_empty()).then(|| row.to_owned())
    }

    pub(crate) fn log_bang(&mut self, accept: &Accept) {
        if let Some(line) = &accept.bang {
            let command = command(accept, line.clone(), Certainty::Likely);
            self.actions.push_back(Action::Command(command));
        }
    }

    /// A line editor has stopped reading: it took the line, or the line was given up.
    fn editor_off(&mut self, now: Instant) {
        self.skip_to_shown(now);
        let Some(accept) = self.waiting.pop_front() else {
            if self.abandoned || self.echo.was_cleared() {
                self.anchor = None;
                return;
            }
            self.editor_off_unasked(now);
            return;
        };
        let reading = self.read_accepted(&accept);
        if accept.alternate
            && !self.at_prompt(accept.anchor.as_ref())
            && reading.as_ref().is_none_or(|r| !r.found)
        {
            self.log_bang(&accept);
            return;
        }
        if accept.alternate && !self.settings_alternate(&accept) {
            return;
        }
        self.take(accept, reading.as_ref(), true);
    }

    /// Of several accepted lines the editor has taken the one that it shows; those before it went elsewhere.
    fn skip_to_shown(&mut self, now: Instant) {
        if self.waiting.len() < 2 {
            return;
        }
        let Some(shown) = self.read_behind_prompt() else {
            return;
        };
        let is = |accept: &Accept| {
            accept.typed.explained() == Explained::Fully && accept.typed.text().trim() == shown.text
        };
        if let Some(index) = self.waiting.iter().position(is) {
            for _ in 0..index {
                self.settle_front(now);
            }
        }
    }

    /// The line behind a known prompt, which may begin in mid-row, behind what was typed ahead.
    pub(crate) fn read_behind_prompt(&self) -> Option<Reading> {
        let grid = self.screen.grid();
        if self.began.column > 0
            && let Some((place, _)) =
                self.prompts
                    .behind_from(grid, self.began.line, self.began.column)
        {
            let reading = crate::line::read_from(grid, place, 0, "", false);
            return Some(Reading {
                found: true,
                moved: true,
                ..reading
            });
        }
        let (reading, line) = self.prompts.read(grid)?;
        (line >= self.screen.floor || grid.cursor().line < self.screen.floor).then_some(reading)
    }

    fn read_accepted(&self, accept: &Accept) -> Option<Reading> {
        let keys = accept.typed.text();
        if let Some(anchor) = &accept.anchor {
            let reading = read(&self.screen, anchor);
            let blank = anchor.prompt.trim().is_empty();
            if reading.found && (!blank || reading.text == keys.trim_end()) {
                return Some(reading);
            }
            if accept
                .before
                .as_ref()
                .is_some_and(|b| b.found && !b.text.is_empty())
                && !blank
            {
                return None;
            }
        }
        if let Some(reading) = self.read_behind_prompt() {
            return Some(reading);
        }
        // Nothing is known of the prompt: what was typed must stand at the end.
        let grid = self.screen.grid();
        let cursor = grid.cursor().line;
        for line in [cursor, cursor.saturating_sub(1)] {
            if let Some(row) = grid.line(line) {
                let shown = crate::line::text_of(row, 0, usize::MAX);
                if !keys.trim().is_empty() && shown.trim_end().ends_with(keys.trim_end()) {
                    return Some(Reading {
                        text: keys.trim_end().to_owned(),
                        found: true,
                        moved: true,
                        without_tail: None,
                        without_faint: None,
                    });
                }
            }
        }
        accept
            .anchor
            .as_ref()
            .map(|anchor| read(&self.screen, anchor))
    }

    /// The editor stopped without an accepting key of the user's: a line typed ahead is read again, or a key of its own accepts.
    fn editor_off_unasked(&mut self, now: Instant) {
        let emacs = self.recent == [Some(Key::Control(0x18)), Some(Key::Control(0x05))];
        if emacs || self.typed.escaped && self.recent[1] == Some(Key::Char('v')) {
            self.edited = Edited::Outside;
            self.typed.clear();
            self.anchor = None;
            return;
        }
        let accept = Accept {
            at: self.last_key.unwrap_or(now),
            byte: 0,
            typed: std::mem::take(&mut self.typed),
            anchor: self.anchor.take(),
            before: None,
            settled: false,
            echo: self.echo.line(),
            editor: true,
            epoch: self.epoch,
            alternate: self.screen.in_alternate(),
            seen: false,
            feeds: 0,
            bang: None,
            masked: false,
            disturbed: self.disturbed,
            silent: false,
            judged: None,
            outcome: Outcome::Passed,
            unknown: false,
        };
        if accept.alternate && !self.at_prompt(accept.anchor.as_ref()) {
            return;
        }
        let reading = self.read_accepted(&accept);
        if let Some(reading) = &reading
            && self.ahead.read_again(&reading.text)
        {
            self.typed = accept.typed.clone();
            return;
        }
        if accept.typed.any {
            self.take(accept, reading.as_ref(), true);
        }
    }

    /// A line has been taken: logs it.
    fn take(&mut self, accept: Accept, reading: Option<&Reading>, editor: bool) -> Option<String> {
        let decision = decide(Evidence {
            typed: &accept.typed,
            before: accept.before.as_ref(),
            after: reading,
            editor: editor || accept.editor,
            sure: accept.anchor.as_ref().is_some_and(|a| a.sure),
            disturbed: accept.disturbed,
            silent: accept.silent,
        });
        match decision {
            Decision::Nothing if !accept.unknown => None,
            Decision::Nothing => {
                let mut hidden = command(&accept, String::new(), Certainty::Raw);
                hidden.hidden = true;
                self.actions.push_back(Action::Command(hidden));
                None
            }
            Decision::Hidden => {
                self.hidden(&accept);
                None
            }
            Decision::Line(line, certainty) => {
                let certainty = if accept.unknown {
                    certainty.min(Certainty::Likely)
                } else {
                    certainty
                };
                if let Some(anchor) = &accept.anchor
                    && anchor.sure
                    && (editor || looks_like_one(&anchor.prompt))
                {
                    self.prompts.learn(&anchor.prompt);
                }
                let command = command(&accept, line.clone(), certainty);
                self.screen.floor = self.screen.grid().cursor().line + u64::from(!editor);
                self.log(command, editor);
                Some(line)
            }
        }
    }

    /// The shell prints what was written in an editor of files before it runs it.
    fn edited_line(&mut self, now: Instant) {
        let (_, line) = cursor_line(self.screen.grid());
        if line.trim().is_empty() {
            return;
        }
        self.edited = Edited::No;
        let command = Command {
            at: self.last_key.unwrap_or(now),
            line,
            certainty: Certainty::Likely,
            cut: false,
            hidden: false,
            outcome: Outcome::Passed,
            judged: None,
        };
        self.log(command, false);
    }

    /// Something was accepted that nobody could see.
    fn hidden(&mut self, accept: &Accept) {
        if accept.editor && !accept.masked || self.at_prompt_known(accept.anchor.as_ref()) {
            let mut hidden = command(accept, String::new(), Certainty::Raw);
            hidden.hidden = true;
            self.actions.push_back(Action::Command(hidden));
        } else {
            self.actions.push_back(Action::Hidden { at: accept.at });
        }
    }

    pub(crate) fn at_prompt_known(&self, anchor: Option<&Anchor>) -> bool {
        anchor.is_some_and(|a| self.prompts.knows(&a.prompt))
    }

    pub(crate) fn log(&mut self, command: Command, editor: bool) {
        self.expanded(false);
        if editor
            && (crate::history::has_designator(&command.line)
                || crate::history::runs_another(&command.line))
        {
            self.expected_line = self.screen.grid().cursor().line;
            self.expanding = Some(command);
            return;
        }
        self.remember(&command);
        self.actions.push_back(Action::Command(command));
    }

    fn remember(&mut self, command: &Command) {
        if command.line.len() <= 2048
            && matches!(command.outcome, Outcome::Passed | Outcome::Confirmed)
        {
            self.history.push_back(command.line.clone());
            if self.history.len() > 50 {
                self.history.pop_front();
            }
        }
    }

    /// The shell has printed (or not) what a line with history designators became.
    fn expanded(&mut self, printed: bool) {
        let Some(mut command) = self.expanding.take() else {
            return;
        };
        let (place, shown) = cursor_line(self.screen.grid());
        if printed && place.line <= self.expected_line && shown.trim().is_empty() {
            // The row end of the line itself.
            self.expanding = Some(command);
            return;
        }
        if printed && crate::history::may_expand_to(&command.line, &shown) {
            command.line = shown;
        } else if printed && shown.ends_with("event not found") {
            return;
        } else if let Some(line) = crate::history::expand(&command.line, &self.history) {
            command.line = line;
            command.certainty = Certainty::Likely;
        }
        self.remember(&command);
        self.actions.push_back(Action::Command(command));
    }

    /// Decides about accepted lines that nothing has confirmed, when the user goes on typing after a rest.
    fn settle_stale(&mut self, now: Instant) {
        let rested = self
            .last_output
            .is_some_and(|at| now.saturating_duration_since(at) >= REST);
        while let Some(front) = self.waiting.front()
            && rested
            && now.saturating_duration_since(front.at) >= REST * 2
            && self.last_output.is_some_and(|at| at >= front.at)
        {
            if front.editor && self.screen.bracketed() && front.epoch == self.epoch {
                if self.prompt_is_back(front) {
                    self.take_shown();
                } else if front.alternate && self.program.reads() {
                    self.settle_front(now);
                } else {
                    self.continue_line();
                }
            } else {
                self.settle_front(now);
            }
        }
    }

    /// The prompt before this line stands on a row below it, with nothing behind it: the line was taken. (What multiplexes
    /// terminals may leave out that the line editor stopped reading and began again.)
    fn prompt_is_back(&self, accept: &Accept) -> bool {
        let grid = self.screen.grid();
        let Some(anchor) = accept.anchor.as_ref() else {
            return false;
        };
        self.prompts
            .behind(grid, grid.cursor().line)
            .is_some_and(|(place, prompt)| {
                prompt == anchor.prompt
                    && place.line > anchor.place.line
                    && place == grid.cursor()
                    && crate::line::read_from(grid, place, 0, "", true)
                        .text
                        .is_empty()
            })
    }

    /// The oldest accepted line was taken, as it stood when it was accepted.
    fn take_shown(&mut self) {
        if let Some(accept) = self.waiting.pop_front() {
            let reading = accept.before.clone();
            self.take(accept, reading.as_ref(), true);
        }
    }

    /// A key typed after an accepting one is echoed by the same line editor: that one accepted no line (a search, most likely).
    fn still_editing(&mut self) {
        let same = self.waiting.len() == 1
            && self.screen.bracketed()
            && self.waiting.front().is_some_and(|a| {
                a.editor && a.epoch == self.epoch && a.typed.explained() == Explained::No
            });
        if same {
            let current = std::mem::take(&mut self.typed);
            self.continue_line();
            self.typed.prefilled();
            self.typed.shown += current.shown;
        }
    }

    /// The line editor took the key as a part of the line: it has more than one row now.
    fn continue_line(&mut self) {
        let Some(front) = self.waiting.pop_front() else {
            return;
        };
        self.log_bang(&front);
        let mut typed = front.typed;
        if front.byte == 0x0f {
            typed.key(Key::Control(0x0f));
        } else {
            typed.key(Key::PastedLine(b'\n'));
            typed.key(Key::Control(0x01));
            typed.key(Key::Control(0x05));
        }
        self.typed = typed;
        self.anchor = front.anchor;
    }

    /// Decides about the oldest accepted line without a confirmation.
    fn settle_front(&mut self, _now: Instant) {
        let Some(accept) = self.waiting.pop_front() else {
            return;
        };
        if accept.typed.shown == 0 {
            return;
        }
        let visible = accept.seen
            || accept
                .before
                .as_ref()
                .is_some_and(|r| !r.text.is_empty() && !crate::reading::masked(&r.text));
        if !visible {
            if !accept.alternate && accept.typed.explained() != Explained::No {
                self.hidden(&accept);
            }
            return;
        }
        if accept.bang.is_some() {
            self.log_bang(&accept);
            return;
        }
        if self.at_prompt_known(accept.anchor.as_ref()) {
            let shown = accept
                .before
                .as_ref()
                .filter(|r| r.found && accept.typed.explained() != Explained::Fully);
            let line = shown.map_or_else(|| accept.typed.text(), |r| r.text.clone());
            let command = command(&accept, line, Certainty::Raw);
            self.log(command, false);
        }
    }
}

fn ends_with_keys(shown: &str, keys: &str) -> bool {
    if shown.ends_with(keys) {
        return true;
    }
    let compact = |text: &str| {
        text.chars()
            .filter(|c| !c.is_whitespace())
            .collect::<String>()
    };
    let (shown, keys) = (compact(shown), compact(keys));
    if shown.ends_with(&keys) {
        return true;
    }
    // A line editor that scrolls sideways shows the end of a long line.
    let end: String = keys
        .chars()
        .rev()
        .take(12)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    keys.chars().count() > 24 && shown.trim_end_matches(['<', '>', '*']).ends_with(&end)
}

pub(crate) fn command(accept: &Accept, mut line: String, certainty: Certainty) -> Command {
    let mut cut = accept.typed.cut;
    if line.len() > LINE_LIMIT {
        let end = (0..=LINE_LIMIT)
            .rev()
            .find(|at| line.is_char_boundary(*at))
            .unwrap_or(0);
        line.truncate(end);
        cut = true;
    }
    Command {
        at: accept.at,
        line,
        certainty,
        cut,
        hidden: false,
        outcome: accept.outcome,
        judged: accept.judged,
    }
}
