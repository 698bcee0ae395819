//! Ways in which a line could reach a shell unseen: each is judged, or reported as a line that nobody has seen.
mod support;
use support::Session;

const LINE: &str = "rm -rf x";

fn denying() -> Session {
    Session::denying("^rm -rf")
}

/// A session whose prompt is known.
fn known() -> Session {
    let mut session = denying();
    session.prompt().runs("id");
    session
}

/// The accepting key was kept back, or it was said that nobody knows the line.
fn judged(session: &Session, what: &str) {
    let denied = session
        .sent
        .last()
        .is_none_or(|b| !matches!(b, b'\r' | b'\n' | 0x0f));
    assert!(
        denied || session.unseen > 0,
        "{what}: asked {:?}, sent {:?}",
        session.asked,
        String::from_utf8_lossy(&session.sent)
    );
}

#[test]
fn noise_does_not_make_a_password_a_command() {
    for noise in ["job 2 done", "2", "H", "Hunt", "[1]+  Done   sleep 12\r\n"] {
        let mut session = denying();
        session
            .prompt()
            .echoed("sudo id")
            .accepts()
            .prints("\r\n\x1b[?2004l\r")
            .prints("[sudo] password for ops: ")
            .waits(500);
        session
            .types("Hunter12")
            .prints(noise)
            .waits(200)
            .types("\r")
            .waits(500)
            .prints("\r\nuid=0\r\n")
            .prompt();
        session.runs("pwd");
        assert!(
            !format!("{:?}", session.commands).contains("unter1"),
            "{noise}: {:?}",
            session.commands
        );
        assert!(session.lines().contains(&"pwd"), "{noise}");
    }
}

#[test]
fn a_password_is_said_to_be_silent() {
    let mut session = denying();
    session
        .prompt()
        .echoed("sudo id")
        .accepts()
        .prints("\r\n\x1b[?2004l\r[sudo] password for ops: ")
        .waits(500)
        .types("Hunter12\r")
        .waits(500);
    for (candidates, silent) in session.asked.iter().zip(&session.silent) {
        let secret = candidates.iter().any(|c| c.contains("unter"));
        assert!(!secret || *silent, "{candidates:?}");
    }
    assert!(
        !session
            .asked
            .last()
            .is_some_and(|c| c.iter().any(|c| c == "sudo id")),
        "{:?}",
        session.asked
    );
}

#[test]
fn a_quoted_return_is_judged() {
    let mut session = known();
    session.echoed(LINE).types("\x16").types("\r").waits(1000);
    judged(&session, "quoted return");
}

#[test]
fn a_false_paste_hides_nothing() {
    for start in ["\x1b[200;1~", "\x1b[200~"] {
        for accept in ["\r", "\n", "\x0f"] {
            let mut session = known();
            if start.ends_with("200~") {
                session.prints("\x1b[?2004l").waits(100);
            }
            session
                .types(start)
                .waits(20)
                .echoed(LINE)
                .types(accept)
                .waits(1000);
            judged(&session, &format!("{start:?} {accept:?}"));
        }
    }
}

#[test]
fn a_signal_that_the_shell_ignores_hides_nothing() {
    for key in ["\x1a", "\x1c", "\x03"] {
        let mut session = denying();
        session
            .prints("\x1b[?2004h[12:00:09] ops@web1:~$ ")
            .waits(100)
            .echoed(LINE)
            .types(key)
            .waits(100)
            .types("\r")
            .waits(1000);
        judged(&session, &format!("{key:?}"));
    }
}

#[test]
fn an_answer_that_no_terminal_gave_hides_nothing() {
    for start in ["\x1b]", "\x1bP"] {
        let mut session = denying();
        session
            .prints("\x1b[?2004h[12:00:09] ops@web1:~$ ")
            .waits(100)
            .types(start)
            .types("x");
        for c in LINE.chars() {
            session.types(c.to_string()).prints(c.to_string());
        }
        session.types("\r").waits(1000);
        judged(&session, start);
    }
}

#[test]
fn what_is_recalled_is_seen_before_it_is_passed() {
    // At once, late, never.
    let mut session = known();
    session
        .types("\x1b[A\r")
        .waits(200)
        .prints(LINE)
        .waits(1000);
    judged(&session, "late");
    let mut session = known();
    session.types("\x1b[A\r").waits(2000);
    judged(&session, "never");
    let mut session = known();
    session
        .echoed("rm -r")
        .types("\t\r")
        .waits(200)
        .prints("f x")
        .waits(1000);
    judged(&session, "completed");
    let mut session = known();
    session
        .echoed("sleep 5")
        .accepts()
        .prints("\r\n\x1b[?2004l\r")
        .waits(100)
        .types("\x1b[A")
        .prints("^[[A")
        .waits(100)
        .types("\r")
        .waits(2000);
    judged(&session, "ahead");
}

#[test]
fn what_was_typed_before_a_question_does_not_answer_it() {
    let mut session = Session::confirming("reboot");
    session
        .prompt()
        .runs("id")
        .echoed("reboot")
        .types("\ry\r")
        .waits(500);
    assert!(session.shown.contains("[y/N]"), "{:?}", session.shown);
    assert!(!session.sent.ends_with(b"\r"), "{:?}", session.sent);
}

#[test]
fn a_painted_screen_hides_no_shell() {
    let mut session = known();
    session
        .prints("\x1b[?2004l\x1b[?1049h\x1b[2J\x1b[5;5Hx")
        .waits(100)
        .types("j")
        .prints("\x1b[7;3Hy")
        .waits(100)
        .prints("\x1b[H\x1b[2Jfoo ")
        .waits(100)
        .echoed(LINE)
        .types("\r")
        .waits(1000);
    judged(&session, "painted");
}

#[test]
fn a_recalled_line_that_is_painted_over_is_reported() {
    let mut session = known();
    session
        .types("\x1b[A")
        .prints(LINE)
        .waits(500)
        .prints("\r\x1b[K")
        .waits(100)
        .types("\r")
        .waits(1000);
    judged(&session, "painted over");
}

#[test]
fn other_letters_and_no_wraps_hide_nothing() {
    for mode in ["\x1b(0", "\x0e", "\x1b)0\x0e", "\x1b[?7l"] {
        let mut session = known();
        session
            .prints(mode)
            .prints("\r\n")
            .prompt()
            .types("\x1b[A")
            .prints(LINE)
            .waits(100)
            .types("\r")
            .waits(1000);
        judged(&session, mode);
    }
}

#[test]
fn a_line_that_is_too_long_to_be_read_is_said_to_be() {
    let mut session = known();
    let long = format!(": {}; {LINE}", "y".repeat(66_000));
    for piece in long.as_bytes().chunks(2048) {
        session.types(piece).prints(piece);
    }
    session.types("\r").waits(1000);
    assert!(session.cut > 0, "{:?}", session.asked.len());
}

#[test]
fn a_part_of_a_recalled_line_is_not_taken_for_all_of_it() {
    let mut session = known();
    session
        .types("\x1b[A")
        .prints("\r<yyyyyyyyyyyyyyyyyyyy; tail")
        .waits(100)
        .types("\r")
        .waits(1000);
    judged(&session, "sideways");
    let mut session = known();
    session
        .types("\x1b[A")
        .prints(format!("{LINE};{}", "y".repeat(70_000)))
        .waits(100)
        .types("\r")
        .waits(1000);
    judged(&session, "many rows");
}

#[test]
fn the_key_that_runs_a_line_and_keeps_it_is_judged() {
    for key in ["\x1ba", "\x1bA"] {
        let mut session = known();
        session.echoed(LINE).types(key).waits(1000);
        let sent = String::from_utf8_lossy(&session.sent).into_owned();
        assert!(!sent.ends_with(key), "{sent:?}");
    }
}

#[test]
fn a_line_of_several_rows_that_a_signal_left_is_judged() {
    let mut session = known();
    let line = format!("{LINE}{}", "x".repeat(90));
    session
        .echoed(&line)
        .types("\x1a")
        .waits(50)
        .types("\r")
        .waits(1000);
    judged(&session, "signal");
}
