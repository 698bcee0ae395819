//! `mfa_remember`: a factor that was passed a short while ago with the same key from the same address.

use super::FactorKind;
use crate::nouns::{Login, Role, User};
use crate::store::Store;
use crate::store::activity::who_opened_was_here;
use crate::store::change::Change;
use crate::store::error::StoreError;
use crate::store::events;
use crate::store::read::{Read, time};
use crate::time::Time;
use event::Type;
use rusqlite::{Connection, TransactionBehavior, params};

/// Forgets all of a user's; returns how many there were.
pub(super) fn forget(connection: &Connection, user_id: i64) -> Result<usize, StoreError> {
    Ok(connection
        .prepare_cached("DELETE FROM mfa_memory WHERE user_id = ?1")?
        .execute([user_id])?)
}

/// Whether the user still has the factor that he has just passed: a reset takes it away.
fn has_factor(connection: &Connection, user_id: i64) -> Result<bool, StoreError> {
    let sql = "SELECT count(*) FROM totp WHERE user_id = ?1";
    Ok(Read::new(connection).number(sql, [user_id])? > 0)
}

/// In the row of an open login, which shows that its user was here. What stands there already is not said again.
fn mark(
    connection: &Connection,
    login_id: &str,
    kind: FactorKind,
    at: Time,
) -> Result<(), StoreError> {
    connection.execute(
        "UPDATE login SET factor_at = ?2,
                factors = CASE WHEN instr(',' || factors || ',', ',' || ?3 || ',') > 0 THEN factors ELSE factors || ',' || ?3 END
         WHERE id = ?1 AND closed_at IS NULL",
        params![login_id, at.0, kind.as_str()],
    )?;
    who_opened_was_here(connection, login_id, at)
}

fn keep_memory(
    connection: &Connection,
    user: &User,
    (fingerprint, source): (&str, &str),
    milliseconds: i64,
    now: Time,
) -> Result<(), StoreError> {
    let until = now.plus(milliseconds);
    connection.execute(
        "DELETE FROM mfa_memory WHERE user_id = ?1 AND until <= ?2",
        [user.id, now.0],
    )?;
    connection.execute(
        "INSERT INTO mfa_memory (user_id, fingerprint, source, factor_at, until) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (user_id, fingerprint, source) DO UPDATE SET factor_at = excluded.factor_at, until = excluded.until",
        params![user.id, fingerprint, source, now.0, until.0],
    )?;
    let event = super::about(Type::FactorChange, &user.name, now)
        .source(source)
        .key(fingerprint)
        .result("remembered")
        .with("until", until.to_string());
    events::insert(connection, &event)?;
    Ok(())
}

impl Read<'_> {
    /// When this user passed a factor with this key from this address, if that is still to count: for `milliseconds`, as
    /// the settings say now, and not longer than they said then. A memory from the future (the clock went back) is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn remembered(
        self,
        user: &User,
        fingerprint: &str,
        source: &str,
        milliseconds: i64,
        now: Time,
    ) -> Result<Option<Time>, StoreError> {
        self.first(
            "SELECT factor_at FROM mfa_memory
             WHERE user_id = ?1 AND fingerprint = ?2 AND source = ?3 AND factor_at <= ?4 AND until > ?4
               AND factor_at > ?5",
            params![user.id, fingerprint, source, now.0, now.plus(milliseconds.saturating_neg()).0],
            |row| time(row, "factor_at"),
        )
    }
}

impl Store {
    /// Remembers that the user has just passed a factor with this key from this address, for so many milliseconds.
    /// Not without a key or an address, not for none, and not if his factor was reset since.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn remember_factor(
        &mut self,
        user: &User,
        fingerprint: &str,
        source: &str,
        milliseconds: i64,
        now: Time,
    ) -> Result<(), StoreError> {
        if fingerprint.is_empty() || source.is_empty() || milliseconds <= 0 {
            return Ok(());
        }
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        if has_factor(&transaction, user.id)? {
            keep_memory(&transaction, user, (fingerprint, source), milliseconds, now)?;
        }
        transaction.commit()?;
        self.send_unsent();
        Ok(())
    }

    /// Writes down that an open login has passed a factor in its session, at `at`, so that its other sessions need not
    /// ask, and remembers it. False, and nothing of it, if the factor was reset since then.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn passed_in_session(
        &mut self,
        user: &User,
        login: &Login,
        kind: FactorKind,
        remember: i64,
        at: Time,
    ) -> Result<bool, StoreError> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        if !has_factor(&transaction, user.id)? {
            return Ok(false);
        }
        mark(&transaction, &login.id, kind, at)?;
        if !login.key.is_empty() && !login.source.is_empty() && remember > 0 {
            keep_memory(
                &transaction,
                user,
                (&login.key, &login.source),
                remember,
                at,
            )?;
        }
        transaction.commit()?;
        self.send_unsent();
        Ok(true)
    }

    /// Says in an event that a remembered factor was taken in the place of a code.
    ///
    /// # Errors
    /// [`StoreError`]: then it does not count.
    pub fn used_memory(
        &mut self,
        user: &User,
        fingerprint: &str,
        source: &str,
        factor_at: Time,
        now: Time,
    ) -> Result<(), StoreError> {
        let event = super::about(Type::FactorPassed, &user.name, now)
            .source(source)
            .key(fingerprint)
            .result("allow")
            .with("factor", FactorKind::Remembered.as_str())
            .with("passed_at", factor_at.to_string());
        self.emit(&event)
    }

    /// Writes down that what is remembered counts for a login that is open.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn login_passed_factor(
        &mut self,
        login_id: &str,
        kind: FactorKind,
        at: Time,
    ) -> Result<(), StoreError> {
        mark(&self.connection, login_id, kind, at)
    }
}

impl Change<'_> {
    /// Forgets what was remembered of a user, and says so if there was anything.
    pub(in crate::store) fn forget_factor(&self, user: &User) -> Result<(), StoreError> {
        let forgotten = self.execute("DELETE FROM mfa_memory WHERE user_id = ?1", [user.id])?;
        self.tell_forgotten(&user.name, forgotten)
    }

    /// The same for one key of a user.
    pub(in crate::store) fn forget_factor_of_key(
        &self,
        name: &str,
        fingerprint: &str,
    ) -> Result<(), StoreError> {
        let forgotten = self.execute(
            "DELETE FROM mfa_memory WHERE fingerprint = ?2 AND user_id = (SELECT id FROM user WHERE name = ?1)",
            [name, fingerprint],
        )?;
        self.tell_forgotten(name, forgotten)
    }

    /// The same for everybody of a role.
    pub(in crate::store) fn forget_factors_of_role(&self, role: Role) -> Result<(), StoreError> {
        let of_role = "FROM mfa_memory WHERE user_id IN (SELECT id FROM user WHERE role = ?1)";
        let names = self.read().texts(
            &format!("SELECT name FROM user WHERE id IN (SELECT user_id {of_role}) ORDER BY name"),
            [role.as_str()],
        )?;
        self.execute(&format!("DELETE {of_role}"), [role.as_str()])?;
        names
            .iter()
            .try_for_each(|name| self.tell_forgotten(name, 1))
    }

    fn tell_forgotten(&self, name: &str, forgotten: usize) -> Result<(), StoreError> {
        if forgotten == 0 {
            return Ok(());
        }
        let event = super::about(Type::FactorChange, name, self.now()).result("forgotten");
        self.keep_event(&self.signed(event))
    }
}
