//! `jmsctl session`.
#![forbid(unsafe_code)]

use super::evidence::{self, Wanted, print, rows_needed};
use super::{deeds, event, replay};
use crate::cli::evidence::{Session as Verb, SessionLs};
use crate::context::Context;
use crate::failure::Done;
use crate::output::Noun;
use jms::nouns::{Command, Session, Transfer};
use jms::store::{SessionSearch, StoreError};
use jms::time::Time;
use jms::warm::{self, About};
use serde::Serialize;

impl Noun for Session {
    const NAME: &'static str = "session";
    const KEY: &'static str = "id";
    const FIELDS: &'static [&'static str] = &[
        "id",
        "login",
        "user",
        "asset",
        "address",
        "port",
        "system_user",
        "account",
        "channel",
        "terminal",
        "request",
        "grants",
        "relay_pid",
        "started_at",
        "ended_at",
        "end_reason",
        "exit_status",
        "bytes_in",
        "bytes_out",
        "recording",
        "recording_size",
        "recording_hash",
        "bytes_not_recorded",
        "held",
    ];
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "user",
        "system_user",
        "asset",
        "channel",
        "started_at",
        "ended_at",
        "end_reason",
        "exit_status",
        "request",
    ];
    const NEWEST_LAST: bool = true;
}

/// A session with what was done in it.
#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    session: Session,
    commands: Vec<Command>,
    transfers: Vec<Transfer>,
    events: Vec<event::Listed>,
}

/// Runs a verb.
pub fn run(verb: &Verb, context: &mut Context) -> Done {
    match verb {
        Verb::Ls(verb) => ls(verb, context),
        Verb::Show(verb) => show(&verb.id, context),
        Verb::Replay(verb) => replay::run(verb, context),
    }
}

fn show(id: &str, context: &mut Context) -> Done {
    let (read, json) = (context.store.read(), context.out.is_json());
    let most = deeds::rows_needed(json);
    let session = match read.session_by_prefix(id) {
        Err(StoreError::NotFound {
            kind,
            name,
            nearest,
        }) => kept_by_prefix(context, id).ok_or(StoreError::NotFound {
            kind,
            name,
            nearest,
        })?,
        found => found?,
    };
    let whole = Whole {
        commands: read.commands_of(&session.id, most)?,
        transfers: read.transfers_of(&session.id, most)?,
        events: event::all_listed(&read.events_of_session(&session.id, most)?, json),
        session,
    };
    if !whole.commands.is_empty() || !whole.transfers.is_empty() {
        // What was typed and moved is as much as the recording: nobody looks without a trace.
        let looked = evidence::looked_at(context, &whole.session, "commands");
        context.store.emit(&looked)?;
    }
    if json {
        return context.out.show(&whole);
    }
    context.out.show(&whole.session)?;
    deeds::table(context, "commands", whole.commands)?;
    deeds::table(context, "transfers", whole.transfers)?;
    deeds::table(context, "events", whole.events)
}

fn ls(verb: &SessionLs, context: &mut Context) -> Done {
    let read = context.store.read();
    let users = Wanted::users(read, &verb.user, &verb.user_group)?;
    let assets = Wanted::assets(read, &verb.asset, &verb.asset_group, &verb.site)?;
    let system_users = Wanted::new(&verb.system_user);
    let is_plain = users.is_plain() && assets.is_plain() && system_users.is_plain();
    let mut sessions = context.store.read().sessions(&SessionSearch {
        user: users.one(),
        asset: assets.one(),
        system_user: system_users.one(),
        online: match (verb.online, verb.past) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        },
        since: verb.span.since,
        until: verb.span.until,
        limit: rows_needed(&verb.list, is_plain),
        ..SessionSearch::default()
    })?;
    sessions.retain(|session| {
        users.fits(&session.user)
            && assets.fits(&session.asset)
            && system_users.fits(&session.system_user)
    });
    sessions.reverse();
    if !verb.past {
        let since = verb.span.since.unwrap_or(Time(i64::MIN));
        let until = verb.span.until.unwrap_or(Time(i64::MAX));
        let kept = warm::kept(context.store.paths()).into_iter().map(row_of);
        sessions.extend(kept.filter(|row| {
            (since..until).contains(&row.started_at)
                && users.fits(&row.user)
                && assets.fits(&row.asset)
                && system_users.fits(&row.system_user)
        }));
    }
    print(context, sessions, &verb.list)
}

/// The one kept connection whose id begins so.
fn kept_by_prefix(context: &Context, id: &str) -> Option<Session> {
    let mut kept = warm::kept(context.store.paths()).into_iter();
    let begins = |kept: &About| kept.id.starts_with(id);
    let found = kept.find(begins)?;
    (!kept.any(|other| begins(&other))).then(|| row_of(found))
}

/// What a connection that is kept for a next session is in the list: a row of its own, of the channel `kept`, which nobody
/// records and no login holds.
fn row_of(kept: About) -> Session {
    Session {
        id: kept.id,
        login: Some(kept.login),
        user: kept.user,
        asset: kept.asset,
        address: kept.address,
        port: kept.port,
        system_user: kept.system_user,
        account: kept.account,
        channel: "kept".to_owned(),
        terminal: false,
        request: String::new(),
        grants: String::new(),
        relay_pid: kept.keeper_pid,
        relay_started: 0,
        started_at: Time(kept.since),
        ended_at: None,
        end_reason: None,
        exit_status: None,
        bytes_in: 0,
        bytes_out: 0,
        recording: String::new(),
        recording_size: None,
        recording_hash: None,
        bytes_not_recorded: None,
        held: false,
    }
}
