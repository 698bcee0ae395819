//! Reading a recording, event by event, whether it is whole, cut, or being written.
//!
//! Trusts nothing in the file; memory stays below a few [`LINE_LIMIT`] whatever it holds. It reads
//! what is there and does not ask whether the seals are right: that is [`super::verify()`].
use super::scan::{Part, Scanner, Stop};
use super::seal::Seals;
use super::{Header, LINE_LIMIT, ReadError};
use crate::id::Id;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};
use zstd::zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer, ResetDirective, get_error_name};

/// What kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The asset printed.
    Output,
    /// The user typed.
    Input,
    /// The terminal has a new size.
    Resize,
    /// Something to find again: a command, a transfer.
    Marker,
}

/// One event of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Time since the start of the session, to the microsecond.
    pub at: Duration,
    /// What kind.
    pub kind: Kind,
    /// Text of output and input, `COLUMNSxLINES` of a resize, label of a marker.
    pub data: String,
}

impl Event {
    /// Columns and lines of a resize.
    #[must_use]
    pub fn size(&self) -> Option<(u16, u16)> {
        let (columns, lines) = self.data.split_once('x')?;
        let size = (columns.parse().ok()?, lines.parse().ok()?);
        (self.kind == Kind::Resize).then_some(size)
    }
}

/// How a recording ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// With its end seal.
    Whole,
    /// Without one: its session was killed or is still running, or the file was cut.
    Cut,
    /// Reading stopped at an error.
    Damaged,
}

/// The window of a frame may be this large, as a power of two; as ours are.
const WINDOW_LOG: u32 = 20;

/// How long a recorder may take to pack a frame. One that was stopped in the middle keeps nobody from reading.
const PATIENCE: Duration = Duration::from_secs(2);

/// A recording being read: an iterator of its events.
///
/// After the last event, [`Reader::ended`] says how it ended. After an error there are no more.
pub struct Reader<R> {
    lines: Lines<R>,
    header: Header,
    session: Option<Id>,
    ended: Option<Ended>,
}

impl Reader<File> {
    /// Opens the recording at `path`. The last part of the path must not be a symbolic link.
    ///
    /// # Errors
    /// It cannot be opened, is no regular file, is cut before the end of its header, or is no
    /// recording.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        Self::new(open(path)?)
    }
}

/// Opens a file of evidence; never waits for a FIFO's other end. As long as it is open, no frame of it is packed.
pub(super) fn open(path: &Path) -> Result<File, ReadError> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC | libc::O_NONBLOCK)
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(ReadError::NotAFile);
    }
    let until = Instant::now() + PATIENCE;
    while matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) && Instant::now() < until
    {
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(file)
}

impl<R: Read> Reader<R> {
    /// Reads the recording that `source` holds.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn new(source: R) -> Result<Self, ReadError> {
        let mut lines = Lines::new(source)?;
        let Ok(line) = lines.next()? else {
            return Err(ReadError::Empty);
        };
        let (header, session) = Header::parse(line)?;
        Ok(Self {
            lines,
            header,
            session,
            ended: None,
        })
    }

    /// What the recording says about its session.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The session that the recording says it is of.
    #[must_use]
    pub fn session(&self) -> Option<&Id> {
        self.session.as_ref()
    }

    /// How the recording ended; none while events may follow.
    #[must_use]
    pub fn ended(&self) -> Option<Ended> {
        self.ended
    }

    fn event(&mut self) -> Result<Result<Event, Ended>, ReadError> {
        loop {
            let offset = self.lines.scanner.offset();
            let line = match self.lines.next()? {
                Ok(line) => line,
                Err(ended) => return Ok(Err(ended)),
            };
            let (seconds, code, data): (f64, String, String) = serde_json::from_slice(line)
                .map_err(|_| ReadError::damaged(offset, "a line is no event"))?;
            let at = Duration::try_from_secs_f64(seconds)
                .map_err(|_| ReadError::damaged(offset, "an event has an impossible time"))?;
            let kind = match code.as_str() {
                "o" => Kind::Output,
                "i" => Kind::Input,
                "r" => Kind::Resize,
                "m" => Kind::Marker,
                // asciicast v2 asks readers to pass over kinds that they do not know.
                _ => continue,
            };
            let at = Duration::from_micros(u64::try_from(rounded(at)).unwrap_or(u64::MAX));
            return Ok(Ok(Event { at, kind, data }));
        }
    }
}

/// The nearest microsecond: seconds as a binary fraction are a little off.
fn rounded(at: Duration) -> u128 {
    at.saturating_add(Duration::from_nanos(500)).as_micros()
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Event, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended.is_some() {
            return None;
        }
        match self.event() {
            Ok(Ok(event)) => Some(Ok(event)),
            Ok(Err(ended)) => {
                self.ended = Some(ended);
                None
            }
            Err(error) => {
                self.ended = Some(Ended::Damaged);
                Some(Err(error))
            }
        }
    }
}

/// The lines of text in a recording's frames.
struct Lines<R> {
    scanner: Scanner<R>,
    context: DCtx<'static>,
    out: Box<[u8]>,
    /// Decompressed text: `line` bytes at its start are the line that was returned last, up to
    /// `searched` there is no other line feed.
    text: Vec<u8>,
    line: usize,
    searched: usize,
    /// Whether the end seal was seen.
    whole: bool,
}

impl<R: Read> Lines<R> {
    fn new(source: R) -> Result<Self, ReadError> {
        let no_memory = || ReadError::Io(std::io::ErrorKind::OutOfMemory.into());
        let mut context = DCtx::try_create().ok_or_else(no_memory)?;
        context
            .set_parameter(DParameter::WindowLogMax(WINDOW_LOG))
            .map_err(|_| no_memory())?;
        Ok(Self {
            scanner: Scanner::new(source),
            context,
            out: vec![0; 32 * 1024].into_boxed_slice(),
            text: Vec::new(),
            line: 0,
            searched: 0,
            whole: false,
        })
    }

    /// The next complete line, without its line feed, or how the recording ended.
    fn next(&mut self) -> Result<Result<&[u8], Ended>, ReadError> {
        loop {
            let rest = self
                .text
                .get(self.searched.max(self.line)..)
                .unwrap_or_default();
            if let Some(length) = rest.iter().position(|byte| *byte == b'\n') {
                let start = self.line;
                let end = self.searched.max(self.line) + length;
                self.line = end + 1;
                self.searched = self.line;
                return Ok(Ok(self.text.get(start..end).unwrap_or_default()));
            }
            self.text.drain(..self.line.min(self.text.len()));
            self.line = 0;
            self.searched = self.text.len();
            if self.text.len() > LINE_LIMIT {
                return Err(self.damage("a line is longer than any that is ever written"));
            }
            if let Some(ended) = self.more()? {
                return Ok(Err(ended));
            }
        }
    }

    /// Decompresses the next part of the file into `text`.
    fn more(&mut self) -> Result<Option<Ended>, ReadError> {
        let part = match self.scanner.next()? {
            Ok(part) => part,
            Err(Stop::Inside) if self.whole => return Err(self.behind_the_end()),
            Err(stop) => {
                let whole = self.whole && stop == Stop::Border && self.text.is_empty();
                return Ok(Some(if whole { Ended::Whole } else { Ended::Cut }));
            }
        };
        if self.whole {
            return Err(self.behind_the_end());
        }
        match part {
            Part::Frame(bytes) => {
                let (context, out, text) = (&mut self.context, &mut self.out, &mut self.text);
                if let Err(code) = decompress(context, out, text, bytes) {
                    return Err(self.damage(get_error_name(code)));
                }
            }
            Part::FrameEnd => {
                if self.context.reset(ResetDirective::SessionOnly).is_err() {
                    return Err(self.damage("a frame cannot be ended"));
                }
            }
            Part::Seal(seal) => self.whole = seal.seals == Seals::End,
            Part::Foreign(_) => {}
        }
        Ok(None)
    }

    fn behind_the_end(&self) -> ReadError {
        self.damage("something follows the end of the recording")
    }

    fn damage(&self, reason: &str) -> ReadError {
        ReadError::damaged(self.scanner.offset(), reason)
    }
}

/// Appends what `bytes`, at most one block, decompress to. A block holds at most 128 KiB.
fn decompress(
    context: &mut DCtx<'static>,
    out: &mut [u8],
    text: &mut Vec<u8>,
    bytes: &[u8],
) -> Result<(), usize> {
    let mut input = InBuffer::around(bytes);
    loop {
        let mut output = OutBuffer::around(&mut *out);
        let left = context.decompress_stream(&mut output, &mut input)?;
        let length = output.pos();
        text.extend_from_slice(out.get(..length).unwrap_or_default());
        // A full buffer may have left more in the decompressor.
        if input.pos() >= bytes.len() && (length < out.len() || left == 0) {
            return Ok(());
        }
        if length == 0 && left == 0 {
            return Ok(());
        }
    }
}
