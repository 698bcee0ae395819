//! Where a recording lies, and how its file comes to be.
//!
//! Trusts the root folder, which the package makes and the administrator may move to another disk
//! (it may be a symbolic link); below it no link is followed.
use super::RecordingError;
use crate::id::Id;
use crate::time::Time;
use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat};
use nix::sys::stat::{Mode, mkdirat};
use nix::sys::statvfs::statvfs;
use nix::unistd::{UnlinkatFlags, fsync, unlinkat};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// The path of `session`'s recording under `root`: `YYYY/MM/DD/<session>.cast.zst`, UTC.
#[must_use]
pub fn path_of(root: &Path, session: &Id, started_at: Time) -> PathBuf {
    let mut path = root.to_owned();
    path.extend(folders(started_at));
    path.push(file_name(session));
    path
}

fn folders(started_at: Time) -> [String; 3] {
    let date = jiff::tz::Offset::UTC.to_datetime(started_at.timestamp());
    [
        format!("{:04}", date.year()),
        format!("{:02}", date.month()),
        format!("{:02}", date.day()),
    ]
}

fn file_name(session: &Id) -> String {
    format!("{session}.cast.zst")
}

/// Where a new file of a recording lies.
pub(super) struct Place {
    pub(super) path: PathBuf,
    folder: OwnedFd,
    name: String,
}

impl Place {
    /// Makes the folders that are missing and the file, which must not exist.
    pub(super) fn create(
        root: &Path,
        session: &Id,
        at: Time,
    ) -> Result<(File, Self), RecordingError> {
        let mut path = root.to_owned();
        let directory = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let mut folder = open(root, directory, Mode::empty()).map_err(|e| in_folder(&path, e))?;
        for name in folders(at) {
            path.push(&name);
            match mkdirat(&folder, name.as_str(), Mode::S_IRWXU) {
                Ok(()) => fsync(&folder).map_err(|e| in_folder(&path, e))?,
                Err(Errno::EEXIST) => {}
                Err(error) => return Err(in_folder(&path, error)),
            }
            folder = openat(
                &folder,
                name.as_str(),
                directory | OFlag::O_NOFOLLOW,
                Mode::empty(),
            )
            .map_err(|e| in_folder(&path, e))?;
        }
        let name = file_name(session);
        path.push(&name);
        let file = openat(
            &folder,
            name.as_str(),
            OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC,
            Mode::S_IRUSR | Mode::S_IWUSR,
        )
        .map_err(|error| RecordingError::Create {
            path: path.clone(),
            source: error.into(),
        })?;
        let place = Self { path, folder, name };
        Ok((file.into(), place))
    }

    /// Brings the file's name to the disk: after a power cut it is there.
    pub(super) fn keep(&self) -> Result<(), RecordingError> {
        fsync(&self.folder).map_err(|error| in_folder(&self.path, error))
    }

    /// Removes a file whose recording could not even begin.
    pub(super) fn remove(&self) {
        // Nothing was recorded; if it cannot be removed, an empty file stays and says so itself.
        let _ = unlinkat(&self.folder, self.name.as_str(), UnlinkatFlags::NoRemoveDir);
    }
}

fn in_folder(path: &Path, error: Errno) -> RecordingError {
    RecordingError::Folder {
        path: path.to_owned(),
        source: error.into(),
    }
}

/// Checks that `minimum` bytes and at least one file can still be made below `root` by this user.
///
/// # Errors
/// [`RecordingError::NoRoom`] if not, [`RecordingError::Folder`] if it cannot be found out.
pub fn ensure_room(root: &Path, minimum: u64) -> Result<(), RecordingError> {
    let room = statvfs(root).map_err(|error| RecordingError::Folder {
        path: root.to_owned(),
        source: io::Error::from(error),
    })?;
    let available = room.blocks_available().saturating_mul(room.fragment_size());
    // File systems without a table of inodes (btrfs) say that they have none at all.
    let no_files = room.files() > 0 && room.files_available() == 0;
    if available < minimum || no_files {
        return Err(RecordingError::NoRoom {
            root: root.to_owned(),
            available: if no_files { 0 } else { available },
            needed: minimum,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Place, ensure_room, path_of};
    use crate::id::Id;
    use crate::recording::RecordingError;
    use crate::time::Time;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::Path;

    fn session() -> Id {
        Id::parse("0123456789abcdefghjk").unwrap()
    }

    #[test]
    fn the_folder_is_the_utc_date_of_the_start() {
        let at = Time::parse_rfc3339("2026-01-02T00:30:00+02:00").unwrap();
        assert_eq!(
            path_of(Path::new("/r"), &session(), at),
            Path::new("/r/2026/01/01/0123456789abcdefghjk.cast.zst")
        );
    }

    #[test]
    fn modes_are_tight_and_a_file_is_made_once() {
        let root = tempfile::tempdir().unwrap();
        let (_, place) = Place::create(root.path(), &session(), Time(0)).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(&place.path), 0o600);
        for folder in ["1970", "1970/01", "1970/01/01"] {
            assert_eq!(mode(&root.path().join(folder)), 0o700);
        }
        let again = Place::create(root.path(), &session(), Time(0))
            .err()
            .unwrap();
        assert!(again.to_string().contains("exists already"), "{again}");
        place.remove();
        assert!(Place::create(root.path(), &session(), Time(0)).is_ok());
    }

    #[test]
    fn links_below_the_root_are_not_followed() {
        let (root, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        symlink(other.path(), root.path().join("1970")).unwrap();
        let error = Place::create(root.path(), &session(), Time(0))
            .err()
            .unwrap();
        assert!(matches!(error, RecordingError::Folder { .. }), "{error}");
        assert_eq!(other.path().read_dir().unwrap().count(), 0);

        let root = tempfile::tempdir().unwrap();
        let path = path_of(root.path(), &session(), Time(0));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(other.path().join("elsewhere"), &path).unwrap();
        assert!(Place::create(root.path(), &session(), Time(0)).is_err());
        assert!(!other.path().join("elsewhere").exists());
    }

    #[test]
    fn room_is_what_the_file_system_says() {
        let root = tempfile::tempdir().unwrap();
        ensure_room(root.path(), 1).unwrap();
        let error = ensure_room(root.path(), u64::MAX).unwrap_err();
        assert!(matches!(
            error,
            RecordingError::NoRoom {
                needed: u64::MAX,
                ..
            }
        ));
        let missing = root.path().join("missing");
        assert!(matches!(
            ensure_room(&missing, 1),
            Err(RecordingError::Folder { .. })
        ));
    }
}
