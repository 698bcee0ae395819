//! `jmsctl` for an administrator or auditor over ssh: who he is, what his role allows, and an event for what it does not.
//!
//! Started by the session program, which has asked the same questions; everything is asked again here. Trusts the
//! kernel (real uid, ancestry) and the store. What was typed is hostile: no path, pager or editor, only standard
//! input and output.
#![forbid(unsafe_code)]

use crate::cli::roles::OverSsh;
use crate::cli::{self, Stop};
use crate::context::{Asker, Context};
use crate::failure::{Done, Failure};
use crate::output::Output;
use crate::{commands, input, manual, privilege};
use event::{Event, Type};
use jms::caller::{Stranger, identify_with_factor};
use jms::id::Token;
use jms::nouns::{Login, Role, User};
use jms::paths::Paths;
use jms::settings::Settings;
use jms::store::Store;
use jms::time::Time;
use std::ffi::OsString;

/// The most of a refused command that an event keeps, in characters.
const KEPT: usize = 1024;

/// Runs what the user with the real uid `uid` typed.
pub fn run(uid: u32, token: Option<&Token>, words: Vec<OsString>) -> Result<(), Stop> {
    privilege::become_service_user_over_ssh().map_err(Stop::Failure)?;
    input::only_standard_input();
    let paths = Paths::system();
    let settings = commands::settings(None, &paths).map_err(Stop::Failure)?;
    let mut store = Store::open(&paths).map_err(|error| Stop::Failure(error.into()))?;
    store.set_event_format(settings.syslog.format.into());
    let request = request(&words);
    let (user, login) = identify_with_factor(store.read(), uid, token, Time::now())
        .map_err(|stranger| Stop::Failure(refuse_stranger(&mut store, uid, &request, &stranger)))?;
    let Some(role) = role(&user) else {
        let sentence = "jmsctl is for administrators and auditors of the bastion";
        emit(&mut store, &refused(&user, &login, &request, "role"));
        return Err(Stop::Failure(Failure::NotAllowed(sentence.to_owned())));
    };
    match cli::parse(words, Some(role)) {
        Ok(arguments) => {
            let done = work(&arguments, store, &settings, &user, &login, &request);
            done.map_err(Stop::Failure)
        }
        Err(Stop::Refused(refusal)) => {
            emit(
                &mut store,
                &refused(&user, &login, &request, refusal.word()),
            );
            Err(Stop::Failure(Failure::NotAllowed(refusal.sentence())))
        }
        Err(stop) => Err(stop),
    }
}

/// A command that the role allows. What it refuses itself is an event, too.
fn work(
    arguments: &cli::Arguments,
    store: Store,
    settings: &Settings,
    user: &User,
    login: &Login,
    request: &str,
) -> Done {
    let global = &arguments.global;
    let mut out = Output::new(global.json, global.quiet, global.no_color);
    if let Some(done) = manual::answer(arguments, &mut out) {
        return done.and_then(|()| out.flush());
    }
    arguments.open_files()?;
    let asker = Asker::OverSsh(Box::new((user.clone(), login.clone())));
    let mut context = Context::new(store, global, settings, out, asker);
    let done = commands::dispatch(arguments, &mut context);
    if let Err(failure) = &done
        && failure.is_refusal()
    {
        let event = refused(user, login, request, "rule").with("rule", failure.to_string());
        emit(&mut context.store, &event);
    }
    done
}

fn role(user: &User) -> Option<OverSsh> {
    match user.role {
        Role::Admin => Some(OverSsh::Admin),
        Role::Auditor => Some(OverSsh::Auditor),
        Role::User => None,
    }
}

/// What was typed, for events.
fn request(words: &[OsString]) -> String {
    let words = words.iter().skip(1).map(|word| word.to_string_lossy());
    let line = std::iter::once("jmsctl".into())
        .chain(words)
        .collect::<Vec<_>>();
    line.join(" ").chars().take(KEPT).collect()
}

fn refused(user: &User, login: &Login, request: &str, reason: &str) -> Event {
    Event::new(Type::RequestRefused)
        .login(login.id.as_str())
        .user(user.name.as_str())
        .source(login.source.as_str())
        .result("deny")
        .reason(reason)
        .with("actor", user.name.as_str())
        .with("role", user.role.as_str())
        .with("request", request)
}

fn refuse_stranger(store: &mut Store, uid: u32, request: &str, stranger: &Stranger) -> Failure {
    let kind = match stranger {
        Stranger::FactorNotYet => Type::RequestRefused,
        _ => Type::Alert,
    };
    let event = Event::new(kind)
        .result("deny")
        .reason(stranger.word())
        .with("uid", u64::from(uid))
        .with("request", request);
    emit(store, &event);
    let sentence = match stranger {
        Stranger::NotValid | Stranger::KeyRemoved | Stranger::LoginRule => {
            "you may not use the bastion now"
        }
        Stranger::FactorMissing | Stranger::FactorNotYet => {
            "this login has not passed the second factor that you need: log in again"
        }
        _ => "this login was not opened through PAM; tell root",
    };
    Failure::NotAllowed(sentence.to_owned())
}

/// Keeps an event; where the store does not take it, syslog still may.
fn emit(store: &mut Store, event: &Event) {
    if store.emit(event).is_err() {
        let line = event.to_line(event::Format::KeyValue, None);
        // Syslog is the last that can be told.
        let _ = event::Sender::system().send(event.level(), &line);
    }
}
