//! Line editors that stop reading in the midst of a line and go on. What is printed here is what fish 4.0 prints: it switches
//! bracketed paste off while it loads completions, paints meanwhile, and may take the line without having switched it on again.
mod support;
use capture::Certainty;
use support::Session;

/// Fish says that it stops reading, and that it reads again.
const STOPS: &str = "\x1b[?2004l\x1b[>4;0m\x1b[=0u\x1b>";
const READS: &str = "\x1b[?2004h\x1b[>4;1m\x1b[=5u\x1b=";
/// Its prompt, and what it prints when it takes a line.
const PROMPT: &str = "\x1b]0;~/w\x07\x1b[30m\x1b(B\x1b[m\r\x1b]133;A;special_key=1\x07ops@web1 ~> \x1b[K\r\x1b[12C\x1b[?2004h\x1b[>4;1m\x1b[=5u\x1b=";
const TAKES: &str = "\r\n\x1b[30m\x1b(B\x1b[m\x1b]133;C;cmdline_url=ls%20conf\x07";

fn fish(session: &mut Session) -> &mut Session {
    session.prints(PROMPT).waits(100)
}

#[test]
fn a_line_goes_on_where_its_editor_stopped() {
    let mut session = Session::watched();
    fish(&mut session).echoed("ls -l c").prints(STOPS).waits(5);
    session.types("onf").waits(20);
    assert!(session.commands.is_empty(), "{:?}", session.commands);
    session
        .prints(READS)
        .prints("\x1b[36m\x1b[4monf\x1b[30m\x1b(B\x1b[m\r\x1b[22C")
        .types("\r")
        .prints(format!("{TAKES}{STOPS}"));
    assert_eq!(session.lines(), ["ls -l conf"]);
}

#[test]
fn it_is_taken_though_its_editor_did_not_say_that_it_reads_again() {
    let mut session = Session::watched();
    fish(&mut session)
        .echoed("echo z")
        .prints(STOPS)
        .prints("\x08\x1b[36mz\x1b[30m\x1b(B\x1b[m\r\x1b[18C")
        .types("\r");
    assert!(session.commands.is_empty(), "{:?}", session.commands);
    session.prints(TAKES).prints("\x1b]0;echo z ~/w\x07\rz\r\n");
    fish(&mut session)
        .echoed("id")
        .types("\r")
        .prints(format!("{TAKES}{STOPS}"));
    assert_eq!(session.lines(), ["echo z", "id"]);
}

#[test]
fn what_was_typed_ahead_of_it_is_not_left_out() {
    let mut session = Session::watched();
    fish(&mut session)
        .echoed("ls c")
        .types("onf\r")
        .prints(STOPS);
    assert!(session.commands.is_empty(), "{:?}", session.commands);
    session
        .waits(80)
        .prints(format!("{READS}onf\r\x1b[19C{TAKES}{STOPS}"));
    assert_eq!(session.lines(), ["ls conf"]);
}

#[test]
fn what_is_recalled_while_it_pauses_is_waited_for_and_judged() {
    let mut session = Session::denying("rm");
    fish(&mut session).types("\x1b[A").waits(9).prints(STOPS);
    session.types("\r").waits(20);
    assert!(session.asked.is_empty(), "{:?}", session.asked);
    session.prints("rm -r notes\r\x1b[23C").prints(READS);
    session.prints("\x1b[11Drm -r \x1b[4mnotes\x1b[30m\x1b(B\x1b[m\r\x1b[23C");
    session.waits(50);
    assert!(session.asked.iter().flatten().any(|c| c == "rm -r notes"));
    assert!(!session.sent.contains(&b'\r'));
}

#[test]
fn a_row_that_is_begun_in_a_pause_is_not_the_end_of_a_construct() {
    let mut session = Session::watched();
    fish(&mut session)
        .echoed("for i in 1 2")
        .types("\r")
        .prints(STOPS)
        .prints(format!("\r\n\x1b[K\x1b[A\r\n\x1b[16C{READS}"))
        .waits(300)
        .echoed("end")
        .types("\r")
        .prints(format!("{TAKES}{STOPS}"));
    assert_eq!(session.commands.len(), 1, "{:?}", session.commands);
    let rows: Vec<_> = session.commands[0].line.lines().map(str::trim).collect();
    assert_eq!(rows, ["for i in 1 2", "end"]);
}

#[test]
fn a_suggestion_behind_an_abbreviation_is_none_of_it() {
    let mut session = Session::watched();
    fish(&mut session)
        .types("ll ")
        .prints("ls -l \r\x1b[18C")
        .echoed("conf")
        .types("\r")
        .prints(STOPS)
        .prints(format!("\x1b[90m/\x1b[30m\x1b(B\x1b[m\r\x1b[22C{TAKES}"));
    assert_eq!(session.lines(), ["ls -l conf"]);
}

#[test]
fn a_shell_that_says_so_before_it_goes_to_the_next_row_has_taken_the_line() {
    let mut session = Session::watched();
    // zsh, and zsh with a row below the line.
    session
        .prints("\x1b[?2004hops@web1:~$ ")
        .waits(100)
        .echoed("ls")
        .types("\r")
        .prints("\x1b[?1l\x1b>\x1b[?2004l\r\r\n")
        .prints("conf\r\n\x1b[?2004hops@web1:~$ ")
        .waits(100)
        .echoed("sleep 9")
        .types("\r")
        .prints("\x1b[?2004l\x1b[1B\r");
    assert_eq!(session.lines(), ["ls", "sleep 9"]);
    assert_eq!(session.commands[1].certainty, Certainty::Exact);
    // What is typed while it runs is none of the line.
    session.echoed("x").waits(3000);
    assert_eq!(session.lines(), ["ls", "sleep 9"]);
}

#[test]
fn a_line_that_a_key_ran_is_logged_when_the_editor_begins_anew() {
    let mut session = Session::watched();
    fish(&mut session)
        .echoed("ls")
        .prints(STOPS)
        .prints("\x08s\r\x1b[14C")
        .types("\x07")
        .prints(TAKES)
        .prints("conf\r\n");
    fish(&mut session)
        .echoed("id")
        .types("\r")
        .prints(format!("{TAKES}{STOPS}"));
    assert_eq!(session.lines(), ["ls", "id"]);
}

#[test]
fn what_prints_without_end_has_left_the_line() {
    let mut session = Session::watched();
    fish(&mut session)
        .echoed("ls")
        .prints(STOPS)
        .prints("\x08s");
    let rows = "\r\nx".repeat(2000) + "\r\n";
    session.prints(rows).waits(100);
    assert_eq!(session.lines(), ["ls"]);
    fish(&mut session)
        .echoed("id")
        .types("\r")
        .prints(format!("{TAKES}{STOPS}"));
    assert_eq!(session.lines(), ["ls", "id"]);
}
