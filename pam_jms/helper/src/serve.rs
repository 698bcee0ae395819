//! The program from start to end: confine, read, answer, go. A module that asks for it (`--stay`) has one process answer two
//! questions about a login, the account's and the session's, which come a few milliseconds apart: what a process costs is
//! mostly its start. Each is answered from the store as it is then.

use std::io::{self, Write};

use event::Type;
use jms::paths::Paths;
use jms::process::{self, Process};
use jms::settings::Settings;
use jms::store::Store;
use jms::time::Time;
use pam_jms_protocol::{Frame, HelperMessage, ModuleMessage, Phase, ReadError, Request, STAY};

use crate::answer::{answer, unavailable};
use crate::authenticate::authenticate;
use crate::confine::{confine, wait_for_question};
use crate::person::Module;
use crate::report;

/// Answers a request on standard input and output, and one more if it may stay. Whether it did: yes or no, an answer it was.
#[must_use]
pub fn main() -> bool {
    if let Err(error) = confine() {
        report::send(&report::helper_problem(error.as_str(), &error.to_string()));
        // Seen when somebody starts it by hand; under pam_jms.so it goes nowhere.
        let _ = writeln!(io::stderr(), "jms-pam-helper: {error}");
        return false;
    }
    let mut may_stay = std::env::args_os().nth(1).is_some_and(|word| word == STAY);
    let mut store = None;
    let asked = read_request();
    let (mut said, mut phase) = respond(asked, &mut store);
    loop {
        let stays = may_stay && goes_on(phase, &said);
        if let Err(error) = send(&said, stays) {
            report::send(&report::helper_problem(
                "answer-not-taken",
                &error.to_string(),
            ));
            return false;
        }
        if !stays {
            break;
        }
        may_stay = false;
        let asked = match wait_for_question() {
            true => read_request(),
            false => Err(ReadError::Closed),
        };
        // The login ended before its session.
        if let Err(ReadError::Closed) = asked {
            return true;
        }
        (said, phase) = respond(asked, &mut store);
    }
    let goes_on = phase != Some(Phase::CloseSession) && matches!(said, HelperMessage::Allow(_));
    if let (true, Some(store)) = (goes_on, store) {
        // The close phase leaves the store's files as they are between logins.
        store.leave();
    }
    true
}

/// Whether the same process will be asked again: after a yes before the session.
fn goes_on(phase: Option<Phase>, said: &HelperMessage) -> bool {
    let before_session = matches!(
        phase,
        Some(Phase::Authenticate | Phase::AuthenticateAfterPassword | Phase::Account)
    );
    before_session && matches!(said, HelperMessage::Allow(_))
}

/// The answer, and what was asked. `store` is opened by the first question that needs it.
fn respond(
    asked: Result<Request, ReadError>,
    store: &mut Option<Store>,
) -> (HelperMessage, Option<Phase>) {
    match asked {
        Ok(request) => (respond_to(&request, store), Some(request.phase)),
        Err(error) => {
            report::send(&report::helper_problem("bad-request", &error.to_string()));
            (unavailable(), None)
        }
    }
}

fn respond_to(request: &Request, open: &mut Option<Store>) -> HelperMessage {
    let Some(sshd) = parent(request) else {
        let what = format!(
            "the process that asks ({}) is not this one's parent, or /proc hides it (hidepid)",
            request.process
        );
        report::send(&report::helper_problem("no-parent", &what));
        return unavailable();
    };
    let now = Time::now();
    let paths = Paths::system();
    let store = match open {
        Some(store) => store,
        None => match Store::open(&paths) {
            Ok(store) => open.insert(store),
            Err(error) => {
                let event = report::store_problem(&error);
                report::send(&event.with("login_name", request.user.as_str()));
                return unavailable();
            }
        },
    };
    let settings = match Settings::load(&paths.settings()) {
        Ok(settings) => settings,
        // The session program refuses every session then; so that the person hears of it, he gets as far as that.
        Err(error) => {
            if request.phase == Phase::Account {
                let event = report::about(Type::SettingsProblem, request, now);
                report::keep(store, &event.result("error").reason(error.to_string()));
            }
            Settings::default()
        }
    };
    store.set_event_format(settings.syslog.format.into());
    match request.phase {
        Phase::Authenticate | Phase::AuthenticateAfterPassword => {
            let mut person = Module::new(io::stdin().lock(), io::stdout().lock());
            authenticate(request, store, &settings, &mut person)
        }
        _ => answer(request, store, &settings, sshd, now),
    }
}

fn read_request() -> Result<Request, ReadError> {
    let frame = Frame::read(&mut io::stdin().lock())?;
    match ModuleMessage::from_frame(&frame)? {
        ModuleMessage::Request(request) => Ok(request),
        ModuleMessage::Response(_) => Err(ReadError::Protocol(
            pam_jms_protocol::ProtocolError::Kind(frame.kind().number()),
        )),
    }
}

/// The sshd process that this login belongs to: our parent as the kernel says, and it must be the
/// one that says it asks. If it died meanwhile, our parent is another.
fn parent(request: &Request) -> Option<Process> {
    let pid = nix::unistd::getppid().as_raw();
    let stat = process::stat(pid)?;
    let is_the_asker = u32::try_from(pid) == Ok(request.process);
    (is_the_asker && !stat.ended).then_some(stat.process)
}

fn send(message: &HelperMessage, stays: bool) -> io::Result<()> {
    let frame = message.to_frame().map_err(io::Error::other)?;
    let mut bytes = frame.to_bytes();
    if stays {
        bytes.extend_from_slice(&Frame::waits().to_bytes());
    }
    let mut output = io::stdout().lock();
    output.write_all(&bytes)?;
    output.flush()
}
