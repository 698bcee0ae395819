//! Puts a snapshot in its place: a reader sees the old file or the new one, whole, whatever happens in between.
#![forbid(unsafe_code)]

use std::{
    ffi::{OsStr, OsString},
    fmt, fs,
    fs::{File, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::{Error, container::Kind, keys, users};

/// Left-over temporary files older than this are taken away.
const STALE: Duration = Duration::from_secs(600);

/// Why a snapshot was not published. The published file, if there is one, is as it was.
#[derive(Debug)]
pub enum PublishError {
    /// The path has no file name.
    Path(PathBuf),
    /// Readers would refuse it.
    Invalid(Error),
    /// A step failed.
    Io {
        /// What was being done.
        step: &'static str,
        /// The file or folder that it was done to.
        path: PathBuf,
        /// Why it failed.
        error: io::Error,
    },
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(
                f,
                "{} names no file to publish a snapshot in",
                path.display()
            ),
            Self::Invalid(error) => write!(
                f,
                "the new snapshot is not published, because no reader would take it: {error}"
            ),
            Self::Io { step, path, error } => {
                write!(
                    f,
                    "the snapshot is not published: cannot {step} {}: {error}",
                    path.display()
                )
            }
        }
    }
}

impl std::error::Error for PublishError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Path(_) => None,
            Self::Invalid(error) => Some(error),
            Self::Io { error, .. } => Some(error),
        }
    }
}

/// Publishes a snapshot made by [`users::write`] or [`keys::write`] under `path`, with permissions `mode` (the umask does
/// not apply).
///
/// The caller holds the publish lock and has read the store under it. A temporary file in the same folder is written,
/// synced and renamed, then the folder is synced: after `Ok` the snapshot survives a power failure. If only that last step
/// fails, the new file is in place but may not survive one.
///
/// # Errors
/// What could not be done; nothing is left behind.
pub fn publish(path: &Path, bytes: &[u8], kind: Kind, mode: u32) -> Result<(), PublishError> {
    match kind {
        Kind::Users => users::Reader::new(bytes).and_then(|reader| reader.verify()),
        Kind::Keys => keys::Reader::new(bytes).and_then(|reader| reader.verify()),
    }
    .map_err(PublishError::Invalid)?;
    put(path, &[bytes], mode)
}

/// Puts these bytes, one part behind the other, in their place.
pub(crate) fn put(path: &Path, parts: &[&[u8]], mode: u32) -> Result<(), PublishError> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(PublishError::Path(path.to_owned()));
    };
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let temporary = folder.join(temporary_name(name));
    let result = write_and_rename(&temporary, path, parts, mode);
    if result.is_err() {
        // Best effort: what stays is taken away by a later publication.
        let _ = fs::remove_file(&temporary);
    }
    result?;
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(failed("sync the folder", folder))?;
    remove_stale(folder, name);
    Ok(())
}

fn failed(step: &'static str, path: &Path) -> impl FnOnce(io::Error) -> PublishError {
    let path = path.to_owned();
    move |error| PublishError::Io { step, path, error }
}

fn write_and_rename(
    temporary: &Path,
    path: &Path,
    parts: &[&[u8]],
    mode: u32,
) -> Result<(), PublishError> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC)
        .open(temporary)
        .map_err(failed("create", temporary))?;
    for part in parts {
        file.write_all(part).map_err(failed("write", temporary))?;
    }
    file.set_permissions(Permissions::from_mode(mode))
        .map_err(failed("set the permissions of", temporary))?;
    file.sync_all().map_err(failed("sync", temporary))?;
    fs::rename(temporary, path).map_err(failed("rename to", path))
}

/// `.NAME.PID.COUNT.new`: no other publisher has the same.
fn temporary_name(name: &OsStr) -> OsString {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut temporary = temporary_prefix(name);
    temporary.push(format!(
        "{}.{}.new",
        process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    ));
    temporary
}

fn temporary_prefix(name: &OsStr) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(name);
    prefix.push(".");
    prefix
}

/// Takes away what publishers left that were killed on the way. Best effort: nothing depends on it.
fn remove_stale(folder: &Path, name: &OsStr) {
    let prefix = temporary_prefix(name);
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let file = entry.file_name();
        let ours = file
            .as_encoded_bytes()
            .starts_with(prefix.as_encoded_bytes())
            && file.as_encoded_bytes().ends_with(b".new");
        let age = || entry.metadata().ok()?.modified().ok()?.elapsed().ok();
        if ours && age().is_some_and(|age| age > STALE) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
