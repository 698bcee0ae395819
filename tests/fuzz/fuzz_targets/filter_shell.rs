//! The reader of shell lines: no panic, and what it finds is within its bounds.
#![no_main]

use filter::shell::{MAX_COMMANDS, MAX_WORDS, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let line = String::from_utf8_lossy(data);
    let script = parse(&line);
    assert!(script.commands.len() <= 2 * MAX_COMMANDS);
    let words: usize = script
        .commands
        .iter()
        .map(|simple| simple.words.len())
        .sum();
    assert!(words <= MAX_WORDS);
});
