//! Where frames and seals begin and end in a file of evidence (RFC 8878, section 3.1).
//!
//! Trusts nothing. Reads the borders of zstd frames without decompressing them, in one buffer of
//! fixed size, whatever lengths the file claims.
use super::ReadError;
use super::seal::{BODY, MAGIC, Seal};
use std::io::{ErrorKind, Read};

const BUFFER: usize = 64 * 1024;
const FRAME_MAGIC: u32 = 0xFD2F_B528;
/// `Block_Maximum_Size` is never larger.
const BLOCK_LIMIT: u32 = 128 * 1024;

/// A part of the file, in order.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// Bytes of a frame; they belong to the frame before them, if that one has not ended.
    Frame(&'a [u8]),
    /// The frame is complete.
    FrameEnd,
    /// A seal.
    Seal(Seal),
    /// A skippable frame that is not ours: its whole size in the file, bytes.
    Foreign(u64),
}

/// Why there are no more parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The file ends between two parts.
    Border,
    /// The file ends within a part.
    Inside,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Between,
    BlockHeader {
        checksum: bool,
    },
    Block {
        left: u32,
        last: bool,
        checksum: bool,
    },
    Checksum,
    FrameDone,
}

/// Reads a file part by part.
pub(super) struct Scanner<R> {
    source: R,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    offset: u64,
    state: State,
}

impl<R: Read> Scanner<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source,
            buffer: vec![0; BUFFER].into_boxed_slice(),
            start: 0,
            end: 0,
            offset: 0,
            state: State::Between,
        }
    }

    /// Offset in the file, bytes, behind the last part that was returned.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The next part, or why there is none.
    pub(super) fn next(&mut self) -> Result<Result<Part<'_>, Stop>, ReadError> {
        match self.state {
            State::Between => self.between(),
            State::BlockHeader { checksum } => self.block_header(checksum),
            State::Block {
                left: 0,
                last,
                checksum,
            } => {
                self.state = match (last, checksum) {
                    (false, _) => State::BlockHeader { checksum },
                    (true, true) => State::Checksum,
                    (true, false) => State::FrameDone,
                };
                self.next()
            }
            State::Block {
                left,
                last,
                checksum,
            } => {
                if !self.fill(1)? {
                    return Ok(Err(Stop::Inside));
                }
                let length = self
                    .buffered()
                    .min(usize::try_from(left).unwrap_or(usize::MAX));
                let left = left.saturating_sub(u32::try_from(length).unwrap_or(u32::MAX));
                self.state = State::Block {
                    left,
                    last,
                    checksum,
                };
                Ok(Ok(Part::Frame(self.take(length))))
            }
            State::Checksum => {
                if !self.fill(4)? {
                    return Ok(Err(Stop::Inside));
                }
                self.state = State::FrameDone;
                Ok(Ok(Part::Frame(self.take(4))))
            }
            State::FrameDone => {
                self.state = State::Between;
                Ok(Ok(Part::FrameEnd))
            }
        }
    }

    fn between(&mut self) -> Result<Result<Part<'_>, Stop>, ReadError> {
        if !self.fill(5)? {
            return match self.buffered() {
                0 => Ok(Err(Stop::Border)),
                _ => Ok(Err(Stop::Inside)),
            };
        }
        match self.number(0) {
            FRAME_MAGIC => self.frame_header(),
            // The upper 28 bits of every skippable frame's magic.
            magic if magic >> 4 == 0x0184_D2A5 => self.skippable(magic),
            _ => Err(self.damage("there is neither a frame nor a seal")),
        }
    }

    fn frame_header(&mut self) -> Result<Result<Part<'_>, Stop>, ReadError> {
        let descriptor = self.byte(4);
        if descriptor & 0x08 != 0 {
            return Err(self.damage("a frame header has a reserved bit set"));
        }
        let single_segment = descriptor & 0x20 != 0;
        let window = usize::from(!single_segment);
        let dictionary = [0, 1, 2, 4].get(usize::from(descriptor & 3)).copied();
        let size = match descriptor >> 6 {
            0 => usize::from(single_segment),
            1 => 2,
            2 => 4,
            _ => 8,
        };
        let length = 5 + window + dictionary.unwrap_or(0) + size;
        if !self.fill(length)? {
            return Ok(Err(Stop::Inside));
        }
        let checksum = descriptor & 0x04 != 0;
        self.state = State::BlockHeader { checksum };
        Ok(Ok(Part::Frame(self.take(length))))
    }

    fn block_header(&mut self, checksum: bool) -> Result<Result<Part<'_>, Stop>, ReadError> {
        if !self.fill(3)? {
            return Ok(Err(Stop::Inside));
        }
        // Three bytes; the fourth is another's.
        let header = self.number(0) & 0x00ff_ffff;
        let (last, kind, size) = (header & 1 == 1, (header >> 1) & 3, header >> 3);
        if size > BLOCK_LIMIT || kind == 3 {
            return Err(self.damage("a block header is impossible"));
        }
        // A run-length block stores one byte, however long it is.
        let left = if kind == 1 { 1 } else { size };
        self.state = State::Block {
            left,
            last,
            checksum,
        };
        Ok(Ok(Part::Frame(self.take(3))))
    }

    fn skippable(&mut self, magic: u32) -> Result<Result<Part<'_>, Stop>, ReadError> {
        if !self.fill(8)? {
            return Ok(Err(Stop::Inside));
        }
        let size = self.number(4);
        if magic != MAGIC {
            return self.foreign(size);
        }
        if usize::try_from(size) != Ok(BODY) {
            return Err(self.damage("a seal has a wrong size"));
        }
        if !self.fill(8 + BODY)? {
            return Ok(Err(Stop::Inside));
        }
        match self
            .buffer
            .get(self.start + 8..self.end)
            .and_then(|body| Seal::parse(body.get(..BODY)?))
        {
            Some(seal) => {
                self.take(8 + BODY);
                Ok(Ok(Part::Seal(seal)))
            }
            None => Err(self.damage("a seal is of an unknown kind or version")),
        }
    }

    fn foreign(&mut self, size: u32) -> Result<Result<Part<'_>, Stop>, ReadError> {
        let mut left = u64::from(size) + 8;
        while left > 0 {
            if !self.fill(1)? {
                return Ok(Err(Stop::Inside));
            }
            let length = self
                .buffered()
                .min(usize::try_from(left).unwrap_or(usize::MAX));
            self.take(length);
            left = left.saturating_sub(length as u64);
        }
        Ok(Ok(Part::Foreign(u64::from(size) + 8)))
    }

    /// Reads to the file's end; returns how many bytes come behind [`Scanner::offset`].
    pub(super) fn drain(&mut self) -> Result<u64, ReadError> {
        let mut count = 0;
        while self.fill(1)? {
            count += self.buffered() as u64;
            self.start = self.end;
        }
        Ok(count)
    }

    fn buffered(&self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Makes at least `count` (far less than the buffer) bytes ready; false where the file ends.
    fn fill(&mut self, count: usize) -> Result<bool, ReadError> {
        while self.buffered() < count {
            if self.start > 0 {
                self.buffer.copy_within(self.start..self.end, 0);
                self.end -= self.start;
                self.start = 0;
            }
            let Some(free) = self
                .buffer
                .get_mut(self.end..)
                .filter(|free| !free.is_empty())
            else {
                return Ok(false);
            };
            match self.source.read(free) {
                Ok(0) => return Ok(false),
                Ok(length) => self.end = (self.end + length).min(BUFFER),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }

    fn take(&mut self, count: usize) -> &[u8] {
        let start = self.start;
        self.start = start.saturating_add(count).min(self.end);
        self.offset = self.offset.saturating_add((self.start - start) as u64);
        self.buffer.get(start..self.start).unwrap_or_default()
    }

    fn byte(&self, at: usize) -> u8 {
        self.buffer.get(self.start + at).copied().unwrap_or(0)
    }

    fn number(&self, at: usize) -> u32 {
        u32::from_le_bytes([0, 1, 2, 3].map(|i| self.byte(at + i)))
    }

    fn damage(&self, reason: &str) -> ReadError {
        ReadError::damaged(self.offset, reason)
    }
}

#[cfg(test)]
mod tests {
    use super::{Part, Scanner, Stop};
    use std::io::Write;

    /// Frames as the zstd library writes them, of all sizes and block types.
    fn frames() -> Vec<Vec<u8>> {
        let noise: Vec<u8> = (0..300_000_u32)
            .flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes())
            .collect();
        [&b""[..], b"a", &[0; 500_000], &noise]
            .into_iter()
            .flat_map(|data| {
                [true, false].map(|checksum| {
                    let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
                    encoder.include_checksum(checksum).unwrap();
                    encoder.write_all(data).unwrap();
                    encoder.finish().unwrap()
                })
            })
            .collect()
    }

    #[test]
    fn borders_are_where_zstd_puts_them() {
        let mut file = Vec::new();
        let frames = frames();
        for frame in &frames {
            file.extend_from_slice(frame);
            file.extend_from_slice(&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
        }
        let mut scanner = Scanner::new(&file[..]);
        for frame in &frames {
            let mut bytes = Vec::new();
            loop {
                match scanner.next().unwrap().unwrap() {
                    Part::Frame(part) => bytes.extend_from_slice(part),
                    Part::FrameEnd => break,
                    other => panic!("{other:?}"),
                }
            }
            assert!(&bytes == frame);
            assert_eq!(scanner.next().unwrap(), Ok(Part::Foreign(11)));
        }
        assert_eq!(scanner.next().unwrap(), Err(Stop::Border));
        assert_eq!(scanner.offset(), file.len() as u64);
    }

    #[test]
    fn a_claimed_length_takes_no_memory_and_a_cut_is_seen() {
        let mut scanner = Scanner::new(&[0x50, 0x2a, 0x4d, 0x18, 255, 255, 255, 255, 0][..]);
        assert_eq!(scanner.next().unwrap(), Err(Stop::Inside));
        let mut scanner = Scanner::new(&b"garbage"[..]);
        assert!(scanner.next().is_err());
        let empty_frame = [0x28, 0xb5, 0x2f, 0xfd, 0, 0x20, 1, 0, 0];
        let mut scanner = Scanner::new(&empty_frame[..]);
        assert!(matches!(scanner.next(), Ok(Ok(Part::Frame(_)))));
        assert!(matches!(scanner.next(), Ok(Ok(Part::Frame(_)))));
        assert_eq!(scanner.next().unwrap(), Ok(Part::FrameEnd));
        let mut scanner = Scanner::new(&[0x28][..]);
        assert_eq!(scanner.next().unwrap(), Err(Stop::Inside));
    }
}
