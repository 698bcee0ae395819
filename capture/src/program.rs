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
const LOOK: usize = 4096;
/// This many addressed rows are a painted screen.
const PAINTED: usize = 5;

/// What the answers of the program on the alternate screen have shown.
#[derive(Debug, Default)]
pub struct Program {
    reads: bool,
    waiting: Option<(Instant, Option<char>)>,
    painted: usize,
    /// A shell has taken a line on this screen: it is one that multiplexes terminals, and paints when it likes.
    hosts: bool,
    /// It reads if the last key is not echoed after all.
    perhaps: bool,
}

impl Program {
    /// It has answered keys since it was last forgotten.
    pub fn reads(&self) -> bool {
        self.reads
    }

    /// Another screen is shown: what was seen before counts no more.
    pub fn forget(&mut self) {
        *self = Program::default();
    }

    /// A shell reads, or has taken a line: what reads next must show itself anew.
    pub fn shell(&mut self, hosts: bool) {
        *self = Program {
            hosts: self.hosts || hosts,
            ..Program::default()
        };
    }

    /// A key goes to the asset; its character if it is one to be seen. `unseen`: the one before it has not been echoed.
    pub fn key(
        &mut self,
        now: Instant,
        printable: Option<char>,
        last_output: Option<Instant>,
        unseen: bool,
    ) {
        self.reads |= std::mem::take(&mut self.perhaps) && unseen;
        let quiet = last_output.is_some_and(|at| now.saturating_duration_since(at) >= QUIET);
        if self.waiting.is_none() && quiet {
            self.waiting = Some((now, printable));
        }
    }

    /// A key was not echoed, later ones were.
    pub fn swallowed(&mut self) {
        self.reads |= self.painted >= PAINTED;
    }

    /// The asset printed this on the alternate screen; `editor` says that something there wants pastes in brackets.
    pub fn printed(&mut self, now: Instant, bytes: &[u8], editor: bool) {
        if self.reads {
            return;
        }
        let bytes = bytes.get(..LOOK).unwrap_or(bytes);
        let addressed = addressed(bytes);
        self.painted = self.painted.saturating_add(addressed);
        let Some((at, printable)) = self.waiting else {
            return;
        };
        let late = now.saturating_duration_since(at) > ANSWER;
        if late || addressed > 0 || shows(bytes) {
            self.waiting = None;
        }
        if late {
            return;
        }
        if self.hosts && !editor {
            // Only a key that is not shown tells: the frame around the shell is painted at any time.
            self.perhaps = addressed > 0 && printable.is_some_and(|c| !ends_with(bytes, c));
            return;
        }
        // A cooked terminal echoes the key first; a line editor moves by steps, not to places.
        let elsewhere = bytes.starts_with(b"\r\x1b[") || bytes.starts_with(b"\x1b[H\x1bM");
        self.reads = addressed > 0 || printable.is_some() && elsewhere;
    }
}

/// Whether the last of the text is this character.
fn ends_with(bytes: &[u8], c: char) -> bool {
    let mut buffer = [0; 4];
    text(bytes).ends_with(c.encode_utf8(&mut buffer).as_bytes())
}

/// Whether there is anything to be seen in it: text, or a line end.
fn shows(bytes: &[u8]) -> bool {
    !text(bytes).is_empty()
}

/// What is left without sequences and motions within the row.
fn text(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            0x1b => {
                let body = tail.strip_prefix(b"[").unwrap_or(tail);
                let end = body
                    .iter()
                    .position(|b| matches!(b, 0x40..=0x7e))
                    .map_or(body.len(), |at| at + 1);
                rest = body.get(end..).unwrap_or_default();
            }
            b'\r' | 0x07 | 0x08 => {}
            &other => text.push(other),
        }
    }
    text
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

    fn answers(key: Option<char>, answer: &[u8]) -> bool {
        let start = Instant::now();
        let now = start + Duration::from_millis(100);
        let mut program = Program::default();
        program.key(now, key, Some(start), false);
        program.printed(now, answer, true);
        program.reads()
    }

    #[test]
    fn an_editor_or_a_pager_answers_keys() {
        assert!(answers(
            Some('i'),
            b"\x1b[24;1H\x1b[1m-- INSERT --\x1b[m\x1b[2;1H"
        ));
        assert!(answers(Some('i'), b"\r\x1b[K/"));
        assert!(answers(None, b"\x1b[7;3H"));
    }

    #[test]
    fn an_echo_or_a_line_editor_is_no_answer() {
        assert!(!answers(Some('x'), b"x"));
        assert!(!answers(None, b"^[[A"));
        assert!(!answers(None, b"\r\x1b[K"));
        assert!(!answers(None, b"\x1b[H\x1b[2J$ "));
        assert!(!answers(Some('i'), b"\r\n"));
    }

    #[test]
    fn the_frame_around_a_shell_is_no_answer() {
        let start = Instant::now();
        let mut now = start;
        let mut program = Program::default();
        program.shell(true);
        now += Duration::from_millis(100);
        program.key(now, Some('r'), Some(start), false);
        program.printed(now, b"\x1b[24;1H0:sleep*\x1b[2;1Hr", false);
        assert!(!program.reads());
        program.key(
            now + Duration::from_millis(100),
            Some('i'),
            Some(now),
            false,
        );
        program.printed(
            now + Duration::from_millis(101),
            b"\x1b[23;1H-- INSERT --\x1b[2;1H",
            false,
        );
        assert!(!program.reads());
        program.key(now + Duration::from_millis(300), Some('x'), Some(now), true);
        assert!(program.reads());
    }

    #[test]
    fn what_is_printed_all_the_time_answers_nothing() {
        let now = Instant::now();
        let mut program = Program::default();
        program.key(now, Some('i'), Some(now), false);
        program.printed(now, b"\x1b[5;5H", true);
        assert!(!program.reads());
    }
}
