//! sshd's list of factors: understood as a whole or not at all, and every line is one factor.
#![no_main]

use jms_pam_helper::{authentication, connection};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    if let Ok(factors) = authentication::parse(data) {
        let lines = data.strip_suffix('\n').unwrap_or(data);
        let expected = if lines.is_empty() {
            0
        } else {
            lines.split('\n').count()
        };
        assert_eq!(factors.len(), expected);
        let keys = data
            .split('\n')
            .filter(|line| line.starts_with("publickey "))
            .count();
        assert_eq!(authentication::first_key(&factors).is_some(), keys > 0);
        assert!(
            authentication::summary(&factors)
                .bytes()
                .all(|byte| byte.is_ascii_graphic())
        );
    }
    if let Some(source) = connection::parse(data) {
        assert!(source.ip.is_some() && source.port.is_some());
        assert!(source.address.bytes().all(|byte| byte.is_ascii_graphic()));
    }
});
