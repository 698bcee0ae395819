//! Whether a recording is the one that was written: its chain of seals, checked.
//!
//! Trusts nothing in the file. Nothing is decompressed: the seals are over the bytes as written.
use super::ReadError;
use super::reader::open;
use super::scan::{Part, Scanner, Stop};
use super::seal::{Hash, Seal, Seals};
use crate::id::Id;
use sha2::{Digest, Sha256};
use std::fmt;
use std::io::Read;
use std::path::Path;

/// Problems that are kept; of more there is only the number.
const KEPT: usize = 100;

/// Something that should not be so in a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// A frame, or the seal behind it, was changed, or a frame before it was taken out. The first
    /// frame is also wrong when the file is another session's.
    WrongFrame {
        /// Which frame, from 0.
        index: u64,
        /// Where it begins, bytes.
        offset: u64,
    },
    /// A frame is followed by something else than its seal.
    NoSeal {
        /// Which frame, from 0.
        index: u64,
        /// Where it begins, bytes.
        offset: u64,
    },
    /// A seal seals nothing or has another number than its frame.
    StraySeal {
        /// Where it begins, bytes.
        offset: u64,
    },
    /// Bytes that belong to no recording lie between the frames or after the end.
    Foreign {
        /// Where they begin, bytes.
        offset: u64,
    },
    /// From here on the file cannot be understood.
    Garbage {
        /// Where, bytes.
        offset: u64,
        /// What was seen.
        reason: String,
    },
    /// From here on, behind the last right seal of a recording that has not ended, nothing can be understood: the
    /// machine or the session broke off while a frame was being packed. Or somebody changed what no seal protects.
    BrokenOff {
        /// Where, bytes.
        offset: u64,
    },
    /// The last hash that the store knows is nowhere in the file: its tail was cut off, or the
    /// whole was made anew.
    LastHashMissing,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongFrame { index, offset } => {
                write!(
                    f,
                    "frame {index} (byte {offset}) was changed, or one before it removed"
                )
            }
            Self::NoSeal { index, offset } => {
                write!(f, "frame {index} (byte {offset}) has no seal behind it")
            }
            Self::StraySeal { offset } => write!(f, "the seal at byte {offset} is out of place"),
            Self::Foreign { offset } => {
                write!(
                    f,
                    "what begins at byte {offset} is no part of the recording"
                )
            }
            Self::Garbage { offset, reason } => {
                write!(f, "from byte {offset} on it cannot be understood: {reason}")
            }
            Self::BrokenOff { offset } => write!(
                f,
                "from byte {offset} on it cannot be read: the session broke off there, or what no seal protects yet \
                 was changed"
            ),
            Self::LastHashMissing => f.write_str(
                "the last hash that is known of it is not there: its end was cut off, or all of it \
                 was written anew",
            ),
        }
    }
}

/// Where the last hash that the store knows was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// None was given: the file may have been made anew, or cut between two frames.
    Unknown,
    /// In the file's last seal.
    Last,
    /// In an earlier seal: this many frames were sealed after it.
    Earlier(u64),
    /// Nowhere.
    Missing,
}

/// What was found out about a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// Frames that have a right seal.
    pub frames: u64,
    /// Whether the end seal is there.
    pub ended: bool,
    /// The hash in the last right seal, or the session's first hash if there is none.
    pub last_hash: Hash,
    /// Where the hash that was expected is.
    pub anchor: Anchor,
    /// Bytes of the file.
    pub bytes: u64,
    /// Bytes after the last seal: the open frame of a session that was killed or still runs.
    pub unsealed: u64,
    /// What is wrong, in the order of the file; at most the first hundred.
    pub problems: Vec<Problem>,
    /// Problems that are not listed.
    pub more_problems: u64,
}

impl Verification {
    /// Whether the file is whole, ended, and has nothing wrong with it.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.ended && !self.is_tampered()
    }

    /// Whether something is wrong that no crash explains.
    #[must_use]
    pub fn is_tampered(&self) -> bool {
        self.more_problems > 0 || self.tampering().is_some()
    }

    /// The first of what is wrong that no crash explains.
    #[must_use]
    pub fn tampering(&self) -> Option<&Problem> {
        let no_crash = |problem: &&Problem| !matches!(problem, Problem::BrokenOff { .. });
        self.problems.iter().find(no_crash)
    }
}

/// Checks the file at `path`: every frame against its seal, from `session`'s first hash on, and
/// `expected`, the last hash that the store knows of it.
///
/// # Errors
/// The file cannot be opened or read. What is wrong *in* it is in the [`Verification`].
pub fn verify(
    path: &Path,
    session: &Id,
    expected: Option<Hash>,
) -> Result<Verification, ReadError> {
    verify_from(open(path)?, session, expected)
}

/// As [`verify`], of a recording that `source` holds.
///
/// # Errors
/// `source` cannot be read.
pub fn verify_from(
    source: impl Read,
    session: &Id,
    expected: Option<Hash>,
) -> Result<Verification, ReadError> {
    let mut scanner = Scanner::new(source);
    let mut chain = Chain::new(Hash::genesis(session), expected);
    let unread = loop {
        let offset = scanner.offset();
        match scanner.next() {
            Ok(Ok(part)) => chain.part(part, offset),
            Ok(Err(Stop::Border)) => break 0,
            Ok(Err(Stop::Inside)) => break scanner.drain()?,
            Err(ReadError::Damaged { offset, reason }) => {
                chain.damage(offset, reason);
                break scanner.drain()?;
            }
            Err(error) => return Err(error),
        }
    };
    Ok(chain.finish(scanner.offset().saturating_add(unread)))
}

/// The state of a check.
struct Chain {
    result: Verification,
    expected: Option<Hash>,
    /// Right seals since the expected hash, if it was seen.
    since: Option<u64>,
    /// The hash in the seal before, right or wrong: so one changed frame is one problem.
    previous: Hash,
    /// Frames that began so far.
    index: u64,
    frame: Option<Frame>,
    /// Where the last seal ends.
    sealed: u64,
    /// Where something that is no part of a recording begins right behind it: at the end of a file without an end this is
    /// what was about to be cut off when the session broke off.
    remainder: Option<u64>,
}

struct Frame {
    offset: u64,
    hasher: Sha256,
    complete: bool,
}

impl Chain {
    fn new(genesis: Hash, expected: Option<Hash>) -> Self {
        Self {
            result: Verification {
                frames: 0,
                ended: false,
                last_hash: genesis,
                anchor: Anchor::Unknown,
                bytes: 0,
                unsealed: 0,
                problems: Vec::new(),
                more_problems: 0,
            },
            expected,
            since: (expected == Some(genesis)).then_some(0),
            previous: genesis,
            index: 0,
            frame: None,
            sealed: 0,
            remainder: None,
        }
    }

    fn problem(&mut self, problem: Problem) {
        if self.result.problems.len() < KEPT {
            self.result.problems.push(problem);
        } else {
            self.result.more_problems += 1;
        }
    }

    /// What begins at `offset` cannot be understood, nor anything behind it.
    fn damage(&mut self, offset: u64, reason: String) {
        self.problem(match self.result.ended {
            true => Problem::Garbage { offset, reason },
            false => Problem::BrokenOff { offset },
        });
    }

    fn part(&mut self, part: Part<'_>, offset: u64) {
        if let Some(offset) = self.remainder.take() {
            self.problem(Problem::Foreign { offset });
        }
        match part {
            Part::Frame(bytes) => {
                if self.frame.as_ref().is_none_or(|frame| frame.complete) {
                    self.begin(offset);
                }
                if let Some(frame) = &mut self.frame {
                    frame.hasher.update(bytes);
                }
            }
            Part::FrameEnd => {
                if let Some(frame) = &mut self.frame {
                    frame.complete = true;
                }
            }
            Part::Seal(seal) => self.seal(seal, offset),
            Part::Foreign(_)
                if self.frame.is_none()
                    && !self.result.ended
                    && offset == self.sealed
                    && offset > 0 =>
            {
                self.remainder = Some(offset);
            }
            Part::Foreign(_) => {
                self.unsealed_frame();
                self.problem(Problem::Foreign { offset });
            }
        }
    }

    fn begin(&mut self, offset: u64) {
        self.unsealed_frame();
        if self.result.ended {
            self.problem(Problem::Foreign { offset });
        }
        self.frame = Some(Frame {
            offset,
            hasher: self.previous.begin(),
            complete: false,
        });
    }

    /// A complete frame is followed by something else than its seal.
    fn unsealed_frame(&mut self) {
        if let Some(Frame { offset, hasher, .. }) = self.frame.take() {
            self.problem(Problem::NoSeal {
                index: self.index,
                offset,
            });
            self.index += 1;
            self.previous = Hash::end(hasher);
        }
    }

    fn seal(&mut self, seal: Seal, offset: u64) {
        self.sealed = offset.saturating_add(super::seal::LENGTH as u64);
        let (frame, index) = (self.frame.take(), self.index);
        let (hash, begin) = match (seal.seals, frame) {
            (Seals::Frame, Some(frame)) => (Hash::end(frame.hasher), frame.offset),
            (Seals::End, None) if !self.result.ended => (Hash::end(self.previous.begin()), offset),
            (Seals::End, Some(frame)) => {
                self.frame = Some(frame);
                self.unsealed_frame();
                (Hash::end(self.previous.begin()), offset)
            }
            _ => return self.problem(Problem::StraySeal { offset }),
        };
        if seal.seals == Seals::Frame {
            self.index += 1;
        } else {
            self.result.ended = true;
        }
        self.previous = seal.hash;
        if hash != seal.hash && seal.seals == Seals::Frame {
            return self.problem(Problem::WrongFrame {
                index,
                offset: begin,
            });
        }
        if hash != seal.hash || seal.index != index {
            return self.problem(Problem::StraySeal { offset });
        }
        if seal.seals == Seals::Frame {
            self.result.frames += 1;
        }
        self.result.last_hash = hash;
        self.since = match self.since {
            _ if self.expected == Some(hash) => Some(0),
            since => since.map(|count| count + u64::from(seal.seals == Seals::Frame)),
        };
    }

    fn finish(mut self, bytes: u64) -> Verification {
        if self.frame.as_ref().is_some_and(|frame| frame.complete) && self.result.ended {
            self.unsealed_frame();
        }
        self.result.bytes = bytes;
        self.result.unsealed = bytes.saturating_sub(self.sealed);
        let clean = self.result.problems.is_empty();
        if self.result.ended && clean && self.result.unsealed > 0 {
            self.problem(Problem::Foreign {
                offset: self.sealed,
            });
        }
        self.result.anchor = match (self.expected, self.since) {
            (None, _) => Anchor::Unknown,
            (Some(hash), Some(_)) if self.result.last_hash == hash => Anchor::Last,
            (Some(_), Some(count)) => Anchor::Earlier(count),
            (Some(_), None) => {
                self.problem(Problem::LastHashMissing);
                Anchor::Missing
            }
        };
        self.result
    }
}
