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

    /// Cuts the last line off what waits and returns it, if it is whole (`\r\n`) and begins with one of `beginnings`.
    pub fn cut_last_line(&mut self, beginnings: &[Vec<u8>]) -> Option<Vec<u8>> {
        let text = self.waiting().strip_suffix(b"\r\n")?;
        let begin = text
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        let line = text.get(begin..)?;
        beginnings
            .iter()
            .any(|it| line.starts_with(it))
            .then_some(())?;
        let line = line.to_vec();
        self.end = self.start + begin;
        Some(line)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_last_line_that_begins_so_is_cut() {
        let beginnings = [b"Connection to web1 closed".to_vec()];
        let cut = |text: &str| {
            let mut buffer = Buffer::default();
            buffer.replace(text.as_bytes());
            let line = buffer
                .cut_last_line(&beginnings)
                .map(|line| String::from_utf8(line).unwrap());
            (String::from_utf8(buffer.waiting().to_vec()).unwrap(), line)
        };
        let line = "Connection to web1 closed by remote host.";
        assert_eq!(
            cut(&format!("err\n{line}\r\n")),
            ("err\n".to_owned(), Some(line.to_owned()))
        );
        assert_eq!(
            cut(&format!("{line}\r\n")),
            (String::new(), Some(line.to_owned()))
        );
        for kept in [line, "err\r\n", "x Connection to web1 closed.\r\n", ""] {
            assert_eq!(cut(kept), (kept.to_owned(), None));
        }
    }
}
