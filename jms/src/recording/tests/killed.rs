//! Killed in mid-output, a session can be read to its last second.
use super::{child, given_folder, header, path, read, session};
use crate::recording::{Kind, Recorder, verify};
use std::io::{BufRead, BufReader, Write};
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
