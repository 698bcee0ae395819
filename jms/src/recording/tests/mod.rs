//! Recorder, reader and verification together, on real files.
mod contents;
mod cut;
mod failure;
mod killed;
mod tamper;
mod timing;
mod tools;

use super::{Header, ReadError, Reader, Recorder};
use crate::id::Id;
use crate::recording::{Event, Kind};
use crate::time::Time;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

fn session() -> Id {
    Id::parse("0123456789abcdefghjk").unwrap()
}

fn header() -> Header {
    Header {
        started_at: Time(1_763_700_000_000),
        width: 80,
        height: 24,
        term: Some("xterm-256color".to_owned()),
        title: Some("alice@dev@web1".to_owned()),
        command: None,
        meta: [("user".to_owned(), "alice".to_owned())].into(),
    }
}

/// A new recorder of the session that all these tests are about.
fn recorder() -> (TempDir, Recorder) {
    let root = tempfile::tempdir().unwrap();
    let recorder = Recorder::create(root.path(), &session(), &header()).unwrap();
    (root, recorder)
}

/// Where every recorder of these tests writes below `root`.
fn path(root: &Path) -> PathBuf {
    super::path_of(root, &session(), header().started_at)
}

fn milliseconds(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// All events, and the error that ended them, if any.
fn read(bytes: &[u8]) -> Result<(Vec<Event>, Option<ReadError>), ReadError> {
    let mut events = Vec::new();
    for event in Reader::new(bytes)? {
        match event {
            Ok(event) => events.push(event),
            Err(error) => return Ok((events, Some(error))),
        }
    }
    Ok((events, None))
}

/// What was printed, in one string.
fn printed(events: &[Event]) -> String {
    let output = events.iter().filter(|event| event.kind == Kind::Output);
    output.map(|event| event.data.as_str()).collect()
}

/// A file of several frames, with all kinds of events.
fn sample() -> Vec<u8> {
    let (root, mut recorder) = recorder();
    for step in 0..4_u64 {
        let at = Duration::from_secs(step * 600);
        recorder
            .output(at, format!("line {step} €\r\n").as_bytes())
            .unwrap();
        recorder.flush().unwrap();
        recorder.output(at, b"\x1b[1mbold\x1b[0m").unwrap();
        recorder.resize(at, 100, 30).unwrap();
        recorder.marker(at, "uname -a").unwrap();
    }
    recorder.finish().unwrap();
    std::fs::read(path(root.path())).unwrap()
}

/// This test program again, running only the ignored test `name` with `folder` in its
/// environment.
fn child(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "--nocapture", "--test-threads=1"])
        .arg(format!("recording::tests::{name}"))
        .env("JMS_TEST_FOLDER", folder);
    command
}

/// The folder that [`child`] was given; `None` in the run that is nobody's child, where a test that
/// is the body of such a child has nothing to do.
fn given_folder() -> Option<PathBuf> {
    std::env::var_os("JMS_TEST_FOLDER").map(PathBuf::from)
}
