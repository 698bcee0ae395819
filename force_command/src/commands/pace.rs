//! How many of the lines of one terminal are kept one by one: a person never types so many, and a flood must not fill the store.
//!
//! Nor must a flood hide what a person types behind it: when the hour is full, a line that is no repetition of one of the last
//! is kept all the same, one in each second.

use std::collections::VecDeque;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::time::{Duration, Instant};

/// Of so many lines a repetition is known.
const KNOWN: usize = 64;
/// So many lines that are no repetitions are kept at once when the hour is full, and one in each second.
const OTHERS: u32 = 60;

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
    /// The same for lines that are no repetitions, when that is full.
    others: Option<Instant>,
    /// What the last lines were.
    last: VecDeque<u64>,
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
            others: None,
            last: VecDeque::with_capacity(KNOWN),
            more: None,
        }
    }

    /// Whether a line is kept; else it is counted.
    pub fn takes(&mut self, now: Instant, line: &str) -> bool {
        let new = self.is_new(line);
        let (each, second) = (self.each, Duration::from_secs(1));
        if has_room(&mut self.taken, now, each, HOUR)
            || new && has_room(&mut self.others, now, second, second * OTHERS)
        {
            return true;
        }
        let (more, _) = self.more.get_or_insert((0, now));
        *more = more.saturating_add(1);
        false
    }

    fn is_new(&mut self, line: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        line.hash(&mut hasher);
        let hash = hasher.finish();
        let new = !self.last.contains(&hash);
        if new {
            if self.last.len() == KNOWN {
                self.last.pop_front();
            }
            self.last.push_back(hash);
        }
        new
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

/// Takes so much of what there is room for, if there is.
fn has_room(taken: &mut Option<Instant>, now: Instant, each: Duration, most: Duration) -> bool {
    let then = taken.map_or(now, |taken| taken.max(now)) + each;
    let fits = then.saturating_duration_since(now) <= most;
    if fits {
        *taken = Some(then);
    }
    fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_are_kept_at_once_and_as_many_each_hour() {
        let now = Instant::now();
        let mut pace = Pace::new(100);
        let kept = (0..1000).filter(|_| pace.takes(now, "y")).count();
        assert_eq!(kept, 100);
        assert_eq!(pace.take_more(), Some((900, now)));
        assert_eq!(pace.take_more(), None);
        let later = now + HOUR / 2;
        let kept = (0..1000).filter(|_| pace.takes(later, "y")).count();
        assert_eq!(kept, 50);
        let next_day = now + HOUR * 24;
        let kept = (0..1000).filter(|_| pace.takes(next_day, "y")).count();
        assert_eq!(kept, 100);
    }

    #[test]
    fn the_first_that_is_too_many_begins_what_is_told_a_minute_later() {
        let now = Instant::now();
        let mut pace = Pace::new(1);
        assert!(pace.takes(now, "y"));
        assert!(!pace.begins());
        assert!(!pace.takes(now, "y"));
        assert!(pace.begins());
        assert_eq!(pace.due(), Some(now + TOLD_AFTER));
        assert!(!pace.takes(now, "y"));
        assert!(!pace.begins());
    }

    #[test]
    fn a_flood_does_not_hide_the_line_that_a_person_types_behind_it() {
        let now = Instant::now();
        let mut pace = Pace::new(100);
        let kept = (0..100_000).filter(|_| pace.takes(now, ":")).count();
        assert_eq!(kept, 100);
        assert!(pace.takes(now, "rm -r /srv/secret"));
        assert!(!pace.takes(now, ":"));
        // Nor does one of lines that all differ, a second later.
        let kept = (0..100_000).filter(|n| pace.takes(now, &n.to_string()));
        assert_eq!(kept.count(), 59);
        assert!(pace.takes(now + Duration::from_secs(1), "rm -r /srv/other"));
    }
}
