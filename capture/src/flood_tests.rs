//! A flood that is looked at late changes nothing that comes out.
use crate::{Action, Capture, Settings, Size, Verdict};
use proptest::prelude::{Just, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest};
use std::time::{Duration, Instant};

/// What happens in a session.
#[derive(Clone, Debug)]
enum Step {
    Type(Vec<u8>),
    /// The asset echoes what was typed last, and answers.
    Answer,
    Print(Vec<u8>),
    Flood {
        line: Vec<u8>,
        lines: usize,
        piece: usize,
    },
    Size(u16, u16),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let typed = prop_oneof![
        4 => "[a-z |/.-]{1,30}\r".prop_map(String::into_bytes),
        1 => "[a-z]{1,9}".prop_map(String::into_bytes),
        1 => prop::sample::select(vec!["\x03", "\x15", "\x1b[A", "\r", "\t", "\x12ls", "q"]).prop_map(|keys| keys.as_bytes().to_vec()),
    ];
    let line = prop_oneof![
        "[ -~]{1,200}\r\n".prop_map(String::into_bytes),
        "\x1b\\[(0|1|31|90)m[ -~]{1,60}\x1b\\[0m\r\n".prop_map(String::into_bytes),
        "[ -~]{1,100}\n".prop_map(String::into_bytes),
        Just("界 e\u{301}\r\n".as_bytes().to_vec()),
    ];
    let printed = prop::sample::select(vec![
        "\x1b[?2004hdev@web1:~$ ",
        "\x1b[?2004l\r",
        "\x1b[?1049h\x1b[2J\x1b[5;5Hx",
        "\x1b[?1049l",
        "$ ",
        "\r\n",
        "\x1b]0;title\x07",
    ]);
    prop_oneof![
        5 => typed.prop_map(Step::Type),
        5 => Just(Step::Answer),
        4 => printed.prop_map(|text| Step::Print(text.as_bytes().to_vec())),
        4 => (line, 1_usize..2000, prop_oneof![Just(4095_usize), 400_usize..70_000])
            .prop_map(|(line, lines, piece)| Step::Flood { line, lines, piece }),
        1 => (2_u16..60, 2_u16..140).prop_map(|(rows, columns)| Step::Size(rows, columns)),
        3 => (1_u64..3000).prop_map(Step::Wait),
    ]
}

/// Plays a session; what comes out. `at_once`: all is painted when it comes.
fn play(steps: &[Step], enforcing: bool, at_once: bool) -> Vec<String> {
    let settings = Settings {
        enforcing,
        ..Settings::default()
    };
    let size = Size {
        rows: 24,
        columns: 80,
    };
    let begin = Instant::now();
    let mut now = begin;
    let mut capture = Capture::new(size, settings);
    let mut out = Vec::new();
    let mut last: Vec<u8> = Vec::new();
    let print = |capture: &mut Capture, now: Instant, bytes: &[u8]| {
        capture.printed(now, bytes);
        if at_once {
            capture.screen.catch_up();
        }
    };
    for step in steps {
        match step {
            Step::Type(bytes) => {
                last.clone_from(bytes);
                capture.typed(now, bytes);
            }
            Step::Answer => {
                let echo = String::from_utf8_lossy(&last).replace('\r', "\r\n\x1b[?2004l\r");
                print(&mut capture, now, echo.as_bytes());
            }
            Step::Print(bytes) => print(&mut capture, now, bytes),
            Step::Flood { line, lines, piece } => {
                for bytes in line.repeat(*lines).chunks(*piece) {
                    now += Duration::from_micros(100);
                    print(&mut capture, now, bytes);
                }
            }
            Step::Size(rows, columns) => capture.resized(
                now,
                Size {
                    rows: *rows,
                    columns: *columns,
                },
            ),
            Step::Wait(millis) => now += Duration::from_millis(*millis),
        }
        now += Duration::from_millis(12);
        if capture.deadline().is_some_and(|due| due <= now) {
            capture.tick(now);
        }
        while let Some(action) = capture.next_action() {
            let text = match &action {
                Action::Command(command) => format!(
                    "{:?} {:?} {:?} {} {:?}",
                    command.at - begin,
                    command.line,
                    command.certainty,
                    command.hidden,
                    command.outcome
                ),
                Action::Hidden { at } => format!("hidden {:?}", *at - begin),
                Action::Judge { id, .. } => {
                    capture.verdict(now, *id, Verdict::Allow);
                    format!("{action:?}")
                }
                _ => format!("{action:?}"),
            };
            out.push(text);
        }
        out.push(format!(
            "{:?}",
            capture
                .deadline()
                .map(|due| due.saturating_duration_since(begin))
        ));
    }
    capture.ended(now);
    while let Some(action) = capture.next_action() {
        if let Action::Command(command) = action {
            out.push(format!("{:?} {:?}", command.line, command.certainty));
        }
    }
    out
}

/// How long the accepting key waits after a list of completions of so many names, and a letter.
fn waits_after_a_list(names: usize) -> Duration {
    let settings = Settings {
        enforcing: true,
        ..Settings::default()
    };
    let size = Size {
        rows: 24,
        columns: 80,
    };
    let mut now = Instant::now();
    let mut capture = Capture::new(size, settings);
    let later = |now: &mut Instant| {
        *now += Duration::from_millis(90);
        *now
    };
    capture.printed(now, b"\x1b[?2004hdev@web1:~$ ");
    for key in "cat s".chars() {
        capture.typed(later(&mut now), key.to_string().as_bytes());
        now += Duration::from_millis(1);
        capture.printed(now, key.to_string().as_bytes());
    }
    capture.typed(later(&mut now), b"\t");
    now += Duration::from_millis(2);
    let list = format!("\r\n{}\r\ndev@web1:~$ cat s", "some_name  ".repeat(names));
    capture.printed(now, list.as_bytes());
    capture.typed(later(&mut now), b"t");
    now += Duration::from_millis(1);
    capture.printed(now, b"t");
    capture.typed(later(&mut now), b"\r");
    while let Some(action) = capture.next_action() {
        if let Action::Judge { id, .. } = action {
            capture.verdict(now, id, Verdict::Allow);
        }
    }
    capture.deadline().map_or(Duration::ZERO, |due| due - now)
}

#[test]
fn a_long_list_is_as_good_a_reply_to_a_key_as_a_short_one() {
    assert_eq!(waits_after_a_list(60), waits_after_a_list(10));
}

proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 32, ..Default::default() })]

    #[test]
    fn a_flood_looked_at_late_leads_to_the_same_commands_and_judgements(
        steps in prop::collection::vec(step(), 1..40),
        enforcing in any::<bool>(),
    ) {
        prop_assert_eq!(play(&steps, enforcing, false), play(&steps, enforcing, true));
    }
}
