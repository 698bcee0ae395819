//! The administrator's list of leaked passwords: one a line, as text or as SHA-1 in hex with or without `:COUNT`, as the
//! lists that are passed around have them.

use crate::secret::SecretString;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use zeroize::Zeroizing;

const SHA1_HEX: usize = 40;
/// Longest list, in bytes: the helper that reads it has four seconds.
const LONGEST: u64 = 256 * 1024 * 1024;

/// Not blocking: a FIFO in its place must not hang a login.
fn open(list: &Path) -> io::Result<File> {
    let file = File::options()
        .read(true)
        .custom_flags(nix::libc::O_NONBLOCK | nix::libc::O_CLOEXEC)
        .open(list)?;
    let metadata = file.metadata()?;
    match (metadata.is_file(), metadata.len() <= LONGEST) {
        (true, true) => Ok(file),
        (true, false) => Err(io::ErrorKind::FileTooLarge.into()),
        (false, _) => Err(io::ErrorKind::InvalidInput.into()),
    }
}

/// Whether the password stands in the list. Read from its beginning to its end.
///
/// # Errors
/// The list cannot be read: then nobody knows, and no password may be taken.
pub(super) fn is_leaked(list: &Path, password: &SecretString) -> io::Result<bool> {
    let password = password.expose().as_bytes();
    let hash: Zeroizing<String> = Zeroizing::new(
        digest(&SHA1_FOR_LEGACY_USE_ONLY, password)
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect(),
    );
    let mut reader = BufReader::with_capacity(256 * 1024, open(list)?);
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(false);
        }
        let text = line.trim_ascii_end();
        let is_hash = text.split_at_checked(SHA1_HEX).is_some_and(|(hex, rest)| {
            (rest.is_empty() || rest.starts_with(b":")) && hex.eq_ignore_ascii_case(hash.as_bytes())
        });
        if text == password || is_hash {
            return Ok(true);
        }
    }
}
