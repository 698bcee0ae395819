//! Which compound commands are open, and where the pipelines around them began.

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

struct Open {
    frame: Frame,
    /// It gets another command's output.
    piped: bool,
    /// At which of the commands found its pipeline began.
    pipeline: usize,
}

/// The compound commands that are open, the innermost last.
#[derive(Default)]
pub struct Frames {
    open: Vec<Open>,
    /// At which of the commands found the pipeline began that is read.
    pipeline: usize,
}

impl Frames {
    /// Those of a list that begins behind so many commands.
    pub fn behind(found: usize) -> Self {
        Self {
            open: Vec::new(),
            pipeline: found,
        }
    }

    pub fn innermost(&self) -> Option<Frame> {
        self.open.last().map(|open| open.frame)
    }

    pub fn count(&self) -> usize {
        self.open.len()
    }

    pub fn push(&mut self, frame: Frame, piped: bool) {
        self.open.push(Open {
            frame,
            piped,
            pipeline: self.pipeline,
        });
    }

    pub fn pop(&mut self) {
        if let Some(closed) = self.open.pop() {
            self.pipeline = closed.pipeline;
        }
    }

    /// A pipeline begins behind so many commands.
    pub fn begin_pipeline(&mut self, found: usize) {
        self.pipeline = found;
    }

    /// At which of the commands found the pipeline began whose output the next command gets; `None`: it gets none.
    /// `piped`: a `|` stands before it.
    pub fn feeding(&self, piped: bool) -> Option<usize> {
        let around = || self.open.iter().rfind(|open| open.piped);
        match piped {
            true => Some(self.pipeline),
            false => around().map(|open| open.pipeline),
        }
    }
}
