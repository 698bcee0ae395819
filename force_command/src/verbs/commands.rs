//! `commands`: the lines of the user's own sessions.
#![forbid(unsafe_code)]

use super::{Desk, NoAnswer};
use crate::text::{json_line, table};
use jms::nouns::Command;
use jms::store::CommandSearch;
use serde_json::json;

/// A line for each, the newest last.
///
/// # Errors
/// [`NoAnswer`] when the store cannot be asked.
pub fn list(desk: &Desk<'_>, limit: u32, json: bool) -> Result<String, NoAnswer> {
    let user = &desk.identity.user;
    let commands = desk.store.read().commands(&CommandSearch {
        user: Some(user.name.clone()),
        // Evidence keeps names: somebody who had this one before was another person.
        since: Some(user.created_at),
        limit,
        ..CommandSearch::default()
    })?;
    if json {
        return Ok(commands.iter().map(|one| json_line(&object(one))).collect());
    }
    let cells = |command: &Command| {
        let time = command.time.to_string();
        vec![
            time.get(..19).unwrap_or(&time).replace('T', " "),
            target(command),
            command.action.clone(),
            command.line.clone(),
        ]
    };
    let cells: Vec<Vec<String>> = commands.iter().map(cells).collect();
    let lines = table(&cells, None).into_iter();
    Ok(lines.map(|line| format!("{line}\n")).collect())
}

fn target(command: &Command) -> String {
    format!("{}@{}", command.system_user, command.asset)
}

/// What a user may know of his line: not which filters and rules there are beyond the sentence that he was told.
fn object(command: &Command) -> serde_json::Value {
    json!({
        "time": command.time,
        "session": command.session,
        "target": target(command),
        "asset": command.asset,
        "system_user": command.system_user,
        "line": command.line,
        "cut": command.cut,
        "captured": command.captured,
        "verdict": command.verdict,
        "action": command.action,
        "at": command.at,
    })
}
