//! A shell that comes back late: what is typed before its prompt is there, and while it comes, at every moment, on either screen.
mod support;
use support::Session;
use support::shell::{Reads, Shell};

/// The second line is typed when the first has been denied, or at once.
fn plays(screen: &str, reads: Reads, delay: u64, first: &str, ends: u64) -> (Session, Vec<String>) {
    let mut session = Session::denying("forbidden");
    let mut shell = Shell::new(reads, delay);
    shell.begins();
    shell.plays(&mut session, 500);
    session.types("attack\r");
    shell.plays(&mut session, 2 * delay + 100);
    shell.prints(screen);
    shell.plays(&mut session, 600);
    shell.prints("attacked\r\n");
    shell.ends_in(ends);
    shell.plays(&mut session, delay);
    session.types(first);
    let denied = first.contains("forbidden");
    for _ in 0..4000 {
        if !denied || session.shown.contains("denied") {
            break;
        }
        shell.plays(&mut session, 1);
    }
    session.types("echo after-it\r");
    shell.plays(&mut session, 2500);
    (session, shell.ran)
}

#[test]
fn what_ran_has_a_row_whenever_the_prompt_comes() {
    let mut wrong = Vec::new();
    for (name, screen) in [("main", ""), ("alternate", "\x1b[?1049h")] {
        for reads in [Reads::Editor, Reads::PlainEditor, Reads::Terminal] {
            for delay in [0, 3, 40] {
                for first in ["forbidden first\r", "echo before-it\r"] {
                    for ends in (0..40).step_by(3).chain((40..1000).step_by(60)) {
                        let (session, ran) = plays(screen, reads, delay, first, ends);
                        let lines = session.lines();
                        let once = |line: &String| lines.iter().filter(|l| *l == line).count() == 1;
                        if !ran.iter().all(once)
                            || session.ended
                            || !ran.iter().any(|line| line == "echo after-it")
                            || ran.iter().any(|line| line.contains("forbidden"))
                        {
                            wrong.push(format!("{name} {reads:?} delay {delay} {first:?} ends {ends}: ran {ran:?} kept {lines:?} ended {}", session.ended));
                        }
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

/// What is typed while a command runs, after this was printed; `then` is printed before that command ends.
fn ahead(reads: Reads, screen: &str, typed: &[&str], then: &str) -> Vec<String> {
    let mut session = Session::denying("forbidden");
    let mut shell = Shell::new(reads, 2);
    shell.begins();
    shell.plays(&mut session, 500);
    session.types("attack\r");
    shell.plays(&mut session, 100);
    shell.prints(screen);
    shell.plays(&mut session, 600);
    for line in typed {
        session.types(line);
        shell.plays(&mut session, 700);
    }
    shell.prints(then);
    shell.plays(&mut session, 100);
    shell.ends_in(1);
    shell.plays(&mut session, 500);
    let kept = session.lines();
    kept.iter().skip(1).map(ToString::to_string).collect()
}

#[test]
fn lines_typed_ahead_of_a_shell_on_another_screen_are_kept_in_their_order() {
    for reads in [Reads::Editor, Reads::PlainEditor, Reads::Terminal] {
        for then in ["", "\x1b[?1049l"] {
            let typed = ["echo one\r", "echo two\r", "echo three\r"];
            let kept = ahead(reads, "\x1b[?1049h", &typed, then);
            assert_eq!(
                kept,
                ["echo one", "echo two", "echo three"],
                "{reads:?} {then:?}"
            );
        }
    }
}

#[test]
fn what_a_session_ends_with_is_kept() {
    let mut session = Session::watched();
    session
        .prompt()
        .runs("tput smcup; sleep 9")
        .prints("\x1b[?2004l\x1b[?1049h")
        .waits(200)
        .echoed("halt")
        .types("\r")
        .prints("\r\n")
        .waits(3000);
    assert_eq!(session.lines(), ["tput smcup; sleep 9"]);
    session.ends();
    assert_eq!(session.lines(), ["tput smcup; sleep 9", "halt"]);
}

#[test]
fn keys_of_a_program_that_answers_them_are_no_lines() {
    // It shows that it reads before a line is accepted, or only after.
    for early in [true, false] {
        let mut session = Session::watched();
        session
            .prompt()
            .runs("edit notes")
            .prints("\x1b[?2004l\x1b[?1049h\x1b[H\x1b[2J")
            .waits(200);
        if early {
            session
                .types("i")
                .prints("\x1b[24;1H-- INSERT --\x1b[2;1H")
                .waits(100);
        }
        session
            .echoed("halt")
            .types("\r")
            .prints("\r\n")
            .waits(200)
            .types("\x1b")
            .prints("\x1b[24;1H\x1b[K\x1b[2;1H")
            .waits(200)
            .types(":q\r")
            .prints("\x1b[24;1H:q\r\x1b[?1049l")
            .prompt()
            .runs("id");
        session.ends();
        assert_eq!(session.lines(), ["edit notes", "id"], "{early}");
    }
}

#[test]
fn what_is_typed_behind_the_key_that_ends_a_pager_is_kept() {
    let mut session = Session::watched();
    session
        .prompt()
        .runs("less notes")
        .prints("\x1b[?2004l\x1b[?1049h\x1b[H\x1b[2Jtext\r\n:")
        .waits(200)
        .types("j")
        .prints("\r\x1b[Kmore\r\n:")
        .waits(200)
        .types("qhalt\r")
        .waits(20)
        .prints("\r\x1b[K\x1b[?1049l")
        .prints("\x1b[?2004hops@web1:~$ halt\r\n\x1b[?2004l\r")
        .prompt()
        .runs("id");
    assert_eq!(session.lines(), ["less notes", "halt", "id"]);
}
