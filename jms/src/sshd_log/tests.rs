//! Lines as real sshds and rsyslogs wrote them, and what strangers make of them.

use super::*;
use proptest::prelude::*;

const NOW: Time = Time(1_795_240_000_000); // 2026-11-21

fn invalid(name: &str, source: &str) -> Option<Invalid> {
    Some(Invalid {
        name: name.to_owned(),
        cut: name.len() >= 100,
        source: source.to_owned(),
    })
}

#[test]
fn sshds_message_is_read_from_its_end() {
    for (message, name, source) in [
        (
            "Invalid user betty1211 from 192.0.2.7 port 4242",
            "betty1211",
            "192.0.2.7",
        ),
        ("Invalid user x from 192.0.2.7", "x", "192.0.2.7"),
        (
            "Invalid user x from 2001:db8::7 port 1 [preauth]",
            "x",
            "2001:db8::7",
        ),
        (
            "Invalid user x from fe80::1%eth0 port 1",
            "x",
            "fe80::1%eth0",
        ),
        ("Invalid user  from UNKNOWN port 65535", "", "UNKNOWN"),
        ("Invalid user a b from 192.0.2.7 port 1", "a b", "192.0.2.7"),
        // A name that looks like the rest of a line.
        (
            "Invalid user x from 198.51.100.1 port 9 from 192.0.2.7 port 1",
            "x from 198.51.100.1 port 9",
            "192.0.2.7",
        ),
        (
            "Invalid user \\303\\251ric\\n\\t\\\\033 from 192.0.2.7 port 1",
            "éric\n\t\\033",
            "192.0.2.7",
        ),
        (
            "Invalid user a#012b#303#251#041c from 192.0.2.7 port 1",
            "a\nbé#041c",
            "192.0.2.7",
        ),
        (
            "Invalid user \\9\\12 from 192.0.2.7 port 1",
            "\\9\\12",
            "192.0.2.7",
        ),
    ] {
        assert_eq!(
            invalid_user(message.as_bytes()),
            invalid(name, source),
            "{message}"
        );
    }
    for other in [
        "",
        "Invalid user",
        "Invalid user x",
        "Invalid user x from somewhere port 1",
        "Invalid user x from 192.0.2.7 port",
        "Invalid user x from 192.0.2.7 port 1 more",
        "Failed none for invalid user x from 192.0.2.7 port 1 ssh2",
        "Connection closed by invalid user x 192.0.2.7 port 1 [preauth]",
        "invalid user x from 192.0.2.7 port 1",
    ] {
        assert_eq!(invalid_user(other.as_bytes()), None, "{other}");
    }
}

#[test]
fn a_name_that_sshd_has_cut_says_so() {
    let cut = format!("Invalid user {} from 192.0.2.7 port 1", "a".repeat(100));
    assert!(invalid_user(cut.as_bytes()).unwrap().cut);
    let escaped = format!(
        "Invalid user {} from 192.0.2.7 port 1",
        "\\303\\251".repeat(50)
    );
    assert!(invalid_user(escaped.as_bytes()).unwrap().cut);
    let whole = format!("Invalid user {} from 192.0.2.7 port 1", "a".repeat(99));
    assert!(!invalid_user(whole.as_bytes()).unwrap().cut);
}

fn at(line: Line) -> String {
    match line {
        Line::Attempt(attempt) => attempt.at.timestamp().to_string(),
        other => format!("{other:?}"),
    }
}

#[test]
fn both_forms_of_syslogs_time_are_understood() {
    let tail = "host sshd[77]: Invalid user x from 192.0.2.7 port 1";
    let iso = format!("2026-11-20T23:00:00.123456+01:00 {tail}");
    assert_eq!(at(syslog(iso.as_bytes(), NOW)), "2026-11-20T22:00:00.123Z");
    // Without a year: the last one that is not in the file's future.
    let year = |stamp: &str| at(syslog(format!("{stamp} {tail}").as_bytes(), NOW))[..4].to_owned();
    assert_eq!(year("Nov 20 05:54:23"), "2026");
    assert_eq!(year("Jan  3 05:54:23"), "2026");
    assert_eq!(year("Dec 30 05:54:23"), "2025");
}

#[test]
fn only_sshds_own_lines_count() {
    let line = |tag: &str| {
        let line = format!("2026-11-20T22:00:00Z host {tag} Invalid user x from 192.0.2.7 port 1");
        matches!(syslog(line.as_bytes(), NOW), Line::Attempt(_))
    };
    assert!(line("sshd[77]:") && line("sshd-session[77]:") && line("sshd:"));
    assert!(!line("sudo[77]:") && !line("xsshd[77]:") && !line("sshd[77]") && !line("kernel:"));
    // A message that quotes such a line is not one.
    let quoted = b"2026-11-20T22:00:00Z host sudo: x sshd[1]: Invalid user x from 192.0.2.7 port 1";
    assert_eq!(syslog(quoted, NOW), Line::Other);
    let other = b"2026-11-20T22:00:00Z host sshd[1]: Accepted publickey for alice";
    assert_eq!(syslog(other, NOW), Line::Sshd);
}

#[test]
fn the_journals_objects_are_understood() {
    let line = br#"{"__REALTIME_TIMESTAMP":"1795240000123456","MESSAGE":"Invalid user x from 192.0.2.7 port 1","_UID":"0"}"#;
    assert_eq!(
        at(journal(line)),
        Time(1_795_240_000_123).timestamp().to_string()
    );
    let bytes: Vec<u8> = b"Invalid user \xc3\xa9 from 192.0.2.7 port 1".to_vec();
    let line = serde_json::json!({"__REALTIME_TIMESTAMP": "1000", "MESSAGE": bytes}).to_string();
    let Line::Attempt(attempt) = journal(line.as_bytes()) else {
        panic!()
    };
    assert_eq!(attempt.invalid.name, "é");
    assert_eq!(journal(br#"{"MESSAGE":null}"#), Line::Sshd);
    assert_eq!(journal(br#"{"MESSAGE":[1,"a",{}]}"#), Line::Sshd);
    assert_eq!(journal(b"-- No entries --"), Line::Other);
}

#[test]
fn attempts_are_counted_by_name_and_source_and_the_near_name_is_found() {
    let mut tally = Tally::default();
    let mut add = |name: &str, source: &str, at: i64| {
        tally.add(Attempt {
            at: Time(at),
            invalid: invalid(name, source).unwrap(),
        });
    };
    add("betty1211", "192.0.2.7", 3);
    add("betty1211", "192.0.2.7", 1);
    add("betty1211", "192.0.2.8", 9);
    add("bteyt1210@dev@web1", "192.0.2.7", 5);
    add("oracle", "198.51.100.1", 4);
    let rows = tally.rows(["betty1210", "alice"]);
    let shown: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row.name.as_str(),
                row.source.as_str(),
                row.count,
                row.first.0,
                row.last.0,
                row.nearest.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("betty1211", "192.0.2.7", 2, 1, 3, Some("betty1210")),
            ("oracle", "198.51.100.1", 1, 4, 4, None),
            (
                "bteyt1210@dev@web1",
                "192.0.2.7",
                1,
                5,
                5,
                Some("betty1210")
            ),
            ("betty1211", "192.0.2.8", 1, 9, 9, Some("betty1210")),
        ]
    );
}

#[test]
fn strangers_do_not_fill_the_memory() {
    let mut tally = Tally::default();
    for number in 0..100_010 {
        tally.add(Attempt {
            at: Time(number),
            invalid: invalid(&format!("n{number}"), "192.0.2.7").unwrap(),
        });
    }
    assert_eq!(tally.others(), 10);
    assert_eq!(tally.rows([]).len(), 100_000);
}

proptest! {
    #[test]
    fn whatever_a_line_holds_nothing_happens(line in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = (syslog(&line, NOW), journal(&line), invalid_user(&line));
    }

    /// Whoever asks for whatever name: his address is sshd's word.
    #[test]
    fn no_name_changes_the_source(name in "[ -~]{0,99}") {
        let message = format!("Invalid user {} from 192.0.2.7 port 1", name.replace('\\', "\\\\"));
        let found = invalid_user(message.as_bytes()).unwrap();
        prop_assert_eq!(found.source, "192.0.2.7");
    }
}
