//! A security key counts as a second factor if sshd had it verify its person, which is what the published keys told sshd.

use std::process::{Child, Command};

use base64::Engine;
use event::Sender;
use jms::keys::Fingerprint;
use jms::nouns::{Login, LoginKey, Mfa, User};
use jms::paths::Paths;
use jms::process::{self, Process};
use jms::settings::Settings;
use jms::store::{Actor, Change, EventSearch, LoginSearch, Store, StoreError};
use jms::time::Time;
use jms_pam_helper::answer::answer;
use pam_jms_protocol::{HelperMessage, Phase, Refusal, Request};

/// What `ssh-keygen -t ed25519-sk` makes.
const KEY: &str = "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAICFo/k5LU8863u66YC9eUO2170QduohPURkQnbLa/dczAAAABHNzaDo=";
const MINUTE: i64 = 60_000;

struct Bastion {
    store: Store,
    paths: Paths,
    _folder: tempfile::TempDir,
}

/// Something that began now, in the place of sshd.
struct Sshd(Child);

impl Sshd {
    fn begin() -> Self {
        Self(Command::new("sleep").arg("60").spawn().unwrap())
    }

    fn process(&self) -> Process {
        let pid = i32::try_from(self.0.id()).unwrap();
        process::stat(pid).unwrap().process
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Alice has a security key since an hour ago, which need not verify her.
fn bastion() -> Bastion {
    let folder = tempfile::tempdir().unwrap();
    let paths = Paths::under(folder.path());
    paths.create().unwrap();
    let mut store = Store::create(&paths).unwrap();
    store.set_event_sender(Sender::to(folder.path().join("no-syslog")));
    let mut bastion = Bastion {
        store,
        paths: paths.clone(),
        _folder: folder,
    };
    let ago = Time::now().plus(-60 * MINUTE);
    let (_, encoded) = KEY.split_once(' ').unwrap();
    let blob = base64::engine::general_purpose::STANDARD
        .decode(encoded)
        .unwrap();
    bastion.change(ago, |change| {
        let high_water = paths.uid_high_water();
        change.add_user(
            &User::new("alice", ago),
            70_001..=70_009,
            &high_water,
            |_| false,
        )?;
        change.add_login_key(&LoginKey {
            id: 0,
            user: "alice".into(),
            kind: "sk-ssh-ed25519@openssh.com".into(),
            fingerprint: Fingerprint::of(&blob).to_string(),
            blob,
            from: Vec::new(),
            valid_until: None,
            verify_required: false,
            comment: String::new(),
            created_at: ago,
            updated_at: ago,
        })
    });
    bastion
}

impl Bastion {
    fn change<T>(&mut self, now: Time, work: impl FnOnce(&Change<'_>) -> Result<T, StoreError>) {
        let actor = Actor {
            name: "root".into(),
            why: String::new(),
        };
        self.store.change(&actor, now, work).unwrap();
    }

    fn demand_security_keys(&mut self, now: Time) {
        self.change(now, |change| {
            let mut alice = change.read().user("alice")?;
            alice.mfa = Mfa::SecurityKey;
            change.set_user(&alice)
        });
    }

    fn log_in(&mut self, sshd: &Sshd) -> HelperMessage {
        let request = Request {
            phase: Phase::OpenSession,
            user: "alice".into(),
            uid: 70_001,
            service: "sshd".into(),
            remote_host: Some("client.example".into()),
            terminal: Some("ssh".into()),
            authentication: Some(format!("publickey {KEY}\n")),
            connection: Some("203.0.113.7 50022 192.0.2.1 22".into()),
            process: std::process::id(),
            token: None,
            passed: None,
        };
        let settings = Settings::default();
        answer(
            &request,
            &mut self.store,
            &settings,
            sshd.process(),
            Time::now(),
        )
    }

    fn logins(&self) -> Vec<Login> {
        let search = LoginSearch {
            limit: 100,
            ..LoginSearch::default()
        };
        self.store.read().logins(&search).unwrap()
    }

    fn alerts(&self) -> usize {
        let search = EventSearch {
            kind: Some("alert".into()),
            limit: 100,
            ..EventSearch::default()
        };
        self.store.read().events(&search).unwrap().len()
    }
}

fn is_refused(message: &HelperMessage) -> bool {
    matches!(message, HelperMessage::Refuse(refuse) if refuse.refusal == Refusal::FactorMissing)
}

#[test]
fn it_counts_where_the_published_keys_demanded_it() {
    let mut bastion = bastion();
    bastion.demand_security_keys(Time::now().plus(-MINUTE));
    let said = bastion.log_in(&Sshd::begin());
    assert!(matches!(said, HelperMessage::Allow(_)), "{said:?}");
    assert!(bastion.logins()[0].factor_at.is_some());
    assert_eq!(bastion.alerts(), 0);
}

#[test]
fn a_touch_is_no_factor_where_the_published_keys_are_older_than_the_store() {
    let mut bastion = bastion();
    let file = bastion.paths.keys_snapshot();
    let without = std::fs::read(&file).unwrap();
    bastion.demand_security_keys(Time::now().plus(-MINUTE));
    // As if jmsctl had been killed, or the disk been full, before it published.
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, without).unwrap();
    let said = bastion.log_in(&Sshd::begin());
    assert!(is_refused(&said), "{said:?}");
    assert_eq!((bastion.alerts(), bastion.logins().len()), (1, 0));
    // It is mended by that: the next one meets an sshd that demands it.
    let said = bastion.log_in(&Sshd::begin());
    assert!(matches!(said, HelperMessage::Allow(_)), "{said:?}");
}

#[test]
fn nor_for_a_login_that_was_under_way_when_it_began_to_be_demanded() {
    let mut bastion = bastion();
    let sshd = Sshd::begin();
    bastion.demand_security_keys(Time::now());
    let said = bastion.log_in(&sshd);
    assert!(is_refused(&said), "{said:?}");
}
