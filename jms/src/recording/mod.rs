//! Recordings of sessions: asciicast v2 in zstd, sealed by a chain of hashes.
//!
//! One file a session, `ROOT/YYYY/MM/DD/<session>.cast.zst` (UTC date of its start), mode 0600 in
//! folders 0700. `zstd -dc FILE | asciinema play -` plays it, whole or cut.
//!
//! # The file
//!
//! A recording is a row of *frames*, each followed by its *seal*, and one *end seal* after the last:
//!
//! ```text
//! frame 0 · seal 0 · frame 1 · seal 1 · … · end seal
//! ```
//!
//! A frame is a zstd frame (RFC 8878). It ends after [`FRAME_INPUT`] bytes of text or [`FRAME_AGE`]. Until then its text
//! stands in the file as it is, in raw blocks, one more [`FLUSH_AFTER`] after the first text that waits: a killed
//! session can be read to its last second. When the frame ends, its text is packed as a whole, with a checksum, and
//! takes the place of the raw blocks (a frame of work for people is packed to a sixteenth, second by second it would be
//! a quarter). What floods is packed at once. Lines never span two frames.
//!
//! So the last frame of a file that is being written may change its bytes, never its text. Whoever reads it holds a
//! shared lock (flock(2)); a frame that ends meanwhile stays as it is and gets its seal. To copy a file that is being written:
//! `flock -s FILE cp FILE …`. Text is on the disk after [`SYNC_AFTER`], each ended frame at once. A machine that loses its power in
//! the milliseconds in which a packed frame goes to the disk can lose that frame: it stands where its text stood.
//!
//! What a killed session leaves of its last frame is sealed when its row is closed ([`seal_lost`]); until then nothing
//! protects it.
//!
//! A seal is a skippable frame, which every zstd decoder steps over. All numbers little-endian:
//!
//! | offset | size | what |
//! | --- | --- | --- |
//! | 0 | 4 | magic `0x184D2A5A` (one of zstd's sixteen; not one that pzstd or seekable zstd use) |
//! | 4 | 4 | 48, the size of what follows |
//! | 8 | 4 | `JMSR` |
//! | 12 | 1 | version of this format: 1 |
//! | 13 | 1 | 0: seals the frame before it; 1: the end of the recording |
//! | 14 | 2 | 0 |
//! | 16 | 8 | index of the frame, from 0; of the end seal: how many frames there are |
//! | 24 | 32 | hash |
//!
//! `hash = SHA-256(previous hash ‖ bytes of the frame as written)`; the end seal follows the same
//! formula with a frame of no bytes. The hash before frame 0 is
//! `SHA-256("jms recording 1\0" ‖ session id)`, so that one session's file cannot stand for
//! another's. A chain alone can be made anew by whoever may write the file: the store keeps the
//! last hash, and [`verify()`] takes it.
//!
//! # What it trusts
//!
//! [`Recorder`] trusts its caller's clock and nothing in the bytes that it records. [`Reader`] and
//! [`verify()`] trust nothing in the file: it is evidence that may have been tampered with. What
//! decompresses is the zstd library (C); frame borders, seals and lines are parsed here, without
//! unsafe code and in bounded memory.
#![forbid(unsafe_code)]

mod compressor;
mod error;
mod escape;
mod frames;
mod header;
mod lost;
mod place;
mod reader;
mod recorder;
mod scan;
mod seal;
#[cfg(test)]
mod tests;
mod unpacked;
mod utf8;
mod verify;

pub use error::{ReadError, RecordingError};
pub use header::Header;
pub use lost::seal_lost;
pub use place::{ensure_room, path_of};
pub use reader::{Ended, Event, Kind, Reader};
pub use recorder::{Finished, Recorder, Sealed};
pub use seal::Hash;
pub use verify::{Anchor, Problem, Verification, verify, verify_from};

use std::time::Duration;

/// A frame ends when this much text (bytes before compression) is in it.
pub const FRAME_INPUT: u64 = 768 * 1024;

/// A frame ends this long after its first text.
pub const FRAME_AGE: Duration = Duration::from_secs(900);

/// Text is in the kernel's hands at the latest this long after it was recorded.
pub const FLUSH_AFTER: Duration = Duration::from_secs(1);

/// Text is on the disk at the latest this long after it was handed to the kernel.
pub const SYNC_AFTER: Duration = Duration::from_secs(300);

/// The longest line, header included, that is written or read: bytes.
pub const LINE_LIMIT: usize = 2 * 1024 * 1024;
