//! Whatever the file of evidence: it is read to an end in bounded memory, and what is not as it was written is found.
#![no_main]

use jms::id::Id;
use jms::recording::{Ended, Header, LINE_LIMIT, Reader, Recorder, path_of, verify_from};
use jms::time::Time;
use libfuzzer_sys::fuzz_target;
use std::io::Write;
use std::sync::LazyLock;
use std::time::Duration;

static SESSION: LazyLock<Id> = LazyLock::new(|| Id::parse("0123456789abcdefghjk").expect("an id"));

static SAMPLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let root = std::env::temp_dir().join(format!("fuzz-recording-{}", std::process::id()));
    std::fs::create_dir_all(&root).expect("a folder");
    let header = Header {
        started_at: Time(0),
        width: 80,
        height: 24,
        term: None,
        title: None,
        command: None,
        meta: Default::default(),
    };
    let mut recorder = Recorder::create(&root, &SESSION, &header).expect("a recording");
    for second in [0, 1, 400, 800] {
        let at = Duration::from_secs(second);
        recorder
            .output(at, b"\x1b[1mhello\x1b[0m\r\n")
            .expect("recorded");
        recorder.resize(at, 100, 30).expect("recorded");
    }
    recorder.finish().expect("finished");
    let file = std::fs::read(path_of(&root, &SESSION, Time(0))).expect("the file");
    std::fs::remove_dir_all(&root).expect("removed");
    file
});

fuzz_target!(|data: &[u8]| {
    let Some((mode, rest)) = data.split_first() else {
        return;
    };
    match mode % 4 {
        0 => check(rest),
        1 => check(&frame(rest)),
        2 => check(&frame(
            &[b"{\"version\":2,\"width\":80,\"height\":24}\n", rest].concat(),
        )),
        _ => {
            let mut file = SAMPLE.clone();
            for change in rest.chunks_exact(3) {
                let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % file.len();
                file[at] = change[2];
            }
            file.truncate(file.len() - usize::from(mode / 4) % file.len());
            check(&file);
            let found = verify_from(&file[..], &SESSION, None).expect("memory can be read");
            // Without the store a cut file is no forgery, and nothing vouches for what follows the last seal.
            let sealed = file.len() - usize::try_from(found.unsealed).expect("less than the file");
            assert!(found.is_tampered() || SAMPLE.starts_with(&file[..sealed]));
            assert!(!found.is_tampered() || !SAMPLE.starts_with(&file));
            assert_eq!(found.is_whole(), file == *SAMPLE);
        }
    }
});

/// One frame, so that the fuzzer need not find out how to compress.
fn frame(text: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("an encoder");
    encoder.window_log(17).expect("a small window");
    encoder.write_all(text).expect("memory can be written");
    encoder.finish().expect("a frame")
}

fn check(file: &[u8]) {
    if let Ok(mut reader) = Reader::new(file) {
        let mut failed = false;
        for event in reader.by_ref() {
            assert!(!failed, "an event after an error");
            match event {
                Ok(event) => assert!(event.data.len() <= LINE_LIMIT + 128 * 1024),
                Err(_) => failed = true,
            }
        }
        assert_eq!(failed, reader.ended() == Some(Ended::Damaged));
        assert!(reader.ended().is_some());
    }
    let found = verify_from(file, &SESSION, None).expect("memory can be read");
    assert_eq!(found.bytes, file.len() as u64);
    assert!(found.unsealed <= found.bytes && found.problems.len() <= 100);
}
