//! No text from outside makes an event whose lines could be taken for two, for another event, or be too long.
#![no_main]

use event::{Event, Format, LINE_MAX};
use libfuzzer_sys::fuzz_target;

/// What could end a line or steer whoever reads it.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{61c}' | '\u{200e}' | '\u{200f}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fuzz_target!(|text: &str| {
    let Ok(event) = Event::from_json(text) else {
        return;
    };
    let json = event.to_json(Some(1));
    let line = event.to_line(Format::KeyValue, Some(1));
    for written in [&json, &line] {
        assert!(written.len() <= LINE_MAX);
        assert!(!written.chars().any(is_unsafe));
    }
    let again = Event::from_json(&json).expect("our own event");
    assert_eq!(again.to_json(Some(1)), json);
});
