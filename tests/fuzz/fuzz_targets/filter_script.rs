//! Scripts on standard input: whatever comes in whatever crumbs, not a byte is lost, changed or held without end.
#![no_main]

use filter::{Language, Script};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: (bool, Vec<&[u8]>)| {
    let (shell, chunks) = data;
    let language = if shell { Language::Shell } else { Language::Text };
    let mut script = Script::new(language);
    let mut given = Vec::new();
    for chunk in &chunks {
        script.push(chunk);
        while let Some(piece) = script.next_piece() {
            assert!(!piece.bytes.is_empty() && piece.bytes.len() == piece.text.len());
            given.extend(piece.bytes);
        }
        assert!(script.held() <= filter::shell::MAX_LENGTH);
    }
    given.extend(script.take_all());
    assert!(script.is_empty());
    assert_eq!(given, chunks.concat());
});
