//! The enforcing mode: what is passed on is one command, and is passed on again as it is.
#![no_main]

use filter::{Context, enforce, judge};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &str| {
    let Ok(passed) = enforce(line) else { return };
    assert_eq!(enforce(&passed).as_ref(), Ok(&passed));
    let words = |line: &str| {
        let judged = judge(&[], line, Context::EXEC);
        judged.single_command().map(|words| words.join("\0"))
    };
    assert_eq!(words(line), words(&passed));
    // Nothing that a shell acts upon stands outside of quotes.
    let mut quote = None;
    for character in passed.chars() {
        match quote {
            Some(open) if character == open => quote = None,
            Some(_) => assert!(!character.is_control() && character != '!'),
            None if matches!(character, '\'' | '"') => quote = Some(character),
            None => assert!(matches!(character, ' ' | '\\'), "{passed}"),
        }
    }
    assert_eq!(quote, None);
});
