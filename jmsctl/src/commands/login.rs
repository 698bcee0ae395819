//! `jmsctl login`.
#![forbid(unsafe_code)]

use super::evidence::{Wanted, print, rows_needed};
use super::{deeds, event, unknown};
use crate::cli::evidence::{Login as Verb, LoginLs};
use crate::context::Context;
use crate::failure::Done;
use crate::output::Noun;
use jms::nouns::{Login, Session};
use jms::store::{LoginSearch, SessionSearch};
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
