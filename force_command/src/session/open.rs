//! From a request to an open session: target, decision, row, control socket, recording.

use super::Refused;
use super::record::Record;
use crate::control::{self, Control};
use crate::identity::Identity;
use crate::message::{Message, Trouble};
use crate::relay::Descriptors;
use crate::report;
use crate::request::{Connect, RequestError};
use crate::start::Start;
use crate::status;
use crate::sys;
use crate::target::{self, TargetError};
use crate::text;
use event::Type;
use jms::id::Id;
use jms::policy::Decision;
use jms::policy::access::Reason;
use jms::recording::{Header, Recorder, ensure_room, path_of};
use jms::settings::Settings;
use jms::store::{Egress, EndOfSession, NewSession, Store, Target};
use jms::time::Time;
use std::path::Path;

/// A session whose row, control socket and recording exist.
pub struct Open {
    /// Its id.
    pub id: Id,
    /// When it was decided.
    pub opened_at: Time,
    /// `SYSTEM_USER@ASSET`, for sentences.
    pub name: String,
    /// Row ids of asset and system user.
    pub target: (i64, i64),
    /// The way to the asset.
    pub egress: Egress,
    /// What bounds it.
    pub decision: Decision,
    /// Number of the newest change of the policy that it was decided by.
    pub policy: u64,
    /// Its control socket.
    pub control: Control,
    /// Its recording.
    pub record: Record,
}

/// What the refusal of a request is told as: a sentence of the grammar, or one of the session.
pub enum NotOpened {
    /// The request means nothing; status 2.
    Request(RequestError),
    /// It was refused.
    Refused(Refused),
}

impl From<Refused> for NotOpened {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

/// Opens a session, or says why not. Every refusal is an event.
///
/// # Errors
/// [`NotOpened`]; then nothing is open, and what was begun is closed again.
pub fn open(
    store: &mut Store,
    settings: &Settings,
    start: &Start,
    identity: &Identity,
    connect: &Connect,
) -> Result<Open, NotOpened> {
    let now = Time::now();
    // What died without saying so must not count against a limit.
    store
        .sweep(now)
        .map_err(|error| Refused::because(Trouble::Store, error))?;
    control::sweep(store.paths());

    let target = find(store, identity, connect, now)?;
    let name = target::name(&target);
    let id = Id::random().map_err(|error| Refused::because(Trouble::System, error))?;
    let recordings = store.paths().recordings();
    let minimum = settings
        .recording
        .minimum_free_mib
        .saturating_mul(1024 * 1024);
    ensure_room(&recordings, minimum)
        .map_err(|error| Refused::because(Trouble::Recording, error))?;
    let control = Control::listen(store.paths(), &id)
        .map_err(|error| Refused::because(Trouble::Run, error))?;

    let request = connect
        .command
        .as_deref()
        .map(text::escaped)
        .unwrap_or_default();
    let recording = path_of(Path::new(""), &id, now);
    let new = NewSession {
        id: &id,
        login: &identity.login,
        user: &identity.user,
        target: (target.asset_id, target.system_user_id),
        channel: connect.channel,
        terminal: connect.terminal,
        request: &request,
        recording: &recording.to_string_lossy(),
        relay: jms::process::myself()
            .ok_or_else(|| Refused::because(Trouble::System, "/proc does not show this process"))?,
        limits: settings.session.limits(),
    };
    let opening = store
        .open_session(&new, now)
        .map_err(|error| Refused::because(Trouble::Store, error))?;
    let Some(egress) = opening.egress else {
        return Err(not_allowed(&opening.decision, &name, connect).into());
    };
    let header = header(start, identity, connect, &name, now);
    let record = Recorder::create(&recordings, &id, &header).and_then(|recorder| {
        Record::new(
            recorder,
            connect.channel,
            connect.terminal,
            settings.recording.exec_output_bytes,
        )
    });
    match record {
        Ok(record) => Ok(Open {
            id: id.clone(),
            opened_at: now,
            name,
            target: new.target,
            egress,
            decision: opening.decision,
            policy: opening.policy,
            control,
            record,
        }),
        Err(error) => {
            let end = EndOfSession {
                reason: "recording-failed",
                exit_status: Some(status::BASTION),
                ..EndOfSession::default()
            };
            // The row is closed by whoever looks next, if the store is gone now, too.
            let _ = store.close_session(&id, &identity.login, &end, Time::now());
            Err(Refused::because(Trouble::Recording, error).into())
        }
    }
}

/// The one granted target that the wording means.
fn find(
    store: &mut Store,
    identity: &Identity,
    connect: &Connect,
    now: Time,
) -> Result<Target, NotOpened> {
    let granted = store
        .read()
        .targets(&identity.user, now)
        .map_err(|error| Refused::because(Trouble::Store, error))?;
    let worded = connect.wording.to_string();
    let (refusal, reason) = match target::resolve(&connect.wording, &granted) {
        Ok(target) => return Ok(target.clone()),
        Err(TargetError::Ambiguous(choices)) => {
            let message = Message::Ambiguous {
                target: worded.clone(),
                choices,
            };
            (
                NotOpened::Refused(Refused::new(message, status::REQUEST)),
                "ambiguous-target",
            )
        }
        Err(TargetError::NotGranted { near }) => match &connect.otherwise {
            Some(error) => (NotOpened::Request(error.clone()), "no-target"),
            None => {
                let message = Message::NotGranted {
                    target: worded.clone(),
                    near,
                };
                (NotOpened::Refused(Refused::denied(message)), "not-granted")
            }
        },
    };
    let request = connect.command.as_deref().unwrap_or_default();
    let system_user = connect
        .wording
        .system_user
        .as_ref()
        .map(|name| name.as_str());
    let event = report::refused(Type::SessionRefused, identity, request, reason)
        .asset(connect.wording.asset.as_str())
        .system_user(system_user)
        .with("channel", connect.channel.as_str());
    report::emit(store, &event);
    Err(refusal)
}

/// The store has written the event; this is what the person reads.
fn not_allowed(decision: &Decision, name: &str, connect: &Connect) -> Refused {
    let target = name.to_owned();
    match &decision.reason {
        Reason::RightsMissing(missing) => Refused::denied(Message::RightsMissing {
            target,
            channel: connect.channel,
            missing: *missing,
        }),
        Reason::FactorNeeded => Refused::denied(Message::FactorNeeded(target)),
        Reason::FactorNotPassed => Refused::denied(Message::FactorNotPassed),
        Reason::LimitReached(_) => Refused::new(
            Message::LimitReached(decision.reason.to_string()),
            status::BASTION,
        ),
        Reason::NoWay(obstacle) => Refused::new(
            Message::NoWay {
                target,
                obstacle: obstacle.clone(),
            },
            status::CONNECTION,
        ),
        Reason::UserDisabled | Reason::UserNotValid => Refused::denied(Message::UserNotValid),
        _ => Refused::denied(Message::NotGranted {
            target: connect.wording.to_string(),
            near: None,
        }),
    }
}

fn header(start: &Start, identity: &Identity, connect: &Connect, name: &str, now: Time) -> Header {
    let window = sys::window(Descriptors::standard().input)
        .ok()
        .filter(|_| connect.terminal);
    let command = connect.command.as_deref().map(text::escaped);
    let meta = [
        ("user", identity.user.name.clone()),
        ("login", identity.login.id.clone()),
        ("target", name.to_owned()),
        ("channel", connect.channel.as_str().to_owned()),
    ];
    Header {
        started_at: now,
        width: window.map_or(0, |window| window.columns),
        height: window.map_or(0, |window| window.rows),
        term: start.environment.term.clone().filter(|_| connect.terminal),
        title: Some(format!("{}@{name}", identity.user.name)),
        command,
        meta: meta
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    }
}
