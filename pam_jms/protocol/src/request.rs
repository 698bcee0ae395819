//! What the module asks.

use crate::conversation::Response;
use crate::error::{Field, ProtocolError};
use crate::fields::{Reader, Writer};
use crate::frame::{FIRST_VERSION, Frame, Kind};
use crate::limits;
use crate::token::LoginToken;

/// The PAM call that a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// `pam_sm_authenticate`: a factor that sshd asks PAM for; the helper may send prompts.
    Authenticate,
    /// The same, behind a module that has asked for the password and fails the stack when it was wrong: what is missing
    /// is the second factor. The helper may send prompts.
    AuthenticateAfterPassword,
    /// `pam_sm_acct_mgmt`: may this user log in now?
    Account,
    /// `pam_sm_open_session`: write the login.
    OpenSession,
    /// `pam_sm_close_session`: the login ends.
    CloseSession,
}

impl Phase {
    fn kind(self) -> Kind {
        match self {
            Self::Authenticate => Kind::Authenticate,
            Self::AuthenticateAfterPassword => Kind::AuthenticateAfterPassword,
            Self::Account => Kind::Account,
            Self::OpenSession => Kind::OpenSession,
            Self::CloseSession => Kind::CloseSession,
        }
    }
}

/// One PAM call of sshd for a virtual user. Texts are as sshd gave them to PAM: what the network
/// said is among them, so the helper checks each before it uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Which call.
    pub phase: Phase,
    /// PAM_USER as it was asked for; may carry a target (`alice@dev@web1`).
    pub user: String,
    /// The uid that the name service gave for this name, to the module.
    pub uid: u32,
    /// PAM_SERVICE.
    pub service: String,
    /// PAM_RHOST: address or, with sshd's UseDNS, name of the client.
    pub remote_host: Option<String>,
    /// PAM_TTY; `ssh` until sshd has a terminal.
    pub terminal: Option<String>,
    /// SSH_AUTH_INFO_0 of the PAM environment: the factors passed so far, one a line
    /// (`auth2_update_session_info` in sshd's auth2.c).
    pub authentication: Option<String>,
    /// SSH_CONNECTION of the PAM environment: client address, client port, server address,
    /// server port (`sshpam_init` in sshd's auth-pam.c).
    pub connection: Option<String>,
    /// Process id of the sshd process that asks: the helper's parent.
    pub process: u32,
    /// JMS_LOGIN of the PAM environment: in [`Phase::CloseSession`], and only there.
    pub token: Option<LoginToken>,
    /// JMS_FACTOR of the PAM environment, which the helper's answer to an authentication set: in
    /// [`Phase::OpenSession`], and only there.
    pub passed: Option<String>,
}

impl Request {
    fn check(&self) -> Result<(), ProtocolError> {
        if (self.phase == Phase::CloseSession) != self.token.is_some() {
            return Err(ProtocolError::Misplaced(Field::Token));
        }
        if self.phase != Phase::OpenSession && self.passed.is_some() {
            return Err(ProtocolError::Misplaced(Field::Passed));
        }
        if self.user.is_empty() {
            return Err(ProtocolError::BadValue(Field::User));
        }
        Ok(())
    }

    fn to_frame(&self) -> Result<Frame, ProtocolError> {
        self.check()?;
        let mut writer = Writer::default();
        writer.text(Field::User, limits::USER, &self.user)?;
        writer.number(self.uid);
        writer.text(Field::Service, limits::SERVICE, &self.service)?;
        writer.optional(
            Field::RemoteHost,
            limits::REMOTE_HOST,
            self.remote_host.as_deref(),
        )?;
        writer.optional(Field::Terminal, limits::TERMINAL, self.terminal.as_deref())?;
        writer.optional(
            Field::Authentication,
            limits::AUTHENTICATION,
            self.authentication.as_deref(),
        )?;
        writer.optional(
            Field::Connection,
            limits::CONNECTION,
            self.connection.as_deref(),
        )?;
        writer.number(self.process);
        let token = self.token.as_ref().map(LoginToken::as_str);
        writer.optional(Field::Token, LoginToken::LEN, token)?;
        let passed = |writer: &mut Writer| {
            let proof = self.passed.as_deref();
            writer.optional(Field::Passed, limits::VARIABLE_VALUE, proof)
        };
        match self.phase {
            Phase::Authenticate | Phase::AuthenticateAfterPassword => {
                passed(&mut writer)?;
                Frame::new(self.phase.kind(), writer.into_bytes())
            }
            Phase::OpenSession if self.passed.is_some() => {
                passed(&mut writer)?;
                Ok(Frame::new(self.phase.kind(), writer.into_bytes())?.in_this_version())
            }
            Phase::Account | Phase::OpenSession | Phase::CloseSession => {
                Frame::new(self.phase.kind(), writer.into_bytes())
            }
        }
    }

    fn from_frame(phase: Phase, frame: &Frame) -> Result<Self, ProtocolError> {
        let body = frame.body();
        let mut reader = Reader::new(body);
        let request = Self {
            phase,
            user: reader.text(Field::User, limits::USER)?,
            uid: reader.number(Field::Uid)?,
            service: reader.text(Field::Service, limits::SERVICE)?,
            remote_host: reader.optional(Field::RemoteHost, limits::REMOTE_HOST)?,
            terminal: reader.optional(Field::Terminal, limits::TERMINAL)?,
            authentication: reader.optional(Field::Authentication, limits::AUTHENTICATION)?,
            connection: reader.optional(Field::Connection, limits::CONNECTION)?,
            process: reader.number(Field::Process)?,
            token: reader
                .optional(Field::Token, LoginToken::LEN)?
                .map(|text| LoginToken::parse(&text).ok_or(ProtocolError::BadValue(Field::Token)))
                .transpose()?,
            passed: match frame.version() {
                FIRST_VERSION => None,
                _ => reader.optional(Field::Passed, limits::VARIABLE_VALUE)?,
            },
        };
        reader.end()?;
        request.check()?;
        // Without a proof there is nothing that the first version cannot say.
        if phase == Phase::OpenSession
            && frame.version() != FIRST_VERSION
            && request.passed.is_none()
        {
            return Err(ProtocolError::BadValue(Field::Passed));
        }
        Ok(request)
    }
}

/// Everything that the module may send.
#[derive(Debug, PartialEq, Eq)]
pub enum ModuleMessage {
    /// The first message.
    Request(Request),
    /// The answer to a [`crate::Prompt`].
    Response(Response),
}

impl ModuleMessage {
    /// Makes the message ready to send.
    ///
    /// # Errors
    /// A field is longer than its limit, has a value it may not have, or belongs to another phase.
    pub fn to_frame(&self) -> Result<Frame, ProtocolError> {
        match self {
            Self::Request(request) => request.to_frame(),
            Self::Response(response) => response.to_frame(),
        }
    }

    /// Understands a message that came from the module.
    ///
    /// # Errors
    /// Any breach of the protocol, among them a message that only the helper may send.
    pub fn from_frame(frame: &Frame) -> Result<Self, ProtocolError> {
        let phase = match frame.kind() {
            Kind::Authenticate => Phase::Authenticate,
            Kind::AuthenticateAfterPassword => Phase::AuthenticateAfterPassword,
            Kind::Account => Phase::Account,
            Kind::OpenSession => Phase::OpenSession,
            Kind::CloseSession => Phase::CloseSession,
            Kind::Response => return Response::from_body(frame.body()).map(Self::Response),
            Kind::Allow | Kind::Refuse | Kind::Prompt | Kind::Waits => {
                return Err(ProtocolError::Kind(frame.kind().number()));
            }
        };
        Request::from_frame(phase, frame).map(Self::Request)
    }
}
