//! The copy of the snapshot of users that the name service module may map into memory.
//!
//! Whoever can shorten a file that others have mapped ends their processes (SIGBUS), and the snapshot is the service
//! user's. So the key lookup, which runs as a user of its own, keeps a copy in a folder of its own: whole, checked, and never
//! written again once it has its name. The snapshot stays what counts. The copy names the snapshot that it was made from, and
//! is looked at only as long as that is the one that is published; without it, lookups read the snapshot.
//!
//! One page (4096 bytes) stands before the snapshot's own bytes. Little-endian, unsigned:
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 8 | magic `JMSNAMES` |
//! | 8 | 8 | version: 1. Any other is refused |
//! | 16 | 8 | inode number of the snapshot |
//! | 24 | 8 | its last change (`st_ctime`), seconds |
//! | 32 | 8 | and nanoseconds |
//! | 40 | 8 | its length in bytes |
//! | 48 | 4048 | zero |
#![forbid(unsafe_code)]

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
    time::{Duration, Instant, SystemTime},
};

use crate::{
    error::Error,
    fields::Fields,
    file::{SnapshotFile, free_bytes},
    publish::{PublishError, put},
    users::Reader,
};

const MAGIC: [u8; 8] = *b"JMSNAMES";
const VERSION: u64 = 1;

/// Bytes before the snapshot's own.
pub const COPY_HEADER: usize = 4096;

/// Longest snapshot that is copied or mapped: three million users.
pub const MAX_COPY: u64 = 256 << 20;

/// Permissions of the copy: everybody reads it, nobody writes.
const MODE: u32 = 0o444;

/// The name in the copy's folder that says when a copy was last begun.
const ATTEMPT: &str = ".attempt";

/// What failed is not begun again for so long.
const PAUSE: Duration = Duration::from_secs(60);

/// After a copy that took a second there is none for this many seconds: whatever is published, and however often.
const REST: u32 = 4;

/// Which published snapshot a copy was made from. A published snapshot is never written again and another one is another file, so
/// that these say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    inode: u64,
    seconds: i64,
    nanoseconds: i64,
    length: u64,
}

impl Identity {
    /// Of the file that this was said of.
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        Self {
            inode: metadata.ino(),
            seconds: metadata.ctime(),
            nanoseconds: metadata.ctime_nsec(),
            length: metadata.len(),
        }
    }

    /// As the first page of a copy says it. `None` if that is no copy's.
    #[must_use]
    pub fn parse(page: &[u8]) -> Option<Self> {
        let mut fields = Fields(page);
        if fields.array()? != MAGIC || fields.u64()? != VERSION {
            return None;
        }
        Some(Self {
            inode: fields.u64()?,
            seconds: fields.u64()?.cast_signed(),
            nanoseconds: fields.u64()?.cast_signed(),
            length: fields.u64()?,
        })
    }

    fn page(&self) -> Vec<u8> {
        let mut page = Vec::with_capacity(COPY_HEADER);
        page.extend(MAGIC);
        page.extend(VERSION.to_le_bytes());
        page.extend(self.inode.to_le_bytes());
        page.extend(self.seconds.to_le_bytes());
        page.extend(self.nanoseconds.to_le_bytes());
        page.extend(self.length.to_le_bytes());
        page.resize(COPY_HEADER, 0);
        page
    }
}

/// Whether `copy` is missing or was made from another snapshot than the published one. No if there is no snapshot to copy, no
/// folder to put a copy in, or if somebody has begun one less than a minute ago.
#[must_use]
pub fn is_copy_old(users: &Path, copy: &Path) -> bool {
    let (Ok(published), Some(folder)) = (fs::symlink_metadata(users), copy.parent()) else {
        return false;
    };
    let mut page = [0; 48];
    let read = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC)
        .open(copy)
        .and_then(|mut file| file.read_exact(&mut page));
    let is_old = match read {
        Ok(()) => Identity::parse(&page) != Some(Identity::of(&published)),
        Err(_) => folder.is_dir(),
    };
    is_old && !fs::symlink_metadata(folder.join(ATTEMPT)).is_ok_and(|attempt| is_recent(&attempt))
}

/// Copies the published snapshot, if it is whole and all that it holds is right. Does nothing (and says `false`) if another process is at
/// it, has failed at it less than a minute ago, or has just done it.
///
/// # Errors
/// What could not be done; the copy that was there stays.
pub fn make_copy(users: &Path, copy: &Path) -> Result<bool, PublishError> {
    let Some(folder) = copy.parent() else {
        return Err(PublishError::Path(copy.to_owned()));
    };
    let Some(attempt) = begin(&folder.join(ATTEMPT)) else {
        return Ok(false);
    };
    let begun = Instant::now();
    let (identity, bytes) = read(users, folder).map_err(PublishError::Invalid)?;
    put(copy, &[&identity.page(), &bytes], MODE)?;
    // As if it had been begun so long ago that only the rest of the pause is left. If that fails, the pause is a whole one.
    let left = begun.elapsed().saturating_mul(REST).min(PAUSE);
    if let Some(at) = SystemTime::now().checked_sub(PAUSE.saturating_sub(left)) {
        let _ = attempt.set_modified(at);
    }
    Ok(true)
}

/// Whether a copy was begun less than a minute ago. An empty file is one that nobody has begun anything with.
fn is_recent(attempt: &Metadata) -> bool {
    let age = attempt.modified().ok().and_then(|at| at.elapsed().ok());
    attempt.len() > 0 && age.is_some_and(|age| age < PAUSE)
}

/// Says that a copy is begun, for as long as the file is open; `None` if somebody is at it, or was lately.
fn begin(attempt: &Path) -> Option<File> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC)
        .open(attempt)
        .ok()?;
    file.try_lock().ok()?;
    if is_recent(&file.metadata().ok()?) {
        return None;
    }
    // Its time is now.
    file.write_all(b".").ok()?;
    Some(file)
}

/// The whole snapshot, checked, and which one it is.
fn read(users: &Path, folder: &Path) -> Result<(Identity, Vec<u8>), Error> {
    let mut file = SnapshotFile::open(users)?.into_file();
    let identity = Identity::of(&file.metadata()?);
    if identity.length > MAX_COPY {
        return Err(Error::Size(identity.length));
    }
    // The folder lies in memory, where others need room too.
    if free_bytes(folder)? / 2 < identity.length {
        return Err(io::Error::from_raw_os_error(libc::ENOSPC).into());
    }
    let length = usize::try_from(identity.length).map_err(|_| Error::Size(identity.length))?;
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(length)
        .map_err(|_| io::Error::from_raw_os_error(libc::ENOMEM))?;
    bytes.resize(length, 0);
    file.read_exact(&mut bytes)?;
    Reader::new(&bytes[..])?.verify()?;
    // Whoever writes to a published snapshot gets no copy of it.
    if Identity::of(&file.metadata()?) != identity {
        return Err(Error::BodyChecksum);
    }
    Ok((identity, bytes))
}
