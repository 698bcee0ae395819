//! What the user is told, on his own terminal.
use crate::action::Action;
use crate::capture::Capture;
use crate::line::{Anchor, read};

impl Capture {
    /// One line for the user, and his prompt again below it.
    pub(crate) fn show(&mut self, text: &str, again: bool) {
        let clean: String = text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        if self.screen.in_alternate() {
            let row = self.screen.grid().height().saturating_sub(1).max(1);
            self.paint(format!("\x1b7\x1b[{row};1H\x1b[7m{clean}\x1b[0m\x1b[K\x1b8").as_bytes());
            return;
        }
        let grid = self.screen.grid();
        let cursor = grid.cursor();
        let prompt = grid
            .line(cursor.line)
            .map(|row| crate::line::text_of(row, 0, usize::MAX))
            .unwrap_or_default();
        let upto = grid
            .line(cursor.line)
            .map(|row| crate::line::text_of(row, 0, cursor.column))
            .unwrap_or_default();
        if again {
            let back = prompt.chars().count().saturating_sub(upto.chars().count());
            let mut painted = format!("\r\x1b[K{clean}\r\n{prompt}");
            if back > 0 {
                painted.push_str(&format!("\r\x1b[{}C", cursor.column.max(1)));
            }
            self.paint(painted.as_bytes());
        } else {
            self.paint(format!("\r\n{clean}\r\n").as_bytes());
        }
    }

    pub(crate) fn ask_user(&mut self, question: &str) {
        let clean: String = question
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        if self.screen.in_alternate() {
            self.show(&clean, false);
        } else {
            self.paint(format!("\r\n{clean} ").as_bytes());
        }
    }

    /// Paints the line under question anew, below the question.
    pub(crate) fn prompt_again(&mut self) {
        if self.screen.in_alternate() {
            return;
        }
        let Some(anchor) = self.anchor.clone() else {
            return;
        };
        let reading = read(&self.screen, &anchor);
        // The line stands above the question; the model finds it there by its prompt.
        let text = if reading.found {
            reading.text.lines().next().unwrap_or("").to_owned()
        } else {
            String::new()
        };
        self.paint(anchor.prompt.as_bytes());
        let place = self.screen.grid().cursor();
        self.paint(text.as_bytes());
        self.anchor = Some(Anchor {
            place,
            stamp: 0,
            right: String::new(),
            ..anchor
        });
    }

    /// To the user's terminal, and to its model.
    pub(crate) fn paint(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.screen.advance(byte);
        }
        self.actions.push_back(Action::Show(bytes.to_vec()));
    }
}
