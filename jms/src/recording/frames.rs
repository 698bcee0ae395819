//! The writing half of the container: frames, their seals, and when they reach the disk.
//!
//! Text of the open frame goes into the file as it is, so that a killed session can be read to its last second, and is
//! packed as a whole when the frame ends: small pieces hardly shrink. Trusts nothing of what it reads back for that: it is
//! what was written, or the recording fails.
use super::RecordingError;
use super::compressor::{Compressor, Effort};
use super::seal::{Hash, LENGTH, Seal, Seals};
use super::unpacked::{self, LAST_BLOCK};
use sha2::{Digest, Sha256};
use std::fs::{File, TryLockError};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Work of at least this time is packed as well as can be.
const MINUTE: Duration = Duration::from_secs(60);

/// The header of a skippable frame over what `set_len` removes next (RFC 8878, section 3.1.2), without its size.
const REMAINDER: u32 = 0x184D_2A50;

/// Writes text as sealed frames.
pub(super) struct FrameWriter {
    file: File,
    path: PathBuf,
    /// Text of the open frame that is not in the file.
    waiting: Vec<u8>,
    /// What of the open frame is in the file.
    stored: Option<Stored>,
    /// Bytes in the file before the open frame.
    sealed: u64,
    /// Kept from flood to flood, so that an idle session has none.
    compressor: Option<Compressor>,
    packed: Vec<u8>,
    previous: Hash,
    frames: u64,
}

/// The beginning of a frame, in the file as it is.
struct Stored {
    bytes: u64,
    /// Whether some of it was brought to the disk.
    is_on_disk: bool,
    /// Over the hash before the frame and those bytes, as a seal's.
    hasher: Sha256,
}

impl FrameWriter {
    pub(super) fn new(file: File, path: PathBuf, genesis: Hash) -> Self {
        Self {
            file,
            path,
            waiting: Vec::new(),
            stored: None,
            sealed: 0,
            compressor: None,
            packed: Vec::new(),
            previous: genesis,
            frames: 0,
        }
    }

    /// Adds `text` to the open frame, or to a new one.
    pub(super) fn add(&mut self, text: &[u8]) {
        self.waiting.extend_from_slice(text);
    }

    /// Text of the open frame that is not in the file yet, bytes.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Text of the open frame, bytes, and a few more.
    pub(super) fn held(&self) -> u64 {
        self.bytes() - self.sealed + self.waiting.len() as u64
    }

    /// Puts all text so far into the file, in the kernel's hands.
    pub(super) fn flush(&mut self) -> Result<(), RecordingError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let mut bytes = Vec::with_capacity(self.waiting.len() + 64);
        unpacked::append(&mut bytes, self.stored.is_none(), &self.waiting);
        self.waiting = Vec::new();
        self.store(&bytes)
    }

    /// Closes the open frame, if there is one, and seals it. `age`: how long it was open.
    pub(super) fn end_frame(&mut self, age: Duration) -> Result<(), RecordingError> {
        if self.stored.is_some() {
            self.flush()?;
            let effort = match age < MINUTE {
                true => Effort::Little,
                false => Effort::Ordinary,
            };
            self.end_in_its_place(effort)?;
            (self.compressor, self.packed) = (None, Vec::new());
        } else if !self.waiting.is_empty() {
            let text = std::mem::take(&mut self.waiting);
            let (mut packed, hash) = self.pack(&text, Effort::Least)?;
            self.write(&packed)?;
            self.previous = hash;
            packed.clear();
            self.packed = packed;
            self.waiting = text;
            self.waiting.clear();
        } else {
            return Ok(());
        }
        self.frames += 1;
        Ok(())
    }

    /// Closes the open frame and says that nothing follows.
    pub(super) fn end(&mut self, age: Duration) -> Result<(), RecordingError> {
        self.end_frame(age)?;
        let (seal, hash) = self.seal(Seals::End, self.previous.begin());
        self.write(&seal)?;
        self.previous = hash;
        Ok(())
    }

    /// Brings what was written to the disk.
    pub(super) fn sync(&mut self) -> Result<(), RecordingError> {
        self.file
            .sync_data()
            .map_err(|source| RecordingError::Sync {
                path: self.path.clone(),
                source,
            })?;
        if let Some(stored) = &mut self.stored {
            stored.is_on_disk = true;
        }
        Ok(())
    }

    /// Frames that are sealed.
    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    /// Bytes in the file.
    pub(super) fn bytes(&self) -> u64 {
        self.sealed + self.stored.as_ref().map_or(0, |stored| stored.bytes)
    }

    /// The hash in the last seal; before the first one, the one that the session's id gives.
    pub(super) fn last_hash(&self) -> Hash {
        self.previous
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// Appends bytes of the open frame to the file.
    fn store(&mut self, bytes: &[u8]) -> Result<(), RecordingError> {
        let end = self.bytes();
        self.file
            .write_all_at(bytes, end)
            .map_err(|source| not_written(&self.path, source))?;
        let stored = self.stored.get_or_insert_with(|| Stored {
            bytes: 0,
            is_on_disk: false,
            hasher: self.previous.begin(),
        });
        stored.bytes += bytes.len() as u64;
        stored.hasher.update(bytes);
        Ok(())
    }

    /// Ends a frame that is in the file: packed, in the place of what is there, or, if somebody reads that, as it is.
    fn end_in_its_place(&mut self, effort: Effort) -> Result<(), RecordingError> {
        let Some(stored) = &self.stored else {
            return Ok(());
        };
        let text = self.read_back(stored)?;
        let (packed, hash) = self.pack(&text, effort)?;
        drop(text);
        if matches!(self.file.try_lock(), Err(TryLockError::WouldBlock)) {
            return self.end_as_it_is();
        }
        let replaced = self.replace(&packed);
        // A file system without locks has none to give back.
        let _ = self.file.unlock();
        self.previous = hash;
        replaced
    }

    /// Ends the frame where it is: its text stays as it is.
    fn end_as_it_is(&mut self) -> Result<(), RecordingError> {
        self.store(&LAST_BLOCK)?;
        let Some(stored) = self.stored.take() else {
            return Ok(());
        };
        let (seal, hash) = self.seal(Seals::Frame, stored.hasher);
        self.sealed += stored.bytes;
        self.write(&seal)?;
        self.previous = hash;
        Ok(())
    }

    /// A frame of `text`, its seal behind it, and the hash in that.
    fn pack(&mut self, text: &[u8], effort: Effort) -> Result<(Vec<u8>, Hash), RecordingError> {
        let mut compressor = match self.compressor.take() {
            Some(compressor) if compressor.effort() == effort => compressor,
            _ => Compressor::new(effort)?,
        };
        let mut packed = std::mem::take(&mut self.packed);
        compressor.pack(text, &mut packed)?;
        self.compressor = Some(compressor);
        let hasher = self.previous.begin().chain_update(&packed);
        let (seal, hash) = self.seal(Seals::Frame, hasher);
        packed.extend_from_slice(&seal);
        Ok((packed, hash))
    }

    /// The text that is in the file, which must be what was written there.
    fn read_back(&self, stored: &Stored) -> Result<Vec<u8>, RecordingError> {
        let changed = || RecordingError::Changed {
            path: self.path.clone(),
        };
        let length = usize::try_from(stored.bytes).map_err(|_| changed())?;
        let mut bytes = vec![0; length];
        match self.file.read_exact_at(&mut bytes, self.sealed) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(changed()),
            Err(source) => {
                return Err(RecordingError::ReadBack {
                    path: self.path.clone(),
                    source,
                });
            }
        }
        let hash = Hash::end(self.previous.begin().chain_update(&bytes));
        match hash == Hash::end(stored.hasher.clone()) {
            true => unpacked::text(&bytes).ok_or_else(changed),
            false => Err(changed()),
        }
    }

    /// Writes `bytes` over what is in the file of the open frame, in whose place they stay.
    ///
    /// What was on the disk is there until they are. Killed between two of these calls, the file is one that every zstd
    /// decoder and [`super::verify()`] read to its end.
    fn replace(&mut self, bytes: &[u8]) -> Result<(), RecordingError> {
        let (before, is_on_disk) = match self.stored.take() {
            Some(stored) => (stored.bytes, stored.is_on_disk),
            None => (0, false),
        };
        let length = bytes.len() as u64;
        let left = before.saturating_sub(length);
        let mut bytes = bytes.to_vec();
        if let Some(size) = left
            .checked_sub(8)
            .and_then(|left| u32::try_from(left).ok())
        {
            bytes.extend_from_slice(&REMAINDER.to_le_bytes());
            bytes.extend_from_slice(&size.to_le_bytes());
        }
        self.file
            .write_all_at(&bytes, self.sealed)
            .map_err(|source| not_written(&self.path, source))?;
        self.sealed += length;
        if left > 0 {
            if is_on_disk {
                self.sync()?;
            }
            self.file
                .set_len(self.sealed)
                .map_err(|source| not_written(&self.path, source))?;
        }
        Ok(())
    }

    /// Appends what stays to the sealed frames.
    fn write(&mut self, bytes: &[u8]) -> Result<(), RecordingError> {
        self.file
            .write_all_at(bytes, self.sealed)
            .map_err(|source| not_written(&self.path, source))?;
        self.sealed += bytes.len() as u64;
        Ok(())
    }

    fn seal(&self, seals: Seals, hasher: Sha256) -> ([u8; LENGTH], Hash) {
        let hash = Hash::end(hasher);
        let seal = Seal {
            seals,
            index: self.frames,
            hash,
        };
        (seal.to_bytes(), hash)
    }
}

fn not_written(path: &Path, source: io::Error) -> RecordingError {
    RecordingError::Write {
        path: path.to_owned(),
        source,
    }
}
