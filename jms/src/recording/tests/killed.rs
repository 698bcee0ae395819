//! Killed in mid-output, a session can be read to its last second.
use super::{child, given_folder, header, path, read, session};
use crate::recording::{Kind, Problem, Recorder, seal_lost, verify};
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::FileExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

#[test]
fn kill_9_loses_at_most_one_second() {
    let root = tempfile::tempdir().unwrap();
    let mut running = child("killed::records_for_ever", root.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let told = BufReader::new(running.stdout.take().unwrap()).lines();
    let mut last = Duration::ZERO;
    // What it says last is the truth; it goes on until the signal comes.
    for line in told.map_while(Result::ok) {
        let at = line.strip_prefix("at ").and_then(|at| at.parse().ok());
        last = at.map_or(last, Duration::from_micros);
        if last > Duration::from_millis(2700) {
            running.kill().unwrap();
        }
    }
    running.wait().unwrap();
    assert!(
        last > Duration::from_millis(2700),
        "it ended by itself after {last:?}"
    );

    let bytes = std::fs::read(path(root.path())).unwrap();
    let (events, error) = read(&bytes).unwrap();
    assert!(error.is_none(), "{error:?}");
    let seen = events
        .iter()
        .rfind(|event| event.kind == Kind::Output)
        .unwrap()
        .at;
    // 50 ms more for the child's loop, which had to share the machine.
    let missing = last.saturating_sub(seen);
    assert!(
        missing <= Duration::from_millis(1050),
        "{missing:?} of {last:?} are missing"
    );
    let checked = verify(&path(root.path()), &session(), None).unwrap();
    assert!(!checked.ended && !checked.is_tampered(), "{checked:?}");
}

/// The child of `kill_9_loses_at_most_one_second`.
#[test]
fn records_for_ever() {
    let Some(root) = given_folder() else { return };
    let mut recorder = Recorder::create(&root, &session(), &header()).unwrap();
    let mut told = std::io::stdout().lock();
    loop {
        let at = recorder.origin().elapsed();
        recorder
            .output(at, format!("{at:?}\r\n").as_bytes())
            .unwrap();
        writeln!(told, "at {}", at.as_micros()).unwrap();
        told.flush().unwrap();
        std::thread::sleep(Duration::from_millis(5));
        recorder.tick(Instant::now()).unwrap();
    }
}

/// The bytes of a file whose frame is open, and of the same file when that frame is packed.
fn open_and_packed() -> (Vec<u8>, Vec<u8>) {
    let (root, mut recorder) = super::recorder();
    for number in 0..3000_u64 {
        let at = Duration::from_millis(number * 100);
        recorder
            .output(at, format!("line {number}\r\n").as_bytes())
            .unwrap();
    }
    recorder.flush().unwrap();
    let open = std::fs::read(path(root.path())).unwrap();
    drop(recorder);
    (open, std::fs::read(path(root.path())).unwrap())
}

/// A killed session's file with `bytes`: what verification says of it, and what is read.
fn left(bytes: &[u8]) -> (crate::recording::Verification, usize) {
    let checked = crate::recording::verify_from(bytes, &session(), None).unwrap();
    (checked, read(bytes).map_or(0, |(events, _)| events.len()))
}

#[test]
fn killed_while_a_frame_is_packed_it_is_whole_or_broken_off_and_never_called_changed() {
    let (open, packed) = open_and_packed();
    let (seen, all) = left(&open);
    assert!(!seen.is_tampered() && all > 2900, "{seen:?}");
    // Everything is written, the rest of the text not yet cut off, however long it is.
    for rest in (0..40).chain([open.len() - packed.len()]) {
        let mut file = packed.clone();
        if let Some(size) = rest.checked_sub(8) {
            file.extend_from_slice(&0x184D_2A50_u32.to_le_bytes());
            file.extend_from_slice(&(size as u32).to_le_bytes());
        }
        file.extend_from_slice(&open[file.len()..packed.len() + rest]);
        let (seen, events) = left(&file);
        assert!(!seen.is_tampered(), "{rest}: {seen:?}");
        assert_eq!((seen.frames, events), (1, all), "{rest}");
    }
    // Torn between pages. (Between two within the hash of its seal, the frame would be called changed.)
    for written in (1..packed.len() - 32).step_by(97) {
        let file = [&packed[..written], &open[written..]].concat();
        let (seen, _) = left(&file);
        assert!(!seen.is_tampered(), "{written}: {seen:?}");
        assert_eq!(seen.frames, 0);
    }
}

#[test]
fn what_a_killed_session_left_is_sealed_and_then_protected() {
    let (open, _) = open_and_packed();
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("left.cast.zst");
    std::fs::write(&file, &open).unwrap();
    let sealed = seal_lost(&file, &session()).unwrap();
    assert_eq!((sealed.frames, sealed.unsealed), (1, 0));
    assert!(!sealed.ended && !sealed.is_tampered());
    assert_eq!(seal_lost(&file, &session()).unwrap(), sealed, "twice");
    let bytes = std::fs::read(&file).unwrap();
    assert_eq!(read(&bytes).unwrap().0, read(&open).unwrap().0);
    assert!(zstd::decode_all(&bytes[..]).is_ok());

    let disk = OpenOptions::new().write(true).open(&file).unwrap();
    disk.write_all_at(b"L", open.len() as u64 - 30).unwrap();
    let seen = verify(&file, &session(), Some(sealed.last_hash)).unwrap();
    assert!(seen.is_tampered(), "{seen:?}");

    // What was cut in the middle of a block, or torn, is left as it is.
    for bytes in [&open[..open.len() - 5], &[&open[..200], b"torn"].concat()] {
        std::fs::write(&file, bytes).unwrap();
        let seen = seal_lost(&file, &session()).unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), bytes);
        let broken = |problem: &Problem| matches!(problem, Problem::BrokenOff { .. });
        assert!(seen.problems.iter().all(broken), "{seen:?}");
    }
}
