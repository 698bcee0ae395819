//! The agent against messages made by hand, and against the real programs of OpenSSH.

mod hostile;
mod login;
mod openssh;
mod peer;

use super::refusal::Refusal;
use super::{Binding, Notice, Protocol, Purpose};
use jms::keys::wire::Writer;
use jms::keys::{HostKey, LegacyHash, PrivateKey, SignatureFlags};

/// An agent with some key.
pub(crate) fn an_agent() -> super::Agent {
    super::Agent::new(Conversation::new().protocol)
}

const SESSION: &[u8] = &[0x5e; 32];

/// A machine: its host key, with the private half that only the machine has.
struct Machine {
    private: PrivateKey,
    key: HostKey,
}

impl Machine {
    fn new() -> Self {
        Self::with(PrivateKey::generate_ed25519().unwrap())
    }

    fn with(private: PrivateKey) -> Self {
        let key = HostKey::from_blob(private.public().blob()).unwrap();
        Self { private, key }
    }

    /// The extension message for a session with this machine.
    fn bind(&self, session_id: &[u8]) -> Vec<u8> {
        let flags = match self.key.kind().as_str() {
            "ssh-rsa" => SignatureFlags::RSA_SHA2_512,
            _ => SignatureFlags::NONE,
        };
        let signature = self
            .private
            .sign(session_id, flags, LegacyHash::Refused)
            .unwrap();
        bind_message(self.key.blob(), session_id, &signature, 0)
    }
}

fn bind_message(host_key: &[u8], session_id: &[u8], signature: &[u8], forwarding: u8) -> Vec<u8> {
    let mut body = vec![27];
    body.put_string(b"session-bind@openssh.com");
    body.put_string(host_key);
    body.put_string(session_id);
    body.put_string(signature);
    body.push(forwarding);
    body
}

/// A login request with everything right; tests change one field.
#[derive(Clone)]
struct Login {
    session_id: Vec<u8>,
    message: u8,
    user: Vec<u8>,
    service: Vec<u8>,
    method: Vec<u8>,
    signed: u8,
    algorithm: Vec<u8>,
    key: Vec<u8>,
    host_key: Option<Vec<u8>>,
    after: Vec<u8>,
}

impl Login {
    fn new(key: &[u8]) -> Self {
        Self {
            session_id: SESSION.to_vec(),
            message: 50,
            user: b"dev".to_vec(),
            service: b"ssh-connection".to_vec(),
            method: b"publickey".to_vec(),
            signed: 1,
            algorithm: b"ssh-ed25519".to_vec(),
            key: key.to_vec(),
            host_key: None,
            after: Vec::new(),
        }
    }

    fn host_bound(key: &[u8], host_key: &HostKey) -> Self {
        Self {
            method: b"publickey-hostbound-v00@openssh.com".to_vec(),
            host_key: Some(host_key.blob().to_vec()),
            ..Self::new(key)
        }
    }

    fn data(&self) -> Vec<u8> {
        let mut data = Vec::new();
        data.put_string(&self.session_id);
        data.push(self.message);
        data.put_string(&self.user);
        data.put_string(&self.service);
        data.put_string(&self.method);
        data.push(self.signed);
        data.put_string(&self.algorithm);
        data.put_string(&self.key);
        if let Some(host_key) = &self.host_key {
            data.put_string(host_key);
        }
        data.extend_from_slice(&self.after);
        data
    }
}

fn sign_message(key: &[u8], data: &[u8], flags: u32) -> Vec<u8> {
    let mut body = vec![13];
    body.put_string(key);
    body.put_string(data);
    body.extend_from_slice(&flags.to_be_bytes());
    body
}

/// An agent for `dev` at one machine, and the client's end of it.
struct Conversation {
    protocol: Protocol,
    machine: Machine,
    /// Another host key that is stored for the asset.
    other_host_key: HostKey,
    /// The public half of the agent's key.
    key: Vec<u8>,
}

impl Conversation {
    fn new() -> Self {
        Self::with(
            PrivateKey::generate_ed25519().unwrap(),
            Machine::new(),
            Binding::Required,
        )
    }

    fn with(key: PrivateKey, machine: Machine, binding: Binding) -> Self {
        let public = key.public().blob().to_vec();
        let other_host_key = Machine::new().key;
        let purpose = Purpose {
            login: "dev".to_owned(),
            host_keys: vec![other_host_key.clone(), machine.key.clone()],
            unknown: false,
            legacy: LegacyHash::Refused,
            binding,
        };
        Self {
            protocol: Protocol::new(key, purpose),
            machine,
            other_host_key,
            key: public,
        }
    }

    /// An agent whose connection is bound to `SESSION`.
    fn bound() -> Self {
        let mut conversation = Self::new();
        let bind = conversation.machine.bind(SESSION);
        assert_eq!(conversation.ask(&bind), [6]);
        conversation.protocol.take_notices();
        conversation
    }

    /// Sends one request and gives back the body of the one answer.
    fn ask(&mut self, body: &[u8]) -> Vec<u8> {
        let mut message = Vec::new();
        message.put_string(body);
        self.protocol.receive(&message);
        self.answer()
    }

    fn answer(&mut self) -> Vec<u8> {
        let output = self.protocol.output().to_vec();
        let (length, body) = output.split_first_chunk().expect("no answer");
        assert_eq!(u32::from_be_bytes(*length) as usize, body.len());
        self.protocol.sent(output.len());
        body.to_vec()
    }

    /// Asks for a signature; the signature when there is one.
    fn sign(&mut self, login: &Login) -> Option<Vec<u8>> {
        let answer = self.ask(&sign_message(&self.key.clone(), &login.data(), 0));
        match answer.split_first() {
            Some((14, signature)) => Some(signature[4..].to_vec()),
            _ => {
                assert_eq!(answer, [5]);
                None
            }
        }
    }

    /// Asks for something that must be refused, and gives back why.
    fn refusal(&mut self, body: &[u8]) -> Refusal {
        self.protocol.take_notices();
        assert_eq!(self.ask(body), [5]);
        match self.protocol.take_notices().as_slice() {
            [Notice::Refused(refusal)] => refusal.clone(),
            other => panic!("{other:?}"),
        }
    }

    fn login_refusal(&mut self, login: &Login) -> Refusal {
        let body = sign_message(&self.key.clone(), &login.data(), 0);
        self.refusal(&body)
    }
}
