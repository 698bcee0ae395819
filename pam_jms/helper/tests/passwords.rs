//! Passwords in the authentication phase, with a scripted person: what is asked, whatever is typed, and what is handed on.

use std::collections::VecDeque;

use event::Sender;
use jms::factor::{Algorithm, Digits, Enrolment, Totp, Typed};
use jms::nouns::{Mfa, User};
use jms::password::{Cost, PasswordHash};
use jms::paths::Paths;
use jms::process;
use jms::secret::{MasterKey, SecretString};
use jms::settings::Settings;
use jms::store::{Actor, Confirmed, LoginSearch, Store};
use jms::time::Time;
use jms_pam_helper::answer::answer;
use jms_pam_helper::authenticate::authenticate;
use jms_pam_helper::person::{Gone, Person};
use pam_jms_protocol::{HelperMessage, Phase, Prompt, Refusal, Request, Response};

const NOW: Time = Time(1_800_000_000_000);
const PASSWORD: &str = "Password: ";
const CODE: &str = "Code of your authenticator app, or a recovery code: ";
const CHANGE: &str = "Your password must be changed. New password: ";
const AGAIN: &str = "The same again: ";
const RIGHT: &str = "correct horse battery";

/// Types what he was told to, and fails the test when he is asked once too often or too seldom.
struct Script {
    types: VecDeque<String>,
    asked: Vec<String>,
}

impl Person for Script {
    fn ask(&mut self, prompt: &Prompt) -> Result<Response, Gone> {
        assert!(!prompt.echo, "nothing is shown while it is typed");
        self.asked.push(prompt.text.clone());
        let typed = self.types.pop_front().ok_or(Gone::Closed)?;
        Ok(Response::new(typed.into_bytes()))
    }

    fn now(&self) -> Time {
        NOW
    }
}

struct Bastion {
    store: Store,
    settings: Settings,
    _folder: tempfile::TempDir,
}

/// What became of an authentication.
struct Met {
    asked: Vec<String>,
    verdict: HelperMessage,
}

impl Met {
    fn refusal(&self) -> (Refusal, &str) {
        match &self.verdict {
            HelperMessage::Refuse(no) => (no.refusal, no.message.as_str()),
            other => panic!("{other:?}"),
        }
    }

    fn passed(&self) -> String {
        match &self.verdict {
            HelperMessage::Allow(yes) => yes.environment[0].value.clone(),
            other => panic!("{other:?} after {:?}", self.asked),
        }
    }
}

fn cost() -> Cost {
    Cost::new(*Cost::MEMORY_KIB.start(), 1).unwrap()
}

impl Bastion {
    /// alice, of whom `mfa` is demanded; passwords are on.
    fn new(mfa: Mfa) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        paths.create().unwrap();
        MasterKey::generate(&paths.secret_key()).unwrap();
        let mut store = Store::create(&paths).unwrap();
        store.set_event_sender(Sender::to(folder.path().join("no-syslog")));
        let mut settings = Settings::default();
        settings.password.enabled = true;
        settings.password.memory = *Cost::MEMORY_KIB.start();
        settings.password.passes = 1;
        let mut bastion = Self {
            store,
            settings,
            _folder: folder,
        };
        bastion.change(|change| {
            let mut alice = User::new("alice", NOW);
            alice.mfa = mfa;
            change.add_user(&alice, 70_001..=70_009, &paths.uid_high_water(), |_| false)?;
            Ok(())
        });
        bastion
    }

    fn change(
        &mut self,
        work: impl FnOnce(&jms::store::Change<'_>) -> Result<(), jms::store::StoreError>,
    ) {
        let root = Actor {
            name: "root".into(),
            why: String::new(),
        };
        self.store.change(&root, NOW, work).unwrap();
    }

    fn alice(&self) -> User {
        self.store.read().user("alice").unwrap()
    }

    fn give(&mut self, password: &str) {
        let hash = PasswordHash::of(&SecretString::from(password.to_owned()), cost()).unwrap();
        self.change(|change| change.give_password("alice", &hash).map(drop));
    }

    /// alice has chosen [`RIGHT`].
    fn chosen(mfa: Mfa) -> Self {
        let mut bastion = Self::new(mfa);
        bastion.give("initial password");
        let before = bastion
            .store
            .read()
            .password(bastion.alice().id)
            .unwrap()
            .unwrap();
        let hash = PasswordHash::of(&SecretString::from(RIGHT.to_owned()), cost()).unwrap();
        let alice = bastion.alice();
        bastion
            .store
            .choose_password(&alice, &before, &hash, 5, "192.0.2.7", NOW)
            .unwrap();
        bastion
    }

    fn enrol(&mut self) -> String {
        let app = Enrolment::begin(Algorithm::Sha1, Digits::Six).unwrap();
        let code = |step| format!("{:06}", app.totp().code(step));
        let typed = Typed::parse(code(Totp::step(NOW) - 1).as_bytes());
        let alice = self.alice();
        let before = self.store.read().before_enrolment(&alice).unwrap();
        let done = self
            .store
            .confirm_enrolment(&alice, "192.0.2.7", &app, &typed, before, NOW);
        assert!(matches!(done, Ok(Confirmed::Done(_))));
        code(Totp::step(NOW))
    }

    fn meet(&mut self, types: &[&str]) -> Met {
        self.meet_in(Phase::Authenticate, types)
    }

    fn meet_in(&mut self, phase: Phase, types: &[&str]) -> Met {
        let mut script = Script {
            types: types.iter().map(|&text| text.to_owned()).collect(),
            asked: Vec::new(),
        };
        let request = request(phase, "");
        let verdict = authenticate(&request, &mut self.store, &self.settings, &mut script);
        assert!(script.types.is_empty(), "leftover: {:?}", script.types);
        Met {
            asked: script.asked,
            verdict,
        }
    }

    fn open(&mut self, passed: &str) -> HelperMessage {
        let mut request = request(Phase::OpenSession, "keyboard-interactive/pam\n");
        request.passed = Some(passed.to_owned());
        let myself = process::myself().unwrap();
        answer(&request, &mut self.store, &self.settings, myself, NOW)
    }

    fn failures(&self) -> Vec<u32> {
        let limits = self.settings.lockout.limits();
        let locks = self.store.read().locks(None, &limits, NOW).unwrap();
        locks.iter().map(|lock| lock.failures).collect()
    }
}

fn request(phase: Phase, methods: &str) -> Request {
    Request {
        phase,
        user: "alice".into(),
        uid: 70_001,
        service: "sshd".into(),
        remote_host: None,
        terminal: Some("ssh".into()),
        authentication: Some(methods.to_owned()),
        connection: Some("192.0.2.7 50022 192.0.2.1 22".into()),
        process: std::process::id(),
        token: None,
        passed: None,
    }
}

#[test]
fn off_by_default_nobody_is_asked() {
    let mut bastion = Bastion::chosen(Mfa::Off);
    bastion.settings = Settings::default();
    let met = bastion.meet(&[]);
    assert_eq!(met.refusal(), (Refusal::FactorMissing, ""));
    assert_eq!(bastion.failures(), [0; 0]);
}

#[test]
fn the_right_password_is_a_first_factor_and_the_login_says_so() {
    let mut bastion = Bastion::chosen(Mfa::Off);
    let met = bastion.meet(&[RIGHT]);
    assert_eq!(met.asked, [PASSWORD]);
    let passed = met.passed();
    assert!(matches!(bastion.open(&passed), HelperMessage::Allow(_)));
    let search = LoginSearch {
        limit: 1,
        ..LoginSearch::default()
    };
    let login = bastion.store.read().logins(&search).unwrap().remove(0);
    assert_eq!(login.factors, "keyboard-interactive/pam,password");
    assert_eq!(login.key, "");
}

#[test]
fn what_was_passed_is_no_password_where_sshd_saw_a_key_or_did_not_ask_us() {
    let mut bastion = Bastion::chosen(Mfa::Off);
    let passed = bastion.meet(&[RIGHT]).passed();
    let key = "publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPAaKq47/kg4Dt6K28HYdE4b1kAbFDdHGTRDjiXV2R1I\n";
    for methods in [
        "",
        "password\n",
        key,
        &format!("{key}keyboard-interactive/pam\n"),
    ] {
        let mut request = request(Phase::OpenSession, methods);
        request.passed = Some(passed.clone());
        let myself = process::myself().unwrap();
        let answered = answer(&request, &mut bastion.store, &bastion.settings, myself, NOW);
        assert!(
            matches!(answered, HelperMessage::Refuse(_)),
            "{methods}: {answered:?}"
        );
    }
}

#[test]
fn a_stranger_is_asked_the_same_and_told_nothing_whatever_the_account_is() {
    for mfa in [Mfa::Off, Mfa::Totp] {
        let questions = match mfa {
            Mfa::Off => vec![PASSWORD],
            _ => vec![PASSWORD, CODE],
        };
        let typed: Vec<&str> = ["wrong", "123456"][..questions.len()].to_vec();
        let mut without = Bastion::new(mfa);
        let mut with = Bastion::chosen(mfa);
        let mut disabled = Bastion::chosen(mfa);
        disabled.change(|change| {
            let mut alice = change.read().user("alice")?;
            alice.enabled = false;
            change.set_user(&alice).map(drop)
        });
        let mut locked = Bastion::chosen(mfa);
        for _ in 0..5 {
            locked.meet(&typed);
        }
        for bastion in [&mut without, &mut with, &mut disabled, &mut locked] {
            let met = bastion.meet(&typed);
            assert_eq!(met.asked, questions);
            assert_eq!(met.refusal(), (Refusal::WrongAnswer, ""));
        }
        // The locked one hears nothing of it even with the right password.
        if mfa == Mfa::Off {
            assert_eq!(locked.meet(&[RIGHT]).refusal(), (Refusal::WrongAnswer, ""));
        }
        // Who has proved who he is learns why.
        if mfa == Mfa::Off {
            let (refusal, sentence) = {
                let met = disabled.meet(&[RIGHT]);
                let (refusal, sentence) = met.refusal();
                (refusal, sentence.to_owned())
            };
            assert_eq!(refusal, Refusal::Disabled);
            assert!(sentence.contains("disabled"), "{sentence}");
        }
    }
}

#[test]
fn the_code_follows_either_way_and_is_used_up_only_by_the_right_password() {
    let mut bastion = Bastion::chosen(Mfa::Totp);
    let code = bastion.enrol();
    let wrong = bastion.meet(&["wrong", &code]);
    assert_eq!(wrong.asked, [PASSWORD, CODE]);
    assert_eq!(wrong.refusal(), (Refusal::WrongAnswer, ""));
    let neither = bastion.meet(&[RIGHT, "000000"]);
    assert_eq!(neither.asked, [PASSWORD, CODE]);
    assert_eq!(neither.refusal(), (Refusal::WrongAnswer, ""));
    assert!(bastion.failures().iter().all(|failures| *failures == 2));
    let right = bastion.meet(&[RIGHT, &code]);
    let passed = right.passed();
    assert!(matches!(bastion.open(&passed), HelperMessage::Allow(_)));
    // Those from there are forgotten; those of the account and of the network are not.
    assert_eq!(bastion.failures().len(), 2);
    let again = bastion.meet(&[RIGHT, &code]);
    assert_eq!(again.refusal(), (Refusal::WrongAnswer, ""));
}

#[test]
fn a_password_does_not_stand_in_for_a_security_key() {
    let mut bastion = Bastion::chosen(Mfa::SecurityKey);
    assert_eq!(bastion.meet(&[RIGHT]).refusal(), (Refusal::WrongAnswer, ""));
}

#[test]
fn only_completed_wrong_answers_count() {
    let mut bastion = Bastion::chosen(Mfa::Totp);
    // Nobody answers; nothing is typed; the right password, and then the connection is cut.
    bastion.meet(&[]);
    bastion.meet(&["", "123456"]);
    assert_eq!(bastion.failures(), [0; 0]);
    bastion.enrol();
    bastion.meet(&[RIGHT]);
    assert_eq!(bastion.failures(), [0; 0]);
    bastion.meet(&["wrong"]);
    assert_eq!(bastion.failures(), [1, 1, 1]);
}

#[test]
fn a_given_password_is_changed_in_the_conversation() {
    let mut bastion = Bastion::new(Mfa::Off);
    bastion.give("initial password");
    let met = bastion.meet(&[
        "initial password",
        "short",
        "initial password",
        "my own long one",
        "my own long one",
    ]);
    assert_eq!(
        met.asked,
        [
            PASSWORD,
            CHANGE,
            "The password is too short: at least 12 characters. New password: ",
            "That password was used before; choose another one. New password: ",
            AGAIN,
        ]
    );
    met.passed();
    assert_eq!(
        bastion.meet(&["initial password"]).refusal(),
        (Refusal::WrongAnswer, "")
    );
    assert_eq!(bastion.meet(&["my own long one"]).asked, [PASSWORD]);
}

#[test]
fn who_chooses_none_stays_outside_and_keeps_the_old_one() {
    let mut bastion = Bastion::new(Mfa::Off);
    bastion.give("initial password");
    let met = bastion.meet(&["initial password", "one", "two", "three"]);
    let (refusal, sentence) = met.refusal();
    assert_eq!(refusal, Refusal::FactorMissing);
    assert!(sentence.contains("was not changed"), "{sentence}");
    let met = bastion.meet(&[
        "initial password",
        "my own long one",
        "another long one",
        "my own long one",
        "my own long one",
    ]);
    assert_eq!(met.asked[3], "The two are not the same. New password: ");
    met.passed();
}

#[test]
fn an_expired_password_is_changed_too() {
    let mut bastion = Bastion::chosen(Mfa::Off);
    bastion.settings.password.expires_after = 1;
    bastion.meet(&[RIGHT]).passed();
    let alice = bastion.alice();
    let before = bastion.store.read().password(alice.id).unwrap().unwrap();
    let long_ago = NOW.plus(-25 * 60 * 60 * 1000);
    let hash = before.hash.clone();
    bastion
        .store
        .choose_password(&alice, &before, &hash, 5, "192.0.2.7", long_ago)
        .unwrap();
    let met = bastion.meet(&[RIGHT, "my own long one", "my own long one"]);
    assert_eq!(met.asked, [PASSWORD, CHANGE, AGAIN]);
    met.passed();
}

#[test]
fn behind_another_module_the_code_alone_is_asked_for_and_nothing_is_said() {
    let after = Phase::AuthenticateAfterPassword;
    // Our own passwords are off, and alice has none.
    let mut bastion = Bastion::new(Mfa::Totp);
    bastion.settings = Settings::default();
    let code = bastion.enrol();
    let wrong = bastion.meet_in(after, &["000000"]);
    assert_eq!(wrong.asked, [CODE]);
    assert_eq!(wrong.refusal(), (Refusal::WrongAnswer, ""));
    assert_eq!(bastion.failures(), [1, 1, 1]);
    // Nothing typed is no answer.
    let empty = bastion.meet_in(after, &[""]);
    assert_eq!(empty.refusal(), (Refusal::WrongAnswer, ""));
    assert_eq!(bastion.failures(), [1, 1, 1]);
    let right = bastion.meet_in(after, &[&code]);
    assert!(matches!(
        bastion.open(&right.passed()),
        HelperMessage::Allow(_)
    ));
    let again = bastion.meet_in(after, &[&code]);
    assert_eq!(again.refusal(), (Refusal::WrongAnswer, ""));
    for _ in 0..4 {
        bastion.meet_in(after, &["000000"]);
    }
    // Locked: asked as before, and not told.
    let locked = bastion.meet_in(after, &["000000"]);
    assert_eq!(locked.asked, [CODE]);
    assert_eq!(locked.refusal(), (Refusal::WrongAnswer, ""));
}

#[test]
fn behind_another_module_a_password_is_one_factor_and_no_more() {
    let after = Phase::AuthenticateAfterPassword;
    let mut bastion = Bastion::new(Mfa::Off);
    bastion.settings = Settings::default();
    let met = bastion.meet_in(after, &[]);
    assert_eq!(met.asked, [""; 0]);
    let passed = met.passed();
    assert!(matches!(bastion.open(&passed), HelperMessage::Allow(_)));
    // What it sealed is no second factor.
    bastion.change(|change| {
        let mut alice = change.read().user("alice")?;
        alice.mfa = Mfa::Totp;
        change.set_user(&alice).map(drop)
    });
    bastion.enrol();
    assert!(matches!(bastion.open(&passed), HelperMessage::Refuse(_)));
    let mut key = Bastion::new(Mfa::SecurityKey);
    assert_eq!(
        key.meet_in(after, &[]).refusal(),
        (Refusal::WrongAnswer, "")
    );
}

#[test]
fn a_right_password_forgets_no_wrong_codes_that_are_still_to_come() {
    let mut bastion = Bastion::chosen(Mfa::Totp);
    bastion.change(|change| {
        let mut alice = change.read().user("alice")?;
        alice.mfa_asked = jms::nouns::MfaAsked::Session;
        change.set_user(&alice).map(drop)
    });
    bastion.enrol();
    bastion.meet(&["wrong"]);
    bastion.meet(&[RIGHT]).passed();
    assert_eq!(bastion.failures(), [1, 1, 1]);
}

#[test]
fn a_given_password_that_was_not_used_in_time_is_good_no_more() {
    let mut bastion = Bastion::new(Mfa::Off);
    bastion.give("initial password");
    bastion.settings.password.initial_hours = 1;
    let alice = bastion.alice();
    let given = bastion.store.read().password(alice.id).unwrap().unwrap();
    let hour = 60 * 60 * 1000;
    assert!(!given.has_lapsed(Some(hour), given.changed_at.plus(hour - 1)));
    assert!(!given.has_lapsed(None, given.changed_at.plus(1000 * hour)));
    let root = Actor {
        name: "root".into(),
        why: String::new(),
    };
    let hash = given.hash.clone();
    bastion
        .store
        .change(&root, NOW.plus(-hour), |change| {
            change.give_password("alice", &hash).map(drop)
        })
        .unwrap();
    let met = bastion.meet(&["initial password"]);
    let (refusal, sentence) = met.refusal();
    assert_eq!(refusal, Refusal::Expired);
    assert!(sentence.contains("good no more"), "{sentence}");
    // A wrong one is told nothing.
    let wrong = bastion.meet(&["another password"]);
    assert_eq!(wrong.refusal(), (Refusal::WrongAnswer, ""));
}

#[test]
fn tries_while_locked_do_not_fill_the_store() {
    let mut bastion = Bastion::chosen(Mfa::Off);
    for _ in 0..9 {
        bastion.meet(&["wrong"]);
    }
    let search = jms::store::EventSearch {
        kind: Some("login.refused".into()),
        limit: 100,
        ..jms::store::EventSearch::default()
    };
    let told = bastion.store.read().events(&search).unwrap();
    let of = |reason: &str| {
        let said = format!("\"reason\":\"{reason}\"");
        told.iter().filter(|row| row.body.contains(&said)).count()
    };
    assert_eq!((of("password-wrong"), of("locked")), (5, 1), "{told:?}");
}
