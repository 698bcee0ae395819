//! Whatever a scanned machine says: few keys, each once, and nothing unprintable about the others.
#![no_main]

use jms::keys::parse_keyscan;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let scan = parse_keyscan(data);
    assert!(scan.keys.len() + scan.skipped.len() <= 16);
    for (index, key) in scan.keys.iter().enumerate() {
        assert!(!scan.keys[index + 1..].contains(key));
    }
    for skipped in scan.skipped {
        assert!(skipped.kind.len() <= 64 && skipped.kind.bytes().all(|byte| byte.is_ascii_graphic()));
        assert!(!skipped.reason.to_string().contains(char::is_control));
    }
});
