//! Lines that a program on the alternate screen seems to have read, because something was painted there behind a key.
mod support;
use capture::{Certainty, JudgementId, Outcome};
use support::Session;
use support::shell::{Reads, Shell};

/// Something is painted elsewhere.
const PAINT: &str = "\x1b[5;5Hy";

/// A line is typed while a command runs on the alternate screen, this long after it a key, which is answered by a paint; `then` is
/// printed before that command ends, and `last` typed.
fn painted(reads: Reads, key: &str, gap: u64, then: &str, last: &str) -> Session {
    let mut session = Session::denying("forbidden");
    let mut shell = Shell::new(reads, 2);
    shell.begins();
    shell.plays(&mut session, 500);
    session.types("attack\r");
    shell.plays(&mut session, 100);
    shell.prints("\x1b[?1049h");
    shell.plays(&mut session, 600);
    session.types("echo typed-ahead\r");
    shell.plays(&mut session, gap);
    session.types(key);
    shell.prints(PAINT);
    shell.plays(&mut session, 700);
    shell.prints(then);
    shell.plays(&mut session, 100);
    session.types(last);
    shell.plays(&mut session, 100);
    shell.ends_in(1);
    shell.plays(&mut session, 1500);
    session.types("id\r");
    shell.plays(&mut session, 1500);
    session.ends();
    assert!(shell.ran.iter().any(|line| line == "echo typed-ahead"));
    session
}

#[test]
fn a_paint_takes_no_line_from_a_shell_that_shows_it_again() {
    let mut wrong = Vec::new();
    for reads in [Reads::Editor, Reads::PlainEditor] {
        for key in ["\x15", "x\x15", "\x1b[A\x15", "\0"] {
            // Without a line editor's marks a prompt is known at the start of a row only.
            let stays = match reads {
                Reads::Editor => "",
                _ => "\r\n",
            };
            for then in [stays, "\x1b[?1049l", "\x1b[?1049l\x1b[H\x1b[2J"] {
                for gap in [100, 700, 1500] {
                    let session = painted(reads, key, gap, then, "");
                    let lines = session.lines();
                    if lines != ["attack", "echo typed-ahead", "id"] {
                        wrong.push(format!("{reads:?} {key:?} {then:?} {gap}: {lines:?}"));
                    }
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn a_line_that_a_paint_took_and_one_after_it_are_kept_once_each_with_their_times() {
    for reads in [Reads::Editor, Reads::PlainEditor] {
        for gap in [100, 700, 1500] {
            let mut session = painted(reads, "\x15", gap, "\x1b[?1049l", "echo last\r");
            // The last is known to be a shell's before the one that was taken is.
            session.commands.sort_by_key(|command| command.at);
            assert_eq!(
                session.lines(),
                ["attack", "echo typed-ahead", "echo last", "id"],
                "{reads:?} {gap}"
            );
        }
    }
}

#[test]
fn a_paint_takes_no_line_that_was_confirmed() {
    let mut session = Session::confirming("halt");
    session
        .prompt()
        .runs("tool")
        .prints("\x1b[?2004l\x1b[?1049h")
        .waits(200)
        .echoed("halt")
        .types("\r")
        .waits(100)
        .types("y")
        .waits(300)
        .prints("\r\n")
        .waits(700)
        .types("\x15")
        .prints(PAINT)
        .waits(300)
        .prints("\x1b[?1049l")
        .waits(50)
        .prints("\r\n\x1b[?2004hops@web1:~$ halt\r\n\x1b[?2004l\r")
        .waits(100)
        .prompt()
        .runs("id");
    session.ends();
    assert_eq!(session.lines(), ["tool", "halt", "id"]);
    let halt = &session.commands[1];
    assert_eq!(halt.outcome, Outcome::Confirmed);
    assert_eq!(halt.certainty, Certainty::Likely);
    assert!(halt.judged.is_some());
}

#[test]
fn what_a_program_has_read_is_no_line_when_it_is_recalled_and_given_up() {
    for (on, off) in [("\x1b[?2004h", "\x1b[?2004l\r"), ("", "")] {
        let mut session = Session::watched();
        session
            .prints(format!("{on}ops@web1:~$ "))
            .waits(100)
            .echoed("edit notes")
            .types("\r")
            .waits(20)
            .prints(format!("\r\n{off}\x1b[?1049h\x1b[H\x1b[2J"))
            .waits(200)
            .echoed("halt")
            .types("\r")
            .prints("\r\n")
            .waits(700)
            .types("\x1b")
            .prints("\x1b[24;1H\x1b[K\x1b[2;1H")
            .waits(200)
            .types(":q\r")
            .prints(format!("\x1b[24;1H:q\r\x1b[?1049l{on}ops@web1:~$ "))
            .waits(200)
            .types("\x1b[A")
            .prints("halt")
            .waits(200)
            .types("\x03")
            .prints(format!("\r\n{off}{on}ops@web1:~$ "))
            .waits(200);
        session.ends();
        assert_eq!(session.lines(), ["edit notes"], "{on:?}");
    }
}

/// A line is typed on the alternate screen, which nobody claims yet.
fn doubtful() -> Session {
    let mut session = Session::denying("forbidden");
    session
        .prompt()
        .runs("tool")
        .prints("\x1b[?2004l\x1b[?1049h")
        .waits(200)
        .echoed("halt")
        .types("\r")
        .waits(100)
        .prints("\r\n")
        .waits(700);
    assert_eq!(session.lines(), ["tool"]);
    assert_eq!(session.capture.oldest_judgement(), Some(JudgementId(2)));
    session
}

/// Lines of which nothing is kept are judged.
fn judges(session: &mut Session, lines: usize) {
    for _ in 0..lines {
        session.types("a\r").waits(400);
    }
}

/// No judgement is waited with for more than 64 later ones.
fn waits_with_few(session: &Session) {
    let asked = session.asked.len() as u64;
    assert!(asked > 200, "{asked}");
    let oldest = session.capture.oldest_judgement();
    assert!(
        oldest.is_none_or(|JudgementId(id)| id + 64 >= asked),
        "{oldest:?} of {asked}"
    );
}

#[test]
fn a_line_that_nobody_claims_keeps_no_judgement_for_ever() {
    let mut session = doubtful();
    judges(&mut session, 60);
    assert_eq!(session.lines(), ["tool"]);
    judges(&mut session, 140);
    assert_eq!(session.lines(), ["tool", "halt"]);
    assert_eq!(session.commands[1].judged, Some(JudgementId(2)));
    waits_with_few(&session);
}

#[test]
fn a_line_that_a_paint_took_keeps_no_judgement_for_ever() {
    let mut session = doubtful();
    session.types("\x15").prints(PAINT).waits(700);
    session.prints("\x1b[?1049l").waits(700);
    assert_eq!(session.capture.oldest_judgement(), Some(JudgementId(2)));
    judges(&mut session, 200);
    waits_with_few(&session);
    session
        .prints("\r\n\x1b[?2004hops@web1:~$ halt\r\n\x1b[?2004l\r")
        .waits(100);
    assert!(session.lines().contains(&"halt"));
}
