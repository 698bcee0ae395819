//! Whether a login still stands: asked when somebody begins to administer, while he looks on, and under the write
//! lock of each change that he makes.
//!
//! What was true when a command began proves nothing: it may have waited for input or an answer since.

use super::error::StoreError;
use super::read::Read;
use crate::nouns::{Login, User};
use crate::policy::FactorStanding;
use crate::policy::access::Key;
use crate::time::Time;
use std::fmt;

/// Why a login does not stand any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lapse {
    /// Its user is gone, or the uid is another's.
    NoSuchUser,
    /// The user is disabled or not valid now.
    NotValid,
    /// Its key was removed, or is not valid any more.
    KeyRemoved,
    /// A login rule would not let him in now.
    LoginRule,
    /// It is closed.
    Closed,
    /// It has not passed the second factor that is demanded of him now: that was reset, or what is demanded was changed.
    Factor,
}

impl fmt::Display for Lapse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSuchUser => "your user is gone",
            Self::NotValid => "you are disabled, or not valid now",
            Self::KeyRemoved => "the key that you logged in with was removed, or has expired",
            Self::LoginRule => "a login rule does not let you in from here at this time",
            Self::Closed => "your login is closed",
            Self::Factor => {
                "your second factor, or what is demanded of you, was changed; log in again"
            }
        })
    }
}

impl Read<'_> {
    /// The user of a login as he is now, or why the login stands no more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn standing(self, login: &Login, now: Time) -> Result<Result<User, Lapse>, StoreError> {
        let user = self.user_by_uid(login.uid)?;
        let Some(user) = user.filter(|user| user.name == login.user) else {
            return Ok(Err(Lapse::NoSuchUser));
        };
        if self.login_by_prefix(&login.id)?.closed_at.is_some() {
            return Ok(Err(Lapse::Closed));
        }
        if !user.may_log_in_at(now) {
            return Ok(Err(Lapse::NotValid));
        }
        if !self.has_key_of(&user, login, now)? {
            return Ok(Err(Lapse::KeyRemoved));
        }
        if !self
            .judge_login(&user, login.source_address(), now)?
            .allows()
        {
            return Ok(Err(Lapse::LoginRule));
        }
        Ok(Ok(user))
    }

    /// The same for what is open only to who has passed his second factor: it must still count.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn standing_with_factor(
        self,
        login: &Login,
        now: Time,
    ) -> Result<Result<User, Lapse>, StoreError> {
        let user = match self.standing(login, now)? {
            Ok(user) => user,
            lapsed => return Ok(lapsed),
        };
        // What was remembered stands in the row by now.
        Ok(match self.factor_standing(&user, login, 0, now)? {
            FactorStanding::Passed => Ok(user),
            _ => Err(Lapse::Factor),
        })
    }

    /// Whether the key that was proven at a login is still a valid key of its user.
    fn has_key_of(self, user: &User, login: &Login, now: Time) -> Result<bool, StoreError> {
        Ok(match self.key_of(user, Some(login))? {
            Key::NotAsked => true,
            Key::Removed => false,
            Key::Held { until } => until.is_none_or(|until| now < until),
        })
    }
}

#[cfg(test)]
#[path = "standing_tests.rs"]
mod tests;
