//! Which compound commands are open.

/// A compound command that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame {
    Parenthesis,
    Brace,
    If,
    Loop,
    Case,
}

impl Frame {
    pub fn name(self) -> &'static str {
        match self {
            Self::Parenthesis => "(",
            Self::Brace => "{",
            Self::If => "if",
            Self::Loop => "a loop",
            Self::Case => "case",
        }
    }
}

/// The compound commands that are open, the innermost last.
#[derive(Default)]
pub struct Frames {
    /// What it is, and whether it gets another command's output.
    pub(super) open: Vec<(Frame, bool)>,
}

impl Frames {
    pub fn innermost(&self) -> Option<Frame> {
        self.open.last().map(|open| open.0)
    }

    pub fn push(&mut self, frame: Frame, piped: bool) {
        self.open.push((frame, piped));
    }

    pub fn are_piped(&self) -> bool {
        self.open.iter().any(|open| open.1)
    }
}
