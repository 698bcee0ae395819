//! Files that no writer of ours made: an error or a right answer, never a panic, never somebody who is not there.

use std::cell::Cell;

use proptest::prelude::*;
use snapshot::{
    Error, Source, UserName,
    keys::{self, Conditions, Key},
    users::{self, Flags, User},
};

const HEADER: usize = 64;

fn name(text: &str) -> UserName {
    UserName::new(text.as_bytes()).unwrap()
}

fn sample() -> Vec<u8> {
    let all = (0..50).map(|number| {
        User::new(
            name(&format!("user{number}")),
            70000 + number,
            Flags::empty(),
        )
        .unwrap()
    });
    users::write(9, all).unwrap()
}

fn sample_keys() -> Vec<u8> {
    let blob = [&b"\0\0\0\x0bssh-ed25519\0\0\0\x20"[..], &[7; 32]].concat();
    let key = |number: u8| {
        let conditions = Conditions {
            from: vec!["10.0.0.0/8".parse().unwrap()],
            ..Conditions::default()
        };
        Key::new(
            name(&format!("user{number}")),
            [number; 32],
            blob.clone(),
            conditions,
        )
        .unwrap()
    };
    keys::write(9, (0..50).map(key)).unwrap()
}

/// CRC-64/XZ, written again from its definition.
fn crc64(bytes: impl Iterator<Item = u8>) -> u64 {
    !bytes.fold(u64::MAX, |state, byte| {
        (0..8).fold(state ^ u64::from(byte), |state, _| {
            (state >> 1) ^ (0xC96C_5795_D787_0F42 * (state & 1))
        })
    })
}

/// What a forger does after changing something: makes both checksums right.
fn seal(bytes: &mut [u8]) {
    let sections = u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
    let body = (HEADER + sections.min(16) * 24).min(bytes.len());
    let checksum = crc64(bytes[body..].iter().copied());
    bytes[32..40].copy_from_slice(&checksum.to_le_bytes());
    let checksum = crc64(bytes[..56].iter().chain(&bytes[HEADER..body]).copied());
    bytes[56..64].copy_from_slice(&checksum.to_le_bytes());
}

fn section(bytes: &[u8], number: usize) -> usize {
    let at = HEADER + number * 24 + 8;
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize
}

fn open_error(bytes: &[u8]) -> Error {
    users::Reader::new(bytes).expect_err("opened a file that is none")
}

/// Asks everything of whatever this is; answers must be for what was asked and possible.
fn ask_everything(bytes: &[u8]) {
    if let Ok(reader) = users::Reader::new(bytes) {
        let _ = reader.verify();
        for number in 0..60 {
            let wanted = name(&format!("user{number}"));
            if let Ok(Some(user)) = reader.by_name(&wanted) {
                assert_eq!(*user.name(), wanted);
                assert!(snapshot::is_possible_uid(user.uid()));
            }
            if let Ok(Some(user)) = reader.by_uid(70000 + number) {
                assert_eq!(user.uid(), 70000 + number);
            }
        }
        assert!(!matches!(reader.by_uid(0), Ok(Some(_))));
        for user in reader.iter().take(100).flatten() {
            assert!(snapshot::is_possible_uid(user.uid()) && user.name().as_str() != "root");
        }
    }
    if let Ok(reader) = keys::Reader::new(bytes) {
        let _ = reader.verify();
        for number in 0..60_u8 {
            let wanted = name(&format!("user{number}"));
            if let Ok(Some(key)) = reader.find(&[number; 32], &wanted) {
                assert_eq!((*key.user(), *key.fingerprint()), (wanted, [number; 32]));
                assert_eq!(snapshot::parse_key_blob(key.blob()), Ok(key.key_type()));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn garbage(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        ask_everything(&bytes);
    }

    #[test]
    fn forged_bytes(of_keys: bool, changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut bytes = if of_keys { sample_keys() } else { sample() };
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        seal(&mut bytes);
        ask_everything(&bytes);
    }

    #[test]
    fn forged_words(of_keys: bool, at: prop::sample::Index, value: u64) {
        let mut bytes = if of_keys { sample_keys() } else { sample() };
        let at = at.index(bytes.len() / 8) * 8;
        bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
        seal(&mut bytes);
        ask_everything(&bytes);
    }
}

#[test]
fn cut_anywhere() {
    for whole in [sample(), sample_keys()] {
        for end in 0..whole.len() {
            assert!(users::Reader::new(&whole[..end]).is_err());
            assert!(keys::Reader::new(&whole[..end]).is_err());
            // A forger cuts and seals.
            let mut cut = whole[..end].to_vec();
            if end >= HEADER {
                cut[24..32].copy_from_slice(&(end as u64).to_le_bytes());
                seal(&mut cut);
                ask_everything(&cut);
            }
        }
    }
}

#[test]
fn each_mistake_has_its_name() {
    let change = |at: usize, value: u8| {
        let mut bytes = sample();
        bytes[at] = value;
        seal(&mut bytes);
        bytes
    };
    assert!(matches!(open_error(b""), Error::Size(0)));
    assert!(matches!(open_error(&[0; 100]), Error::Foreign));
    assert!(matches!(open_error(&change(0, b'X')), Error::Foreign));
    assert!(matches!(open_error(&change(8, 0)), Error::Version(0)));
    assert!(matches!(open_error(&change(8, 2)), Error::Version(2)));
    assert!(matches!(
        open_error(&change(10, 9)),
        Error::Kind { found: 9, .. }
    ));
    assert!(matches!(open_error(&change(12, 17)), Error::HeaderChecksum));
    assert!(matches!(
        open_error(&change(12, 1)),
        Error::Section {
            id: 2,
            problem: "is missing"
        }
    ));
    assert!(
        matches!(
            open_error(&change(HEADER + 24, 1)),
            Error::Section { id: 1, .. }
        ),
        "section 1 twice"
    );
    assert!(
        matches!(
            open_error(&change(HEADER + 8, 0)),
            Error::Section { id: 1, .. }
        ),
        "section 1 over the header"
    );
    assert!(
        matches!(
            open_error(&change(HEADER + 15, 255)),
            Error::Section { id: 1, .. }
        ),
        "section 1 beyond the end"
    );
    assert!(
        matches!(
            open_error(&change(HEADER + 4, 63)),
            Error::Section { id: 1, .. }
        ),
        "another record size"
    );
    assert!(
        matches!(
            open_error(&change(HEADER + 16, 1)),
            Error::Section { id: 1, .. }
        ),
        "half a record"
    );
    let mut damaged = sample();
    damaged[17] ^= 1;
    assert!(matches!(open_error(&damaged), Error::HeaderChecksum));
    let mut longer = sample();
    longer.push(0);
    assert!(matches!(open_error(&longer), Error::Length { .. }));
    let mut body = sample();
    *body.last_mut().unwrap() ^= 1;
    assert!(matches!(
        users::Reader::new(&body[..]).unwrap().verify(),
        Err(Error::BodyChecksum)
    ));
}

#[test]
fn impossible_users_are_never_answered() {
    let forge = |offset: usize, value: &[u8]| {
        let mut bytes = sample();
        let at = section(&bytes, 0) + offset;
        bytes[at..at + value.len()].copy_from_slice(value);
        seal(&mut bytes);
        bytes
    };
    for uid in [0_u32, 999, 61184, 65534, 65535, u32::MAX] {
        let bytes = forge(0, &uid.to_le_bytes());
        let reader = users::Reader::new(&bytes[..]).unwrap();
        assert!(matches!(
            reader.record(0),
            Err(Error::Record { number: 0, .. })
        ));
        assert!(!matches!(reader.by_uid(uid), Ok(Some(_))), "{uid}");
        assert!(
            !matches!(reader.by_name(&name("user0")), Ok(Some(_))),
            "{uid}"
        );
        assert!(reader.verify().is_err());
    }
    let padded = |text: &[u8]| {
        [
            &[text.len() as u8, 0, 0, 0, 0, 0, 0, 0][..],
            text,
            &vec![0; 32 - text.len()],
        ]
        .concat()
    };
    for text in [
        &b"root"[..],
        b"jms",
        b"Alice",
        b"a b",
        b"a:b",
        b"a\n",
        b"",
        b"-a",
    ] {
        let bytes = forge(8, &padded(text));
        let reader = users::Reader::new(&bytes[..]).unwrap();
        assert!(!matches!(reader.by_uid(70000), Ok(Some(_))), "{text:?}");
    }
    let bytes = forge(8, &[255]);
    assert!(users::Reader::new(&bytes[..]).unwrap().record(0).is_err());
}

#[test]
fn unknown_flags_and_sections_are_left_alone() {
    let mut bytes = sample();
    let at = section(&bytes, 0) + 4;
    bytes[at..at + 4].copy_from_slice(&0xFFFF_FFFE_u32.to_le_bytes());
    seal(&mut bytes);
    let user = users::Reader::new(&bytes[..])
        .unwrap()
        .by_uid(70000)
        .unwrap()
        .unwrap();
    assert!(user.flags().contains(Flags::DISABLED) && !user.flags().contains(Flags::MFA_AT_LOGIN));

    let keys = sample_keys();
    assert_eq!(keys::Reader::new(&keys[..]).unwrap().count(), 50);
    let mut more = keys;
    more[10] = 1;
    more[HEADER + 4] = 64;
    let at = HEADER + 2 * 24;
    more[at..at + 4].copy_from_slice(&77_u32.to_le_bytes());
    seal(&mut more);
    let reader = users::Reader::new(&more[..]).unwrap();
    assert!(
        reader.record(0).is_err(),
        "opened in spite of section 77, and its records are no users"
    );
}

#[test]
fn a_bucket_that_swallows_the_index_is_refused() {
    let mut bytes = sample();
    let at = section(&bytes, 1) + 16;
    for start in bytes[at..at + 65 * 4].chunks_exact_mut(8) {
        start.copy_from_slice(&[0, 0, 0, 0, 50, 0, 0, 0]);
    }
    seal(&mut bytes);
    let reader = users::Reader::new(&bytes[..]).unwrap();
    let results: Vec<_> = (0..50)
        .map(|number| reader.by_name(&name(&format!("user{number}"))))
        .collect();
    assert!(
        results
            .iter()
            .any(|result| matches!(result, Err(Error::Index(_))))
    );
    assert!(
        results
            .iter()
            .zip(0..)
            .all(|(result, number)| match result {
                Ok(Some(user)) => user.name().as_str() == format!("user{number}"),
                _ => true,
            })
    );
}

/// Counts what a lookup reads.
struct Counting<'a>(&'a [u8], &'a Cell<usize>, &'a Cell<usize>);

impl Source for Counting<'_> {
    fn length(&self) -> u64 {
        self.0.length()
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), Error> {
        self.1.set(self.1.get() + 1);
        self.2.set(self.2.get() + into.len());
        self.0.read_at(offset, into)
    }
}

#[test]
fn a_lookup_reads_a_few_hundred_bytes_however_many_there_are() {
    let all = (0..200_000_u32).map(|number| {
        User::new(
            name(&format!("u{number}")),
            1_000_000 + number,
            Flags::empty(),
        )
        .unwrap()
    });
    let bytes = users::write(1, all).unwrap();
    for number in (0..200_000).step_by(9973) {
        let (reads, length) = (Cell::new(0), Cell::new(0));
        let reader = users::Reader::new(Counting(&bytes, &reads, &length)).unwrap();
        assert!(
            reader
                .by_name(&name(&format!("u{number}")))
                .unwrap()
                .is_some()
        );
        assert!(
            reads.get() <= 8 && length.get() <= 700,
            "{} reads, {} bytes",
            reads.get(),
            length.get()
        );
        reads.set(0);
        assert!(reader.by_uid(1_000_000 + number).unwrap().is_some());
        assert!(reads.get() <= 20, "{} reads by uid", reads.get());
    }
}
