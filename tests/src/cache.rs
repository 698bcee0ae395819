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

/// The folder that entries lie in.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// `$XDG_CACHE_HOME/jms-lab`, or `/var/cache/jms-lab`.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn of_this_machine() -> Result<Self> {
        let parent = match std::env::var_os("XDG_CACHE_HOME") {
            Some(path) if Path::new(&path).is_absolute() => PathBuf::from(path),
            _ => PathBuf::from("/var/cache"),
        };
        Self::at(parent.join("jms-lab"))
    }

    fn at(folder: PathBuf) -> Result<Self> {
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make the lab's cache {}", folder.display()))?;
        Ok(Self { folder })
    }

    /// An empty folder that hosts mount on in their own mount namespaces.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn mount_point(&self) -> Result<PathBuf> {
        let path = self.folder.join("mount-point");
        fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// The entry called `name`; `build` fills a new, empty folder when there is none yet.
    ///
    /// # Errors
    /// When `build` fails, or the cache cannot be read, written or locked.
    pub fn entry(&self, name: &str, build: impl FnOnce(&Path) -> Result<()>) -> Result<Entry> {
        let path = self.folder.join(name);
        let lock_path = self.folder.join(format!("{name}.lock"));
        let mut build = Some(build);
        loop {
            let lock = File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&lock_path)
                .with_context(|| format!("cannot open {}", lock_path.display()))?;
            lock.lock_shared()?;
            if path.is_dir() {
                // The time of the last use, for `prune`.
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
            let partial = self.folder.join(format!("{name}.partial"));
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
    pub fn prune(&self, prefix: &str, keep: usize) -> Result<()> {
        let mut locks = Vec::new();
        for file in fs::read_dir(&self.folder)? {
            let path = file?.path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let is_entry = name.ends_with(".lock") && path.with_extension("").is_dir();
            if is_entry && name.starts_with(prefix) {
                locks.push((fs::metadata(&path)?.modified()?, path));
            }
        }
        locks.sort();
        locks.reverse();
        for (_, lock_path) in locks.into_iter().skip(keep) {
            let lock = File::options().write(true).open(&lock_path)?;
            match lock.try_lock() {
                // The lock file itself stays: without it two could lock different files of one name.
                Ok(()) => remove(&lock_path.with_extension(""))?,
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(error.into()),
            }
        }
        Ok(())
    }
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;

    use super::*;

    fn cache() -> (tempfile::TempDir, Cache) {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::at(folder.path().join("cache")).expect("a cache");
        (folder, cache)
    }

    fn write_word(folder: &Path) -> Result<()> {
        Ok(fs::write(folder.join("word"), "whole")?)
    }

    #[test]
    fn a_build_that_failed_half_way_is_never_used() {
        let (_folder, cache) = cache();
        let failed = cache.entry("root", |folder| {
            fs::write(folder.join("half"), "")?;
            bail!("the archive is gone")
        });
        assert_eq!(
            failed.expect_err("no entry").to_string(),
            "the archive is gone"
        );
        let entry = cache.entry("root", write_word).expect("an entry");
        assert!(entry.path().join("word").exists() && !entry.path().join("half").exists());
    }

    #[test]
    fn two_who_want_the_same_build_it_once() {
        let (_folder, cache) = cache();
        let builds = AtomicU32::new(0);
        let want = || {
            cache.entry("root", |folder| {
                builds.fetch_add(1, Ordering::Relaxed);
                thread::sleep(std::time::Duration::from_millis(100));
                write_word(folder)
            })
        };
        thread::scope(|scope| {
            let both = [scope.spawn(want), scope.spawn(want)];
            for one in both {
                let entry = one.join().expect("no panic").expect("an entry");
                assert!(entry.path().join("word").exists());
            }
        });
        assert_eq!(builds.into_inner(), 1);
    }

    #[test]
    fn the_oldest_entries_go_unless_they_are_in_use() {
        let (_folder, cache) = cache();
        let in_use = cache.entry("root-1", write_word).expect("an entry");
        let paths: Vec<PathBuf> = ["root-2", "root-3", "other-1", "root-4"]
            .map(|name| {
                cache
                    .entry(name, write_word)
                    .expect("an entry")
                    .path()
                    .to_owned()
            })
            .into();
        cache.prune("root-", 1).expect("pruned");
        assert!(
            in_use.path().exists(),
            "an entry was removed under its user"
        );
        assert_eq!(
            paths.iter().map(|path| path.exists()).collect::<Vec<_>>(),
            [false, false, true, true]
        );
        let _ = cache.entry("root-2", write_word).expect("built again");
    }
}
