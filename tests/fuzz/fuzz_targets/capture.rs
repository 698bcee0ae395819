//! A session in which both sides do what they like. Without rules each typed byte is sent at once; with rules that allow all
//! each is sent in its order, but for what an interrupt throws away; with rules that deny all no accepting key is.
#![no_main]

use capture::{Action, Capture, Outcome, Settings, Size, Verdict};
use libfuzzer_sys::fuzz_target;
use std::time::{Duration, Instant};

fuzz_target!(|data: &[u8]| {
    let Some((&kind, data)) = data.split_first() else { return };
    let (enforcing, deny) = (kind & 1 != 0, kind & 2 != 0);
    let mut now = Instant::now();
    let mut capture = Capture::new(Size { rows: 24, columns: 80 }, Settings { enforcing, ..Settings::default() });
    let (mut typed, mut sent) = (Vec::new(), Vec::new());
    let mut ended = false;
    for chunk in data.split(|byte| *byte == 0xff) {
        let Some((&first, rest)) = chunk.split_first() else { continue };
        now += Duration::from_millis(u64::from(first));
        match first % 4 {
            0 | 1 => {
                typed.extend_from_slice(rest);
                capture.typed(now, rest);
            }
            2 => capture.printed(now, rest),
            _ => capture.tick(now),
        }
        while let Some(action) = capture.next_action() {
            match action {
                Action::Send(bytes) => sent.extend_from_slice(&bytes),
                Action::Judge { id, candidates, hidden, .. } => {
                    assert!(enforcing && (hidden || !candidates.is_empty()));
                    let verdict = if deny { Verdict::Deny("no".into()) } else { Verdict::Allow };
                    capture.verdict(now, id, verdict);
                }
                Action::Command(command) => {
                    assert!(command.line.len() <= 64 * 1024);
                    assert!(!command.hidden || command.line.is_empty());
                    assert!(enforcing || command.outcome == Outcome::Passed);
                }
                Action::End(_) => ended = true,
                Action::Show(_) => assert!(enforcing),
                Action::Hidden { .. } => {}
            }
        }
    }
    if !enforcing {
        assert_eq!(typed, sent);
    } else if !deny && !ended {
        // Ctrl-C and Ctrl-\ overtake what is held before them.
        let overtaken = typed.iter().any(|byte| matches!(byte, 0x03 | 0x1c));
        let mut all = typed.iter();
        let in_order = sent.iter().all(|byte| all.any(|typed| typed == byte));
        assert!(in_order && (overtaken || typed.starts_with(&sent)), "{typed:?} {sent:?}");
    }
    capture.ended(now);
});
