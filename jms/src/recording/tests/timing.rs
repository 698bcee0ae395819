//! When text reaches the file, by the caller's clock alone.
use super::{milliseconds, path, printed, read, recorder};
use crate::recording::{FLUSH_AFTER, FRAME_AGE, FRAME_INPUT, Recorder};
use std::path::Path;
use std::time::Duration;

/// What a reader sees of the file now.
fn seen(root: &Path) -> String {
    let (events, error) = read(&std::fs::read(path(root)).unwrap()).unwrap();
    assert!(error.is_none(), "{error:?}");
    printed(&events)
}

/// The next deadline, since the start.
fn deadline(recorder: &Recorder) -> Option<Duration> {
    Some(recorder.next_deadline()? - recorder.origin())
}

#[test]
fn the_header_is_there_from_the_beginning() {
    let (root, _recorder) = recorder();
    assert_eq!(seen(root.path()), "");
}

#[test]
fn text_is_flushed_one_second_after_the_first_that_waits() {
    let (root, mut recorder) = recorder();
    let origin = recorder.origin();
    recorder.output(milliseconds(5000), b"a").unwrap();
    recorder.output(milliseconds(5900), b"b").unwrap();
    assert_eq!(deadline(&recorder), Some(milliseconds(6000)));
    recorder.tick(origin + milliseconds(5999)).unwrap();
    assert_eq!(seen(root.path()), "");
    recorder.tick(origin + milliseconds(6000)).unwrap();
    assert_eq!(seen(root.path()), "ab");
    assert_eq!(deadline(&recorder), Some(FRAME_AGE));
    // Also without a tick, if only output goes on.
    recorder.output(milliseconds(7000), b"c").unwrap();
    recorder.output(milliseconds(8000), b"d").unwrap();
    assert_eq!(seen(root.path()), "abcd");
}

#[test]
fn a_frame_ends_by_age_and_an_idle_session_has_no_deadline() {
    let (_root, mut recorder) = recorder();
    let origin = recorder.origin();
    recorder.tick(origin + FRAME_AGE - milliseconds(1)).unwrap();
    assert_eq!(recorder.sealed().frames, 0);
    recorder.tick(origin + FRAME_AGE).unwrap();
    assert_eq!(recorder.sealed().frames, 1);
    assert_eq!(deadline(&recorder), None);
    let size = recorder.sealed().bytes;
    recorder.tick(origin + 10 * FRAME_AGE).unwrap();
    assert_eq!(recorder.sealed().bytes, size);

    let late = 20 * FRAME_AGE;
    recorder.output(late, b"x").unwrap();
    assert_eq!(deadline(&recorder), Some(late + FLUSH_AFTER));
}

#[test]
fn a_frame_ends_by_size() {
    let (root, mut recorder) = recorder();
    recorder
        .output(Duration::ZERO, &vec![b'x'; FRAME_INPUT])
        .unwrap();
    assert_eq!(recorder.sealed().frames, 1);
    recorder
        .output(Duration::ZERO, &vec![b'y'; FRAME_INPUT])
        .unwrap();
    assert_eq!(recorder.sealed().frames, 2);
    // The first frame went to the disk at once, the second does within a second.
    assert_eq!(deadline(&recorder), Some(FLUSH_AFTER));
    recorder.tick(recorder.origin() + FLUSH_AFTER).unwrap();
    assert_eq!(deadline(&recorder), None);
    assert_eq!(seen(root.path()).len(), 2 * FRAME_INPUT);
}

#[test]
fn dropped_without_an_end_it_loses_nothing() {
    let (root, mut recorder) = recorder();
    recorder
        .output(Duration::ZERO, b"last words \xe2\x82")
        .unwrap();
    drop(recorder);
    assert_eq!(seen(root.path()), "last words \u{fffd}");
}
