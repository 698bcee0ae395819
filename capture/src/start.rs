//! Where the line that is being typed begins, and whether a shell reads it.
use crate::capture::{Capture, REST};
use crate::line::{Anchor, Reading, anchor_at, read};
use crate::prompt::looks_like_one;
use crate::screen::Place;
use crate::typed::Explained;
use std::time::{Duration, Instant};

impl Capture {
    /// When the line editor shows an empty line, the keys start anew.
    pub(crate) fn resynchronise(&mut self) {
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

    /// What the asset had to say has been said, also to what is on its way.
    pub(crate) fn has_rested(&self, now: Instant) -> bool {
        let rest = REST + self.echo.round_trip() * 2;
        self.last_output
            .is_some_and(|at| now.saturating_duration_since(at) >= rest)
    }

    /// A line editor that rests at its prompt and shows nothing: what was typed before, other programs have read.
    pub(crate) fn forget_gone(&mut self, now: Instant) {
        if !self.typed.any
            || !self.has_rested(now)
            || !self.screen.bracketed()
            || self.screen.in_alternate()
        {
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
    pub(crate) fn set_anchor(&mut self, now: Instant) {
        let grid = self.screen.grid();
        let cursor = grid.cursor();
        let known = self.prompts.behind(grid, cursor.line);
        let rested = self.screen.bracketed()
            || known.is_some_and(|(place, _)| place == cursor)
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
            if let Some(anchor) = self.anchor_before_keys() {
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

    /// What was typed stands right before the cursor: the line begins there.
    pub(crate) fn anchor_before_keys(&self) -> Option<Anchor> {
        let grid = self.screen.grid();
        let cursor = grid.cursor();
        let keys = self.typed.text();
        let column = cursor.column.checked_sub(keys.chars().count())?;
        let row = grid.line(cursor.line)?;
        if keys.is_empty() || crate::line::text_of(row, column, cursor.column) != keys {
            return None;
        }
        let place = Place {
            line: cursor.line,
            column,
        };
        Some(Anchor {
            stamp: 0,
            right: String::new(),
            ..anchor_at(&self.screen, place, false)
        })
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
    pub(crate) fn prefilled_from(&self, grid: &crate::screen::Grid) -> Option<Place> {
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

    pub(crate) fn at_prompt_known(&self, anchor: Option<&Anchor>) -> bool {
        anchor.is_some_and(|a| self.prompts.knows(&a.prompt))
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
}
