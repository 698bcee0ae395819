//! The writing half of the container: frames, their seals, and when they reach the disk.
use super::RecordingError;
use super::compressor::{Compressor, Effort, Then};
use super::seal::{Hash, Seal, Seals};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

/// Writes text as sealed frames.
pub(super) struct FrameWriter {
    file: File,
    path: PathBuf,
    /// Only while a frame is open, so that an idle session has no compressor.
    frame: Option<Frame>,
    /// For the next frame.
    effort: Effort,
    previous: Hash,
    frames: u64,
    bytes: u64,
}

struct Frame {
    compressor: Compressor,
    hasher: Sha256,
    input: usize,
}

impl FrameWriter {
    pub(super) fn new(file: File, path: PathBuf, genesis: Hash) -> Self {
        Self {
            file,
            path,
            frame: None,
            effort: Effort::Ordinary,
            previous: genesis,
            frames: 0,
            bytes: 0,
        }
    }

    /// Adds `text` to the open frame, or to a new one; says how much text the frame holds now.
    pub(super) fn write(&mut self, text: &[u8]) -> Result<usize, RecordingError> {
        if self.frame.is_none() {
            self.frame = Some(Frame {
                compressor: Compressor::new(self.effort)?,
                hasher: self.previous.begin(),
                input: 0,
            });
        }
        self.run(text, Then::Continue)?;
        Ok(self.frame.as_mut().map_or(0, |frame| {
            frame.input = frame.input.saturating_add(text.len());
            frame.input
        }))
    }

    /// How hard the frames after this one are compressed.
    pub(super) fn compress_with(&mut self, effort: Effort) {
        self.effort = effort;
    }

    /// Closes the block: all text so far is in the file, in the kernel's hands.
    pub(super) fn flush(&mut self) -> Result<(), RecordingError> {
        self.run(&[], Then::Flush)
    }

    /// Closes the open frame, if there is one, and seals it.
    pub(super) fn end_frame(&mut self) -> Result<(), RecordingError> {
        self.run(&[], Then::End)?;
        let Some(frame) = self.frame.take() else {
            return Ok(());
        };
        self.seal(Seals::Frame, frame.hasher)?;
        self.frames += 1;
        Ok(())
    }

    /// Closes the open frame and says that nothing follows.
    pub(super) fn end(&mut self) -> Result<(), RecordingError> {
        self.end_frame()?;
        self.seal(Seals::End, self.previous.begin())
    }

    /// Brings what was written to the disk.
    pub(super) fn sync(&self) -> Result<(), RecordingError> {
        self.file
            .sync_data()
            .map_err(|source| RecordingError::Sync {
                path: self.path.clone(),
                source,
            })
    }

    /// Frames that are sealed.
    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    /// Bytes in the file.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
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

    fn run(&mut self, text: &[u8], then: Then) -> Result<(), RecordingError> {
        let Some(frame) = &mut self.frame else {
            return Ok(());
        };
        let (file, bytes, hasher) = (&mut self.file, &mut self.bytes, &mut frame.hasher);
        let outcome = frame.compressor.run(text, then, |compressed| {
            hasher.update(compressed);
            match file.write_all(compressed) {
                Ok(()) => {
                    *bytes += compressed.len() as u64;
                    ControlFlow::Continue(())
                }
                Err(error) => ControlFlow::Break(error),
            }
        })?;
        match outcome {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(error) => Err(self.not_written(error)),
        }
    }

    fn seal(&mut self, seals: Seals, hasher: Sha256) -> Result<(), RecordingError> {
        let hash = Hash::end(hasher);
        let seal = Seal {
            seals,
            index: self.frames,
            hash,
        };
        let bytes = seal.to_bytes();
        self.file
            .write_all(&bytes)
            .map_err(|error| self.not_written(error))?;
        self.bytes += bytes.len() as u64;
        self.previous = hash;
        Ok(())
    }

    fn not_written(&self, source: io::Error) -> RecordingError {
        RecordingError::Write {
            path: self.path.clone(),
            source,
        }
    }
}
