//! Sessions: decided, opened, closed; and what it takes to reach the asset.

use super::Store;
use super::error::StoreError;
use super::events;
use super::logins::one_of;
use super::read::{Read, maybe_time, number, time};
use crate::id::Id;
use crate::nouns::{Asset, Credential, HostKey, Login, Session, SystemUser, User};
use crate::policy::{Channel, Decision, FactorStanding, access};
use crate::process::Process;
use crate::time::Time;
use event::{Event, Type};
use rusqlite::{Row, TransactionBehavior, params};

/// What a client asks for.
#[derive(Debug, Clone)]
pub struct NewSession<'a> {
    /// Id, made by the caller because the recording's name needs it.
    pub id: &'a Id,
    /// The login that asks.
    pub login: &'a Login,
    /// Who.
    pub user: &'a User,
    /// Row ids of asset and system user, as in [`super::Target`].
    pub target: (i64, i64),
    /// Type of channel.
    pub channel: Channel,
    /// With a terminal.
    pub terminal: bool,
    /// The command for the asset, as text (for people to read; not what is sent).
    pub request: &'a str,
    /// File of the recording, below the folder of recordings; empty: none.
    pub recording: &'a str,
    /// The relay.
    pub relay: Process,
    /// Limits of the settings.
    pub limits: access::Counts,
}

/// The decision, and if it is yes, the way to the asset.
pub struct Opening {
    /// What was decided.
    pub decision: Decision,
    /// There exactly when the decision is yes: then the row of the session exists, too.
    pub egress: Option<Egress>,
    /// Number of the newest change of the policy that it was decided by.
    pub policy: u64,
}

/// Everything that is needed to reach one account on one asset.
#[derive(Clone)]
pub struct Egress {
    /// The asset.
    pub asset: Asset,
    /// The system user.
    pub system_user: SystemUser,
    /// The account's name there.
    pub account: String,
    /// Its shells there announce their commands.
    pub shell_hooks: bool,
    /// Host keys by which the asset is known.
    pub host_keys: Vec<HostKey>,
    /// Sealed secret, if one is stored.
    pub credential: Option<Credential>,
    /// The same for each gateway, in the order in which they are passed; these have none of their own.
    pub gateways: Vec<Egress>,
}

/// How a session ended.
#[derive(Debug, Clone, Default)]
pub struct EndOfSession<'a> {
    /// `exit`, `client-gone`, `killed`, `right-withdrawn`, `recording-failed`, …
    pub reason: &'a str,
    /// Exit status that the client was given.
    pub exit_status: Option<i32>,
    /// Bytes from the client.
    pub bytes_in: u64,
    /// Bytes to the client.
    pub bytes_out: u64,
    /// Size of the recording.
    pub recording_size: Option<u64>,
    /// Its last hash.
    pub recording_hash: Option<&'a str>,
    /// Bytes of the output that are not in it, where output is recorded.
    pub bytes_not_recorded: Option<u64>,
}

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct SessionSearch {
    /// Only of this user.
    pub user: Option<String>,
    /// Only to this asset.
    pub asset: Option<String>,
    /// Only as this system user.
    pub system_user: Option<String>,
    /// Only of this login (whole id).
    pub login: Option<String>,
    /// Only live ones (true) or ended ones (false).
    pub online: Option<bool>,
    /// Not before.
    pub since: Option<Time>,
    /// Before.
    pub until: Option<Time>,
    /// At most so many, the newest.
    pub limit: u32,
}

fn session(row: &Row<'_>) -> Result<Session, StoreError> {
    let size: Option<i64> = row.get("recording_size")?;
    let left_out: Option<i64> = row.get("bytes_not_recorded")?;
    Ok(Session {
        id: row.get("id")?,
        login: row.get("login_id")?,
        user: row.get("user_name")?,
        asset: row.get("asset")?,
        address: row.get("address")?,
        port: number("port", row.get("port")?)?,
        system_user: row.get("system_user")?,
        account: row.get("account")?,
        channel: row.get("channel")?,
        terminal: row.get("terminal")?,
        request: row.get("request")?,
        grants: row.get("grants")?,
        relay_pid: row.get("relay_pid")?,
        relay_started: row.get("relay_started")?,
        started_at: time(row, "started_at")?,
        ended_at: maybe_time(row, "ended_at")?,
        end_reason: row.get("end_reason")?,
        exit_status: row.get("exit_status")?,
        bytes_in: number("bytes_in", row.get("bytes_in")?)?,
        bytes_out: number("bytes_out", row.get("bytes_out")?)?,
        recording: row.get("recording")?,
        recording_size: size
            .map(|size| number("recording_size", size))
            .transpose()?,
        recording_hash: row.get("recording_hash")?,
        bytes_not_recorded: left_out
            .map(|bytes| number("bytes_not_recorded", bytes))
            .transpose()?,
        held: row.get("held")?,
    })
}

pub(super) fn event_of(kind: Type, session: &Session, login: Option<&Login>, now: Time) -> Event {
    let mut event = Event::new(kind)
        .at(now.timestamp())
        .session(session.id.as_str())
        .user(session.user.as_str())
        .asset(session.asset.as_str())
        .address(format!("{}:{}", session.address, session.port))
        .system_user(session.system_user.as_str())
        .with("channel", session.channel.as_str());
    if let Some(id) = &session.login {
        event = event.login(id.as_str());
    }
    if let Some(login) = login {
        event = event
            .source(login.source.as_str())
            .source_port(login.source_port)
            .key(login.key.as_str())
            .sshd_pid(u32::try_from(login.sshd_pid).ok());
    }
    event
}

/// The session with exactly this id.
pub(super) fn session_of_id(read: Read<'_>, id: &Id) -> Result<Session, StoreError> {
    read.session_by_prefix(id.as_str())
}

impl Read<'_> {
    /// The session whose id begins with `prefix` (at least six characters, and only one).
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Refused`] when several begin so.
    pub fn session_by_prefix(self, prefix: &str) -> Result<Session, StoreError> {
        let found = self.rows(
            "SELECT * FROM session WHERE id >= ?1 AND id < ?1 || '{' LIMIT 2",
            [prefix],
            session,
        )?;
        one_of("session", prefix, found)
    }

    /// Sessions that match, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn sessions(self, search: &SessionSearch) -> Result<Vec<Session>, StoreError> {
        self.rows(
            "SELECT * FROM session
             WHERE (?1 IS NULL OR user_name = ?1) AND (?2 IS NULL OR asset = ?2) AND (?3 IS NULL OR system_user = ?3)
               AND (?4 IS NULL OR login_id = ?4) AND (?5 IS NULL OR (ended_at IS NULL) = ?5)
               AND (?6 IS NULL OR started_at >= ?6) AND (?7 IS NULL OR started_at < ?7)
             ORDER BY started_at DESC, id LIMIT ?8",
            params![
                search.user, search.asset, search.system_user, search.login, search.online,
                search.since.map(|at| at.0), search.until.map(|at| at.0), search.limit
            ],
            session,
        )
    }

    pub(super) fn live_sessions(self) -> Result<Vec<Session>, StoreError> {
        self.rows("SELECT * FROM session WHERE ended_at IS NULL", [], session)
    }

    fn egress(
        self,
        user: &User,
        (asset_id, system_user_id): (i64, i64),
    ) -> Result<Egress, StoreError> {
        let (asset, system_user) = self.destination((asset_id, system_user_id))?;
        let mut gateways = Vec::new();
        for gateway in self.gateways(&asset)?.assets {
            // Without one the decision is no.
            if let Some(name) = &gateway.gateway_system_user {
                let passing = self.system_user(name)?;
                gateways.push(self.leg(user, gateway, passing)?);
            }
        }
        Ok(Egress {
            gateways,
            ..self.leg(user, asset, system_user)?
        })
    }

    fn leg(self, user: &User, asset: Asset, system_user: SystemUser) -> Result<Egress, StoreError> {
        let account = self
            .first(
                "SELECT login FROM system_user_override WHERE system_user_id = ?1 AND asset_id = ?2 AND login IS NOT NULL",
                [system_user.id, asset.id],
                |row| Ok(row.get::<_, String>(0)?),
            )?
            .unwrap_or_else(|| system_user.account(&user.name).to_owned());
        let shell_hooks = self
            .first(
                "SELECT shell_hooks FROM system_user_override WHERE system_user_id = ?1 AND asset_id = ?2 AND shell_hooks IS NOT NULL",
                [system_user.id, asset.id],
                |row| Ok(row.get::<_, bool>(0)?),
            )?
            .unwrap_or(system_user.shell_hooks);
        Ok(Egress {
            host_keys: self.host_keys_of(asset.id)?,
            credential: self.credential(&system_user, asset.id)?,
            asset,
            system_user,
            account,
            shell_hooks,
            gateways: Vec::new(),
        })
    }
}

impl Store {
    /// Decides, and opens the session if the answer is yes: one transaction, so that two channels
    /// which come at once cannot both be the last one that a limit allows.
    ///
    /// A refusal is an event; so is the opening.
    ///
    /// # Errors
    /// [`StoreError`]; then there is no session.
    pub fn open_session(&mut self, new: &NewSession<'_>, now: Time) -> Result<Opening, StoreError> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let read = Read::new(&transaction);
        // The rows may have changed since they were read; what counts is what they say now.
        let gone = || StoreError::NotFound {
            kind: "user",
            name: new.user.name.clone(),
            nearest: None,
        };
        let user = read.user_by_uid(new.user.uid)?.ok_or_else(gone)?;
        let login = read.login_by_prefix(&new.login.id)?;
        let facts = read.facts(&user, Some(&login), new.target, new.limits)?;
        let decision = match read.factor_standing(&user, &login, 0, now)? {
            FactorStanding::Passed => crate::policy::decide(&facts, new.channel, now),
            // It was asked for before; what has changed since counts.
            _ => Decision::without_factor(),
        };
        let egress = read.egress(&user, new.target)?;
        let policy = read.policy_number()?;
        let row = Session {
            id: new.id.to_string(),
            login: Some(new.login.id.clone()),
            user: user.name.clone(),
            asset: egress.asset.name.clone(),
            address: egress.asset.address.clone(),
            port: egress.asset.port,
            system_user: egress.system_user.name.clone(),
            account: egress.account.clone(),
            channel: new.channel.as_str().to_owned(),
            terminal: new.terminal,
            request: new.request.chars().take(65_536).collect(),
            grants: match &decision.reason {
                access::Reason::Granted { by } => by.join(","),
                _ => String::new(),
            },
            relay_pid: new.relay.pid,
            relay_started: new.relay.started,
            started_at: now,
            ended_at: None,
            end_reason: None,
            exit_status: None,
            bytes_in: 0,
            bytes_out: 0,
            recording: new.recording.to_owned(),
            recording_size: None,
            recording_hash: None,
            bytes_not_recorded: None,
            held: false,
        };
        if !decision.allow {
            let event = event_of(Type::SessionRefused, &row, Some(new.login), now)
                .result("deny")
                .reason(decision.reason.to_string())
                .with("request", row.request.as_str());
            events::insert(&transaction, &event)?;
            transaction.commit()?;
            self.send_unsent();
            return Ok(Opening {
                decision,
                egress: None,
                policy,
            });
        }
        transaction.execute(
            "INSERT INTO session (id, login_id, user_id, asset_id, system_user_id, user_name, asset, address, port, system_user,
                                  account, channel, terminal, request, grants, relay_pid, relay_started, started_at, recording)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)",
            params![
                row.id, row.login, user.id, egress.asset.id, egress.system_user.id, row.user, row.asset, row.address, row.port,
                row.system_user, row.account, row.channel, row.terminal, row.request, row.grants, row.relay_pid,
                row.relay_started, now.0, row.recording
            ],
        )?;
        let event = event_of(Type::SessionOpen, &row, Some(new.login), now)
            .result("allow")
            .with("grants", row.grants.as_str())
            .with("request", row.request.as_str());
        events::insert(&transaction, &event)?;
        transaction.commit()?;
        self.send_unsent();
        Ok(Opening {
            decision,
            egress: Some(egress),
            policy,
        })
    }

    /// What would be decided if the session were opened now, for whoever must ask something first. Opens nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn would_open(
        &self,
        user: &User,
        login: &Login,
        target: (i64, i64),
        channel: Channel,
        now: Time,
    ) -> Result<Decision, StoreError> {
        let none = access::Counts::default();
        let facts = self.read().facts(user, Some(login), target, none)?;
        Ok(crate::policy::decide(&facts, channel, now))
    }

    /// Decides again for a live session, which was opened at `since`: after a change, or when a right runs out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn decide_again(
        &self,
        uid: u32,
        login: &Login,
        target: (i64, i64),
        channel: Channel,
        since: Time,
        now: Time,
    ) -> Result<Option<Decision>, StoreError> {
        let read = self.read();
        let Some(user) = read.user_by_uid(uid)? else {
            return Ok(None);
        };
        // Its own limits let it in; they do not end it.
        match read.facts(&user, Some(login), target, access::Counts::default()) {
            Ok(mut facts) => {
                facts.limits = access::Counts::default();
                facts.login.session_since = Some(since);
                Ok(Some(crate::policy::decide(&facts, channel, now)))
            }
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Closes a session and says so.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn close_session(
        &mut self,
        id: &Id,
        login: &Login,
        end: &EndOfSession<'_>,
        now: Time,
    ) -> Result<(), StoreError> {
        let session = self.read().session_by_prefix(id.as_str())?;
        self.end_session(&session, Some(login), Type::SessionClose, end, now)?;
        self.send_unsent();
        Ok(())
    }

    /// Gives the recordings of lost sessions the anchor that their own relay could not leave: size and
    /// last hash as found now, so that what is cut or written anew later is seen. Returns how many.
    ///
    /// # Errors
    /// [`StoreError`]; a file that cannot be read is passed over, and tried again the next time.
    pub fn anchor_lost_recordings(&mut self) -> Result<usize, StoreError> {
        let lost = self.read().rows(
            "SELECT * FROM session WHERE end_reason = 'lost' AND recording <> '' AND recording_hash IS NULL LIMIT 20",
            [],
            session,
        )?;
        let mut anchored = 0;
        for session in &lost {
            let path = self.paths.recordings().join(&session.recording);
            let Some(id) = Id::parse(&session.id) else {
                continue;
            };
            let Ok(found) = crate::recording::seal_lost(&path, &id) else {
                continue;
            };
            self.connection.execute(
                "UPDATE session SET recording_size = ?2, recording_hash = ?3 WHERE id = ?1 AND recording_hash IS NULL",
                params![session.id, i64::try_from(found.bytes).unwrap_or(i64::MAX), found.last_hash.to_string()],
            )?;
            anchored += 1;
        }
        Ok(anchored)
    }

    pub(super) fn lose_session(&mut self, session: &Session, now: Time) -> Result<(), StoreError> {
        let end = EndOfSession {
            reason: "lost",
            ..EndOfSession::default()
        };
        self.end_session(session, None, Type::SessionLost, &end, now)
    }

    fn end_session(
        &mut self,
        session: &Session,
        login: Option<&Login>,
        kind: Type,
        end: &EndOfSession<'_>,
        now: Time,
    ) -> Result<(), StoreError> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let changed = transaction.execute(
            "UPDATE session SET ended_at = ?2, end_reason = ?3, exit_status = ?4, bytes_in = ?5, bytes_out = ?6,
                    recording_size = ifnull(?7, recording_size), recording_hash = ifnull(?8, recording_hash), bytes_not_recorded = ?9
             WHERE id = ?1 AND ended_at IS NULL",
            params![
                session.id, now.0, end.reason, end.exit_status,
                i64::try_from(end.bytes_in).unwrap_or(i64::MAX), i64::try_from(end.bytes_out).unwrap_or(i64::MAX),
                end.recording_size.map(|size| i64::try_from(size).unwrap_or(i64::MAX)), end.recording_hash,
                end.bytes_not_recorded.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX))
            ],
        )?;
        if changed == 1 {
            let mut event = event_of(kind, session, login, now)
                .result("closed")
                .reason(end.reason)
                .with("bytes_in", end.bytes_in)
                .with("bytes_out", end.bytes_out)
                .with(
                    "seconds",
                    u64::try_from(now.0.saturating_sub(session.started_at.0) / 1000).unwrap_or(0),
                );
            if let Some(left_out) = end.bytes_not_recorded.filter(|bytes| *bytes > 0) {
                event = event.with("bytes_not_recorded", left_out);
            }
            if let Some(status) = end.exit_status {
                event = event.with("exit_status", i64::from(status));
            }
            events::insert(&transaction, &event)?;
        }
        transaction.commit()?;
        Ok(())
    }
}
