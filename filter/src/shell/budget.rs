//! How much may be read for one line, with all that stands in it. Without this, a text that several shells on the line
//! are given would be read by each of them, and every `eval` of a chain would read what the one before has read.

use super::{Fault, MAX_WORDS, MAX_WORK};
use std::cell::Cell;
use std::rc::Rc;

/// What is left. Clones are the same budget.
#[derive(Debug, Clone)]
pub struct Budget {
    left: Rc<Cell<Left>>,
}

#[derive(Debug, Clone, Copy)]
struct Left {
    steps: usize,
    words: usize,
}

impl Budget {
    pub fn new() -> Self {
        Self {
            left: Rc::new(Cell::new(Left {
                steps: MAX_WORK,
                words: MAX_WORDS,
            })),
        }
    }

    /// Takes so many steps; one is about what reading a byte takes.
    pub fn spend(&self, steps: usize) -> Result<(), Fault> {
        let left = self.left.get();
        let rest = left.steps.checked_sub(steps);
        self.left.set(Left {
            steps: rest.unwrap_or(0),
            ..left
        });
        rest.map(drop).ok_or(Fault::TooMuch)
    }

    /// Another word was read.
    pub fn word(&self) -> Result<(), Fault> {
        let left = self.left.get();
        let rest = left.words.checked_sub(1);
        self.left.set(Left {
            words: rest.unwrap_or(0),
            ..left
        });
        rest.map(drop).ok_or(Fault::TooMany)
    }

    /// The steps that were taken.
    pub fn spent(&self) -> usize {
        MAX_WORK.saturating_sub(self.left.get().steps)
    }
}
