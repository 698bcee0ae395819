//! The way of one channel, from the start of the process to its exit status.

use crate::identity::{Identity, Stranger, identify};
use crate::message::{Message, Trouble, say};
use crate::request::{self, Request, RequestError};
use crate::start::{Start, StartError, start};
use crate::{report, session, status, verbs};
use event::{Event, Type};
use jms::paths::Paths;
use jms::settings::Settings;
use jms::store::Store;
use jms::time::Time;

/// Does everything; the exit status.
#[must_use]
pub fn main() -> i32 {
    let start = match start() {
        Ok(start) => start,
        Err(error) => {
            say(&error);
            return match error {
                StartError::NotVirtualUser(_) => status::DENIED,
                _ => status::BASTION,
            };
        }
    };
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        report::without_store(
            &Event::new(Type::Alert)
                .result("error")
                .reason("panic")
                .with("place", place),
        );
    }));
    let caught = std::panic::catch_unwind(|| serve(&start));
    caught.unwrap_or_else(|_| out_of_order(Trouble::System))
}

fn serve(start: &Start) -> i32 {
    let paths = Paths::system();
    let mut store = match Store::open(&paths) {
        Ok(store) => store,
        Err(error) => {
            let event = Event::new(Type::StoreProblem)
                .result("error")
                .reason(error.to_string());
            report::without_store(&event.with("uid", u64::from(start.uid)));
            return out_of_order(Trouble::Store);
        }
    };
    let settings = match Settings::load(&paths.settings()) {
        Ok(settings) => settings,
        Err(error) => {
            let event = Event::new(Type::SettingsProblem)
                .result("error")
                .reason(error.to_string());
            report::emit(&mut store, &event);
            return out_of_order(Trouble::Settings);
        }
    };
    store.set_event_format(settings.syslog.format.into());
    match identify(&store, start, Time::now()) {
        Ok(identity) => answer(&mut store, &settings, start, &identity),
        Err(stranger) => refuse(&mut store, start, &stranger),
    }
}

fn refuse(store: &mut Store, start: &Start, stranger: &Stranger) -> i32 {
    report::emit(store, &report::stranger(start, stranger));
    let message = match stranger {
        Stranger::Store(_) => return out_of_order(Trouble::Store),
        Stranger::OtherName => Message::OtherName,
        Stranger::NotValid => Message::UserNotValid,
        _ => Message::NoLogin,
    };
    say(message);
    status::DENIED
}

fn out_of_order(trouble: Trouble) -> i32 {
    say(Message::Bastion(trouble));
    status::BASTION
}

fn answer(store: &mut Store, settings: &Settings, start: &Start, identity: &Identity) -> i32 {
    let tail = identity.tail.as_deref().map(str::as_bytes);
    // As ForceCommand, the client's command is in the environment; as a login shell, behind `-c`.
    let original = start
        .command
        .as_deref()
        .or(start.environment.original_command.as_deref());
    match request::parse(tail, original, start.has_terminal) {
        Ok(Request::Connect(connect)) => {
            session::connect(store, settings, start, identity, &connect)
        }
        Ok(Request::Verb(verb)) => verbs::answer(store, identity, &verb),
        Ok(Request::Menu) => verbs::menu(store, identity),
        Err(error) => {
            let sentence = error.to_string();
            let event = report::refused(
                Type::RequestRefused,
                identity,
                original.unwrap_or_default(),
                &sentence,
            );
            report::emit(store, &event);
            match error {
                RequestError::TransferNowhere(channel) => session::tell(channel, sentence),
                _ => say(sentence),
            }
            status::REQUEST
        }
    }
}
