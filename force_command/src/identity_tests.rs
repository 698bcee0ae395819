//! The login row, the uid and the ancestry, with a real store.

use super::*;
use crate::start::environment::Environment;
use jms::id::Token;
use jms::keys::PublicKey;
use jms::nouns::LoginKey;
use jms::paths::Paths;
use jms::process::{self, Process};
use jms::store::{Actor, NewLogin};

struct House {
    _folder: tempfile::TempDir,
    store: Store,
    token: Token,
    uid: u32,
}

fn actor() -> Actor {
    Actor {
        name: "root".into(),
        why: String::new(),
    }
}

fn add_user(store: &mut Store, name: &str) -> User {
    let (now, high_water) = (Time::now(), store.paths().uid_high_water());
    let add = |change: &jms::store::Change<'_>| {
        change.add_user(&User::new(name, now), 70000..=99999, &high_water, |_| false)
    };
    store.change(&actor(), now, add).unwrap()
}

/// The key of the logins here.
fn alices_key() -> LoginKey {
    let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";
    let key = PublicKey::parse_line(line).unwrap();
    LoginKey {
        id: 0,
        user: "alice".into(),
        kind: key.kind().as_str().into(),
        blob: key.blob().to_vec(),
        fingerprint: key.fingerprint().to_string(),
        from: vec![],
        valid_until: None,
        verify_required: false,
        comment: String::new(),
        created_at: Time::now(),
        updated_at: Time::now(),
    }
}

/// A store with alice, and her login through `sshd`.
fn house(sshd: Process) -> House {
    let folder = tempfile::tempdir().unwrap();
    let paths = Paths::under(folder.path());
    paths.create().unwrap();
    std::fs::write(
        paths.uid_range(),
        "range 70000-99999\njms-users 998\njms-mfa 997\n",
    )
    .unwrap();
    let mut store = Store::create(&paths).unwrap();
    store.set_event_sender(event::Sender::to(folder.path().join("no-syslog")));
    let now = Time::now();
    let user = add_user(&mut store, "alice");
    let key = alices_key();
    store
        .change(&actor(), now, |change| change.add_login_key(&key))
        .unwrap();
    let new = NewLogin {
        user: &user,
        login_name: "alice@dev@web1",
        source: "192.0.2.9",
        source_port: Some(4242),
        key_type: "ssh-ed25519",
        fingerprint: &key.fingerprint,
        factors: "publickey",
        factor_at: None,
        sshd,
    };
    let opened = store.open_login(&new, now).unwrap();
    House {
        _folder: folder,
        store,
        token: opened.token,
        uid: user.uid,
    }
}

fn start(house: &House, name: &str, token: Option<&Token>) -> Start {
    Start {
        uid: house.uid,
        gid: 998,
        service_uid: 990,
        environment: Environment {
            login_name: Some(name.to_owned()),
            token: token.cloned(),
            ..Environment::default()
        },
        command: None,
        has_terminal: false,
    }
}

fn word(house: &House, start: &Start) -> &'static str {
    identify(&house.store, start, Time::now()).map_or_else(|stranger| stranger.word(), |_| "known")
}

#[test]
fn the_uids_user_through_his_own_open_login_under_its_sshd() {
    let mut house = house(process::myself().unwrap());
    let good = start(&house, "alice@dev@web1", Some(&house.token));
    let identity = identify(&house.store, &good, Time::now()).unwrap();
    assert_eq!(
        (identity.user.name.as_str(), identity.tail.as_deref()),
        ("alice", Some("dev@web1"))
    );

    assert_eq!(
        word(&house, &start(&house, "alice", None)),
        "no-login-token"
    );
    assert_eq!(
        word(
            &house,
            &start(&house, "alice", Some(&Token::random().unwrap()))
        ),
        "unknown-login-token"
    );
    assert_eq!(
        word(&house, &start(&house, "bob@dev@web1", Some(&house.token))),
        "login-name-of-another-user"
    );
    let mut nobody = start(&house, "alice", Some(&house.token));
    nobody.uid += 1;
    assert_eq!(word(&house, &nobody), "no-such-user");

    let token = house.token.clone();
    assert!(
        house
            .store
            .close_login(&token, process::myself().unwrap(), Time::now())
            .unwrap()
    );
    assert_eq!(word(&house, &good), "login-closed");
}

#[test]
fn a_login_of_another_user_or_under_another_sshd_is_not_ours() {
    let me = process::myself().unwrap();
    let mut house = house(Process {
        started: me.started + 1,
        ..me
    });
    assert_eq!(
        word(&house, &start(&house, "alice", Some(&house.token))),
        "login-of-another-sshd"
    );
    let bob = add_user(&mut house.store, "bob");
    let mut as_bob = start(&house, "bob", Some(&house.token));
    as_bob.uid = bob.uid;
    assert_eq!(word(&house, &as_bob), "login-of-another-user");
}

#[test]
fn a_disabled_user_is_refused_although_his_login_is_open() {
    let mut house = house(process::myself().unwrap());
    let now = Time::now();
    let mut alice = house.store.read().user("alice").unwrap();
    alice.enabled = false;
    house
        .store
        .change(&actor(), now, |change| change.set_user(&alice))
        .unwrap();
    assert_eq!(
        word(&house, &start(&house, "alice", Some(&house.token))),
        "user-not-valid"
    );
}

#[test]
fn a_removed_or_expired_key_opens_nothing_although_its_login_is_open() {
    let mut house = house(process::myself().unwrap());
    let good = start(&house, "alice@dev@web1", Some(&house.token));
    assert_eq!(word(&house, &good), "known");
    let expired = LoginKey {
        valid_until: Some(Time(Time::now().0 - 1)),
        ..alices_key()
    };
    let now = Time::now();
    house
        .store
        .change(&actor(), now, |change| change.set_login_key(&expired))
        .unwrap();
    assert_eq!(word(&house, &good), "key-removed");
    house
        .store
        .change(&actor(), now, |change| change.remove_login_key(&expired))
        .unwrap();
    assert_eq!(word(&house, &good), "key-removed");
}
