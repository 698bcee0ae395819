//! The gate with a real recording.

use super::*;
use crate::commands::Rules;
use filter::{FilterText, Matching, RuleText};
use jms::id::Id;
use jms::policy::Channel;
use jms::recording::{Header, Recorder};
use jms::settings::{HiddenInput, OutputLimit};
use std::collections::BTreeMap;

fn rules(default: Verdict, rules: &[(Verdict, &str)]) -> Rules {
    let rule = |(id, (verdict, command)): (usize, &(Verdict, &str))| RuleText {
        id: i64::try_from(id).unwrap() + 1,
        priority: 50,
        verdict: *verdict,
        matching: Matching::Command((*command).to_owned()),
        ignore_case: false,
    };
    let texts = vec![FilterText {
        name: "f".into(),
        default,
        rules: rules.iter().enumerate().map(rule).collect(),
    }];
    Rules::compile(texts, HiddenInput::Allow).unwrap()
}

fn none() -> Rules {
    Rules::compile(Vec::new(), HiddenInput::Allow).unwrap()
}

struct Session {
    _folder: tempfile::TempDir,
    record: Record,
    board: RefCell<Board>,
}

impl Session {
    fn with(rules: Rules) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let header = Header {
            started_at: Time(0),
            width: 0,
            height: 0,
            term: None,
            title: None,
            command: None,
            meta: BTreeMap::new(),
        };
        let recorder = Recorder::create(folder.path(), &Id::random().unwrap(), &header).unwrap();
        Self {
            record: Record::new(recorder, Channel::Exec, false, OutputLimit::All).unwrap(),
            board: RefCell::new(Board::new(rules)),
            _folder: folder,
        }
    }

    /// The chunks through the gate, to their end: what the asset gets, and why no more.
    fn pass(&mut self, reads: Reads, chunks: &[&[u8]]) -> (Vec<u8>, Option<String>) {
        self.pass_keeping(u64::MAX, reads, chunks)
    }

    fn pass_keeping(
        &mut self,
        most: u64,
        reads: Reads,
        chunks: &[&[u8]],
    ) -> (Vec<u8>, Option<String>) {
        let mut gated = Gated::new(&mut self.record, &self.board, reads, most);
        let mut passed = Vec::new();
        for chunk in chunks {
            gated.input(Instant::now(), chunk, &mut passed).unwrap();
            finish(&mut gated, &self.board, &mut passed);
        }
        gated.input_ended(Instant::now(), &mut passed).unwrap();
        finish(&mut gated, &self.board, &mut passed);
        gated.ended().unwrap();
        assert_eq!(gated.closes_input(), gated.denied().is_some());
        (passed, gated.denied().map(str::to_owned))
    }

    /// What was kept: whether it was let through, and the line.
    fn kept(&self) -> Vec<(bool, String)> {
        let mut kept = Vec::new();
        let mut board = self.board.borrow_mut();
        while let Some(Note::Line(line)) = board.first(1).pop() {
            kept.push((line.accepted, line.text));
            board.kept(1);
        }
        kept
    }
}

/// As the relay does: as long as something is held, and the store keeps up.
fn finish(gated: &mut Gated<'_>, board: &RefCell<Board>, passed: &mut Vec<u8>) {
    while gated.holds_input() {
        assert!(!gated.takes_input());
        if board.borrow().waiting() >= WAITING {
            board.borrow_mut().kept(1);
        }
        let due = gated.next_deadline().unwrap();
        gated.tick(due.max(Instant::now()), passed).unwrap();
    }
}

#[test]
fn a_denied_line_and_what_follows_are_not_sent_and_what_came_before_is() {
    let careful = || {
        rules(
            Verdict::Allow,
            &[(Verdict::Deny, "rm -rf"), (Verdict::Confirm, "reboot")],
        )
    };
    let mut session = Session::with(careful());
    let script = b"id\nif true; then\n echo 'rm -rf'\nfi\nls; rm -r -f x\nls\n";
    let (passed, denied) = session.pass(Reads::Shell, &[script]);
    assert_eq!(passed, b"id\nif true; then\n echo 'rm -rf'\nfi\n");
    assert_eq!(
        denied.as_deref(),
        Some("denied by filter f, rule 1 (rm -rf): rm -r -f x")
    );
    assert_eq!(
        session.kept(),
        [
            (true, "id\nif true; then\n echo 'rm -rf'\nfi".to_owned()),
            (false, "ls; rm -r -f x".to_owned())
        ]
    );
    // The command in a loop is held with its loop.
    let mut session = Session::with(careful());
    let (passed, denied) = session.pass(
        Reads::Shell,
        &[b"id\nfor x in 1; do\n", b" rm -rf x\ndone\n"],
    );
    assert_eq!((passed.as_slice(), denied.is_some()), (&b"id\n"[..], true));
    // Nobody can be asked.
    let mut session = Session::with(careful());
    let (passed, denied) = session.pass(Reads::Shell, &[b"sudo reboot\n"]);
    assert!(passed.is_empty() && denied.unwrap().contains("say yes"));
    // Not finished, and no line end.
    for last in [
        &b"rm -rf x"[..],
        b"if x; then rm -rf x\n",
        b"echo 'x\nrm -rf x\n",
    ] {
        let mut session = Session::with(careful());
        let (passed, denied) = session.pass(Reads::Shell, &[b"id\n", last]);
        assert_eq!(
            (passed.as_slice(), denied.is_some()),
            (&b"id\n"[..], true),
            "{last:?}"
        );
    }
}

#[test]
fn what_reads_of_the_script_or_puts_its_reader_out_of_step_hides_nothing() {
    let deep = format!(": {}: {}\n: '\n", "$(".repeat(40), ")".repeat(40));
    for (script, passed) in [
        // The here-document that it seems to be is none: its first line is read away.
        (
            "read x\ncat <<'E'\nrm -rf x\nE\n".to_owned(),
            "read x\n".len(),
        ),
        (
            "head -1\necho 'a\nrm -rf x\n'\n".to_owned(),
            "head -1\n".len(),
        ),
        (format!("{deep}x'; rm -rf /x #'\n"), deep.len()),
        ("r\0m -rf x\n".to_owned(), 0),
        ("cat <<E\0\nE\nrm -rf x\n".to_owned(), 0),
    ] {
        let mut session = Session::with(rules(Verdict::Allow, &[(Verdict::Deny, "rm -rf")]));
        let (sent, denied) = session.pass(Reads::Shell, &[script.as_bytes()]);
        assert_eq!(
            String::from_utf8_lossy(&sent),
            script[..passed],
            "{script:?}"
        );
        assert!(denied.is_some(), "{script:?}");
    }
    // Where nothing does, text is text.
    let script = b"echo a\ncat <<'E'\nrm -rf x\nE\n";
    let mut session = Session::with(rules(Verdict::Allow, &[(Verdict::Deny, "rm -rf")]));
    let (sent, denied) = session.pass(Reads::Shell, &[script]);
    assert_eq!((sent.as_slice(), denied), (&script[..], None));
}

#[test]
fn under_a_default_of_deny_only_what_is_listed_goes_on() {
    let strict = || {
        rules(
            Verdict::Deny,
            &[(Verdict::Allow, "ls"), (Verdict::Allow, "cat *")],
        )
    };
    for (script, expected) in [
        (&b"# begin\n\nls -l\ncat x\n"[..], 21),
        (b"ls\nid\n", 3),
        (b"ls $(id)\n", 0),
        (b"cat x\xff\n", 0),
        (b"x=1\nls\n", 0),
        (b"ls 'x\n", 0),
    ] {
        let mut session = Session::with(strict());
        let (passed, denied) = session.pass(Reads::Shell, &[script]);
        assert_eq!(
            passed,
            &script[..expected],
            "{}",
            String::from_utf8_lossy(script)
        );
        assert_eq!(denied.is_some(), expected < script.len());
    }
    let mut session = Session::with(strict());
    let (passed, denied) = session.pass(Reads::Interpreter, &[b"print(1)\n"]);
    assert!(passed.is_empty() && denied.is_some());
}

#[test]
fn without_a_filter_nothing_is_held_or_kept_and_a_filter_that_comes_holds_from_then_on() {
    let mut session = Session::with(none());
    let noise: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let (passed, denied) = session.pass(Reads::Shell, &[&noise, b"rm -rf x"]);
    assert_eq!((passed.len(), denied), (100_008, None));
    assert!(session.kept().is_empty());
    let mut session = Session::with(none());
    let mut gated = Gated::new(&mut session.record, &session.board, Reads::Shell, 0);
    let mut passed = Vec::new();
    gated
        .input(Instant::now(), b"rm -rf a\n", &mut passed)
        .unwrap();
    session
        .board
        .borrow_mut()
        .change(rules(Verdict::Allow, &[(Verdict::Deny, "rm")]));
    gated
        .input(Instant::now(), b"echo 'b", &mut passed)
        .unwrap();
    assert_eq!(passed, b"rm -rf a\n");
    // And one that goes lets go.
    session.board.borrow_mut().change(none());
    gated
        .input(Instant::now(), b"'; rm -rf c\n", &mut passed)
        .unwrap();
    assert_eq!(passed, b"rm -rf a\necho 'b'; rm -rf c\n");
    assert_eq!(gated.denied(), None);
}

#[test]
fn behind_what_lets_lines_say_what_others_said_each_is_opaque() {
    let strict = rules(
        Verdict::Deny,
        &[
            (Verdict::Allow, "set -o history"),
            (Verdict::Allow, "set -H"),
            (Verdict::Allow, "ls *"),
        ],
    );
    let mut session = Session::with(strict);
    let (passed, denied) = session.pass(Reads::Shell, &[b"set -o history\nls x\nset -H\nls !#\n"]);
    assert_eq!(passed, b"set -o history\nls x\nset -H\n");
    assert!(denied.is_some());
}

#[test]
fn what_comes_in_crumbs_waits_while_nothing_is_whole() {
    let session = &mut Session::with(rules(Verdict::Allow, &[(Verdict::Deny, "rm")]));
    let mut gated = Gated::new(&mut session.record, &session.board, Reads::Shell, 0);
    let mut passed = Vec::new();
    let begin = format!("cat <<E\n{}", "text\n".repeat(12_000));
    gated
        .input(Instant::now(), begin.as_bytes(), &mut passed)
        .unwrap();
    assert!(gated.holds_input() && !gated.takes_input());
    finish(&mut gated, &session.board, &mut passed);
    assert!(gated.takes_input() && passed.is_empty());
    gated.input(Instant::now(), b"E\n", &mut passed).unwrap();
    assert_eq!(passed, format!("{begin}E\n").as_bytes());
}

#[test]
fn a_long_script_is_judged_in_turns_and_comes_out_byte_for_byte() {
    let mut session = Session::with(rules(
        Verdict::Allow,
        &[(Verdict::Deny, "rm"), (Verdict::Warn, "id")],
    ));
    let script = "echo 'a' \"$b\" | sed 's/x/y/'\nid\n".repeat(6_000);
    let chunks: Vec<&[u8]> = script.as_bytes().chunks(50_001).collect();
    let (passed, denied) = session.pass(Reads::Shell, &chunks);
    assert_eq!(denied, None);
    assert!(passed == script.as_bytes());
}

#[test]
fn of_what_is_allowed_so_much_is_kept_and_of_what_is_denied_or_warned_of_all() {
    let careful = || {
        rules(
            Verdict::Allow,
            &[(Verdict::Deny, "rm"), (Verdict::Warn, "id")],
        )
    };
    let line = "echo 0123456789012345678901234567890123456789\n";
    let long = line.repeat(10_000);
    let row = |kept: &[(bool, String)]| -> usize { kept.iter().map(|(_, text)| text.len()).sum() };
    for (most, at_most) in [(0, 0), (100_000, 100_000), (1 << 20, 1 << 20)] {
        let mut session = Session::with(careful());
        let chunks: Vec<&[u8]> = long.as_bytes().chunks(9_000).collect();
        let chunks = [&chunks[..], &[&b"id\n"[..], b"echo more\n", b"rm x\n"]].concat();
        let (passed, denied) = session.pass_keeping(most, Reads::Shell, &chunks);
        assert_eq!(passed.len(), long.len() + "id\necho more\n".len());
        assert!(denied.is_some());
        let kept = session.kept();
        assert!(kept.contains(&(true, "id".to_owned())), "{kept:?}");
        assert_eq!(kept.last(), Some(&(false, "rm x".to_owned())));
        let count = kept.iter().find(|(_, text)| text.contains("bytes more"));
        assert_eq!(count.is_some(), at_most < long.len());
        let fixed = "id".len() + "rm x".len() + count.map_or(0, |(_, text)| text.len());
        assert!(row(&kept) <= at_most + fixed, "{}", row(&kept));
        if most == 0 {
            let all = long.len() + "echo more\n".len();
            let said = format!("({all} bytes more of the script, allowed and not kept)");
            assert_eq!(kept[1], (true, said));
        }
    }
    // Many short rows are bounded, too; and it is said at the end if nothing was denied.
    let mut session = Session::with(careful());
    let chunks = vec![&b"ls\n"[..]; 1_000];
    session.pass_keeping(10_000, Reads::Shell, &chunks);
    let kept = session.kept();
    assert!(kept.len() < 42, "{}", kept.len());
    assert!(kept.last().unwrap().1.contains("bytes more"), "{kept:?}");
}
