//! Whatever the client sends on a bound connection: a signature only for the whole right login, bounded memory, and
//! answers that are whole messages.
#![no_main]

use force_command::agent::{Binding, Notice, Protocol, Purpose};
use jms::keys::wire::{Reader, Writer};
use jms::keys::{HostKey, LegacyHash, PrivateKey, SignatureFlags};
use jms::secret::SecretString;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

const SESSION: &[u8] = &[0x5e; 32];

struct Fixed {
    key: SecretString,
    host_key: HostKey,
    bind: Vec<u8>,
    login: Vec<u8>,
}

static FIXED: LazyLock<Fixed> = LazyLock::new(|| {
    let key = PrivateKey::generate_ed25519().expect("random numbers");
    let machine = PrivateKey::generate_ed25519().expect("random numbers");
    let mut body = vec![27];
    body.put_string(b"session-bind@openssh.com");
    body.put_string(machine.public().blob());
    body.put_string(SESSION);
    body.put_string(&machine.sign(SESSION, SignatureFlags::NONE, LegacyHash::Refused).expect("a signature"));
    body.push(0);
    let mut bind = Vec::new();
    bind.put_string(&body);
    let mut login = Vec::new();
    login.put_string(SESSION);
    login.push(50);
    for field in ["dev", "ssh-connection", "publickey"] {
        login.put_string(field.as_bytes());
    }
    login.push(1);
    login.put_string(b"ssh-ed25519");
    login.put_string(key.public().blob());
    Fixed {
        host_key: HostKey::from_blob(machine.public().blob()).expect("a host key"),
        key: key.to_openssh(),
        bind,
        login,
    }
});

/// The input, with two bytes that stand for the agent's key and for the whole login, which the fuzzer cannot guess.
fn expand(data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let key = Reader::new(&FIXED.login[FIXED.login.len() - 51..]).string().expect("the key");
    for byte in data {
        match byte {
            0xfd => bytes.put_string(key),
            0xfe => bytes.put_string(&FIXED.login),
            byte => bytes.push(*byte),
        }
    }
    bytes
}

fuzz_target!(|data: &[u8]| {
    let purpose = Purpose {
        login: "dev".to_owned(),
        host_keys: vec![FIXED.host_key.clone()],
        unknown: false,
        legacy: LegacyHash::Refused,
        binding: Binding::Required,
    };
    let key = PrivateKey::parse(FIXED.key.expose(), None).expect("our own key");
    let mut protocol = Protocol::new(key, purpose);
    protocol.receive(&FIXED.bind);
    assert_eq!(protocol.output(), [0, 0, 0, 1, 6]);
    protocol.sent(5);
    let bytes = expand(data);
    for chunk in bytes.chunks(97) {
        protocol.receive(chunk);
        while !protocol.output().is_empty() {
            let mut reader = Reader::new(protocol.output());
            reader.string().expect("a whole answer");
            reader.finish().expect("one answer at a time");
            let length = protocol.output().len();
            protocol.sent(length);
        }
    }
    for notice in protocol.take_notices() {
        if let Notice::Signed { count, .. } = notice {
            assert!(count <= 3);
            assert!(bytes.windows(FIXED.login.len()).any(|window| window == FIXED.login));
        }
        if let Notice::Refused(refusal) = notice {
            assert!(!refusal.to_string().contains(char::is_control));
        }
    }
});
