//! Cut files, damaged files, hostile files: what can be read is read, nothing panics.
use super::{read, sample, session};
use crate::recording::{Ended, LINE_LIMIT, ReadError, Reader, verify_from};
use proptest::prelude::{ProptestConfig, any, prop, proptest};
use std::io::Write;

#[test]
fn cut_at_every_byte_the_rest_is_a_prefix() {
    let whole = sample();
    let (events, error) = read(&whole).unwrap();
    assert!(error.is_none() && events.len() > 10);
    let mut most = 0;
    for length in 0..whole.len() {
        let cut = &whole[..length];
        match Reader::new(cut) {
            Err(error) => assert!(matches!(error, ReadError::Empty), "{length}: {error}"),
            Ok(mut reader) => {
                let seen: Vec<_> = reader.by_ref().map(Result::unwrap).collect();
                assert_eq!(seen, events[..seen.len()], "{length}");
                assert_eq!(reader.ended(), Some(Ended::Cut), "{length}");
                assert!(seen.len() >= most, "{length}");
                most = seen.len();
            }
        }
        let checked = verify_from(cut, &session(), None).unwrap();
        assert!(
            !checked.ended && !checked.is_tampered(),
            "{length}: {checked:?}"
        );
        assert_eq!(checked.bytes, length as u64);
    }
    assert_eq!(most, events.len());
}

/// A file of one frame that holds `text`.
fn one_frame(text: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
    encoder.window_log(17).unwrap();
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

const HEAD: &[u8] = b"{\"version\":2,\"width\":80,\"height\":24}\n";

#[test]
fn lines_that_are_no_events_end_the_reading_with_an_error() {
    for line in [
        "",
        "{}",
        "[1, \"o\"]",
        "[-1, \"o\", \"\"]",
        "[1e400, \"o\", \"\"]",
        "[1e300, \"o\", \"\"]",
        "[1, \"o\", \"\\ud800\"]",
        "[1, \"o\", 7]",
    ] {
        let text = [
            HEAD,
            b"[0.5, \"o\", \"a\"]\n",
            line.as_bytes(),
            b"\n[1, \"o\", \"b\"]\n",
        ]
        .concat();
        let (events, error) = read(&one_frame(&text)).unwrap();
        assert_eq!(events.len(), 1, "{line}");
        assert!(matches!(error, Some(ReadError::Damaged { .. })), "{line}");
    }
    let unknown = [HEAD, b"[1, \"z\", \"\"]\n[1, \"o\", \"b\"]\n"].concat();
    let (events, error) = read(&one_frame(&unknown)).unwrap();
    assert_eq!((events.len(), error.is_none()), (1, true));
}

#[test]
fn a_bomb_is_refused_and_not_unpacked() {
    let mut encoder = zstd::Encoder::new(Vec::new(), 19).unwrap();
    encoder.write_all(HEAD).unwrap();
    let zeros = vec![b'0'; LINE_LIMIT];
    for _ in 0..50 {
        encoder.write_all(&zeros).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 20_000, "{}", bomb.len());
    // Level 19 asks for a window of 8 MiB, which is refused before anything else.
    assert!(matches!(
        Reader::new(&bomb[..]),
        Err(ReadError::Damaged { .. })
    ));

    let long = [HEAD, &vec![b'0'; LINE_LIMIT * 2]].concat();
    let (events, error) = read(&one_frame(&long)).unwrap();
    assert!(events.is_empty());
    assert!(error.unwrap().to_string().contains("longer than any"));
}

#[test]
fn what_is_no_regular_file_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(
        Reader::open(folder.path()),
        Err(ReadError::NotAFile)
    ));
    let fifo = folder.path().join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRUSR).unwrap();
    assert!(matches!(Reader::open(&fifo), Err(ReadError::NotAFile)));
    let link = folder.path().join("link");
    std::os::unix::fs::symlink("/etc/passwd", &link).unwrap();
    assert!(matches!(Reader::open(&link), Err(ReadError::Io(_))));
}

/// Reads all there is; only a panic or an endless loop is wrong.
fn devour(bytes: &[u8]) {
    let _ = read(bytes);
    let _ = verify_from(bytes, &session(), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        devour(&bytes);
        let text = [HEAD, &bytes].concat();
        devour(&one_frame(&text));
    }

    #[test]
    fn flipped_bits_never_panic(flips in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..8), 1..5)) {
        let mut bytes = SAMPLE.with(Clone::clone);
        for (place, bit) in flips {
            let place = place.index(bytes.len());
            bytes[place] ^= 1 << bit;
        }
        devour(&bytes);
    }
}

thread_local! {
    static SAMPLE: Vec<u8> = sample();
}
