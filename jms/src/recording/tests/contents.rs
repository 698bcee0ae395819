//! What goes in comes out.
use super::{header, milliseconds, path, printed, read, recorder, session};
use crate::recording::{Ended, Kind, Reader, verify};
use proptest::prelude::{ProptestConfig, any, prop, prop_assert_eq, proptest};
use std::time::Duration;

#[test]
fn every_kind_of_event_comes_back_in_order() {
    let (root, mut recorder) = recorder();
    recorder.output(milliseconds(1), b"one").unwrap();
    recorder.input(milliseconds(2), b"ls\r").unwrap();
    recorder
        .resize(Duration::from_micros(2_000_999), 132, 43)
        .unwrap();
    recorder.marker(milliseconds(1000), "a \"marker\"").unwrap();
    let finished = recorder.finish().unwrap();
    let bytes = std::fs::read(path(root.path())).unwrap();
    assert_eq!(finished.bytes, bytes.len() as u64);
    assert_eq!(finished.duration, Duration::from_micros(2_000_999));

    let mut reader = Reader::open(&path(root.path())).unwrap();
    assert_eq!(reader.header(), &header());
    assert_eq!(reader.session(), Some(&session()));
    let events: Vec<_> = reader.by_ref().map(Result::unwrap).collect();
    let seen: Vec<_> = events
        .iter()
        .map(|event| (event.kind, event.data.as_str()))
        .collect();
    let wanted = [
        (Kind::Output, "one"),
        (Kind::Input, "ls\r"),
        (Kind::Resize, "132x43"),
        (Kind::Marker, "a \"marker\""),
    ];
    assert_eq!(seen, wanted);
    assert_eq!(events[2].size(), Some((132, 43)));
    // A clock that runs backwards does not: the marker came after the resize.
    assert_eq!(events[3].at, events[2].at);
    assert_eq!(reader.ended(), Some(Ended::Whole));

    let checked = verify(&path(root.path()), &session(), Some(finished.last_hash)).unwrap();
    assert!(checked.is_whole(), "{checked:?}");
    assert_eq!(
        (checked.frames, checked.bytes),
        (finished.frames, finished.bytes)
    );
}

#[test]
fn the_text_inside_is_asciicast_v2() {
    let (root, mut recorder) = recorder();
    recorder
        .output(Duration::from_nanos(1_234_567_891), b"\x1b[1mx\xff")
        .unwrap();
    recorder.finish().unwrap();
    let file = std::fs::File::open(path(root.path())).unwrap();
    let text = zstd::decode_all(file).unwrap();
    let (head, events) = std::str::from_utf8(&text)
        .unwrap()
        .split_once('\n')
        .unwrap();
    assert_eq!(
        head,
        "{\"version\":2,\"width\":80,\"height\":24,\"timestamp\":1763700000,\
         \"title\":\"alice@dev@web1\",\"env\":{\"TERM\":\"xterm-256color\"},\
         \"jms\":{\"session\":\"0123456789abcdefghjk\",\
         \"started_at\":\"2025-11-21T04:40:00.000Z\",\"user\":\"alice\"}}"
    );
    assert_eq!(events, "[1.234, \"o\", \"\\u001b[1mx\u{fffd}\"]\n");
}

#[test]
fn a_long_marker_is_cut_between_characters() {
    let (root, mut recorder) = recorder();
    recorder
        .marker(Duration::ZERO, &"€".repeat(10_000))
        .unwrap();
    recorder.finish().unwrap();
    let (events, _) = read(&std::fs::read(path(root.path())).unwrap()).unwrap();
    assert_eq!(events[0].data, "€".repeat(16 * 1024 / 3));
}

#[test]
fn a_flood_of_control_characters_fits_into_lines() {
    let (root, mut recorder) = recorder();
    let flood = vec![1_u8; 3_000_000];
    recorder.output(Duration::ZERO, &flood).unwrap();
    let finished = recorder.finish().unwrap();
    assert!(finished.frames > 10, "{finished:?}");
    let (events, error) = read(&std::fs::read(path(root.path())).unwrap()).unwrap();
    assert!(error.is_none(), "{error:?}");
    assert_eq!(printed(&events).as_bytes(), flood);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn any_bytes_at_any_split_come_back_as_their_lossy_text(
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..30),
        steps in prop::collection::vec(0_u64..90_000, 30),
    ) {
        let (root, mut recorder) = recorder();
        let mut at = 0;
        for (piece, step) in pieces.iter().zip(steps) {
            at += step;
            recorder.output(milliseconds(at), piece).unwrap();
        }
        let finished = recorder.finish().unwrap();
        let bytes = std::fs::read(path(root.path())).unwrap();
        let (events, error) = read(&bytes).unwrap();
        assert!(error.is_none());
        let whole = pieces.concat();
        prop_assert_eq!(printed(&events), String::from_utf8_lossy(&whole));
        prop_assert_eq!(finished.bytes, bytes.len() as u64);
        assert!(events.is_sorted_by_key(|event| event.at));
        let checked = verify(&path(root.path()), &session(), Some(finished.last_hash)).unwrap();
        assert!(checked.is_whole());
    }
}
