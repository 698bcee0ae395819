//! Events of the session program: who and where from is the same in all of them.

use crate::identity::{Identity, Stranger};
use crate::start::Start;
use event::{Event, Type};
use jms::nouns::Login;
use jms::store::Store;

/// An event about a login: user, source, key, sshd.
#[must_use]
pub fn about(kind: Type, login: &Login) -> Event {
    Event::new(kind)
        .login(login.id.as_str())
        .user(login.user.as_str())
        .source(login.source.as_str())
        .source_port(login.source_port)
        .key(login.key.as_str())
        .sshd_pid(u32::try_from(login.sshd_pid).ok())
}

/// Keeps and sends an event. Where the store does not take it, syslog still may.
pub fn emit(store: &mut Store, event: &Event) {
    if store.emit(event).is_err() {
        without_store(event);
    }
}

/// Sends an event that cannot be kept; its number is missing, which can be seen.
pub fn without_store(event: &Event) {
    let line = event.to_line(event::Format::KeyValue, None);
    // Syslog is the last that can be told.
    let _ = event::Sender::system().send(event.level(), &line);
}

/// Somebody without a login, or with another's.
#[must_use]
pub fn stranger(start: &Start, stranger: &Stranger) -> Event {
    let kind = match stranger {
        Stranger::Store(_) => Type::StoreProblem,
        Stranger::NotValid | Stranger::KeyRemoved => Type::SessionRefused,
        _ => Type::Alert,
    };
    let name = start.environment.login_name.as_deref();
    Event::new(kind)
        .user(name.and_then(|name| name.split('@').next()))
        .result("deny")
        .reason(stranger.word())
        .with("uid", u64::from(start.uid))
        .with("login_name", name)
}

/// A request that was not understood, or means nothing that is granted.
#[must_use]
pub fn refused(kind: Type, identity: &Identity, request: &[u8], reason: &str) -> Event {
    about(kind, &identity.login)
        .result("deny")
        .reason(reason)
        .with("request", String::from_utf8_lossy(request).into_owned())
        .with("target", identity.tail.as_deref())
}
