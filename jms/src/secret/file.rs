//! Reading and making `/etc/jms/secret.key`: 32 raw bytes in a file that only its owner can read.
#![forbid(unsafe_code)]

use super::{KEY_LENGTH, MasterKey};
use nix::unistd::{Gid, Uid};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Why the key file was not read or made.
#[derive(Debug)]
pub enum MasterKeyError {
    /// There is no such file.
    Missing(PathBuf),
    /// There is one already; it is never overwritten, because everything sealed with it would be lost.
    Exists(PathBuf),
    /// A symbolic link, folder, FIFO or device.
    NotAFile(PathBuf),
    /// Not `KEY_LENGTH` bytes long.
    WrongLength(PathBuf),
    /// Its group or everybody may read or write it: its mode.
    Readable(PathBuf, u32),
    /// It belongs to neither root nor the user who reads it: its owner's uid.
    WrongOwner(PathBuf, u32),
    /// All bytes are the same: no key that anybody generated.
    Degenerate(PathBuf),
    /// The kernel gave no random numbers.
    NoRandomness,
    /// What the system said.
    Io(PathBuf, io::Error),
}

impl fmt::Display for MasterKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => write!(
                f,
                "{} is missing: restore it from your backup (without it no stored secret can be read); on a new \
                 bastion `jmsctl init` makes it",
                path.display()
            ),
            Self::Exists(path) => write!(
                f,
                "{} exists already and is not overwritten: every stored secret depends on it",
                path.display()
            ),
            Self::NotAFile(path) => write!(
                f,
                "{} is not a regular file (a link or something else): put the key file itself there",
                path.display()
            ),
            Self::WrongLength(path) => write!(
                f,
                "{} is not exactly {KEY_LENGTH} bytes long, so it is not the key: restore it from your backup",
                path.display()
            ),
            Self::Readable(path, mode) => write!(
                f,
                "{0} has mode {mode:04o}, so others can read or change it: `chmod 0400 {0}`, and consider the stored \
                 secrets known to them",
                path.display()
            ),
            Self::WrongOwner(path, uid) => {
                write!(
                    f,
                    "{0} belongs to uid {uid}: `chown jms: {0}`",
                    path.display()
                )
            }
            Self::Degenerate(path) => write!(
                f,
                "all bytes of {} are the same, so it is not the key: restore it from your backup",
                path.display()
            ),
            Self::NoRandomness => {
                f.write_str("the kernel gives no random numbers (getrandom failed)")
            }
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for MasterKeyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(_, error) => Some(error),
            _ => None,
        }
    }
}

impl MasterKey {
    /// Reads the key file, as the user the program runs as (its effective uid).
    ///
    /// # Errors
    /// [`MasterKeyError`]: a link, not a regular file, not 32 bytes, readable by group or others, of a foreign owner.
    pub fn load(path: &Path) -> Result<Self, MasterKeyError> {
        let failed = |error| MasterKeyError::Io(path.to_owned(), error);
        // Non-blocking: a FIFO in its place must be an error, not a hang.
        let opened = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC | libc::O_NOCTTY)
            .open(path);
        let mut file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(MasterKeyError::Missing(path.to_owned()));
            }
            Err(error) if matches!(error.raw_os_error(), Some(libc::ELOOP | libc::ENXIO)) => {
                return Err(MasterKeyError::NotAFile(path.to_owned()));
            }
            Err(error) => return Err(failed(error)),
        };
        check(path, &file)?;
        let mut bytes = Box::new(Zeroizing::new([0; KEY_LENGTH]));
        file.read_exact(&mut **bytes).map_err(failed)?;
        // The length was checked by fstat; a file that grew meanwhile is not the key either.
        if file.read(&mut [0]).map_err(failed)? != 0 {
            return Err(MasterKeyError::WrongLength(path.to_owned()));
        }
        if bytes.iter().all(|byte| *byte == bytes[0]) {
            return Err(MasterKeyError::Degenerate(path.to_owned()));
        }
        Ok(Self(bytes))
    }

    /// Makes a new key file, mode 0400, owned by the user the program runs as. Never overwrites one.
    ///
    /// # Errors
    /// [`MasterKeyError::Exists`], no randomness, or what the system said.
    pub fn generate(path: &Path) -> Result<Self, MasterKeyError> {
        Self::write_new(path, None)
    }

    /// As [`MasterKey::generate`], the file given to `owner` before the key is written into it (`jmsctl init` runs
    /// as root and makes it for the service user).
    ///
    /// # Errors
    /// As [`MasterKey::generate`].
    pub fn generate_for(path: &Path, owner: Uid, group: Gid) -> Result<Self, MasterKeyError> {
        Self::write_new(path, Some((owner, group)))
    }

    fn write_new(path: &Path, owner: Option<(Uid, Gid)>) -> Result<Self, MasterKeyError> {
        let failed = |error| MasterKeyError::Io(path.to_owned(), error);
        let mut bytes = Box::new(Zeroizing::new([0; KEY_LENGTH]));
        getrandom::fill(&mut **bytes).map_err(|_| MasterKeyError::NoRandomness)?;
        let created = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o400)
            .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC)
            .open(path);
        let mut file = match created {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(MasterKeyError::Exists(path.to_owned()));
            }
            Err(error) => return Err(failed(error)),
        };
        let written = owner
            .map_or(Ok(()), |(owner, group)| {
                fchown(&file, Some(owner.as_raw()), Some(group.as_raw()))
            })
            .and_then(|()| file.write_all(&bytes[..]))
            .and_then(|()| file.sync_all())
            .and_then(|()| sync_parent(path));
        if let Err(error) = written {
            // Half a key would stand in the way of the next attempt.
            let _ = std::fs::remove_file(path);
            return Err(failed(error));
        }
        Ok(Self(bytes))
    }
}

/// The rules for the opened file, not for whatever the path names a moment later.
fn check(path: &Path, file: &File) -> Result<(), MasterKeyError> {
    let metadata = file
        .metadata()
        .map_err(|error| MasterKeyError::Io(path.to_owned(), error))?;
    if !metadata.is_file() {
        return Err(MasterKeyError::NotAFile(path.to_owned()));
    }
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(MasterKeyError::Readable(path.to_owned(), mode));
    }
    if metadata.uid() != 0 && metadata.uid() != Uid::effective().as_raw() {
        return Err(MasterKeyError::WrongOwner(path.to_owned(), metadata.uid()));
    }
    if metadata.len() != KEY_LENGTH as u64 {
        return Err(MasterKeyError::WrongLength(path.to_owned()));
    }
    Ok(())
}

fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}
