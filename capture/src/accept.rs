//! Lines whose accepting key has been passed on and that wait for the shell to take them.
use crate::action::{JudgementId, Outcome};
use crate::line::{Anchor, Reading};
use crate::typed::Typed;
use std::collections::VecDeque;
use std::time::Instant;

/// An accepted line.
#[derive(Debug)]
pub struct Accept {
    /// When its accepting key was passed on.
    pub at: Instant,
    /// That key.
    pub byte: u8,
    /// What the keys say.
    pub typed: Typed,
    /// Where it begins.
    pub anchor: Option<Anchor>,
    /// What the screen said, when all echo had come.
    pub before: Option<Reading>,
    /// All echo had come, and nothing else was waiting.
    pub settled: bool,
    /// Names the characters of its that are to be echoed.
    pub echo: u64,
    /// A line editor was reading.
    pub editor: bool,
    /// Which reading of that editor it was.
    pub epoch: u64,
    /// On the alternate screen.
    pub alternate: bool,
    /// A program on that screen had answered keys.
    pub answered: bool,
    /// It was to be seen on the screen.
    pub seen: bool,
    /// Line feeds since.
    pub feeds: u32,
    /// It stood there as a terminal without a line editor shows it.
    pub cooked: bool,
    /// A command for a shell, given to a full-screen program.
    pub bang: Option<String>,
    /// One sign stood there for each of its characters.
    pub masked: bool,
    /// Something else printed into it.
    pub disturbed: bool,
    /// No character of it had been echoed.
    pub silent: bool,
    /// The judgement it passed.
    pub judged: Option<JudgementId>,
    /// What became of it.
    pub outcome: Outcome,
    /// It was accepted though nobody had seen it.
    pub unknown: bool,
}

/// Lines that were echoed and logged while no line editor was reading: the shell reads and shows them again when it is back.
#[derive(Debug, Default)]
pub struct Ahead {
    lines: VecDeque<String>,
}

const KEPT: usize = 32;

impl Ahead {
    /// Such a line was logged.
    pub fn passed(&mut self, line: String) {
        self.lines.push_back(line);
        if self.lines.len() > KEPT {
            self.lines.pop_front();
        }
    }

    /// Such a line has not been logged after all.
    pub fn withdraw(&mut self, line: &str) {
        if let Some(index) = self.lines.iter().rposition(|l| l == line) {
            self.lines.remove(index);
        }
    }

    /// A line editor rests and has shown nothing of them: a program has read them.
    pub fn forget(&mut self) {
        self.lines.clear();
    }

    /// A line editor has read a line without a key of the user's: whether it is one of these.
    pub fn read_again(&mut self, line: &str) -> bool {
        let Some(index) = self.lines.iter().position(|l| l.trim() == line.trim()) else {
            return false;
        };
        self.lines.drain(..=index);
        true
    }
}
