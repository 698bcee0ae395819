//! The highest uid ever given: a small file that outlives the store, a restore and a purge.
//!
//! Written in place, because its folder belongs to root: ten digits and a newline, always the same
//! length, so that a cut write cannot make a smaller number that looks whole.

use super::error::StoreError;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const DIGITS: usize = 10;

/// Reads the number. A missing or empty file is 0; anything else that is no number is an error.
pub(super) fn read(path: &Path) -> Result<u32, StoreError> {
    let mut text = String::new();
    match open(path, false) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(StoreError::file("open", path, error)),
        Ok(file) => file
            .take(64)
            .read_to_string(&mut text)
            .map_err(|error| StoreError::file("read", path, error))?,
    };
    let text = text.trim();
    if text.is_empty() {
        return Ok(0);
    }
    text.parse().map_err(|_| StoreError::Nonsense {
        what: "the highest uid ever given (/etc/jms/uid-high-water)",
        found: text.to_owned(),
    })
}

/// Makes the number at least `uid`. The caller holds the store's write lock, so nobody else writes.
pub(super) fn raise(path: &Path, uid: u32) -> Result<(), StoreError> {
    if read(path)? >= uid {
        return Ok(());
    }
    let write = || {
        let mut file = open(path, true)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(format!("{uid:0width$}\n", width = DIGITS).as_bytes())?;
        file.sync_all()
    };
    write().map_err(|error| StoreError::file("write", path, error))
}

fn open(path: &Path, write: bool) -> std::io::Result<std::fs::File> {
    std::fs::OpenOptions::new()
        .read(!write)
        .write(write)
        .create(write)
        .truncate(false)
        .mode(0o644)
        .custom_flags(nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK | nix::libc::O_CLOEXEC)
        .open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_only_grows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("uid-high-water");
        assert_eq!(read(&path).unwrap(), 0);
        raise(&path, 70_005).unwrap();
        raise(&path, 70_001).unwrap();
        assert_eq!(read(&path).unwrap(), 70_005);
        std::fs::write(&path, "seventy").unwrap();
        assert!(read(&path).is_err());
        std::fs::write(&path, "70000\n").unwrap();
        assert_eq!(read(&path).unwrap(), 70_000);
        raise(&path, 70_001).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "0000070001\n");
    }
}
