//! The helper's answers from a real store, without a process around them.

use event::Sender;
use jms::keys::Fingerprint;
use jms::nouns::{LoginKey, Mfa, User};
use jms::paths::Paths;
use jms::process::{self, Process};
use jms::settings::Settings;
use jms::store::{Actor, EventSearch, LoginSearch, Store};
use jms::time::Time;
use jms_pam_helper::answer::answer;
use pam_jms_protocol::{Allow, HelperMessage, LoginToken, Phase, Refusal, Refuse, Request};

const NOW: Time = Time(1_800_000_000_000);
const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPAaKq47/kg4Dt6K28HYdE4b1kAbFDdHGTRDjiXV2R1I";

struct Fixture {
    store: Store,
    _folder: tempfile::TempDir,
}

fn blob() -> Vec<u8> {
    use base64::Engine;
    let (_, encoded) = KEY.split_once(' ').unwrap();
    base64::engine::general_purpose::STANDARD
        .decode(encoded)
        .unwrap()
}

fn me() -> Process {
    process::myself().unwrap()
}

/// A store with alice (the first uid) and her key.
fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let paths = Paths::under(folder.path());
    paths.create().unwrap();
    let mut store = Store::create(&paths).unwrap();
    store.set_event_sender(Sender::to(folder.path().join("no-syslog")));
    let high_water = paths.uid_high_water();
    change(&mut store, |change| {
        change.add_user(
            &User::new("alice", NOW),
            70_001..=70_009,
            &high_water,
            |_| false,
        )?;
        change.add_login_key(&LoginKey {
            id: 0,
            user: "alice".into(),
            kind: "ssh-ed25519".into(),
            blob: blob(),
            fingerprint: Fingerprint::of(&blob()).to_string(),
            from: vec!["203.0.113.0/24".into()],
            valid_until: None,
            verify_required: false,
            comment: String::new(),
            created_at: NOW,
            updated_at: NOW,
        })
    });
    Fixture {
        store,
        _folder: folder,
    }
}

fn change<T>(
    store: &mut Store,
    work: impl FnOnce(&jms::store::Change<'_>) -> Result<T, jms::store::StoreError>,
) {
    let actor = Actor {
        name: "root".into(),
        why: String::new(),
    };
    store.change(&actor, NOW, work).unwrap();
}

fn request(phase: Phase) -> Request {
    Request {
        phase,
        user: "alice@dev@web1".into(),
        uid: 70_001,
        service: "sshd".into(),
        remote_host: Some("client.example".into()),
        terminal: Some("ssh".into()),
        authentication: Some(format!("publickey {KEY}\n")),
        connection: Some("203.0.113.7 50022 192.0.2.1 22".into()),
        process: std::process::id(),
        token: None,
        passed: None,
    }
}

impl Fixture {
    fn edit(&mut self, edit: impl FnOnce(&mut User)) {
        change(&mut self.store, |change| {
            let mut user = change.read().user("alice")?;
            edit(&mut user);
            change.set_user(&user)
        });
    }

    fn ask(&mut self, request: &Request) -> HelperMessage {
        answer(request, &mut self.store, &Settings::default(), me(), NOW)
    }

    fn both(&mut self) -> [HelperMessage; 2] {
        let account = Request {
            authentication: None,
            ..request(Phase::Account)
        };
        [self.ask(&account), self.ask(&request(Phase::OpenSession))]
    }

    fn logins(&self, open: bool) -> Vec<jms::nouns::Login> {
        let search = LoginSearch {
            open,
            limit: 100,
            ..LoginSearch::default()
        };
        self.store.read().logins(&search).unwrap()
    }

    fn events(&self, kind: &str) -> Vec<serde_json::Value> {
        let search = EventSearch {
            kind: Some(kind.into()),
            limit: 100,
            ..EventSearch::default()
        };
        let rows = self.store.read().events(&search).unwrap();
        rows.iter()
            .map(|row| serde_json::from_str(&row.body).unwrap())
            .collect()
    }

    fn open(&mut self) -> LoginToken {
        match self.ask(&request(Phase::OpenSession)) {
            HelperMessage::Allow(allow) => {
                assert_eq!(allow.environment.len(), 1);
                assert_eq!(allow.environment[0].name, "JMS_LOGIN");
                LoginToken::parse(&allow.environment[0].value).unwrap()
            }
            other => panic!("{other:?}"),
        }
    }

    fn close(&mut self, token: &LoginToken, sshd: Process) -> HelperMessage {
        let close = Request {
            token: Some(token.clone()),
            ..request(Phase::CloseSession)
        };
        answer(&close, &mut self.store, &Settings::default(), sshd, NOW)
    }
}

fn refusal(message: &HelperMessage) -> Option<Refusal> {
    match message {
        HelperMessage::Refuse(Refuse { refusal, .. }) => Some(*refusal),
        _ => None,
    }
}

#[test]
fn a_good_account_passes_and_leaves_no_trace_until_its_session() {
    let mut fixture = fixture();
    let account = fixture.ask(&request(Phase::Account));
    assert_eq!(account, HelperMessage::Allow(Allow::default()));
    assert_eq!(fixture.logins(false), []);
}

#[test]
fn a_login_has_all_that_is_known_of_it() {
    let mut fixture = fixture();
    let token = fixture.open();
    let login = fixture.logins(true).remove(0);
    let told = (login.user.as_str(), login.uid, login.login_name.as_str());
    assert_eq!(told, ("alice", 70_001, "alice@dev@web1"));
    assert_eq!(
        (login.source.as_str(), login.source_port),
        ("203.0.113.7", Some(50022))
    );
    assert_eq!(login.key, Fingerprint::of(&blob()).to_string());
    assert_eq!(
        (login.key_type.as_str(), login.factors.as_str()),
        ("ssh-ed25519", "publickey")
    );
    assert_eq!(
        (login.sshd_pid, login.sshd_started),
        (me().pid, me().started)
    );
    assert_eq!(
        (login.opened_at, login.factor_at, login.closed_at),
        (NOW, None, None)
    );
    let events = fixture.events("login.open");
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["key"], login.key);
    assert_eq!(events[0]["source_port"], 50022);
    let said = serde_json::to_string(&events).unwrap();
    assert!(!said.contains(token.as_str()), "the token is in an event");
}

#[test]
fn every_login_has_a_token_of_its_own() {
    let mut fixture = fixture();
    assert_ne!(fixture.open(), fixture.open());
    assert_eq!(fixture.logins(true).len(), 2);
}

#[test]
fn a_login_is_closed_by_its_own_sshd_with_its_own_token_once() {
    let mut fixture = fixture();
    let token = fixture.open();
    let other_sshd = Process {
        started: me().started + 1,
        ..me()
    };
    let other_token = LoginToken::parse(&"0".repeat(32)).unwrap();
    for (token, sshd) in [(&token, other_sshd), (&other_token, me())] {
        let answer = fixture.close(token, sshd);
        assert_eq!(refusal(&answer), Some(Refusal::UnknownLogin));
        assert_eq!(fixture.logins(true).len(), 1);
    }
    assert_eq!(
        fixture.close(&token, me()),
        HelperMessage::Allow(Allow::default())
    );
    let login = fixture.logins(false).remove(0);
    assert_eq!(
        (login.closed_at, login.close_reason.as_deref()),
        (Some(NOW), Some("closed"))
    );
    assert_eq!(fixture.events("login.close").len(), 1);
    assert_eq!(
        refusal(&fixture.close(&token, me())),
        Some(Refusal::UnknownLogin)
    );
}

#[test]
fn a_login_whose_sshd_was_killed_is_closed_by_the_next_one() {
    let mut fixture = fixture();
    let mut child = std::process::Command::new("sleep")
        .arg("60")
        .spawn()
        .unwrap();
    let sshd = process::stat(i32::try_from(child.id()).unwrap())
        .unwrap()
        .process;
    let open = answer(
        &request(Phase::OpenSession),
        &mut fixture.store,
        &Settings::default(),
        sshd,
        NOW,
    );
    assert!(matches!(open, HelperMessage::Allow(_)));
    let token = fixture.open();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(
        fixture.close(&token, me()),
        HelperMessage::Allow(Allow::default())
    );
    assert_eq!(fixture.logins(true), []);
    let reasons: Vec<_> = fixture
        .logins(false)
        .into_iter()
        .map(|login| login.close_reason)
        .collect();
    assert!(reasons.contains(&Some("lost".into())), "{reasons:?}");
}

type Edit = fn(&mut User);

#[test]
fn who_may_not_log_in_is_told_why_in_both_phases() {
    let cases: [(_, _, Edit); 3] = [
        ("disabled", Refusal::Disabled, |user| user.enabled = false),
        ("expired", Refusal::Expired, |user| {
            user.valid_until = Some(NOW)
        }),
        ("not valid yet", Refusal::NotYetValid, |user| {
            user.valid_from = Some(NOW.plus(1));
        }),
    ];
    for (word, expected, edit) in cases {
        let mut fixture = fixture();
        fixture.edit(edit);
        for answer in fixture.both() {
            let HelperMessage::Refuse(Refuse { refusal, message }) = answer else {
                panic!("{word}: let in");
            };
            assert_eq!(refusal, expected);
            assert!(
                message.starts_with("jms: ") && message.contains(word),
                "{message}"
            );
            assert!(message.contains("administrator"), "{message}");
        }
        assert_eq!(fixture.logins(false), []);
        let events = fixture.events("login.refused");
        assert_eq!(events.len(), 2);
        assert_eq!(events[0]["user"], "alice");
        assert_eq!(events[0]["login_name"], "alice@dev@web1");
        assert_eq!(events[0]["phase"], "account");
        assert_eq!(events[1]["key"], Fingerprint::of(&blob()).to_string());
    }
}

#[test]
fn a_stale_snapshot_opens_nothing() {
    // The user is gone, or the uid is another one's by now, or the name is none.
    for (user, uid) in [
        ("bob", 70_001),
        ("alice", 70_002),
        ("alice", 0),
        ("Alice", 70_001),
        ("alice@", 70_001),
    ] {
        let mut fixture = fixture();
        for phase in [Phase::Account, Phase::OpenSession] {
            let asked = Request {
                user: user.into(),
                uid,
                ..request(phase)
            };
            assert_eq!(
                refusal(&fixture.ask(&asked)),
                Some(Refusal::UnknownUser),
                "{user} {uid}"
            );
        }
        assert_eq!(fixture.events("login.refused")[0]["reason"], "unknown-user");
    }
    // The key is.
    let mut fixture = fixture();
    change(&mut fixture.store, |change| {
        let keys = change.read().login_keys(Some("alice"))?;
        change.remove_login_key(&keys[0])
    });
    let [account, session] = fixture.both();
    assert_eq!(account, HelperMessage::Allow(Allow::default()));
    assert_eq!(refusal(&session), Some(Refusal::FactorMissing));
    assert_eq!(fixture.events("login.refused")[0]["reason"], "key-unknown");
    assert_eq!(fixture.logins(false), []);
}

#[test]
fn a_key_counts_only_from_where_it_may_be_used() {
    let mut fixture = fixture();
    for connection in [
        Some("203.0.114.7 50022 192.0.2.1 22"),
        Some("UNKNOWN 65535 UNKNOWN 65535"),
        None,
    ] {
        let asked = Request {
            connection: connection.map(str::to_owned),
            ..request(Phase::OpenSession)
        };
        assert_eq!(
            refusal(&fixture.ask(&asked)),
            Some(Refusal::FactorMissing),
            "{connection:?}"
        );
    }
    assert_eq!(
        fixture.events("login.refused")[0]["reason"],
        "key-not-from-there"
    );
}

#[test]
fn no_session_without_a_factor_that_we_know() {
    for (authentication, expected) in [
        (None, Refusal::FactorMissing),
        (Some(""), Refusal::FactorMissing),
        (Some("password\n"), Refusal::FactorMissing),
        (Some("keyboard-interactive/pam\n"), Refusal::FactorMissing),
        (Some("none\n"), Refusal::Unavailable),
        (Some("publickey garbage\n"), Refusal::Unavailable),
    ] {
        let mut fixture = fixture();
        let asked = Request {
            authentication: authentication.map(str::to_owned),
            ..request(Phase::OpenSession)
        };
        assert_eq!(
            refusal(&fixture.ask(&asked)),
            Some(expected),
            "{authentication:?}"
        );
        assert_eq!(fixture.logins(false), []);
        assert_eq!(fixture.events("login.refused").len(), 1);
    }
}

/// The session program offers enrolling and nothing else (`tests/conversation.rs` has the rest).
#[test]
fn who_has_to_enrol_gets_a_login_without_a_factor_and_who_has_only_an_ordinary_key_none() {
    for (mfa, expected) in [
        (Mfa::Totp, None),
        (Mfa::Any, None),
        (Mfa::SecurityKey, Some(Refusal::FactorMissing)),
    ] {
        let mut fixture = fixture();
        fixture.edit(|user| user.mfa = mfa);
        assert_eq!(
            refusal(&fixture.ask(&request(Phase::OpenSession))),
            expected,
            "{mfa:?}"
        );
        let logins = fixture.logins(true);
        assert!(logins.iter().all(|login| login.factor_at.is_none()));
    }
}

#[test]
fn only_sshd_may_ask_and_only_for_what_there_is() {
    let mut fixture = fixture();
    for phase in [Phase::Account, Phase::OpenSession] {
        let su = Request {
            service: "su".into(),
            ..request(phase)
        };
        assert_eq!(refusal(&fixture.ask(&su)), Some(Refusal::UnknownUser));
    }
    let answer = fixture.ask(&request(Phase::Authenticate));
    assert_eq!(refusal(&answer), Some(Refusal::Unavailable));
}

#[test]
fn hostile_names_stay_within_their_event() {
    let mut fixture = fixture();
    let asked = Request {
        user: "alice\" result=\"allow\n".into(),
        remote_host: Some("a\u{1b}[2Jb".into()),
        connection: None,
        ..request(Phase::Account)
    };
    assert_eq!(refusal(&fixture.ask(&asked)), Some(Refusal::UnknownUser));
    let event = &fixture.events("login.refused")[0];
    assert_eq!(event["result"], "deny");
    assert_eq!(event["login_name"], "alice\" result=\"allow\n");
}
