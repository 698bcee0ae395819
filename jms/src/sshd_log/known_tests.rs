//! Lines about users who did not get as far as their second factor, as real sshds wrote them, and what names make of them.

use super::*;
use proptest::prelude::*;

const NOW: Time = Time(1_795_240_000_000); // 2026-11-21
const KEY: &str = "SHA256:ZA1EbvJ0Y4S1ztmYzdc84NW4gvsyWKyRbBd6whsSlGM";

fn moment(line: &str) -> Moment {
    match syslog(line.as_bytes(), NOW) {
        Line::Moment(moment) => moment,
        other => panic!("{other:?}: {line}"),
    }
}

/// What is left of the lines.
fn rows(lines: &[String]) -> Vec<Ended> {
    let mut endings = Endings::default();
    for line in lines {
        endings.add(moment(line));
    }
    endings.rows(|_| true)
}

fn at(second: u32, tag: &str, message: &str) -> String {
    format!("2026-11-20T22:00:{second:02}.5+00:00 bastion {tag}[77]: {message}")
}

fn proven(name: &str, port: u16) -> String {
    format!("Partial publickey for {name} from 192.0.2.7 port {port} ssh2: ED25519 {KEY}")
}

fn begun(name: &str, port: u16) -> String {
    format!("Postponed keyboard-interactive for {name} from 192.0.2.7 port {port} ssh2 [preauth]")
}

fn ended(name: &str, port: u16) -> String {
    format!("Connection closed by authenticating user {name} 192.0.2.7 port {port} [preauth]")
}

#[test]
fn each_way_to_end_is_known_with_name_address_and_port() {
    for (words, name, source) in [
        (
            "Connection closed by authenticating user alice@dev@web1 10.77.0.100 port 41234 [preauth]",
            "alice@dev@web1",
            "10.77.0.100",
        ),
        (
            "Connection reset by authenticating user alice 2001:db8::7 port 41234 [preauth]",
            "alice",
            "2001:db8::7",
        ),
        (
            "Disconnected from authenticating user alice fe80::1%eth0 port 41234 [preauth]",
            "alice",
            "fe80::1%eth0",
        ),
        (
            "Connection closed by authenticating user a \\303\\251 192.0.2.1 port 7 192.0.2.7 port 41234",
            "a é 192.0.2.1 port 7",
            "192.0.2.7",
        ),
    ] {
        let known = known_user(words.as_bytes()).unwrap_or_else(|| panic!("{words}"));
        assert_eq!((known.name.as_str(), known.source.as_str()), (name, source));
        assert_eq!((known.port, known.step), (41234, Step::Ended));
    }
    for other in [
        "",
        "Connection closed by authenticating user alice",
        "Connection closed by authenticating user alice 192.0.2.7 port 65536 [preauth]",
        "Connection closed by authenticating user alice somewhere port 1 [preauth]",
        "Connection closed by invalid user x 192.0.2.7 port 1 [preauth]",
        "Connection closed by 192.0.2.7 port 1 [preauth]",
        "Disconnected from user alice 192.0.2.7 port 1",
        "Partial publickey for alice from 192.0.2.7 port 1 ssh2",
        "Partial publickey for alice from 192.0.2.7 port 1 ssh2: ED25519 MD5:00",
        "Postponed publickey for alice from 192.0.2.7 port 1 ssh2 [preauth]",
        "Accepted publickey for alice from 192.0.2.7 port 1 ssh2: ED25519 SHA256:x",
        "Accepted keyboard-interactive/pam for alice from 192.0.2.7 port 1 ssh2",
    ] {
        assert_eq!(known_user(other.as_bytes()), None, "{other}");
    }
}

#[test]
fn the_lines_of_a_connection_tell_how_far_it_came() {
    for tag in ["sshd", "sshd-session"] {
        let rows = rows(&[
            // A client in BatchMode.
            at(1, tag, &proven("alice@dev@web1", 1)),
            at(2, tag, &ended("alice@dev@web1", 1)),
            // A person who left at the question.
            at(3, tag, &proven("alice", 2)),
            at(4, tag, &begun("alice", 2)),
            at(5, tag, &ended("alice", 2)),
            // Without VERBOSE.
            at(6, tag, &ended("alice", 3)),
            at(7, tag, &ended("alice@web2", 4)),
        ]);
        let told: Vec<_> = rows
            .iter()
            .map(|row| (row.last.name.as_str(), row.last.stage.clone(), row.count))
            .collect();
        assert_eq!(
            told,
            [
                ("alice@dev@web1", Stage::OnlyKey(KEY.to_owned()), 1),
                ("alice", Stage::Begun(Some(KEY.to_owned())), 1),
                ("alice@web2", Stage::Untold, 2),
            ]
        );
        assert_eq!(rows[2].last.at.0 - rows[2].first.0, 1000);
    }
}

/// As OpenSSH 9.2 (Debian 12) and 10.0 (Debian 13) wrote them for `ssh -o BatchMode=yes` and for `plink -batch`, which begins
/// keyboard-interactive and leaves; then for the first without VERBOSE.
#[test]
fn the_lines_of_real_servers_tell_a_client_in_batch_mode_from_one_that_left() {
    let real = [
        "2026-11-21T18:06:35.246593+00:00 bastion sshd[442]: Postponed publickey for alice@dev@web1 from 192.0.2.100 port 39282 ssh2 [preauth]",
        "2026-11-21T18:06:35.249953+00:00 bastion sshd[442]: Partial publickey for alice@dev@web1 from 192.0.2.100 port 39282 ssh2: ED25519 SHA256:8tea1LjXNanQnKjcDlxFmYL3eUus/KPqff+jxbceuOg",
        "2026-11-21T18:06:35.255219+00:00 bastion sshd[442]: Connection closed by authenticating user alice@dev@web1 192.0.2.100 port 39282 [preauth]",
        "2026-11-21T18:06:36.084892+00:00 bastion sshd[448]: Partial publickey for alice@dev@web1 from 192.0.2.100 port 38807 ssh2: ED25519 SHA256:8tea1LjXNanQnKjcDlxFmYL3eUus/KPqff+jxbceuOg",
        "2026-11-21T18:06:36.127104+00:00 bastion sshd[448]: Postponed keyboard-interactive for alice@dev@web1 from 192.0.2.100 port 38807 ssh2 [preauth]",
        "2026-11-21T18:06:36.127149+00:00 bastion sshd[448]: Connection closed by authenticating user alice@dev@web1 192.0.2.100 port 38807 [preauth]",
        "2026-11-21T18:07:55.639601+00:00 bastion sshd-session[411]: Connection closed by authenticating user alice@dev@web1 192.0.2.100 port 39904 [preauth]",
        "2026-11-21T18:08:01.822547+00:00 bastion sshd-session[441]: Partial publickey for alice@dev@web1 from 192.0.2.100 port 35326 ssh2: ED25519 SHA256:R3MC1R7fNDtolwOcQzZBj0O3R5qadJ1Bee7gjmYD/gU",
        "2026-11-21T18:08:01.830031+00:00 bastion sshd-session[441]: Connection closed by authenticating user alice@dev@web1 192.0.2.100 port 35326 [preauth]",
        "2026-11-21T18:08:02.230354+00:00 bastion sshd-session[447]: Partial publickey for alice@dev@web1 from 192.0.2.100 port 43199 ssh2: ED25519 SHA256:R3MC1R7fNDtolwOcQzZBj0O3R5qadJ1Bee7gjmYD/gU",
        "2026-11-21T18:08:02.252694+00:00 bastion sshd-session[447]: Postponed keyboard-interactive for alice@dev@web1 from 192.0.2.100 port 43199 ssh2 [preauth]",
        "2026-11-21T18:08:02.252733+00:00 bastion sshd-session[447]: Connection closed by authenticating user alice@dev@web1 192.0.2.100 port 43199 [preauth]",
    ];
    let mut endings = Endings::default();
    for line in real {
        match syslog(line.as_bytes(), NOW) {
            Line::Moment(moment) => endings.add(moment),
            other => assert_eq!(other, Line::Sshd, "{line}"),
        }
    }
    let old = || Some("SHA256:8tea1LjXNanQnKjcDlxFmYL3eUus/KPqff+jxbceuOg".to_owned());
    let new = || Some("SHA256:R3MC1R7fNDtolwOcQzZBj0O3R5qadJ1Bee7gjmYD/gU".to_owned());
    let rows = endings.rows(|_| true).into_iter();
    let stages: Vec<Stage> = rows.map(|row| row.last.stage).collect();
    assert_eq!(
        stages,
        [
            Stage::OnlyKey(old().unwrap_or_default()),
            Stage::Begun(old()),
            Stage::Untold,
            Stage::OnlyKey(new().unwrap_or_default()),
            Stage::Begun(new()),
        ]
    );
}

#[test]
fn lines_of_another_connection_from_the_same_port_say_nothing() {
    let stage = |lines: &[String]| rows(lines).remove(0).last.stage;
    // By another name.
    let others = [
        at(1, "sshd", &proven("bob", 1)),
        at(2, "sshd", &ended("alice", 1)),
    ];
    assert_eq!(stage(&others), Stage::Untold);
    // Long ago: that one has logged in.
    let old = [
        at(1, "sshd", &proven("alice", 1)),
        at(2, "sshd", &ended("alice", 1)).replace("T22:00", "T22:20"),
    ];
    assert_eq!(stage(&old), Stage::Untold);
    // sshd cuts a long name where it tells what was tried.
    let long = format!("alice@{}", "a".repeat(120));
    let cut = [
        at(1, "sshd", &proven(&long[..100], 1)),
        at(2, "sshd", &ended(&long, 1)),
    ];
    assert_eq!(stage(&cut), Stage::OnlyKey(KEY.to_owned()));
}

#[test]
fn whoever_knows_a_name_does_not_fill_the_memory() {
    let mut endings = Endings::default();
    let mut add = |number: u32, step: Step| {
        endings.add(Moment {
            at: Time(i64::from(number)),
            known: Known {
                name: "alice".to_owned(),
                source: std::net::Ipv4Addr::from(number).to_string(),
                port: 1,
                step,
            },
        });
    };
    for number in 0..100_010 {
        add(number, Step::KeyProven { key: String::new() });
    }
    for number in 0..100_010 {
        add(number, Step::Ended);
    }
    assert_eq!(endings.others(), 10);
    assert_eq!(endings.span(), Some((Time(10), Time(100_009))));
    assert_eq!(endings.rows(|_| true).len(), 100_000);
}

proptest! {
    /// Whoever asks for whatever name: his address and port are sshd's word.
    #[test]
    fn no_name_changes_the_source(name in "[ -~]{0,99}") {
        let written = name.replace('\\', "\\\\");
        for line in [proven(&written, 4242), begun(&written, 4242), ended(&written, 4242)] {
            let known = known_user(line.as_bytes()).unwrap();
            prop_assert_eq!((known.source.as_str(), known.port), ("192.0.2.7", 4242));
        }
    }
}
