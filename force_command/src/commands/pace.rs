//! How many of the lines of one terminal are kept one by one: a person never types so many, and a flood must not fill the store.

use std::time::{Duration, Instant};

/// What a rate is counted over.
const HOUR: Duration = Duration::from_secs(3600);
/// After so long what was counted is told.
const TOLD_AFTER: Duration = Duration::from_secs(60);

/// See the module.
#[derive(Debug)]
pub struct Pace {
    /// What one line takes of the hour.
    each: Duration,
    /// The lines so far have taken the time up to here; an hour ahead is too much.
    taken: Option<Instant>,
    /// Lines that were too many, and when the first of them came.
    more: Option<(u64, Instant)>,
}

impl Pace {
    /// For so many lines at once, and as many each hour.
    #[must_use]
    pub fn new(lines: u32) -> Self {
        Self {
            each: HOUR / lines.max(1),
            taken: None,
            more: None,
        }
    }

    /// Whether a line is kept; else it is counted.
    pub fn takes(&mut self, now: Instant) -> bool {
        let taken = self.taken.map_or(now, |taken| taken.max(now)) + self.each;
        if taken.saturating_duration_since(now) <= HOUR {
            self.taken = Some(taken);
            return true;
        }
        let (more, _) = self.more.get_or_insert((0, now));
        *more = more.saturating_add(1);
        false
    }

    /// The line that was counted last was the first of them.
    #[must_use]
    pub fn begins(&self) -> bool {
        matches!(self.more, Some((1, _)))
    }

    /// When what was counted is to be told.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        self.more.map(|(_, since)| since + TOLD_AFTER)
    }

    /// How many were counted since it was asked last, and since when.
    pub fn take_more(&mut self) -> Option<(u64, Instant)> {
        self.more.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_are_kept_at_once_and_as_many_each_hour() {
        let now = Instant::now();
        let mut pace = Pace::new(100);
        let kept = (0..1000).filter(|_| pace.takes(now)).count();
        assert_eq!(kept, 100);
        assert_eq!(pace.take_more(), Some((900, now)));
        assert_eq!(pace.take_more(), None);
        let later = now + HOUR / 2;
        let kept = (0..1000).filter(|_| pace.takes(later)).count();
        assert_eq!(kept, 50);
        let next_day = now + HOUR * 24;
        let kept = (0..1000).filter(|_| pace.takes(next_day)).count();
        assert_eq!(kept, 100);
    }

    #[test]
    fn the_first_that_is_too_many_begins_what_is_told_a_minute_later() {
        let now = Instant::now();
        let mut pace = Pace::new(1);
        assert!(pace.takes(now));
        assert!(!pace.begins());
        assert!(!pace.takes(now));
        assert!(pace.begins());
        assert_eq!(pace.due(), Some(now + TOLD_AFTER));
        assert!(!pace.takes(now));
        assert!(!pace.begins());
    }
}
