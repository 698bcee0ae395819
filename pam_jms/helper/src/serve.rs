//! The program from start to end: confine, read, answer, go.

use std::io::{self, Write};
use std::process::ExitCode;

use event::Type;
use jms::paths::Paths;
use jms::process::{self, Process};
use jms::settings::Settings;
use jms::store::Store;
use jms::time::Time;
use pam_jms_protocol::{Frame, HelperMessage, ModuleMessage, Phase, ReadError, Request};

use crate::answer::{answer, unavailable};
use crate::authenticate::authenticate;
use crate::confine::confine;
use crate::person::Module;
use crate::report;

/// Answers one request on standard input and output.
#[must_use]
pub fn main() -> ExitCode {
    if let Err(error) = confine() {
        report::send(&report::helper_problem(error.as_str(), &error.to_string()));
        // Seen when somebody starts it by hand; under pam_jms.so it goes nowhere.
        let _ = writeln!(io::stderr(), "jms-pam-helper: {error}");
        return ExitCode::FAILURE;
    }
    let said = respond();
    match send(&said) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::send(&report::helper_problem(
                "answer-not-taken",
                &error.to_string(),
            ));
            ExitCode::FAILURE
        }
    }
}

fn respond() -> HelperMessage {
    let request = match read_request() {
        Ok(request) => request,
        Err(error) => {
            report::send(&report::helper_problem("bad-request", &error.to_string()));
            return unavailable();
        }
    };
    let Some(sshd) = parent(&request) else {
        let what = format!(
            "the process that asks ({}) is not this one's parent, or /proc hides it (hidepid)",
            request.process
        );
        report::send(&report::helper_problem("no-parent", &what));
        return unavailable();
    };
    let now = Time::now();
    let paths = Paths::system();
    let mut store = match Store::open(&paths) {
        Ok(store) => store,
        Err(error) => {
            let event = report::store_problem(&error);
            report::send(&event.with("login_name", request.user.as_str()));
            return unavailable();
        }
    };
    let settings = match Settings::load(&paths.settings()) {
        Ok(settings) => settings,
        // The session program refuses every session then; so that the person hears of it, he gets as far as that.
        Err(error) => {
            if request.phase == Phase::Account {
                let event = report::about(Type::SettingsProblem, &request, now);
                report::keep(&mut store, &event.result("error").reason(error.to_string()));
            }
            Settings::default()
        }
    };
    store.set_event_format(settings.syslog.format.into());
    match request.phase {
        Phase::Authenticate | Phase::AuthenticateAfterPassword => {
            let mut person = Module::new(io::stdin().lock(), io::stdout().lock());
            authenticate(&request, &mut store, &settings, &mut person)
        }
        _ => answer(&request, &mut store, &settings, sshd, now),
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

fn send(message: &HelperMessage) -> io::Result<()> {
    let frame = message.to_frame().map_err(io::Error::other)?;
    let mut output = io::stdout().lock();
    output.write_all(&frame.to_bytes())?;
    output.flush()
}
