//! Which of the typed characters the asset has not echoed yet, and how long it takes.
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Characters that are waited for at most.
const LIMIT: usize = 4096;
/// How far ahead an echo is looked for: a character that is never echoed must not hide those after it.
const LOOK: usize = 8;

/// The characters that have been passed on and not been seen since.
#[derive(Debug, Default)]
pub struct Echo {
    missing: VecDeque<(char, Instant)>,
    echoed: u64,
    round_trip: Duration,
    cleared: bool,
}

impl Echo {
    /// A character goes to the asset.
    pub fn typed(&mut self, now: Instant, c: char) {
        self.cleared = false;
        if self.missing.len() >= LIMIT {
            self.missing.pop_front();
        }
        self.missing.push_back((c, now));
    }

    /// A character appeared on the screen.
    pub fn printed(&mut self, now: Instant, c: char) {
        let Some(index) = self.missing.iter().take(LOOK).position(|(m, _)| *m == c) else {
            return;
        };
        if let Some((_, at)) = self.missing.get(index) {
            let trip = now.saturating_duration_since(*at);
            // Rises at once, falls slowly.
            self.round_trip = if trip > self.round_trip {
                trip
            } else {
                (self.round_trip * 7 + trip) / 8
            };
        }
        self.echoed += 1;
        self.missing.drain(..=index);
    }

    /// All has come.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty()
    }

    /// Nothing of this line has come.
    pub fn silent(&self) -> bool {
        self.echoed == 0 && !self.missing.is_empty()
    }

    /// A new line begins; what has not come yet of the old one still may.
    pub fn next_line(&mut self) {
        self.echoed = 0;
    }

    /// The line was given up.
    pub fn clear(&mut self) {
        self.missing.clear();
        self.echoed = 0;
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
