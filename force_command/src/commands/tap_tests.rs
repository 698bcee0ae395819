//! The tap with the real engine and a real recording.

use super::*;
use crate::commands::Rules;
use filter::{FilterText, Matching, RuleText, Verdict as FilterVerdict};
use jms::id::Id;
use jms::policy::Channel;
use jms::recording::{Header, Kind, Reader, Recorder};
use jms::settings::HiddenInput;
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
            record: Record::new(recorder, Channel::Shell, true, None).unwrap(),
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
    run(&mut tap, (0..130).map(|n| format!("echo {n}")));
    assert_eq!(session.board.borrow().waiting(), 101);
    let mut tap = session.tap_keeping(100);
    run(&mut tap, (0..130).map(|n| format!("true {n}")));
    // Nothing more comes: it is told after a while.
    let due = tap.watch.as_ref().unwrap().pace.due().unwrap();
    assert!(tap.next_deadline().unwrap() <= due);
    tap.tick(due, &mut Vec::new()).unwrap();
    run(&mut tap, std::iter::once("one more".to_owned()));
    tap.ended().unwrap();
    let texts = texts(&session.board.borrow());
    let of_second = texts.get(101..).unwrap();
    assert_eq!(of_second[99], "true 99");
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
            line: format!("echo {n}"),
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
    assert_eq!(
        texts(&session.board.borrow())[100..],
        [
            "TooMany",
            "(30 lines more, allowed and not kept one by one)",
            "reboot"
        ]
    );
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
