//! Lines pasted to a shell without a line editor, on a machine so busy that the echo comes after their accepting key.
mod support;
use capture::Certainty;
use support::Session;

fn pasted(session: &mut Session) -> &mut Session {
    session
        .prints("$ ")
        .waits(100)
        .types("echo d1\recho d2\r")
        .prints("echo d1")
        .waits(2)
}

#[test]
fn what_stands_behind_the_prompt_in_the_end_was_no_secret() {
    let mut session = Session::denying("rm");
    pasted(&mut session)
        .prints("\r\n")
        .waits(200)
        .prints("d1\r\n$ echo d2\r\nd2\r\n$ ")
        .waits(300);
    assert_eq!(session.lines(), ["echo d1", "echo d2"]);
    assert_eq!(session.hidden, 0);
}

#[test]
fn a_line_whose_row_ends_late_is_not_lost_when_the_next_is_accepted() {
    let mut session = Session::denying("rm");
    pasted(&mut session)
        .waits(400)
        .prints("\r\nd1\r\n$ echo d2\r\nd2\r\n$ ")
        .waits(300);
    assert_eq!(session.lines(), ["echo d1", "echo d2"]);
}

#[test]
fn a_secret_that_a_program_tells_of_is_none_of_the_lines() {
    let mut session = Session::denying("rm");
    session
        .prints("$ ")
        .waits(100)
        .echoed("./ask")
        .types("\r")
        .prints("\r\n")
        .waits(100)
        .types("Hunter12\r")
        .waits(400)
        .prints("\r\nnot Hunter12\r\n$ ")
        .waits(3000);
    assert_eq!(session.lines(), ["./ask"]);
}

#[test]
fn a_line_that_was_sent_before_a_prompt_of_another_folder_stands_behind_it() {
    let mut session = Session::denying("rm");
    session
        .prints("ops@web1:w$ ")
        .waits(100)
        .types("cd logs\rls\r")
        .prints("cd logs")
        .waits(20)
        .prints("\r\n")
        .waits(30)
        .prints("ops@web1:logs$ ls")
        .waits(100)
        .prints("\r\naccess.log\r\nops@web1:logs$ ")
        .waits(300);
    assert_eq!(session.lines(), ["cd logs", "ls"]);
    assert_eq!(session.hidden, 0);
}

#[test]
fn what_is_shown_after_two_keys_may_be_the_reply_to_the_first() {
    let mut session = Session::denying("forbidden");
    session.prompt().runs("id").runs("pwd");
    // The asset is busy: each Up takes it longer than keys are apart.
    session.types("\x1b[A").waits(12);
    session.types("\x1b[A").waits(2).prints("pwd");
    session.waits(10).types("\r").waits(10);
    session.prints("\r\x1b[Kops@web1:~$ forbidden x").waits(300);
    assert!(!session.sent.ends_with(b"\r"), "{:?}", session.asked);
    let asked = session.asked.last().unwrap();
    assert!(asked.contains(&"forbidden x".to_owned()), "{asked:?}");
}

/// Denied when a part of it had been shown; the rest comes when it is being removed, or while it is waited for.
fn denied_half_shown(line: &str, shown: &str, rest: &str, late: u64) -> Session {
    let mut session = Session::denying("^rm");
    session.prompt().runs("id");
    session.types(line).prints(shown).types("\r").waits(late);
    session.prints(rest).waits(5).prints("\r\x1b[Kops@web1:~$ ");
    session.waits(500);
    session
}

#[test]
fn a_line_that_is_denied_before_all_of_it_is_shown_is_kept_as_it_was_typed() {
    for late in [50, 100, 200, 290, 310, 400] {
        for shown in ["r", "rm ", "rm canary.t", "rm canary.tx"] {
            let rest = "rm canary.txt".strip_prefix(shown).unwrap();
            let session = denied_half_shown("rm canary.txt", shown, rest, late);
            let [first, denied] = session.lines()[..] else {
                panic!("{late} {shown:?}: {:?}", session.lines())
            };
            assert_eq!((first, denied), ("id", "rm canary.txt"), "{late} {shown:?}");
            let sure = session.commands[1].certainty == Certainty::Exact;
            assert_eq!(sure, late == 50, "{late} {shown:?}: it was judged late");
            assert!(!session.sent.ends_with(b"txt\r"), "{late} {shown:?}");
        }
    }
}
