use super::*;
use crate::policy::{Channel, access};
use crate::process;
use crate::store::tests::{Fixture, fixture};

const NOW: Time = Time(1_800_000_000_000);

struct Live {
    fixture: Fixture,
    login: Login,
    session: Id,
}

fn live() -> Live {
    let mut fixture = fixture();
    fixture.everyday();
    let (login, _) = fixture.login(process::myself().unwrap());
    let opened = fixture.open_session(
        &login,
        Channel::Exec,
        process::myself().unwrap(),
        access::Counts::default(),
    );
    assert!(opened.decision.allow);
    let session = fixture.store.read().live_sessions().unwrap().remove(0).id;
    Live {
        fixture,
        login,
        session: Id::parse(&session).unwrap(),
    }
}

fn line(line: &str) -> NewCommand<'_> {
    NewCommand {
        line,
        cut: false,
        captured: Captured::Exact,
        verdict: Verdict::Allow,
        accepted: true,
        filter: "",
        rule: "",
        reason: "",
        recorded_at: Some(Duration::from_millis(400)),
    }
}

impl Live {
    fn add(&mut self, new: &NewCommand<'_>, after: i64) -> i64 {
        let at = Time(NOW.0 + after);
        let store = &mut self.fixture.store;
        store
            .add_command(&self.session, &self.login, new, at)
            .unwrap()
    }

    fn lines(&self, search: CommandSearch) -> Vec<String> {
        let search = CommandSearch {
            limit: 100,
            ..search
        };
        let found = self.fixture.store.read().commands(&search).unwrap();
        found.into_iter().map(|command| command.line).collect()
    }
}

#[test]
fn a_line_is_kept_with_all_that_is_known_of_it() {
    let mut live = live();
    let id = live.add(
        &NewCommand {
            verdict: Verdict::Warn,
            filter: "careful",
            rule: "reboot",
            ..line("sudo reboot")
        },
        7,
    );
    let found = live.fixture.store.read().command(id).unwrap();
    let expected = Command {
        id,
        time: Time(NOW.0 + 7),
        session: live.session.to_string(),
        user: "alice".into(),
        asset: "web1".into(),
        system_user: "dev".into(),
        line: "sudo reboot".into(),
        cut: false,
        captured: "exact".into(),
        verdict: "warn".into(),
        action: "accept".into(),
        filter: "careful".into(),
        rule: "reboot".into(),
        at: Some(400),
    };
    assert_eq!(found, expected);
    assert!(matches!(
        live.fixture.store.read().command(id + 1),
        Err(StoreError::NotFound { .. })
    ));
}

#[test]
fn lines_that_wait_are_kept_together_in_their_order_or_not_at_all() {
    let mut live = live();
    let texts: Vec<String> = (0..80).map(|number| format!("echo {number}")).collect();
    let new: Vec<NewCommand<'_>> = texts.iter().map(|text| line(text)).collect();
    let lines: Vec<_> = new.iter().map(|new| (new, NOW)).collect();
    let Live {
        fixture,
        login,
        session,
    } = &mut live;
    let numbers = fixture.store.add_commands(session, login, &lines).unwrap();
    assert!(numbers.is_sorted() && numbers.len() == texts.len());
    assert_eq!(live.lines(CommandSearch::default()), texts);

    // A session that is not there: nothing of it is kept.
    let nobody = Id::random().unwrap();
    let Live { fixture, login, .. } = &mut live;
    assert!(fixture.store.add_commands(&nobody, login, &lines).is_err());
    assert_eq!(live.lines(CommandSearch::default()).len(), texts.len());
}

#[test]
fn a_long_line_is_cut_between_characters() {
    let mut live = live();
    for (length, cut) in [(LONGEST_LINE, false), (LONGEST_LINE + 1, true)] {
        let id = live.add(&line(&"x".repeat(length)), 0);
        let found = live.fixture.store.read().command(id).unwrap();
        assert_eq!((found.line.len(), found.cut), (LONGEST_LINE, cut));
    }
    let id = live.add(&line(&"€".repeat(LONGEST_LINE)), 0);
    let found = live.fixture.store.read().command(id).unwrap();
    assert_eq!((found.line.len(), found.cut), (LONGEST_LINE / 3 * 3, true));
    let id = live.add(
        &NewCommand {
            cut: true,
            ..line("begin")
        },
        0,
    );
    assert!(live.fixture.store.read().command(id).unwrap().cut);
}

#[test]
fn lists_are_by_text_verdict_person_place_and_time() {
    let mut live = live();
    let denied = NewCommand {
        verdict: Verdict::Deny,
        accepted: false,
        ..line("rm -rf 100%_\\x")
    };
    let first = live.add(&line("ls -l"), 1);
    live.add(&denied, 2);
    live.add(&line("LS"), 3);
    let all = CommandSearch::default;
    assert_eq!(live.lines(all()), ["ls -l", "rm -rf 100%_\\x", "LS"]);
    let text = |text: &str| CommandSearch {
        text: Some(text.into()),
        ..all()
    };
    assert_eq!(live.lines(text("ls")), ["ls -l", "LS"]);
    for exact in ["100%", "%_\\", "_\\x"] {
        assert_eq!(live.lines(text(exact)), ["rm -rf 100%_\\x"]);
    }
    assert!(live.lines(text("r_")).is_empty());
    let verdict = CommandSearch {
        verdict: Some(Verdict::Deny),
        ..all()
    };
    assert_eq!(live.lines(verdict), ["rm -rf 100%_\\x"]);
    let since = CommandSearch {
        since: Some(Time(NOW.0 + 2)),
        until: Some(Time(NOW.0 + 3)),
        ..all()
    };
    assert_eq!(live.lines(since), ["rm -rf 100%_\\x"]);
    let after = CommandSearch {
        after_id: first,
        ..all()
    };
    assert_eq!(live.lines(after), ["rm -rf 100%_\\x", "LS"]);
    for (field, found) in [("alice", 3), ("bob", 0)] {
        let user = CommandSearch {
            user: Some(field.into()),
            ..all()
        };
        assert_eq!(live.lines(user).len(), found);
    }
    let other = CommandSearch {
        session: Some("none".into()),
        ..all()
    };
    assert!(live.lines(other).is_empty());
    assert_eq!(live.fixture.store.read().newest_command().unwrap(), 3);
}

#[test]
fn syslog_is_told_what_a_filter_said_and_nothing_of_what_was_allowed() {
    let mut live = live();
    live.add(&line("ls"), 0);
    let ruled = |verdict, accepted| NewCommand {
        verdict,
        accepted,
        filter: "f",
        rule: "rm",
        reason: "why",
        ..line("rm x")
    };
    live.add(&ruled(Verdict::Deny, false), 1);
    live.add(&ruled(Verdict::Confirm, false), 2);
    live.add(&ruled(Verdict::Confirm, true), 3);
    live.add(&ruled(Verdict::Warn, true), 4);
    for (kind, count, severity, result) in [
        ("command.denied", 2, "warning", "deny"),
        ("command.confirmed", 1, "notice", "allow"),
        ("command.warned", 1, "alert", "allow"),
    ] {
        let events = live.fixture.events(kind);
        assert_eq!(events.len(), count, "{kind}");
        let event = &events[0];
        assert_eq!(
            (&event["severity"], &event["result"]),
            (&severity.into(), &result.into())
        );
        for (field, value) in [
            ("filter", "f"),
            ("rule", "rm"),
            ("line", "rm x"),
            ("reason", "why"),
            ("user", "alice"),
            ("asset", "web1"),
        ] {
            assert_eq!(event[field], value, "{kind} {field}");
        }
    }
}
