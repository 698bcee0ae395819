//! A script as it comes in over standard input, cut into what a shell would run at a time.
//!
//! The stream is hostile: what is held is bounded, and time is linear in its length unless it comes in crumbs.

use crate::context::Language;
use crate::shell::{MAX_LENGTH, first_line};

/// What stands in the place of a byte that is no text.
const NO_TEXT: u8 = 0x1a;

/// What a shell would run before it reads on: a line, or as many as belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Byte for byte.
    pub bytes: Vec<u8>,
    /// The same as text, to be judged; bytes that are none are U+001A.
    pub text: String,
    /// It is known what belongs together here: no quote that began before still holds.
    pub in_step: bool,
}

/// A script that is being read.
#[derive(Debug)]
pub struct Script {
    language: Language,
    /// Whole lines, and the same as text: as many bytes, line by line.
    lines: Vec<u8>,
    text: String,
    /// Up to where they were given out.
    at: usize,
    /// A line whose end has not come.
    tail: Vec<u8>,
    /// So many of its bytes were looked at without finding the end of what belongs together.
    looked_at: usize,
    /// What belongs together is still known. Once more than is read belonged together, it is not.
    synced: bool,
}

impl Script {
    /// Nothing has come yet.
    #[must_use]
    pub fn new(language: Language) -> Self {
        Self {
            language,
            lines: Vec::new(),
            text: String::new(),
            at: 0,
            tail: Vec::new(),
            looked_at: 0,
            synced: true,
        }
    }

    /// More has come.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.at > 0 {
            self.lines.drain(..self.at);
            self.text.drain(..self.at);
            self.at = 0;
        }
        let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') else {
            return self.tail.extend_from_slice(bytes);
        };
        let (whole, rest) = bytes.split_at(end + 1);
        let mut lines = std::mem::take(&mut self.tail);
        lines.extend_from_slice(whole);
        self.text.push_str(&as_text(&lines));
        self.lines.append(&mut lines);
        self.tail = rest.to_vec();
    }

    /// The next piece, if one is whole.
    pub fn next_piece(&mut self) -> Option<Piece> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if rest.is_empty() {
            return self.endless_line();
        }
        let one_line = rest.find('\n').map_or(rest.len(), |at| at + 1);
        if self.language != Language::Shell || !self.synced {
            return self.give(one_line);
        }
        let waits = rest.len() + self.tail.len() <= MAX_LENGTH;
        // Only a line end can change that.
        if waits && self.looked_at == rest.len() {
            return None;
        }
        let window = window(rest);
        match first_line(window) {
            Ok(Some(length)) => self.give(length),
            Ok(None) if waits => {
                self.looked_at = rest.len();
                None
            }
            Ok(None) => {
                self.synced = false;
                self.give(window.len().max(one_line))
            }
            Err(_) => {
                self.synced = false;
                self.give(one_line)
            }
        }
    }

    /// All that is left, when no more comes.
    pub fn finish(&mut self) -> Option<Piece> {
        let mut bytes = self.lines.split_off(self.at.min(self.lines.len()));
        bytes.append(&mut self.tail);
        (self.lines, self.text) = (Vec::new(), String::new());
        (self.at, self.looked_at) = (0, 0);
        let text = as_text(&bytes);
        let in_step = self.synced;
        (!bytes.is_empty()).then_some(Piece {
            bytes,
            text,
            in_step,
        })
    }

    /// All that is left, without having been looked at.
    pub fn take_all(&mut self) -> Vec<u8> {
        self.finish().map(|piece| piece.bytes).unwrap_or_default()
    }

    /// How many bytes are held.
    #[must_use]
    pub fn held(&self) -> usize {
        self.lines.len().saturating_sub(self.at) + self.tail.len()
    }

    /// Whether something is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.at >= self.lines.len() && self.tail.is_empty()
    }

    fn give(&mut self, length: usize) -> Option<Piece> {
        let end = self.at + length;
        let bytes = self.lines.get(self.at..end)?.to_vec();
        let text = self.text.get(self.at..end)?.to_owned();
        self.at = end;
        self.looked_at = 0;
        Some(Piece {
            bytes,
            text,
            in_step: self.synced,
        })
    }

    /// A line that is longer than any that is read is not waited for.
    fn endless_line(&mut self) -> Option<Piece> {
        if self.tail.len() <= MAX_LENGTH {
            return None;
        }
        self.synced = false;
        let bytes = std::mem::take(&mut self.tail);
        let text = as_text(&bytes);
        Some(Piece {
            bytes,
            text,
            in_step: false,
        })
    }
}

/// As many whole lines as are read at once.
fn window(rest: &str) -> &str {
    let mut end = MAX_LENGTH.min(rest.len());
    while !rest.is_char_boundary(end) {
        end -= 1;
    }
    let begin = rest.get(..end).unwrap_or_default();
    let end = begin.rfind('\n').map_or(0, |at| at + 1);
    rest.get(..end).unwrap_or_default()
}

/// As many bytes, all of them text.
fn as_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for part in bytes.utf8_chunks() {
        text.push_str(part.valid());
        text.extend(part.invalid().iter().map(|_| char::from(NO_TEXT)));
    }
    text
}

#[cfg(test)]
#[path = "script_tests.rs"]
mod tests;
