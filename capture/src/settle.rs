//! Accepted lines that nothing has confirmed: some belong to a construct, some went elsewhere.
use crate::accept::Accept;
use crate::action::Certainty;
use crate::capture::{Capture, FEEDS, REST};
use crate::keys::Key;
use crate::line::{Reading, read_from, text_of};
use crate::log::command;
use crate::prompt::{continues, looks_like_one};
use crate::typed::Explained;
use std::time::Instant;

impl Capture {
    /// Decides about accepted lines that nothing has confirmed, when the user goes on typing after a rest.
    pub(crate) fn settle_stale(&mut self, now: Instant) {
        let rested = self
            .last_output
            .is_some_and(|at| now.saturating_duration_since(at) >= REST);
        while let Some(front) = self.waiting.front()
            && self.paused.is_none()
            && rested
            && now.saturating_duration_since(front.at) >= REST * 2
            // What came with its accepting key was there before it.
            && self.last_output.is_some_and(|at| at > front.at)
        {
            self.settle_oldest();
        }
    }

    /// A line editor that has not stopped reading since has not taken it.
    fn settle_oldest(&mut self) {
        let Some(front) = self.waiting.front() else {
            return;
        };
        let reads = front.editor && self.screen.bracketed() && front.epoch == self.epoch;
        if !reads || front.alternate && self.program.reads() {
            self.settle_front();
        } else if self.prompt_is_back(front) {
            self.take_shown();
        } else {
            self.continue_line();
        }
    }

    /// The prompt before this line stands on a row below it, or where it stood, with nothing behind it: the line was taken. (What
    /// multiplexes terminals may leave out that the line editor stopped reading and began again, and scrolls as it likes.)
    pub(crate) fn prompt_is_back(&self, accept: &Accept) -> bool {
        let grid = self.screen.grid();
        let Some(anchor) = accept.anchor.as_ref() else {
            return false;
        };
        let shown = accept.before.as_ref();
        let had_text = shown.is_some_and(|shown| shown.found && !shown.text.is_empty());
        let cursor = grid.cursor();
        let empty = read_from(grid, cursor, 0, "", true).text.is_empty();
        if !empty || !(cursor.line > anchor.place.line || had_text) {
            return false;
        }
        let known = self.prompts.behind(grid, cursor.line);
        let same = known.is_some_and(|(place, prompt)| {
            place == cursor && prompt == crate::line::plain(&anchor.prompt)
        });
        let row = grid.line(cursor.line);
        same || row.is_some_and(|row| alike(&text_of(row, 0, cursor.column), &anchor.prompt))
    }

    /// The oldest accepted line was taken, as it stood when it was accepted, or stands above the prompt that is back.
    pub(crate) fn take_shown(&mut self) {
        if let Some(accept) = self.waiting.pop_front() {
            let known = |shown: &Reading| shown.found && !shown.text.is_empty();
            let shown = accept.before.clone().filter(known);
            let reading = shown.or_else(|| self.read_above());
            self.take(accept, reading.as_ref(), true);
        }
    }

    /// The line behind the lowest known prompt above the cursor.
    fn read_above(&self) -> Option<Reading> {
        let grid = self.screen.grid();
        let cursor = grid.cursor().line;
        let rows = cursor.saturating_sub(u64::from(FEEDS))..cursor;
        let (place, _) = rows
            .rev()
            .find_map(|line| self.prompts.behind(grid, line))?;
        let reading = read_from(grid, place, 0, "", false);
        Some(Reading {
            found: true,
            moved: true,
            ..reading
        })
    }

    /// A key typed after an accepting one is echoed by the same line editor: that one accepted no line (a search, most likely).
    pub(crate) fn still_editing(&mut self) {
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
    pub(crate) fn continue_line(&mut self) {
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
    pub(crate) fn settle_front(&mut self) {
        let Some(accept) = self.waiting.pop_front() else {
            return;
        };
        if accept.typed.shown == 0 {
            return;
        }
        // What a line editor was given and is too long to be kept whole is no secret.
        let endless = accept.editor && accept.typed.cut && !accept.masked;
        let visible = accept.seen
            || endless
            || accept
                .before
                .as_ref()
                .is_some_and(|r| !r.text.is_empty() && !crate::reading::masked(&r.text));
        if !visible {
            if accept.alternate || accept.typed.explained() == Explained::No {
                return;
            }
            // A row that is due is never one of many.
            if accept.judged.is_some() || self.hides_from_shell(&accept) || !self.counted() {
                self.hidden(&accept);
                self.count_from(&accept);
            }
            return;
        }
        if accept.bang.is_some() {
            self.log_bang(&accept);
            return;
        }
        if !self.counts(&accept) {
            let seen = accept.seen.then(|| Reading::of_keys(&accept.typed.text()));
            self.doubt(&accept, seen.as_ref());
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
            return;
        }
        if accept.judged.is_some() && self.unread.is_some() {
            let line = accept.typed.text();
            self.log(command(&accept, line, Certainty::Raw), false);
            return;
        }
        self.counted();
    }
}

/// Whether these are prompts of one kind: a folder or a branch in them may have changed.
fn alike(prompt: &str, other: &str) -> bool {
    let ends = |text: &str| {
        let text = text.trim();
        (text.chars().next(), text.chars().last())
    };
    prompt.trim().chars().count() > 2
        && looks_like_one(prompt)
        && !continues(prompt)
        && ends(prompt) == ends(other)
}
