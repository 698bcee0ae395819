//! What capture costs: seconds for each kind of bulk output, microseconds for a key, memory. `cargo run --release --example cost`
use capture::{Action, Capture, Settings, Size, Verdict};
use std::time::{Duration, Instant};

fn flood(name: &str, block: &[u8]) {
    let mut capture = Capture::new(
        Size {
            rows: 24,
            columns: 80,
        },
        Settings::default(),
    );
    let begun = Instant::now();
    let mut bytes = 0;
    while begun.elapsed() < Duration::from_millis(500) {
        for chunk in block.chunks(65_536) {
            capture.printed(begun, chunk);
            bytes += chunk.len();
        }
    }
    let rate = bytes as f64 / begun.elapsed().as_secs_f64() / 1e6;
    println!(
        "{name:<24} {rate:9.0} MB/s {:8} bytes held",
        capture.footprint()
    );
}

fn keys(name: &str, enforcing: bool) {
    let mut capture = Capture::new(
        Size {
            rows: 24,
            columns: 80,
        },
        Settings {
            enforcing,
            ..Settings::default()
        },
    );
    let mut now = Instant::now();
    let mut took = Vec::new();
    for _ in 0..2000 {
        capture.printed(now, b"\x1b[?2004hops@web1:~$ ");
        now += Duration::from_millis(100);
        for &byte in b"grep -rn needle /usr/share/doc | head\r" {
            let begun = Instant::now();
            capture.typed(now, &[byte]);
            while let Some(action) = capture.next_action() {
                if let Action::Judge { id, .. } = action {
                    capture.verdict(now, id, Verdict::Allow);
                }
            }
            let echo: &[u8] = if byte == b'\r' {
                b"\r\n\x1b[?2004l\r"
            } else {
                &[byte]
            };
            capture.printed(now, echo);
            took.push(begun.elapsed());
            now += Duration::from_millis(12);
        }
        while capture.next_action().is_some() {}
    }
    took.sort();
    println!(
        "{name:<24} p50 {:?} p99 {:?} max {:?}",
        took[took.len() / 2],
        took[took.len() * 99 / 100],
        took[took.len() - 1]
    );
}

fn main() {
    let plain: Vec<u8> = (0..200_000)
        .flat_map(|n| format!("{n} a line of some output, as programs print them\r\n").into_bytes())
        .collect();
    let numbers: Vec<u8> = (0..500_000)
        .flat_map(|n| format!("{n}\r\n").into_bytes())
        .collect();
    let coloured: Vec<u8> = (0..100_000)
        .flat_map(|n| {
            format!("\x1b[01;34mfolder{n}\x1b[0m  \x1b[01;32mprogram{n}\x1b[0m\r\n").into_bytes()
        })
        .collect();
    flood("plain lines", &plain);
    flood("numbers", &numbers);
    flood("coloured names", &coloured);
    flood("no line ends", &vec![b'x'; 4 << 20]);
    flood("wide characters", &"界".repeat(1 << 20).into_bytes());
    keys("key, watched", false);
    keys("key, with rules", true);
}
