//! sshd's own lines about unknown names, and about users who did not get as far as their second factor: whatever strangers
//! make of them, nothing fails, an address is one, and no ending is told of that no line was about.
#![no_main]

use jms::sshd_log::{Endings, Line, journal, syslog};
use jms::time::Time;
use libfuzzer_sys::fuzz_target;

fn check_source(source: &str) {
    let plain = source.split('%').next().unwrap_or_default();
    assert!(source == "UNKNOWN" || plain.parse::<std::net::IpAddr>().is_ok());
}

fuzz_target!(|data: &[u8]| {
    let (mut endings, mut moments) = (Endings::default(), 0);
    let lines = data.split(|byte| *byte == b'\n');
    for line in lines.flat_map(|line| [syslog(line, Time(1_795_240_000_000)), journal(line)]) {
        match line {
            Line::Attempt(attempt) => {
                check_source(&attempt.invalid.source);
                assert!(attempt.invalid.name.len() <= data.len() * 3);
            }
            Line::Moment(moment) => {
                check_source(&moment.known.source);
                assert!(moment.known.name.len() <= data.len() * 3);
                moments += 1;
                endings.add(moment);
            }
            Line::Sshd | Line::Other => {}
        }
    }
    let rows = endings.rows(|_| true);
    assert!(rows.iter().map(|row| row.count).sum::<u64>() <= moments);
    assert!(rows.iter().all(|row| row.first <= row.last.at));
});
