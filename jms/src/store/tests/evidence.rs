//! What is kept and found of what was done.

use super::*;

#[test]
fn events_wait_for_syslog_and_go_out_in_order() {
    let mut f = fixture();
    f.everyday();
    let unsent = EventSearch {
        unsent: true,
        limit: 100,
        ..EventSearch::default()
    };
    let waiting = f.store.read().events(&unsent).unwrap();
    assert!(
        waiting.len() >= 4
            && waiting
                .windows(2)
                .all(|pair| pair[0].seq + 1 == pair[1].seq)
    );
    let path = f.folder.path().join("log");
    let syslog = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    syslog
        .set_read_timeout(Some(std::time::Duration::from_secs(5)))
        .unwrap();
    f.store.set_event_sender(event::Sender::to(&path));
    assert_eq!(f.store.send_unsent(), waiting.len());
    let mut line = vec![0; 65_536];
    for row in &waiting {
        let length = syslog.recv(&mut line).unwrap();
        let text = String::from_utf8_lossy(&line[..length]).into_owned();
        assert!(
            text.contains(&format!("seq=\"{}\"", row.seq))
                || text.contains(&format!("seq={}", row.seq)),
            "{text}"
        );
    }
    assert!(f.store.read().events(&unsent).unwrap().is_empty());
}

#[test]
fn what_every_login_asks_does_not_grow_with_history() {
    let f = fixture();
    for (sql, index) in [
        ("SELECT * FROM login WHERE closed_at IS NULL", "login_open"),
        (
            "SELECT * FROM session WHERE ended_at IS NULL",
            "session_live",
        ),
        (
            "SELECT * FROM login WHERE token_hash = ?1",
            "sqlite_autoindex_login",
        ),
        (
            "SELECT * FROM login WHERE id >= ?1 AND id < ?1 || '{' LIMIT 2",
            "PRIMARY KEY",
        ),
        (
            "SELECT * FROM session WHERE id >= ?1 AND id < ?1 || '{' LIMIT 2",
            "PRIMARY KEY",
        ),
        (
            "SELECT EXISTS (SELECT 1 FROM event WHERE sent = 0)",
            "event_unsent",
        ),
        ("SELECT max(uid) FROM user", "sqlite_autoindex_user"),
        ("SELECT max(uid) FROM login", "login_by_uid"),
        (
            "SELECT * FROM session WHERE end_reason = 'lost' AND recording <> '' AND recording_hash IS NULL LIMIT 20",
            "session_without_anchor",
        ),
    ] {
        let mut statement = f
            .store
            .connection
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .unwrap();
        let nothing = vec![""; statement.parameter_count()];
        let rows = statement
            .query_map(rusqlite::params_from_iter(nothing), |row| {
                row.get::<_, String>(3)
            })
            .unwrap();
        let plan: Vec<String> = rows.map(Result::unwrap).collect();
        assert!(plan.join("; ").contains(index), "{sql}: {plan:?}");
    }
}

#[test]
fn sending_does_not_wait_for_a_busy_store() {
    let mut f = fixture();
    f.everyday();
    let other = rusqlite::Connection::open(f.store.paths().database()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let begun = std::time::Instant::now();
    assert_eq!(f.store.send_unsent(), 0);
    assert!(begun.elapsed() < std::time::Duration::from_secs(1));
}

#[test]
fn what_was_done_in_a_session_and_a_login_is_found_and_nothing_of_others() {
    let mut fixture = fixture();
    fixture.everyday();
    let (login, _) = fixture.login(process::myself().unwrap());
    let (other_login, _) = fixture.login(process::myself().unwrap());
    let mut sessions = Vec::new();
    for login in [&login, &other_login] {
        let opened = fixture.open_session(
            login,
            Channel::Shell,
            process::myself().unwrap(),
            access::Counts::default(),
        );
        assert!(opened.decision.allow);
    }
    for one in fixture.store.read().live_sessions().unwrap() {
        let mine = one.login.as_ref() == Some(&login.id);
        sessions.insert(if mine { 0 } else { sessions.len() }, one.id);
    }
    let (mine, others) = (sessions[0].clone(), sessions[1].clone());
    for (session, line, path) in [(&mine, "id", "/tmp/a"), (&others, "rm", "/tmp/b")] {
        for (at, captured) in [(2, "exact"), (1, "likely")] {
            fixture
                .store
                .connection
                .execute(
                    "INSERT INTO command (session_id, run_at, line, captured, verdict, action, recorded_at)
                     VALUES (?1, ?2, ?3, ?4, 'allow', 'accept', ?2)",
                    rusqlite::params![session, at, format!("{line} {at}"), captured],
                )
                .unwrap();
        }
        fixture
            .store
            .connection
            .execute(
                "INSERT INTO transfer (session_id, begun_at, operation, path, size, verdict, result)
                 VALUES (?1, 3, 'upload', ?2, 7, 'allow', 'done')",
                rusqlite::params![session, path],
            )
            .unwrap();
    }
    // Somebody looks at a session through a login of his own.
    let looked = event::Event::new(event::Type::EvidenceRead)
        .login(other_login.id.as_str())
        .session(mine.as_str());
    fixture.store.emit(&looked).unwrap();

    let read = fixture.store.read();
    let lines = |limit| -> Vec<String> {
        let commands = read.commands_of(&mine, limit).unwrap();
        commands.into_iter().map(|command| command.line).collect()
    };
    assert_eq!(lines(9), ["id 1", "id 2"]);
    assert_eq!(lines(1), ["id 2"]);
    let transfers = read.transfers_of(&mine, 9).unwrap();
    assert_eq!(transfers.len(), 1);
    assert_eq!(
        (transfers[0].path.as_str(), transfers[0].size),
        ("/tmp/a", Some(7))
    );
    let kinds = |rows: Vec<crate::nouns::EventRow>| -> Vec<String> {
        let kind = |row: &crate::nouns::EventRow| {
            let body: serde_json::Value = serde_json::from_str(&row.body).unwrap();
            body["type"].as_str().unwrap().to_owned()
        };
        rows.iter().map(kind).collect()
    };
    assert_eq!(
        kinds(read.events_of_session(&mine, 9).unwrap()),
        ["session.open", "evidence.read"]
    );
    assert_eq!(
        kinds(read.events_of_session(&mine, 1).unwrap()),
        ["evidence.read"]
    );
    // What belongs to a session of the login stands there; what its user looked at, here.
    assert_eq!(
        kinds(read.events_of_login(&login.id, 9).unwrap()),
        ["login.open"]
    );
    assert_eq!(
        kinds(read.events_of_login(&other_login.id, 9).unwrap()),
        ["login.open", "evidence.read"]
    );
}

#[test]
fn the_events_of_one_login_session_or_type_are_found_by_an_index() {
    let fixture = fixture();
    for (sql, index) in [
        (
            "SELECT seq FROM event WHERE login_id = ?1 AND login_id <> '' ORDER BY seq DESC",
            "event_by_login",
        ),
        (
            "SELECT seq FROM event WHERE session_id = ?1 AND session_id <> '' ORDER BY seq DESC",
            "event_by_session",
        ),
        (
            "SELECT seq FROM event WHERE type = ?1 ORDER BY seq DESC",
            "event_by_type",
        ),
    ] {
        let plan: String = fixture
            .store
            .connection
            .query_row(&format!("EXPLAIN QUERY PLAN {sql}"), ["x"], |row| {
                row.get(3)
            })
            .unwrap();
        assert!(plan.contains(index), "{sql}: {plan}");
    }
}
