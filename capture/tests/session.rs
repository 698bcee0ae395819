//! What is read, held, denied and asked in the plain cases, one sentence each.
mod support;
use capture::{Certainty, Outcome};
use support::Session;

#[test]
fn without_rules_nothing_is_held() {
    let mut session = Session::watched();
    session.types("a\rb\nc\x0f\x1b[A\x1b[200~x\ry\x1b[201~\r");
    assert_eq!(session.sent, b"a\rb\nc\x0f\x1b[A\x1b[200~x\ry\x1b[201~\r");
    assert_eq!(session.capture.held(), 0);
}

#[test]
fn a_line_is_logged_when_the_editor_takes_it() {
    let mut session = Session::watched();
    session.prompt().echoed("ls -l").types("\r");
    assert!(session.commands.is_empty());
    session.prints("\r\n\x1b[?2004l\r");
    assert_eq!(session.lines(), ["ls -l"]);
    assert_eq!(session.commands[0].certainty, Certainty::Exact);
}

#[test]
fn an_interrupted_line_is_none() {
    let mut session = Session::watched();
    session
        .prompt()
        .echoed("rm x")
        .types("\x03")
        .prints("^C\r\n\x1b[?2004l\r")
        .prompt()
        .runs("ls");
    assert_eq!(session.lines(), ["ls"]);
}

#[test]
fn a_recalled_line_is_read_off_the_screen() {
    let mut session = Session::watched();
    session
        .prompt()
        .types("\x1b[A")
        .prints("systemctl stop db")
        .types("\r")
        .prints("\r\n\x1b[?2004l\r");
    assert_eq!(session.lines(), ["systemctl stop db"]);
}

#[test]
fn the_echo_is_waited_for_before_a_line_is_judged() {
    let mut session = Session::denying("rm");
    session.prompt().types("\x1b[A\r");
    assert!(session.asked.is_empty(), "{:?}", session.asked);
    session.prints("rm -f canary").waits(50);
    assert!(
        session.asked.iter().flatten().any(|c| c == "rm -f canary"),
        "{:?}",
        session.asked
    );
    assert!(!session.sent.contains(&b'\r'));
}

#[test]
fn a_key_that_nothing_answers_is_held_no_longer_than_the_bound() {
    let mut session = Session::denying("rm");
    session.prompt().types("ls\r").waits(300);
    assert!(
        session.sent.ends_with(b"ls\r"),
        "{:?}",
        String::from_utf8_lossy(&session.sent)
    );
}

#[test]
fn each_accepting_key_is_one() {
    for key in ["\r", "\n", "\x0f", "\x1b\r"] {
        let mut session = Session::denying("rm");
        session.prompt().echoed("rm x").types(key).waits(100);
        assert!(!session.sent.ends_with(key.as_bytes()), "{key:?}");
        assert_eq!(session.asked.len(), 1, "{key:?}");
    }
}

#[test]
fn a_denied_line_is_removed_and_the_rest_goes_on() {
    let mut session = Session::denying("rm");
    session.prompt().echoed("rm x").types("\rpwd\r");
    assert!(
        session.sent.ends_with(b"rm x\x15"),
        "{:?}",
        String::from_utf8_lossy(&session.sent)
    );
    session.prints("\x08\x08\x08\x08\x1b[K").waits(30);
    assert!(
        session.shown.contains("jms: denied by rule 1"),
        "{:?}",
        session.shown
    );
    assert_eq!(session.commands[0].outcome, Outcome::Denied);
    assert!(
        session.sent.ends_with(b"pwd"),
        "{:?}",
        String::from_utf8_lossy(&session.sent)
    );
    session.prints("pwd").waits(30);
    assert!(session.sent.ends_with(b"pwd\r"));
    assert!(!session.ended);
}

#[test]
fn a_line_that_cannot_be_removed_ends_the_session() {
    let mut session = Session::denying("rm");
    session.prompt().echoed("rm x").types("\r").waits(5000);
    assert!(session.ended);
    assert!(!session.sent.contains(&b'\r'));
    assert_eq!(
        session.commands.last().map(|c| c.outcome),
        Some(Outcome::Denied)
    );
}

#[test]
fn a_part_of_a_construct_goes_with_all_of_it() {
    let mut session = Session::denying("rm");
    session
        .prompt()
        .runs("for f in *; do")
        .prints("\r\x1b[K> ")
        .waits(100)
        .echoed("rm $f")
        .types("\r");
    assert!(
        session.sent.ends_with(b"\x03"),
        "{:?}",
        String::from_utf8_lossy(&session.sent)
    );
}

#[test]
fn the_user_is_asked_in_place() {
    for (answer, outcome) in [("y", Outcome::Confirmed), ("n", Outcome::Refused)] {
        let mut session = Session::confirming("reboot");
        session
            .prompt()
            .runs("id")
            .prompt()
            .echoed("reboot")
            .types("\r")
            .waits(20);
        assert!(
            session.shown.contains("run it? [y/N]"),
            "{:?}",
            session.shown
        );
        assert!(!session.sent.ends_with(b"\r"));
        session.types(answer);
        if outcome == Outcome::Confirmed {
            assert!(session.sent.ends_with(b"reboot\r"));
            session.prints("\r\n\x1b[?2004l\r").prompt();
        } else {
            session.prints("\x08\x08\x08\x08\x08\x08\x1b[K").waits(50);
        }
        assert_eq!(
            session.commands.last().map(|c| c.outcome),
            Some(outcome),
            "{:?}",
            session.commands
        );
    }
}

#[test]
fn text_of_a_file_that_is_edited_is_no_command() {
    let mut session = Session::denying("rm");
    session
        .prompt()
        .runs("vi notes")
        .prints("\x1b[?1049h\x1b[?2004h\x1b[H\x1b[2J")
        .waits(50);
    session
        .types("i")
        .prints("\x1b[24;1H\x1b[1m-- INSERT --\x1b[m\x1b[2;1H")
        .echoed("rm -rf all")
        .types("\r")
        .waits(100);
    assert!(session.sent.ends_with(b"all\r"));
    assert!(
        session.asked.iter().flatten().all(|c| !c.contains("rm")),
        "{:?}",
        session.asked
    );
}

#[test]
fn a_command_given_to_a_full_screen_program_is_one() {
    let mut session = Session::denying("rm");
    session
        .prompt()
        .runs("vi notes")
        .prints("\x1b[?1049h\x1b[?2004h\x1b[H\x1b[2Jtext\x1b[24;1H")
        .waits(50);
    session.echoed(":!rm -rf all").types("\r").waits(100);
    assert!(
        session.asked.iter().flatten().any(|c| c == "rm -rf all"),
        "{:?}",
        session.asked
    );
    assert!(!session.sent.ends_with(b"all\r"));
}

#[test]
fn a_pasted_line_is_judged_before_its_end_is_sent() {
    let mut session = Session::denying("rm");
    session
        .prompt()
        .types("\x1b[200~ls\rrm x\rid\x1b[201~")
        .waits(5);
    let sent = String::from_utf8_lossy(&session.sent).into_owned();
    assert!(
        sent.contains("rm x") && !sent.contains("rm x\r") && !sent.contains("id"),
        "{sent:?}"
    );
}

#[test]
fn the_line_after_a_hidden_one_is_read_behind_its_own_prompt() {
    for (pause, enforcing) in [(0, true), (5, true), (100, true), (0, false), (100, false)] {
        let mut session = if enforcing {
            Session::denying("never")
        } else {
            Session::watched()
        };
        session
            .prompt()
            .echoed("read -rsp 'Passphrase: ' word; echo; echo thanks")
            .accepts()
            .prints("\r\n\x1b[?2004l\r")
            .prints("Passphrase: ")
            .waits(80);
        session
            .types("hunter2-Falcon")
            .waits(30)
            .types("\r")
            .waits(pause.max(1))
            .waits(300)
            .prints("\r\nthanks\r\n")
            .prints("\x1b[?2004hops@web1:~$ ")
            .waits(pause);
        session
            .echoed("python3 -c 'print(1)'")
            .accepts()
            .prints("\r\n\x1b[?2004l\r");
        assert_eq!(
            session.lines(),
            [
                "read -rsp 'Passphrase: ' word; echo; echo thanks",
                "python3 -c 'print(1)'"
            ],
            "{pause} {enforcing}"
        );
        assert_eq!(session.hidden, 1, "{pause} {enforcing}");
    }
}

#[test]
fn a_line_typed_before_the_prompt_after_a_hidden_one_is_read_behind_that_prompt() {
    let mut session = Session::denying("never");
    session
        .prompt()
        .echoed("read -rsp 'Passphrase: ' word; echo; echo thanks")
        .accepts()
        .prints("\r\n\x1b[?2004l\r")
        .prints("Passphrase: ")
        .waits(80);
    session
        .types("hunter2-Falcon\r")
        .waits(300)
        .prints("\r\nthanks\r\n")
        .echoed("id -u")
        .prints("\x1b[?2004hops@web1:~$ id -u")
        .waits(1)
        .accepts()
        .prints("\r\n\x1b[?2004l\r");
    assert_eq!(
        session.lines(),
        ["read -rsp 'Passphrase: ' word; echo; echo thanks", "id -u"]
    );
}

#[test]
fn what_a_shell_shows_behind_its_prompt_is_judged_though_more_was_typed() {
    let mut session = Session::denying("^rm");
    session
        .prompt()
        .echoed("seq 500 | less")
        .accepts()
        .prints("\r\n\x1b[?2004l\r")
        .prints("\x1b[?2004l\x1b[?1049h\x1b[22;0;0t\x1b[?1h\x1b=\r1\r\n2\r\n:\x1b[K")
        .waits(600);
    session
        .types("qrm canary.txt\r")
        .prints("\r\x1b[K\x1b[?1l\x1b>\x1b[?1049l\x1b[23;0;0t")
        .prints("\x1b[?2004hops@web1:~$ ")
        .prints("rm canary.txt")
        .waits(1000);
    assert!(
        !session.sent.ends_with(b"\r"),
        "{:?} {:?}",
        session.asked,
        String::from_utf8_lossy(&session.sent)
    );
}

#[test]
fn a_line_typed_into_a_flood_is_read_when_the_shell_reads_it() {
    let mut session = Session::watched();
    session.prompt().runs("id");
    session
        .echoed("seq 9999")
        .accepts()
        .prints("\r\n\x1b[?2004l\r");
    session.types("ls conf\r");
    let rows = b"a row of output of a program\r\n".repeat(4000);
    for chunk in rows.chunks(4096) {
        session.prints(chunk);
    }
    let mut end = rows[..6000].to_vec();
    end.extend(
        b"\x1b[?2004hops@web1:~$ ls conf\r\n\x1b[?2004l\rapp.ini\r\n\x1b[?2004hops@web1:~$ ",
    );
    session.prints(end).waits(100);
    assert_eq!(session.lines(), ["id", "seq 9999", "ls conf"]);
}

#[test]
fn a_line_whose_echo_is_torn_by_a_flood_is_read_when_the_shell_reads_it() {
    let mut session = Session::denying("never");
    session.prompt().runs("id");
    session
        .echoed("seq 9999")
        .accepts()
        .prints("\r\n\x1b[?2004l\r");
    for c in "ls conf".chars() {
        session
            .types(c.to_string())
            .prints(format!("{c}\r\n1200"))
            .prints("\r\n1201\r\n12");
    }
    session.types("\r").waits(400);
    let rows = b"1300\r\n".repeat(2000);
    for chunk in rows.chunks(1000) {
        session.prints(chunk);
    }
    session
        .prints("\x1b[?2004hops@web1:~$ ls conf\r\n\x1b[?2004l\rapp.ini\r\n\x1b[?2004hops@web1:~$ ")
        .waits(100);
    assert_eq!(session.lines(), ["id", "seq 9999", "ls conf"]);
}

/// A terminal in its cooked mode echoes what was typed in one piece, and prints nothing else.
fn echo_of(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\r\n")).collect()
}

#[test]
fn of_lines_typed_far_ahead_none_is_lost() {
    let mut session = Session::watched();
    session.prompt().runs("cat");
    session.prints("\r\n\x1b[?2004l\r").waits(400);
    session.commands.clear();
    let lines: Vec<String> = (0..2000).map(|n| format!("line {n:04}")).collect();
    session.types(lines.join("\r") + "\r").waits(5);
    session.prints(echo_of(&lines)).waits(3000);
    assert_eq!(session.lines(), lines);
}

#[test]
fn of_lines_typed_further_ahead_than_can_wait_it_is_said_how_many_were_not_read() {
    let mut session = Session::watched();
    session.prompt().runs("cat");
    session.prints("\r\n\x1b[?2004l\r").waits(400);
    session.commands.clear();
    let lines: Vec<String> = (0..5000).map(|n| format!("line {n:04}")).collect();
    session.types(lines.join("\r") + "\r").waits(5);
    assert!(
        session.capture.footprint() < 2 << 20,
        "{}",
        session.capture.footprint()
    );
    session.prints(echo_of(&lines)).waits(3000);
    let counted: Vec<&str> = session
        .lines()
        .into_iter()
        .filter(|line| line.starts_with('('))
        .collect();
    let one_by_one = session.lines().len() - counted.len();
    let all = 5000 - one_by_one;
    let wanted = format!("({all} lines typed ahead, passed on and not read one by one)");
    assert_eq!(counted, [wanted], "{one_by_one}");
    assert!(one_by_one >= 1900, "{one_by_one}");
}

#[test]
fn a_line_that_was_echoed_before_its_prompt_came_is_kept() {
    let mut session = Session::watched();
    session.prints("$ ").waits(100);
    session
        .echoed("id")
        .types("\r")
        .prints("\r\n0\r\n$ ")
        .waits(100);
    session.echoed("cd conf").types("\r").prints("\r\n");
    session.types("ls\r").prints("ls");
    session
        .prints("$ ")
        .prints("\r\n")
        .prints("app.ini\r\n$ ")
        .waits(3000);
    assert_eq!(session.lines(), ["id", "cd conf", "ls"]);
}

#[test]
fn where_no_editor_says_a_word_a_line_is_taken_when_its_prompt_is_back_where_it_was() {
    let mut session = Session::watched();
    // A multiplexer: it wants pastes in brackets all the time, and scrolls a region of its own.
    session
        .prints("\x1b[?2004h\x1b[1;23r\x1b[23;1Hops@web1:~$ ")
        .waits(100);
    let scrolls = "\x1b[1;23r\x1b[23;1H\r\nbottom\r\nops@web1:~/w$ ";
    for _ in 0..2 {
        session.echoed("echo bottom").types("\r").waits(5);
        session.prints(scrolls).waits(200);
    }
    session
        .types("\x1b[A")
        .waits(5)
        .prints("echo bottom")
        .waits(50);
    session.types("\r").waits(20).prints(scrolls).waits(200);
    let now = session.now;
    session.capture.ended(now);
    session.waits(1);
    session.prints("");
    assert_eq!(session.lines(), ["echo bottom"; 3]);
}

/// A shell without echo for a while, and so many lines typed ahead of it, the last of them another; then it shows and takes each.
fn taken_after_a_flood(lines: usize) -> Session {
    let mut session = Session::watched();
    session.prompt().runs("true");
    session
        .echoed("sleep 20")
        .types("\r")
        .prints("\r\n\x1b[?2004l\r")
        .waits(400);
    session.commands.clear();
    session
        .types(":\r".repeat(lines))
        .types("rm -r /srv/secret\r");
    for line in 0..=lines {
        let text = if line == lines {
            "rm -r /srv/secret"
        } else {
            ":"
        };
        session.prints("\x1b[?2004hops@web1:~$ ");
        session.prints(format!("{text}\r\n\x1b[?2004l\r"));
    }
    session.prompt().waits(5000);
    session
}

#[test]
fn the_last_line_behind_a_flood_typed_ahead_is_read_where_the_shell_shows_it() {
    for lines in [100, 2500] {
        let session = taken_after_a_flood(lines);
        let last = "rm -r /srv/secret";
        assert!(
            session.lines().contains(&last),
            "{lines}: {:?}",
            session.lines().last()
        );
        assert!(session.lines().len() >= lines, "{}", session.lines().len());
    }
}

#[test]
fn hidden_lines_of_a_shell_are_rows_however_many_were_typed_ahead() {
    for lines in [100, 2500] {
        let mut session = Session::watched();
        session.prompt().runs("true");
        session
            .types("zz\r".repeat(lines))
            .types("secretcmd\r")
            .waits(9000);
        let hidden = session.commands.iter().filter(|c| c.hidden).count();
        assert!(hidden > lines, "{lines}: {hidden}");
    }
    let mut session = Session::denying("forbidden");
    session.prompt().runs("true");
    for _ in 0..4 {
        session.types("y".repeat(60_000) + "\r").waits(500);
    }
    session.waits(9000);
    assert_eq!(session.commands.iter().filter(|c| c.hidden).count(), 4);
}

#[test]
fn a_slow_command_has_a_row_though_the_terminal_says_that_an_editor_reads() {
    let mut session = Session::watched();
    session.prompt().runs("one");
    session
        .echoed("sleep 3; evil")
        .types("\r")
        .prints("\r\n")
        .waits(5000);
    let now = session.now;
    session.capture.ended(now);
    session.prints("");
    assert_eq!(session.lines(), ["one", "sleep 3; evil"]);
}
