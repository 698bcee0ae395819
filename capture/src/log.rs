//! What is reported of a line that was taken.
use crate::accept::Accept;
use crate::action::{Action, Certainty, Command, Outcome};
use crate::capture::{Capture, Edited};
use crate::line::{Reading, cursor_line, read_from};
use crate::prompt::looks_like_one;
use crate::reading::{Decision, Evidence, decide};
use crate::typed::{Explained, LINE_LIMIT, Typed};
use std::time::Instant;

/// So much of a line's end must be seen where its echo came late: at most, at least, on so many rows.
const END: usize = 200;
const LEAST_OF_END: usize = 8;
const ROWS_OF_END: u64 = 8;

impl Capture {
    /// A line has been taken: logs it.
    pub(crate) fn take(
        &mut self,
        accept: Accept,
        reading: Option<&Reading>,
        editor: bool,
    ) -> Option<String> {
        let decision = decide(Evidence {
            typed: &accept.typed,
            before: accept.before.as_ref(),
            after: reading,
            editor: editor || accept.editor,
            sure: accept.anchor.as_ref().is_some_and(|a| a.sure),
            disturbed: accept.disturbed,
            silent: accept.silent
                && !(accept.editor && self.shows_end_of(&accept.typed))
                && !self.stands_behind_prompt(&accept.typed),
            unfinished: false,
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
                // Without an accepting key, it may be half a line: the editor stopped for something else.
                let certainty = if accept.unknown || accept.byte == 0 {
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

    /// The echo came late, as that of a long paste does: what was typed, or its end, stands where the editor left it. What is
    /// too long to be kept whole is no secret.
    fn shows_end_of(&self, typed: &Typed) -> bool {
        let solid =
            |text: &str| -> Vec<char> { text.chars().filter(|c| !c.is_whitespace()).collect() };
        let keys = solid(&typed.text());
        let end = keys
            .get(keys.len().saturating_sub(END)..)
            .unwrap_or_default();
        let grid = self.screen.grid();
        let cursor = grid.cursor().line;
        let mut shown = Vec::new();
        for line in cursor.saturating_sub(ROWS_OF_END)..=cursor {
            if let Some(row) = grid.line(line) {
                shown.extend(solid(&crate::line::text_of(row, 0, usize::MAX)));
            }
        }
        typed.cut || (end.len() >= LEAST_OF_END && shown.ends_with(end))
    }

    /// The echo came late, and behind a shell's prompt: what was typed is all that stands there.
    fn stands_behind_prompt(&self, typed: &Typed) -> bool {
        let grid = self.screen.grid();
        let keys = typed.text();
        typed.explained() == Explained::Fully
            && !keys.trim().is_empty()
            && self
                .prompts
                .behind(grid, grid.cursor().line)
                .is_some_and(|(place, _)| {
                    read_from(grid, place, 0, "", false).text == keys.trim_end()
                })
    }

    /// The shell prints what was written in an editor of files before it runs it.
    pub(crate) fn edited_line(&mut self, now: Instant) {
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

    /// If nobody could see it, a shell was given a hidden line.
    pub(crate) fn hides_from_shell(&self, accept: &Accept) -> bool {
        accept.editor && !accept.masked || self.at_prompt_known(accept.anchor.as_ref())
    }

    /// Something was accepted that nobody could see.
    pub(crate) fn hidden(&mut self, accept: &Accept) {
        if self.hides_from_shell(accept) {
            let mut hidden = command(accept, String::new(), Certainty::Raw);
            hidden.hidden = true;
            self.actions.push_back(Action::Command(hidden));
        } else {
            self.actions.push_back(Action::Hidden { at: accept.at });
        }
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

    pub(crate) fn remember(&mut self, command: &Command) {
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
    pub(crate) fn expanded(&mut self, printed: bool) {
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
