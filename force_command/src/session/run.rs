//! An open session from the first byte to the last, and its end.

use super::deeds::{Deeds, Whose};
use super::departure::{Chain, Departure, Keeping};
use super::live::{Asked, Live};
use super::observed::Observed;
use super::open::{NotOpened, Open, open};
use super::person::Person;
use super::prepare::{Leg, Stage};
use super::report::{Verdict, verdict};
use super::ruling::Asking;
use super::{Refused, confirm, kept, prepare};
use crate::commands::{Board, Gated, Limits, Rules, Watched};
use crate::confinement::relay::{Process, shut_in};
use crate::egress::channel::{Meanwhile, is_readable};
use crate::egress::child::{Child, Streams};
use crate::egress::failure::OF_SESSION;
use crate::egress::{Errand, arguments};
use crate::hooks;
use crate::identity::{Identity, sshd_of};
use crate::message::{Message, Trouble, say, say_while_raw};
use crate::relay::{self, Client, Descriptors, End, Outcome, Signals, Tap, TapFailure};
use crate::report;
use crate::request::Connect;
use crate::sftp_refusal;
use crate::start::Start;
use crate::status;
use crate::sys;
use crate::warm::{self, Found, NotBegun};
use event::{Severity, Type};
use jms::id::Token;
use jms::policy::Channel;
use jms::settings::Settings;
use jms::store::{EndOfSession, Store};
use jms::time::Time;
use nix::errno::Errno;
use std::cell::RefCell;
use std::fmt::Display;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

/// Opens a session, runs it, and closes it; the exit status for the client.
pub fn connect(
    store: &mut Store,
    settings: &Settings,
    start: &Start,
    identity: &Identity,
    connect: &Connect,
) -> i32 {
    // From here on a signal waits until it can be answered: nothing that was begun is left half done.
    let signals = match Signals::block() {
        Ok(signals) => signals,
        Err(error) => {
            let refused = Refused::because(Trouble::System, error);
            report_trouble(store, identity, connect, None, &refused);
            tell(connect.channel, &refused.message);
            return refused.status;
        }
    };
    let mut session = match open(store, settings, start, identity, connect) {
        Ok(session) => session,
        Err(NotOpened::Refused(refused)) => {
            report_trouble(store, identity, connect, None, &refused);
            tell(connect.channel, &refused.message);
            return refused.status;
        }
        Err(NotOpened::Request(error)) => {
            tell(connect.channel, error);
            return status::REQUEST;
        }
    };
    let ran = run(
        store,
        settings,
        start,
        identity,
        connect,
        &mut session,
        &signals,
    );
    let (outcome, verdict) = ran.unwrap_or_else(|refused| {
        report_trouble(store, identity, connect, Some(&session), &refused);
        let nothing = Outcome {
            end: End::ClientGone,
            bytes_in: 0,
            bytes_out: 0,
            farewell: None,
        };
        let reason = refused.message.word();
        (
            nothing,
            Verdict {
                status: refused.status,
                message: Some(refused.message),
                reason,
            },
        )
    });
    let (status, message) = (verdict.status, verdict.message.clone());
    let unheard = connect.channel == Channel::Sftp && outcome.bytes_out == 0;
    // Said before anything is written to disk, which may take its time.
    if let Some(message) = message.as_ref().filter(|_| !unheard) {
        say(message);
    }
    close(store, identity, session, &outcome, &verdict);
    if let Some(message) = message.filter(|_| unheard) {
        sftp_refusal::tell(message);
    }
    status
}

/// A refusal before anything was sent, where the client can read it.
pub fn tell(channel: Channel, sentence: impl Display) {
    if channel == Channel::Sftp {
        sftp_refusal::tell(sentence)
    } else {
        say(sentence)
    }
}

/// Everything between the open session and its end. The client's terminal is as before when it returns.
fn run(
    store: &mut Store,
    settings: &Settings,
    start: &Start,
    identity: &Identity,
    connect: &Connect,
    session: &mut Open,
    signals: &Signals,
) -> Result<(Outcome, Verdict), Refused> {
    let system = |error: Errno| Refused::because(Trouble::System, error);
    let sshd = sshd_watches(identity)?;
    let asking = Asking {
        identity,
        connect,
        session,
    };
    let answer = Duration::from_secs(u64::from(settings.filter.answer_timeout));
    let ruling = asking.rule(store, |question| {
        confirm::ask(question, answer, &sshd, &session.control, signals)
    })?;
    let landlock = jms::confinement::landlock() > 0;
    if !landlock {
        report_unconfined(store, identity, session);
    }
    let paths = store.paths().clone();
    let departure = Departure {
        paths: &paths,
        session: &session.id,
        settings,
        start,
        locale: match ruling.enforced {
            true => &[],
            false => &start.environment.locale,
        },
    };
    let stages = prepare::way(
        &session.egress,
        &session.name,
        settings.session.host_key_policy,
        connect.terminal,
    )?;
    let pins = session.egress.host_keys.is_empty();
    let nowhere = || Refused::because(Trouble::Policy, "no way leads there");
    let to = stages
        .first()
        .map(Stage::destination)
        .ok_or_else(nowhere)?
        .clone();
    let client = Client::take(Descriptors::standard(), connect.terminal).map_err(system)?;
    let streams = match client.modes.as_ref().zip(client.window()) {
        Some((modes, window)) => Streams::Terminal(modes, window),
        None => Streams::Pipes,
    };
    // A login shell at a terminal, and nothing else, can be started with hooks.
    let hooks = match connect.terminal && ruling.command.is_none() && session.egress.shell_hooks {
        true => Some(Token::random().map_err(|error| Refused::because(Trouble::System, error))?),
        false => None,
    };
    let hooked = hooks.as_ref().map(|_| hooks::start::command());
    let errand = Errand::Channel {
        channel: connect.channel,
        command: hooked.as_deref().or(ruling.command.as_deref()),
        terminal: connect.terminal,
    };
    let wanted = kept::wanted(settings, start, &session.egress, &to, errand);
    let wish = kept::wish(errand, start, departure.locale);
    let wanted = match wanted {
        Some(wanted) => Some((wanted, kept::terms(store, identity, session)?)),
        None => None,
    };
    // Nothing that can fail without the asset stands behind the moment in which it is asked.
    let rules = Rules::compile(ruling.filters, settings.filter.hidden_input)
        .map_err(|error| Refused::because(Trouble::Filters, error))?;
    let mut watched = vec![signals.as_fd(), session.control.descriptor()];
    watched.extend(sshd.iter().map(AsFd::as_fd));
    let has_happened = || {
        let ends = sshd.iter().map(AsFd::as_fd).chain([signals.as_fd()]);
        ends.into_iter().any(|end| is_readable(end, Duration::ZERO))
            || session.control.has_news(session.policy)
    };
    let meanwhile = Meanwhile {
        watched: &watched,
        is_news: &has_happened,
    };
    let found = match &wanted {
        Some((wanted, terms)) => warm::attach(&paths, wanted, &wish, streams, *terms, &meanwhile)
            .map_err(|error| Refused::because(Trouble::System, error))?,
        None => Found::Coming,
    };
    let mut made = None;
    let (chain, farewells) = match found {
        Found::Channel(child, connection) => {
            report_connection(store, identity, session, Type::ConnectionUsed, &connection);
            if connect.terminal && !child.is_open() {
                let egress = &session.egress;
                let (asset, system_user) = (&egress.asset.name, &egress.system_user.name);
                say_while_raw(Message::Connecting(asset.clone(), system_user.clone()));
            }
            let chain = Chain {
                hops: Vec::new(),
                client: *child,
                patience: Duration::ZERO,
            };
            (chain, of_session())
        }
        Found::None | Found::Coming => {
            let first = departure.connect(&to)?;
            let departed = match (&wanted, found) {
                (Some((wanted, terms)), Found::None) => {
                    let about = kept::about(identity, &session.egress);
                    let keeping = Keeping {
                        wanted,
                        about,
                        terms: *terms,
                        landlock,
                    };
                    let begun = departure.begin_kept(&to, &keeping)?;
                    if let Err(NotBegun::Failed(why)) = &begun {
                        report_not_kept(store, identity, session, why);
                    }
                    // What was changed before its keeper could hear of it.
                    let policy = store.read().policy_number();
                    begun.ok().filter(|_| policy.ok() == Some(terms.policy))
                }
                _ => None,
            };
            let legs: Result<Vec<Leg>, Refused> = stages
                .into_iter()
                .map(|stage| stage.leg(&paths, settings))
                .collect();
            let mut legs = legs?;
            match departed {
                Some(departed) => {
                    made = Some(departed.id().to_owned());
                    let leg = legs.pop().ok_or_else(nowhere)?;
                    let chain = departure.set_out_kept(first, leg, departed, &wish, streams)?;
                    (chain, of_session())
                }
                None => {
                    let asset = legs.last();
                    let farewells = asset.map(|asset| arguments::farewells(&asset.destination));
                    let chain = departure.set_out(first, legs, errand, streams)?;
                    (chain, farewells.unwrap_or_default())
                }
            }
        }
    };
    let person = client.modes.is_some().then_some(Person {
        input: client.descriptors.input,
        output: client.descriptors.errors,
        target: &session.name,
    });

    let asked = Asked {
        uid: start.uid,
        login: &identity.login,
        target: session.target,
        channel: connect.channel,
        since: session.opened_at,
    };
    let whose = Whose {
        login: &identity.login,
        asset: &session.egress.asset.name,
        system_user: &session.egress.system_user.name,
    };
    let mut live = Live::begin(
        store,
        asked,
        &session.control,
        (chain.hops, chain.patience),
        (person, pins),
        sshd,
    )
    .map_err(system)?;
    live.expires(session.decision.limits.until);
    live.tells_of(session.record.limit_reached(), &session.id, whose);
    let board = RefCell::new(Board::new(rules));
    if connect.terminal || ruling.script.is_some() {
        live.keep(Deeds::new(&board, &session.id, whose));
    }
    if connect.terminal {
        let egress = &session.egress;
        let (asset, system_user) = (&egress.asset.name, &egress.system_user.name);
        live.announce(Message::Connecting(asset.clone(), system_user.clone()));
    }
    let mut child = chain.client;
    let mut processes = live.processes();
    if child.pid() > 0 {
        processes.push(Process::Group(child.pid()));
    }
    live.connect_log();
    // Nothing of what the asset says has been read yet.
    shut_in(&paths, &session.id, &processes, landlock)
        .map_err(|error| Refused::because(Trouble::Confinement, error))?;
    let relayed = |child: &mut Child, taps: &mut dyn Tap, live: &mut Live<'_>| {
        relay::run(&client, child, taps, signals, live, &farewells)
    };
    let record = &mut session.record;
    let mut denied = None;
    let outcome = match (connect.terminal, ruling.script) {
        (true, _) => {
            let limits = Limits {
                hold: Duration::from_millis(u64::from(settings.filter.hold)),
                answer,
                lines_per_hour: settings.filter.lines_per_hour,
            };
            let mut taps = Watched::terminal(record, &board, client.window(), limits);
            if let Some(token) = hooks {
                taps = taps.hooked(token, answer);
            }
            let mut outcome = relayed(&mut child, &mut taps, &mut live);
            if let Err(failure) = taps.ended() {
                outcome.end = first_failure(outcome.end, failure);
            }
            outcome
        }
        (false, Some(reads)) => {
            let most = u64::from(settings.filter.script_kept_mib) << 20;
            let mut taps = Gated::new(record, &board, reads, most);
            let mut outcome = relayed(&mut child, &mut taps, &mut live);
            if let Err(failure) = taps.ended() {
                outcome.end = first_failure(outcome.end, failure);
            }
            denied = taps.denied().map(str::to_owned);
            outcome
        }
        (false, None) => relayed(&mut child, record, &mut live),
    };
    live.write_all_deeds();
    live.tell_of_limit();
    let observed = live.take_observed();
    let mut verdict = verdict(&outcome.end, &session.name, || {
        live.trouble(outcome.farewell.as_deref().unwrap_or_default())
    });
    if let (Some(sentence), End::Ended(_)) = (denied, &outcome.end) {
        verdict = Verdict {
            status: status::DENIED,
            message: Some(Message::Filtered(sentence)),
            reason: "filtered",
        };
    }
    let stays = made.filter(|_| live.is_connected());
    drop((live, client, child));
    if let Some(connection) = stays {
        report_connection(store, identity, session, Type::ConnectionKept, &connection);
    }
    report_observed(store, identity, session, &observed);
    report_failure(store, identity, session, &outcome.end);
    Ok((outcome, verdict))
}

/// What ended it first counts; but a session that seemed to end as it should did not if its last line could not be kept.
fn first_failure(end: End, failure: TapFailure) -> End {
    match end {
        End::Ended(_) | End::ClientGone => End::Tap(failure),
        other => other,
    }
}

/// The processes without which nobody is at the other end: the sshd that our PAM module saw, and the
/// one that started us.
fn sshd_watches(identity: &Identity) -> Result<Vec<OwnedFd>, Refused> {
    let gone = |error: Errno| Refused::because(Trouble::System, error);
    let sshd = sshd_of(&identity.login);
    let parent = nix::unistd::getppid().as_raw();
    let watches: Result<Vec<OwnedFd>, Errno> =
        [sshd.pid, parent].into_iter().map(sys::pidfd).collect();
    let watches = watches.map_err(gone)?;
    // A number may have been given to another process before it was opened.
    let same_parent = parent > 1 && nix::unistd::getppid().as_raw() == parent;
    if sshd.is_gone() || !same_parent {
        return Err(gone(Errno::ESRCH));
    }
    Ok(watches)
}

/// What of the bastion is out of order, and why. The person is told only that it is.
fn report_trouble(
    store: &mut Store,
    identity: &Identity,
    connect: &Connect,
    session: Option<&Open>,
    refused: &Refused,
) {
    let (Message::Bastion(trouble), Some(cause)) = (&refused.message, &refused.cause) else {
        return;
    };
    let (kind, severity) = match trouble {
        Trouble::Store => (Type::StoreProblem, Severity::Critical),
        Trouble::Recording => (Type::RecordingProblem, Severity::Critical),
        Trouble::Settings => (Type::SettingsProblem, Severity::Error),
        _ => (Type::SessionRefused, Severity::Critical),
    };
    let event = report::about(kind, &identity.login)
        .severity(severity)
        .session(session.map(|session| session.id.as_str()))
        .asset(connect.wording.asset.as_str())
        .result("error")
        .reason(cause.as_str())
        .with("trouble", trouble.word());
    report::emit(store, &event);
}

fn report_unconfined(store: &mut Store, identity: &Identity, session: &Open) {
    let event = report::about(Type::SessionUnconfined, &identity.login)
        .session(session.id.as_str())
        .asset(session.egress.asset.name.as_str())
        .reason("the kernel has no Landlock");
    report::emit(store, &event);
}

fn report_connection(
    store: &mut Store,
    identity: &Identity,
    session: &Open,
    kind: Type,
    connection: &str,
) {
    let event = report::about(kind, &identity.login)
        .session(session.id.as_str())
        .asset(session.egress.asset.name.as_str())
        .system_user(session.egress.system_user.name.as_str())
        .with("connection", connection);
    report::emit(store, &event);
}

/// The session goes on over a connection of its own.
fn report_not_kept(store: &mut Store, identity: &Identity, session: &Open, why: &str) {
    let event = report::about(Type::Alert, &identity.login)
        .session(session.id.as_str())
        .asset(session.egress.asset.name.as_str())
        .severity(Severity::Warning)
        .result("error")
        .reason("connection-not-kept")
        .with("detail", why);
    report::emit(store, &event);
}

/// The last words that are the client's own where others use it as well.
fn of_session() -> Vec<Vec<u8>> {
    // A line of these words and nothing more: anybody at the asset can say more.
    let line = |words: &[u8]| [words, b"\r\n"].concat();
    OF_SESSION.iter().map(|words| line(words)).collect()
}

fn report_observed(
    store: &mut Store,
    identity: &Identity,
    session: &Open,
    all: &[(usize, Observed)],
) {
    let egress = &session.egress;
    for (place, one) in all {
        let Some(reason) = one.reason() else { continue };
        let at = egress.gateways.get(*place).unwrap_or(egress);
        let event = report::about(Type::Alert, &identity.login)
            .session(session.id.as_str())
            .asset(at.asset.name.as_str())
            .system_user(at.system_user.name.as_str())
            .severity(Severity::Warning)
            .result("deny")
            .reason(reason);
        report::emit(store, &event);
    }
}

/// What only an administrator may read of a failure of the bastion itself.
fn report_failure(store: &mut Store, identity: &Identity, session: &Open, end: &End) {
    let (kind, reason) = match end {
        End::Tap(failure) => {
            let kind = match failure {
                TapFailure::Recording(_) => Type::RecordingProblem,
                TapFailure::Capture(_) => Type::CaptureProblem,
                TapFailure::Forbidden(_) => Type::CommandEnded,
            };
            (kind, failure.to_string())
        }
        End::Stopped(relay::Stop::NoStore(sentence)) => (Type::StoreProblem, sentence.clone()),
        _ => return,
    };
    let event = report::about(kind, &identity.login)
        .session(session.id.as_str())
        .result("error")
        .reason(reason);
    report::emit(store, &event);
}

/// Ends recording and row. What cannot be written now is found by whoever looks next.
fn close(
    store: &mut Store,
    identity: &Identity,
    session: Open,
    outcome: &Outcome,
    verdict: &Verdict,
) {
    let left_out = session.record.left_out();
    let finished = session.record.finish();
    if let Err(error) = &finished
        && verdict.reason != "recording-failed"
    {
        report_failure_to_finish(store, identity, &session.id, error);
    }
    let finished = finished.ok();
    let hash = finished
        .as_ref()
        .map(|finished| finished.last_hash.to_string());
    let end = EndOfSession {
        reason: verdict.reason,
        exit_status: Some(verdict.status),
        bytes_in: outcome.bytes_in,
        bytes_out: outcome.bytes_out,
        recording_size: finished.as_ref().map(|finished| finished.bytes),
        recording_hash: hash.as_deref(),
        bytes_not_recorded: left_out,
    };
    if let Err(error) = store.close_session(&session.id, &identity.login, &end, Time::now()) {
        let event = report::about(Type::StoreProblem, &identity.login)
            .session(session.id.as_str())
            .result("error")
            .reason(error.to_string());
        report::without_store(&event);
    }
}

fn report_failure_to_finish(
    store: &mut Store,
    identity: &Identity,
    session: &jms::id::Id,
    error: &jms::recording::RecordingError,
) {
    let event = report::about(Type::RecordingProblem, &identity.login)
        .session(session.as_str())
        .result("error")
        .reason(error.to_string());
    report::emit(store, &event);
}
