//! What is said to syslog: through the store where it works, past it where it does not.

use event::{Event, Format, Sender, Severity, Type};
use jms::store::Store;
use jms::time::Time;
use pam_jms_protocol::{Phase, Request};

use crate::connection::Source;

/// An event about a request, with all that is known of who asks.
#[must_use]
pub fn about(kind: Type, request: &Request, now: Time) -> Event {
    let source = Source::of(request);
    let user = request.user.split('@').next().unwrap_or_default();
    Event::new(kind)
        .at(now.timestamp())
        .user(user)
        .source(source.address)
        .source_port(source.port)
        .sshd_pid(request.process)
        .with("login_name", request.user.as_str())
        .with("phase", phase(request.phase))
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Authenticate | Phase::AuthenticateAfterPassword => "auth",
        Phase::Account => "account",
        Phase::OpenSession => "open-session",
        Phase::CloseSession => "close-session",
    }
}

/// Keeps and sends an event; if the store does not take it, it is sent all the same, and so is
/// what is wrong with the store. Never fails: what matters was decided before.
pub fn keep(store: &mut Store, event: &Event) {
    if let Err(error) = store.emit(event) {
        send(event);
        send(&store_problem(&error));
    }
}

/// Sends an event that no store has.
pub fn send(event: &Event) {
    // Without a log there is nobody left to tell; pam_jms.so says in its own line that we failed.
    let _ = Sender::system().send(event.level(), &event.to_line(Format::KeyValue, None));
}

/// The store is out of order: nobody of ours can log in, so somebody must act now.
#[must_use]
pub fn store_problem(error: &jms::store::StoreError) -> Event {
    Event::new(Type::StoreProblem)
        .severity(Severity::Alert)
        .result("error")
        .reason(error.as_str())
        .with("detail", error.to_string())
}

/// The helper itself cannot do its work.
#[must_use]
pub fn helper_problem(reason: &str, detail: &str) -> Event {
    Event::new(Type::HelperProblem)
        .result("error")
        .reason(reason)
        .with("detail", detail)
}
