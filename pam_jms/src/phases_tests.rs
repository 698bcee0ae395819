use super::*;
use crate::helper::Waiting;
use pam_jms_protocol::{Prompt, Refuse, Response, Variable};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::CStr;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A scripted host program.
struct Program {
    user: Option<&'static str>,
    service: &'static str,
    environment: BTreeMap<String, String>,
    takes_variables: bool,
    /// A module before ours has asked for a password.
    password_was_typed: bool,
    shown: RefCell<Vec<String>>,
    /// What the person will type; a prompt more or an answer left over fails the test.
    types: Typing,
    prompted: RefCell<Vec<Prompt>>,
}

impl Program {
    fn sshd() -> Self {
        let environment = [
            ("SSH_AUTH_INFO_0", "publickey ssh-ed25519 AAAA\n"),
            ("SSH_CONNECTION", "203.0.113.7 50022 192.0.2.1 22"),
        ];
        Self {
            user: Some("alice@dev@web1"),
            service: "sshd",
            environment: environment
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            takes_variables: true,
            password_was_typed: false,
            shown: RefCell::default(),
            types: Typing::default(),
            prompted: RefCell::default(),
        }
    }

    fn typing(answers: &[&'static str]) -> Self {
        Self {
            types: Typing(RefCell::new(answers.iter().rev().copied().collect())),
            ..Self::sshd()
        }
    }

    fn in_service(service: &'static str) -> Self {
        Self {
            service,
            ..Self::sshd()
        }
    }
}

impl Application for Program {
    fn user(&mut self, _: bool) -> Option<String> {
        self.user.map(str::to_owned)
    }
    fn service(&self) -> Option<String> {
        Some(self.service.to_owned())
    }
    fn remote_host(&self) -> Option<String> {
        Some("203.0.113.7".to_owned())
    }
    fn terminal(&self) -> Option<String> {
        Some("ssh".to_owned())
    }
    fn variable(&self, name: &CStr) -> Option<String> {
        self.environment.get(name.to_str().unwrap()).cloned()
    }
    fn set_variable(&mut self, name: &str, value: &str) -> bool {
        self.environment.insert(name.to_owned(), value.to_owned());
        self.takes_variables
    }
    fn unset_variable(&mut self, name: &CStr) -> bool {
        self.environment.remove(name.to_str().unwrap());
        self.takes_variables
    }
    fn password_was_typed(&self) -> bool {
        self.password_was_typed
    }
    fn show(&self, sentence: &str) {
        self.shown.borrow_mut().push(sentence.to_owned());
    }
    fn ask(&self, prompt: &Prompt) -> Option<Response> {
        self.prompted.borrow_mut().push(prompt.clone());
        let typed = self.types.0.borrow_mut().pop()?;
        Some(Response::new(typed.as_bytes().to_vec()))
    }
    fn keep(&mut self, _: Waiting) {
        panic!("the scripted host keeps no helper");
    }
    fn kept(&mut self) -> Option<Waiting> {
        None
    }
}

/// Answers of the person, the last first.
#[derive(Default)]
struct Typing(RefCell<Vec<&'static str>>);

impl Drop for Typing {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(self.0.borrow().is_empty(), "a leftover answer");
        }
    }
}

/// A scripted host: gives its answers in order, fails the test on one too many or one left over.
struct Script {
    answers: RefCell<Vec<Result<HelperMessage, HelperError>>>,
    asked: RefCell<Vec<Request>>,
    heard: RefCell<Vec<Vec<u8>>>,
    /// The connections on which everything goes out at once.
    hurried: RefCell<Vec<String>>,
    log: RefCell<Vec<String>>,
    alerts: RefCell<Vec<String>>,
}

impl Script {
    fn of(answers: Vec<Result<HelperMessage, HelperError>>) -> Self {
        Self {
            answers: RefCell::new(answers.into_iter().rev().collect()),
            asked: RefCell::default(),
            heard: RefCell::default(),
            hurried: RefCell::default(),
            log: RefCell::default(),
            alerts: RefCell::default(),
        }
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(
                self.answers.borrow().is_empty(),
                "an answer nobody asked for"
            );
        }
    }
}

impl System for Script {
    fn virtual_uid(&self, user: &str) -> Option<u32> {
        user.starts_with("alice").then_some(70_001)
    }
    fn process(&self) -> u32 {
        4711
    }
    fn ask(
        &self,
        request: &Request,
        _: Option<Waiting>,
        person: &mut dyn FnMut(&Prompt) -> Option<Response>,
    ) -> Result<(HelperMessage, Option<Waiting>), HelperError> {
        self.asked.borrow_mut().push(request.clone());
        loop {
            let answer = self.answers.borrow_mut().pop().expect("not asked");
            let Ok(HelperMessage::Prompt(prompt)) = &answer else {
                return answer.map(|message| (message, None));
            };
            let typed = person(prompt).ok_or(HelperError::NoResponse)?;
            self.heard.borrow_mut().push(typed.expose().to_vec());
        }
    }
    fn send_at_once(&self, connection: &str) {
        self.hurried.borrow_mut().push(connection.to_owned());
    }
    fn log(&self, line: &str) {
        self.log.borrow_mut().push(line.to_owned());
    }
    fn alert(&self, line: &str) {
        self.alerts.borrow_mut().push(line.to_owned());
    }
}

/// The line that the package installs.
const ALONE: Call = Call::Authenticate(Place::Alone);

const CALLS: [Call; 8] = [
    ALONE,
    Call::Authenticate(Place::AfterKey),
    Call::Authenticate(Place::AfterPassword),
    Call::SetCredentials,
    Call::Account,
    Call::OpenSession,
    Call::CloseSession,
    Call::ChangeToken,
];

fn call(program: &mut Program, script: &Script, call: Call) -> PamResultCode {
    match virtual_user(program, script, call) {
        Some(user) => run(program, script, call, &user),
        None => PamResultCode::PAM_IGNORE,
    }
}

fn allow(environment: &[(&str, &str)]) -> Result<HelperMessage, HelperError> {
    Ok(HelperMessage::Allow(Allow {
        environment: environment
            .iter()
            .map(|(name, value)| Variable {
                name: (*name).to_owned(),
                value: (*value).to_owned(),
            })
            .collect(),
        message: String::new(),
    }))
}

fn refuse(refusal: Refusal) -> Result<HelperMessage, HelperError> {
    Ok(HelperMessage::Refuse(Refuse {
        refusal,
        message: "jms: no".to_owned(),
    }))
}

#[test]
fn everybody_else_is_ignored_in_every_phase_and_every_service() {
    for service in ["sshd", "su", "login", "sudo", "cron"] {
        for phase in CALLS {
            for user in [Some("root"), Some("bob"), None] {
                let mut program = Program {
                    user,
                    ..Program::in_service(service)
                };
                let script = Script::of(vec![]);
                assert_eq!(
                    call(&mut program, &script, phase),
                    PamResultCode::PAM_IGNORE
                );
                assert!(script.log.borrow().is_empty() && script.alerts.borrow().is_empty());
            }
        }
    }
}

#[test]
fn outside_sshd_a_virtual_user_is_refused_in_every_phase_unasked() {
    for service in ["su", "su-l", "login", "sudo", "cron", "sshd-x", "SSHD", ""] {
        for phase in CALLS {
            let mut program = Program::in_service(service);
            let script = Script::of(vec![]);
            let answer = call(&mut program, &script, phase);
            assert_eq!(answer, refusal_elsewhere(phase), "{service} {phase:?}");
            // sudo goes on after it.
            let shrugged_off =
                phase == Call::OpenSession && answer == PamResultCode::PAM_SESSION_ERR;
            assert!(!shrugged_off);
            assert_ne!(answer, PamResultCode::PAM_SUCCESS);
            assert_ne!(answer, PamResultCode::PAM_IGNORE);
            assert_eq!(script.log.borrow().len(), 1);
        }
    }
}

#[test]
fn the_helpers_prompts_go_to_the_person_and_the_answers_to_the_helper() {
    let prompt = |text: &str| {
        Ok(HelperMessage::Prompt(Prompt {
            text: text.to_owned(),
            echo: false,
        }))
    };
    let script = Script::of(vec![
        prompt("Password: "),
        prompt("Code: "),
        allow(&[("JMS_FACTOR", "c2VhbGVk")]),
    ]);
    let mut sshd = Program::typing(&["hunter2", "123456"]);
    assert_eq!(call(&mut sshd, &script, ALONE), PamResultCode::PAM_SUCCESS);
    assert_eq!(
        *script.heard.borrow(),
        [b"hunter2".to_vec(), b"123456".to_vec()]
    );
    let prompted: Vec<String> = sshd
        .prompted
        .borrow()
        .iter()
        .map(|prompt| prompt.text.clone())
        .collect();
    assert_eq!(prompted, ["Password: ", "Code: "]);
    assert_eq!(sshd.environment["JMS_FACTOR"], "c2VhbGVk");
    // The session phase hands it back; the account phase has no use for it.
    let script = Script::of(vec![allow(&[]), allow(&[("JMS_LOGIN", TOKEN)])]);
    call(&mut sshd, &script, Call::Account);
    call(&mut sshd, &script, Call::OpenSession);
    let asked = script.asked.borrow();
    assert_eq!(asked[0].passed, None);
    assert_eq!(asked[1].passed.as_deref(), Some("c2VhbGVk"));
    // No session has it.
    assert_eq!(sshd.environment.get("JMS_FACTOR"), None);
    assert_eq!(sshd.environment["JMS_LOGIN"], TOKEN);
}

#[test]
fn after_key_is_the_turn_of_who_proved_one_and_of_nobody_else() {
    let sealed = || allow(&[("JMS_FACTOR", "c2VhbGVk")]);
    let key = "publickey ssh-ed25519 AAAA\n";
    for (shown, is_asked) in [
        (Some(key), true),
        (
            Some("keyboard-interactive/pam\npublickey ssh-ed25519 AAAA\n"),
            true,
        ),
        (Some("keyboard-interactive/pam\n"), false),
        (Some("password\n"), false),
        (Some(""), false),
        (None, false),
    ] {
        let script = Script::of(if is_asked { vec![sealed()] } else { vec![] });
        let mut sshd = Program::sshd();
        sshd.environment.remove("SSH_AUTH_INFO_0");
        if let Some(shown) = shown {
            sshd.environment
                .insert("SSH_AUTH_INFO_0".to_owned(), shown.to_owned());
        }
        let expected = match is_asked {
            true => PamResultCode::PAM_SUCCESS,
            false => PamResultCode::PAM_IGNORE,
        };
        let after_key = Call::Authenticate(Place::AfterKey);
        assert_eq!(call(&mut sshd, &script, after_key), expected, "{shown:?}");
        if is_asked {
            assert_eq!(script.asked.borrow()[0].phase, Phase::Authenticate);
        }
    }
}

#[test]
fn after_password_wants_a_password_to_have_been_typed_and_any_other_word_is_a_refusal() {
    let after_password = Call::Authenticate(Place::AfterPassword);
    let script = Script::of(vec![allow(&[("JMS_FACTOR", "c2VhbGVk")])]);
    let mut sshd = Program::sshd();
    sshd.password_was_typed = true;
    assert_eq!(
        call(&mut sshd, &script, after_password),
        PamResultCode::PAM_SUCCESS
    );
    assert_eq!(
        script.asked.borrow()[0].phase,
        Phase::AuthenticateAfterPassword
    );
    for (place, why) in [
        (Place::AfterPassword, "no module before it"),
        (Place::Unknown, "not understood"),
    ] {
        let script = Script::of(vec![]);
        let answer = call(&mut Program::sshd(), &script, Call::Authenticate(place));
        assert_eq!(answer, PamResultCode::PAM_AUTH_ERR);
        assert!(
            script.alerts.borrow()[0].contains(why),
            "{:?}",
            script.alerts
        );
    }
}

#[test]
fn no_refusal_takes_sshds_methods_away() {
    for (answer, code) in [
        (refuse(Refusal::WrongAnswer), PamResultCode::PAM_AUTH_ERR),
        (refuse(Refusal::Locked), PamResultCode::PAM_AUTH_ERR),
        (refuse(Refusal::FactorMissing), PamResultCode::PAM_AUTH_ERR),
        (refuse(Refusal::Unavailable), PamResultCode::PAM_AUTH_ERR),
        (Err(HelperError::Slow), PamResultCode::PAM_AUTH_ERR),
        (
            Err(HelperError::TooManyPrompts),
            PamResultCode::PAM_AUTH_ERR,
        ),
        (Err(HelperError::NoResponse), PamResultCode::PAM_AUTH_ERR),
        (allow(&[]), PamResultCode::PAM_AUTH_ERR),
        (allow(&[("JMS_LOGIN", TOKEN)]), PamResultCode::PAM_AUTH_ERR),
        (
            allow(&[("LD_PRELOAD", "/tmp/x")]),
            PamResultCode::PAM_AUTH_ERR,
        ),
    ] {
        let script = Script::of(vec![answer]);
        let mut sshd = Program::sshd();
        assert_eq!(call(&mut sshd, &script, ALONE), code);
        assert!(!sshd.environment.contains_key("LD_PRELOAD"));
        assert!(script.hurried.borrow().is_empty());
    }
}

#[test]
fn sshd_gets_no_new_password_from_us_but_credentials() {
    let script = Script::of(vec![]);
    let mut sshd = Program::sshd();
    assert_eq!(
        call(&mut sshd, &script, Call::ChangeToken),
        PamResultCode::PAM_PERM_DENIED
    );
    assert_eq!(
        call(&mut sshd, &script, Call::SetCredentials),
        PamResultCode::PAM_SUCCESS
    );
    assert!(sshd.shown.borrow().is_empty());
}

#[test]
fn the_account_phase_is_the_helpers() {
    let script = Script::of(vec![
        allow(&[]),
        refuse(Refusal::Disabled),
        refuse(Refusal::Expired),
        refuse(Refusal::NotYetValid),
    ]);
    let mut sshd = Program::sshd();
    for expected in [
        PamResultCode::PAM_SUCCESS,
        PamResultCode::PAM_PERM_DENIED,
        PamResultCode::PAM_ACCT_EXPIRED,
        PamResultCode::PAM_ACCT_EXPIRED,
    ] {
        assert_eq!(call(&mut sshd, &script, Call::Account), expected);
    }
    assert_eq!(*sshd.shown.borrow(), ["", "jms: no", "jms: no", "jms: no"]);
    let asked = script.asked.borrow();
    assert_eq!(
        asked[0],
        Request {
            phase: Phase::Account,
            user: "alice@dev@web1".to_owned(),
            uid: 70_001,
            service: "sshd".to_owned(),
            remote_host: Some("203.0.113.7".to_owned()),
            terminal: Some("ssh".to_owned()),
            authentication: Some("publickey ssh-ed25519 AAAA\n".to_owned()),
            connection: Some("203.0.113.7 50022 192.0.2.1 22".to_owned()),
            process: 4711,
            token: None,
            passed: None,
        }
    );
}

#[test]
fn a_session_gets_its_token_and_gives_it_back() {
    let script = Script::of(vec![allow(&[("JMS_LOGIN", TOKEN)]), allow(&[])]);
    let mut sshd = Program::sshd();
    assert_eq!(
        call(&mut sshd, &script, Call::OpenSession),
        PamResultCode::PAM_SUCCESS
    );
    assert_eq!(sshd.environment["JMS_LOGIN"], TOKEN);
    assert_eq!(
        *script.hurried.borrow(),
        [sshd.environment["SSH_CONNECTION"].as_str()]
    );
    assert_eq!(
        call(&mut sshd, &script, Call::CloseSession),
        PamResultCode::PAM_SUCCESS
    );
    assert_eq!(script.asked.borrow()[1].token, LoginToken::parse(TOKEN));
}

#[test]
fn a_session_without_a_token_has_nothing_to_close() {
    let script = Script::of(vec![]);
    let mut sshd = Program::sshd();
    assert_eq!(
        call(&mut sshd, &script, Call::CloseSession),
        PamResultCode::PAM_SESSION_ERR
    );
    assert!(script.log.borrow()[0].contains("no login of ours"));
}

#[test]
fn a_helper_that_lies_about_the_environment_opens_no_session() {
    for environment in [
        &[][..],
        &[("LD_PRELOAD", "/tmp/x.so")],
        &[("JMS_LOGIN", "short")],
        &[("JMS_LOGIN", &TOKEN.to_uppercase())],
        &[("JMS_LOGIN", TOKEN), ("LD_PRELOAD", "/tmp/x.so")],
    ] {
        let script = Script::of(vec![allow(environment)]);
        let mut sshd = Program::sshd();
        let answer = call(&mut sshd, &script, Call::OpenSession);
        assert_eq!(answer, PamResultCode::PAM_SESSION_ERR, "{environment:?}");
        assert!(!sshd.environment.contains_key("LD_PRELOAD"));
        assert_eq!(script.alerts.borrow().len(), 1);
    }
    for phase in [Call::Account, Call::CloseSession] {
        let script = Script::of(vec![allow(&[("JMS_LOGIN", TOKEN)])]);
        let mut sshd = Program::sshd();
        sshd.environment
            .insert("JMS_LOGIN".to_owned(), TOKEN.to_owned());
        assert_eq!(call(&mut sshd, &script, phase), refusal(phase));
    }
}

#[test]
fn a_token_that_pam_does_not_take_is_no_session() {
    let script = Script::of(vec![allow(&[("JMS_LOGIN", TOKEN)])]);
    let mut sshd = Program {
        takes_variables: false,
        ..Program::sshd()
    };
    assert_eq!(
        call(&mut sshd, &script, Call::OpenSession),
        PamResultCode::PAM_SESSION_ERR
    );
}

#[test]
fn no_answer_and_a_question_back_are_refusals_with_an_alert() {
    for phase in [Call::Account, Call::OpenSession] {
        let script = Script::of(vec![
            Err(HelperError::Slow),
            Err(HelperError::TrailingBytes),
            Ok(HelperMessage::Prompt(Prompt {
                text: "password".to_owned(),
                echo: false,
            })),
        ]);
        let mut sshd = Program::sshd();
        for _ in 0..3 {
            assert_eq!(call(&mut sshd, &script, phase), refusal(phase));
        }
        let log = script.alerts.borrow();
        assert_eq!(log.len(), 3);
        assert!(
            log[0].contains("did not answer within 5 seconds"),
            "{}",
            log[0]
        );
        let start = match phase {
            Call::Account => "pam_jms(sshd:account): user \"alice@dev@web1\": refused: ",
            _ => "pam_jms(sshd:session): user \"alice@dev@web1\": refused: ",
        };
        assert!(log[0].starts_with(start), "{}", log[0]);
        match phase {
            Call::Account => assert_eq!(*sshd.shown.borrow(), [SORRY; 3]),
            _ => assert!(sshd.shown.borrow().is_empty()),
        }
    }
}

#[test]
fn a_line_in_the_log_holds_no_second_line() {
    let script = Script::of(vec![Err(HelperError::Slow)]);
    let mut sshd = Program {
        user: Some("alice\n\"forged\""),
        ..Program::sshd()
    };
    call(&mut sshd, &script, Call::Account);
    assert!(script.alerts.borrow()[0].contains("user \"alice\\x0a\\x22forged\\x22\":"));
}

/// The page names the code of each refusal, and how long the helper may take.
#[test]
fn the_manual_page_says_what_the_phases_answer() {
    let page = include_str!("../../packaging/manual/pages/pam_jms.8");
    let about = |phase: &str| {
        let from = page.split(&format!("\n.It Cm {phase}\n")).nth(1);
        let text = from.and_then(|text| text.split("\n.It Cm ").next());
        text.unwrap_or_else(|| panic!("nothing about {phase}"))
    };
    for (call, phase, name) in [
        (ALONE, "auth", "PAM_AUTH_ERR"),
        (Call::Account, "account", "PAM_PERM_DENIED"),
        (Call::OpenSession, "session", "PAM_SESSION_ERR"),
        (Call::ChangeToken, "password", "PAM_PERM_DENIED"),
    ] {
        assert_eq!(format!("{:?}", refusal(call)), name);
        assert!(about(phase).contains(&format!(".Dv {name}")), "{phase}");
    }
    assert!(page.contains(&format!("\n.Cm {SERVICE}\n")));
    assert!(page.contains(&format!("\n.Ev {LOGIN_VARIABLE} .\n")));
    let limit = crate::helper::LIMIT.as_secs();
    assert!(page.contains(&format!("takes longer than {limit} seconds")));
}

#[test]
fn every_no_of_the_helper_has_its_return_in_every_phase() {
    use Refusal::{
        Disabled, Expired, FactorMissing, Limit, Locked, LoginRule, NotYetValid, Unavailable,
        UnknownLogin, UnknownUser, WrongAnswer,
    };
    for why in [
        UnknownUser,
        Disabled,
        NotYetValid,
        Expired,
        Locked,
        LoginRule,
        FactorMissing,
        Limit,
        UnknownLogin,
        Unavailable,
        WrongAnswer,
    ] {
        for (phase, expected) in [
            (
                Call::Account,
                match why {
                    Expired | NotYetValid => PamResultCode::PAM_ACCT_EXPIRED,
                    _ => PamResultCode::PAM_PERM_DENIED,
                },
            ),
            (Call::OpenSession, PamResultCode::PAM_SESSION_ERR),
            (ALONE, PamResultCode::PAM_AUTH_ERR),
        ] {
            let script = Script::of(vec![refuse(why)]);
            let mut program = Program::sshd();
            assert_eq!(
                call(&mut program, &script, phase),
                expected,
                "{why:?} in {phase:?}"
            );
        }
    }
}
