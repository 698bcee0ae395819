//! The truth table of a login: every state of a user × every way through sshd's AuthenticationMethods, in the
//! authentication, the account and the session phase. What PAM is told for each of these answers is `pam_jms`'s table
//! (`every_no_of_the_helper_has_its_return_in_every_phase`).

use std::collections::VecDeque;

use base64::Engine;
use event::Sender;
use jms::factor::{Algorithm, Digits, Enrolment, Totp, Typed};
use jms::keys::Fingerprint;
use jms::nouns::{LoginKey, LoginRule, Mfa, MfaAsked, User};
use jms::password::Cost;
use jms::paths::Paths;
use jms::policy::login_rule::Verdict;
use jms::process;
use jms::secret::MasterKey;
use jms::settings::Settings;
use jms::store::{
    Actor, Change, Confirmed, EventSearch, FactorKind, LoginSearch, Store, StoreError,
};
use jms::time::Time;
use jms_pam_helper::answer::answer;
use jms_pam_helper::authenticate::authenticate;
use jms_pam_helper::passed::Passed;
use jms_pam_helper::person::{Gone, Person};
use pam_jms_protocol::{HelperMessage, Phase, Prompt, Refusal, Refuse, Request, Response};

const NOW: Time = Time(1_800_000_000_000);
const DAY: i64 = 24 * 60 * 60 * 1000;
const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPAaKq47/kg4Dt6K28HYdE4b1kAbFDdHGTRDjiXV2R1I";

/// Of nobody.
const STRANGERS_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const CODE: &str = "Code of your authenticator app, or a recovery code: ";
const PASSWORD: &str = "Password: ";

/// What sshd saw, and what our authentication phase sealed.
struct Way {
    name: &'static str,
    methods: &'static [&'static str],
    key: bool,
    password: bool,
    totp: bool,
}

const fn way(
    name: &'static str,
    methods: &'static [&'static str],
    key: bool,
    password: bool,
    totp: bool,
) -> Way {
    Way {
        name,
        methods,
        key,
        password,
        totp,
    }
}

const PAM: &str = "keyboard-interactive/pam";

const WAYS: [Way; 9] = [
    way("publickey", &["publickey"], true, false, false),
    way(
        "publickey, our code",
        &["publickey", PAM],
        true,
        false,
        true,
    ),
    way(
        "publickey, another module",
        &["publickey", PAM],
        true,
        false,
        false,
    ),
    way("our password", &[PAM], false, true, false),
    way("our password and code", &[PAM], false, true, true),
    way("a code alone", &[PAM], false, false, true),
    way("another module alone", &[PAM], false, false, false),
    way("sshd's own password", &["password"], false, false, false),
    way("nothing", &[], false, false, false),
];

/// A state, and what the two phases answer in it: `None` is yes.
struct State {
    name: &'static str,
    edit: fn(&mut User),
    /// What speaks against him whatever he shows.
    refusal: Option<Refusal>,
    /// The word of the event.
    reason: &'static str,
    /// What the session phase demands beside a first factor.
    needs: Needs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    Nothing,
    Code,
    /// A security key that verifies its person, which he has not.
    SecurityKey,
}

fn states() -> Vec<State> {
    let plain = |name, edit| State {
        name,
        edit,
        refusal: None,
        reason: "",
        needs: Needs::Nothing,
    };
    let out = |name, edit, refusal, reason| State {
        name,
        edit,
        refusal: Some(refusal),
        reason,
        needs: Needs::Nothing,
    };
    vec![
        plain("ordinary", |_| {}),
        State {
            needs: Needs::Code,
            ..plain("code at login", |user| user.mfa = Mfa::Totp)
        },
        State {
            needs: Needs::Code,
            ..plain("any factor at login", |user| user.mfa = Mfa::Any)
        },
        State {
            needs: Needs::Code,
            ..plain("locked", |user| user.mfa = Mfa::Totp)
        },
        State {
            needs: Needs::SecurityKey,
            ..plain("security key", |user| user.mfa = Mfa::SecurityKey)
        },
        plain("to enrol", |user| user.mfa = Mfa::Totp),
        plain("code in the session", |user| {
            user.mfa = Mfa::Totp;
            user.mfa_asked = MfaAsked::Session;
        }),
        out(
            "disabled",
            |user| user.enabled = false,
            Refusal::Disabled,
            "user-disabled",
        ),
        out(
            "not valid yet",
            |user| user.valid_from = Some(NOW.plus(1)),
            Refusal::NotYetValid,
            "user-not-yet-valid",
        ),
        out(
            "expired",
            |user| user.valid_until = Some(NOW),
            Refusal::Expired,
            "user-expired",
        ),
        out("away", |_| {}, Refusal::Disabled, "user-inactive"),
        out("kept out", |_| {}, Refusal::LoginRule, "login-rule"),
        out("too many", |_| {}, Refusal::Limit, "too-many-logins"),
        out("gone", |_| {}, Refusal::UnknownUser, "unknown-user"),
    ]
}

struct Bastion {
    store: Store,
    settings: Settings,
    app: Option<Enrolment>,
    folder: tempfile::TempDir,
}

fn change<T>(
    store: &mut Store,
    at: Time,
    work: impl FnOnce(&Change<'_>) -> Result<T, StoreError>,
) -> T {
    let actor = Actor {
        name: "root".into(),
        why: String::new(),
    };
    store.change(&actor, at, work).unwrap()
}

/// alice in that state.
fn bastion(state: &State) -> Bastion {
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
    let high_water = paths.uid_high_water();
    let added = match state.name {
        "away" => NOW.plus(-31 * DAY),
        _ => NOW.plus(-29 * DAY),
    };
    change(&mut store, added, |change| {
        let mut alice = User::new("alice", added);
        (state.edit)(&mut alice);
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
            created_at: added,
            updated_at: added,
        })
    });
    let mut settings = Settings::default();
    settings.login.inactivity_days = 30;
    settings.login.limit_user = u32::from(state.name == "too many");
    let mut bastion = Bastion {
        store,
        settings,
        app: None,
        folder,
    };
    if state.needs == Needs::Code {
        // Who has no app yet is let in to set one up.
        let alice = bastion.store.read().user("alice").unwrap();
        let app = Enrolment::begin(Algorithm::Sha1, Digits::Six).unwrap();
        let first = format!("{:06}", app.totp().code(Totp::step(NOW) - 1));
        let typed = Typed::parse(first.as_bytes());
        let before = bastion.store.read().before_enrolment(&alice).unwrap();
        let store = &mut bastion.store;
        let done = store.confirm_enrolment(&alice, "203.0.113.7", &app, &typed, before, NOW);
        assert!(matches!(done.unwrap(), Confirmed::Done(_)));
        bastion.app = Some(app);
    }
    match state.name {
        "kept out" => {
            change(&mut bastion.store, NOW, |change| {
                change.add_login_rule(&LoginRule {
                    users: vec!["alice".into()],
                    times: vec!["Mon-Sun 00:00-24:00 UTC".into()],
                    ..LoginRule::new("rule", Verdict::Deny, NOW)
                })
            });
        }
        "too many" => {
            let yes = bastion.ask(Phase::OpenSession, &WAYS[0]);
            assert!(matches!(yes, HelperMessage::Allow(_)), "{yes:?}");
        }
        "locked" => {
            for _ in 0..5 {
                bastion.meet(Some(KEY), &["000000000"]);
            }
        }
        "gone" => {
            change(&mut bastion.store, NOW, |change| {
                change.remove_user("alice")
            });
        }
        _ => {}
    }
    bastion
}

fn request(phase: Phase) -> Request {
    Request {
        phase,
        user: "alice@dev@web1".into(),
        uid: 70_001,
        service: "sshd".into(),
        remote_host: None,
        terminal: Some("ssh".into()),
        authentication: None,
        connection: Some("203.0.113.7 50022 192.0.2.1 22".into()),
        process: std::process::id(),
        token: None,
        passed: None,
    }
}

/// Types what it was told to, and then goes.
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

impl Bastion {
    fn ask(&mut self, phase: Phase, way: &Way) -> HelperMessage {
        let methods: Vec<String> = way
            .methods
            .iter()
            .map(|method| match *method {
                "publickey" => format!("publickey {KEY}\n"),
                other => format!("{other}\n"),
            })
            .collect();
        let mut request = Request {
            authentication: Some(methods.concat()),
            ..request(phase)
        };
        let user = self.store.read().user_if_any("alice").unwrap();
        if let (Phase::OpenSession, true, Some(user)) = (phase, way.password || way.totp, user) {
            let fingerprint = if way.key {
                let keys = self.store.read().login_keys(Some("alice")).unwrap();
                keys[0].fingerprint.clone()
            } else {
                String::new()
            };
            let passed = Passed {
                password: way.password,
                factor: way.totp.then_some((FactorKind::Totp, NOW)),
                at: NOW,
            };
            let key = MasterKey::load(&Paths::under(self.folder.path()).secret_key()).unwrap();
            request.passed = Some(passed.seal(&key, &user, &fingerprint, &request).unwrap());
        }
        let me = process::myself().unwrap();
        answer(&request, &mut self.store, &self.settings, me, NOW)
    }

    /// The authentication phase, with what sshd saw proven before. What was asked, and the answer; fails if the person has
    /// answers left.
    fn meet(&mut self, key: Option<&str>, types: &[&str]) -> (Vec<String>, HelperMessage) {
        let mut script = Script {
            types: types.iter().map(|&text| text.to_owned()).collect(),
            asked: Vec::new(),
        };
        let request = Request {
            authentication: key.map(|key| format!("publickey {key}\n")),
            ..request(Phase::Authenticate)
        };
        let said = authenticate(&request, &mut self.store, &self.settings, &mut script);
        assert!(script.types.is_empty(), "leftover: {:?}", script.types);
        (script.asked, said)
    }

    fn last_reason(&self) -> String {
        let search = EventSearch {
            kind: Some("login.refused".into()),
            limit: 100,
            ..EventSearch::default()
        };
        let rows = self.store.read().events(&search).unwrap();
        let body: serde_json::Value = rows.last().map_or_else(Default::default, |row| {
            serde_json::from_str(&row.body).unwrap()
        });
        body["reason"].as_str().unwrap_or_default().to_owned()
    }
}

fn refusal(answer: &HelperMessage) -> Option<Refusal> {
    match answer {
        HelperMessage::Refuse(refuse) => Some(refuse.refusal),
        HelperMessage::Allow(_) => None,
        HelperMessage::Prompt(prompt) => panic!("a leftover prompt: {:?}", prompt.text),
    }
}

/// What the table says of the session phase.
fn expected(state: &State, way: &Way) -> Option<Refusal> {
    if state.refusal.is_some() {
        return state.refusal;
    }
    let first = way.key || way.password;
    let second = match state.needs {
        Needs::Nothing => true,
        Needs::Code => way.totp,
        Needs::SecurityKey => false,
    };
    (!(first && second)).then_some(Refusal::FactorMissing)
}

#[test]
fn every_state_and_every_way_has_its_answer() {
    for state in states() {
        let mut bastion = bastion(&state);
        for way in &WAYS {
            let what = format!("{}, {}", state.name, way.name);
            let before = bastion.open_logins();
            // The account phase judges the account alone, whatever was shown.
            let account = bastion.ask(Phase::Account, way);
            assert_eq!(refusal(&account), state.refusal, "account: {what}");
            if state.refusal.is_some() {
                assert_eq!(bastion.last_reason(), state.reason, "account: {what}");
            }
            let session = bastion.ask(Phase::OpenSession, way);
            let expected = expected(&state, way);
            assert_eq!(refusal(&session), expected, "session: {what}");
            // A yes is a login, and a no is none.
            let opened = usize::from(expected.is_none());
            assert_eq!(bastion.open_logins() - before, opened, "{what}");
            if let HelperMessage::Refuse(refuse) = session {
                assert!(
                    refuse.message.starts_with("jms: "),
                    "{what}: {}",
                    refuse.message
                );
                assert!(!bastion.last_reason().is_empty(), "{what}");
            }
        }
    }
}

impl Bastion {
    fn open_logins(&self) -> usize {
        let search = LoginSearch {
            open: true,
            limit: 100,
            ..LoginSearch::default()
        };
        self.store.read().logins(&search).unwrap().len()
    }
}

#[test]
fn after_a_key_only_who_has_to_show_a_code_is_asked_for_it_and_once() {
    for state in states() {
        let what = state.name;
        let mut bastion = bastion(&state);
        let nothing: &[&str] = &[];
        if let Some(refused) = state.refusal {
            let (asked, said) = bastion.meet(Some(KEY), nothing);
            assert_eq!(asked, nothing, "{what}");
            // Nobody is told of a name that is gone: there is nobody who could have proved a key of it.
            let expected = match refused {
                Refusal::UnknownUser => Refusal::FactorMissing,
                other => other,
            };
            assert_eq!(refusal(&said), Some(expected), "{what}");
            assert_eq!(bastion.last_reason(), state.reason, "{what}");
            continue;
        }
        if what == "locked" {
            let (asked, said) = bastion.meet(Some(KEY), nothing);
            assert_eq!(
                (asked.as_slice(), refusal(&said)),
                (&[][..], Some(Refusal::Locked))
            );
            continue;
        }
        let Some(app) = &bastion.app else {
            let (asked, said) = bastion.meet(Some(KEY), nothing);
            assert_eq!(asked, nothing, "{what}");
            assert_eq!(refusal(&said), None, "{what}");
            continue;
        };
        let right = format!("{:06}", app.totp().code(Totp::step(NOW)));
        for (typed, expected) in [
            ("00000000", Some(Refusal::WrongAnswer)),
            ("", Some(Refusal::WrongAnswer)),
            (right.as_str(), None),
        ] {
            let (asked, said) = bastion.meet(Some(KEY), &[typed]);
            assert_eq!(asked, [CODE], "{what}");
            assert_eq!(refusal(&said), expected, "{what}");
        }
        // Remembered: the same key, from the same address.
        let (asked, said) = bastion.meet(Some(KEY), nothing);
        assert_eq!(
            (asked.as_slice(), refusal(&said)),
            (&[][..], None),
            "{what}"
        );
    }
}

#[test]
fn who_has_proved_no_key_is_told_nothing_in_any_state() {
    for state in states() {
        let what = state.name;
        let mut bastion = bastion(&state);
        for key in [None, Some(STRANGERS_KEY)] {
            let (asked, said) = bastion.meet(key, &[]);
            assert!(asked.is_empty(), "{what}: {asked:?}");
            assert_eq!(said, no(Refusal::FactorMissing), "{what}");
        }
        if state.name == "gone" {
            // sshd has PAM run for names without a user only where it is the first method; it hands on no answer then.
            continue;
        }
        // Where passwords are on, the questions depend on what is demanded of the user, and on nothing else.
        bastion.settings.password.enabled = true;
        bastion.settings.password.memory = *Cost::MEMORY_KIB.start();
        bastion.settings.password.passes = 1;
        let user = bastion.store.read().user("alice").unwrap();
        let code = matches!(user.mfa, Mfa::Totp | Mfa::Any) && user.mfa_asked == MfaAsked::Login;
        let (questions, types): (&[&str], &[&str]) = match code {
            true => (&[PASSWORD, CODE], &["wrong", "000000"]),
            false => (&[PASSWORD], &["wrong"]),
        };
        for _ in 0..2 {
            let (asked, said) = bastion.meet(None, types);
            assert_eq!(asked, questions, "{what}");
            assert_eq!(said, no(Refusal::WrongAnswer), "{what}");
        }
    }
}

/// A no without a word.
fn no(refusal: Refusal) -> HelperMessage {
    HelperMessage::Refuse(Refuse {
        refusal,
        message: String::new(),
    })
}
