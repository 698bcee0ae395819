//! The log of an asset's client, much of it the asset's own text: it becomes one sentence, about a machine on the way.
#![no_main]

use force_command::egress::failure::{diagnose, overdue};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let logs: Vec<String> = text.split('\0').map(str::to_owned).collect();
    if let Some((place, _)) = diagnose(&logs) {
        assert!(place < logs.len());
    }
    assert!(overdue(&logs).0 < logs.len());
});
