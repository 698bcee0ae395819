//! Lines typed on the alternate screen, echoed there as a terminal echoes, behind no prompt, while nothing there had answered
//! keys: a shell's, which reads them when what runs has ended, or keys of a program that is about to show itself. They wait
//! until one of the two is seen (`claimed`). What nobody claims is kept: a shell may have run it.
use crate::accept::Accept;
use crate::action::{Certainty, Command, JudgementId};
use crate::capture::{Capture, WAITING_CHARACTERS};
use crate::line::{Reading, cursor_line, read_from};
use crate::log::command;
use crate::prompt::looks_like_one;
use crate::reading::{Decision, Evidence, decide};
use crate::screen::Place;
use crate::typed::Explained;

/// So many wait; when more come, the first are kept.
pub(crate) const MOST: usize = 64;
/// So many judgements later a line waits no more.
const JUDGEMENTS: u64 = 64;

impl Capture {
    /// A line that may be a shell's has been accepted, and its echo been seen.
    pub(crate) fn doubt(&mut self, accept: &Accept, reading: Option<&Reading>) {
        if accept.bang.is_some() || accept.answered {
            self.log_bang(accept);
            return;
        }
        let decision = decide(Evidence {
            typed: &accept.typed,
            before: accept.before.as_ref(),
            after: reading,
            editor: accept.editor,
            sure: false,
            disturbed: accept.disturbed,
            silent: accept.silent,
            unfinished: false,
        });
        let Decision::Line(line, certainty) = decision else {
            return;
        };
        if !accept.editor && self.epoch > 0 {
            self.ahead.passed(line.clone());
        }
        let doubtful = command(accept, line, certainty.min(Certainty::Likely));
        self.doubtful.push_back(doubtful);
        let length = |command: &Command| command.line.len();
        while self.doubtful.len() > MOST
            || self.doubtful.iter().map(length).sum::<usize>() > WAITING_CHARACTERS
        {
            let Some(first) = self.doubtful.pop_front() else {
                return;
            };
            self.log(first, false);
        }
    }

    /// Another line is judged. What was said so many judgements ago is not kept any longer for a line that nobody claims: it
    /// is logged.
    pub(crate) fn keep_late(&mut self) {
        let oldest = JudgementId(self.judgements.saturating_sub(JUDGEMENTS));
        let is_late = |command: &Command| command.judged.is_some_and(|id| id < oldest);
        let late = self.doubtful.iter().rposition(is_late);
        let rest = self.doubtful.split_off(late.map_or(0, |last| last + 1));
        for command in std::mem::replace(&mut self.doubtful, rest) {
            self.log(command, false);
        }
        self.forget_judgements_of_claimed(oldest);
    }

    /// A shell reads: what was typed before was its.
    pub(crate) fn shell_reads(&mut self) {
        for command in std::mem::take(&mut self.doubtful) {
            self.log(command, false);
        }
    }

    /// Looks whether a shell reads: its known prompt stands right before the cursor, or before one of these lines.
    pub(crate) fn look_for_shell(&mut self) {
        if self.doubtful.is_empty() {
            return;
        }
        let grid = self.screen.grid();
        let cursor = grid.cursor();
        let (start, _) = cursor_line(grid);
        let Some((place, _)) = self.prompts.behind(grid, start.line) else {
            return;
        };
        let shown = read_from(grid, place, 0, "", false).text;
        let is = |command: &Command| command.line.trim_end() == shown;
        if place == cursor && shown.is_empty() || self.doubtful.iter().any(is) {
            self.shell_reads();
        }
    }

    /// A line editor has stopped reading a line that was typed on the alternate screen: as it stands behind a prompt on the
    /// row that it has just left, if it does.
    pub(crate) fn read_by_shell(&self, accept: &Accept) -> Option<Reading> {
        let keys = accept.typed.text();
        let keys = keys.trim_end();
        let fully = accept.typed.explained() == Explained::Fully && !keys.is_empty();
        let foreign = self.screen.in_alternate() && accept.answered;
        let shown = self.left_row((fully && !foreign).then_some(keys))?;
        let is = shown.text == keys;
        let rest = accept.typed.ahead && fully && keys.ends_with(&shown.text);
        (is || !foreign && (rest || !fully)).then_some(shown)
    }

    /// What stands behind a known prompt on the cursor's line or the one above it, or behind what looks like a prompt if it is
    /// these keys.
    pub(crate) fn left_row(&self, keys: Option<&str>) -> Option<Reading> {
        let grid = self.screen.grid();
        let (here, _) = cursor_line(grid);
        [Some(here.line), here.line.checked_sub(1)]
            .into_iter()
            .flatten()
            .find_map(|line| {
                let start = self.first_row(line);
                // The editor may have begun in mid-row, behind what was typed ahead.
                let from = match self.began.line == start {
                    true => self.began.column,
                    false => 0,
                };
                if let Some((place, _)) = self.prompts.behind_from(grid, start, from) {
                    let shown = read_from(grid, place, 0, "", false);
                    return (!shown.text.is_empty()).then_some(Reading {
                        found: true,
                        moved: true,
                        ..shown
                    });
                }
                let place = Place {
                    line: start,
                    column: from,
                };
                let row = read_from(grid, place, 0, "", false).text;
                let row = row.trim_end();
                let prompt = row.strip_suffix(keys?)?;
                let is = looks_like_one(prompt) && prompt.trim_end().chars().count() > 1;
                is.then(|| Reading::of_keys(keys.unwrap_or_default()))
            })
    }

    /// The first row of the line that this row belongs to.
    fn first_row(&self, mut line: u64) -> u64 {
        let grid = self.screen.grid();
        let lowest = line.saturating_sub(1000);
        while line > lowest && grid.line(line - 1).is_some_and(|row| row.wrapped) {
            line -= 1;
        }
        line
    }
}
