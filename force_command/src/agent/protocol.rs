//! The decisions: bytes of one connection in, bytes and notices out. No sockets, no clock.

use super::message::{self, Frame, Request};
use super::refusal::Refusal;
use super::userauth::{Method, UserauthRequest};
use jms::keys::{Fingerprint, HostKey, LegacyHash, PrivateKey, PublicKey, SignatureFlags};

/// How many signatures one login may take. A client signs once; it may try a second algorithm.
const MAX_SIGNATURES: u32 = 3;
/// As OpenSSH's agent: no key exchange has a longer hash.
const MAX_SESSION_ID: usize = 128;
/// Notices that were not fetched; a client that is refused again and again must not fill the memory.
const MAX_NOTICES: usize = 64;

/// Whether a connection must be bound to an SSH session before it gets a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Binding {
    /// It must: OpenSSH ≥ 8.9 always binds.
    #[default]
    Required,
    /// It need not (`[confinement] allow_unbound_agent`), but a binding that was made is kept to.
    Optional,
}

/// What the key may be used for: one login at one asset.
#[derive(Debug, Clone)]
pub struct Purpose {
    /// The user name at the asset.
    pub login: String,
    /// The asset's stored host keys.
    pub host_keys: Vec<HostKey>,
    /// Whether any other that proves itself is taken as well: the asset is not known yet, and is to be.
    pub unknown: bool,
    /// Whether host keys may prove themselves, and the key sign, with SHA-1 (assets with `--algorithms legacy`).
    pub legacy: LegacyHash,
    /// Whether the connection must be bound.
    pub binding: Binding,
}

/// What happened, for the relay and its event log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The child has the connection; there is no other.
    Connected,
    /// The server proved the host key with this fingerprint.
    Bound(Fingerprint),
    /// A signature was made.
    Signed {
        /// The algorithm, such as `rsa-sha2-512`.
        algorithm: &'static str,
        /// How many signatures were made until now, this one included.
        count: u32,
    },
    /// A request was refused.
    Refused(Refusal),
    /// A password was asked for before the asset had proved its host key.
    Withheld,
    /// The child closed its connection; the key is wiped.
    PeerClosed,
}

struct Bound {
    session_id: Vec<u8>,
    host_key: Vec<u8>,
}

/// The state of one connection.
pub struct Protocol {
    /// Gone as soon as no signature can follow.
    key: Option<PrivateKey>,
    public: Option<PublicKey>,
    purpose: Purpose,
    bound: Option<Bound>,
    /// Whether a connection to somebody else was shown.
    disproved: bool,
    signatures: u32,
    broken: bool,
    input: Vec<u8>,
    output: Vec<u8>,
    notices: Vec<Notice>,
}

impl std::fmt::Debug for Protocol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Protocol");
        if let Some(public) = &self.public {
            shown.field("public", public);
        }
        shown
            .field("bound", &self.bound.is_some())
            .field("signatures", &self.signatures)
            .finish_non_exhaustive()
    }
}

impl Protocol {
    /// Takes the key over, for one purpose.
    #[must_use]
    pub fn new(key: PrivateKey, purpose: Purpose) -> Self {
        Self {
            public: Some(key.public().clone()),
            key: Some(key),
            ..Self::without_key(purpose)
        }
    }

    /// Has no key to sign with: it only sees to it that the asset proves its host key before a password is given.
    #[must_use]
    pub fn without_key(purpose: Purpose) -> Self {
        Self {
            public: None,
            key: None,
            purpose,
            bound: None,
            disproved: false,
            signatures: 0,
            broken: false,
            input: Vec::new(),
            output: Vec::new(),
            notices: Vec::new(),
        }
    }

    /// Whether the connection cannot go on (the client broke the protocol) once the output is sent.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// The host key that the machine at the other end has proved to have, in its wire form.
    #[must_use]
    pub fn proved(&self) -> Option<&[u8]> {
        self.bound.as_ref().map(|bound| bound.host_key.as_slice())
    }

    /// Whether a password may be given to the machine at the other end.
    #[must_use]
    pub fn may_give_password(&self) -> bool {
        let proved = self.bound.is_some() || self.purpose.binding == Binding::Optional;
        proved && !self.disproved
    }

    /// Takes bytes that the client sent. One request is answered, and its answer sent, before the next one is looked
    /// at: so give no more bytes while there is output.
    pub fn receive(&mut self, bytes: &[u8]) {
        if !self.broken {
            self.input.extend_from_slice(bytes);
            self.answer();
        }
    }

    /// What is to be sent to the client.
    #[must_use]
    pub fn output(&self) -> &[u8] {
        &self.output
    }

    /// Says that the first `count` bytes of the output were sent.
    pub fn sent(&mut self, count: usize) {
        self.output.drain(..count.min(self.output.len()));
        self.answer();
    }

    /// Wipes the key. Requests for signatures are refused from now on.
    pub fn finish(&mut self) {
        if self.key.take().is_some() {
            jms::secret::wipe_stack();
        }
    }

    /// What happened since the last call, the oldest first.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    pub(super) fn notice(&mut self, notice: Notice) {
        if self.notices.len() < MAX_NOTICES {
            self.notices.push(notice);
        }
    }

    /// Answers the requests that are there, each when the answer before it is gone.
    fn answer(&mut self) {
        while self.output.is_empty() && !self.broken {
            let input = std::mem::take(&mut self.input);
            match message::frame(&input) {
                Frame::Partial => {
                    self.input = input;
                    return;
                }
                Frame::TooLong(length) => {
                    self.notice(Notice::Refused(Refusal::TooLong(length)));
                    self.broken = true;
                }
                Frame::Whole(body, taken) => {
                    if let Err(refusal) = self.serve(body) {
                        message::put_failure(&mut self.output);
                        self.notice(Notice::Refused(refusal));
                    }
                    self.input = input.get(taken..).unwrap_or_default().to_vec();
                }
            }
        }
    }

    fn serve(&mut self, body: &[u8]) -> Result<(), Refusal> {
        match Request::parse(body).map_err(|_| Refusal::Malformed)? {
            Request::Identities => {
                let key = self
                    .key
                    .as_ref()
                    .map(|key| (key.public().blob(), self.purpose.login.as_str()));
                message::put_identities(&mut self.output, key);
                Ok(())
            }
            Request::Sign { key, data, flags } => self.sign(key, data, SignatureFlags(flags)),
            Request::Bind {
                host_key,
                session_id,
                signature,
                is_forwarding,
            } => self
                .bind(host_key, session_id, signature, is_forwarding)
                .inspect_err(|_| self.disproved = true),
            Request::Other(kind) => Err(Refusal::NotServed(kind)),
        }
    }

    /// Believes that the client speaks with the asset when the asset's stored host key signed the session id.
    fn bind(
        &mut self,
        host_key: &[u8],
        session_id: &[u8],
        signature: &[u8],
        is_forwarding: bool,
    ) -> Result<(), Refusal> {
        if self.bound.is_some() {
            return Err(Refusal::BoundAlready);
        }
        if is_forwarding {
            return Err(Refusal::BindForwarding);
        }
        if session_id.is_empty() || session_id.len() > MAX_SESSION_ID {
            return Err(Refusal::SessionId(session_id.len()));
        }
        let unknown = || Refusal::BindHostKey(Fingerprint::of(host_key));
        let believed = match self.stored(host_key) {
            Some(stored) => stored.clone(),
            None if self.purpose.unknown => HostKey::from_blob(host_key).map_err(|_| unknown())?,
            None => return Err(unknown()),
        };
        believed
            .verify(session_id, signature, self.purpose.legacy)
            .map_err(Refusal::BindSignature)?;
        let fingerprint = believed.fingerprint();
        self.bound = Some(Bound {
            session_id: session_id.to_vec(),
            host_key: host_key.to_vec(),
        });
        self.notice(Notice::Bound(fingerprint));
        message::put_success(&mut self.output);
        Ok(())
    }

    fn stored(&self, blob: &[u8]) -> Option<&HostKey> {
        self.purpose.host_keys.iter().find(|key| key.blob() == blob)
    }

    fn sign(&mut self, blob: &[u8], data: &[u8], flags: SignatureFlags) -> Result<(), Refusal> {
        if self.signatures >= MAX_SIGNATURES {
            return Err(Refusal::TooMany);
        }
        let key = self.key.as_ref().ok_or(Refusal::Finished)?;
        if blob != key.public().blob() {
            return Err(Refusal::OtherKey);
        }
        let algorithm = (key.algorithm(flags, self.purpose.legacy)).map_err(Refusal::Sign)?;
        self.judge(data, algorithm)?;
        let signature = (key.sign(data, flags, self.purpose.legacy)).map_err(Refusal::Sign)?;
        message::put_signature(&mut self.output, &signature);
        self.signatures += 1;
        let count = self.signatures;
        if count == MAX_SIGNATURES {
            self.finish();
        }
        self.notice(Notice::Signed { algorithm, count });
        Ok(())
    }

    /// Whether `data` is the login that the key is there for.
    fn judge(&self, data: &[u8], algorithm: &str) -> Result<(), Refusal> {
        let request = UserauthRequest::parse(data).ok_or(Refusal::NotALogin)?;
        match &self.bound {
            Some(bound) if bound.session_id != request.session_id => {
                return Err(Refusal::OtherSession);
            }
            Some(_) => {}
            None if self.purpose.binding == Binding::Required => return Err(Refusal::NotBound),
            None if request.session_id.is_empty() || request.session_id.len() > MAX_SESSION_ID => {
                return Err(Refusal::SessionId(request.session_id.len()));
            }
            None => {}
        }
        if request.user != self.purpose.login.as_bytes() {
            return Err(Refusal::OtherUser(printable(request.user)));
        }
        if request.service != b"ssh-connection" {
            return Err(Refusal::OtherService);
        }
        if self.public.as_ref().map(PublicKey::blob) != Some(request.key) {
            return Err(Refusal::OtherKey);
        }
        if request.algorithm != algorithm.as_bytes() {
            return Err(Refusal::Algorithm);
        }
        if let Method::HostBound(host_key) = request.method {
            let expected = match &self.bound {
                Some(bound) => bound.host_key == host_key,
                None => self.stored(host_key).is_some(),
            };
            if !expected {
                return Err(Refusal::OtherHostKey(Fingerprint::of(host_key)));
            }
        }
        Ok(())
    }
}

fn printable(name: &[u8]) -> String {
    name.iter()
        .take(64)
        .map(|byte| byte.escape_ascii().to_string())
        .collect()
}
