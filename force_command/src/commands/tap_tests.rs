//! The tap with the real engine and a real recording.

use super::*;
use crate::commands::Rules;
use filter::{FilterText, Matching, RuleText, Verdict as FilterVerdict};
use jms::id::Id;
use jms::policy::Channel;
use jms::recording::{Header, Kind, Reader, Recorder};
use jms::settings::{HiddenInput, OutputLimit};
use std::path::PathBuf;

fn rules(denied: Option<&str>) -> Rules {
    let filters = denied.map(|word| FilterText {
        name: "test".into(),
        default: FilterVerdict::Allow,
        rules: vec![RuleText {
            id: 1,
            priority: 1,
            verdict: FilterVerdict::Deny,
            matching: Matching::Command(word.into()),
            ignore_case: false,
        }],
    });
    Rules::compile(filters.into_iter().collect(), HiddenInput::Allow).unwrap()
}

struct Session {
    _folder: tempfile::TempDir,
    path: PathBuf,
    record: Record,
    board: RefCell<Board>,
}

impl Session {
    fn with(denied: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let header = Header {
            started_at: Time(0),
            width: 80,
            height: 24,
            term: None,
            title: None,
            command: None,
            meta: BTreeMap::new(),
        };
        let recorder = Recorder::create(folder.path(), &Id::random().unwrap(), &header).unwrap();
        Self {
            path: recorder.path().to_owned(),
            record: Record::new(recorder, Channel::Shell, true, OutputLimit::All).unwrap(),
            board: RefCell::new(Board::new(rules(denied))),
            _folder: folder,
        }
    }

    fn tap(&mut self) -> Watched<'_> {
        self.tap_keeping(10_000)
    }

    fn tap_keeping(&mut self, lines_per_hour: u32) -> Watched<'_> {
        let limits = Limits {
            hold: Duration::from_millis(300),
            answer: Duration::from_secs(60),
            lines_per_hour,
        };
        Watched::terminal(&mut self.record, &self.board, None, limits)
    }

    fn recorded(self) -> Vec<(Kind, String)> {
        self.record.finish().unwrap();
        let events = Reader::open(&self.path).unwrap();
        events
            .map(Result::unwrap)
            .map(|event| (event.kind, event.data))
            .collect()
    }
}

fn typed(tap: &mut Watched<'_>, bytes: &[u8]) -> Result<Vec<u8>, TapFailure> {
    let mut pass = Vec::new();
    tap.input(Instant::now(), bytes, &mut pass)?;
    Ok(pass)
}

fn break_engine(tap: &mut Watched<'_>) {
    let watch = tap.watch.as_mut().unwrap();
    assert_eq!(watch.engine.break_now(), Err(Broken));
}

#[test]
fn without_rules_every_byte_passes_at_once_and_the_line_is_kept_and_marked() {
    let mut session = Session::with(None);
    let mut tap = session.tap();
    tap.output(Instant::now(), Stream::Output, b"$ ").unwrap();
    let mut passed = Vec::new();
    for byte in b"echo quince\r" {
        passed.extend(typed(&mut tap, &[*byte]).unwrap());
        if *byte != b'\r' {
            tap.output(Instant::now(), Stream::Output, &[*byte])
                .unwrap();
        }
    }
    assert_eq!(passed, b"echo quince\r");
    tap.output(Instant::now(), Stream::Output, b"\r\nquince\r\n$ ")
        .unwrap();
    tap.ended().unwrap();
    assert!(matches!(
        &session.board.borrow().first(2)[..],
        [Note::Line(line)] if line.text == "echo quince" && line.accepted
    ));
    let recorded = session.recorded();
    assert!(
        recorded
            .iter()
            .any(|(kind, label)| *kind == Kind::Marker && label == "command: echo quince"),
        "{recorded:?}"
    );
}

/// Types lines of the user's at a prompt, each echoed and taken.
fn run(tap: &mut Watched<'_>, lines: impl Iterator<Item = String>) {
    let prints = |tap: &mut Watched<'_>, text: &str| {
        tap.output(Instant::now(), Stream::Output, text.as_bytes())
            .unwrap();
    };
    prints(tap, "ops@web1:~$ ");
    for line in lines {
        typed(tap, line.as_bytes()).unwrap();
        prints(tap, &line);
        typed(tap, b"\r").unwrap();
        prints(tap, "\r\nops@web1:~$ ");
    }
}

fn texts(board: &Board) -> Vec<String> {
    let text = |note: Note| match note {
        Note::Line(line) => line.text,
        other => format!("{other:?}"),
    };
    board.first(usize::MAX).into_iter().map(text).collect()
}

#[test]
fn of_more_lines_than_are_kept_one_by_one_it_is_told_that_there_are_more_and_how_many() {
    let mut session = Session::with(None);
    let mut tap = session.tap_keeping(100);
    run(&mut tap, (0..130).map(|n| format!("echo {}", n % 30)));
    assert_eq!(session.board.borrow().waiting(), 101);
    let mut tap = session.tap_keeping(100);
    run(&mut tap, (0..130).map(|n| format!("true {}", n % 30)));
    // Nothing more comes: it is told after a while.
    let due = tap.watch.as_ref().unwrap().pace.due().unwrap();
    assert!(tap.next_deadline().unwrap() <= due);
    tap.tick(due, &mut Vec::new()).unwrap();
    run(&mut tap, std::iter::once("true 9".to_owned()));
    tap.ended().unwrap();
    let texts = texts(&session.board.borrow());
    let of_second = texts.get(101..).unwrap();
    assert_eq!(of_second[99], "true 9");
    assert_eq!(
        of_second[100..],
        [
            "TooMany",
            "(30 lines more, allowed and not kept one by one)",
            "TooMany",
            "(1 line more, allowed and not kept one by one)",
        ]
    );
    let marks = |(kind, label): &(Kind, String)| {
        *kind == Kind::Marker && label == "command: (more lines than are kept one by one)"
    };
    assert_eq!(session.recorded().iter().filter(|e| marks(e)).count(), 3);
}

#[test]
fn what_is_denied_is_kept_whatever_came_before_it() {
    let mut session = Session::with(Some("reboot"));
    let mut tap = session.tap_keeping(100);
    // No rule denies these; the engine gives them at once, since all echo has come.
    for n in 0..130 {
        let judged = Command {
            at: Instant::now(),
            line: format!("echo {}", n % 30),
            certainty: Certainty::Exact,
            cut: false,
            hidden: false,
            outcome: Outcome::Passed,
            judged: None,
        };
        let watch = tap.watch.as_mut().unwrap();
        watch.keep(judged, tap.record).unwrap();
    }
    let watch = tap.watch.as_mut().unwrap();
    let id = JudgementId(7);
    watch
        .judged
        .insert(id, watch.board.borrow().rules().judge(&["reboot".into()]));
    let denied = Command {
        at: Instant::now(),
        line: "reboot".into(),
        certainty: Certainty::Exact,
        cut: false,
        hidden: false,
        outcome: Outcome::Denied,
        judged: Some(id),
    };
    watch.keep(denied, tap.record).unwrap();
    assert_eq!(texts(&session.board.borrow())[100..], ["TooMany", "reboot"]);
}

#[test]
fn while_lines_wait_for_the_store_no_more_are_taken() {
    let mut session = Session::with(None);
    let mut tap = session.tap();
    run(&mut tap, (0..1023).map(|n| format!("echo {n}")));
    assert!(tap.takes_input());
    run(&mut tap, std::iter::once("echo".to_owned()));
    assert!(!tap.takes_input());
    tap.watch.as_ref().unwrap().board.borrow_mut().kept(1);
    assert!(tap.takes_input());
}

#[test]
fn rules_that_come_later_hold_from_then_on() {
    let mut session = Session::with(None);
    session.board.borrow_mut().change(rules(Some("reboot")));
    let tap = session.tap();
    let is_due = |tap: &Watched<'_>| tap.next_deadline().is_some_and(|at| at <= Instant::now());
    assert!(!is_due(&tap), "known from the beginning");
    tap.watch
        .as_ref()
        .unwrap()
        .board
        .borrow_mut()
        .change(rules(None));
    assert!(is_due(&tap));
}

#[test]
fn a_broken_engine_lets_a_session_without_rules_go_on_and_says_so_once() {
    let mut session = Session::with(None);
    let mut tap = session.tap();
    break_engine(&mut tap);
    assert_eq!(typed(&mut tap, b"ls\r").unwrap(), b"ls\r");
    assert_eq!(typed(&mut tap, b"pwd\r").unwrap(), b"pwd\r");
    tap.output(Instant::now(), Stream::Output, b"/root")
        .unwrap();
    tap.ended().unwrap();
    assert_eq!(session.recorded(), [(Kind::Output, "/root".to_owned())]);
}

#[test]
fn a_broken_engine_ends_a_session_with_rules_and_the_recording_stays_whole() {
    let mut session = Session::with(Some("reboot"));
    let mut tap = session.tap();
    break_engine(&mut tap);
    assert!(matches!(
        typed(&mut tap, b"ls\r"),
        Err(TapFailure::Capture(_))
    ));
    let printed = tap.output(Instant::now(), Stream::Output, b"still recorded");
    assert!(matches!(printed, Err(TapFailure::Capture(_))));
    assert_eq!(
        session.recorded(),
        [(Kind::Output, "still recorded".to_owned())]
    );
}

#[test]
fn a_panic_in_the_engine_is_told_once_and_does_not_lose_what_was_typed() {
    let mut session = Session::with(None);
    let mut tap = session.tap();
    tap.with(Instant::now(), |engine| engine.break_now())
        .unwrap();
    assert_eq!(typed(&mut tap, b"ls\r").unwrap(), b"ls\r");
    let mut board = session.board.borrow_mut();
    assert_eq!(board.first(1), [Note::Broken]);
    board.kept(1);
    assert_eq!(board.waiting(), 0);
}

#[test]
fn the_strictest_reading_counts() {
    let rules = rules(Some("reboot"));
    let judged = rules.judge(&["echo".into(), "reboot now".into()]);
    assert_eq!(judged.verdict, FilterVerdict::Deny);
    let answer = rules.answer(&judged, false);
    assert!(
        matches!(answer, Verdict::Deny(text) if text.starts_with("jms: denied by filter test, rule 1 (reboot)"))
    );
    assert_eq!(
        rules.judge(&["echo reboot".into()]).verdict,
        FilterVerdict::Allow
    );
}

#[test]
fn what_happens_to_hidden_lines_is_a_setting() {
    for (setting, expected) in [
        (HiddenInput::Allow, None),
        (HiddenInput::Deny, Some(false)),
        (HiddenInput::End, Some(true)),
    ] {
        let rules = Rules::compile(Vec::new(), setting).unwrap();
        let answer = rules.answer(&rules.judge_hidden(), true);
        let ends = match answer {
            Verdict::Allow => None,
            Verdict::Deny(_) => Some(false),
            Verdict::End(_) => Some(true),
            other => panic!("{other:?}"),
        };
        assert_eq!(ends, expected);
    }
}

/// A shell with hooks, as the tap hears it.
struct HookedShell {
    token: Token,
    number: u32,
}

impl HookedShell {
    fn ready(tap: &mut Watched<'_>, token: Token) -> Self {
        let shell = Self { token, number: 0 };
        assert_eq!(
            heard(tap, "\x1bPjms;hello;7;bash\x1b\\Welcome\r\n"),
            "Welcome\r\n"
        );
        let token = shell.token.reveal();
        assert_eq!(released(tap), format!("\x1b[77;7;{token}z"));
        shell.says(tap, "h;7;0;");
        shell.prompts(tap);
        shell
    }

    fn says(&self, tap: &mut Watched<'_>, what: &str) {
        let seen = heard(
            tap,
            &format!("\x1bPjms;{};{what}\x1b\\", self.token.reveal()),
        );
        assert_eq!(seen, "");
    }

    fn prompts(&self, tap: &mut Watched<'_>) {
        self.says(tap, "p;1;0;");
        heard(tap, "\x1b[?2004hdev@web1$ ");
    }

    /// Announces a line; what it is answered.
    fn announces(&mut self, tap: &mut Watched<'_>, line: &str) -> String {
        self.number += 1;
        let (number, length) = (self.number, line.len());
        self.says(tap, &format!("c;{number};1;{number};{length};{line}"));
        released(tap)
    }

    fn runs(&self, tap: &mut Watched<'_>, eaten: &str) {
        self.says(tap, &format!("g;{};{};{eaten}", self.number, eaten.len()));
    }
}

/// Feeds output as the relay does; what others see of it.
fn heard(tap: &mut Watched<'_>, output: &str) -> String {
    let now = Instant::now();
    let rest = tap.sift(now, Stream::Output, output.as_bytes()).unwrap();
    if !rest.is_empty() {
        tap.output(now, Stream::Output, &rest).unwrap();
    }
    tap.hear(now).unwrap();
    String::from_utf8(rest).unwrap()
}

/// What goes to the asset by the clock.
fn released(tap: &mut Watched<'_>) -> String {
    let mut pass = Vec::new();
    tap.tick(Instant::now(), &mut pass).unwrap();
    String::from_utf8(pass).unwrap()
}

fn shown(tap: &mut Watched<'_>) -> String {
    String::from_utf8(tap.shows(Instant::now()).unwrap()).unwrap()
}

fn types(tap: &mut Watched<'_>, line: &str) {
    for byte in line.bytes() {
        typed(tap, &[byte]).unwrap();
        if byte == b'\r' {
            heard(tap, "\r\n\x1b[?2004l\r");
        } else {
            heard(tap, &char::from(byte).to_string());
        }
    }
}

/// The lines that were kept: text, whether sure, whether it ran.
fn kept(session: &Session) -> Vec<(String, bool, bool)> {
    let notes = session.board.borrow().first(100);
    notes
        .into_iter()
        .filter_map(|note| match note {
            Note::Line(line) => Some((
                line.text,
                line.certainty == capture::Certainty::Exact,
                line.accepted,
            )),
            _ => None,
        })
        .collect()
}

fn line(text: &str, ran: bool) -> (String, bool, bool) {
    (text.to_owned(), true, ran)
}

#[test]
fn what_the_shell_announces_is_kept_once_and_nothing_of_it_is_recorded() {
    let mut session = Session::with(None);
    let token = Token::random().unwrap();
    let mut tap = session.tap().hooked(token.clone(), Duration::from_secs(60));
    let mut shell = HookedShell::ready(&mut tap, token.clone());
    types(&mut tap, "echo quince\r");
    assert_eq!(shell.announces(&mut tap, "echo quince"), "\x1b[77;1;1z");
    // What is typed meanwhile waits.
    assert_eq!(typed(&mut tap, b"date").unwrap(), b"");
    shell.runs(&mut tap, "");
    assert_eq!(released(&mut tap), "date");
    heard(&mut tap, "quince\r\n");
    shell.prompts(&mut tap);
    tap.ended().unwrap();
    assert_eq!(kept(&session), [line("echo quince", true)]);
    let recorded = session.recorded();
    let secret = |(_, data): &(Kind, String)| {
        data.contains("jms;") || data.contains(token.reveal()) || data.contains("[77;")
    };
    assert!(!recorded.iter().any(secret), "{recorded:?}");
}

#[test]
fn a_line_that_the_shell_does_not_announce_is_the_engines() {
    let mut session = Session::with(None);
    let token = Token::random().unwrap();
    let mut tap = session.tap().hooked(token.clone(), Duration::from_secs(60));
    let shell = HookedShell::ready(&mut tap, token);
    types(&mut tap, "fi\r");
    heard(&mut tap, "bash: syntax error\r\n");
    shell.prompts(&mut tap);
    tap.ended().unwrap();
    assert_eq!(kept(&session), [line("fi", true)]);
}

#[test]
fn what_no_reading_could_know_is_denied_where_the_shell_announces_it() {
    let mut session = Session::with(Some("reboot"));
    let token = Token::random().unwrap();
    let mut tap = session.tap().hooked(token.clone(), Duration::from_secs(60));
    let mut shell = HookedShell::ready(&mut tap, token);
    assert_eq!(shell.announces(&mut tap, "reboot now"), "\x1b[77;1;0z");
    assert!(shown(&mut tap).starts_with("jms: denied by filter test"));
    shell.runs(&mut tap, "");
    shell.prompts(&mut tap);
    assert_eq!(shell.announces(&mut tap, "uptime"), "\x1b[77;2;1z");
    let stuck = format!("\x1bPjms;{};x;2;0;\x1b\\", shell.token.reveal());
    tap.sift(Instant::now(), Stream::Output, stuck.as_bytes());
    let ended = tap.hear(Instant::now());
    assert!(matches!(ended, Err(TapFailure::Forbidden(_))), "{ended:?}");
    assert_eq!(
        kept(&session),
        [line("reboot now", false), line("uptime", true)]
    );
}

#[test]
fn a_disturbed_announcement_is_not_run_where_rules_apply() {
    for (rule, answer) in [(Some("reboot"), "0"), (None, "1")] {
        let mut session = Session::with(rule);
        let token = Token::random().unwrap();
        let mut tap = session.tap().hooked(token.clone(), Duration::from_secs(60));
        let shell = HookedShell::ready(&mut tap, token);
        shell.says(&mut tap, "c;5;1;5;9;rebnoiseoot");
        assert_eq!(released(&mut tap), format!("\x1b[77;5;{answer}z"));
    }
}

#[test]
fn a_hook_that_was_taken_away_is_told_of_once() {
    let mut session = Session::with(None);
    let token = Token::random().unwrap();
    let mut tap = session.tap().hooked(token.clone(), Duration::from_secs(60));
    let shell = HookedShell::ready(&mut tap, token);
    shell.says(&mut tap, "p;0;0;");
    shell.says(&mut tap, "p;0;0;");
    assert!(matches!(
        &session.board.borrow().first(9)[..],
        [Note::Unhooked(_)]
    ));
}

/// A tap with rules, and a shell whose hooks are set up.
fn guarded(session: &mut Session) -> (Watched<'_>, HookedShell) {
    let token = Token::random().unwrap();
    let mut tap = session.tap().hooked(token.clone(), Duration::from_secs(60));
    let shell = HookedShell::ready(&mut tap, token);
    (tap, shell)
}

#[test]
fn an_announcement_takes_nothing_away_that_it_does_not_say() {
    let mut session = Session::with(None);
    let (mut tap, mut shell) = guarded(&mut session);
    // Announced behind the line, and before it.
    types(&mut tap, "rm -r /srv\r");
    shell.announces(&mut tap, "echo harmless");
    shell.runs(&mut tap, "");
    shell.prompts(&mut tap);
    shell.announces(&mut tap, "echo harmless");
    types(&mut tap, "rm -r /var\r");
    shell.prompts(&mut tap);
    tap.ended().unwrap();
    let lines: Vec<String> = kept(&session).into_iter().map(|(line, ..)| line).collect();
    for line in ["rm -r /srv", "rm -r /var", "echo harmless"] {
        assert!(lines.contains(&line.to_owned()), "{line}: {lines:?}");
    }
    // What was contradicted is not called exact.
    let sure = kept(&session)
        .into_iter()
        .find(|(line, ..)| line == "echo harmless");
    assert_eq!(sure, Some(("echo harmless".to_owned(), false, true)));
}

#[test]
fn a_shell_that_does_not_say_that_it_left_out_what_was_denied_is_ended() {
    // The hook was ended before it could take the answer.
    let mut session = Session::with(Some("reboot"));
    let (mut tap, mut shell) = guarded(&mut session);
    shell.announces(&mut tap, "reboot now");
    let text = format!("\x1bPjms;{};p;1;0;\x1b\\", shell.token.reveal());
    tap.sift(Instant::now(), Stream::Output, text.as_bytes());
    let ended = tap.hear(Instant::now());
    assert!(matches!(ended, Err(TapFailure::Forbidden(_))), "{ended:?}");
    // It took the answer, and reads no line.
    let mut session = Session::with(Some("reboot"));
    let (mut tap, mut shell) = guarded(&mut session);
    shell.announces(&mut tap, "reboot now");
    shell.runs(&mut tap, "");
    let mut pass = Vec::new();
    let later = Instant::now() + Duration::from_secs(29);
    assert_eq!(tap.tick(later, &mut pass), Ok(()));
    let later = Instant::now() + Duration::from_secs(31);
    let ended = tap.tick(later, &mut pass);
    assert!(matches!(ended, Err(TapFailure::Forbidden(_))), "{ended:?}");
    // It says so: all is well.
    let mut session = Session::with(Some("reboot"));
    let (mut tap, mut shell) = guarded(&mut session);
    shell.announces(&mut tap, "reboot now");
    shell.runs(&mut tap, "");
    shell.prompts(&mut tap);
    assert_eq!(tap.tick(later, &mut pass), Ok(()));
}

#[test]
fn a_line_that_the_history_leaves_out_is_not_denied_for_the_one_before_it() {
    let mut session = Session::with(Some("reboot"));
    let (mut tap, mut shell) = guarded(&mut session);
    assert_eq!(shell.announces(&mut tap, "reboot now"), "\x1b[77;1;0z");
    shell.runs(&mut tap, "");
    shell.prompts(&mut tap);
    types(&mut tap, " uptime\r");
    shell.says(&mut tap, "c;9;0;1;10;reboot now");
    assert_eq!(released(&mut tap), "\x1b[77;9;1z");
    assert!(kept(&session).contains(&line("uptime", true)));
}

#[test]
fn a_shell_that_asks_for_the_token_too_late_gets_none() {
    let mut session = Session::with(None);
    let mut tap = session
        .tap()
        .hooked(Token::random().unwrap(), Duration::from_secs(60));
    let mut pass = Vec::new();
    tap.tick(Instant::now() + Duration::from_secs(61), &mut pass)
        .unwrap();
    heard(&mut tap, "\x1bPjms;hello;7;bash\x1b\\");
    assert_eq!(released(&mut tap), "");
}

#[test]
fn an_answer_waits_behind_an_interrupt_that_may_have_ended_its_hook() {
    let mut session = Session::with(None);
    let (mut tap, mut shell) = guarded(&mut session);
    types(&mut tap, "sleep 9\r");
    assert_eq!(typed(&mut tap, b"\x03").unwrap(), b"\x03");
    assert_eq!(shell.announces(&mut tap, "sleep 9"), "");
    // It ended: nobody is answered.
    shell.prompts(&mut tap);
    let mut pass = Vec::new();
    let later = Instant::now() + Duration::from_secs(1);
    tap.tick(later, &mut pass).unwrap();
    assert_eq!(pass, b"");
    // It did not: it is answered a little later.
    types(&mut tap, "sleep 9\r");
    assert_eq!(typed(&mut tap, b"\x03").unwrap(), b"\x03");
    assert_eq!(shell.announces(&mut tap, "sleep 9"), "");
    tap.tick(later, &mut pass).unwrap();
    assert_eq!(pass, b"\x1b[77;2;1z");
}

#[test]
fn what_a_hook_hands_back_is_typed_again_if_it_was_typed() {
    let mut session = Session::with(None);
    let (mut tap, mut shell) = guarded(&mut session);
    types(&mut tap, "sleep 9\r");
    assert_eq!(typed(&mut tap, b"up").unwrap(), b"up");
    shell.announces(&mut tap, "sleep 9");
    assert_eq!(typed(&mut tap, b"date").unwrap(), b"");
    shell.runs(&mut tap, "up");
    assert_eq!(released(&mut tap), "update");
    shell.prompts(&mut tap);
    // What nobody typed is not, nor what nobody was asked for.
    shell.announces(&mut tap, "true");
    shell.runs(&mut tap, "reboot%0d");
    assert_eq!(released(&mut tap), "");
    assert!(shown(&mut tap).contains("could not be given back"));
    shell.runs(&mut tap, "date");
    assert_eq!(released(&mut tap), "");
    shell.announces(&mut tap, "true");
    shell.says(&mut tap, "g;999;4;date");
    assert_eq!(released(&mut tap), "");
}
