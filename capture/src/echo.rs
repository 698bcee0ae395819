//! Which of the typed characters the asset has not echoed yet, and how long it takes.
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Characters that are waited for at most.
const LIMIT: usize = 4096;
/// How far ahead an echo is looked for: a character that is never echoed must not hide those after it.
const LOOK: usize = 8;

/// What a printed character was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echoed {
    /// Not the echo of a character of the line that is being typed.
    No,
    /// The echo of one of them.
    Current {
        /// Characters typed before it have not been echoed.
        swallowed: bool,
    },
}

/// The characters that have been passed on and not been seen since.
#[derive(Debug, Default)]
pub struct Echo {
    missing: VecDeque<(char, Instant, u64)>,
    echoed: u64,
    round_trip: Duration,
    cleared: bool,
    skipped: bool,
    line: u64,
}

impl Echo {
    /// A character goes to the asset.
    pub fn typed(&mut self, now: Instant, c: char) {
        self.cleared = false;
        if self.missing.len() >= LIMIT {
            self.missing.pop_front();
        }
        self.missing.push_back((c, now, self.line));
    }

    /// A character appeared on the screen.
    pub fn printed(&mut self, now: Instant, c: char) -> Echoed {
        let old = self.missing.partition_point(|m| m.2 != self.line);
        let near = |from: usize| {
            self.missing
                .iter()
                .enumerate()
                .skip(from)
                .take(LOOK)
                .find(|(_, m)| m.0 == c)
                .map(|(index, _)| index)
        };
        let Some(index) = near(0).or_else(|| near(old)) else {
            return Echoed::No;
        };
        let Some((_, at, line)) = self.missing.get(index).copied() else {
            return Echoed::No;
        };
        self.took(now.saturating_duration_since(at));
        let current = line == self.line;
        self.echoed += u64::from(current);
        self.missing.drain(..=index);
        if current {
            self.skipped |= index > 0;
            Echoed::Current {
                swallowed: index > 0,
            }
        } else {
            Echoed::No
        }
    }

    /// A reply took so long: how long they take rises at once, and falls slowly.
    pub fn took(&mut self, trip: Duration) {
        self.round_trip = if trip > self.round_trip {
            trip
        } else {
            (self.round_trip * 7 + trip) / 8
        };
    }

    /// All has come.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty()
    }

    /// Names the line that is being typed.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Not all of this line has come.
    pub fn misses(&self, line: u64) -> bool {
        self.missing.iter().any(|m| m.2 == line)
    }

    /// All of this line has come.
    pub fn has_come(&self) -> bool {
        !self.missing.iter().any(|m| m.2 == self.line)
    }

    /// What of this line has not come.
    pub fn missing_text(&self) -> String {
        self.missing
            .iter()
            .filter(|m| m.2 == self.line)
            .map(|m| m.0)
            .collect()
    }

    /// Some of this line has come, and not what was typed before it.
    pub fn skipped(&self) -> bool {
        self.skipped
    }

    /// The last character of this line has not come.
    pub fn misses_end(&self) -> bool {
        self.missing.back().is_some_and(|m| m.2 == self.line)
    }

    /// Nothing of this line has come.
    pub fn silent(&self) -> bool {
        self.echoed == 0 && self.missing.iter().any(|m| m.2 == self.line)
    }

    /// A new line begins; what has not come yet of the old one still may.
    pub fn next_line(&mut self) {
        self.forget_old();
        self.echoed = 0;
        self.skipped = false;
        self.line += 1;
    }

    /// The lines before this one have been decided about: what of them was never echoed will not be.
    pub fn forget_old(&mut self) {
        while self.missing.front().is_some_and(|m| m.2 != self.line) {
            self.missing.pop_front();
        }
    }

    /// The line was given up.
    pub fn clear(&mut self) {
        self.missing.clear();
        self.echoed = 0;
        self.skipped = false;
        self.cleared = true;
    }

    /// Given up, and nothing typed since.
    pub fn was_cleared(&self) -> bool {
        self.cleared
    }

    /// How long an echo takes.
    pub fn round_trip(&self) -> Duration {
        self.round_trip.min(Duration::from_secs(1))
    }
}
