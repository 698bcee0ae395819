//! How many answers are hashed at once: argon2id needs memory and a processor, and strangers may ask for it.
//!
//! Each check holds a lock on one of a few empty files below `/run/jms`, which the kernel takes back from whoever dies. Who has proved
//! a key does not wait behind those who have not. Tries that are not looked at (the user is locked) are hashed all the same, so
//! that the time does not tell, and hold one as well.

use crate::paths::Paths;
use crate::policy::lockout::Proof;
use crate::store::error::StoreError;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;

/// So many at once of answers without a key, of all users.
pub(super) const WITHOUT_KEY: u32 = 8;
/// So many at once after a proven key.
pub(super) const AFTER_KEY: u32 = 4;

/// The right to hash one answer; dropped, it is somebody else's.
#[derive(Debug)]
#[must_use]
pub struct Check {
    _held: Flock<File>,
}

/// One of the files; `None`: all are held.
///
/// # Errors
/// [`StoreError::File`].
pub(super) fn try_take(paths: &Paths, proof: Proof) -> Result<Option<Check>, StoreError> {
    let most = match proof {
        Proof::None => WITHOUT_KEY,
        Proof::Key => AFTER_KEY,
    };
    for number in 0..most {
        let path = paths.check(proof.as_str(), number);
        let failed = |source| StoreError::file("lock", &path, source);
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(nix::libc::O_CLOEXEC | nix::libc::O_NOFOLLOW)
            .open(&path)
            .map_err(failed)?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(held) => return Ok(Some(Check { _held: held })),
            Err((_, Errno::EWOULDBLOCK)) => {}
            Err((_, errno)) => return Err(failed(errno.into())),
        }
    }
    Ok(None)
}
