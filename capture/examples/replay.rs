//! Plays recorded traces (lines of `[milliseconds, "i" | "o" | "r", base64 or [rows, columns]]`) through capture and prints
//! what it logs, one line of JSON for each trace. `replay TRACE…`
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use capture::{Action, Capture, Settings, Size};
use std::time::{Duration, Instant};

fn main() {
    for path in std::env::args().skip(1) {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let start = Instant::now();
        let mut capture = Capture::new(
            Size {
                rows: 24,
                columns: 80,
            },
            Settings::default(),
        );
        let mut commands = Vec::new();
        let mut hidden = 0;
        let mut now = start;
        let mut drain = |capture: &mut Capture| {
            while let Some(action) = capture.next_action() {
                match action {
                    Action::Command(c) => commands.push(serde_json::json!({"line": c.line, "captured": c.certainty.word(), "hidden": c.hidden, "action": "accept"})),
                    Action::Hidden { .. } => hidden += 1,
                    _ => {}
                }
            }
        };
        for line in text.lines() {
            let Ok(event) = serde_json::from_str::<serde_json::Value>(line) else {
                continue;
            };
            let at =
                start + Duration::from_micros((event[0].as_f64().unwrap_or(0.0) * 1000.0) as u64);
            while let Some(deadline) = capture.deadline().filter(|d| *d <= at) {
                capture.tick(deadline.max(now));
                now = now.max(deadline);
                drain(&mut capture);
                if capture.deadline().is_some_and(|d| d <= deadline) {
                    break;
                }
            }
            now = now.max(at);
            let bytes = event[2]
                .as_str()
                .and_then(|s| STANDARD.decode(s).ok())
                .unwrap_or_default();
            match event[1].as_str() {
                Some("i") => capture.typed(now, &bytes),
                Some("o") => capture.printed(now, &bytes),
                Some("r") => capture.resized(
                    now,
                    Size {
                        rows: event[2][0].as_u64().unwrap_or(24) as u16,
                        columns: event[2][1].as_u64().unwrap_or(80) as u16,
                    },
                ),
                _ => {}
            }
            drain(&mut capture);
        }
        capture.ended(now);
        drain(&mut capture);
        let name = std::path::Path::new(&path)
            .file_stem()
            .map(|s| s.to_string_lossy().into_owned())
            .unwrap_or_default();
        println!(
            "{}",
            serde_json::json!({"case": name, "commands": commands, "hidden": hidden})
        );
    }
}
