//! Who is there: the real uid says which user, the login row says through which login.
//!
//! Trusts the kernel (uid, process ancestry) and the store. The environment's token only names a
//! row; the row counts if it is open, of this uid, and its sshd is our ancestor (DESIGN, Trust 2).

use crate::start::Start;
use jms::nouns::{Login, User};
use jms::process::Process;
use jms::store::{Store, StoreError};
use jms::time::Time;
use std::fmt;

/// Who is there.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The user of the real uid.
    pub user: User,
    /// The login that this session belongs to.
    pub login: Login,
    /// What follows the user in the login name: the target.
    pub tail: Option<String>,
}

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
        }
    }
}

impl fmt::Display for Stranger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Finds out who is there.
///
/// # Errors
/// [`Stranger`]: nothing is opened for him.
pub fn identify(store: &Store, start: &Start, now: Time) -> Result<Identity, Stranger> {
    let read = store.read();
    let user = read
        .user_by_uid(start.uid)
        .map_err(Stranger::Store)?
        .ok_or(Stranger::NoSuchUser)?;
    let token = start.environment.token.as_ref().ok_or(Stranger::NoToken)?;
    let login = read
        .login_by_token(token)
        .map_err(Stranger::Store)?
        .ok_or(Stranger::UnknownToken)?;
    if login.uid != start.uid || login.user != user.name {
        return Err(Stranger::OtherUser);
    }
    if login.closed_at.is_some() {
        return Err(Stranger::Closed);
    }
    if !sshd_of(&login).is_ancestor_of_caller() {
        return Err(Stranger::NotOurSshd);
    }
    let (name, tail) = start
        .environment
        .user_and_tail()
        .ok_or(Stranger::OtherName)?;
    if name != user.name {
        return Err(Stranger::OtherName);
    }
    let valid = user.valid_from.is_none_or(|from| from <= now)
        && user.valid_until.is_none_or(|until| now < until);
    if !user.enabled || !valid {
        return Err(Stranger::NotValid);
    }
    let tail = tail.map(str::to_owned);
    Ok(Identity { user, login, tail })
}

/// The sshd that serves the connection.
#[must_use]
pub fn sshd_of(login: &Login) -> Process {
    Process {
        pid: login.sshd_pid,
        started: login.sshd_started,
    }
}

#[cfg(test)]
#[path = "identity_tests.rs"]
mod tests;
