//! Commands that a full-screen program hands to a shell: `:!command`, `!command`.
use crate::accept::Accept;
use crate::action::{Action, Certainty};
use crate::capture::Capture;
use crate::log::command;
use crate::screen::Place;

impl Capture {
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
}
