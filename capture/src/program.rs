//! Whether a full-screen program reads the keys, or only its screen is there.
//!
//! The escape sequence of the alternate screen says nothing: anybody can print it, and what is typed ahead while it is shown
//! may be meant for a shell. A program is believed to read when it *answers keys* in a way in which neither a terminal in its
//! cooked mode nor a line editor does.
use std::time::{Duration, Instant};

/// An answer comes within this time of its key.
const ANSWER: Duration = Duration::from_millis(500);
/// Before the key, nothing was printed for this long: what is printed all the time answers nothing.
const QUIET: Duration = Duration::from_millis(40);
/// Of an answer, this much is looked at.
const LOOK: usize = 512;
/// This many addressed rows are a painted screen.
const PAINTED: usize = 5;

/// What the answers of the program on the alternate screen have shown.
#[derive(Debug, Default)]
pub struct Program {
    reads: bool,
    waiting: Option<(Instant, bool)>,
    painted: usize,
}

impl Program {
    /// It has answered keys since it was last forgotten.
    pub fn reads(&self) -> bool {
        self.reads
    }

    /// Another screen is shown, or a shell has taken a line: what was seen before counts no more.
    pub fn forget(&mut self) {
        *self = Program::default();
    }

    /// A key goes to the asset.
    pub fn key(&mut self, now: Instant, printable: bool, last_output: Option<Instant>) {
        let quiet = last_output.is_some_and(|at| now.saturating_duration_since(at) >= QUIET);
        if self.waiting.is_none() && quiet {
            self.waiting = Some((now, printable));
        }
    }

    /// A key was not echoed, later ones were.
    pub fn swallowed(&mut self) {
        self.reads |= self.painted >= PAINTED;
    }

    /// The asset printed this on the alternate screen.
    pub fn printed(&mut self, now: Instant, bytes: &[u8]) {
        if self.reads {
            return;
        }
        let bytes = bytes.get(..LOOK).unwrap_or(bytes);
        let addressed = addressed(bytes);
        self.painted = self.painted.saturating_add(addressed);
        let Some((at, printable)) = self.waiting.take() else {
            return;
        };
        if now.saturating_duration_since(at) > ANSWER {
            return;
        }
        // A cooked terminal echoes the key first; a line editor moves by steps, not to places.
        let elsewhere = bytes.starts_with(b"\r\x1b[") || bytes.starts_with(b"\x1b[H\x1bM");
        self.reads = addressed > 0 || printable && elsewhere;
    }
}

/// How many motions to a place there are, but for the one to the upper left corner.
fn addressed(bytes: &[u8]) -> usize {
    let mut found = 0;
    for at in memchr::memmem::find_iter(bytes, b"\x1b[") {
        let rest = bytes.get(at + 2..).unwrap_or_default();
        let end = rest
            .iter()
            .position(|b| !matches!(b, b'0'..=b'9' | b';'))
            .unwrap_or(rest.len());
        let (parameters, tail) = rest.split_at(end);
        let motion = matches!(tail.first(), Some(b'H' | b'f' | b'd'));
        if motion && !matches!(parameters, b"" | b"1;1" | b"1") {
            found += 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::Program;
    use std::time::{Duration, Instant};

    fn answers(key: bool, answer: &[u8]) -> bool {
        let start = Instant::now();
        let now = start + Duration::from_millis(100);
        let mut program = Program::default();
        program.key(now, key, Some(start));
        program.printed(now, answer);
        program.reads()
    }

    #[test]
    fn an_editor_or_a_pager_answers_keys() {
        assert!(answers(
            true,
            b"\x1b[24;1H\x1b[1m-- INSERT --\x1b[m\x1b[2;1H"
        ));
        assert!(answers(true, b"\r\x1b[K/"));
        assert!(answers(false, b"\x1b[7;3H"));
    }

    #[test]
    fn an_echo_or_a_line_editor_is_no_answer() {
        assert!(!answers(true, b"x"));
        assert!(!answers(false, b"^[[A"));
        assert!(!answers(false, b"\r\x1b[K"));
        assert!(!answers(false, b"\x1b[H\x1b[2J$ "));
        assert!(!answers(true, b"\r\n"));
    }

    #[test]
    fn what_is_printed_all_the_time_answers_nothing() {
        let now = Instant::now();
        let mut program = Program::default();
        program.key(now, true, Some(now));
        program.printed(now, b"\x1b[5;5H");
        assert!(!program.reads());
    }
}
