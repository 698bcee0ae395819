use super::{Conversation, Login, Machine, SESSION, bind_message, sign_message};
use crate::agent::Notice;
use crate::agent::refusal::Refusal;
use jms::keys::wire::Writer;
use jms::keys::{Fingerprint, LegacyHash, PrivateKey, SignError, SignatureFlags, VerifyError};
use proptest::prelude::{any, prop_assert_ne};
use proptest::test_runner::TestRunner;
use std::cell::RefCell;

#[test]
fn an_unbound_connection_gets_no_signature() {
    let mut agent = Conversation::new();
    let login = Login::new(&agent.key);
    assert_eq!(agent.login_refusal(&login), Refusal::NotBound);
    let login = Login::host_bound(&agent.key, &agent.machine.key);
    assert_eq!(agent.login_refusal(&login), Refusal::NotBound);
}

#[test]
fn a_login_with_one_wrong_field_is_refused() {
    let mut agent = Conversation::bound();
    let right = Login::new(&agent.key);
    let other_key = PrivateKey::generate_ed25519()
        .unwrap()
        .public()
        .blob()
        .to_vec();
    let stored_but_not_bound = agent.other_host_key.clone();
    let cases = [
        (
            Login {
                session_id: vec![0x5e; 31],
                ..right.clone()
            },
            Refusal::OtherSession,
        ),
        (
            Login {
                session_id: vec![],
                ..right.clone()
            },
            Refusal::OtherSession,
        ),
        (
            Login {
                user: b"root".to_vec(),
                ..right.clone()
            },
            Refusal::OtherUser("root".to_owned()),
        ),
        (
            Login {
                user: b"dev\0".to_vec(),
                ..right.clone()
            },
            Refusal::OtherUser("dev\\x00".to_owned()),
        ),
        (
            Login {
                user: b"".to_vec(),
                ..right.clone()
            },
            Refusal::OtherUser(String::new()),
        ),
        (
            Login {
                service: b"ssh-userauth".to_vec(),
                ..right.clone()
            },
            Refusal::OtherService,
        ),
        (
            Login {
                key: other_key,
                ..right.clone()
            },
            Refusal::OtherKey,
        ),
        (
            Login {
                algorithm: b"rsa-sha2-512".to_vec(),
                ..right.clone()
            },
            Refusal::Algorithm,
        ),
        (
            Login {
                algorithm: b"ssh-ed25519-cert-v01@openssh.com".to_vec(),
                ..right.clone()
            },
            Refusal::Algorithm,
        ),
        (
            Login {
                message: 51,
                ..right.clone()
            },
            Refusal::NotALogin,
        ),
        (
            Login {
                method: b"hostbased".to_vec(),
                ..right.clone()
            },
            Refusal::NotALogin,
        ),
        (
            Login {
                signed: 0,
                ..right.clone()
            },
            Refusal::NotALogin,
        ),
        (
            Login {
                signed: 2,
                ..right.clone()
            },
            Refusal::NotALogin,
        ),
        (
            Login {
                after: vec![0],
                ..right.clone()
            },
            Refusal::NotALogin,
        ),
        // A host key under the method that has none, and none under the method that has one.
        (
            Login {
                host_key: Some(agent.machine.key.blob().to_vec()),
                ..right.clone()
            },
            Refusal::NotALogin,
        ),
        (
            Login {
                method: b"publickey-hostbound-v00@openssh.com".to_vec(),
                ..right.clone()
            },
            Refusal::NotALogin,
        ),
        // A stored key of the asset, but not the one that was proved.
        (
            Login::host_bound(&agent.key, &stored_but_not_bound),
            Refusal::OtherHostKey(stored_but_not_bound.fingerprint()),
        ),
    ];
    for (login, expected) in cases {
        assert_eq!(agent.login_refusal(&login), expected);
        assert!(!expected.to_string().is_empty());
    }
    for end in 0..right.data().len() {
        let body = sign_message(&agent.key, &right.data()[..end], 0);
        assert_eq!(agent.refusal(&body), Refusal::NotALogin, "cut at {end}");
    }
    assert!(agent.sign(&right).is_some(), "the connection still works");
}

#[test]
fn another_key_or_foreign_flags_are_refused() {
    let mut agent = Conversation::bound();
    let login = Login::new(&agent.key);
    let other = PrivateKey::generate_ed25519()
        .unwrap()
        .public()
        .blob()
        .to_vec();
    assert_eq!(
        agent.refusal(&sign_message(&other, &login.data(), 0)),
        Refusal::OtherKey
    );
    for flags in [1, 2, 4, u32::MAX] {
        let body = sign_message(&agent.key, &login.data(), flags);
        let expected = Refusal::Sign(SignError::Flags(SignatureFlags(flags)));
        assert_eq!(agent.refusal(&body), expected);
    }
}

#[test]
fn what_is_no_login_is_not_signed() {
    let mut agent = Conversation::bound();
    for data in [&b""[..], b"SSHSIG\0\0\0\x04file", &[0xff; 64], SESSION] {
        let body = sign_message(&agent.key, data, 0);
        assert_eq!(agent.refusal(&body), Refusal::NotALogin);
    }
}

#[test]
fn only_a_proof_by_a_stored_host_key_binds() {
    let asset = Machine::new();
    let elsewhere = Machine::new();
    let mut agent = Conversation::with(
        PrivateKey::generate_ed25519().unwrap(),
        asset,
        super::Binding::Required,
    );
    let blob = agent.machine.key.blob().to_vec();
    let proof = agent
        .machine
        .private
        .sign(SESSION, SignatureFlags::NONE, LegacyHash::Refused)
        .unwrap();
    let forged = elsewhere
        .private
        .sign(SESSION, SignatureFlags::NONE, LegacyHash::Refused)
        .unwrap();

    let unknown = Refusal::BindHostKey(elsewhere.key.fingerprint());
    assert_eq!(agent.refusal(&elsewhere.bind(SESSION)), unknown);
    let empty = Refusal::BindHostKey(Fingerprint::of(b""));
    assert_eq!(agent.refusal(&bind_message(b"", SESSION, &proof, 0)), empty);
    let wrong = Refusal::BindSignature(VerifyError::Wrong);
    assert_eq!(
        agent.refusal(&bind_message(&blob, SESSION, &forged, 0)),
        wrong
    );
    assert_eq!(
        agent.refusal(&bind_message(&blob, b"another session", &proof, 0)),
        wrong
    );
    let body = bind_message(&blob, SESSION, &proof, 1);
    assert_eq!(agent.refusal(&body), Refusal::BindForwarding);
    assert_eq!(
        agent.refusal(&bind_message(&blob, SESSION, &proof, 2)),
        Refusal::Malformed
    );
    assert_eq!(
        agent.refusal(&bind_message(&blob, b"", &proof, 0)),
        Refusal::SessionId(0)
    );
    let long = [7; 129];
    assert_eq!(
        agent.refusal(&bind_message(&blob, &long, &proof, 0)),
        Refusal::SessionId(129)
    );
    let mut after = bind_message(&blob, SESSION, &proof, 0);
    after.push(0);
    assert_eq!(agent.refusal(&after), Refusal::Malformed);
    let login = Login::new(&agent.key);
    assert_eq!(agent.login_refusal(&login), Refusal::NotBound);

    assert_eq!(agent.ask(&bind_message(&blob, SESSION, &proof, 0)), [6]);
    assert_eq!(
        agent.refusal(&bind_message(&blob, SESSION, &proof, 0)),
        Refusal::BoundAlready
    );
    let second = agent.machine.bind(b"another session");
    assert_eq!(agent.refusal(&second), Refusal::BoundAlready);
    assert!(agent.sign(&login).is_some());
}

#[test]
fn no_password_is_given_once_another_machine_was_shown_and_by_a_setting_only_once_the_asset_was() {
    let elsewhere = Machine::new().bind(SESSION);
    for binding in [super::Binding::Optional, super::Binding::Required] {
        let new = || {
            let key = PrivateKey::generate_ed25519().unwrap();
            Conversation::with(key, Machine::new(), binding)
        };
        let mut agent = new();
        let unproved = binding == super::Binding::Optional;
        assert_eq!(agent.protocol.may_give_password(), unproved);
        let bind = agent.machine.bind(SESSION);
        assert_eq!(agent.ask(&bind), [6]);
        assert!(agent.protocol.may_give_password());
        agent.refusal(&elsewhere);
        assert!(!agent.protocol.may_give_password());

        let mut agent = new();
        agent.refusal(&elsewhere);
        let bind = agent.machine.bind(SESSION);
        assert_eq!(agent.ask(&bind), [6]);
        assert!(!agent.protocol.may_give_password());
    }
}

#[test]
fn requests_of_other_programs_are_not_served() {
    let mut agent = Conversation::new();
    // Add, remove, remove all, smart cards, lock, unlock, constrained; types of protocol 1; unknown ones.
    for kind in [
        17, 18, 19, 20, 21, 22, 23, 25, 26, 1, 3, 9, 0, 5, 6, 12, 14, 255,
    ] {
        let mut body = vec![kind];
        body.put_string(b"password");
        assert_eq!(agent.refusal(&body), Refusal::NotServed(kind));
    }
    let mut body = vec![27];
    body.put_string(b"query");
    assert_eq!(agent.refusal(&body), Refusal::NotServed(27));
    assert_eq!(agent.refusal(&[]), Refusal::Malformed);
    assert_eq!(agent.refusal(&[11, 0]), Refusal::Malformed);
    assert_eq!(agent.refusal(&[13]), Refusal::Malformed);
}

#[test]
fn a_message_that_is_too_long_ends_the_connection() {
    for length in [32 * 1024 + 1, 256 * 1024, u32::MAX] {
        let mut agent = Conversation::bound();
        agent.protocol.receive(&length.to_be_bytes());
        assert!(agent.protocol.is_broken());
        assert_eq!(
            agent.protocol.take_notices(),
            [Notice::Refused(Refusal::TooLong(length))]
        );
        agent.protocol.receive(&[0; 100]);
        assert!(agent.protocol.output().is_empty());
    }
    let mut agent = Conversation::bound();
    let longest = vec![99; 32 * 1024];
    assert_eq!(agent.refusal(&longest), Refusal::NotServed(99));
}

#[test]
fn refused_again_and_again_it_remembers_a_bounded_number() {
    let mut agent = Conversation::new();
    for _ in 0..10_000 {
        assert_eq!(agent.ask(&[99]), [5]);
    }
    assert_eq!(agent.protocol.take_notices().len(), 64);
}

#[test]
fn nothing_printable_shows_the_key() {
    let agent = Conversation::bound();
    let text = format!("{:?}", agent.protocol);
    assert!(
        text.starts_with("Protocol { public: ssh-ed25519 SHA256:"),
        "{text}"
    );
}

#[test]
fn a_login_with_any_byte_changed_is_not_signed() {
    let mut agent = Conversation::bound();
    let data = Login::host_bound(&agent.key, &agent.machine.key).data();
    for index in 0..data.len() {
        for xor in [1, 0x20, 0x80, 0xff] {
            let mut changed = data.clone();
            changed[index] ^= xor;
            let answer = agent.ask(&sign_message(&agent.key.clone(), &changed, 0));
            assert_eq!(answer, [5], "byte {index} ^ {xor}");
        }
    }
}

#[test]
fn no_bytes_make_it_panic_or_sign() {
    // One connection for all cases, because making keys takes long.
    let agent = RefCell::new(Conversation::bound());
    let strategy = (0..30_u8, any::<Vec<u8>>());
    TestRunner::default()
        .run(&strategy, |(kind, rest)| {
            let mut message = Vec::new();
            message.put_string(&[&[kind], rest.as_slice()].concat());
            let mut agent = agent.borrow_mut();
            agent.protocol.receive(&message);
            prop_assert_ne!(agent.answer()[0], 14);
            Ok(())
        })
        .unwrap();
}
