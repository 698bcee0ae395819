//! Which keys a line editor has replied to, of those that only it can explain (history, searches, completion, vi's commands):
//! what it shows after two of them may be its reply to the first.
use std::time::{Duration, Instant};

/// A reply comes within this time, or there is none.
const LATEST: Duration = Duration::from_millis(300);

/// See the module.
#[derive(Debug, Default)]
pub struct Replies {
    /// The first such key that nothing was printed after.
    asked: Option<Instant>,
    /// Another key was typed before it was.
    overlaid: bool,
}

impl Replies {
    /// A key goes to the asset; `command`: only the line editor knows what it does. `rested`: nothing was printed for a while.
    pub fn key(&mut self, now: Instant, command: bool, rested: bool) {
        self.overlaid = self.asked.is_some() || self.overlaid && !rested;
        if command {
            self.asked.get_or_insert(now);
        }
    }

    /// The asset has printed something; how long that took, if it is a reply.
    pub fn printed(&mut self, now: Instant) -> Option<Duration> {
        let asked = self.asked.take()?;
        // Another key's reply may still be on its way.
        Some(now.saturating_duration_since(asked)).filter(|took| *took <= LATEST)
    }

    /// How long it must be quiet until all replies have come.
    pub fn quiet(&self, settled: Duration, round_trip: Duration) -> Duration {
        match self.overlaid {
            true => (round_trip * 3 + Duration::from_millis(25)).max(Duration::from_millis(40)),
            false => settled.max(round_trip),
        }
    }

    /// All have come, or another line begins.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}
