//! Lines typed at the menu: each has a meaning, and what becomes a request is one that `ssh` could have carried.
#![no_main]

use force_command::menu::{Typed, parse};
use force_command::request::{self, Request};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let line = String::from_utf8_lossy(data);
    match parse(&line) {
        Typed::Request(Request::Connect(connect)) => {
            let carried = request::parse(None, Some(line.trim().as_bytes()), true);
            assert_eq!(carried, Ok(Request::Connect(connect)));
        }
        Typed::Name(text) => {
            let first = text.split([' ', '\t']).next().unwrap_or_default();
            assert!(!first.contains('@') && !jms::names::VERBS.contains(&first));
        }
        _ => {}
    }
});
