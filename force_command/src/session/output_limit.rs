//! How much of a command's output is recorded: so many bytes from its beginning, and then so many a second.
//!
//! A person reads a few KiB a second, a stream is thousands of times as fast. A limit that only ever fell could be used up on
//! purpose, and everything behind it would be seen by nobody: what a person can read goes on being recorded, what streams is
//! not. It is a plain number all the same, and no guess at what the bytes are.
#![forbid(unsafe_code)]

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

/// So much more is recorded for each second after the limit was reached, in one piece, at most once in a second.
pub(crate) const EACH_SECOND: u64 = 16 * 1024;
/// Whoever waits longer can have so much of it at once.
pub(crate) const MOST_SAVED: u64 = 64 * 1024;

/// Whether a session has come to its limit: for those who have to tell.
#[derive(Debug, Clone, Default)]
pub struct Reached(Rc<Cell<bool>>);

impl Reached {
    /// Whether bytes were left out.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.0.get()
    }
}

/// What is to be done with some bytes of the output, in this order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kept {
    /// Before any of them is recorded, so many are to be marked as left out.
    pub gap: Option<u64>,
    /// So many of them are recorded, from their beginning; the others are not.
    pub bytes: usize,
    /// The limit was reached by these bytes.
    pub is_first_cut: bool,
}

/// The limit of one session. Times are those since its recording's start.
#[derive(Debug)]
pub(super) struct Limit {
    /// So many bytes may be recorded now.
    left: u64,
    /// Nothing at all is to be recorded: nothing is granted later either.
    is_none: bool,
    /// When more was granted last; none: the limit is not reached yet.
    granted: Option<Duration>,
    /// Bytes that were left out since the last one that was recorded.
    gap: u64,
    /// Bytes that were left out.
    total: u64,
    reached: Reached,
}

impl Limit {
    /// `bytes` from the beginning; 0: nothing, whatever time goes by.
    pub(super) fn new(bytes: u64) -> Self {
        Self {
            left: bytes,
            is_none: bytes == 0,
            granted: None,
            gap: 0,
            total: 0,
            reached: Reached::default(),
        }
    }

    /// What becomes of the next `length` bytes, which came at `at`.
    pub(super) fn take(&mut self, at: Duration, length: usize) -> Kept {
        self.grant(at);
        let bytes = usize::try_from(self.left).unwrap_or(usize::MAX).min(length);
        let left_out = (length - bytes) as u64;
        let gap = (bytes > 0 && self.gap > 0).then(|| std::mem::take(&mut self.gap));
        self.left -= bytes as u64;
        self.gap = self.gap.saturating_add(left_out);
        self.total = self.total.saturating_add(left_out);
        let is_first_cut = left_out > 0 && self.granted.is_none();
        if is_first_cut {
            self.granted = Some(at);
            // Where nothing is wanted, that nothing is there is no news.
            self.reached.0.set(!self.is_none);
        }
        Kept {
            gap,
            bytes,
            is_first_cut,
        }
    }

    /// Adds what the seconds since the last time have brought.
    fn grant(&mut self, at: Duration) {
        let Some(granted) = self.granted.filter(|_| !self.is_none) else {
            return;
        };
        let seconds = at.saturating_sub(granted).as_secs();
        if seconds > 0 {
            let more = EACH_SECOND.saturating_mul(seconds);
            self.left = self.left.saturating_add(more).min(MOST_SAVED);
            self.granted = Some(granted + Duration::from_secs(seconds));
        }
    }

    /// What the recording says when bytes are left out for the first time.
    pub(super) fn first_words(&self) -> String {
        match self.is_none {
            true => "the output is not recorded (recording.exec_output_bytes)".into(),
            false => format!(
                "of the output that follows at most {} KiB a second are recorded (recording.exec_output_bytes)",
                EACH_SECOND / 1024
            ),
        }
    }

    /// What it says at the end, if any were.
    pub(super) fn last_words(&self) -> Vec<String> {
        // What is all of it is said once.
        let gap = (self.gap > 0 && self.gap < self.total).then(|| gap_words(self.gap));
        let all = (self.total > 0).then(|| {
            format!(
                "{} bytes of the output were not recorded in all (recording.exec_output_bytes)",
                self.total
            )
        });
        gap.into_iter().chain(all).collect()
    }

    /// Bytes that were left out so far.
    pub(super) fn left_out(&self) -> u64 {
        self.total
    }

    /// For whoever tells that it was reached.
    pub(super) fn reached(&self) -> Reached {
        self.reached.clone()
    }
}

/// What the recording says where bytes are missing, before it goes on.
pub(super) fn gap_words(bytes: u64) -> String {
    format!("{bytes} bytes of the output were not recorded here (recording.exec_output_bytes)")
}

#[cfg(test)]
mod tests {
    use super::{EACH_SECOND, Kept, Limit, MOST_SAVED};
    use std::time::Duration;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// Bytes that are recorded, of so many at that moment.
    fn kept(limit: &mut Limit, at: u64, length: usize) -> usize {
        limit.take(millis(at), length).bytes
    }

    #[test]
    fn a_stream_is_left_out_but_for_a_piece_a_second() {
        let mut limit = Limit::new(1000);
        let (mut recorded, mut pieces) = (0, 0);
        // 100 MB in ten seconds.
        for turn in 0..10_000 {
            let bytes = kept(&mut limit, turn, 10_000);
            recorded += bytes as u64;
            pieces += u64::from(bytes > 0);
        }
        assert_eq!(recorded, 1000 + 9 * EACH_SECOND);
        assert!(
            pieces <= 1 + 9 * 2,
            "{pieces}: a piece may end in the next one"
        );
        assert_eq!(limit.left_out() + recorded, 100_000_000);
        assert!(limit.reached().is_reached());
    }

    #[test]
    fn what_a_person_reads_after_a_stream_is_recorded_whole_with_the_gap_marked_once() {
        let mut limit = Limit::new(100);
        let first = limit.take(millis(5), 1_000_100);
        let cut = Kept {
            gap: None,
            bytes: 100,
            is_first_cut: true,
        };
        assert_eq!(first, cut);
        assert_eq!(kept(&mut limit, 900, 50), 0, "not within the second");
        // Hours of a screen now and then.
        let mut gaps = Vec::new();
        for turn in 1..10_000 {
            let screen = limit.take(millis(1_100 * turn), 8_000);
            assert_eq!((screen.bytes, screen.is_first_cut), (8_000, false));
            gaps.extend(screen.gap);
        }
        assert_eq!(gaps, [1_000_050]);
        assert_eq!(limit.left_out(), 1_000_050);
        let said =
            ["1000050 bytes of the output were not recorded in all (recording.exec_output_bytes)"];
        assert_eq!(limit.last_words(), said);
    }

    #[test]
    fn nothing_is_saved_beyond_the_most_however_long_it_is_quiet() {
        let mut limit = Limit::new(1);
        assert_eq!(kept(&mut limit, 0, 2), 1);
        let after_a_day = 86_400_000;
        let kept = kept(&mut limit, after_a_day, 1_000_000);
        assert_eq!(kept as u64, MOST_SAVED);
        let said = limit.last_words();
        assert_eq!(said.len(), 2, "the gap at the end, and all: {said:?}");
        assert!(said[0].starts_with("934464 bytes") && said[1].starts_with("934465 bytes"));
    }

    #[test]
    fn nothing_stays_nothing_and_what_fits_is_no_cut() {
        let mut nothing = Limit::new(0);
        for second in 0..100 {
            assert_eq!(kept(&mut nothing, second * 1000, 10), 0);
        }
        assert_eq!(nothing.left_out(), 1000);
        assert!(!nothing.reached().is_reached(), "it was wanted");
        let mut exact = Limit::new(20);
        assert_eq!(kept(&mut exact, 0, 20), 20);
        assert!(!exact.reached().is_reached());
        assert!(exact.last_words().is_empty());
    }
}
