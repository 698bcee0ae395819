//! What `init` does as root: folders, the key to stored secrets, the range of uids.
//!
//! Trusts root's own files. Inside of folders of the service user, links are not followed and only what was
//! just made is given away.
#![forbid(unsafe_code)]

use crate::cli::values::Uids;
use crate::failure::{Done, Failure};
use crate::privilege::service_user;
use jms::paths::Paths;
use jms::secret::MasterKey;
use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat};
use nix::sys::stat::{Mode, fchmod, fstat, mkdirat};
use nix::unistd::{Gid, Group, Uid, User, fchown};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Brings this host to the state that the store needs; what is there already stays as it is.
pub fn prepare(paths: &Paths, uids: Option<Uids>) -> Done {
    let user = service_user()?;
    let root = (Uid::from_raw(0), Gid::from_raw(0));
    let service = (user.uid, user.gid);
    let lookup = (user.uid, group(LOOKUP)?);
    let copies = (account(LOOKUP)?, group(LOOKUP)?);
    let etc = paths.settings();
    let run = paths.sessions();
    for (folder, owner, mode) in [
        (etc.parent(), root, 0o755),
        (Some(paths.state()), service, 0o711),
        (Some(paths.public().as_path()), lookup, 0o2755),
        (Some(paths.recordings().as_path()), service, 0o700),
        (run.parent(), service, 0o711),
        (Some(run.as_path()), service, 0o700),
        (Some(paths.egress().as_path()), service, 0o711),
        (Path::new(snapshot::USERS_COPY_PATH).parent(), copies, 0o755),
        (Some(paths.warm().as_path()), service, 0o700),
    ] {
        if let Some(folder) = folder {
            make_folder(folder, owner, mode)?;
        }
    }
    super::uid_range_file::settle(paths, uids, group("jms-users")?, group("jms-mfa")?)?;
    make_high_water(&paths.uid_high_water(), service)?;
    make_secret_key(paths, service)
}

/// The user as whom sshd looks up keys; its group may read them.
const LOOKUP: &str = "jms-keys";

fn account(name: &str) -> Done<Uid> {
    let found =
        User::from_name(name).map_err(|error| Failure::io("look up the user", name, error))?;
    found.map(|user| user.uid).ok_or_else(|| {
        Failure::Failed(format!(
            "there is no user {name}; install the package jms again, it makes one"
        ))
    })
}

fn group(name: &str) -> Done<Gid> {
    let found =
        Group::from_name(name).map_err(|error| Failure::io("look up the group", name, error))?;
    found.map(|group| group.gid).ok_or_else(|| {
        Failure::Failed(format!(
            "there is no group {name}; install the package jms again, it makes one"
        ))
    })
}

fn make_folder(path: &Path, (owner, group): (Uid, Gid), mode: u32) -> Done {
    let failed = |error: Errno| Failure::io("make the folder", path.display(), error);
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(failed(Errno::EINVAL));
    };
    let directory = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let parent = open(parent, directory, Mode::empty()).map_err(failed)?;
    match mkdirat(&parent, name, Mode::S_IRWXU) {
        Ok(()) => {}
        Err(Errno::EEXIST) => return Ok(()),
        Err(error) => return Err(failed(error)),
    }
    let folder =
        openat(&parent, name, directory | OFlag::O_NOFOLLOW, Mode::empty()).map_err(failed)?;
    // In a folder of the service user, somebody could have put another one in its place.
    if fstat(&folder).map_err(failed)?.st_uid != 0 {
        return Err(failed(Errno::EEXIST));
    }
    fchown(&folder, Some(owner), Some(group)).map_err(failed)?;
    fchmod(&folder, Mode::from_bits_truncate(mode)).map_err(failed)
}

/// The service user writes into this file, but cannot make it: the folder is root's.
fn make_high_water(path: &Path, (owner, group): (Uid, Gid)) -> Done {
    let failed = |error: std::io::Error| Failure::io("make", path.display(), error);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    fchown(&file, Some(owner), Some(group)).map_err(|error| failed(error.into()))?;
    fchmod(&file, Mode::from_bits_truncate(0o644)).map_err(|error| failed(error.into()))
}

fn make_secret_key(paths: &Paths, (owner, group): (Uid, Gid)) -> Done {
    let path = paths.secret_key();
    if path.symlink_metadata().is_ok() {
        return Ok(());
    }
    if paths.database().exists() {
        return Err(Failure::Failed(format!(
            "there is a store ({}) and no key to its secrets ({}): restore that key from your backup; a new one could not open them",
            paths.database().display(),
            path.display()
        )));
    }
    MasterKey::generate_for(&path, owner, group)
        .map(drop)
        .map_err(|error| Failure::Failed(error.to_string()))
}
