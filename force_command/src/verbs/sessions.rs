//! `sessions`, `session show`: the user's own, and nobody else's.
#![forbid(unsafe_code)]

use super::whoami::facts;
use super::{Desk, NoAnswer};
use crate::message::Message;
use crate::status;
use crate::text::{json_line, table};
use jms::nouns::Session;
use jms::store::{SessionSearch, StoreError};
use jms::time::Time;
use serde_json::{Value, json};

/// A line for each, the newest last.
///
/// # Errors
/// [`NoAnswer`] when the store cannot be asked.
pub fn list(desk: &Desk<'_>, online: bool, limit: u32, json: bool) -> Result<String, NoAnswer> {
    let user = &desk.identity.user;
    let search = SessionSearch {
        user: Some(user.name.clone()),
        online: online.then_some(true),
        // Evidence keeps names: somebody who had this one before was another person.
        since: Some(user.created_at),
        limit,
        ..SessionSearch::default()
    };
    let mut sessions = desk.store.read().sessions(&search)?;
    sessions.reverse();
    if json {
        return Ok(sessions.iter().map(|one| json_line(&object(one))).collect());
    }
    let cells = |session: &Session| {
        vec![
            session.id.clone(),
            minute(session.started_at),
            duration(session),
            target(session),
            session.channel.clone(),
            end(session),
            session.request.clone(),
        ]
    };
    let cells: Vec<Vec<String>> = sessions.iter().map(cells).collect();
    let lines = table(&cells, None).into_iter();
    Ok(lines.map(|line| format!("{line}\n")).collect())
}

/// All about one.
///
/// # Errors
/// [`NoAnswer`] when the user has none whose id begins so.
pub fn show(desk: &Desk<'_>, id: &str, json: bool) -> Result<String, NoAnswer> {
    let object = object(&find(desk, id)?);
    Ok(if json {
        json_line(&object)
    } else {
        facts(&object)
    })
}

/// The user's own session whose id begins with `id`. Another's is as if it were not there.
///
/// # Errors
/// [`NoAnswer`].
pub fn find(desk: &Desk<'_>, id: &str) -> Result<Session, NoAnswer> {
    let user = &desk.identity.user;
    match desk.store.read().session_by_prefix(id) {
        Ok(session) if session.user == user.name && session.started_at >= user.created_at => {
            Ok(session)
        }
        Ok(_) | Err(StoreError::NotFound { .. }) => {
            let message = Message::NoSuchSession(id.to_owned());
            Err(NoAnswer(message, status::DENIED))
        }
        Err(StoreError::Refused { .. }) => {
            let message = Message::SeveralSessions(id.to_owned());
            Err(NoAnswer(message, status::REQUEST))
        }
        Err(error) => Err(error.into()),
    }
}

fn target(session: &Session) -> String {
    format!("{}@{}", session.system_user, session.asset)
}

/// What a user may know of a session: not by which grants, processes and files the bastion made it.
fn object(session: &Session) -> Value {
    json!({
        "id": session.id,
        "login": session.login,
        "target": target(session),
        "asset": session.asset,
        "address": session.address,
        "port": session.port,
        "system_user": session.system_user,
        "account": session.account,
        "channel": session.channel,
        "terminal": session.terminal,
        "request": session.request,
        "started_at": session.started_at,
        "ended_at": session.ended_at,
        "end_reason": session.end_reason,
        "exit_status": session.exit_status,
        "bytes_in": session.bytes_in,
        "bytes_out": session.bytes_out,
    })
}

/// `2026-11-21 10:00` in UTC.
fn minute(at: Time) -> String {
    let text = at.to_string();
    text.get(..16).unwrap_or(&text).replace('T', " ")
}

fn duration(session: &Session) -> String {
    let Some(ended) = session.ended_at else {
        return "runs".to_owned();
    };
    let seconds = ended.0.saturating_sub(session.started_at.0).max(0) / 1000;
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// The exit status where a command ended by itself, else why it ended.
fn end(session: &Session) -> String {
    match (session.end_reason.as_deref(), session.exit_status) {
        (Some("exit"), Some(status)) => status.to_string(),
        (Some(reason), _) => reason.to_owned(),
        (None, _) => String::new(),
    }
}
