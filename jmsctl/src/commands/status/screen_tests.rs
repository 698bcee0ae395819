//! The screen fits a terminal, however much there is to tell.

use super::super::{RecordingsState, SnapshotState, Status, StoreState};
use super::{lines, shown, size};
use crate::doctor::Finding;
use jms::nouns::{Login, Session};
use jms::store::Counts;
use jms::time::Time;

fn session(number: i32) -> Session {
    Session {
        id: format!("{number:032x}"),
        login: None,
        user: "a-user-with-a-name-as-long-as-it".to_owned(),
        asset: "an-asset-whose-name-is-as-long-as-names-of-assets-may-ever-be-63".to_owned(),
        address: "192.0.2.1".to_owned(),
        port: 22,
        system_user: "dev".to_owned(),
        account: "dev".to_owned(),
        channel: "shell".to_owned(),
        terminal: true,
        request: String::new(),
        grants: "everyday".to_owned(),
        relay_pid: number,
        relay_started: 0,
        started_at: Time(1_795_251_600_123),
        ended_at: None,
        end_reason: None,
        exit_status: None,
        bytes_in: 0,
        bytes_out: 0,
        recording: String::new(),
        recording_size: None,
        recording_hash: None,
        bytes_not_recorded: None,
        held: false,
    }
}

fn login(number: i32) -> Login {
    Login {
        id: format!("{number:032x}"),
        user: "alice".to_owned(),
        uid: 70_001,
        login_name: "alice@dev@web1".to_owned(),
        source: "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff".to_owned(),
        source_port: None,
        key_type: "ssh-ed25519".to_owned(),
        key: "SHA256:x".to_owned(),
        factors: "publickey".to_owned(),
        factor_at: None,
        sshd_pid: number,
        sshd_started: 0,
        opened_at: Time(1_795_251_600_123),
        closed_at: None,
        close_reason: None,
    }
}

/// A bad day on a busy bastion.
fn busy() -> Status {
    let refusal = serde_json::json!({
        "time": "2026-11-21T09:00:00.123Z", "type": "session.refused", "user": "alice", "reason": "x".repeat(300)
    });
    let finding = Finding {
        id: "sshd.local-accounts",
        severity: crate::doctor::Severity::Critical,
        sentence: "word ".repeat(80),
        command: String::new(),
    };
    Status {
        version: "0.2.0",
        host: "bastion".to_owned(),
        now: Time(1_795_251_600_123),
        store: Some(StoreState {
            path: "/var/lib/jms/jms.db".to_owned(),
            size: 1 << 40,
            generation: u64::MAX,
            counts: Counts {
                users: 100_000,
                assets: 100_000,
                sessions: 1 << 40,
                open_logins: 900,
                live_sessions: 900,
                recorded_bytes: 1 << 50,
                schema: 9,
            },
        }),
        snapshots: SnapshotState {
            users_generation: Some(1),
            keys_generation: Some(1),
            current: Some(false),
        },
        recordings: RecordingsState {
            bytes: Some(1 << 50),
            free: Some(1 << 30),
            size: Some(1 << 50),
        },
        online: (0..900).map(session).collect(),
        last_logins: (0..5).map(login).collect(),
        refusals_today: Some(10_000),
        last_refusals: vec![refusal; 5],
        unsent_events: Some(10_000),
        newest_evidence: Some(Time(1_795_251_700_123)),
        findings: Some(vec![finding; 30]),
    }
}

#[test]
fn a_bad_day_on_a_busy_bastion_fits_a_terminal_of_80_columns_and_24_lines() {
    let lines = lines(&busy(), Some(80));
    assert!(lines.len() < 24, "{lines:#?}");
    for line in &lines {
        assert!(line.chars().count() <= 80, "{line}");
    }
    for part in ["900 sessions", "10000 in the last day", "30 in all"] {
        assert!(lines.iter().any(|line| line.contains(part)), "{part}");
    }
}

#[test]
fn what_goes_to_a_file_is_whole() {
    let lines = lines(&busy(), None);
    assert!(lines.iter().any(|line| line.len() > 300));
}

#[test]
fn sizes_keep_two_to_five_digits() {
    assert_eq!(size(0), "0 bytes");
    assert_eq!(size(10_239), "10239 bytes");
    assert_eq!(size(528_384), "516 KiB");
    assert_eq!(size(40 << 30), "40 GiB");
}

#[test]
fn moments_are_shown_to_the_second() {
    assert_eq!(shown(Time(1_795_251_600_123)), "2026-11-21T09:00:00Z");
}
