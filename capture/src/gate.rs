//! What was typed behind an accepted line waits until whoever took that line is seen to read again; only where rules apply.
//!
//! What is sent earlier is echoed by the terminal in the midst of whatever is printed, and a line editor shows it again: it
//! could not be read off the screen any more.
use crate::capture::{Capture, REST};
use crate::hold::SETTLED;
use crate::line::{Anchor, read_from};
use std::time::Instant;

/// The line whose accepting key was passed on last.
#[derive(Clone, Copy, Debug)]
pub struct Gate {
    /// When that was.
    accepted: Instant,
    /// The row on which it ended.
    line: u64,
    /// A line editor was reading.
    editor: bool,
    /// It stood behind a known prompt.
    prompt: bool,
    /// Something stood right of it: it will be painted again behind the prompt.
    right: bool,
    /// No shell took it, nor the one before it: there is no prompt, and nothing was printed between the two.
    plain: bool,
    /// What is typed behind it waits.
    pub(crate) shut: bool,
}

impl Capture {
    /// A line is accepted that began at the anchor; `cooked`: it stands there as a terminal without a line editor shows it.
    pub(crate) fn shut_gate(&mut self, now: Instant, anchor: Option<&Anchor>, cooked: bool) {
        let line = self.screen.grid().cursor().line;
        let editor = self.screen.bracketed();
        let follows = |anchor: &Anchor| {
            let before = self.gate.as_ref().map(|gate| gate.line + 1);
            anchor.place.column == 0 && before == Some(anchor.place.line)
        };
        self.gate = Some(Gate {
            accepted: now,
            line,
            editor,
            prompt: self.at_prompt_known(anchor),
            right: anchor.is_none_or(|anchor| !anchor.right.is_empty()),
            plain: cooked && anchor.is_some_and(follows),
            shut: true,
        });
    }

    /// Until when text behind an accepted line waits.
    pub(crate) fn gate(&self) -> Option<Instant> {
        let gate = self
            .gate
            .as_ref()
            .filter(|gate| gate.shut && self.settings.enforcing)?;
        if self.reads_on(gate) {
            return None;
        }
        let bound = gate.accepted + self.settings.hold;
        let quiet = self
            .last_output
            .map_or(gate.accepted, |o| o.max(gate.accepted));
        let back = match gate.editor {
            true => self.screen.bracketed() && self.waiting.is_empty(),
            // A prompt is expected.
            false => !gate.prompt,
        };
        let until = if back {
            quiet + SETTLED
        } else {
            quiet + REST + self.echo.round_trip() * 2
        };
        Some(until.min(bound))
    }

    /// It is seen to read again: the prompt is back, and nothing stands behind it; or there is none, and the row has ended.
    fn reads_on(&self, gate: &Gate) -> bool {
        let grid = self.screen.grid();
        let cursor = grid.cursor();
        if self.screen.in_alternate()
            || gate.editor != self.screen.bracketed()
            || !self.waiting.is_empty()
            || cursor.line <= gate.line
        {
            return false;
        }
        let nothing = || read_from(grid, cursor, 0, "", false).text.is_empty();
        if gate.plain {
            return cursor.column == 0 && nothing();
        }
        !gate.right
            && self
                .prompts
                .behind(grid, cursor.line)
                .is_some_and(|(place, _)| place == cursor && nothing())
    }
}
