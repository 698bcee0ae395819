//! Events of the session program: who and where from is the same in all of them.

use crate::identity::{Identity, Stranger};
use crate::start::Start;
use crate::text;
use event::{Event, Type};
use jms::nouns::Login;
use jms::store::Store;

/// The most of a refused request that an event keeps, in characters.
const KEPT: usize = 1024;

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
        Stranger::NotValid | Stranger::KeyRemoved | Stranger::LoginRule => Type::SessionRefused,
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
        .with("request", kept(request))
        .with("target", identity.tail.as_deref())
}

/// As much of a refused request as is kept. Whoever is refused has not even a right to fill the disk.
fn kept(request: &[u8]) -> String {
    let begin = request.get(..KEPT).unwrap_or(request);
    text::escaped(begin).chars().take(KEPT).collect()
}

#[cfg(test)]
mod tests {
    use super::{KEPT, kept};

    #[test]
    fn of_a_refused_request_the_beginning_is_kept_whatever_its_bytes() {
        assert_eq!(kept(b"scp -t /x"), "scp -t /x");
        assert_eq!(kept(b"a\xffb"), "a\\xffb");
        for byte in [1_u8, b'x', 0xff] {
            assert_eq!(kept(&vec![byte; 128 * 1024]).chars().count(), KEPT);
        }
    }
}
