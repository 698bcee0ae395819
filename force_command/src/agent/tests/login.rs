use super::{Conversation, Login, Machine, SESSION, sign_message};
use crate::agent::refusal::Refusal;
use crate::agent::{Binding, Notice};
use jms::keys::wire::{Reader, Writer};
use jms::keys::{LegacyHash, PrivateKey, PublicKey};

#[test]
fn the_one_key_is_listed() {
    let mut agent = Conversation::new();
    let answer = agent.ask(&[11]);
    let mut reader = Reader::new(&answer);
    assert_eq!(reader.byte(), Ok(12));
    assert_eq!(reader.uint32(), Ok(1));
    assert_eq!(reader.string(), Ok(agent.key.as_slice()));
    assert_eq!(reader.text(), Ok("dev"));
    assert_eq!(reader.finish(), Ok(()));
}

#[test]
fn a_bound_login_is_signed() {
    let mut agent = Conversation::new();
    let bind = agent.machine.bind(SESSION);
    assert_eq!(agent.ask(&bind), [6]);
    let fingerprint = agent.machine.key.fingerprint();
    assert_eq!(agent.protocol.take_notices(), [Notice::Bound(fingerprint)]);
    let public = PublicKey::from_blob(&agent.key).unwrap();
    let logins = [
        Login::new(&agent.key),
        Login::host_bound(&agent.key, &agent.machine.key),
    ];
    for (count, login) in (1..).zip(logins) {
        let signature = agent.sign(&login).unwrap();
        public
            .verify(&login.data(), &signature, LegacyHash::Refused)
            .unwrap();
        let signed = Notice::Signed {
            algorithm: "ssh-ed25519",
            count,
        };
        assert_eq!(agent.protocol.take_notices(), [signed]);
    }
}

#[test]
fn rsa_is_signed_with_the_hash_that_flags_and_algorithm_name() {
    let file = rsa_key();
    let key = || PrivateKey::parse(&file, None).unwrap();
    for (flags, algorithm, fits) in [
        (2, "rsa-sha2-256", true),
        (4, "rsa-sha2-512", true),
        (2, "rsa-sha2-512", false),
        (4, "rsa-sha2-256", false),
        (4, "ssh-rsa", false),
        (0, "ssh-rsa", false),
        (6, "rsa-sha2-512", false),
    ] {
        let mut agent = Conversation::with(key(), Machine::with(key()), Binding::Required);
        let bind = agent.machine.bind(SESSION);
        assert_eq!(agent.ask(&bind), [6]);
        let login = Login {
            algorithm: algorithm.into(),
            ..Login::new(&agent.key)
        };
        let answer = agent.ask(&sign_message(&agent.key.clone(), &login.data(), flags));
        assert_eq!(answer[0], if fits { 14 } else { 5 }, "{flags} {algorithm}");
        if fits {
            let public = PublicKey::from_blob(&agent.key).unwrap();
            public
                .verify(&login.data(), &answer[5..], LegacyHash::Refused)
                .unwrap();
        }
    }
}

#[test]
fn where_binding_is_optional_an_unbound_login_is_signed_for_the_assets_host_keys_only() {
    let key = PrivateKey::generate_ed25519().unwrap();
    let mut agent = Conversation::with(key, Machine::new(), Binding::Optional);
    assert!(agent.sign(&Login::new(&agent.key)).is_some());
    assert!(
        agent
            .sign(&Login::host_bound(&agent.key, &agent.machine.key))
            .is_some()
    );
    let other = Machine::new().key;
    let login = Login::host_bound(&agent.key, &other);
    assert_eq!(
        agent.login_refusal(&login),
        Refusal::OtherHostKey(other.fingerprint())
    );
    let login = Login {
        session_id: Vec::new(),
        ..Login::new(&agent.key)
    };
    assert_eq!(agent.login_refusal(&login), Refusal::SessionId(0));
}

#[test]
fn three_signatures_are_made_and_the_key_is_gone() {
    let mut agent = Conversation::bound();
    let login = Login::new(&agent.key);
    for _ in 0..3 {
        assert!(agent.sign(&login).is_some());
    }
    assert_eq!(agent.login_refusal(&login), Refusal::TooMany);
    assert_eq!(agent.ask(&[11]), [12, 0, 0, 0, 0]);
}

#[test]
fn nothing_is_signed_after_the_login() {
    let mut agent = Conversation::bound();
    agent.protocol.finish();
    let login = Login::new(&agent.key);
    assert_eq!(agent.login_refusal(&login), Refusal::Finished);
    assert_eq!(agent.ask(&[11]), [12, 0, 0, 0, 0]);
}

#[test]
fn bytes_may_come_one_by_one_or_all_at_once() {
    let mut agent = Conversation::new();
    let mut messages = Vec::new();
    messages.put_string(&[11]);
    messages.put_string(&agent.machine.bind(SESSION));
    messages.put_string(&sign_message(&agent.key, &Login::new(&agent.key).data(), 0));
    agent.protocol.receive(&messages);
    let kinds = [agent.answer()[0], agent.answer()[0], agent.answer()[0]];
    assert_eq!(kinds, [12, 6, 14]);
    assert!(agent.protocol.output().is_empty());

    let mut agent = Conversation::new();
    let mut message = Vec::new();
    message.put_string(&agent.machine.bind(SESSION));
    let (last, rest) = message.split_last().unwrap();
    for byte in rest {
        agent.protocol.receive(&[*byte]);
        assert!(agent.protocol.output().is_empty());
    }
    agent.protocol.receive(&[*last]);
    assert_eq!(agent.answer(), [6]);
}

/// A new RSA key of 2048 bits, which only `ssh-keygen` makes.
fn rsa_key() -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "rsa", "-b", "2048", "-N", "", "-f"])
        .arg(&file)
        .status()
        .expect("ssh-keygen is needed: install openssh-client");
    assert!(made.success());
    std::fs::read_to_string(file).unwrap()
}
