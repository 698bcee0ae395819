//! One direction's buffer: filled from a descriptor, emptied into another, never more than its size.
#![forbid(unsafe_code)]

use nix::errno::Errno;
use std::os::fd::BorrowedFd;

/// Bytes of one buffer: a whole pipe as we ask for it, eight packets of ssh.
pub const SIZE: usize = 256 * 1024;

/// What came of a read or a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Bytes were moved.
    Moved,
    /// Nothing can be moved now.
    Blocked,
    /// The other end is gone: end of file, or nobody reads.
    Closed,
}

/// Bytes on their way.
#[derive(Debug)]
pub struct Buffer {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Default for Buffer {
    fn default() -> Self {
        Self {
            bytes: vec![0; SIZE].into_boxed_slice(),
            start: 0,
            end: 0,
        }
    }
}

impl Buffer {
    /// Whether nothing is on its way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Whether more can be read into it.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.end < self.bytes.len()
    }

    /// What is on its way.
    #[must_use]
    pub fn waiting(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// Reads once, behind what waits.
    pub fn fill(&mut self, from: BorrowedFd<'_>) -> Progress {
        if self.is_empty() {
            (self.start, self.end) = (0, 0);
        }
        let Some(room) = self.bytes.get_mut(self.end..) else {
            return Progress::Blocked;
        };
        match nix::unistd::read(from, room) {
            Ok(0) => Progress::Closed,
            Ok(length) => {
                self.end += length;
                Progress::Moved
            }
            Err(Errno::EAGAIN | Errno::EINTR) => Progress::Blocked,
            // EIO of a terminal that hung up, ECONNRESET of a socket whose peer is gone.
            Err(_) => Progress::Closed,
        }
    }

    /// Writes once from what waits.
    pub fn empty(&mut self, into: BorrowedFd<'_>) -> Progress {
        match nix::unistd::write(into, self.waiting()) {
            Ok(0) => Progress::Blocked,
            Ok(length) => {
                self.start += length;
                Progress::Moved
            }
            Err(Errno::EAGAIN | Errno::EINTR) => Progress::Blocked,
            Err(_) => Progress::Closed,
        }
    }

    /// Forgets what waits.
    pub fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
    }

    /// Cuts `suffix` off the end of what waits, if it is there.
    pub fn cut(&mut self, suffix: &[u8]) {
        if self.waiting().ends_with(suffix) {
            self.end -= suffix.len();
        }
    }

    /// Replaces what waits; more than the buffer holds makes it grow.
    pub fn replace(&mut self, bytes: &[u8]) {
        if bytes.len() > self.bytes.len() {
            self.bytes = vec![0; bytes.len()].into_boxed_slice();
        }
        if let Some(room) = self.bytes.get_mut(..bytes.len()) {
            room.copy_from_slice(bytes);
        }
        (self.start, self.end) = (0, bytes.len());
    }
}
