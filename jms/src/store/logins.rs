//! Logins: opened and closed by the session phase of PAM, looked up by every session.

use super::Store;
use super::activity::was_here;
use super::error::StoreError;
use super::events;
use super::read::{Read, maybe_time, number, time};
use crate::id::{Id, Token};
use crate::nouns::{Login, User};
use crate::policy::FactorStanding;
use crate::process::Process;
use crate::time::Time;
use event::{Event, Type};
use rusqlite::{Row, TransactionBehavior, params};

/// What the session phase of PAM knows of a login.
#[derive(Debug, Clone)]
pub struct NewLogin<'a> {
    /// Who.
    pub user: &'a User,
    /// The name that was asked for, target included.
    pub login_name: &'a str,
    /// Client's address.
    pub source: &'a str,
    /// Client's port.
    pub source_port: Option<u16>,
    /// Type of the key that sshd saw proven; empty: none.
    pub key_type: &'a str,
    /// Its fingerprint.
    pub fingerprint: &'a str,
    /// Methods that sshd accepted, in order.
    pub factors: &'a str,
    /// When a second factor was passed.
    pub factor_at: Option<Time>,
    /// This login's sshd.
    pub sshd: Process,
}

/// A login that was just opened.
pub struct OpenLogin {
    /// Its id.
    pub id: Id,
    /// For `JMS_LOGIN`; the store keeps only its hash.
    pub token: Token,
}

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct LoginSearch {
    /// Only of this user.
    pub user: Option<String>,
    /// Only those still open.
    pub open: bool,
    /// Not before.
    pub since: Option<Time>,
    /// Before.
    pub until: Option<Time>,
    /// At most so many, the newest.
    pub limit: u32,
}

fn login(row: &Row<'_>) -> Result<Login, StoreError> {
    let port: Option<i64> = row.get("source_port")?;
    Ok(Login {
        id: row.get("id")?,
        user: row.get("user_name")?,
        uid: number("uid", row.get("uid")?)?,
        login_name: row.get("login_name")?,
        source: row.get("source")?,
        source_port: port.map(|port| number("source port", port)).transpose()?,
        key_type: row.get("key_type")?,
        key: row.get("fingerprint")?,
        factors: row.get("factors")?,
        factor_at: maybe_time(row, "factor_at")?,
        sshd_pid: row.get("sshd_pid")?,
        sshd_started: row.get("sshd_started")?,
        opened_at: time(row, "opened_at")?,
        closed_at: maybe_time(row, "closed_at")?,
        close_reason: row.get("close_reason")?,
    })
}

fn event_of(kind: Type, login: &Login, now: Time) -> Event {
    Event::new(kind)
        .at(now.timestamp())
        .login(login.id.as_str())
        .user(login.user.as_str())
        .source(login.source.as_str())
        .source_port(login.source_port)
        .key(login.key.as_str())
        .sshd_pid(u32::try_from(login.sshd_pid).ok())
}

impl Read<'_> {
    /// The login that a session's `JMS_LOGIN` belongs to, open or not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn login_by_token(self, token: &Token) -> Result<Option<Login>, StoreError> {
        self.first(
            "SELECT * FROM login WHERE token_hash = ?1",
            [token.hash()],
            login,
        )
    }

    /// The login whose id begins with `prefix` (at least six characters, and only one).
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Refused`] when several begin so.
    pub fn login_by_prefix(self, prefix: &str) -> Result<Login, StoreError> {
        let found = self.rows(
            "SELECT * FROM login WHERE id >= ?1 AND id < ?1 || '{' LIMIT 2",
            [prefix],
            login,
        )?;
        one_of("login", prefix, found)
    }

    /// Logins that nobody has closed.
    pub(super) fn open_logins(self) -> Result<Vec<Login>, StoreError> {
        self.rows("SELECT * FROM login WHERE closed_at IS NULL", [], login)
    }

    /// Logins that match, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn logins(self, search: &LoginSearch) -> Result<Vec<Login>, StoreError> {
        self.rows(
            "SELECT * FROM login
             WHERE (?1 IS NULL OR user_name = ?1) AND (?2 = 0 OR closed_at IS NULL)
               AND (?3 IS NULL OR opened_at >= ?3) AND (?4 IS NULL OR opened_at < ?4)
             ORDER BY opened_at DESC, id LIMIT ?5",
            params![
                search.user,
                search.open,
                search.since.map(|at| at.0),
                search.until.map(|at| at.0),
                search.limit
            ],
            login,
        )
    }
}

/// The one thing whose id begins with `prefix`.
pub(super) fn one_of<T>(
    kind: &'static str,
    prefix: &str,
    mut found: Vec<T>,
) -> Result<T, StoreError> {
    let shown: String = prefix.chars().take(32).collect();
    if prefix.len() < 6 {
        return Err(StoreError::Refused {
            sentence: format!(
                "give at least six characters of the {kind}'s id, not “{}”",
                shown.escape_debug()
            ),
        });
    }
    match (found.pop(), found.pop()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(StoreError::NotFound {
            kind,
            name: shown,
            nearest: None,
        }),
        _ => Err(StoreError::Refused {
            sentence: format!(
                "several {kind}s begin with {}; give more of the id",
                shown.escape_debug()
            ),
        }),
    }
}

impl Store {
    /// Opens a login and says so.
    ///
    /// # Errors
    /// [`StoreError`]; then there is no login.
    pub fn open_login(&mut self, new: &NewLogin<'_>, now: Time) -> Result<OpenLogin, StoreError> {
        self.open_login_within(new, None, now)
    }

    /// The same if the user has fewer than `most` open logins, counted under the lock: of many at once, exactly so many
    /// come in.
    ///
    /// # Errors
    /// [`StoreError::TooManyLogins`]; as [`Store::open_login`].
    pub fn open_login_within(
        &mut self,
        new: &NewLogin<'_>,
        most: Option<u32>,
        now: Time,
    ) -> Result<OpenLogin, StoreError> {
        let opened = OpenLogin {
            id: Id::random()?,
            token: Token::random()?,
        };
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        if let Some(most) = most {
            let open = Read::new(&transaction).open_logins_of(new.user)?;
            if open >= most {
                return Err(StoreError::TooManyLogins { open });
            }
        }
        transaction.execute(
            "INSERT INTO login (id, token_hash, user_id, user_name, uid, login_name, source, source_port, key_type, fingerprint,
                                factors, factor_at, sshd_pid, sshd_started, opened_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
            params![
                opened.id.as_str(), opened.token.hash(), new.user.id, new.user.name, new.user.uid, new.login_name,
                new.source, new.source_port, new.key_type, new.fingerprint, new.factors,
                new.factor_at.map(|at| at.0), new.sshd.pid, new.sshd.started, now.0
            ],
        )?;
        let read = Read::new(&transaction);
        let row = read.login_by_prefix(opened.id.as_str())?;
        // Whoever is yet to pass it is here when he does.
        if read.factor_standing(new.user, &row, 0, now)? == FactorStanding::Passed {
            was_here(&transaction, new.user.id, now)?;
        }
        let event = event_of(Type::LoginOpen, &row, now)
            .result("allow")
            .with("login_name", new.login_name)
            .with("factors", new.factors);
        events::insert(&transaction, &event)?;
        transaction.commit()?;
        self.send_unsent();
        Ok(opened)
    }

    /// Closes the login of `token`, if it is open and `sshd` is the process that opened it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn close_login(
        &mut self,
        token: &Token,
        sshd: Process,
        now: Time,
    ) -> Result<bool, StoreError> {
        let Some(login) = self.read().login_by_token(token)? else {
            return Ok(false);
        };
        let is_its_sshd = login.sshd_pid == sshd.pid && login.sshd_started == sshd.started;
        if login.closed_at.is_some() || !is_its_sshd {
            return Ok(false);
        }
        self.end_login(&login, "closed", now)?;
        self.send_unsent();
        Ok(true)
    }

    /// Closes logins and sessions whose processes are gone without having said so. Whoever opens
    /// the store to work with it calls this; returns how many were found.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn sweep(&mut self, now: Time) -> Result<usize, StoreError> {
        let mut found = 0;
        for session in self.read().live_sessions()? {
            if (Process {
                pid: session.relay_pid,
                started: session.relay_started,
            })
            .is_gone()
            {
                self.lose_session(&session, now)?;
                found += 1;
            }
        }
        for login in self.read().open_logins()? {
            if (Process {
                pid: login.sshd_pid,
                started: login.sshd_started,
            })
            .is_gone()
            {
                self.end_login(&login, "lost", now)?;
                found += 1;
            }
        }
        if found > 0 {
            self.send_unsent();
        }
        Ok(found)
    }

    fn end_login(&mut self, login: &Login, reason: &str, now: Time) -> Result<(), StoreError> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let changed = transaction.execute(
            "UPDATE login SET closed_at = ?2, close_reason = ?3 WHERE id = ?1 AND closed_at IS NULL",
            params![login.id, now.0, reason],
        )?;
        if changed == 1 {
            events::insert(
                &transaction,
                &event_of(Type::LoginClose, login, now)
                    .result("closed")
                    .reason(reason),
            )?;
        }
        transaction.commit()?;
        Ok(())
    }
}
