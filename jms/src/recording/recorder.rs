//! Writing a recording while its session runs.
//!
//! Nothing here ticks: the caller's event loop asks [`Recorder::next_deadline`] and calls
//! [`Recorder::tick`] then. A session that prints nothing has no deadline once its last frame has
//! ended.
use super::escape::escape;
use super::frames::FrameWriter;
use super::place::Place;
use super::seal::Hash;
use super::utf8::Decoder;
use super::{FLUSH_AFTER, FRAME_AGE, FRAME_INPUT, Header, RecordingError, SYNC_AFTER};
use crate::id::Id;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::{Duration, Instant};

/// Recorded bytes that go into one line: it stays far below [`super::LINE_LIMIT`], as one byte
/// becomes at most six.
const PIECE: usize = 16 * 1024;

/// Output that comes within so much time is one event, as long as its line is shorter than [`PIECE`].
const TOGETHER: Duration = Duration::from_millis(10);

/// A frame that holds so much text before any of it is in the file is packed at once: bytes.
const FLOOD: usize = 256 * 1024;

/// What is sealed so far; kept in the store, it shows later that a file was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sealed {
    /// Sealed frames.
    pub frames: u64,
    /// Bytes written to the file, those of the open frame included.
    pub bytes: u64,
    /// The hash in the last seal.
    pub last_hash: Hash,
}

/// A recording that ended as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finished {
    /// Size of the file, bytes.
    pub bytes: u64,
    /// Sealed frames.
    pub frames: u64,
    /// The hash in the end seal: what [`super::verify()`] is to be given.
    pub last_hash: Hash,
    /// Time of the last event since the start.
    pub duration: Duration,
}

/// One session's recording, being written.
///
/// Any error ends it for good (what follows returns [`RecordingError::Failed`]): the caller ends
/// the session. What was flushed before stays readable. `SIGXFSZ` must be ignored or blocked, so
/// that a limit on file sizes comes back as an error. Dropped without [`Recorder::finish`], it
/// writes out what it holds, without the end seal.
pub struct Recorder {
    frames: FrameWriter,
    origin: Instant,
    output: Decoder,
    input: Decoder,
    line: Vec<u8>,
    /// When the event in `line` began, if that is output which has no end yet.
    open: Option<Duration>,
    last: Duration,
    unflushed_since: Option<Instant>,
    frame_since: Option<Instant>,
    sync_at: Option<Instant>,
    last_sync: Option<Instant>,
    failed: Option<String>,
    finished: bool,
}

impl Recorder {
    /// Creates the file of a session that starts now, with its header already in it.
    ///
    /// # Errors
    /// Folder or file cannot be made, or the header cannot be written; no file is left then.
    pub fn create(root: &Path, session: &Id, header: &Header) -> Result<Self, RecordingError> {
        Self::create_at(root, session, header, Instant::now())
    }

    /// As [`Recorder::create`]; event times count from `origin`.
    ///
    /// # Errors
    /// As [`Recorder::create`].
    pub fn create_at(
        root: &Path,
        session: &Id,
        header: &Header,
        origin: Instant,
    ) -> Result<Self, RecordingError> {
        let line = header.line(session)?;
        let (file, place) = Place::create(root, session, header.started_at)?;
        let mut frames = FrameWriter::new(file, place.path.clone(), Hash::genesis(session));
        frames.add(&line);
        frames
            .flush()
            .and_then(|()| place.keep())
            .inspect_err(|_| place.remove())?;
        Ok(Self {
            frames,
            origin,
            output: Decoder::default(),
            input: Decoder::default(),
            line: Vec::new(),
            open: None,
            last: Duration::ZERO,
            unflushed_since: None,
            frame_since: Some(origin),
            sync_at: Some(origin + SYNC_AFTER),
            last_sync: None,
            failed: None,
            finished: false,
        })
    }

    /// The moment that event times count from.
    #[must_use]
    pub fn origin(&self) -> Instant {
        self.origin
    }

    /// Where the file lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.frames.path()
    }

    /// What is sealed so far.
    #[must_use]
    pub fn sealed(&self) -> Sealed {
        Sealed {
            frames: self.frames.frames(),
            bytes: self.frames.bytes(),
            last_hash: self.frames.last_hash(),
        }
    }

    /// Records what the asset printed, `at` after the start. A character that the end of `bytes`
    /// cuts waits for its rest; what is no UTF-8 becomes U+FFFD.
    ///
    /// # Errors
    /// The recording failed, now or before.
    pub fn output(&mut self, at: Duration, bytes: &[u8]) -> Result<(), RecordingError> {
        self.guarded(|this| this.bytes(at, 'o', bytes))
    }

    /// Records what the user typed, for settings that ask for it. The caller leaves out what was
    /// not echoed.
    ///
    /// # Errors
    /// The recording failed, now or before.
    pub fn input(&mut self, at: Duration, bytes: &[u8]) -> Result<(), RecordingError> {
        self.guarded(|this| this.bytes(at, 'i', bytes))
    }

    /// Records that the terminal has a new size.
    ///
    /// # Errors
    /// The recording failed, now or before.
    pub fn resize(&mut self, at: Duration, width: u16, height: u16) -> Result<(), RecordingError> {
        self.guarded(|this| this.text(at, 'r', &format!("{width}x{height}")))
    }

    /// Records a marker: a command, a transfer, somebody who joined. A label longer than 16 KiB
    /// is cut.
    ///
    /// # Errors
    /// The recording failed, now or before.
    pub fn marker(&mut self, at: Duration, label: &str) -> Result<(), RecordingError> {
        let end = (0..=PIECE).rev().find(|end| label.is_char_boundary(*end));
        let label = end.and_then(|end| label.get(..end)).unwrap_or(label);
        self.guarded(|this| this.text(at, 'm', label))
    }

    /// When [`Recorder::tick`] has something to do, if ever.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let flush = self.unflushed_since.map(|since| since + FLUSH_AFTER);
        let frame = self.frame_since.map(|since| since + FRAME_AGE);
        [flush, frame, self.sync_at]
            .into_iter()
            .flatten()
            .min()
            .filter(|_| self.failed.is_none())
    }

    /// Does what is due at `now`; may be called at any time.
    ///
    /// # Errors
    /// The recording failed, now or before.
    pub fn tick(&mut self, now: Instant) -> Result<(), RecordingError> {
        self.guarded(|this| this.due(now))
    }

    /// Hands all text so far to the kernel.
    ///
    /// # Errors
    /// The recording failed, now or before.
    pub fn flush(&mut self) -> Result<(), RecordingError> {
        self.guarded(|this| this.put(this.now()))
    }

    /// Ends the recording: last frame, end seal, disk.
    ///
    /// # Errors
    /// The recording failed, now or before; the file then lacks its end.
    pub fn finish(mut self) -> Result<Finished, RecordingError> {
        self.guarded(|this| {
            this.rest()?;
            let age = this.age(this.now());
            this.close_line()?;
            this.frames.end(age)?;
            this.frames.sync()
        })?;
        self.finished = true;
        Ok(Finished {
            bytes: self.frames.bytes(),
            frames: self.frames.frames(),
            last_hash: self.frames.last_hash(),
            duration: self.last,
        })
    }

    /// Runs `work` unless the recording has failed, and remembers its failure.
    fn guarded(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<(), RecordingError>,
    ) -> Result<(), RecordingError> {
        if let Some(first) = &self.failed {
            return Err(RecordingError::Failed {
                first: first.clone(),
            });
        }
        work(self).inspect_err(|error| self.failed = Some(error.to_string()))
    }

    fn bytes(&mut self, at: Duration, code: char, bytes: &[u8]) -> Result<(), RecordingError> {
        for piece in bytes.chunks(PIECE) {
            let empty = match self.goes_on(at, code) {
                true => 0,
                false => self.begin(at, code)?,
            };
            let decoder = match code {
                'i' => &mut self.input,
                _ => &mut self.output,
            };
            decoder.push(&mut self.line, piece);
            if self.line.len() == empty {
                // A part of a character is no event yet.
                (self.open, self.line) = (None, Vec::new());
            } else if code == 'o' {
                self.open.get_or_insert(self.last);
                self.begun();
            } else {
                self.write_line()?;
            }
        }
        self.due(self.now())
    }

    fn text(&mut self, at: Duration, code: char, text: &str) -> Result<(), RecordingError> {
        self.begin(at, code)?;
        escape(&mut self.line, text);
        self.write_line()?;
        self.due(self.now())
    }

    /// Writes the characters that never became whole.
    fn rest(&mut self) -> Result<(), RecordingError> {
        for code in ['o', 'i'] {
            let decoder = if code == 'o' {
                &mut self.output
            } else {
                &mut self.input
            };
            if decoder.finish() {
                self.begin(self.last, code)?;
                escape(&mut self.line, "\u{fffd}");
                self.write_line()?;
            }
        }
        Ok(())
    }

    /// Whether what happens at `at` belongs to the event in `line`.
    fn goes_on(&mut self, at: Duration, code: char) -> bool {
        let soon = |since: Duration| at.saturating_sub(since) < TOGETHER;
        let goes_on = code == 'o' && self.line.len() < PIECE && self.open.is_some_and(soon);
        if goes_on {
            self.last = self.last.max(at);
        }
        goes_on
    }

    /// Begins a line, at a time that never runs backwards; returns its length without data.
    ///
    /// Times are of milliseconds: three digits more are a third of a recording of somebody who types.
    fn begin(&mut self, at: Duration, code: char) -> Result<usize, RecordingError> {
        self.close_line()?;
        self.last = self.last.max(at);
        let (seconds, millis) = (self.last.as_secs(), self.last.subsec_millis());
        // Writing to a Vec cannot fail.
        let _ = write!(self.line, "[{seconds}.{millis:03}, \"{code}\", \"");
        Ok(self.line.len())
    }

    /// Gives the event in `line`, if one is open, its end.
    fn close_line(&mut self) -> Result<(), RecordingError> {
        match self.open {
            Some(_) => self.write_line(),
            None => Ok(()),
        }
    }

    fn write_line(&mut self) -> Result<(), RecordingError> {
        self.open = None;
        self.line.extend_from_slice(b"\"]\n");
        self.frames.add(&self.line);
        self.line.clear();
        self.begun();
        let held = self.frames.held();
        if self.frames.waiting() >= FLOOD || held >= FRAME_INPUT {
            self.end_frame(self.now())?;
        }
        Ok(())
    }

    /// Text waits.
    fn begun(&mut self) {
        let now = self.now();
        self.unflushed_since.get_or_insert(now);
        self.frame_since.get_or_insert(now);
    }

    /// The moment of the last event.
    fn now(&self) -> Instant {
        self.origin.checked_add(self.last).unwrap_or(self.origin)
    }

    fn due(&mut self, now: Instant) -> Result<(), RecordingError> {
        let passed = |since: Option<Instant>, limit: Duration| {
            since.is_some_and(|since| now.saturating_duration_since(since) >= limit)
        };
        if passed(self.frame_since, FRAME_AGE) {
            self.close_line()?;
            self.end_frame(now)?;
        }
        if passed(self.unflushed_since, FLUSH_AFTER) {
            self.put(now)?;
        }
        if self.sync_at.is_some_and(|at| at <= now) {
            self.sync(now)?;
        }
        Ok(())
    }

    /// Puts what waits into the file.
    fn put(&mut self, now: Instant) -> Result<(), RecordingError> {
        self.close_line()?;
        // An idle session keeps no buffers.
        self.line = Vec::new();
        self.unflushed_since = None;
        self.sync_at.get_or_insert(now + SYNC_AFTER);
        self.frames.flush()
    }

    /// Ends the frame and brings it to the disk: at once, or, where frames follow each other
    /// faster than one a second, one second after the last time (a disk flush for each 256 KiB of
    /// a fast stream would slow the session down and make no frame safer than that).
    fn end_frame(&mut self, now: Instant) -> Result<(), RecordingError> {
        let age = self.age(now);
        self.frame_since = None;
        self.unflushed_since = None;
        self.frames.end_frame(age)?;
        let next = self.last_sync.map_or(now, |last| last + FLUSH_AFTER);
        self.sync_at = Some(next);
        match next <= now {
            true => self.sync(now),
            false => Ok(()),
        }
    }

    /// How long the frame is open.
    fn age(&self, now: Instant) -> Duration {
        self.frame_since
            .map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }

    fn sync(&mut self, now: Instant) -> Result<(), RecordingError> {
        self.frames.sync()?;
        self.sync_at = None;
        self.last_sync = Some(now);
        Ok(())
    }
}

impl AsFd for Recorder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.frames.descriptor()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if !self.finished && self.failed.is_none() {
            // There is nobody left to tell; a reader sees that the end is missing.
            let _ = self
                .rest()
                .and_then(|()| self.close_line())
                .and_then(|()| self.frames.end_frame(self.age(self.now())))
                .and_then(|()| self.frames.sync());
        }
    }
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder")
            .field("path", &self.frames.path())
            .field("sealed", &self.sealed())
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}
