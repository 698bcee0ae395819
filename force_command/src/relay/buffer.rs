//! One direction's buffer: filled from a descriptor, emptied into another, never more than its size.
#![forbid(unsafe_code)]

use nix::errno::Errno;
use std::os::fd::BorrowedFd;
use zeroize::Zeroize;

/// Bytes of one buffer: a whole pipe as we ask for it, eight packets of ssh.
pub const SIZE: usize = 256 * 1024;

/// The longest line that [`Buffer::cut_tail`] cuts off, in bytes: a sentence with a host name in it. A line that the other
/// end never ends is not kept back.
const LONGEST_TAIL: usize = 1024;

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
#[derive(Debug, Default)]
pub struct Buffer {
    /// None before the first byte.
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
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
        self.bytes.is_empty() || self.end < self.bytes.len()
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
        self.ensure(SIZE);
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

    /// Forgets what waits, and everything else that is still in the buffer.
    pub fn wipe(&mut self) {
        self.bytes.zeroize();
        self.clear();
    }

    /// Makes room for so many bytes; what was in the buffer is lost if it had less.
    fn ensure(&mut self, size: usize) {
        if self.bytes.len() < size {
            self.bytes = vec![0; size].into_boxed_slice();
        }
    }

    /// Gives its memory back, if nothing waits: the next byte finds a new one.
    pub fn give_back(&mut self) {
        if self.is_empty() {
            *self = Self::default();
        }
    }

    /// Cuts the last line off what waits and returns it, if it begins with one of `beginnings`, or
    /// could still come to do so: it is not whole yet, and has more than half of one. Else nothing; a line of
    /// more than 1 KiB is none of these.
    pub fn cut_tail(&mut self, beginnings: &[Vec<u8>]) -> Vec<u8> {
        let text = self.waiting();
        let whole = text.strip_suffix(b"\n").unwrap_or(text);
        let begin = whole
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        let line = text.get(begin..).unwrap_or_default();
        let could_be = |beginning: &Vec<u8>| {
            line.starts_with(beginning)
                || (beginning.starts_with(line) && line.len() > beginning.len() / 2)
        };
        if line.len() > LONGEST_TAIL || !beginnings.iter().any(could_be) {
            return Vec::new();
        }
        let line = line.to_vec();
        self.end = self.start + begin;
        line
    }

    /// Adds `bytes` behind what waits; more than the buffer holds makes it grow.
    pub fn append(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            let all = [self.waiting(), bytes].concat();
            self.replace(&all);
        }
    }

    /// Replaces what waits; more than the buffer holds makes it grow.
    pub fn replace(&mut self, bytes: &[u8]) {
        self.ensure(bytes.len().max(SIZE));
        if let Some(room) = self.bytes.get_mut(..bytes.len()) {
            room.copy_from_slice(bytes);
        }
        (self.start, self.end) = (0, bytes.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_line_that_begins_so_or_may_come_to_is_cut() {
        let beginnings = [b"Connection to web1 closed".to_vec()];
        let cut = |text: &str| {
            let mut buffer = Buffer::default();
            buffer.replace(text.as_bytes());
            let line = String::from_utf8(buffer.cut_tail(&beginnings)).unwrap();
            (String::from_utf8(buffer.waiting().to_vec()).unwrap(), line)
        };
        let line = "Connection to web1 closed by remote host.";
        for tail in [
            format!("{line}\r\n"),
            line.to_owned(),
            "Connection to web1 closed".to_owned(),
            "Connection to we".to_owned(),
        ] {
            for before in ["", "err\n", "\n"] {
                let text = format!("{before}{tail}");
                assert_eq!(cut(&text), (before.to_owned(), tail.clone()), "{text:?}");
            }
        }
        let endless = format!("{line}{}", "x".repeat(LONGEST_TAIL));
        for kept in [
            endless.as_str(),
            "C",
            "Connect",
            "err\r\n",
            "x Connection to web1 closed.\r\n",
            "",
            "\n",
        ] {
            assert_eq!(cut(kept), (kept.to_owned(), String::new()));
        }
    }
}
