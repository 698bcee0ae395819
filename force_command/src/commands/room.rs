//! How much of a script is kept in the store: whoever is let in must not fill the disk with what he may run.

use std::time::Instant;

/// What a row takes besides its text, in bytes, so that many short ones are bounded as well.
const ROW: u64 = 256;

/// See the module.
#[derive(Debug)]
pub struct Room {
    left: u64,
    /// What did not fit, in bytes, and when the first of it came.
    more: Option<(u64, Instant)>,
}

impl Room {
    /// For so many bytes.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        Self {
            left: bytes,
            more: None,
        }
    }

    /// Whether a row with so many bytes of text is still kept. Behind the first that is not, none is.
    pub fn takes(&mut self, length: usize, now: Instant) -> bool {
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        if let Some(left) = self.left.checked_sub(length.saturating_add(ROW)) {
            self.left = left;
            return true;
        }
        self.left = 0;
        let (more, _) = self.more.get_or_insert((0, now));
        *more = more.saturating_add(length);
        false
    }

    /// How many bytes did not fit since it was asked last, and since when.
    pub fn take_more(&mut self) -> Option<(u64, Instant)> {
        self.more.take()
    }
}
