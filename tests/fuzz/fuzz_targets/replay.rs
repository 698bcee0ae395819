//! No output of a session gets more to the auditor's terminal than the sequences that a replay needs, wherever it is cut.
#![no_main]

use jms::replay::{Safe, printable};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut safe = Safe::new();
    let shown = safe.push(text);
    check(&shown);
    check(&safe.finish());
    assert_eq!(
        Safe::new().push(&shown),
        shown,
        "what it made itself passes unchanged"
    );
    let mut safe = Safe::new();
    let pieces: String = text
        .chars()
        .map(|c| safe.push(c.encode_utf8(&mut [0; 4])))
        .collect();
    assert_eq!(pieces, shown);
    assert!(!printable(text).chars().any(char::is_control));
});

/// Only text, the controls BS to CR, and sequences of a known form.
fn check(shown: &str) {
    let mut rest = shown.chars();
    while let Some(c) = rest.next() {
        if c != '\x1b' {
            assert!(!c.is_control() || ('\x08'..='\r').contains(&c), "{shown:?}");
            continue;
        }
        let kind = rest.next().expect("a whole sequence");
        if kind != '[' {
            assert!("78DEM".contains(kind), "{shown:?}");
            continue;
        }
        let mut parameters = String::new();
        let last = loop {
            match rest.next().expect("a whole sequence") {
                c @ ('0'..=';' | '?') => parameters.push(c),
                c => break c,
            }
        };
        let good = match (parameters.strip_prefix('?'), last) {
            (Some(mode), 'h' | 'l') => {
                ["6", "7", "25", "47", "1047", "1048", "1049"].contains(&mode)
            }
            (None, 'h' | 'l') => parameters == "4",
            (None, 's' | 'u') => parameters.is_empty(),
            (None, 'J' | 'K') => ["", "0", "1", "2"].contains(&parameters.as_str()),
            (None, 'm') => parameters.split([';', ':']).all(|part| part.len() <= 3),
            (None, _) => "ABCDEFGHILMPSTXZ@`abdefr".contains(last) && !parameters.contains(':'),
            _ => false,
        };
        assert!(good, "{shown:?}");
    }
}
