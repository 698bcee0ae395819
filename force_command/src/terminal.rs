//! The client's terminal: its size, what is written to it, and how it was when we began.
#![forbid(unsafe_code)]

use crate::relay::Descriptors;
use crate::sys;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::termios::{SetArg, Termios, tcgetattr, tcsetattr};
use std::io::Write;

/// Columns and lines of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Columns, at least 1.
    pub columns: usize,
    /// Lines, at least 1.
    pub lines: usize,
}

/// A size where the client says none.
const USUAL: Size = Size {
    columns: 80,
    lines: 24,
};

/// What puts a terminal back into order that a session has left in any state, without moving its
/// cursor: attributes, character sets, keypad, mouse, paste, cursor, other screen, scroll region.
const RESET: &str = "\x18\x1b[0m\x1b[4l\x1b>\x1b[?1l\x1b[?7h\x1b[?9l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\
    \x1b[?1006l\x1b[?2004l\x1b[?25h\x1b[?1047l\x1b(B\x0f\x1b7\x1b[?6l\x1b[r\x1b8\r";

/// The terminal as it was found.
#[derive(Debug)]
pub struct Terminal {
    modes: Termios,
    flags: Vec<OFlag>,
    plain: bool,
}

impl Terminal {
    /// Remembers how the terminal of descriptors 0 to 2 is. `term`: its type, as the client calls it.
    ///
    /// # Errors
    /// What the kernel says: it is none.
    pub fn find(term: Option<&str>) -> Result<Self, nix::errno::Errno> {
        let Descriptors {
            input,
            output,
            errors,
        } = Descriptors::standard();
        let flags: Result<Vec<OFlag>, _> = [input, output, errors]
            .into_iter()
            .map(|descriptor| fcntl(descriptor, FcntlArg::F_GETFL).map(OFlag::from_bits_truncate))
            .collect();
        Ok(Self {
            modes: tcgetattr(input)?,
            flags: flags?,
            plain: is_plain(term),
        })
    }

    /// Puts it back, after a process that may have died in the midst of its work.
    pub fn restore(&self) {
        let Descriptors {
            input,
            output,
            errors,
        } = Descriptors::standard();
        // Where this fails there is no terminal any more, which is seen elsewhere.
        for (descriptor, flags) in [input, output, errors].into_iter().zip(&self.flags) {
            let _ = fcntl(descriptor, FcntlArg::F_SETFL(*flags));
        }
        let _ = tcsetattr(input, SetArg::TCSADRAIN, &self.modes);
    }

    /// Puts its screen into order after a session.
    pub fn reset(&self) {
        if !self.plain {
            self.write(RESET);
        }
    }

    /// Whether it understands no sequences at all.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.plain
    }

    /// Its size now.
    #[must_use]
    pub fn size(&self) -> Size {
        let Ok(window) = sys::window(Descriptors::standard().output) else {
            return USUAL;
        };
        let or = |given: u16, usual| match given {
            0 => usual,
            given => usize::from(given),
        };
        Size {
            columns: or(window.columns, USUAL.columns),
            lines: or(window.rows, USUAL.lines),
        }
    }

    /// Writes text that is harmless already. Nobody is left to be told if that fails.
    pub fn write(&self, text: &str) {
        let mut out = std::io::stdout();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// Writes a sentence and ends the line.
    pub fn say(&self, sentence: impl std::fmt::Display) {
        self.write(&format!(
            "{}\n",
            crate::text::harmless(&sentence.to_string())
        ));
    }
}

/// Terminals that have no sequences, and those that do not say what they are.
fn is_plain(term: Option<&str>) -> bool {
    matches!(term, None | Some("dumb" | "unknown" | "cons25" | "emacs"))
}
