//! Who is there when a virtual user's process calls: the real uid says which user, the login row says
//! through which login.
//!
//! Trusts the kernel (uid, process ancestry) and the store. The token from the environment only names
//! a row; the row counts if it is open, of this uid, and its sshd is an ancestor of the caller (docs/house.md, “The
//! way of a login”). Asked by the session program and again by `jmsctl`, each for itself.
#![forbid(unsafe_code)]

use crate::id::Token;
use crate::nouns::{Login, User};
use crate::policy::FactorStanding;
use crate::process::Process;
use crate::store::{Lapse, Read, StoreError};
use crate::time::Time;
use std::fmt;

/// Why nobody is there who may have a session.
#[derive(Debug)]
pub enum Stranger {
    /// The store cannot be asked.
    Store(StoreError),
    /// No user has this uid.
    NoSuchUser,
    /// No (valid) `JMS_LOGIN`: the PAM module was bypassed, or is missing.
    NoToken,
    /// No row belongs to the token.
    UnknownToken,
    /// The login is over.
    Closed,
    /// It is another user's.
    OtherUser,
    /// Its sshd is not among the processes that we descend from.
    NotOurSshd,
    /// The login name does not begin with the user's name.
    OtherName,
    /// The user is disabled or not valid now.
    NotValid,
    /// The key of the login was removed, or has expired.
    KeyRemoved,
    /// A login rule would not let him in now.
    LoginRule,
    /// The second factor that sshd has to ask for was not passed in this login.
    FactorMissing,
    /// The second factor has to be enrolled, or passed in the session, first.
    FactorNotYet,
}

impl Stranger {
    /// A stable word for events.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Store(error) => error.as_str(),
            Self::NoSuchUser => "no-such-user",
            Self::NoToken => "no-login-token",
            Self::UnknownToken => "unknown-login-token",
            Self::Closed => "login-closed",
            Self::OtherUser => "login-of-another-user",
            Self::NotOurSshd => "login-of-another-sshd",
            Self::OtherName => "login-name-of-another-user",
            Self::NotValid => "user-not-valid",
            Self::KeyRemoved => "key-removed",
            Self::LoginRule => "login-rule",
            Self::FactorMissing => "factor-missing",
            Self::FactorNotYet => "factor-not-yet-passed",
        }
    }
}

impl fmt::Display for Stranger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl std::error::Error for Stranger {}

/// Finds out who calls with the real uid `uid`, through the login that `token` names.
///
/// # Errors
/// [`Stranger`]: nothing is opened for him.
pub fn identify(
    read: Read<'_>,
    uid: u32,
    token: Option<&Token>,
    now: Time,
) -> Result<(User, Login), Stranger> {
    let user = read
        .user_by_uid(uid)
        .map_err(Stranger::Store)?
        .ok_or(Stranger::NoSuchUser)?;
    let token = token.ok_or(Stranger::NoToken)?;
    let login = read
        .login_by_token(token)
        .map_err(Stranger::Store)?
        .ok_or(Stranger::UnknownToken)?;
    if login.uid != uid || login.user != user.name {
        return Err(Stranger::OtherUser);
    }
    if login.closed_at.is_some() {
        return Err(Stranger::Closed);
    }
    if !sshd_of(&login).is_ancestor_of_caller() {
        return Err(Stranger::NotOurSshd);
    }
    match read.standing(&login, now).map_err(Stranger::Store)? {
        Ok(user) => Ok((user, login)),
        Err(Lapse::NoSuchUser) => Err(Stranger::NoSuchUser),
        Err(Lapse::Closed) => Err(Stranger::Closed),
        Err(Lapse::NotValid) => Err(Stranger::NotValid),
        Err(Lapse::KeyRemoved) => Err(Stranger::KeyRemoved),
        Err(Lapse::LoginRule) => Err(Stranger::LoginRule),
        Err(Lapse::Factor) => Err(Stranger::FactorNotYet),
    }
}

/// The same, and that this login has passed the second factor that is demanded of the user now. The row says it, which
/// the session phase of PAM wrote; that sshd had to ask is no proof that it did.
///
/// # Errors
/// [`Stranger`]: nothing is opened for him; what the session program offers to who has to enrol or is yet to be asked
/// goes through [`identify`].
pub fn identify_with_factor(
    read: Read<'_>,
    uid: u32,
    token: Option<&Token>,
    now: Time,
) -> Result<(User, Login), Stranger> {
    let (user, login) = identify(read, uid, token, now)?;
    // What is remembered the session program has written into the row by now.
    let standing = read.factor_standing(&user, &login, 0, now);
    match standing.map_err(Stranger::Store)? {
        FactorStanding::Passed => Ok((user, login)),
        FactorStanding::Remembered(_)
        | FactorStanding::Asked
        | FactorStanding::ToEnrol
        | FactorStanding::LaterEnrolled => Err(Stranger::FactorNotYet),
        FactorStanding::Missing => Err(Stranger::FactorMissing),
    }
}

/// The sshd that serves the connection.
#[must_use]
pub fn sshd_of(login: &Login) -> Process {
    Process {
        pid: login.sshd_pid,
        started: login.sshd_started,
    }
}
