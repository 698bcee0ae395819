//! Whoever changes a recording is found out.
use super::{sample, session};
use crate::id::Id;
use crate::recording::{Anchor, Hash, Problem, Verification, verify_from};

fn check(bytes: &[u8], expected: Option<Hash>) -> Verification {
    verify_from(bytes, &session(), expected).unwrap()
}

/// The parts of a sealed file: frame, seal, frame, seal, …, end seal.
fn parts(file: &[u8]) -> Vec<&[u8]> {
    let magic = [0x5a, 0x2a, 0x4d, 0x18, 48, 0, 0, 0];
    let mut parts = Vec::new();
    let mut rest = file;
    while let Some(at) = rest.windows(8).position(|window| window == magic) {
        let (frame, from_seal) = rest.split_at(at);
        let (seal, behind) = from_seal.split_at(56);
        parts.extend([frame, seal].into_iter().filter(|part| !part.is_empty()));
        rest = behind;
    }
    assert!(rest.is_empty());
    parts
}

#[test]
fn every_changed_bit_is_found() {
    let whole = sample();
    let last = check(&whole, None).last_hash;
    assert!(check(&whole, Some(last)).is_whole());
    for place in 0..whole.len() {
        let mut changed = whole.clone();
        changed[place] ^= 1 << (place % 8);
        let checked = check(&changed, Some(last));
        assert!(checked.is_tampered(), "byte {place}: {checked:?}");
        assert!(!checked.is_whole(), "byte {place}");
    }
}

#[test]
fn the_changed_frame_is_named_and_only_it() {
    let whole = sample();
    let parts = parts(&whole);
    assert_eq!(parts.len(), 5, "two frames, their seals, the end");
    let offset = parts[0].len() + parts[1].len();
    let mut changed = whole.clone();
    // In the second frame's last four bytes, its own checksum.
    changed[offset + parts[2].len() - 1] ^= 1;
    let checked = check(&changed, None);
    let offset = offset as u64;
    assert_eq!(checked.problems, [Problem::WrongFrame { index: 1, offset }]);
    assert!(checked.problems[0].to_string().contains("frame 1"));
}

#[test]
fn frames_cannot_be_taken_out_swapped_or_repeated() {
    let whole = sample();
    let parts = parts(&whole);
    let last = check(&whole, None).last_hash;
    let arrangements: [&[usize]; 7] = [
        &[2, 3, 4],
        &[0, 1, 4],
        &[2, 3, 0, 1, 4],
        &[0, 1, 0, 1, 2, 3, 4],
        &[0, 2, 3, 4],
        &[0, 1, 2, 4],
        &[0, 1, 1, 2, 3, 4],
    ];
    for order in arrangements {
        let file: Vec<u8> = order
            .iter()
            .flat_map(|part| parts[*part].to_vec())
            .collect();
        assert!(check(&file, Some(last)).is_tampered(), "{order:?}");
        assert!(
            check(&file, None).is_tampered(),
            "{order:?} without the store"
        );
    }
}

#[test]
fn a_cut_tail_is_found_by_the_stores_hash_alone() {
    let whole = sample();
    let parts = parts(&whole);
    let end = check(&whole, None).last_hash;
    let cut: Vec<u8> = parts[..2].concat();
    assert!(
        !check(&cut, None).is_tampered(),
        "this is what a killed session leaves"
    );
    let checked = check(&cut, Some(end));
    assert_eq!(checked.problems, [Problem::LastHashMissing]);
    assert_eq!(checked.anchor, Anchor::Missing);

    // A killed session, of which the store knows the first frame.
    let first = checked.last_hash;
    assert_eq!(check(&cut, Some(first)).anchor, Anchor::Last);
    let more: Vec<u8> = parts[..4].concat();
    assert_eq!(check(&more, Some(first)).anchor, Anchor::Earlier(1));
    assert!(!check(&more, Some(first)).is_tampered());
}

#[test]
fn bytes_that_do_not_belong_are_found() {
    let whole = sample();
    let parts = parts(&whole);
    let skippable = [0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 9];
    for extra in [&b"x"[..], b"hello world", &skippable, parts[0], &whole] {
        let file = [&whole, extra].concat();
        let checked = check(&file, None);
        assert!(checked.is_tampered(), "{checked:?}");
        assert_eq!(checked.bytes, file.len() as u64);
    }
    let between = [parts[0], parts[1], &skippable, parts[2], parts[3], parts[4]].concat();
    assert!(check(&between, None).is_tampered());
}

#[test]
fn one_sessions_file_cannot_stand_for_anothers() {
    let whole = sample();
    let other = Id::parse("kjhgfedcba9876543210").unwrap();
    let checked = verify_from(&whole[..], &other, None).unwrap();
    assert_eq!(
        checked.problems[0],
        Problem::WrongFrame {
            index: 0,
            offset: 0
        }
    );
}

#[test]
fn problems_do_not_fill_the_memory() {
    let seal = sample();
    let seal = &seal[seal.len() - 56..];
    let checked = check(&seal.repeat(5000), None);
    assert_eq!(checked.problems.len(), 100);
    assert!(checked.more_problems > 4000);
}
