//! Logins and sessions.

use super::*;

#[test]
fn a_login_is_found_by_its_token_and_closed_by_its_own_sshd_only() {
    let mut f = fixture();
    f.everyday();
    let (login, token) = f.login(myself());
    assert_eq!(
        (login.user.as_str(), login.source_port, login.closed_at),
        ("alice", Some(40_000), None)
    );
    let another = Process {
        started: 1,
        ..myself()
    };
    assert!(!f.store.close_login(&token, another, NOW).unwrap());
    assert!(f.store.close_login(&token, myself(), NOW).unwrap());
    assert!(
        !f.store.close_login(&token, myself(), NOW).unwrap(),
        "only once"
    );
    let kept = f
        .store
        .read()
        .texts("SELECT token_hash FROM login", [])
        .unwrap();
    assert_ne!(kept[0], token.reveal());
    assert_eq!(f.events("login").len(), 2);
}

#[test]
fn a_granted_session_opens_and_a_refused_one_leaves_only_an_event() {
    let mut f = fixture();
    f.everyday();
    let (login, _) = f.login(myself());
    let opening = f.open_session(&login, Channel::Exec, myself(), access::Counts::default());
    assert!(opening.decision.allow);
    let egress = opening.egress.unwrap();
    assert_eq!(
        (egress.account.as_str(), egress.asset.address.as_str()),
        ("dev", "198.51.100.11")
    );
    let refused = f.open_session(&login, Channel::Tunnel, myself(), access::Counts::default());
    assert!(!refused.decision.allow && refused.egress.is_none());
    let sessions = f
        .store
        .read()
        .sessions(&SessionSearch {
            limit: 10,
            ..SessionSearch::default()
        })
        .unwrap();
    assert_eq!(sessions.len(), 1);
    let id = Id::parse(&sessions[0].id).unwrap();
    let end = EndOfSession {
        reason: "exit",
        exit_status: Some(3),
        bytes_in: 5,
        bytes_out: 7,
        bytes_not_recorded: Some(2),
        ..EndOfSession::default()
    };
    f.store
        .close_session(&id, &login, &end, NOW.plus(2000))
        .unwrap();
    let session = f
        .store
        .read()
        .session_by_prefix(&sessions[0].id[..6])
        .unwrap();
    assert_eq!(
        (session.exit_status, session.end_reason.as_deref()),
        (Some(3), Some("exit"))
    );
    assert_eq!(session.bytes_not_recorded, Some(2));
    assert_eq!(f.events("session.close")[0]["bytes_not_recorded"], 2);
    assert_eq!(f.events("session.open")[0]["source"], "192.0.2.7");
    assert_eq!(f.events("session.close")[0]["exit_status"], 3);
    assert_eq!(
        f.events("session.refused")[0]["reason"],
        "no grant gives the right tunnel"
    );
}

#[test]
fn the_limit_counts_live_sessions_only() {
    let mut f = fixture();
    f.everyday();
    let (login, _) = f.login(myself());
    let one = access::Counts {
        user: Some(1),
        ..access::Counts::default()
    };
    assert!(
        f.open_session(&login, Channel::Exec, myself(), one)
            .decision
            .allow
    );
    let second = f.open_session(&login, Channel::Exec, myself(), one);
    assert_eq!(
        second.decision.reason,
        access::Reason::LimitReached(access::Limit::User)
    );
}

#[test]
fn an_assets_own_limit_comes_before_the_settings() {
    let mut f = fixture();
    f.everyday();
    let (login, _) = f.login(myself());
    let one = access::Counts {
        asset: Some(1),
        ..access::Counts::default()
    };
    let mut opened = |own: Option<u32>| {
        let mut web1 = f.store.read().asset("web1").unwrap();
        web1.limit_sessions = own;
        f.change(|change| change.set_asset(&web1)).unwrap();
        let opening = f.open_session(&login, Channel::Exec, myself(), one);
        opening.decision.allow
    };
    assert!(opened(None));
    assert!(!opened(None), "the settings' limit is met");
    assert!(!opened(Some(1)) && opened(Some(2)) && opened(Some(3)));
}

#[test]
fn what_ended_without_a_word_is_closed_by_whoever_looks_next() {
    let mut f = fixture();
    f.everyday();
    let gone = Process {
        started: 1,
        ..myself()
    };
    let (login, _) = f.login(gone);
    f.open_session(&login, Channel::Exec, gone, access::Counts::default());
    assert_eq!(f.store.sweep(NOW).unwrap(), 2);
    let session = &f
        .store
        .read()
        .sessions(&SessionSearch {
            limit: 1,
            ..SessionSearch::default()
        })
        .unwrap()[0];
    assert_eq!(
        (session.end_reason.as_deref(), session.ended_at),
        (Some("lost"), Some(NOW))
    );
    assert_eq!(f.events("session.lost").len(), 1);
    assert_eq!(f.store.sweep(NOW).unwrap(), 0);
}

#[test]
fn a_live_session_is_told_before_anybody_waits_for_another_publisher() {
    let mut f = fixture();
    f.everyday();
    let lock = std::fs::File::create(f.store.paths().state().join("publish.lock")).unwrap();
    let lock = nix::fcntl::Flock::lock(lock, nix::fcntl::FlockArg::LockExclusive).unwrap();
    let socket =
        std::os::unix::net::UnixDatagram::bind(f.store.paths().sessions().join("x")).unwrap();
    // Less than a publisher waits.
    socket
        .set_read_timeout(Some(std::time::Duration::from_secs(8)))
        .unwrap();
    let mut alice = f.store.read().user("alice").unwrap();
    alice.enabled = false;
    let told = std::thread::scope(|scope| {
        let told = scope.spawn(|| {
            let mut word = [0; 32];
            let told = socket.recv(&mut word).map(|length| word[..length].to_vec());
            drop(lock);
            told
        });
        f.change(|change| change.set_user(&alice)).unwrap();
        told.join().unwrap()
    });
    let policy = f.store.read().policy_number().unwrap();
    assert_eq!(told.unwrap(), format!("decide-again {policy}").as_bytes());
}

#[test]
fn a_live_session_hears_of_a_withdrawn_grant() {
    let mut f = fixture();
    f.everyday();
    let (login, _) = f.login(myself());
    let user = f.store.read().user("alice").unwrap();
    let target = f.store.read().targets(&user, NOW).unwrap().remove(0);
    let target = (target.asset_id, target.system_user_id);
    f.open_session(&login, Channel::Exec, myself(), access::Counts::default());
    let socket =
        std::os::unix::net::UnixDatagram::bind(f.store.paths().sessions().join("x")).unwrap();
    socket
        .set_read_timeout(Some(std::time::Duration::from_secs(5)))
        .unwrap();
    assert!(
        f.store
            .decide_again(user.uid, &login, target, Channel::Exec, NOW, NOW)
            .unwrap()
            .unwrap()
            .allow
    );
    f.change(|change| change.remove_grant("everyday")).unwrap();
    let mut word = [0; 32];
    let length = socket.recv(&mut word).unwrap();
    let policy = f.store.read().policy_number().unwrap();
    assert_eq!(&word[..length], format!("decide-again {policy}").as_bytes());
    assert!(
        !f.store
            .decide_again(user.uid, &login, target, Channel::Exec, NOW, NOW)
            .unwrap()
            .unwrap()
            .allow
    );
    f.change(|change| change.remove_user("alice")).unwrap();
    assert!(
        f.store
            .decide_again(user.uid, &login, target, Channel::Exec, NOW, NOW)
            .unwrap()
            .is_none()
    );
}

#[test]
fn a_lost_sessions_recording_gets_its_anchor_from_whoever_looks() {
    let mut f = fixture();
    f.everyday();
    let gone = Process {
        started: 1,
        ..myself()
    };
    let (login, _) = f.login(myself());
    f.open_session(&login, Channel::Exec, gone, access::Counts::default());
    f.store.sweep(NOW).unwrap();
    assert_eq!(
        f.store.anchor_lost_recordings().unwrap(),
        0,
        "there is no file"
    );
    let session = f
        .store
        .read()
        .sessions(&SessionSearch {
            limit: 1,
            ..SessionSearch::default()
        })
        .unwrap()
        .remove(0);
    let id = Id::parse(&session.id).unwrap();
    let header = crate::recording::Header {
        started_at: NOW,
        width: 80,
        height: 24,
        term: None,
        title: None,
        command: None,
        meta: Default::default(),
    };
    let mut recorder =
        crate::recording::Recorder::create(&f.store.paths().recordings(), &id, &header).unwrap();
    recorder
        .output(std::time::Duration::from_secs(1), b"hello")
        .unwrap();
    drop(recorder);
    let file = crate::recording::path_of(&f.store.paths().recordings(), &id, NOW);
    let wanted = f.store.paths().recordings().join(&session.recording);
    std::fs::create_dir_all(wanted.parent().unwrap()).unwrap();
    std::fs::rename(file, &wanted).unwrap();
    assert_eq!(f.store.anchor_lost_recordings().unwrap(), 1);
    let session = f.store.read().session_by_prefix(id.as_str()).unwrap();
    assert!(session.recording_hash.is_some());
    assert_eq!(
        session.recording_size,
        Some(std::fs::metadata(&wanted).unwrap().len())
    );
}
