//! What can be wrong with a snapshot, as data and as a sentence.
#![forbid(unsafe_code)]

use std::{fmt, io};

use crate::container::Kind;

/// Why a snapshot, or one record of it, cannot be believed.
#[derive(Debug)]
pub enum Error {
    /// The file cannot be opened or read.
    Io(io::Error),
    /// It is a folder, a FIFO, a device or a socket.
    NotRegular,
    /// Everybody may write to it.
    WorldWritable,
    /// It is shorter than a header or longer than any snapshot.
    Size(u64),
    /// It does not begin as a snapshot does.
    Foreign,
    /// It is of another version of the format.
    Version(u16),
    /// It is a snapshot of something else.
    Kind {
        /// What was looked for.
        expected: Kind,
        /// The number in the file.
        found: u16,
    },
    /// Its length is not the one in its header.
    Length {
        /// Bytes, by the header.
        header: u64,
        /// Bytes, by the file system.
        file: u64,
    },
    /// The header's checksum is wrong.
    HeaderChecksum,
    /// The body's checksum is wrong.
    BodyChecksum,
    /// A section is missing, doubled or lies outside the file.
    Section {
        /// The section's id.
        id: u32,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The hash index contradicts itself or the records.
    Index(&'static str),
    /// A record holds what no record may hold.
    Record {
        /// The record's number, from 0.
        number: u32,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "the snapshot cannot be read: {error}"),
            Self::NotRegular => f.write_str("the snapshot is not a regular file"),
            Self::WorldWritable => {
                f.write_str("everybody may write to the snapshot, so it is not believed")
            }
            Self::Size(bytes) => write!(f, "no snapshot is {bytes} bytes long"),
            Self::Foreign => f.write_str("the file is not a snapshot of jms"),
            Self::Version(found) => write!(
                f,
                "the snapshot has format version {found}, this program reads version 1"
            ),
            Self::Kind { expected, found } => {
                write!(
                    f,
                    "the snapshot is of kind {found}, expected kind {} ({expected:?})",
                    *expected as u16
                )
            }
            Self::Length { header, file } => {
                write!(
                    f,
                    "the snapshot is {file} bytes long, its header says {header}"
                )
            }
            Self::HeaderChecksum => {
                f.write_str("the snapshot's header is damaged (wrong checksum)")
            }
            Self::BodyChecksum => f.write_str("the snapshot is damaged (wrong checksum)"),
            Self::Section { id, problem } => write!(f, "section {id} of the snapshot {problem}"),
            Self::Index(problem) => write!(f, "the snapshot's index {problem}"),
            Self::Record { number, problem } => {
                write!(f, "record {number} of the snapshot {problem}")
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Error {
    /// The `errno` that says it best to a caller who only understands such numbers.
    #[must_use]
    pub fn errno(&self) -> i32 {
        match self {
            Self::Io(error) => error.raw_os_error().unwrap_or(libc::EIO),
            Self::NotRegular | Self::WorldWritable => libc::EPERM,
            _ => libc::EBADMSG,
        }
    }
}

/// Why a snapshot cannot be made from what was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteError {
    /// Two users have this uid.
    DuplicateUid(u32),
    /// Two users have this name.
    DuplicateName(String),
    /// A user has the same key twice.
    DuplicateKey(String),
    /// More records or bytes than the format holds.
    TooLarge,
    /// No seed spreads the keys well enough. Does not happen by chance.
    NoSeed,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DuplicateUid(uid) => write!(f, "two users have the uid {uid}"),
            Self::DuplicateName(name) => write!(f, "two users are called {name:?}"),
            Self::DuplicateKey(name) => write!(f, "the user {name:?} has the same key twice"),
            Self::TooLarge => f.write_str("there are more users or keys than a snapshot holds"),
            Self::NoSeed => {
                f.write_str("the index of the snapshot cannot be built: too many keys collide")
            }
        }
    }
}

impl std::error::Error for WriteError {}
