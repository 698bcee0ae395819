//! Pastes, bracketed and raw, cut anywhere: where a word is denied, no line with that word is ever followed by an accepting key.
#![no_main]

use capture::{Action, Capture, Settings, Size, Verdict};
use libfuzzer_sys::fuzz_target;
use std::time::{Duration, Instant};

fuzz_target!(|data: &[u8]| {
    let Some((&cut, data)) = data.split_first() else { return };
    let cut = usize::from(cut % 16) + 1;
    let mut now = Instant::now();
    let mut capture = Capture::new(Size { rows: 24, columns: 80 }, Settings { enforcing: true, ..Settings::default() });
    capture.printed(now, b"\x1b[?2004h$ ");
    let text: Vec<u8> = data.iter().flat_map(|byte| match byte % 16 {
        0 => b"\x1b[200~".to_vec(),
        1 => b"\x1b[201~".to_vec(),
        2 => b"rm".to_vec(),
        3 => b"\r".to_vec(),
        4 => b"\n".to_vec(),
        other => vec![b'a' + other],
    }).collect();
    let mut sent = Vec::new();
    for chunk in text.chunks(cut) {
        now += Duration::from_millis(1);
        capture.typed(now, chunk);
        for _ in 0..4 {
            while let Some(action) = capture.next_action() {
                match action {
                    Action::Send(bytes) => {
                        // A terminal in cooked mode: it echoes, and knows the key that kills a line. No answer comes at the
                        // very moment of its question.
                        for &byte in &bytes {
                            sent.push(byte);
                            now += Duration::from_micros(1);
                            match byte {
                                b'\r' | b'\n' => capture.printed(now, b"\r\n$ "),
                                0x15 | 0x03 => capture.printed(now, b"\r\n\x1b[?2004l\r\x1b[?2004h$ "),
                                byte => capture.printed(now, &[byte]),
                            }
                        }
                    }
                    Action::Judge { id, candidates, .. } => {
                        let deny = candidates.iter().any(|c| c.contains("rm"));
                        capture.verdict(now, id, if deny { Verdict::Deny("no".into()) } else { Verdict::Allow });
                    }
                    _ => {}
                }
            }
            now += Duration::from_millis(400);
            capture.tick(now);
        }
    }
    let text = String::from_utf8_lossy(&sent);
    for line in text.split_inclusive(['\r', '\n']) {
        let line = line.rsplit(['\u{3}', '\u{15}']).next().unwrap_or(line);
        assert!(!(line.contains("rm") && line.ends_with(['\r', '\n'])), "{text:?}");
    }
});
