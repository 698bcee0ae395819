//! `jmsctl command`.
#![forbid(unsafe_code)]

use super::evidence::{Wanted, looked_at, print, rows_needed};
use super::follow;
use crate::cli::command::{Command as Verb, CommandLs};
use crate::context::Context;
use crate::failure::Done;
use crate::output::{Noun, harmless};
use jms::nouns::Command;
use jms::store::CommandSearch;
use serde::Serialize;

impl Noun for Command {
    const NAME: &'static str = "command";
    const KEY: &'static str = "line";
    const FIELDS: &'static [&'static str] = &[
        "id",
        "time",
        "session",
        "user",
        "asset",
        "system_user",
        "line",
        "cut",
        "captured",
        "verdict",
        "action",
        "filter",
        "rule",
        "at",
    ];
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "time",
        "user",
        "system_user",
        "asset",
        "verdict",
        "action",
        "line",
    ];
    const TIME: &'static str = "time";
    const NEWEST_LAST: bool = true;
}

/// Runs a verb.
pub fn run(verb: &Verb, context: &mut Context) -> Done {
    match verb {
        Verb::Ls(verb) => ls(verb, context),
        Verb::Show(number) => {
            let read = context.store.read();
            let command = read.command(number.id)?;
            let session = read.session_by_prefix(&command.session)?;
            let looked = looked_at(context, &session, "commands").with("command", number.id);
            context.store.emit(&looked)?;
            context.out.show(&Shown::new(command))
        }
    }
}

/// A command, and what opens its recording where it was accepted.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    command: Command,
    /// None when it has no place in a recording.
    replay: Option<String>,
}

impl Shown {
    fn new(command: Command) -> Self {
        let Command { id, session, .. } = &command;
        let replay = format!("jmsctl session replay {session} --command {id}");
        Self {
            replay: command.at.map(|_| replay),
            command,
        }
    }
}

fn ls(verb: &CommandLs, context: &mut Context) -> Done {
    let read = context.store.read();
    let session = verb
        .session
        .as_deref()
        .map(|prefix| read.session_by_prefix(prefix))
        .transpose()?;
    let users = Wanted::users(read, &verb.user, &verb.user_group)?;
    let assets = Wanted::assets(read, &verb.asset, &verb.asset_group, &verb.site)?;
    let system_users = Wanted::new(&verb.system_user);
    let is_plain = users.is_plain() && assets.is_plain() && system_users.is_plain();
    let fits = |command: &Command| {
        users.fits(&command.user)
            && assets.fits(&command.asset)
            && system_users.fits(&command.system_user)
    };
    let search = CommandSearch {
        session: session.as_ref().map(|session| session.id.clone()),
        user: users.one(),
        asset: assets.one(),
        system_user: system_users.one(),
        text: verb.line.clone(),
        verdict: verb.verdict.map(Into::into),
        since: verb.span.since,
        until: verb.span.until,
        after_id: 0,
        limit: rows_needed(&verb.list, is_plain),
    };
    // What was typed is as much as the recording: nobody looks without a trace.
    let looked = match &session {
        Some(session) => looked_at(context, session, "commands"),
        None => context
            .event(event::Type::EvidenceRead)
            .with("evidence", "commands")
            .with("of_users", verb.user.join(","))
            .with("of_assets", verb.asset.join(",")),
    };
    context.store.emit(&looked)?;
    if verb.follow {
        let newest = context.store.read().newest_command()?;
        let fetch = |context: &Context, after_id, limit| {
            let search = CommandSearch {
                after_id,
                // What names and globs leave out is not counted.
                limit: if is_plain { limit } else { u32::MAX },
                ..search.clone()
            };
            let mut rows = context.store.read().commands(&search)?;
            rows.retain(&fits);
            let most = usize::try_from(limit).unwrap_or(usize::MAX);
            rows.drain(..rows.len().saturating_sub(most));
            Ok(rows)
        };
        let flags = (&verb.list, &verb.span);
        return follow::rows(
            context,
            flags,
            newest,
            fetch,
            |row| row.id,
            |context, rows| rows.iter().try_for_each(|row| line(context, row, verb)),
        );
    }
    let mut commands = context.store.read().commands(&search)?;
    commands.retain(fits);
    print(context, commands, &verb.list)
}

fn line(context: &mut Context, command: &Command, verb: &CommandLs) -> Done {
    if context.out.is_json() {
        return context.out.show(command);
    }
    let target = format!("{}@{}@{}", command.user, command.system_user, command.asset);
    let cells = [
        &command.id.to_string(),
        &command.time.to_string(),
        &target,
        &command.verdict,
        &command.action,
        &command.line,
    ];
    let line = cells.map(|cell| harmless(cell)).join("  ");
    let wanted = verb
        .list
        .text
        .as_ref()
        .is_none_or(|text| line.contains(text.as_str()));
    match wanted {
        true => context.out.text(&format!("{line}\n")),
        false => Ok(()),
    }
}
