//! The way of one channel, from the start of the process to its exit status.

use crate::entrance::{enter, out_of_order};
use crate::factor::{self, Gate};
use crate::identity::Identity;
use crate::message::{Message, Trouble, say};
use crate::request::{self, Connect, MfaWish, Request, RequestError, Verb};
use crate::start::{Start, StartError, start};
use crate::verbs::{self, Desk};
use crate::{administration, menu, report, session, status};
use event::{Event, Type};
use jms::settings::Settings;
use jms::store::Store;
use jms::time::Time;

/// Does everything; the exit status.
#[must_use]
pub fn main() -> i32 {
    let start = match start() {
        Ok(start) => start,
        Err(error) => {
            report_start(&error);
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

/// Who installs the bastion has to know it; a local user who tries the program is no news.
fn report_start(error: &StartError) {
    let kind = match error {
        StartError::NotVirtualUser(_) => return,
        StartError::UidRange(_) => Type::SettingsProblem,
        _ => Type::Alert,
    };
    let event = Event::new(kind)
        .result("error")
        .reason(error.word())
        .with("uid", u64::from(nix::unistd::getuid().as_raw()))
        .with("detail", error.to_string());
    report::without_store(&event);
}

fn serve(start: &Start) -> i32 {
    match enter(start) {
        Ok((store, settings, identity)) => answer(store, settings, start, identity),
        Err(status) => status,
    }
}

/// Everything after this is open only to a login that has passed the factor that is demanded of its user.
fn answer(mut store: Store, settings: Settings, start: &Start, identity: Identity) -> i32 {
    let tail = identity.tail.as_deref().map(str::as_bytes);
    if let (Some(command), Some(wanted)) = (&start.command, &start.environment.original_command) {
        // sshd sets both for a ForceCommand only, and this one is not ours.
        let event = report::refused(Type::Alert, &identity, wanted, "other-force-command").with(
            "force_command",
            String::from_utf8_lossy(command).into_owned(),
        );
        report::emit(&mut store, &event);
        say(Message::OtherForceCommand);
        return status::BASTION;
    }
    // As ForceCommand, the client's command is in the environment; as a login shell, behind `-c`.
    let original = start
        .command
        .as_deref()
        .or(start.environment.original_command.as_deref());
    let request = request::parse(tail, original, start.has_terminal);
    let gate = Gate {
        may_ask: may_ask(start, &request),
        asks_itself: asks_itself(&request),
        only_enrols: matches!(
            request,
            Ok(Request::Verb(Verb::Mfa(MfaWish::Enroll | MfaWish::Verify)))
        ),
        tell: &|says| match &request {
            Ok(Request::Connect(connect)) => session::tell(connect.channel, says),
            Err(RequestError::TransferNowhere(channel)) => session::tell(*channel, says),
            _ => say(says),
        },
    };
    let entered = factor::pass(start, (store, settings, identity), &gate);
    let (mut store, settings, identity) = match entered {
        Ok(entered) => entered,
        Err(status) => return status,
    };
    match request {
        Ok(Request::Connect(connect)) => reach(store, settings, start, identity, connect),
        Ok(Request::Verb(Verb::Mfa(wish))) => {
            factor::grant(start, (store, settings, identity), wish)
        }
        Ok(Request::Verb(verb)) => {
            let mut desk = Desk {
                store: &mut store,
                settings: &settings,
                identity: &identity,
                server: start.environment.server,
                has_terminal: start.has_terminal,
            };
            verbs::answer(&mut desk, &verb)
        }
        Ok(Request::Administer(words)) => administration::run(&mut store, start, &identity, &words),
        Ok(Request::Menu) => menu::run(store, settings, start, identity),
        Err(error) => {
            let sentence = error.to_string();
            let event = report::refused(
                Type::RequestRefused,
                &identity,
                original.unwrap_or_default(),
                &sentence,
            );
            report::emit(&mut store, &event);
            match error {
                RequestError::TransferNowhere(channel) => session::tell(channel, sentence),
                _ => say(sentence),
            }
            status::REQUEST
        }
    }
}

/// Whether a person can be asked for a factor: not where a program speaks the protocol of a transfer.
fn may_ask(start: &Start, request: &Result<Request, RequestError>) -> bool {
    let is_transfer = match request {
        Ok(Request::Connect(connect)) => connect.channel.is_transfer(),
        Err(RequestError::TransferNowhere(_)) => true,
        _ => false,
    };
    !is_transfer && factor::someone_sits_there(start)
}

/// What asks for the factor itself, and what reaches nothing.
fn asks_itself(request: &Result<Request, RequestError>) -> bool {
    use Verb::{Help, Mfa, MfaStatus, Version, Whoami};
    matches!(
        request,
        Ok(Request::Verb(
            Mfa(_) | MfaStatus { .. } | Whoami { .. } | Help { .. } | Version { .. }
        ))
    )
}

/// A session. On a terminal, a person is asked which of several targets he means.
fn reach(
    store: Store,
    settings: Settings,
    start: &Start,
    identity: Identity,
    connect: Connect,
) -> i32 {
    if connect.terminal && !connect.channel.is_transfer() {
        let choices = match store.read().targets(&identity.user, Time::now()) {
            Ok(granted) => menu::choices(&connect, &granted),
            Err(_) => Vec::new(),
        };
        if !choices.is_empty() {
            // Whoever waits holds no store open.
            drop(store);
            return match menu::settle(start, connect, &choices) {
                Ok(Some(connect)) => match enter(start) {
                    Ok(entered) => factor::connect(start, entered, &connect),
                    Err(status) => status,
                },
                Ok(None) => status::REQUEST,
                Err(_) => enter(start).map_or(status::ENDED, |_| status::CONNECTION),
            };
        }
    }
    factor::connect(start, (store, settings, identity), &connect)
}
