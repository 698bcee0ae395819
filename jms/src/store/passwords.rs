//! Passwords of users: hashes only, the last ones among them. An answer goes through the door that counts wrong ones.

use super::Store;
use super::change::Change;
use super::error::StoreError;
use super::events;
use super::lockout::{Answerer, Locked, Outcome, Reserved};
use super::read::{Read, time};
use crate::nouns::User;
use crate::password::{Cost, HashError, PasswordHash};
use crate::policy::lockout::Limits;
use crate::secret::SecretString;
use crate::time::Time;
use event::{Event, Type};
use rusqlite::{Connection, TransactionBehavior, params};

/// The password of a user, as the store keeps it.
#[derive(Debug, Clone)]
pub struct StoredPassword {
    /// Its hash.
    pub hash: PasswordHash,
    /// When it was chosen or given.
    pub changed_at: Time,
    /// It is good for one login, in which another one is chosen.
    pub must_change: bool,
}

impl StoredPassword {
    /// Whether it was given for one login that did not come in time. `initial`: milliseconds; `None`: it may take as long
    /// as it likes.
    #[must_use]
    pub fn has_lapsed(&self, initial: Option<i64>, now: Time) -> bool {
        let over = |initial: i64| now >= self.changed_at.plus(initial);
        self.must_change && initial.is_some_and(over)
    }

    /// Whether another one must be chosen now. `lifetime`: milliseconds; `None`: it does not expire.
    #[must_use]
    pub fn must_be_changed(&self, lifetime: Option<i64>, now: Time) -> bool {
        self.must_change || lifetime.is_some_and(|lifetime| now >= self.changed_at.plus(lifetime))
    }
}

/// What became of an answer.
#[derive(Debug, Clone)]
pub enum PasswordAnswer {
    /// It is the user's password.
    Right(StoredPassword),
    /// It is not, or he has none.
    Wrong,
    /// It was not looked at: too many wrong ones came before.
    Locked(Locked),
}

/// Whoever has no memory left is not told that his password is wrong.
fn secret(error: HashError) -> StoreError {
    StoreError::Secret {
        sentence: error.to_string(),
    }
}

impl Read<'_> {
    /// The password of a user, if he has one.
    ///
    /// # Errors
    /// [`StoreError::Secret`] when what is kept is no hash.
    pub fn password(self, user_id: i64) -> Result<Option<StoredPassword>, StoreError> {
        self.first(
            "SELECT hash, changed_at, must_change FROM password WHERE user_id = ?1",
            [user_id],
            |row| {
                let hash: String = row.get("hash")?;
                Ok(StoredPassword {
                    hash: PasswordHash::parse(&hash).map_err(secret)?,
                    changed_at: time(row, "changed_at")?,
                    must_change: row.get("must_change")?,
                })
            },
        )
    }

    /// The passwords that he had, the newest, which is in force, first.
    ///
    /// # Errors
    /// As [`Read::password`].
    pub fn passwords_before(self, user_id: i64) -> Result<Vec<PasswordHash>, StoreError> {
        let hashes = self.texts(
            "SELECT hash FROM password_history WHERE user_id = ?1 ORDER BY id DESC",
            [user_id],
        )?;
        hashes
            .iter()
            .map(|hash| PasswordHash::parse(hash).map_err(secret))
            .collect()
    }
}

impl Change<'_> {
    /// Gives a user a password for one login: there he must choose another one.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::NotAllowed`] to himself: a stolen key must not become a password.
    pub fn give_password(&self, user: &str, hash: &PasswordHash) -> Result<User, StoreError> {
        let user = self.read().user(user)?;
        self.refuse_own(
            "nobody gives himself a password without the old one (ssh -t USER@bastion passwd)",
            &user,
        )?;
        write(self.connection(), user.id, hash, true, u32::MAX, self.now())?;
        self.tell_password(&user, "reset")?;
        Ok(user)
    }

    /// Takes the password of a user away: then only his keys let him in.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a user that there is not, or who has none.
    pub fn remove_password(&self, user: &str) -> Result<User, StoreError> {
        let user = self.read().user(user)?;
        if self.execute("DELETE FROM password WHERE user_id = ?1", [user.id])? == 0 {
            return Err(StoreError::NotFound {
                kind: "password",
                name: user.name,
                nearest: None,
            });
        }
        self.tell_password(&user, "rm")?;
        Ok(user)
    }

    fn tell_password(&self, user: &User, what: &'static str) -> Result<(), StoreError> {
        let event = self
            .signed(Event::new(Type::PasswordChange))
            .user(user.name.as_str())
            .result(what);
        self.keep_event(&event)
    }
}

impl Store {
    /// Whether what was typed is the password of the user. Takes as long for a user without one, for one
    /// who is locked, and for a wrong one as for a right one. `is_last`: nothing else is asked, so a right one forgets the wrong ones from there.
    ///
    /// # Errors
    /// [`StoreError`]: then it was neither right nor wrong.
    pub fn answer_password(
        &mut self,
        who: &Answerer<'_>,
        limits: &Limits,
        cost: Cost,
        typed: &SecretString,
        is_last: bool,
        now: Time,
    ) -> Result<PasswordAnswer, StoreError> {
        let place = match self.reserve(who, limits, now)? {
            Reserved::Locked(locked, _check) => {
                cost.spend(typed).map_err(secret)?;
                return Ok(PasswordAnswer::Locked(locked));
            }
            Reserved::Place(place) => place,
        };
        // An error leaves the place to become a wrong answer: no memory must not be a way to try for nothing.
        let stored = self.read().password(who.user_id)?;
        let right = match &stored {
            Some(stored) => stored.hash.is_of(typed).map_err(secret)?,
            None => {
                cost.spend(typed).map_err(secret)?;
                false
            }
        };
        let outcome = match (right, is_last) {
            (false, _) => Outcome::Wrong,
            (true, false) => Outcome::Right,
            (true, true) => Outcome::Passed,
        };
        let held = self.settle(place, who, limits, outcome, Time::now().max(now))?;
        let Some(stored) = stored.filter(|_| right && held) else {
            return Ok(PasswordAnswer::Wrong);
        };
        if stored.hash.cost() != cost {
            self.hash_anew(who.user_id, &stored, typed, cost)?;
        }
        Ok(PasswordAnswer::Right(stored))
    }

    /// The settings have changed since: from now on this one takes as long as the others.
    fn hash_anew(
        &mut self,
        user_id: i64,
        stored: &StoredPassword,
        typed: &SecretString,
        cost: Cost,
    ) -> Result<(), StoreError> {
        let hash = PasswordHash::of(typed, cost).map_err(secret)?;
        self.connection.execute(
            "UPDATE password SET hash = ?2 WHERE user_id = ?1 AND hash = ?3",
            params![user_id, hash.to_text(), stored.hash.to_text()],
        )?;
        Ok(())
    }

    /// Keeps the password that a user chose, in place of the one that he proved. `history`: so many are remembered.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when he has no password any more, or another one by now.
    pub fn choose_password(
        &mut self,
        user: &User,
        before: &StoredPassword,
        hash: &PasswordHash,
        history: u32,
        source: &str,
        now: Time,
    ) -> Result<(), StoreError> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let read = Read::new(&transaction);
        let as_now = read.password(user.id)?;
        if as_now.is_none_or(|as_now| as_now.changed_at != before.changed_at) {
            return Err(StoreError::Refused {
                sentence: "the password was changed meanwhile; log in again".to_owned(),
            });
        }
        write(&transaction, user.id, hash, false, history, now)?;
        let event = Event::new(Type::PasswordChange)
            .at(now.timestamp())
            .user(user.name.as_str())
            .source(source)
            .result("set");
        events::insert(&transaction, &event)?;
        transaction.commit()?;
        self.send_unsent();
        Ok(())
    }
}

fn write(
    connection: &Connection,
    user_id: i64,
    hash: &PasswordHash,
    must_change: bool,
    history: u32,
    now: Time,
) -> Result<(), StoreError> {
    let text = hash.to_text();
    connection.execute(
        "INSERT OR REPLACE INTO password (user_id, hash, changed_at, must_change) VALUES (?1, ?2, ?3, ?4)",
        params![user_id, text, now.0, must_change],
    )?;
    connection.execute(
        "INSERT INTO password_history (user_id, hash, changed_at) VALUES (?1, ?2, ?3)",
        params![user_id, text, now.0],
    )?;
    connection.execute(
        "DELETE FROM password_history WHERE user_id = ?1 AND id NOT IN
         (SELECT id FROM password_history WHERE user_id = ?1 ORDER BY id DESC LIMIT ?2)",
        params![user_id, history.max(1)],
    )?;
    Ok(())
}
