//! When text reaches the file, by the caller's clock alone.
use super::{milliseconds, path, printed, read, recorder};
use crate::recording::{FLUSH_AFTER, FRAME_AGE, FRAME_INPUT, Reader, Recorder, SYNC_AFTER, verify};
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
    assert_eq!(deadline(&recorder), Some(SYNC_AFTER));
    recorder.tick(origin + SYNC_AFTER).unwrap();
    assert_eq!(deadline(&recorder), Some(FRAME_AGE));
    // Also without a tick, if only output goes on.
    recorder.output(milliseconds(400_000), b"c").unwrap();
    recorder.output(milliseconds(401_000), b"d").unwrap();
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
    recorder.tick(origin + FRAME_AGE + FLUSH_AFTER).unwrap();
    assert_eq!(deadline(&recorder), None);
    let size = recorder.sealed().bytes;
    recorder.tick(origin + 10 * FRAME_AGE).unwrap();
    assert_eq!(recorder.sealed().bytes, size);

    let late = 20 * FRAME_AGE;
    recorder.output(late, b"x").unwrap();
    assert_eq!(deadline(&recorder), Some(late + FLUSH_AFTER));
}

/// More than goes together into a line.
const A_FLOOD: usize = 256 * 1024;

#[test]
fn what_floods_is_packed_at_once() {
    let (root, mut recorder) = recorder();
    let origin = recorder.origin();
    let flood = vec![b'x'; A_FLOOD];
    recorder.output(Duration::ZERO, &flood).unwrap();
    recorder.output(milliseconds(20), b"y").unwrap();
    assert_eq!(recorder.sealed().frames, 1);
    recorder.output(milliseconds(40), &flood).unwrap();
    recorder.output(milliseconds(60), b"z").unwrap();
    assert_eq!(recorder.sealed().frames, 2);
    assert!(recorder.sealed().bytes < 2000, "{:?}", recorder.sealed());
    // The first frame went to the disk at once, the second does within a second.
    recorder.tick(origin + FLUSH_AFTER).unwrap();
    assert_eq!(deadline(&recorder), Some(milliseconds(1060)));
    recorder.tick(origin + milliseconds(1060)).unwrap();
    assert_eq!(seen(root.path()).len(), 2 * A_FLOOD + 2);
}

#[test]
fn a_frame_ends_by_size_and_is_packed_as_a_whole() {
    let (root, mut recorder) = recorder();
    let origin = recorder.origin();
    let line = "the quick brown fox jumps over the lazy dog ".repeat(200);
    let mut second = 0;
    while recorder.sealed().frames == 0 {
        second += 1;
        let at = Duration::from_secs(second);
        recorder.output(at, line.as_bytes()).unwrap();
        recorder.tick(origin + at + FLUSH_AFTER).unwrap();
        let size = path(root.path()).metadata().unwrap().len();
        assert_eq!(size, recorder.sealed().bytes);
        if recorder.sealed().frames == 0 {
            assert!(size > second * line.len() as u64, "not as it is");
        }
        assert_eq!(seen(root.path()).len() as u64, second * line.len() as u64);
    }
    assert!(second * line.len() as u64 > FRAME_INPUT - 20_000);
    assert!(recorder.sealed().bytes < 20_000, "{:?}", recorder.sealed());
    let sealed = recorder.sealed().last_hash;
    drop(recorder);
    let checked = verify(&path(root.path()), &super::session(), Some(sealed)).unwrap();
    assert!(!checked.is_tampered(), "{checked:?}");
}

#[test]
fn who_reads_meanwhile_reads_on() {
    let (root, mut recorder) = recorder();
    let origin = recorder.origin();
    let told = |until: u64| -> String { (1..until).map(|it| format!("line {it}\r\n")).collect() };
    let tell = |recorder: &mut Recorder, number: u64| {
        let at = Duration::from_secs(number);
        recorder
            .output(at, format!("line {number}\r\n").as_bytes())
            .unwrap();
        recorder.tick(origin + at + FLUSH_AFTER).unwrap();
    };
    (1..800).for_each(|number| tell(&mut recorder, number));
    let reader = Reader::open(&path(root.path())).unwrap();
    (800..1000).for_each(|number| tell(&mut recorder, number));
    assert_eq!(recorder.sealed().frames, 1);
    let long = recorder.sealed().bytes;
    let events: Vec<_> = reader.map(Result::unwrap).collect();
    assert_eq!(printed(&events), told(1000));
    // The next frame is packed again.
    (1000..2000).for_each(|number| tell(&mut recorder, number));
    assert_eq!(recorder.sealed().frames, 2);
    assert!(recorder.sealed().bytes < long * 3 / 2);
    let finished = recorder.finish().unwrap();
    assert_eq!(seen(root.path()), told(2000));
    let file = path(root.path());
    let checked = verify(&file, &super::session(), Some(finished.last_hash)).unwrap();
    assert!(checked.is_whole(), "{checked:?}");
    assert_eq!(checked.bytes, finished.bytes);
    let text = zstd::decode_all(std::fs::File::open(file).unwrap()).unwrap();
    assert!(text.ends_with(b"line 1999\\r\\n\"]\n"));
}

#[test]
fn output_that_comes_together_is_one_event() {
    let (root, mut recorder) = recorder();
    for at in [100, 104, 109, 110, 119, 300] {
        recorder.output(milliseconds(at), b"x").unwrap();
    }
    recorder.marker(milliseconds(301), "m").unwrap();
    recorder.output(milliseconds(302), b"\xe2\x82").unwrap();
    recorder.output(milliseconds(304), b"\xac").unwrap();
    recorder.finish().unwrap();
    let (events, _) = read(&std::fs::read(path(root.path())).unwrap()).unwrap();
    let seen: Vec<_> = events
        .iter()
        .map(|event| (event.at.as_millis(), event.data.as_str()))
        .collect();
    let wanted = [
        (100, "xxx"),
        (110, "xx"),
        (300, "x"),
        (301, "m"),
        (304, "€"),
    ];
    assert_eq!(seen, wanted);
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
