//! A line editor says that it has stopped reading: which line has it taken?
use crate::accept::Accept;
use crate::action::{Certainty, Outcome};
use crate::capture::{Capture, Edited, LOOKED_FOR};
use crate::line::{Reading, read};
use crate::log::command;
use crate::typed::Explained;
use std::time::Instant;

impl Capture {
    /// A line editor has stopped reading: it took the line, or the line was given up.
    pub(crate) fn editor_off(&mut self, now: Instant, shown: Option<Reading>) {
        self.skip_to_shown();
        if self.takes_earlier() {
            return;
        }
        let Some(accept) = self.waiting.pop_front() else {
            if self.abandoned || self.echo.was_cleared() {
                self.anchor = None;
                return;
            }
            self.editor_off_unasked(now, shown);
            return;
        };
        if !self.counts(&accept) {
            match self.read_by_shell(&accept) {
                Some(reading) => {
                    self.shell_reads();
                    self.take(accept, Some(&reading), true);
                }
                None => {
                    let seen = accept.seen.then(|| Reading::of_keys(&accept.typed.text()));
                    self.doubt(&accept, seen.as_ref());
                }
            }
            return;
        }
        let reading = self.read_accepted(&accept);
        self.take(accept, reading.as_ref(), true);
    }

    /// It has not taken the line that waits, but shows one that was typed ahead of it and logged then.
    fn takes_earlier(&mut self) -> bool {
        let Some(front) = self.waiting.front() else {
            return false;
        };
        let keys = front.typed.text();
        let fully = front.typed.explained() == Explained::Fully && !keys.trim().is_empty();
        let earlier = self.left_row(None).filter(|_| fully);
        let Some(earlier) = earlier.filter(|shown| shown.text.trim() != keys.trim()) else {
            return false;
        };
        let takes = self.ahead.read_again(&earlier.text) || self.was_claimed(&earlier.text);
        if takes {
            self.shell_reads();
        }
        takes
    }

    /// Of several accepted lines the editor has taken the one that it shows; those before it went elsewhere.
    pub(crate) fn skip_to_shown(&mut self) {
        if self.waiting.len() < 2 {
            return;
        }
        let Some(shown) = self.read_behind_prompt() else {
            return;
        };
        let is = |accept: &Accept| {
            accept.typed.explained() == Explained::Fully && accept.typed.text().trim() == shown.text
        };
        if let Some(index) = self.waiting.iter().take(LOOKED_FOR).position(is) {
            for _ in 0..index {
                self.settle_front();
            }
        }
    }

    pub(crate) fn read_accepted(&self, accept: &Accept) -> Option<Reading> {
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
                    return Some(Reading::of_keys(&keys));
                }
            }
        }
        accept
            .anchor
            .as_ref()
            .map(|anchor| read(&self.screen, anchor))
    }

    /// The editor stopped without an accepting key of the user's: a line typed ahead is read again, or a key of its own accepts.
    /// What it showed before it began another row may be known.
    pub(crate) fn editor_off_unasked(&mut self, now: Instant, shown: Option<Reading>) {
        if self.edits_outside() {
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
            answered: self.screen.in_alternate() && self.program.reads(),
            seen: false,
            feeds: 0,
            cooked: false,
            bang: None,
            masked: false,
            disturbed: self.disturbed,
            silent: false,
            judged: None,
            outcome: Outcome::Passed,
            unknown: false,
        };
        let counts = self.counts(&accept);
        let reading = match counts {
            true => shown.or_else(|| self.read_accepted(&accept)),
            false => self.left_row(None),
        };
        if let Some(reading) = &reading
            && (self.ahead.read_again(&reading.text) || self.was_claimed(&reading.text))
        {
            self.typed = accept.typed.clone();
            self.shell_reads();
            return;
        }
        if !counts {
            return;
        }
        if accept.typed.any {
            self.take(accept, reading.as_ref(), true);
        } else if let Some(reading) = reading.filter(|r| r.found && !r.text.is_empty())
            && self.reads_counted()
        {
            self.log(command(&accept, reading.text, Certainty::Likely), true);
        }
    }
}
