//! `jmsctl login`.
#![forbid(unsafe_code)]

use super::evidence::{Wanted, print, rows_needed};
use super::unknown;
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

/// A login with its sessions.
#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    login: Login,
    sessions: Vec<Session>,
}

/// Runs a verb.
pub fn run(verb: &Verb, context: &mut Context) -> Done {
    match verb {
        // Root opens the log before the store, and does not come here; this is for whoever else may read it.
        Verb::Ls(verb) if verb.unknown => unknown::run(verb, unknown::open(verb)?, context),
        Verb::Ls(verb) => ls(verb, context),
        Verb::Show(verb) => {
            let read = context.store.read();
            let login = read.login_by_prefix(&verb.id)?;
            let mut sessions = read.sessions(&SessionSearch {
                login: Some(login.id.clone()),
                limit: u32::MAX,
                ..SessionSearch::default()
            })?;
            sessions.reverse();
            if context.out.is_json() {
                return context.out.show(&Whole { login, sessions });
            }
            context.out.show(&login)?;
            if !sessions.is_empty() {
                context.out.text("\nsessions:\n")?;
                context
                    .out
                    .list(sessions, &crate::cli::flags::List::default())?;
            }
            Ok(())
        }
    }
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
