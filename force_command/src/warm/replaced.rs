//! Whether one of the bastion's files is another one by now: changed, replaced, removed, or there at last.
//!
//! Folders are watched, with signals: of what watches single files a user may have 128 (`fs.inotify.max_user_instances`), and
//! the keepers are all one user.
#![forbid(unsafe_code)]

use crate::sys;
use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::collections::BTreeSet;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Which file it is, and in which state; `None` if there is none.
type State = Option<(u64, u64, i64, i64, u64)>;

/// Watches files.
#[derive(Debug)]
pub struct Replaced {
    files: Vec<(PathBuf, State)>,
    folders: Vec<File>,
    signals: SignalFd,
}

impl Replaced {
    /// Watches them from now on, for this thread: to it comes the signal, which it blocks.
    ///
    /// # Errors
    /// What the kernel says: no permission to read a folder, or it has no such watch (`dnotify`).
    pub fn watch<'p>(files: impl IntoIterator<Item = &'p Path>) -> Result<Self, Errno> {
        let taken: SigSet = [Signal::SIGIO].into_iter().collect();
        taken.thread_block()?;
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        let signals = SignalFd::with_flags(&taken, flags)?;
        let files: Vec<(PathBuf, State)> = files
            .into_iter()
            .map(|path| (path.to_owned(), state(path)))
            .collect();
        // Of a link the folder of the file that it leads to, too.
        let places = files.iter().flat_map(|(path, _)| {
            let real = std::fs::canonicalize(path).ok();
            [Some(path.clone()), real]
        });
        let places: BTreeSet<PathBuf> = places
            .flatten()
            .filter_map(|path| path.parent().map(Path::to_owned))
            .collect();
        let mut folders = Vec::new();
        for place in places {
            let folder = File::open(place).map_err(errno)?;
            sys::notify_of_changes(folder.as_fd())?;
            folders.push(folder);
        }
        let mut watch = Self {
            files,
            folders,
            signals,
        };
        // What changed since it was looked at.
        for (path, state_before) in &mut watch.files {
            if state(path) != *state_before {
                return Err(Errno::ESTALE);
            }
        }
        Ok(watch)
    }

    /// The descriptors that it needs.
    pub fn descriptors(&self) -> impl Iterator<Item = RawFd> {
        let folders = self.folders.iter().map(|folder| folder.as_raw_fd());
        folders.chain([self.signals.as_raw_fd()])
    }

    /// Whether one of them is another one than it was.
    #[must_use]
    pub fn happened(&mut self) -> bool {
        let mut told = false;
        while let Ok(Some(_)) = self.signals.read_signal() {
            told = true;
        }
        told && self
            .files
            .iter()
            .any(|(path, before)| state(path) != *before)
    }
}

impl AsFd for Replaced {
    /// Readable when it is worth asking.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.signals.as_fd()
    }
}

fn state(path: &Path) -> State {
    let found = std::fs::metadata(path).ok()?;
    Some((
        found.dev(),
        found.ino(),
        found.ctime(),
        found.ctime_nsec(),
        found.size(),
    ))
}

fn errno(error: std::io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use std::fs;

    /// Whether it is woken within a moment, and says that something is another file.
    fn happens(watch: &mut Replaced) -> (bool, bool) {
        let woken = {
            let mut one = [PollFd::new(watch.as_fd(), PollFlags::POLLIN)];
            poll(&mut one, PollTimeout::from(200_u8)) == Ok(1)
        };
        (woken, watch.happened())
    }

    #[test]
    fn a_file_that_is_changed_replaced_removed_or_made_is_told_and_its_neighbour_is_not() {
        let (folder, far) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let in_folder = |name: &str| folder.path().join(name);
        let (file, new, link) = (in_folder("file"), in_folder("new"), in_folder("link"));
        let real = far.path().join("real");
        std::os::unix::fs::symlink(&real, &link).unwrap();
        type Change = fn([&Path; 4]);
        let changes: [(&str, Change); 6] = [
            ("replaced", |[file, new, ..]| fs::rename(new, file).unwrap()),
            ("removed", |[file, ..]| fs::remove_file(file).unwrap()),
            ("written", |[file, ..]| fs::write(file, "other").unwrap()),
            ("linked", |[file, new, ..]| {
                fs::remove_file(new).unwrap();
                fs::hard_link(file, new).unwrap();
            }),
            ("where a link leads", |[.., real]| {
                fs::write(real, "other").unwrap()
            }),
            ("the link", |[_, new, link, _]| {
                fs::remove_file(link).unwrap();
                std::os::unix::fs::symlink(new, link).unwrap();
            }),
        ];
        for (what, change) in changes {
            for (path, text) in [(&file, "one"), (&new, "two"), (&real, "three")] {
                fs::write(path, text).unwrap();
            }
            let mut watch = Replaced::watch([file.as_path(), &link]).unwrap();
            assert_eq!(happens(&mut watch), (false, false), "{what}");
            fs::write(in_folder("neighbour"), what).unwrap();
            assert_eq!(happens(&mut watch), (true, false), "{what}");
            change([&file, &new, &link, &real]);
            assert_eq!(happens(&mut watch), (true, true), "{what}");
        }
        fs::remove_file(&file).unwrap();
        let mut watch = Replaced::watch([file.as_path()]).unwrap();
        fs::write(&file, "made").unwrap();
        assert_eq!(happens(&mut watch), (true, true));
        let missing = Replaced::watch([in_folder("none/file").as_path()]);
        assert_eq!(missing.unwrap_err(), Errno::ENOENT);
    }
}
