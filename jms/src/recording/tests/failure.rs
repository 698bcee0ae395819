//! Disks that are full and limits that are reached: the recorder says so and stays failed.
use super::{child, given_folder, header, path, printed, read, recorder, session};
use crate::recording::{Recorder, RecordingError, ensure_room};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigSet, Signal};
use std::process::Command;
use std::time::Duration;

/// Records noise until it fails; the error, and what was recorded.
fn until_it_fails(recorder: &mut Recorder) -> (RecordingError, String) {
    let mut text = String::new();
    let mut random: u32 = 1;
    for step in 0..100_000_u64 {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let piece = format!("{random:08x}\r\n");
        text.push_str(&piece);
        if let Err(error) = recorder.output(Duration::from_millis(step * 10), piece.as_bytes()) {
            return (error, text);
        }
    }
    panic!("a full disk went unnoticed");
}

/// What must hold after `recorder` failed with `error`, in every case.
fn check(mut recorder: Recorder, error: &RecordingError, text: &str, code: i32) {
    let source = std::error::Error::source(error).unwrap();
    let source = source.downcast_ref::<std::io::Error>().unwrap();
    assert_eq!(source.raw_os_error(), Some(code), "{error}");
    // From now on everything is refused, and nothing asks to be called again.
    assert!(recorder.next_deadline().is_none());
    let failed = |result: Result<(), RecordingError>| match result {
        Err(RecordingError::Failed { first }) => assert_eq!(first, error.to_string()),
        other => panic!("{other:?}"),
    };
    failed(recorder.output(Duration::ZERO, b"x"));
    failed(recorder.marker(Duration::ZERO, "x"));
    failed(recorder.flush());
    failed(recorder.tick(recorder.origin()));
    let file = recorder.path().to_owned();
    assert!(matches!(
        recorder.finish(),
        Err(RecordingError::Failed { .. })
    ));
    // What was written stays readable.
    let (events, _) = read(&std::fs::read(file).unwrap()).unwrap();
    let seen = printed(&events);
    assert!(
        seen.len() > 1000 && text.starts_with(&seen),
        "{}",
        seen.len()
    );
}

#[test]
fn a_limit_on_file_sizes_comes_back_as_an_error() {
    let root = tempfile::tempdir().unwrap();
    let done = child("failure::under_a_limit", root.path())
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    assert!(
        String::from_utf8_lossy(&done.stdout).contains("limit held"),
        "{done:?}"
    );
}

/// The child of `a_limit_on_file_sizes_comes_back_as_an_error`.
#[test]
fn under_a_limit() {
    let Some(root) = given_folder() else { return };
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGXFSZ);
    signals.thread_block().unwrap();
    let mut recorder = Recorder::create(&root, &session(), &header()).unwrap();
    setrlimit(Resource::RLIMIT_FSIZE, 50_000, 50_000).unwrap();
    let (error, text) = until_it_fails(&mut recorder);
    assert!(
        error.to_string().contains("limit for the size of a file"),
        "{error}"
    );
    check(recorder, &error, &text, libc::EFBIG);
    assert_eq!(path(&root).metadata().unwrap().len(), 50_000);
    println!("limit held");
}

#[test]
fn a_full_file_system_comes_back_as_an_error() {
    let root = tempfile::tempdir().unwrap();
    let inner = child("failure::on_a_full_file_system", root.path());
    let user: &[&str] = match nix::unistd::geteuid().is_root() {
        true => &[],
        false => &["--user", "--map-root-user"],
    };
    let done = Command::new("unshare")
        .args(user)
        .args(["--mount", "sh", "-c"])
        .arg("mount -t tmpfs -o size=128k tmpfs \"$JMS_TEST_FOLDER\" && exec \"$@\"")
        .arg("sh")
        .arg(inner.get_program())
        .args(inner.get_args())
        .env("JMS_TEST_FOLDER", root.path())
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    assert!(
        String::from_utf8_lossy(&done.stdout).contains("full disk seen"),
        "{done:?}"
    );
}

/// The child of `a_full_file_system_comes_back_as_an_error`.
#[test]
fn on_a_full_file_system() {
    let Some(root) = given_folder() else { return };
    ensure_room(&root, 64 * 1024).unwrap();
    let mut recorder = Recorder::create(&root, &session(), &header()).unwrap();
    let (error, text) = until_it_fails(&mut recorder);
    assert!(error.to_string().contains("file system is full"), "{error}");
    check(recorder, &error, &text, libc::ENOSPC);
    assert!(matches!(
        ensure_room(&root, 64 * 1024),
        Err(RecordingError::NoRoom { .. })
    ));
    // A new session is refused at its start, and leaves no file behind.
    let other = crate::id::Id::parse("kjhgfedcba9876543210").unwrap();
    assert!(Recorder::create(&root, &other, &header()).is_err());
    let folder = path(&root).parent().unwrap().to_owned();
    assert_eq!(folder.read_dir().unwrap().count(), 1);
    println!("full disk seen");
}

#[test]
fn a_missing_root_is_refused() {
    let (root, _recorder) = recorder();
    let error = Recorder::create(&root.path().join("none"), &session(), &header()).unwrap_err();
    assert!(matches!(error, RecordingError::Folder { .. }), "{error}");
    let error = Recorder::create(root.path(), &session(), &header()).unwrap_err();
    assert!(error.to_string().contains("never used twice"), "{error}");
}

/// Whoever can write the file cannot have what they wrote sealed as what was recorded.
#[test]
fn what_was_changed_meanwhile_is_not_sealed() {
    use std::os::unix::fs::FileExt;
    for cut in [false, true] {
        let (root, mut recorder) = recorder();
        recorder.output(Duration::ZERO, b"rm -rf /srv\r\n").unwrap();
        recorder.flush().unwrap();
        let file = std::fs::OpenOptions::new()
            .write(true)
            .open(path(root.path()));
        let (file, length) = (file.unwrap(), recorder.sealed().bytes);
        match cut {
            true => file.set_len(length - 1).unwrap(),
            false => file.write_all_at(b"l", length - 20).unwrap(),
        }
        let error = recorder.finish().unwrap_err();
        assert!(matches!(error, RecordingError::Changed { .. }), "{error}");
    }
}
