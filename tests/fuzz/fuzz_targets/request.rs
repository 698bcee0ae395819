//! Requests: the asset gets a suffix of what was sent, and what runs without the right `exec` can run nothing beside it.
#![no_main]

use force_command::request::{Request, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: (Option<&[u8]>, Option<&[u8]>, bool)| {
    let (tail, original, has_terminal) = data;
    let Ok(Request::Connect(connect)) = parse(tail, original, has_terminal) else {
        return;
    };
    let sent = original.unwrap_or_default();
    let command = connect.command.as_deref().unwrap_or_default();
    assert!(sent.ends_with(command));
    assert!(tail.is_none() || command == sent);
    assert_eq!(connect.terminal, has_terminal);
    if connect.channel.is_transfer() {
        let separators = b";&|<>()$`\n\r\0";
        assert!(!command.iter().any(|byte| separators.contains(byte)));
    }
    // The wording is one argument of the client program: never an option.
    let wording = connect.wording.to_string();
    assert!(!wording.starts_with('-') && wording.bytes().all(|byte| byte.is_ascii_graphic()));
});
