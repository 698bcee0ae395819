//! sshd's own lines about unknown names: whatever strangers make of them, nothing fails, and an address is one.
#![no_main]

use jms::sshd_log::{Line, journal, syslog};
use jms::time::Time;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for line in [syslog(data, Time(1_795_240_000_000)), journal(data)] {
        if let Line::Attempt(attempt) = line {
            let source = attempt.invalid.source;
            let plain = source.split('%').next().unwrap_or_default();
            assert!(source == "UNKNOWN" || plain.parse::<std::net::IpAddr>().is_ok());
            assert!(attempt.invalid.name.len() <= data.len() * 3);
        }
    }
});
