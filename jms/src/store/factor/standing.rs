//! How a login stands to its user's second factor, and who may enrol one.

use crate::factor::HashedCode;
use crate::nouns::{Login, User};
use crate::policy::{FactorStanding, factor_standing};
use crate::store::error::StoreError;
use crate::store::read::{Read, time};
use crate::time::Time;

/// What an enrolment replaces, as it was when it began: nothing is replaced that somebody else has changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Before {
    /// Since when the user had an authenticator app.
    pub totp_since: Option<Time>,
    /// The enrolment code that must be given.
    pub code: Option<EnrolmentCode>,
}

/// An enrolment code that an administrator made with a reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnrolmentCode {
    /// When.
    pub made: Time,
    /// It is good until just before then.
    pub until: Time,
}

impl Read<'_> {
    /// How a login stands to the second factor that is demanded of its user now. The login's row counts, not what the
    /// caller knows of it. `remember`: for how many milliseconds one that was passed elsewhere counts, by the settings
    /// as they are now; 0 where only the row counts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn factor_standing(
        self,
        user: &User,
        login: &Login,
        remember: i64,
        now: Time,
    ) -> Result<FactorStanding, StoreError> {
        let login = self.login_by_prefix(&login.id)?;
        let remembered = self.remembered(user, &login.key, &login.source, remember, now)?;
        let standing = factor_standing(&self.factor_of(user)?, &login, remembered);
        Ok(match standing {
            // The login was in order when it was opened: no hole in sshd's configuration, and nothing to cry about.
            FactorStanding::Missing if login.opened_at <= self.factor_demanded_since(user)? => {
                FactorStanding::LaterEnrolled
            }
            standing => standing,
        })
    }

    /// When what is demanded of the user, or what he has, was last touched: not before then was he asked for what is
    /// asked for now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn factor_demanded_since(self, user: &User) -> Result<Time, StoreError> {
        let code = self.before_enrolment(user)?.code.map(|code| code.made);
        let times = [code, self.factors_of_roles_since()?];
        Ok(times.into_iter().flatten().fold(user.updated_at, Time::max))
    }

    /// What an enrolment that begins now would replace.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn before_enrolment(self, user: &User) -> Result<Before, StoreError> {
        let code = self.first(
            "SELECT created_at, valid_until FROM enrolment_code WHERE user_id = ?1",
            [user.id],
            |row| {
                Ok(EnrolmentCode {
                    made: time(row, "created_at")?,
                    until: time(row, "valid_until")?,
                })
            },
        )?;
        Ok(Before {
            totp_since: self.factor_of(user)?.totp_since,
            code,
        })
    }

    /// The hash of the code, while that is good. One from the future (the clock went back) is not.
    pub(super) fn enrolment_hash(
        self,
        user_id: i64,
        now: Time,
    ) -> Result<Option<HashedCode>, StoreError> {
        self.first(
            "SELECT hash FROM enrolment_code WHERE user_id = ?1 AND created_at <= ?2 AND valid_until > ?2",
            [user_id, now.0],
            |row| HashedCode::parse(&row.get::<_, String>("hash")?).map_err(super::secret),
        )
    }
}
