//! Opens the files that are read here, and refuses what is not a plain file: no FIFO, device, folder or symbolic link can
//! make a lookup hang or read something else.

use std::{
    fs::{File, Metadata, OpenOptions},
    io::{self, Read},
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt},
    path::Path,
};

use crate::{container::Source, error::Error};

/// Flags for opening a file that may be anything: does not wait for a FIFO's writer or a device, does not follow a link.
const CAREFUL: i32 = libc::O_NONBLOCK | libc::O_NOFOLLOW | libc::O_CLOEXEC | libc::O_NOCTTY;

/// Longest file name and folder that are opened; ours are far shorter.
const MAX_NAME: usize = 256;

/// An opened snapshot file. What is read from it can still be anything.
#[derive(Debug)]
pub struct SnapshotFile {
    file: File,
    length: u64,
}

impl SnapshotFile {
    /// Opens a snapshot. Neither the file nor its folder may be a symbolic link (both are the service user's); the file
    /// must be regular and not writable by everybody.
    ///
    /// # Errors
    /// Why it is not opened.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let invalid = || Error::Io(io::ErrorKind::InvalidInput.into());
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(invalid());
        };
        let folder = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_PATH | libc::O_DIRECTORY | CAREFUL)
            .open(if folder.as_os_str().is_empty() {
                Path::new(".")
            } else {
                folder
            })?;
        let file = ffi::open_at(&folder, name.as_encoded_bytes(), libc::O_RDONLY | CAREFUL)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(Error::NotRegular);
        }
        if metadata.mode() & 0o002 != 0 {
            return Err(Error::WorldWritable);
        }
        Ok(Self {
            length: metadata.len(),
            file,
        })
    }
}

impl SnapshotFile {
    /// The open file.
    pub(crate) fn into_file(self) -> File {
        self.file
    }
}

impl Source for SnapshotFile {
    fn length(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), Error> {
        Ok(self.file.read_exact_at(into, offset)?)
    }
}

/// Reads one of root's small text files into `buffer`; a longer file is an error, never cut. Gives its state before that, too.
pub(crate) fn read_small<'a>(
    path: &Path,
    buffer: &'a mut [u8],
) -> io::Result<(&'a [u8], Metadata)> {
    let mut file = OpenOptions::new()
        .read(true)
        .custom_flags(CAREFUL)
        .open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || writable_by_others(&metadata) || !is_trusted(metadata.uid()) {
        return Err(io::Error::from_raw_os_error(libc::EPERM));
    }
    let mut length = 0_usize;
    loop {
        let Some(room) = buffer.get_mut(length..).filter(|room| !room.is_empty()) else {
            return Err(io::Error::from_raw_os_error(libc::EFBIG));
        };
        match file.read(room) {
            Ok(0) => break,
            Ok(count) => length = length.saturating_add(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        // All of it: the next one would only say so.
        if length as u64 == metadata.len() {
            break;
        }
    }
    Ok((buffer.get(..length).unwrap_or_default(), metadata))
}

/// Root's, or this very process's own (tests, and a look at a file under preparation). Whoever else owns it could make
/// root's processes believe in users of his choice.
fn is_trusted(owner: u32) -> bool {
    owner == 0 || owner == ffi::effective_uid()
}

/// Bytes that this user may still fill in the file system of `folder`.
pub(crate) fn free_bytes(folder: &Path) -> io::Result<u64> {
    ffi::free_bytes(&File::open(folder)?)
}

fn writable_by_others(metadata: &Metadata) -> bool {
    metadata.mode() & 0o022 != 0
}

/// The system calls that the standard library does not offer.
mod ffi {
    #![allow(unsafe_code)]

    use std::{
        ffi::CStr,
        fs::File,
        io,
        os::fd::{AsRawFd, FromRawFd, OwnedFd},
    };

    /// `geteuid(2)`.
    pub(super) fn effective_uid() -> u32 {
        // SAFETY: takes nothing and cannot fail.
        unsafe { libc::geteuid() }
    }

    /// `fstatvfs(3)`: what is left for users who are not root.
    pub(super) fn free_bytes(folder: &File) -> io::Result<u64> {
        let mut answer = std::mem::MaybeUninit::<libc::statvfs>::zeroed();
        // SAFETY: the descriptor is open, the place is valid for writing.
        if unsafe { libc::fstatvfs(folder.as_raw_fd(), answer.as_mut_ptr()) } != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call has filled it, and all zero would be valid as well.
        let answer = unsafe { answer.assume_init() };
        Ok(answer.f_bavail.saturating_mul(answer.f_frsize))
    }

    /// `openat(2)` of a file that exists.
    pub(super) fn open_at(folder: &File, name: &[u8], flags: i32) -> io::Result<File> {
        let mut buffer = [0; super::MAX_NAME];
        let too_long = || io::Error::from_raw_os_error(libc::ENAMETOOLONG);
        buffer
            .get_mut(..name.len())
            .ok_or_else(too_long)?
            .copy_from_slice(name);
        let name = CStr::from_bytes_until_nul(&buffer).map_err(|_| too_long())?;
        loop {
            // SAFETY: the descriptor is open, the name is NUL-terminated, and without O_CREAT there is no third argument.
            let descriptor = unsafe { libc::openat(folder.as_raw_fd(), name.as_ptr(), flags) };
            if descriptor >= 0 {
                // SAFETY: the call has just returned this descriptor, and nobody else knows it.
                return Ok(unsafe { OwnedFd::from_raw_fd(descriptor) }.into());
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
    }
}
