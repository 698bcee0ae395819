//! Looking at counters and locks, and taking locks away.

use super::counters::counter;
use crate::nouns::Lock;
use crate::policy::lockout::{Limit, Limits, Standing};
use crate::store::change::Change;
use crate::store::error::StoreError;
use crate::store::read::Read;
use crate::time::Time;
use event::{Event, Type};
use rusqlite::{Row, params};

fn lock(row: &Row<'_>, limits: &Limits, now: Time) -> Result<Lock, StoreError> {
    let counter = counter(row)?;
    let user: Option<String> = row.get("user_name")?;
    let source: String = row.get("source")?;
    let limit: &Limit = match (&user, source.as_str()) {
        (None, _) => &limits.source,
        (Some(_), "") => &limits.user,
        (Some(_), _) => &limits.user_and_source,
    };
    Ok(Lock {
        user,
        source: (!source.is_empty()).then_some(source),
        proof: row.get("proof")?,
        failures: counter.failures,
        first_at: counter.first_at,
        last_at: counter.last_at,
        locked_until: match limit.standing(Some(&counter), now) {
            Standing::Locked(until) => Some(until),
            Standing::Open(_) => None,
        },
    })
}

impl Read<'_> {
    /// The counters of a user, or of all users and networks, those that are locked first by their end.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a user that there is not.
    pub fn locks(
        self,
        user: Option<&str>,
        limits: &Limits,
        now: Time,
    ) -> Result<Vec<Lock>, StoreError> {
        if let Some(user) = user {
            self.id_of("user", "user", user)?;
        }
        self.rows(
            "SELECT * FROM (SELECT u.name AS user_name, l.source, l.proof, l.failures, l.first_at, l.last_at, l.locked_until
             FROM lockout l JOIN user u ON u.id = l.user_id WHERE ?1 IS NULL OR u.name = ?1
             UNION ALL
             SELECT NULL, source, 'none', failures, first_at, last_at, locked_until FROM source_lockout WHERE ?1 IS NULL)
             ORDER BY locked_until IS NULL, locked_until, user_name IS NULL, user_name, source, proof",
            [user],
            |row| lock(row, limits, now),
        )
    }
}

impl Change<'_> {
    /// Takes away the locks of a user, of a network, or of a user from one network, and forgets the wrong answers.
    /// What was taken away.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a user that there is not, or when nothing is counted there.
    pub fn remove_locks(
        &self,
        user: Option<&str>,
        source: Option<&str>,
        limits: &Limits,
    ) -> Result<Vec<Lock>, StoreError> {
        let all = self.read().locks(user, limits, self.now())?;
        let found: Vec<Lock> = all
            .into_iter()
            .filter(|lock| lock.user.as_deref() == user)
            .filter(|lock| source.is_none() || lock.source.as_deref() == source)
            .collect();
        if found.is_empty() {
            return Err(StoreError::NotFound {
                kind: "lock",
                name: [user, source]
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
                    .join(" from "),
                nearest: None,
            });
        }
        match user {
            Some(user) => self.execute(
                "DELETE FROM lockout WHERE user_id = (SELECT id FROM user WHERE name = ?1) AND (?2 IS NULL OR source = ?2)",
                params![user, source],
            )?,
            None => self.execute("DELETE FROM source_lockout WHERE ?1 IS NULL OR source = ?1", [source])?,
        };
        for lock in &found {
            self.unlocked(lock)?;
        }
        Ok(found)
    }

    fn unlocked(&self, lock: &Lock) -> Result<(), StoreError> {
        let mut event = self
            .signed(Event::new(Type::LoginUnlocked))
            .result("rm")
            .with("failures", u64::from(lock.failures))
            .with("proof", lock.proof.as_str());
        if let Some(user) = &lock.user {
            event = event.user(user.as_str());
        }
        if let Some(source) = &lock.source {
            event = event.with("network", source.as_str());
        }
        if let Some(until) = lock.locked_until {
            event = event.with("until", until.to_string());
        }
        self.keep_event(&event)
    }
}
