//! Publishing and opening on a real file system.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, SystemTime},
};

use snapshot::{
    Error, Kind, PublishError, SnapshotFile, UidRange, UidRangeError, UserName, publish,
    users::{self, Flags, User},
};

fn snapshot(generation: u64, count: u32) -> Vec<u8> {
    let user = |number| {
        User::new(
            UserName::new(format!("u{number}").as_bytes()).unwrap(),
            70000 + number,
            Flags::empty(),
        )
    };
    users::write(generation, (0..count).map(|number| user(number).unwrap())).unwrap()
}

fn names_in(folder: &Path) -> Vec<String> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn fifo(path: &Path) {
    assert!(
        std::process::Command::new("mkfifo")
            .arg(path)
            .status()
            .unwrap()
            .success()
    );
}

fn make_world_writable(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o666)).unwrap();
}

#[test]
fn published_whole_with_its_mode_and_nothing_beside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.snap");
    publish(&path, &snapshot(1, 3), Kind::Users, 0o644).unwrap();
    let first = fs::metadata(&path).unwrap();
    assert_eq!(first.mode() & 0o7777, 0o644);
    let open = users::Reader::new(SnapshotFile::open(&path).unwrap()).unwrap();
    publish(&path, &snapshot(2, 4), Kind::Users, 0o640).unwrap();
    let second = fs::metadata(&path).unwrap();
    assert_ne!(
        first.ino(),
        second.ino(),
        "the published file itself was written to"
    );
    assert_eq!(second.mode() & 0o7777, 0o640);
    assert_eq!(
        (open.generation(), open.iter().count()),
        (1, 3),
        "who has it open keeps the old one"
    );
    assert_eq!(
        users::Reader::new(SnapshotFile::open(&path).unwrap())
            .unwrap()
            .generation(),
        2
    );
    assert_eq!(names_in(folder.path()), ["users.snap"]);
}

#[test]
fn what_no_reader_takes_is_not_published() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.snap");
    publish(&path, &snapshot(1, 3), Kind::Users, 0o644).unwrap();
    let mut damaged = snapshot(2, 3);
    *damaged.last_mut().unwrap() ^= 1;
    for bad in [&damaged[..], b"", &snapshot(2, 3)[..100]] {
        assert!(matches!(
            publish(&path, bad, Kind::Users, 0o644),
            Err(PublishError::Invalid(_))
        ));
    }
    assert!(matches!(
        publish(&path, &snapshot(2, 3), Kind::Keys, 0o644),
        Err(PublishError::Invalid(Error::Kind { .. }))
    ));
    assert_eq!(
        users::Reader::new(SnapshotFile::open(&path).unwrap())
            .unwrap()
            .generation(),
        1
    );
    assert_eq!(names_in(folder.path()), ["users.snap"]);
}

#[test]
fn a_failed_step_is_named_and_cleaned_up() {
    let folder = tempfile::tempdir().unwrap();
    let error = publish(
        &folder.path().join("no/users.snap"),
        &snapshot(1, 1),
        Kind::Users,
        0o644,
    )
    .unwrap_err();
    assert!(
        matches!(error, PublishError::Io { step: "create", .. }),
        "{error}"
    );
    let occupied = folder.path().join("users.snap");
    fs::create_dir(&occupied).unwrap();
    let error = publish(&occupied, &snapshot(1, 1), Kind::Users, 0o644).unwrap_err();
    assert!(
        matches!(
            error,
            PublishError::Io {
                step: "rename to",
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(names_in(folder.path()), ["users.snap"]);
    assert!(matches!(
        publish(Path::new("/"), &snapshot(1, 1), Kind::Users, 0o644),
        Err(PublishError::Path(_))
    ));
}

#[test]
fn what_a_killed_publisher_left_is_taken_away_later() {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join(".users.snap.4242.0.new");
    for name in [
        ".users.snap.4242.0.new",
        ".users.snap.4242.1.new",
        ".keys.snap.4242.0.new",
        "notes",
    ] {
        fs::write(folder.path().join(name), "x").unwrap();
    }
    let hours_ago = SystemTime::now() - Duration::from_secs(7200);
    for name in [".users.snap.4242.0.new", ".keys.snap.4242.0.new", "notes"] {
        fs::File::options()
            .write(true)
            .open(folder.path().join(name))
            .unwrap()
            .set_modified(hours_ago)
            .unwrap();
    }
    publish(
        &folder.path().join("users.snap"),
        &snapshot(1, 1),
        Kind::Users,
        0o644,
    )
    .unwrap();
    assert!(!old.exists());
    let mut left = names_in(folder.path());
    left.sort();
    assert_eq!(
        left,
        [
            ".keys.snap.4242.0.new",
            ".users.snap.4242.1.new",
            "notes",
            "users.snap"
        ]
    );
}

#[test]
fn a_symbolic_link_in_place_is_replaced_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let (target, path) = (
        folder.path().join("target"),
        folder.path().join("users.snap"),
    );
    fs::write(&target, "precious").unwrap();
    symlink(&target, &path).unwrap();
    publish(&path, &snapshot(1, 1), Kind::Users, 0o644).unwrap();
    assert_eq!(fs::read(&target).unwrap(), b"precious");
    assert!(fs::symlink_metadata(&path).unwrap().is_file());
}

#[test]
fn readers_never_see_half_a_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.snap");
    publish(&path, &snapshot(1, 100), Kind::Users, 0o644).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut newest = 0;
                while !done.load(Ordering::Relaxed) {
                    let reader = users::Reader::new(SnapshotFile::open(&path).unwrap()).unwrap();
                    reader.verify().unwrap();
                    assert!(reader.generation() >= newest);
                    newest = reader.generation();
                }
            });
        }
        for generation in 2..60 {
            publish(
                &path,
                &snapshot(generation, 100 + generation as u32),
                Kind::Users,
                0o644,
            )
            .unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_file_truncated_under_a_reader_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.snap");
    publish(&path, &snapshot(1, 1000), Kind::Users, 0o644).unwrap();
    let reader = users::Reader::new(SnapshotFile::open(&path).unwrap()).unwrap();
    fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(200)
        .unwrap();
    assert!(matches!(reader.by_uid(70500), Err(Error::Io(_))));
    assert!(matches!(
        reader.by_name(&UserName::new(b"u500").unwrap()),
        Err(Error::Io(_))
    ));
}

#[test]
fn what_is_no_plain_file_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let errno = |name: &str| match SnapshotFile::open(&at(name)) {
        Err(Error::Io(error)) => error.raw_os_error(),
        other => panic!("{name}: {other:?}"),
    };
    fifo(&at("fifo"));
    assert!(matches!(
        SnapshotFile::open(&at("fifo")),
        Err(Error::NotRegular)
    ));
    fs::create_dir(at("folder")).unwrap();
    assert!(matches!(
        SnapshotFile::open(&at("folder")),
        Err(Error::NotRegular)
    ));
    assert!(matches!(
        SnapshotFile::open(Path::new("/dev/zero")),
        Err(Error::NotRegular)
    ));
    publish(&at("good"), &snapshot(1, 1), Kind::Users, 0o644).unwrap();
    symlink(at("good"), at("link")).unwrap();
    assert_eq!(errno("link"), Some(libc::ELOOP));
    symlink(folder.path(), at("elsewhere")).unwrap();
    assert_eq!(
        errno("elsewhere/good"),
        Some(libc::ENOTDIR),
        "the folder is a link"
    );
    assert_eq!(errno("missing"), Some(libc::ENOENT));
    make_world_writable(&at("good"));
    assert!(matches!(
        SnapshotFile::open(&at("good")),
        Err(Error::WorldWritable)
    ));
    let huge = fs::File::create(at("huge")).unwrap();
    huge.set_len(1 << 40).unwrap();
    let opened = users::Reader::new(SnapshotFile::open(&at("huge")).unwrap());
    assert!(matches!(opened, Err(Error::Size(length)) if length == 1 << 40));
}

#[test]
fn the_uid_range_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("uid-range");
    assert!(matches!(UidRange::load(&path), Err(UidRangeError::Io(_))));
    let text = "range 70000-99999\njms-users 998\njms-mfa 997\n";
    fs::write(&path, text).unwrap();
    assert!(UidRange::load(&path).unwrap().contains(70000));
    make_world_writable(&path);
    assert!(
        matches!(UidRange::load(&path), Err(UidRangeError::Io(error)) if error.raw_os_error() == Some(libc::EPERM))
    );
    fs::remove_file(&path).unwrap();
    fs::write(&path, text.to_owned() + &"#".repeat(5000)).unwrap();
    assert!(
        matches!(UidRange::load(&path), Err(UidRangeError::Io(error)) if error.raw_os_error() == Some(libc::EFBIG))
    );
    fs::remove_file(&path).unwrap();
    fifo(&path);
    assert!(matches!(UidRange::load(&path), Err(UidRangeError::Io(_))));
}
