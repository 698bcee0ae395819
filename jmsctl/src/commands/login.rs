//! `jmsctl login`.
#![forbid(unsafe_code)]

use super::evidence::{Wanted, print, rows_needed};
use super::{deeds, event, failed, follow, unknown};
use crate::cli::evidence::{Login as Verb, LoginLs};
use crate::context::Context;
use crate::failure::Done;
use crate::output::{Noun, harmless};
use jms::nouns::{Login, Session};
use jms::store::{EventSearch, LoginSearch, SessionSearch, StoreError};
use serde::Serialize;

impl Noun for Login {
    const NAME: &'static str = "login";
    const KEY: &'static str = "user";
    const FIELDS: &'static [&'static str] = &[
        "id",
        "user",
        "uid",
        "login_name",
        "source",
        "source_port",
        "key_type",
        "key",
        "factors",
        "factor_at",
        "sshd_pid",
        "opened_at",
        "closed_at",
        "close_reason",
    ];
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "user",
        "source",
        "login_name",
        "opened_at",
        "closed_at",
        "close_reason",
    ];
    const NEWEST_LAST: bool = true;
}

/// A login with its sessions, and with what happened in it outside of them.
#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    login: Login,
    sessions: Vec<Session>,
    events: Vec<event::Listed>,
}

/// Runs a verb.
pub fn run(verb: &Verb, context: &mut Context) -> Done {
    match verb {
        // Root opens the log before the store, and does not come here; this is for whoever else may read it.
        Verb::Ls(verb) if verb.unknown => unknown::run(verb, unknown::open(verb)?, context),
        Verb::Ls(verb) if verb.failed => failed::run(verb, None, context),
        Verb::Ls(verb) if verb.follow => follow_logins(verb, context),
        Verb::Ls(verb) => ls(verb, context),
        Verb::Show(verb) => show(&verb.id, context),
    }
}

fn show(id: &str, context: &mut Context) -> Done {
    let (read, json) = (context.store.read(), context.out.is_json());
    let most = deeds::rows_needed(json);
    let login = read.login_by_prefix(id)?;
    let mut sessions = read.sessions(&SessionSearch {
        login: Some(login.id.clone()),
        limit: most,
        ..SessionSearch::default()
    })?;
    sessions.reverse();
    let whole = Whole {
        sessions,
        events: event::all_listed(&read.events_of_login(&login.id, most)?, json),
        login,
    };
    if json {
        return context.out.show(&whole);
    }
    context.out.show(&whole.login)?;
    deeds::table(context, "sessions", whole.sessions)?;
    deeds::table(context, "events", whole.events)
}

fn ls(verb: &LoginLs, context: &mut Context) -> Done {
    let users = Wanted::users(context.store.read(), &verb.user, &verb.user_group)?;
    let mut logins = context.store.read().logins(&LoginSearch {
        user: users.one(),
        since: verb.span.since,
        until: verb.span.until,
        limit: rows_needed(&verb.list, users.is_plain()),
        ..LoginSearch::default()
    })?;
    logins.retain(|login| users.fits(&login.user));
    logins.reverse();
    print(context, logins, &verb.list)
}

/// A line when a login opens, and another when it closes.
fn follow_logins(verb: &LoginLs, context: &mut Context) -> Done {
    let users = Wanted::users(context.store.read(), &verb.user, &verb.user_group)?;
    let search = EventSearch {
        kind: Some("login".to_owned()),
        since: verb.span.since,
        until: verb.span.until,
        ..EventSearch::default()
    };
    follow::run(context, search, &verb.list, &verb.span, |context, rows| {
        for event::Listed(fields) in event::all_listed(&rows, true) {
            let opened = match event::text(&fields, "type") {
                Some("login.open") => true,
                Some("login.close") => false,
                _ => continue,
            };
            let Some(id) = event::text(&fields, "login") else {
                continue;
            };
            let mut login = match context.store.read().login_by_prefix(id) {
                Ok(login) => login,
                // Pruned since.
                Err(StoreError::NotFound { .. }) => continue,
                Err(error) => return Err(error.into()),
            };
            if !users.fits(&login.user) {
                continue;
            }
            if opened {
                // As it was then.
                (login.closed_at, login.close_reason) = (None, None);
            }
            line(context, &login, verb)?;
        }
        Ok(())
    })
}

fn line(context: &mut Context, login: &Login, verb: &LoginLs) -> Done {
    if context.out.is_json() {
        return context.out.show(login);
    }
    let (at, what) = match login.closed_at {
        Some(at) => (at, login.close_reason.as_deref().unwrap_or("closed")),
        None => (login.opened_at, "opened"),
    };
    let id: String = login.id.chars().take(8).collect();
    let cells = [
        &at.to_string(),
        &id,
        &login.user,
        &login.source,
        &login.login_name,
        what,
    ];
    let line = cells.map(harmless).join("  ");
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
