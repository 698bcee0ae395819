//! Whether sshd itself demanded that a security key verify its person.
//!
//! The store says what is to be demanded; what *was* demanded is what the published keys said when sshd looked this key up. They
//! can be older than the store: `jmsctl` was killed before it published, the disk was full. Then a mere touch must not pass for
//! more.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use jms::keys::Fingerprint;
use jms::paths::Paths;
use jms::process::Process;
use jms::time::Time;
use snapshot::{SnapshotFile, UserName, keys};

/// Whether the published keys have demanded it since before this sshd began, which looked the key up later than that. `since`: when
/// what the store demands was last changed. Keys that were published while the login was under way say only that the ones before had
/// been published in time, as they are unless something is broken, if nothing about this key and user is as new as that.
#[must_use]
pub fn demands_verification(
    paths: &Paths,
    (user, key): (&str, &Fingerprint),
    sshd: Process,
    since: Time,
    now: Time,
) -> bool {
    let path = paths.keys_snapshot();
    let Some(began) = sshd.started_at(now) else {
        return false;
    };
    let in_time = published_at(&path).is_some_and(|at| at < began) || since < began;
    in_time && demanded_now(&path, user, key).unwrap_or(false)
}

fn demanded_now(path: &Path, user: &str, key: &Fingerprint) -> Option<bool> {
    let reader = keys::Reader::new(SnapshotFile::open(path).ok()?).ok()?;
    let user = UserName::new(user.as_bytes())?;
    let found = reader.find(key.as_bytes(), &user).ok()??;
    Some(found.conditions().verify_required)
}

/// When the file took its place: it is renamed into it, which changes its status.
fn published_at(path: &Path) -> Option<Time> {
    let status = std::fs::metadata(path).ok()?;
    let milliseconds = status.ctime().checked_mul(1000)?;
    Some(Time(
        milliseconds.checked_add(status.ctime_nsec() / 1_000_000)?,
    ))
}
