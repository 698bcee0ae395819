//! Folders that take long to build and are the same every time: base roots, and a base root with the package installed.
//!
//! They lie outside the checkout and outlive it. An entry is built under another name and renamed when it is whole, so an
//! interrupted build is never used; a lock file beside it keeps two builders apart and says who still uses an entry.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, bail};

use crate::invocation::Invocation;

/// One finished folder of the cache. While this value lives, nobody removes the folder.
#[derive(Debug)]
pub struct Entry {
    path: PathBuf,
    _in_use: File,
}

impl Entry {
    /// Where the folder lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The cache's own folder: `$XDG_CACHE_HOME/jms-lab`, or `/var/cache/jms-lab`.
///
/// # Errors
/// When it cannot be made.
pub fn folder() -> Result<PathBuf> {
    let parent = match std::env::var_os("XDG_CACHE_HOME") {
        Some(path) if Path::new(&path).is_absolute() => PathBuf::from(path),
        _ => PathBuf::from("/var/cache"),
    };
    let folder = parent.join("jms-lab");
    fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make the lab's cache {}", folder.display()))?;
    Ok(folder)
}

/// The entry called `name`; `build` fills a new, empty folder when there is none yet.
///
/// # Errors
/// When `build` fails, or the cache cannot be read, written or locked.
pub fn entry(name: &str, build: impl FnOnce(&Path) -> Result<()>) -> Result<Entry> {
    let cache = folder()?;
    let path = cache.join(name);
    let lock_path = cache.join(format!("{name}.lock"));
    let open = || {
        File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .with_context(|| format!("cannot open {}", lock_path.display()))
    };
    let mut build = Some(build);
    loop {
        let lock = open()?;
        lock.lock_shared()?;
        if path.is_dir() {
            lock.set_modified(SystemTime::now())?;
            return Ok(Entry {
                path,
                _in_use: lock,
            });
        }
        lock.unlock()?;
        lock.lock()?;
        if path.is_dir() {
            continue;
        }
        let Some(build) = build.take() else {
            bail!("{} was removed while it was being built", path.display());
        };
        let partial = cache.join(format!("{name}.partial"));
        remove(&partial)?;
        fs::create_dir(&partial)?;
        build(&partial)?;
        fs::rename(&partial, &path)?;
    }
}

/// Removes entries whose names start with `prefix`, oldest use first, until `keep` are left. Entries in use stay.
///
/// # Errors
/// When the cache cannot be read.
pub fn prune(prefix: &str, keep: usize) -> Result<()> {
    let cache = folder()?;
    let mut locks = Vec::new();
    for file in fs::read_dir(&cache)? {
        let path = file?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name.starts_with(prefix) && name.ends_with(".lock") && path.with_extension("").is_dir() {
            locks.push((fs::metadata(&path)?.modified()?, path));
        }
    }
    locks.sort();
    locks.reverse();
    for (_, lock_path) in locks.into_iter().skip(keep) {
        let lock = File::options().write(true).open(&lock_path)?;
        match lock.try_lock() {
            Ok(()) => {
                remove(&lock_path.with_extension(""))?;
                remove(&lock_path.with_extension("partial"))?;
                // The lock file itself stays: removing a file that others may be about to lock lets two builders in.
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Removes a folder and all below it, never crossing into another file system.
fn remove(path: &Path) -> Result<()> {
    if path.symlink_metadata().is_ok() {
        Invocation::new("rm")
            .args(["-rf", "--one-file-system", "--"])
            .arg(path)
            .run()
            .success()?;
    }
    Ok(())
}
