//! Seals what a killed session has left of its last frame.
//!
//! Trusts that the session is gone, and nothing in the file: what no seal protects may have been changed since; from here
//! on a change is seen.
use super::seal::{Seal, Seals};
use super::unpacked::{self, LAST_BLOCK};
use super::{ReadError, Verification, verify};
use crate::id::Id;
use sha2::Digest;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// The most that is read of an open frame, bytes: more than a recorder lets one become.
const LONGEST: u64 = 8 * 1024 * 1024;

/// Ends the open frame of `session`'s recording at `path` with a seal, if it is whole, and says what the file is then.
///
/// # Errors
/// As [`verify()`]. Where there is no frame to seal, or it cannot be written, the file stays as it is.
pub fn seal_lost(path: &Path, session: &Id) -> Result<Verification, ReadError> {
    let found = verify(path, session, None)?;
    if found.ended || !found.problems.is_empty() || !(1..=LONGEST).contains(&found.unsealed) {
        return Ok(found);
    }
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC | libc::O_NONBLOCK)
        .open(path)?;
    match append(&file, &found) {
        Ok(true) => verify(path, session, None),
        Ok(false) => Ok(found),
        Err(_) => {
            // What was written of the seal would be damage.
            file.set_len(found.bytes)?;
            Ok(found)
        }
    }
}

fn append(file: &File, found: &Verification) -> std::io::Result<bool> {
    let mut tail = vec![0; usize::try_from(found.unsealed).unwrap_or_default()];
    file.read_exact_at(&mut tail, found.bytes.saturating_sub(found.unsealed))?;
    if unpacked::text(&tail).is_none() {
        return Ok(false);
    }
    let hasher = found.last_hash.begin().chain_update(&tail);
    let seal = Seal {
        seals: Seals::Frame,
        index: found.frames,
        hash: super::Hash::end(hasher.chain_update(LAST_BLOCK)),
    };
    let bytes = [&LAST_BLOCK[..], &seal.to_bytes()].concat();
    file.write_all_at(&bytes, found.bytes)?;
    file.sync_data()?;
    Ok(true)
}
