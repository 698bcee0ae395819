//! What can go wrong with a recording, in words for the person who has to mend it.
use std::fmt;
use std::io;
use std::path::PathBuf;

/// A recording cannot be begun or continued. The session must not go on without it.
#[derive(Debug)]
pub enum RecordingError {
    /// A folder on the way to the file cannot be made, opened or written to disk.
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The file cannot be created.
    Create {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The file system has less free space, or fewer free files, than a session needs.
    NoRoom {
        /// The folder of all recordings.
        root: PathBuf,
        /// Bytes that the service user may still write there.
        available: u64,
        /// Bytes that were asked for.
        needed: u64,
    },
    /// Recorded bytes cannot be written.
    Write {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// Written bytes cannot be brought to the disk.
    Sync {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// What was written cannot be read back to be compressed.
    ReadBack {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// What was written is not there any more as it was written.
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The compressor failed: there is no memory for it.
    Compress {
        /// What zstd said.
        reason: &'static str,
    },
    /// Title, command and names together are longer than [`super::LINE_LIMIT`].
    HeaderTooLong {
        /// Bytes of the header as JSON.
        length: usize,
    },
    /// An earlier error ended this recording.
    Failed {
        /// That error, as a sentence.
        first: String,
    },
}

impl fmt::Display for RecordingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder { path, source } => {
                write!(
                    f,
                    "cannot prepare the recordings' folder {}: ",
                    path.display()
                )?;
                reason(f, source)
            }
            Self::Create { path, source } if source.kind() == io::ErrorKind::AlreadyExists => {
                write!(
                    f,
                    "the recording {} exists already; a session id is never used twice",
                    path.display()
                )
            }
            Self::Create { path, source } => {
                write!(f, "cannot create the recording {}: ", path.display())?;
                reason(f, source)
            }
            Self::NoRoom {
                root,
                available,
                needed,
            } => write!(
                f,
                "{} has {available} bytes left for recordings and a session needs {needed}; \
                 make room there (`jmsctl recording du` shows what takes it)",
                root.display()
            ),
            Self::Write { path, source } => {
                write!(f, "cannot write the recording {}: ", path.display())?;
                reason(f, source)
            }
            Self::Sync { path, source } => {
                write!(
                    f,
                    "cannot bring the recording {} to the disk: ",
                    path.display()
                )?;
                reason(f, source)
            }
            Self::ReadBack { path, source } => {
                write!(f, "cannot read back the recording {}: ", path.display())?;
                reason(f, source)
            }
            Self::Changed { path } => write!(
                f,
                "the recording {} was changed by somebody else while it was written; \
                 find out who, and keep the file as it is",
                path.display()
            ),
            Self::Compress { reason } => {
                write!(
                    f,
                    "cannot compress the recording ({reason}); is memory short?"
                )
            }
            Self::HeaderTooLong { length } => write!(
                f,
                "the session's title and command take {length} bytes and the recording has room \
                 for {}; shorten the command",
                super::LINE_LIMIT
            ),
            Self::Failed { first } => write!(f, "the recording has ended before: {first}"),
        }
    }
}

/// The kernel's reason, with what to do where it is known.
fn reason(f: &mut fmt::Formatter<'_>, source: &io::Error) -> fmt::Result {
    match source.raw_os_error() {
        Some(libc::ENOSPC) => f.write_str("the file system is full; make room there"),
        Some(libc::EDQUOT) => f.write_str("the service user's disk quota is used up"),
        Some(libc::EFBIG) => f.write_str(
            "it has reached the limit for the size of a file (RLIMIT_FSIZE or the file system's)",
        ),
        Some(libc::EROFS) => f.write_str("the file system is read-only"),
        Some(libc::ELOOP) => f.write_str("a symbolic link is in the way; remove it"),
        Some(libc::ENOENT) => f.write_str("it does not exist; is the package installed whole?"),
        _ => write!(f, "{source}"),
    }
}

impl std::error::Error for RecordingError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Folder { source, .. }
            | Self::Create { source, .. }
            | Self::Write { source, .. }
            | Self::ReadBack { source, .. }
            | Self::Sync { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// A recording cannot be read (on).
#[derive(Debug)]
pub enum ReadError {
    /// The file cannot be opened or read.
    Io(io::Error),
    /// The path names something that is not a regular file.
    NotAFile,
    /// The file was cut before its header was complete: it holds nothing.
    Empty,
    /// The first line is not the header of an asciicast v2 recording.
    Header {
        /// What is wrong with it.
        reason: String,
    },
    /// The file was changed after it was written, or was never a recording.
    Damaged {
        /// Offset in the compressed file, bytes, near which the damage was seen.
        offset: u64,
        /// What is wrong there.
        reason: String,
    },
}

impl ReadError {
    pub(super) fn damaged(offset: u64, reason: impl Into<String>) -> Self {
        Self::Damaged {
            offset,
            reason: reason.into(),
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(source) => write!(f, "cannot read the recording: {source}"),
            Self::NotAFile => f.write_str("the recording is not a regular file"),
            Self::Empty => f.write_str("the recording is empty: its session ended as it began"),
            Self::Header { reason } => write!(f, "this is no recording of a session: {reason}"),
            Self::Damaged { offset, reason } => write!(
                f,
                "the recording is damaged near byte {offset}: {reason} (`jmsctl recording verify` \
                 says which part)"
            ),
        }
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(source) => Some(source),
            _ => None,
        }
    }
}

impl From<io::Error> for ReadError {
    fn from(source: io::Error) -> Self {
        Self::Io(source)
    }
}
