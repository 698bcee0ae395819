//! The copy that the name service module maps: when it is made, and when not.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::PathBuf,
    time::{Duration, SystemTime},
};

use snapshot::{
    COPY_HEADER, Identity, Kind, UserName, is_copy_old, make_copy, publish,
    users::{self, Flags, User},
};

struct Folders(tempfile::TempDir);

impl Folders {
    fn new() -> Self {
        let folders = Self(tempfile::tempdir().unwrap());
        fs::create_dir(folders.0.path().join("public")).unwrap();
        fs::create_dir(folders.0.path().join("copies")).unwrap();
        folders
    }

    fn users(&self) -> PathBuf {
        self.0.path().join("public/users.snap")
    }

    fn copy(&self) -> PathBuf {
        self.0.path().join("copies/users.copy")
    }

    fn attempt(&self) -> PathBuf {
        self.0.path().join("copies/.attempt")
    }

    fn publish(&self, count: u32) {
        let user = |number| {
            let name = UserName::new(format!("user{number}").as_bytes()).unwrap();
            User::new(name, 70000 + number, Flags::empty()).unwrap()
        };
        let bytes = users::write(1, (0..count).map(user)).unwrap();
        publish(&self.users(), &bytes, Kind::Users, 0o444).unwrap();
    }

    fn is_old(&self) -> bool {
        is_copy_old(&self.users(), &self.copy())
    }

    /// As after the rest that follows a copy.
    fn rested(&self) {
        let attempt = fs::File::options().write(true).open(self.attempt());
        let old = SystemTime::now() - Duration::from_secs(61);
        attempt.unwrap().set_modified(old).unwrap();
    }

    fn make(&self) -> Result<bool, String> {
        make_copy(&self.users(), &self.copy()).map_err(|error| error.to_string())
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path().join("copies")).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

#[test]
fn it_is_the_snapshot_behind_a_page_that_says_which_one() {
    let folders = Folders::new();
    assert!(!folders.is_old(), "there is no snapshot to copy");
    folders.publish(100);
    assert!(folders.is_old());
    assert_eq!(folders.make(), Ok(true));
    assert!(!folders.is_old());
    let (copy, published) = (
        fs::read(folders.copy()).unwrap(),
        fs::read(folders.users()).unwrap(),
    );
    assert!(copy[COPY_HEADER..] == published);
    assert_eq!(
        Identity::parse(&copy),
        Some(Identity::of(&fs::metadata(folders.users()).unwrap()))
    );
    assert_eq!(fs::metadata(folders.copy()).unwrap().mode() & 0o7777, 0o444);
    assert_eq!(
        folders.names(),
        [".attempt", "users.copy"],
        "nothing else stays"
    );
}

#[test]
fn another_snapshot_gets_another_file() {
    let folders = Folders::new();
    folders.publish(100);
    assert_eq!(folders.make(), Ok(true));
    let first = fs::metadata(folders.copy()).unwrap();
    let held = fs::File::open(folders.copy()).unwrap();
    folders.publish(1);
    folders.rested();
    assert!(folders.is_old());
    assert_eq!(folders.make(), Ok(true));
    assert_ne!(fs::metadata(folders.copy()).unwrap().ino(), first.ino());
    assert_eq!(
        held.metadata().unwrap().len(),
        first.len(),
        "who has mapped the old one keeps all of it"
    );
}

#[test]
fn what_is_not_whole_is_not_copied_and_not_tried_again_at_once() {
    let folders = Folders::new();
    folders.publish(100);
    assert_eq!(folders.make(), Ok(true));
    let good = fs::read(folders.users()).unwrap();
    let write = |bytes: &[u8]| {
        fs::remove_file(folders.users()).unwrap();
        fs::write(folders.users(), bytes).unwrap();
    };
    let mut bad = good.clone();
    let last = bad.len() - 1;
    bad[last] ^= 1;
    for bytes in [&bad[..], &good[..last], b""] {
        write(bytes);
        folders.rested();
        let inode = || fs::metadata(folders.copy()).unwrap().ino();
        let before = inode();
        assert!(folders.is_old());
        assert!(folders.make().is_err());
        assert_eq!(inode(), before, "the old one stays");
        assert_eq!(folders.names(), [".attempt", "users.copy"]);
        write(&good);
        assert!(!folders.is_old(), "not yet again");
        assert_eq!(folders.make(), Ok(false), "somebody has just failed");
        folders.rested();
        assert_eq!(folders.make(), Ok(true), "a minute later");
    }
}

#[test]
fn one_process_at_a_time_copies() {
    let folders = Folders::new();
    folders.publish(1);
    let attempt = fs::File::create(folders.attempt()).unwrap();
    attempt.lock().unwrap();
    assert_eq!(folders.make(), Ok(false), "another one is at it");
    drop(attempt);
    assert_eq!(folders.make(), Ok(true));
}

#[test]
fn after_a_copy_there_is_a_rest_as_long_as_it_took_four_times() {
    let folders = Folders::new();
    folders.publish(2000);
    let begun = SystemTime::now();
    assert_eq!(folders.make(), Ok(true));
    let most = begun.elapsed().unwrap() * 4;
    let marked = fs::metadata(folders.attempt()).unwrap().modified().unwrap();
    let due = marked + Duration::from_secs(60);
    assert!(due > begun && due <= SystemTime::now() + most, "{due:?}");
}

#[test]
fn an_attempt_from_the_future_keeps_nobody_away() {
    let folders = Folders::new();
    folders.publish(1);
    let attempt = fs::File::create(folders.attempt()).unwrap();
    attempt
        .set_modified(SystemTime::now() + Duration::from_secs(86_400))
        .unwrap();
    assert_eq!(folders.make(), Ok(true));
}

#[test]
fn without_its_folder_there_is_nothing_to_do() {
    let folders = Folders::new();
    folders.publish(1);
    fs::remove_dir(folders.0.path().join("copies")).unwrap();
    assert!(!folders.is_old());
    assert_eq!(folders.make(), Ok(false));
}

#[test]
fn a_snapshot_that_everybody_writes_or_that_is_a_link_is_not_copied() {
    let folders = Folders::new();
    folders.publish(1);
    fs::set_permissions(folders.users(), fs::Permissions::from_mode(0o646)).unwrap();
    assert!(folders.make().is_err());
    fs::remove_file(folders.attempt()).unwrap();
    fs::set_permissions(folders.users(), fs::Permissions::from_mode(0o444)).unwrap();
    let real = folders.0.path().join("public/real");
    fs::rename(folders.users(), &real).unwrap();
    std::os::unix::fs::symlink(&real, folders.users()).unwrap();
    assert!(folders.make().is_err());
    assert!(!folders.copy().exists());
}
