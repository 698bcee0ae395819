//! Whatever is said comes out the same on the other side; whatever is not well said does not
//! come out at all.

use pam_jms_protocol::{
    Allow, Frame, HEADER_LEN, HelperMessage, LoginToken, ModuleMessage, Phase, Prompt,
    ProtocolError, ReadError, Refusal, Refuse, Request, Response, VERSION, Variable, limits,
};
use proptest::prelude::*;

fn request(phase: Phase) -> Request {
    Request {
        phase,
        user: "alice@dev@web1".into(),
        uid: 70_001,
        service: "sshd".into(),
        remote_host: Some("203.0.113.7".into()),
        terminal: Some("ssh".into()),
        authentication: Some("publickey ssh-ed25519 AAAA\nkeyboard-interactive/pam\n".into()),
        connection: Some("203.0.113.7 50022 192.0.2.1 22".into()),
        process: 4711,
        passed: (phase == Phase::OpenSession).then(|| "AbC+/09=".to_owned()),
        token: (phase == Phase::CloseSession)
            .then(|| LoginToken::parse(&"0f".repeat(16)).expect("a token")),
    }
}

fn through_module(message: &ModuleMessage) -> Result<ModuleMessage, ReadError> {
    let bytes = message.to_frame()?.to_bytes().to_vec();
    let frame = Frame::read(&mut bytes.as_slice())?;
    Ok(ModuleMessage::from_frame(&frame)?)
}

fn through_helper(message: &HelperMessage) -> Result<HelperMessage, ReadError> {
    let bytes = message.to_frame()?.to_bytes().to_vec();
    let frame = Frame::read(&mut bytes.as_slice())?;
    Ok(HelperMessage::from_frame(&frame)?)
}

fn login_variable() -> Variable {
    Variable {
        name: "JMS_LOGIN".into(),
        value: "0f".repeat(16),
    }
}

#[test]
fn every_phase_arrives_as_it_was_sent() {
    for phase in [
        Phase::Authenticate,
        Phase::AuthenticateAfterPassword,
        Phase::Account,
        Phase::OpenSession,
        Phase::CloseSession,
    ] {
        let message = ModuleMessage::Request(request(phase));
        assert_eq!(through_module(&message).expect("arrives"), message);
    }
}

#[test]
fn the_wire_form_is_fixed() {
    let message = HelperMessage::Refuse(Refuse {
        refusal: Refusal::Disabled,
        message: "no".into(),
    });
    assert_eq!(
        message.to_frame().expect("encodes").to_bytes().to_vec(),
        b"JMSP\x00\x01\x01\x01\x00\x00\x00\x0a\x00\x00\x00\x02\x00\x00\x00\x02no"
    );
}

#[test]
fn another_version_is_refused_unread() {
    let mut bytes = ModuleMessage::Request(request(Phase::Account))
        .to_frame()
        .expect("encodes")
        .to_bytes()
        .to_vec();
    bytes[4..6].copy_from_slice(&(VERSION + 1).to_be_bytes());
    match Frame::read(&mut bytes.as_slice()) {
        Err(ReadError::Protocol(ProtocolError::Version(3))) => {}
        other => panic!("{other:?}"),
    }
}

/// An upgrade exchanges the helper while sshd goes on with the module that it has loaded.
#[test]
fn what_the_first_version_can_say_is_said_in_it() {
    let version = |message: &ModuleMessage| {
        let bytes = message.to_frame().expect("encodes").to_bytes().to_vec();
        u16::from_be_bytes([bytes[4], bytes[5]])
    };
    let with_a_proof = request(Phase::OpenSession);
    let without = Request {
        passed: None,
        ..with_a_proof.clone()
    };
    assert_eq!(version(&ModuleMessage::Request(with_a_proof)), 2);
    for request in [
        request(Phase::Account),
        without,
        request(Phase::CloseSession),
    ] {
        assert_eq!(version(&ModuleMessage::Request(request)), 1);
    }
    for phase in [Phase::Authenticate, Phase::AuthenticateAfterPassword] {
        let mut bytes = ModuleMessage::Request(request(phase))
            .to_frame()
            .expect("encodes")
            .to_bytes()
            .to_vec();
        assert_eq!(bytes[5], 2);
        bytes[5] = 1;
        let read = Frame::read(&mut bytes.as_slice());
        assert!(matches!(
            read,
            Err(ReadError::Protocol(ProtocolError::Version(1)))
        ));
    }
}

#[test]
fn a_body_that_claims_too_much_is_refused_before_it_is_read() {
    let mut bytes = b"JMSP\x00\x01\x01\x00".to_vec();
    bytes.extend_from_slice(&u32::MAX.to_be_bytes());
    match Frame::read(&mut bytes.as_slice()) {
        Err(ReadError::Protocol(ProtocolError::BodyTooLong(length))) => {
            assert_eq!(length, u64::from(u32::MAX));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_in_the_wrong_direction_is_refused() {
    let allow = HelperMessage::Allow(Allow::default());
    let frame = allow.to_frame().expect("encodes");
    assert!(matches!(
        ModuleMessage::from_frame(&frame),
        Err(ProtocolError::Kind(256))
    ));
    let account = ModuleMessage::Request(request(Phase::Account));
    let frame = account.to_frame().expect("encodes");
    assert!(matches!(
        HelperMessage::from_frame(&frame),
        Err(ProtocolError::Kind(2))
    ));
}

#[test]
fn a_token_belongs_to_close_session_only() {
    let mut account = request(Phase::Account);
    account.token = LoginToken::parse(&"a".repeat(32));
    assert!(ModuleMessage::Request(account).to_frame().is_err());
    let mut close = request(Phase::CloseSession);
    close.token = None;
    assert!(ModuleMessage::Request(close).to_frame().is_err());
}

#[test]
fn a_token_is_32_lower_case_digits() {
    for bad in ["", "a", &"A".repeat(32), &"a".repeat(31), &"a".repeat(33)] {
        assert_eq!(LoginToken::parse(bad), None, "{bad}");
    }
    assert!(LoginToken::parse("0123456789abcdef0123456789abcdef").is_some());
}

#[test]
fn a_field_over_its_limit_is_not_sent() {
    let mut long = request(Phase::Account);
    long.user = "a".repeat(limits::USER + 1);
    assert!(matches!(
        ModuleMessage::Request(long).to_frame(),
        Err(ProtocolError::TooLong { length: 257, .. })
    ));
    let mut longest = request(Phase::Account);
    longest.user = "a".repeat(limits::USER);
    longest.service = "a".repeat(limits::SERVICE);
    longest.remote_host = Some("a".repeat(limits::REMOTE_HOST));
    longest.terminal = Some("a".repeat(limits::TERMINAL));
    longest.authentication = Some("a".repeat(limits::AUTHENTICATION));
    longest.connection = Some("a".repeat(limits::CONNECTION));
    let message = ModuleMessage::Request(longest);
    assert_eq!(through_module(&message).expect("fits the body"), message);
}

#[test]
fn a_nul_or_a_control_character_does_not_pass() {
    let mut nul = request(Phase::Account);
    nul.user = "al\0ice".into();
    assert!(ModuleMessage::Request(nul).to_frame().is_err());
    for message in ["two\nlines", "\u{1b}[2J", "c1 \u{9b}31m"] {
        let refuse = HelperMessage::Refuse(Refuse {
            refusal: Refusal::Expired,
            message: message.into(),
        });
        assert!(refuse.to_frame().is_err(), "{message:?}");
        let prompt = HelperMessage::Prompt(Prompt {
            text: message.into(),
            echo: false,
        });
        assert!(prompt.to_frame().is_err(), "{message:?}");
    }
}

#[test]
fn a_control_character_from_a_lying_helper_is_refused_too() {
    let refuse = HelperMessage::Refuse(Refuse {
        refusal: Refusal::Expired,
        message: "a~b".into(),
    });
    let mut bytes = refuse.to_frame().expect("encodes").to_bytes().to_vec();
    let tilde = bytes.iter().position(|b| *b == b'~').expect("is there");
    bytes[tilde] = 0x1b;
    let frame = Frame::read(&mut bytes.as_slice()).expect("a frame");
    assert!(HelperMessage::from_frame(&frame).is_err());
}

#[test]
fn only_well_named_variables_pass() {
    for name in ["", "ld_preload", "1A", "A=B", "A B", "_A"] {
        let allow = HelperMessage::Allow(Allow {
            environment: vec![Variable {
                name: name.into(),
                value: String::new(),
            }],
            message: String::new(),
        });
        assert!(allow.to_frame().is_err(), "{name:?}");
    }
    let many = HelperMessage::Allow(Allow {
        environment: vec![login_variable(); limits::VARIABLES + 1],
        message: String::new(),
    });
    assert!(many.to_frame().is_err());
    let good = HelperMessage::Allow(Allow {
        environment: vec![login_variable()],
        message: "your key expires tomorrow".into(),
    });
    assert_eq!(through_helper(&good).expect("arrives"), good);
}

#[test]
fn nothing_secret_is_printed() {
    let response = ModuleMessage::Response(Response::new(b"hunter2".to_vec()));
    assert!(!format!("{response:?}").contains("hunter2"));
    assert!(!format!("{:?}", response.to_frame().expect("encodes")).contains("hunter2"));
    assert!(!format!("{:?}", request(Phase::CloseSession)).contains("0f0f"));
    assert!(!format!("{:?}", login_variable()).contains("0f0f"));
}

#[test]
fn a_reader_stops_after_one_message() {
    let mut bytes = HelperMessage::Allow(Allow::default())
        .to_frame()
        .expect("encodes")
        .to_bytes()
        .to_vec();
    bytes.push(b'x');
    let mut reader = bytes.as_slice();
    Frame::read(&mut reader).expect("reads one");
    assert_eq!(reader, b"x");
}

fn text(limit: usize) -> impl Strategy<Value = String> {
    let length = limit.min(64);
    proptest::collection::vec(proptest::char::range('\u{1}', '\u{7e}'), 0..length)
        .prop_map(|chars| chars.into_iter().collect())
}

prop_compose! {
    fn any_request()(
        phase in prop_oneof![
            Just(Phase::Authenticate), Just(Phase::AuthenticateAfterPassword), Just(Phase::Account),
            Just(Phase::OpenSession), Just(Phase::CloseSession)
        ],
        user in "[a-z][a-z0-9@._-]{0,200}",
        uid: u32,
        service in text(limits::SERVICE),
        remote_host in proptest::option::of(text(limits::REMOTE_HOST)),
        terminal in proptest::option::of(text(limits::TERMINAL)),
        authentication in proptest::option::of(text(limits::AUTHENTICATION)),
        connection in proptest::option::of(text(limits::CONNECTION)),
        process: u32,
        token in "[0-9a-f]{32}",
        passed in proptest::option::of("[A-Za-z0-9+/=]{1,200}"),
    ) -> Request {
        Request {
            phase, user, uid, service, remote_host, terminal, authentication, connection, process,
            token: if phase == Phase::CloseSession { LoginToken::parse(&token) } else { None },
            passed: passed.filter(|_| phase == Phase::OpenSession),
        }
    }
}

proptest! {
    #[test]
    fn requests_survive_the_journey(request in any_request()) {
        let message = ModuleMessage::Request(request);
        prop_assert_eq!(through_module(&message).expect("arrives"), message);
    }

    #[test]
    fn a_cut_message_never_arrives(request in any_request(), at in 0.0..1.0_f64) {
        let bytes = ModuleMessage::Request(request).to_frame().expect("encodes").to_bytes().to_vec();
        let cut = (bytes.len() as f64 * at) as usize;
        let error = Frame::read(&mut &bytes[..cut]).expect_err("is cut");
        prop_assert!(matches!(error, ReadError::Closed | ReadError::Cut));
    }

    #[test]
    fn a_shortened_or_lengthened_body_never_arrives(request in any_request(), by in -9_i32..9) {
        prop_assume!(by != 0);
        let mut bytes = ModuleMessage::Request(request).to_frame().expect("encodes").to_bytes().to_vec();
        let length = i32::try_from(bytes.len() - HEADER_LEN).expect("small") + by;
        bytes[8..12].copy_from_slice(&length.to_be_bytes());
        bytes.resize(HEADER_LEN + usize::try_from(length).expect("positive"), 0);
        let frame = Frame::read(&mut bytes.as_slice()).expect("a frame");
        prop_assert!(ModuleMessage::from_frame(&frame).is_err());
    }

    /// What is understood is said again in the very same bytes: there is one form only.
    #[test]
    fn any_bytes_are_refused_or_have_one_form(body in proptest::collection::vec(any::<u8>(), 0..96), version in 1_u8..3, kind in prop_oneof![1_u16..7, 255_u16..260]) {
        let mut bytes = b"JMSP\x00".to_vec();
        bytes.push(version);
        bytes.extend_from_slice(&kind.to_be_bytes());
        bytes.extend_from_slice(&u32::try_from(body.len()).expect("small").to_be_bytes());
        bytes.extend_from_slice(&body);
        if let Ok(frame) = Frame::read(&mut bytes.as_slice()) {
            if let Ok(message) = ModuleMessage::from_frame(&frame) {
                prop_assert_eq!(message.to_frame().expect("encodes").to_bytes().to_vec(), bytes.clone());
            }
            if let Ok(message) = HelperMessage::from_frame(&frame) {
                prop_assert_eq!(message.to_frame().expect("encodes").to_bytes().to_vec(), bytes);
            }
        }
    }
}
