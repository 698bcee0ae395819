//! Nothing that the asset prints or the user types switches capture off, and nothing of it costs more than it may.
mod support;
use capture::{Capture, Outcome, Settings, Size};
use std::time::{Duration, Instant};
use support::Session;

/// After whatever was printed, at a prompt of its own row, the next line is still logged.
fn still_captures(printed: &[u8]) {
    let mut session = Session::watched();
    session
        .prompt()
        .runs("id")
        .prints(printed)
        .prints("\r\n")
        .prompt()
        .runs("rm -rf /srv/data");
    assert!(
        session.lines().contains(&"rm -rf /srv/data"),
        "{:?} after {:?}",
        session.lines(),
        String::from_utf8_lossy(&printed[..printed.len().min(80)])
    );
}

/// After whatever was printed, the next line that a rule denies is not sent.
fn still_denies(printed: &[u8]) {
    let mut session = Session::denying("rm -rf");
    session
        .prompt()
        .runs("id")
        .prints(printed)
        .prints("\r\n")
        .prompt()
        .echoed("rm -rf /srv/data")
        .types("\r")
        .waits(5000);
    let sent = String::from_utf8_lossy(&session.sent).into_owned();
    assert!(
        !sent.contains("data\r") && !sent.contains("data\n"),
        "{sent:?}"
    );
    assert!(
        session
            .commands
            .iter()
            .any(|c| c.outcome == Outcome::Denied),
        "{:?}",
        session.commands
    );
}

fn survives(printed: &[u8]) {
    still_captures(printed);
    still_denies(printed);
}

#[test]
fn a_line_whose_echo_comes_after_it_was_accepted_is_no_secret() {
    for line in [
        "ls -la /srv/data".to_owned(),
        format!("echo {}", "y".repeat(3_000)),
        format!("echo {}", "y".repeat(70_000)),
    ] {
        let mut session = Session::watched();
        session.prompt();
        for part in format!("{line}\r").as_bytes().chunks(4096) {
            session.types(part);
        }
        session
            .waits(1000)
            .prints(format!("{line}\r\n\x1b[?2004l\r"))
            .prompt();
        let command = session.commands.pop().expect("a line");
        let end = line.len().min(64 * 1024);
        assert_eq!(command.line, line[..end]);
        assert_eq!((command.cut, command.hidden), (line.len() > end, false));
    }
}

#[test]
fn a_file_transfer_header_switches_nothing_off() {
    survives(b"**\x18B00000000000000\r\x8a\x11");
    survives(b"rz\r**\x18B0100000023be50\r\x8a\x11");
    survives(b"**\x18B0800000000022d\r\x8a");
    survives(b"**\x18C04000000000000");
}

#[test]
fn the_alternate_screen_and_its_friends_switch_nothing_off() {
    for mode in [
        47, 1047, 1048, 1049, 1000, 1002, 1004, 1006, 25, 5, 6, 7, 69, 2026,
    ] {
        survives(format!("\x1b[?{mode}h").as_bytes());
        survives(format!("\x1b[?{mode}l").as_bytes());
    }
    survives(b"\x1b[?1049h\x1b[?1049h\x1b[?1049l\x1b[?1049h");
    survives(b"\x1bc");
    survives(b"\x1b[!p\x1b[?3h\x1b[2J");
}

#[test]
fn what_is_typed_ahead_on_an_alternate_screen_is_judged() {
    // The screen is there, and no program that reads: the shell will.
    for painted in [
        "\x1b[?1049h\x1b[H\x1b[2J",
        "\x1b[?1049h\x1b[1;1Ha\x1b[2;1Hb\x1b[3;1Hc\x1b[4;1Hd\x1b[5;1He\x1b[6;1Hf\x1b[7;1H",
    ] {
        let mut session = Session::denying("rm -rf");
        session
            .prompt()
            .runs("tput smcup; sleep 9")
            .prints("\x1b[?2004l")
            .prints(painted)
            .waits(200);
        session.echoed("rm -rf /srv/data").types("\r").waits(2000);
        let sent = String::from_utf8_lossy(&session.sent).into_owned();
        assert!(!sent.contains("data\r"), "{sent:?}");
    }
}

#[test]
fn what_is_typed_behind_the_key_that_ends_a_pager_is_judged() {
    for (enter, before) in [
        (
            "\x1b[?1049h\x1b[?1h\x1b=\rone\r\ntwo\r\n\x1b[7m(END)\x1b[27m\x1b[K",
            "q",
        ),
        (
            "\x1b[?1049h\x1b[?1h\x1b=\rone\r\ntwo\r\n\x1b[7m(END)\x1b[27m\x1b[K",
            "jjjjjjjjq",
        ),
        ("one\r\ntwo\r\n\x1b[7m(END)\x1b[27m\x1b[K", "q"),
    ] {
        let mut session = Session::denying("^rm -rf");
        session
            .prompt()
            .runs("less notes")
            .prints("\x1b[?2004l")
            .prints(enter)
            .waits(500);
        // All at once, and the pager takes its time.
        session
            .types(format!("{before}rm -rf /srv/data\r"))
            .waits(2000);
        let sent = String::from_utf8_lossy(&session.sent).into_owned();
        assert!(!sent.contains("data\r"), "{sent:?}");
    }
}

#[test]
fn prompts_of_other_programs_and_of_passwords_switch_nothing_off() {
    survives(b"[sudo] password for ops: ");
    survives(b"Password:\x1b[8m");
    survives(b"(reverse-i-search)`': ");
    survives(b"ops@web1:~$ exit\r\nlogout\r\n");
    let mut session = Session::watched();
    session.prints("\x1b[?2004hpassword: ").waits(100);
    session
        .echoed("cat /etc/shadow")
        .types("\r")
        .waits(20)
        .prints("\r\n\x1b[?2004l\r");
    assert_eq!(session.lines(), ["cat /etc/shadow"]);
}

#[test]
fn endless_strings_and_sequences_swallow_nothing_that_is_typed() {
    for start in [
        "\x1b]0;",
        "\x1bP",
        "\x1bX",
        "\x1b^",
        "\x1b_",
        "\x1b[",
        "\x1b[1;2;3",
        "\x1b",
    ] {
        let mut session = Session::watched();
        session.prompt().runs("id").prompt().prints(start);
        session
            .echoed("uname -a")
            .types("\r")
            .waits(20)
            .prints("\r\n\x1b[?2004l\r")
            .prompt();
        let hidden = session.commands.iter().any(|c| c.hidden);
        assert!(
            hidden || session.lines().iter().any(|l| l.contains("name -a")),
            "{start:?}: {:?}",
            session.commands
        );
    }
    survives(&b"\x1b]0;title".repeat(20_000));
    survives(&b"\x1b[38;5;".repeat(20_000));
}

#[test]
fn a_sequence_in_pieces_is_the_same_sequence() {
    let mut session = Session::watched();
    for byte in b"\x1b[?2004hops@web1:~$ " {
        session.prints([*byte]);
    }
    session.waits(100).runs("echo whole");
    assert_eq!(session.lines(), ["echo whole"]);
}

#[test]
fn text_that_is_none_switches_nothing_off() {
    survives(&(0..=255).collect::<Vec<u8>>());
    survives(&[
        0xc0, 0xaf, 0xed, 0xa0, 0x80, 0xf8, 0x88, 0xff, 0xfe, 0xe2, 0x82,
    ]);
    survives(&b"\xf0\x9f".repeat(5000));
}

#[test]
fn a_line_of_a_megabyte_is_kept_to_its_limit_and_marked() {
    let mut session = Session::watched();
    session.prompt().runs("id");
    let line = "x".repeat(1 << 20);
    for piece in line.as_bytes().chunks(4096) {
        session.types(piece).prints(piece);
    }
    session.types("\r").prints("\r\n\x1b[?2004l\r").prompt();
    let last = session.commands.last().expect("a line");
    assert!(
        last.cut && last.line.len() <= 64 * 1024,
        "{} {}",
        last.cut,
        last.line.len()
    );
    assert!(session.capture.footprint() < 2 << 20);
    session.runs("echo after");
    assert_eq!(session.lines().last(), Some(&"echo after"));
}

#[test]
fn a_storm_of_sizes_costs_no_memory_and_no_line() {
    let mut session = Session::watched();
    session.prompt().runs("id");
    for step in 0_u16..2000 {
        let size = Size {
            rows: step.wrapping_mul(37) % 700,
            columns: step.wrapping_mul(91) % 1200,
        };
        session.capture.resized(session.now, size);
        session.prints("output of something\r\n");
    }
    assert!(
        session.capture.footprint() < 2 << 20,
        "{}",
        session.capture.footprint()
    );
    session.capture.resized(
        session.now,
        Size {
            rows: 24,
            columns: 80,
        },
    );
    session.prints("\r\n").prompt().runs("echo calm");
    assert_eq!(session.lines().last(), Some(&"echo calm"));
}

#[test]
fn whatever_is_printed_memory_is_bounded() {
    let mut capture = Capture::new(
        Size {
            rows: u16::MAX,
            columns: u16::MAX,
        },
        Settings::default(),
    );
    let now = Instant::now();
    let noise: Vec<u8> = (0..1_000_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    for chunk in noise.chunks(65_536) {
        capture.printed(now, chunk);
        capture.printed(now, &"e\u{301}\u{301}界".repeat(10_000).into_bytes());
    }
    assert!(capture.footprint() < 2 << 20, "{}", capture.footprint());
}

#[test]
fn a_shell_that_does_not_echo_runs_nothing_unnoticed() {
    let mut session = Session::watched();
    session.prompt().runs("stty -echo");
    session
        .types("cat /etc/shadow")
        .waits(50)
        .types("\r")
        .waits(100)
        .prints("\r\n\x1b[?2004l\r")
        .prompt();
    let last = session.commands.last().expect("an event");
    assert!(last.hidden && last.line.is_empty(), "{last:?}");
}

#[test]
fn a_secret_is_in_nothing_that_comes_out() {
    for prompt in ["Password: ", "PIN> ", "", "ops@web1:~$ "] {
        let mut session = Session::denying("never");
        session
            .prompt()
            .runs("sudo id")
            .prints("\x1b[?2004l")
            .prints(prompt)
            .waits(500);
        session
            .types("hunter2-Falcon")
            .waits(50)
            .types("\r")
            .waits(500)
            .prints("\r\nuid=0\r\n")
            .prompt()
            .runs("pwd");
        assert!(
            !format!("{:?}", session.commands).contains("hunter2"),
            "{prompt:?}"
        );
        assert!(!session.shown.contains("hunter2"));
        assert_eq!(session.lines().last(), Some(&"pwd"));
        assert!(
            session.hidden > 0 || session.commands.iter().any(|c| c.hidden),
            "{prompt:?}"
        );
    }
}

#[test]
fn a_denial_takes_time_in_proportion_only() {
    let begun = Instant::now();
    let mut session = Session::denying("rm -rf");
    session.prompt();
    session.types("y".repeat(200_000));
    session.types("\r").waits(3000);
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn a_line_that_nothing_confirms_does_not_make_output_dear() {
    for silent in ["abc", "hunter2-Falcon"] {
        let mut session = Session::watched();
        session
            .prompt()
            .runs("sudo id")
            .prints("\x1b[?2004l")
            .waits(100);
        session.types(silent).types("\r").waits(10);
        let rows = b"a row of output of a program\r\n".repeat(40_000);
        let begun = Instant::now();
        for chunk in rows.chunks(65_536) {
            session.capture.printed(session.now, chunk);
        }
        assert!(
            begun.elapsed() < Duration::from_secs(2),
            "{:?}",
            begun.elapsed()
        );
    }
}

#[test]
fn no_deadline_is_asked_for_again_and_again() {
    let mut session = Session::denying("rm");
    session
        .prompt()
        .prints("\x1b[?2004l\x1b[?2004h> ")
        .waits(100)
        .types("rm x\r")
        .waits(400);
    // An interrupt has been sent; the editor begins anew, and its row is not empty.
    session.prints("\r\n\x1b[?2004l\r\x1b[?2004hsomething ");
    let mut ticks = 0;
    let end = session.now + Duration::from_secs(5);
    while let Some(deadline) = session.capture.deadline().filter(|d| *d <= end) {
        session.now = session.now.max(deadline);
        session.capture.tick(session.now);
        while session.capture.next_action().is_some() {}
        ticks += 1;
        assert!(ticks < 100);
    }
}
