//! What an asset prints, with resizes in between: no output and no size costs more memory than a session may have.
#![no_main]

use capture::{Capture, Settings, Size};
use libfuzzer_sys::fuzz_target;
use std::time::{Duration, Instant};

fuzz_target!(|data: &[u8]| {
    let mut now = Instant::now();
    let mut capture = Capture::new(Size { rows: 24, columns: 80 }, Settings::default());
    for (index, chunk) in data.split(|byte| *byte == 0xff).enumerate() {
        now += Duration::from_millis(7);
        if let [rows, columns, ..] = chunk
            && index % 5 == 4
        {
            capture.resized(now, Size { rows: u16::from(*rows) * 9, columns: u16::from(*columns) * 11 });
        }
        capture.printed(now, chunk);
        // A long run of the same, as floods are.
        if index % 7 == 6 {
            capture.printed(now, &chunk.repeat(64));
        }
        capture.typed(now, b"x");
        while capture.next_action().is_some() {}
        assert!(capture.footprint() < 2 << 20, "{} bytes", capture.footprint());
    }
});
