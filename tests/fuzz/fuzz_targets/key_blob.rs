//! A key blob that is taken begins with the name of its type and ends where its last field ends.
#![no_main]

use libfuzzer_sys::fuzz_target;
use snapshot::parse_key_blob;

fuzz_target!(|data: &[u8]| {
    let Ok(key_type) = parse_key_blob(data) else {
        return;
    };
    assert!(data[4..].starts_with(key_type.name().as_bytes()) && data.len() <= 4096);
    assert!(parse_key_blob(&data[..data.len() - 1]).is_err());
    assert!(parse_key_blob(&[data, &[0]].concat()).is_err());
});
