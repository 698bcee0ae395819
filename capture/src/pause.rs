//! A line editor that stops reading in the midst of its line, and goes on: fish 4 switches bracketed paste off while it runs
//! something of its own (completions that it loads, functions), paints meanwhile, and may come to take the line without having
//! switched it on again. The line is over when the terminal goes on to the row behind it, as with a shell without a word for it.
use crate::capture::Capture;
use crate::keys::Key;
use crate::line::{Anchor, Reading, read};
use crate::reading::compact;
use crate::typed::Explained;
use std::time::{Duration, Instant};

/// How long an accepted line waits for an editor that pauses.
const LONGEST: Duration = Duration::from_secs(10);

/// Rows that an editor paints at most while it pauses: what prints more is none.
const MOST_ROWS: u32 = 1000;

/// Since the editor has stopped.
#[derive(Debug)]
pub struct Pause {
    /// The row on which the cursor stood.
    line: u64,
    /// Something else than the way to the next row has come: it paints its line, and has not left it.
    painted: bool,
    /// When it painted last.
    painted_at: Option<Instant>,
    /// Rows that were begun since.
    rows: u32,
    /// It went on from this row, which was the line's last.
    left: Option<u64>,
    /// What stood there when a row was begun behind it without an accepting key.
    pub(crate) shown: Option<Reading>,
}

impl Capture {
    fn paused_anchor(&self) -> Option<&Anchor> {
        match self.waiting.front() {
            Some(front) => front.anchor.as_ref(),
            None => self.anchor.as_ref(),
        }
    }

    /// A line editor says that it has stopped, with the cursor still in a line that it has been given: it may go on.
    pub(crate) fn pauses(&self) -> bool {
        let Some(anchor) = self.paused_anchor() else {
            return false;
        };
        if self.abandoned || self.echo.was_cleared() || self.screen.in_alternate() {
            return false;
        }
        let grid = self.screen.grid();
        let cursor = grid.cursor();
        let wrapped = |line: u64| grid.line(line).is_some_and(|row| row.wrapped);
        let begun = cursor.column > 0 || cursor.line > 0 && wrapped(cursor.line - 1);
        let one_row = (anchor.place.line..cursor.line).all(wrapped);
        let within = match self.waiting.front() {
            Some(front) => {
                front.editor
                    && front.epoch == self.epoch
                    && (one_row || front.typed.text().contains('\n'))
            }
            None => self.typed.any && !self.edits_outside(),
        };
        if !begun || !within {
            return false;
        }
        let reading = read(&self.screen, anchor);
        reading.found && !reading.moved
    }

    /// It has stopped; until it has left the line it is taken to be reading.
    pub(crate) fn pause(&mut self) {
        self.screen.read_on(true);
        let line = self.screen.grid().cursor().line;
        self.paused.get_or_insert(Pause {
            line,
            painted: false,
            painted_at: None,
            rows: 0,
            left: None,
            shown: None,
        });
    }

    /// This byte is about to be shown while the editor pauses: ends the pause if it has been led out of the line.
    pub(crate) fn paused_byte(&mut self, now: Instant, byte: u8) {
        if !self.screen.at_ground() {
            return;
        }
        let cursor = self.screen.grid().cursor().line;
        let Some(pause) = &mut self.paused else {
            return;
        };
        pause.painted |= cursor < pause.line;
        if pause.left.is_some_and(|row| cursor <= row) {
            // It has only been to the row below.
            pause.left = None;
            pause.painted = true;
        }
        let left = pause.left.is_some() && !matches!(byte, b'\r' | 0x07 | 0x1b);
        if left || !pause.painted && pause.left.is_none() && cursor > pause.line {
            self.end_pause(now);
            return;
        }
        match byte {
            b'\n' => self.paused_feed(now, cursor),
            b'\r' | 0x07 | 0x1b => {}
            _ => {
                pause.painted = true;
                pause.painted_at = Some(now);
            }
        }
    }

    /// The editor that pauses begins a row: of its line, or the one behind it.
    fn paused_feed(&mut self, now: Instant, cursor: u64) {
        let unasked = self.waiting.is_empty();
        let last = self.at_last_row();
        let Some(pause) = &mut self.paused else {
            return;
        };
        pause.rows += 1;
        if pause.rows > MOST_ROWS {
            self.end_pause(now);
            return;
        }
        let painted = pause.painted;
        let first = pause.shown.is_none();
        if !painted || self.abandoned || last && !unasked && self.shows_all_rows() {
            if let Some(pause) = &mut self.paused {
                pause.left = Some(cursor);
            }
        } else if last && unasked && first {
            let shown = self.anchor.as_ref().map(|a| read(&self.screen, a));
            if let Some(pause) = &mut self.paused {
                pause.shown = shown;
            }
        }
    }

    /// What the asset had to say has been taken; what has left its line does not come back to it.
    pub(crate) fn paused_rest(&mut self, now: Instant) {
        let cursor = self.screen.grid().cursor().line;
        if let Some(pause) = &self.paused
            && pause.left.is_some_and(|row| cursor > row)
        {
            self.end_pause(now);
        }
    }

    /// Nothing stands below the cursor.
    fn at_last_row(&self) -> bool {
        let grid = self.screen.grid();
        grid.line(grid.cursor().line + 1)
            .is_none_or(|row| row.cells.is_empty())
    }

    /// Of a pasted text of several rows all have been painted.
    fn shows_all_rows(&self) -> bool {
        let Some(front) = self.waiting.front() else {
            return true;
        };
        let keys = front.typed.text();
        let several = front.typed.explained() == Explained::Fully && keys.trim_end().contains('\n');
        !several
            || front.anchor.as_ref().is_none_or(|anchor| {
                compact(&read(&self.screen, anchor).text).contains(&compact(&keys))
            })
    }

    /// The editor has left its line.
    pub(crate) fn end_pause(&mut self, now: Instant) {
        let Some(pause) = self.paused.take() else {
            return;
        };
        self.screen.read_on(false);
        self.editor_off(now, pause.shown);
    }

    /// A line editor begins to read: whether it is the one that paused, with its line.
    pub(crate) fn resumes(&mut self, now: Instant) -> bool {
        if self.paused.is_none() {
            return false;
        }
        let here = self.screen.grid().cursor().column > 0;
        let same = here
            && self.paused_anchor().is_some_and(|anchor| {
                let reading = read(&self.screen, anchor);
                reading.found && !(reading.moved && reading.text.is_empty())
            });
        if same {
            self.paused = None;
        } else {
            self.end_pause(now);
            self.screen.read_on(true);
        }
        same
    }

    /// When something was last printed that may show what a key did.
    pub(crate) fn last_shown(&self) -> Option<Instant> {
        match &self.paused {
            Some(pause) => pause.painted_at,
            None => self.last_output,
        }
    }

    /// How long an accepted line waits for the shell's word.
    pub(crate) fn patience(&self) -> Duration {
        match &self.paused {
            Some(_) => LONGEST,
            None => Duration::from_secs(2),
        }
    }

    /// The keys before this moment have line editors open an editor of files.
    pub(crate) fn edits_outside(&self) -> bool {
        self.recent == [Some(Key::Control(0x18)), Some(Key::Control(0x05))]
            || self.typed.escaped && self.recent[1] == Some(Key::Char('v'))
    }
}
