//! Enrolling, renewing, making recovery codes, resetting.

use super::{Before, FactorKind};
use crate::factor::{Digits, Enrolment, HashedCode, RecoveryCode, Typed};
use crate::nouns::User;
use crate::store::Store;
use crate::store::change::Change;
use crate::store::error::StoreError;
use crate::store::events;
use crate::store::read::Read;
use crate::time::Time;
use event::Type;
use rusqlite::{Transaction, TransactionBehavior, params};

/// What became of an enrolment.
pub enum Confirmed {
    /// The app has the secret, and the store: the codes to show once.
    Done(Vec<RecoveryCode>),
    /// What was typed is not the app's code; nothing was kept. Neither is it counted: the person has the secret.
    Wrong,
    /// The factor, or the code that an enrolment takes, is not what it was when this enrolment began; nothing was kept.
    Overtaken,
}

impl Store {
    /// Keeps a new secret, in the place of an older one, once its code proves that the app has it; with it ten new
    /// recovery codes, and nothing that was remembered. The code is used up.
    ///
    /// Who may do so (nobody enrolled yet; the enrolment code after a reset; the old factor for renewing) is the caller's
    /// to know. `before` is what was there when that was found out.
    ///
    /// # Errors
    /// [`StoreError`]: nothing is changed.
    pub fn confirm_enrolment(
        &mut self,
        user: &User,
        source: &str,
        enrolment: &Enrolment,
        typed: &Typed,
        before: Before,
        now: Time,
    ) -> Result<Confirmed, StoreError> {
        let totp = enrolment.totp();
        let step = match typed {
            Typed::Code { number, digits } if *digits == totp.digits.count() => {
                totp.matching_step(*number, now, -1)
            }
            _ => None,
        };
        let Some(step) = step else {
            return Ok(Confirmed::Wrong);
        };
        let codes = RecoveryCode::make_all().map_err(super::secret)?;
        let key = super::master_key(&self.paths)?;
        let sealed = key
            .seal(&super::place(user.id), totp.secret.expose())
            .map_err(super::secret)?;
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let user_now = Read::new(&transaction).user_by_uid(user.uid)?;
        let Some(user) = user_now.as_ref().filter(|now| now.id == user.id) else {
            return Ok(Confirmed::Overtaken);
        };
        if Read::new(&transaction).before_enrolment(user)? != before {
            return Ok(Confirmed::Overtaken);
        }
        transaction.execute("DELETE FROM enrolment_code WHERE user_id = ?1", [user.id])?;
        let digits: i64 = match totp.digits {
            Digits::Six => 6,
            Digits::Eight => 8,
        };
        let renewed = transaction.execute("DELETE FROM totp WHERE user_id = ?1", [user.id])? > 0;
        transaction.execute(
            "INSERT INTO totp (user_id, secret, algorithm, digits, last_step, confirmed_at, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
            params![user.id, sealed, totp.algorithm.as_str(), digits, step, now.0],
        )?;
        let shown = keep_codes(&transaction, user.id, codes)?;
        super::memory::forget(&transaction, user.id)?;
        let event = super::about(Type::FactorChange, &user.name, now)
            .source(source)
            .result(if renewed { "renewed" } else { "enrolled" })
            .with("factor", FactorKind::Totp.as_str());
        events::insert(&transaction, &event)?;
        transaction.commit()?;
        self.send_unsent();
        Ok(Confirmed::Done(shown))
    }

    /// Ten new recovery codes in the place of those that were left.
    ///
    /// # Errors
    /// [`StoreError`]: the old ones stay; [`StoreError::Refused`] where nothing is enrolled that they could stand for.
    pub fn new_recovery_codes(
        &mut self,
        user: &User,
        source: &str,
        now: Time,
    ) -> Result<Vec<RecoveryCode>, StoreError> {
        if !self.read().factor_of(user)?.is_enrolled() {
            return Err(StoreError::Refused {
                sentence: "no authenticator app is enrolled; enrol one first".to_owned(),
            });
        }
        let codes = RecoveryCode::make_all().map_err(super::secret)?;
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let shown = keep_codes(&transaction, user.id, codes)?;
        let event = super::about(Type::FactorChange, &user.name, now)
            .source(source)
            .result("new-codes")
            .with("factor", FactorKind::Recovery.as_str());
        events::insert(&transaction, &event)?;
        transaction.commit()?;
        self.send_unsent();
        Ok(shown)
    }
}

fn keep_codes(
    transaction: &Transaction<'_>,
    user_id: i64,
    codes: Vec<(RecoveryCode, HashedCode)>,
) -> Result<Vec<RecoveryCode>, StoreError> {
    transaction.execute("DELETE FROM recovery_code WHERE user_id = ?1", [user_id])?;
    let mut shown = Vec::with_capacity(codes.len());
    for (code, hash) in codes {
        transaction.execute(
            "INSERT INTO recovery_code (user_id, hash) VALUES (?1, ?2)",
            params![user_id, hash.to_string()],
        )?;
        shown.push(code);
    }
    Ok(shown)
}

impl Change<'_> {
    /// Takes away a user's secret, recovery codes and all that is remembered; what is demanded of him stays. Until
    /// `until` he enrols another with the code whose hash is `code`, and after that not at all: a key alone, which
    /// somebody may have stolen together with the phone, enrols nothing. His open logins have passed no factor any more.
    /// Returns whether there was anything to take away.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::NotAllowed`] for an administrator's own.
    pub fn reset_factor(
        &self,
        name: &str,
        code: &HashedCode,
        until: Time,
    ) -> Result<bool, StoreError> {
        let user = self.read().user(name)?;
        self.refuse_own(
            "nobody resets his own second factor; `mfa renew` replaces it",
            &user,
        )?;
        self.about_to_touch(&user)?;
        let was = self.execute("DELETE FROM totp WHERE user_id = ?1", [user.id])?
            + self.execute("DELETE FROM recovery_code WHERE user_id = ?1", [user.id])?;
        self.execute(
            "INSERT OR REPLACE INTO enrolment_code (user_id, hash, created_at, valid_until) VALUES (?1, ?2, ?3, ?4)",
            params![user.id, code.to_string(), self.now().0, until.0],
        )?;
        self.execute(
            "UPDATE login SET factor_at = NULL WHERE user_id = ?1 AND closed_at IS NULL",
            [user.id],
        )?;
        self.forget_factor(&user)?;
        let event = super::about(Type::FactorChange, name, self.now())
            .result("reset")
            .with("until", until.to_string());
        self.keep_event(&self.signed(event))?;
        Ok(was > 0)
    }
}
