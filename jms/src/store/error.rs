//! What can go wrong with the store, in sentences that say what to do.

use std::fmt;
use std::path::{Path, PathBuf};

/// What went wrong.
#[derive(Debug)]
pub enum StoreError {
    /// There is no store.
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The schema is newer than this program.
    TooNew {
        /// The store's number.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// It exists and has no schema.
    NotInitialised,
    /// Another writer did not finish in time.
    Busy,
    /// Too many answers are being checked: this one was not looked at.
    Crowded,
    /// No room, or not writable.
    NotWritable {
        /// What SQLite said.
        source: String,
    },
    /// Not a database, or a damaged one.
    Damaged {
        /// What SQLite said.
        source: String,
    },
    /// A row says something that cannot be.
    Nonsense {
        /// Where.
        what: &'static str,
        /// What it says.
        found: String,
    },
    /// No such thing.
    NotFound {
        /// `user`, `asset`, …
        kind: &'static str,
        /// The name that was given.
        name: String,
        /// A name that is near.
        nearest: Option<String>,
    },
    /// The name is taken.
    Exists {
        /// `user`, `asset`, …
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// A rule of the policy itself forbids the change.
    Refused {
        /// Why, and what to do.
        sentence: String,
    },
    /// Who asks may not do that, whatever his role is.
    NotAllowed {
        /// Why, and what to do.
        sentence: String,
    },
    /// The user has as many open logins as he may have.
    TooManyLogins {
        /// So many.
        open: u32,
    },
    /// No uid is left.
    NoUidLeft {
        /// The last of the range.
        last: u32,
    },
    /// A file beside the store.
    File {
        /// What was tried.
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The snapshots cannot be published.
    Publish {
        /// Why.
        sentence: String,
    },
    /// A secret cannot be sealed or opened.
    Secret {
        /// Why.
        sentence: String,
    },
    /// Something else in SQLite.
    Database(rusqlite::Error),
}

impl StoreError {
    pub(crate) fn file(doing: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::File {
            doing,
            path: path.to_owned(),
            source,
        }
    }

    /// Whether the store or something beside it failed; `false` where only what was asked for was wrong.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        !matches!(
            self,
            Self::Refused { .. }
                | Self::Exists { .. }
                | Self::NotFound { .. }
                | Self::TooManyLogins { .. }
                | Self::Crowded
        )
    }

    /// A stable word for events.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "store-missing",
            Self::TooNew { .. } => "store-too-new",
            Self::NotInitialised => "store-not-initialised",
            Self::Busy => "store-busy",
            Self::Crowded => "crowded",
            Self::NotWritable { .. } => "store-not-writable",
            Self::Damaged { .. } => "store-damaged",
            Self::Nonsense { .. } => "store-nonsense",
            Self::NotFound { .. } => "not-found",
            Self::Exists { .. } => "exists",
            Self::Refused { .. } => "refused",
            Self::NotAllowed { .. } => "not-allowed",
            Self::TooManyLogins { .. } => "too-many-logins",
            Self::NoUidLeft { .. } => "no-uid-left",
            Self::File { .. } => "file",
            Self::Publish { .. } => "publish",
            Self::Secret { .. } => "secret",
            Self::Database(_) => "database",
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { path } => write!(f, "there is no store at {}; make one with: jmsctl init", path.display()),
            Self::TooNew { found, known } => write!(
                f,
                "the store was written by a newer version (schema {found}, this program knows {known}); install that version again, or restore a backup"
            ),
            Self::NotInitialised => f.write_str("the store is empty; fill it with: jmsctl init"),
            Self::Busy => f.write_str("the store is busy: another writer has held it for more than two seconds; try again"),
            Self::Crowded => f.write_str("too many passwords and codes are being checked just now; try again"),
            Self::NotWritable { source } => {
                write!(f, "the store cannot be written ({source}); look for room on the disk and at the owner (jms) of its folder")
            }
            Self::Damaged { source } => write!(f, "the store is damaged ({source}); restore a backup with: jmsctl restore"),
            Self::Nonsense { what, found } => write!(f, "the store says “{}” for {what}, which cannot be", found.escape_debug()),
            Self::NotFound { kind, name, nearest } => {
                write!(f, "there is no {kind} “{}”", name.escape_debug())?;
                nearest.as_ref().map_or(Ok(()), |near| write!(f, "; did you mean {near}?"))
            }
            Self::Exists { kind, name } => write!(f, "there is already {} {kind} “{}”; change it with set", crate::names::article(kind), name.escape_debug()),
            Self::Refused { sentence } | Self::NotAllowed { sentence } | Self::Publish { sentence } | Self::Secret { sentence } => f.write_str(sentence),
            Self::TooManyLogins { open } => write!(f, "the user has {open} open logins, and may have no more"),
            Self::NoUidLeft { last } => write!(
                f,
                "no uid is left: {last} is the last of the range in /etc/jms/uid-range, and uids are never given twice; make the range longer"
            ),
            Self::File { doing, path, source } => write!(f, "cannot {doing} {}: {source}", path.display()),
            Self::Database(source) => write!(f, "the store: {source}"),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        let source = error.to_string();
        match error.sqlite_error_code() {
            Some(Code::DatabaseBusy | Code::DatabaseLocked) => Self::Busy,
            Some(
                Code::DiskFull
                | Code::ReadOnly
                | Code::CannotOpen
                | Code::SystemIoFailure
                | Code::PermissionDenied,
            ) => Self::NotWritable { source },
            Some(Code::DatabaseCorrupt | Code::NotADatabase) => Self::Damaged { source },
            _ => Self::Database(error),
        }
    }
}

impl From<crate::id::NoRandomness> for StoreError {
    fn from(error: crate::id::NoRandomness) -> Self {
        Self::Refused {
            sentence: error.to_string(),
        }
    }
}
