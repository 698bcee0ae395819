//! Doubtful lines that a program on the alternate screen has claimed by answering keys. Anybody can paint such an answer: when a
//! shell shows one of them behind its prompt and takes it, it is kept after all.
use crate::action::{Command, JudgementId};
use crate::capture::{Capture, WAITING_CHARACTERS};
use crate::doubtful::MOST;
use crate::line::{cursor_line, read_from};
use std::time::Instant;

impl Capture {
    /// A program on the alternate screen has answered keys: lines before seem to be its own, and nothing has logged them.
    pub(crate) fn program_answers(&mut self) {
        if self.doubtful.is_empty() || !self.program.reads() {
            return;
        }
        for command in std::mem::take(&mut self.doubtful) {
            self.ahead.withdraw(&command.line);
            self.claimed.push_back(command);
        }
        let length = |command: &Command| command.line.len();
        while self.claimed.len() > MOST
            || self.claimed.iter().map(length).sum::<usize>() > WAITING_CHARACTERS
        {
            self.claimed.pop_front();
        }
    }

    /// A shell has taken this without a key of the user's: if it is one of these, it is logged. Those before went elsewhere.
    pub(crate) fn was_claimed(&mut self, line: &str) -> bool {
        let is = |command: &Command| command.line.trim() == line.trim();
        let Some(index) = self.claimed.iter().position(is) else {
            return false;
        };
        let shown = self.claimed.drain(..=index).next_back();
        if let Some(command) = shown {
            self.log(command, false);
        }
        true
    }

    /// A row ends. A line editor that does not say when it reads may have taken one of these, behind a known prompt.
    pub(crate) fn look_for_claimed(&mut self) {
        if self.claimed.is_empty() || !self.waiting.is_empty() || self.screen.bracketed() {
            return;
        }
        let grid = self.screen.grid();
        let (start, _) = cursor_line(grid);
        let Some((place, _)) = self.prompts.behind(grid, start.line) else {
            return;
        };
        let shown = read_from(grid, place, 0, "", false).text;
        let shown = shown.trim();
        if !shown.is_empty() && shown != self.typed.text().trim() {
            self.was_claimed(shown);
        }
    }

    /// A key: a shell that rests and has shown none of these was not given them.
    pub(crate) fn forget_claimed(&mut self, now: Instant) {
        if self.claimed.is_empty() || !self.has_rested(now) {
            return;
        }
        let grid = self.screen.grid();
        let cursor = grid.cursor();
        let behind = self.prompts.behind(grid, cursor.line);
        if self.screen.bracketed() || behind.is_some_and(|(place, _)| place == cursor) {
            self.claimed.clear();
        }
    }

    /// Another line is judged: what was said of these so long ago is asked for no more.
    pub(crate) fn forget_judgements_of_claimed(&mut self, before: JudgementId) {
        for command in &mut self.claimed {
            command.judged = command.judged.filter(|id| *id >= before);
        }
    }
}
