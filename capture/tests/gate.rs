//! What is typed behind an accepted line, where rules apply: it goes on as soon as its reader is seen to read again, and a key
//! that interrupts does not stand behind it.
mod support;

use capture::{Certainty, Outcome};
use support::Session;

/// A terminal in its cooked mode, with a program that reads lines and prints nothing.
fn quiet_reader(session: &mut Session, lines: &[u8]) -> u64 {
    let began = session.now;
    let mut echoed = session.sent.len();
    session.types(lines);
    for _ in 0..20_000 {
        let Some(&byte) = session.sent.get(echoed) else {
            if session.capture.held() == 0 {
                break;
            }
            session.waits(1);
            continue;
        };
        echoed += 1;
        match byte {
            b'\r' => session.prints("\r\n"),
            byte => session.prints([byte]),
        };
    }
    let took = session.now.duration_since(began);
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

fn cat() -> Session {
    let mut session = Session::denying("forbidden");
    session.prompt().echoed("cat").types("\r").waits(20);
    session.prints("\r\n\x1b[?2004l\r").waits(400);
    session
}

#[test]
fn a_paste_for_a_program_without_a_line_editor_waits_for_echoes_and_for_no_clock() {
    for line in ["some text", "\tindented: yes", "\t\ta\tb"] {
        let mut session = cat();
        let paste = format!("{line}\r").repeat(200);
        let took = quiet_reader(&mut session, paste.as_bytes());
        // A millisecond for each echo.
        assert!(
            took < 200 * (line.len() as u64 + 1) + 100,
            "{line:?}: {took} ms"
        );
        assert_eq!(session.lines().len(), 201, "{line:?}");
        assert_eq!(session.asked.len(), 201, "{line:?}");
    }
}

#[test]
fn a_paste_for_a_shell_waits_for_its_prompts_and_for_no_clock() {
    let mut session = Session::denying("forbidden");
    session.prompt().runs("true");
    let began = session.now;
    session.types("echo a line\r".repeat(200));
    let mut echoed = session.sent.len() - "echo a line".len();
    let mut rest = 0;
    while session.sent.len() > echoed && rest < 20_000 {
        rest += 1;
        let byte = session.sent[echoed];
        echoed += 1;
        match byte {
            b'\r' => session
                .prints("\r\n\x1b[?2004l\r")
                .prints("a line\r\n")
                .prints("\x1b[?2004hops@web1:~$ "),
            byte => session.prints([byte]),
        };
    }
    let took = session.now.duration_since(began).as_millis();
    assert!(took < 200 * 15 + 200, "{took} ms");
    assert_eq!(session.lines().len(), 201);
    assert!(
        session
            .commands
            .iter()
            .all(|c| c.certainty == Certainty::Exact)
    );
}

#[test]
fn an_interrupt_throws_away_what_is_held_before_it_but_not_the_line_that_is_being_decided() {
    for key in ["\x03", "\x1c"] {
        let mut session = Session::denying("forbidden");
        session.prompt().types("sleep 9\rls\rpwd\r").types(key);
        // The echo has not come: return waits for it.
        assert_eq!(session.sent, b"sleep 9");
        session.prints("sleep 9").waits(400);
        let wanted = [b"sleep 9\r".as_slice(), key.as_bytes()].concat();
        assert_eq!(session.sent, wanted);
        assert_eq!(session.asked.len(), 1, "{:?}", session.asked);
        assert_eq!(session.capture.held(), 0);
        assert!(
            session
                .shown
                .contains("jms: 2 lines typed ahead thrown away"),
            "{:?}",
            session.shown
        );
    }
}

#[test]
fn an_interrupt_does_not_wait_for_the_prompt() {
    let mut session = Session::denying("forbidden");
    session.prompt().echoed("sleep 9").types("\r").waits(20);
    session.sent.clear();
    session.types("pwd\r").types("\x03");
    assert_eq!(session.sent, b"\x03");
    session.waits(400);
    assert_eq!(session.asked.len(), 1, "{:?}", session.asked);
}

#[test]
fn an_interrupt_behind_a_denied_line_comes_when_that_line_is_gone() {
    for key in ["\x03", "\x1c"] {
        let mut session = Session::denying("forbidden");
        session.prompt().runs("true");
        session.sent.clear();
        session.echoed("forbidden x").types("\r\rls\r").types(key);
        // Only the kill key has gone out.
        assert_eq!(session.sent, b"forbidden x\x15");
        session.prints("\x1b[11D\x1b[K").waits(400);
        let wanted = [b"forbidden x\x15".as_slice(), key.as_bytes()].concat();
        assert_eq!(session.sent, wanted);
        assert!(!session.ended);
        // Nothing of what stood behind it is given to the shell with the next line either.
        session.prints("^C\r\n\x1b[?2004l\r").prompt().runs("id");
        assert_eq!(session.lines().last(), Some(&"id"));
        assert!(!session.lines().contains(&"ls"));
    }
}

#[test]
fn an_interrupt_is_a_no_and_what_was_typed_ahead_goes_with_it() {
    let mut session = Session::confirming("forbidden");
    session
        .prompt()
        .echoed("forbidden x")
        .types("\rls\r")
        .waits(50);
    assert!(session.shown.contains("run it?"), "{}", session.shown);
    session.types("\x03").waits(50);
    session.prints("\x1b[11D\x1b[K").waits(1000);
    assert_eq!(session.commands.len(), 1);
    assert_eq!(session.commands[0].outcome, Outcome::Refused);
    assert!(!session.sent.ends_with(b"ls\r"), "{:?}", session.sent);
}

#[test]
fn a_quoted_interrupt_is_text() {
    let mut session = Session::denying("forbidden");
    session
        .prompt()
        .types("sleep 9\rls \x16")
        .types("\x03")
        .types("\r");
    session.prints("sleep 9").waits(400);
    assert_eq!(session.sent, b"sleep 9\rls \x16\x03\r");
}

#[test]
fn the_end_of_a_paste_is_not_thrown_away_with_it() {
    let mut session = Session::denying("forbidden");
    session.prompt().runs("true");
    session.sent.clear();
    session.types("\x1b[200~forbidden\rls");
    session.types("\rpwd\x1b[201~").types("\x03").waits(3000);
    assert!(
        !session.sent.windows(3).any(|w| w == b"pwd"),
        "{:?}",
        session.sent
    );
    session.prints("\x1b[9D\x1b[K").waits(3000);
    session.prints("^C\r\n\x1b[?2004l\r").prompt();
    assert_eq!(session.capture.held(), 0);
    let before = session.sent.len();
    session.types("id");
    assert_eq!(&session.sent[before..], b"id");
}

#[test]
fn in_a_paste_no_key_overtakes_and_the_one_that_suspends_never_does() {
    for (paste, key) in [
        ("conf t\rint gi0/1\rshutdown\r\x03", ""),
        ("conf t\rint gi0/1\rshutdown\r", "\x1a"),
    ] {
        let mut session = Session::denying("forbidden");
        session.prints("rtr#").waits(100).types(paste).types(key);
        for _ in 0..40 {
            session.waits(400);
        }
        let sent = String::from_utf8_lossy(&session.sent).into_owned();
        assert_eq!(sent, format!("{paste}{key}"));
    }
}
