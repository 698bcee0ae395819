//! The authentication phase with a scripted person: what is asked, what is answered, what is handed on.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use event::Sender;
use jms::factor::{Algorithm, Digits, Enrolment, RecoveryCode, Totp, Typed};
use jms::keys::Fingerprint;
use jms::nouns::{LoginKey, Mfa, MfaAsked, User};
use jms::paths::Paths;
use jms::process;
use jms::secret::MasterKey;
use jms::settings::Settings;
use jms::store::{Actor, Confirmed, EventSearch, LoginSearch, Store};
use jms::time::Time;
use jms_pam_helper::answer::answer;
use jms_pam_helper::authenticate::authenticate;
use jms_pam_helper::person::{Gone, Person};
use pam_jms_protocol::{HelperMessage, Phase, Prompt, Refusal, Request, Response};

const NOW: Time = Time(1_800_000_000_000);
const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPAaKq47/kg4Dt6K28HYdE4b1kAbFDdHGTRDjiXV2R1I";
const CODE: &str = "Code of your authenticator app, or a recovery code: ";

/// Types what he was told to, and fails the test when he is asked once too often or too seldom.
struct Script {
    types: VecDeque<String>,
    asked: Vec<String>,
    now: Cell<Time>,
}

impl Script {
    fn typing(answers: &[&str]) -> Self {
        Self {
            types: answers.iter().map(|&text| text.to_owned()).collect(),
            asked: Vec::new(),
            now: Cell::new(NOW),
        }
    }
}

impl Person for Script {
    fn ask(&mut self, prompt: &Prompt) -> Result<Response, Gone> {
        assert!(!prompt.echo, "a code is not shown while it is typed");
        self.asked.push(prompt.text.clone());
        let typed = self.types.pop_front().ok_or(Gone::Closed)?;
        Ok(Response::new(typed.into_bytes()))
    }

    fn now(&self) -> Time {
        self.now.get()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(self.types.is_empty(), "leftover answers: {:?}", self.types);
        }
    }
}

struct Bastion {
    store: Store,
    settings: Settings,
    app: Option<Enrolment>,
    codes: Vec<RecoveryCode>,
    _folder: tempfile::TempDir,
}

fn request(phase: Phase) -> Request {
    let methods = match phase {
        Phase::OpenSession => format!("publickey {KEY}\nkeyboard-interactive/pam\n"),
        _ => format!("publickey {KEY}\n"),
    };
    Request {
        phase,
        user: "alice@dev@web1".into(),
        uid: 70_001,
        service: "sshd".into(),
        remote_host: None,
        terminal: Some("ssh".into()),
        authentication: Some(methods),
        connection: Some("203.0.113.7 50022 192.0.2.1 22".into()),
        process: std::process::id(),
        token: None,
        passed: None,
    }
}

/// alice, with her key, of whom `mfa` is demanded.
fn bastion(mfa: Mfa) -> Bastion {
    use base64::Engine;
    let folder = tempfile::tempdir().unwrap();
    let paths = Paths::under(folder.path());
    paths.create().unwrap();
    MasterKey::generate(&paths.secret_key()).unwrap();
    let mut store = Store::create(&paths).unwrap();
    store.set_event_sender(Sender::to(folder.path().join("no-syslog")));
    let (_, encoded) = KEY.split_once(' ').unwrap();
    let blob = base64::engine::general_purpose::STANDARD
        .decode(encoded)
        .unwrap();
    let actor = Actor {
        name: "root".into(),
        why: String::new(),
    };
    let high_water = paths.uid_high_water();
    store
        .change(&actor, NOW, |change| {
            let mut alice = User::new("alice", NOW);
            alice.mfa = mfa;
            change.add_user(&alice, 70_001..=70_009, &high_water, |_| false)?;
            change.add_login_key(&LoginKey {
                id: 0,
                user: "alice".into(),
                kind: "ssh-ed25519".into(),
                fingerprint: Fingerprint::of(&blob).to_string(),
                blob,
                from: vec![],
                valid_until: None,
                verify_required: false,
                comment: String::new(),
                created_at: NOW,
                updated_at: NOW,
            })
        })
        .unwrap();
    Bastion {
        store,
        settings: Settings::default(),
        app: None,
        codes: vec![],
        _folder: folder,
    }
}

impl Bastion {
    fn enrolled(mfa: Mfa) -> Self {
        let mut bastion = bastion(mfa);
        let alice = bastion.store.read().user("alice").unwrap();
        let app = Enrolment::begin(Algorithm::Sha1, Digits::Six).unwrap();
        let first = format!("{:06}", app.totp().code(Totp::step(NOW) - 1));
        let typed = Typed::parse(first.as_bytes());
        let before = bastion.store.read().before_enrolment(&alice).unwrap();
        let done =
            bastion
                .store
                .confirm_enrolment(&alice, "203.0.113.7", &app, &typed, before, NOW);
        let Confirmed::Done(codes) = done.unwrap() else {
            panic!("the code was right");
        };
        (bastion.app, bastion.codes) = (Some(app), codes);
        bastion
    }

    fn code(&self, later: i64) -> String {
        let totp = self.app.as_ref().unwrap().totp();
        format!("{:06}", totp.code(Totp::step(NOW) + later))
    }

    fn edit(&mut self, edit: impl FnOnce(&mut User)) {
        let actor = Actor {
            name: "root".into(),
            why: String::new(),
        };
        self.store
            .change(&actor, NOW, |change| {
                let mut user = change.read().user("alice")?;
                edit(&mut user);
                change.set_user(&user)
            })
            .unwrap();
    }

    fn login(&mut self, person: &mut Script) -> HelperMessage {
        let request = request(Phase::Authenticate);
        authenticate(&request, &mut self.store, &self.settings, person)
    }

    fn session(&mut self, passed: Option<String>) -> HelperMessage {
        let request = Request {
            passed,
            ..request(Phase::OpenSession)
        };
        self.open(&request)
    }

    fn open(&mut self, request: &Request) -> HelperMessage {
        let me = process::myself().unwrap();
        answer(request, &mut self.store, &self.settings, me, NOW)
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

    fn last_login(&self) -> jms::nouns::Login {
        let search = LoginSearch {
            limit: 1,
            ..LoginSearch::default()
        };
        self.store.read().logins(&search).unwrap().remove(0)
    }
}

fn handed_on(message: HelperMessage) -> String {
    match message {
        HelperMessage::Allow(allow) => allow.environment[0].value.clone(),
        other => panic!("refused: {other:?}"),
    }
}

fn no(message: &HelperMessage) -> (Refusal, &str) {
    match message {
        HelperMessage::Refuse(refuse) => (refuse.refusal, &refuse.message),
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_code_is_asked_for_once_and_opens_a_login_that_says_so() {
    let mut bastion = Bastion::enrolled(Mfa::Totp);
    let mut person = Script::typing(&[&bastion.code(0)]);
    let passed = handed_on(bastion.login(&mut person));
    assert_eq!(person.asked, [CODE]);
    assert!(matches!(
        bastion.session(Some(passed)),
        HelperMessage::Allow(_)
    ));
    let login = bastion.last_login();
    assert_eq!(login.factors, "publickey,keyboard-interactive/pam,totp");
    assert_eq!(login.factor_at, Some(NOW));
    assert!(bastion.events("alert").is_empty());
}

#[test]
fn a_wrong_a_used_and_no_answer_are_told_apart_in_the_log_alone() {
    let mut bastion = Bastion::enrolled(Mfa::Totp);
    bastion.settings.mfa.remember = 0;
    let used = bastion.code(0);
    handed_on(bastion.login(&mut Script::typing(&[&used])));
    let mut sentences = Vec::new();
    for typed in ["000000000", used.as_str()] {
        let said = bastion.login(&mut Script::typing(&[typed]));
        let (refusal, sentence) = no(&said);
        assert_eq!(refusal, Refusal::WrongAnswer);
        sentences.push(sentence.to_owned());
    }
    assert_eq!(sentences[0], sentences[1]);
    let said = bastion.login(&mut Script::typing(&[""]));
    assert_eq!(no(&said), (Refusal::WrongAnswer, ""));
    let reasons: Vec<_> = bastion
        .events("login.refused")
        .iter()
        .map(|event| event["reason"].clone())
        .collect();
    assert_eq!(reasons, ["code-wrong", "code-used"]);
    // Nobody there: no answer, no event, nothing counted.
    let gone = bastion.login(&mut Script::typing(&[]));
    assert_eq!(no(&gone).0, Refusal::Unavailable);
    assert_eq!(bastion.events("login.refused").len(), 2);
}

#[test]
fn too_many_wrong_answers_lock_with_a_sentence_and_without_another_prompt() {
    let mut bastion = Bastion::enrolled(Mfa::Totp);
    for _ in 0..4 {
        let said = bastion.login(&mut Script::typing(&["123456789"]));
        assert_eq!(no(&said).0, Refusal::WrongAnswer);
    }
    let said = bastion.login(&mut Script::typing(&["123456789"]));
    assert_eq!(no(&said).0, Refusal::Locked, "the fifth says so at once");
    let mut person = Script::typing(&[]);
    // sshd begins the method again by itself, twice: nothing is said twice, nor written down.
    let said = bastion.login(&mut person);
    assert_eq!(no(&said), (Refusal::Locked, ""));
    let written = bastion.events("login.refused").len();
    let another_connection = Request {
        connection: Some("203.0.113.7 50023 192.0.2.1 22".into()),
        ..request(Phase::Authenticate)
    };
    let mut ask = |person: &mut Script| {
        let (store, settings) = (&mut bastion.store, &bastion.settings);
        authenticate(&another_connection, store, settings, person)
    };
    let said = ask(&mut person);
    let (refusal, sentence) = no(&said);
    assert_eq!(refusal, Refusal::Locked);
    assert!(sentence.contains("try again after"), "{sentence}");
    assert_eq!(no(&ask(&mut person)), (Refusal::Locked, ""));
    assert!(person.asked.is_empty());
    assert_eq!(bastion.events("login.refused").len(), written + 1);
}

#[test]
fn without_a_proven_key_nothing_is_asked_and_nothing_said() {
    let mut bastion = Bastion::enrolled(Mfa::Totp);
    let stranger =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for shown in [
        None,
        Some(String::new()),
        Some(format!("publickey {stranger}\n")),
    ] {
        let request = Request {
            authentication: shown,
            ..request(Phase::Authenticate)
        };
        let mut person = Script::typing(&[]);
        let said = authenticate(&request, &mut bastion.store, &bastion.settings, &mut person);
        assert_eq!(no(&said), (Refusal::FactorMissing, ""));
        assert!(person.asked.is_empty());
    }
}

#[test]
fn who_may_not_log_in_is_told_before_he_types_anything() {
    let mut bastion = Bastion::enrolled(Mfa::Totp);
    bastion.edit(|alice| alice.enabled = false);
    let mut person = Script::typing(&[]);
    let said = bastion.login(&mut person);
    assert_eq!(no(&said).0, Refusal::Disabled);
    assert!(person.asked.is_empty());
}

#[test]
fn a_passed_factor_is_remembered_for_the_same_key_and_address_only() {
    let mut bastion = Bastion::enrolled(Mfa::Totp);
    handed_on(bastion.login(&mut Script::typing(&[&bastion.code(0)])));
    let again = handed_on(bastion.login(&mut Script::typing(&[])));
    assert!(matches!(
        bastion.session(Some(again)),
        HelperMessage::Allow(_)
    ));
    assert!(bastion.last_login().factors.ends_with(",remembered"));
    let elsewhere = Request {
        connection: Some("203.0.113.8 50022 192.0.2.1 22".into()),
        ..request(Phase::Authenticate)
    };
    let mut person = Script::typing(&[&bastion.code(1)]);
    handed_on(authenticate(
        &elsewhere,
        &mut bastion.store,
        &bastion.settings,
        &mut person,
    ));
    assert_eq!(person.asked, [CODE]);
    let mut later = Script::typing(&[]);
    later.now.set(NOW.plus(15 * 60_000));
    bastion.login(&mut later);
    assert_eq!(later.asked, [CODE], "a quarter of an hour later");
    bastion.settings.mfa.remember = 0;
    let mut never = Script::typing(&[]);
    bastion.login(&mut never);
    assert_eq!(never.asked, [CODE], "switched off");
}

#[test]
fn a_recovery_code_passes_once() {
    let mut bastion = Bastion::enrolled(Mfa::Any);
    bastion.settings.mfa.remember = 0;
    let code = bastion.codes[2].expose().to_owned();
    let passed = handed_on(bastion.login(&mut Script::typing(&[&code])));
    bastion.session(Some(passed));
    assert!(bastion.last_login().factors.ends_with(",recovery"));
    let said = bastion.login(&mut Script::typing(&[&code]));
    assert_eq!(no(&said).0, Refusal::WrongAnswer);
}

#[test]
fn who_has_to_enrol_and_who_is_asked_in_the_session_pass_without_a_prompt_and_without_a_factor() {
    let mut to_enrol = bastion(Mfa::Totp);
    let mut in_session = Bastion::enrolled(Mfa::Totp);
    in_session.edit(|alice| alice.mfa_asked = MfaAsked::Session);
    for bastion in [&mut to_enrol, &mut in_session] {
        let passed = handed_on(bastion.login(&mut Script::typing(&[])));
        assert!(matches!(
            bastion.session(Some(passed)),
            HelperMessage::Allow(_)
        ));
        assert_eq!(bastion.last_login().factor_at, None);
    }
}

#[test]
fn what_was_passed_counts_for_this_login_only_and_nothing_else_counts() {
    let mut bastion = Bastion::enrolled(Mfa::Totp);
    let passed = handed_on(bastion.login(&mut Script::typing(&[&bastion.code(0)])));
    let good = Request {
        passed: Some(passed.clone()),
        ..request(Phase::OpenSession)
    };
    let other_connection = Request {
        connection: Some("203.0.113.7 50023 192.0.2.1 22".into()),
        ..good.clone()
    };
    let without_kbd = Request {
        authentication: Some(format!("publickey {KEY}\n")),
        ..good.clone()
    };
    let code_alone = Request {
        authentication: Some("keyboard-interactive/pam\n".into()),
        ..good.clone()
    };
    let another_module = Request {
        passed: None,
        ..good.clone()
    };
    let forged = Request {
        passed: Some("AQ==".into()),
        ..good.clone()
    };
    let cut = Request {
        passed: Some(passed[..passed.len() - 4].to_owned()),
        ..good.clone()
    };
    for asked in [
        other_connection,
        without_kbd,
        code_alone,
        another_module,
        forged,
        cut,
    ] {
        let said = bastion.open(&asked);
        assert_eq!(no(&said).0, Refusal::FactorMissing, "{asked:?}");
    }
    // All but the one without a key are a hole that somebody should look at.
    assert_eq!(bastion.events("alert").len(), 5);
    assert!(matches!(bastion.open(&good), HelperMessage::Allow(_)));
}

/// What can be wrong with `/etc/jms/secret.key`: made in the place of the right one.
type Spoil = fn(&std::path::Path);

const SPOILT: [(&str, Spoil); 4] = [
    ("missing", |_| {}),
    ("readable for all", |path| {
        std::fs::write(path, [7; 32]).unwrap();
        std::fs::set_permissions(path, Permissions::from_mode(0o444)).unwrap();
    }),
    ("empty", |path| {
        std::fs::write(path, []).unwrap();
        std::fs::set_permissions(path, Permissions::from_mode(0o400)).unwrap();
    }),
    ("a FIFO", |path| {
        let made = Command::new("mkfifo").arg(path).status().unwrap();
        assert!(made.success());
    }),
];

impl Bastion {
    /// Does `work` while the key is out of order.
    fn without_its_key<T>(&mut self, spoil: Spoil, work: impl FnOnce(&mut Self) -> T) -> T {
        let file = self.store.paths().secret_key();
        let aside = file.with_extension("aside");
        std::fs::rename(&file, &aside).unwrap();
        spoil(&file);
        let done = work(self);
        let _ = std::fs::remove_file(&file);
        std::fs::rename(&aside, &file).unwrap();
        done
    }
}

#[test]
fn a_secret_key_that_is_out_of_order_costs_nobody_a_recovery_code() {
    let mut bastion = Bastion::enrolled(Mfa::Totp);
    bastion.settings.mfa.remember = 0;
    let code = bastion.codes[0].expose().to_owned();
    for (what, spoil) in SPOILT {
        let mut person = Script::typing(&[]);
        let said = bastion.without_its_key(spoil, |bastion| bastion.login(&mut person));
        assert_eq!(no(&said).0, Refusal::Unavailable, "{what}");
        assert!(no(&said).1.contains("tell your administrator"), "{what}");
        assert!(person.asked.is_empty(), "{what}");
    }
    // It is there still, and good.
    bastion.edit(|alice| alice.mfa = Mfa::Any);
    let passed = handed_on(bastion.login(&mut Script::typing(&[&code])));
    assert!(matches!(
        bastion.session(Some(passed)),
        HelperMessage::Allow(_)
    ));
}

#[test]
fn a_secret_key_that_goes_out_of_order_between_the_phases_is_what_is_reported() {
    let mut bastion = Bastion::enrolled(Mfa::Totp);
    bastion.settings.mfa.remember = 0;
    for (later, (what, spoil)) in SPOILT.into_iter().enumerate() {
        let code = match later {
            0 => bastion.code(0),
            later => bastion.codes[later].expose().to_owned(),
        };
        let passed = handed_on(bastion.login(&mut Script::typing(&[&code])));
        let said = bastion.without_its_key(spoil, |bastion| bastion.session(Some(passed)));
        assert_eq!(no(&said).0, Refusal::Unavailable, "{what}");
        // It is not sshd that did something wrong.
        assert!(bastion.events("alert").is_empty(), "{what}");
        assert!(bastion.events("login.refused").is_empty(), "{what}");
    }
    // A key that is right in itself, but another, opens nothing: as for anything that we did not seal.
    let passed = handed_on(bastion.login(&mut Script::typing(&[bastion.codes[4].expose()])));
    let another: Spoil = |path| drop(MasterKey::generate(path).unwrap());
    let said = bastion.without_its_key(another, |bastion| bastion.session(Some(passed)));
    assert_eq!(no(&said).0, Refusal::FactorMissing);
}
