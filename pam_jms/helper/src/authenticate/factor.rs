//! The second factor: remembered, shown already, still to be enrolled, or asked for.

use event::Type;
use jms::factor::Typed;
use jms::nouns::Mfa;
use jms::policy::lockout::{Network, Proof};
use jms::store::{Answered, Answerer, FactorKind, FactorRefusal, Locked, Passed, Store};
use jms::time::Time;
use pam_jms_protocol::{HelperMessage, Prompt, Refusal};

use super::repeated::said_before;
use super::{End, Login};
use crate::answer::refuse;
use crate::person::Person;
use crate::report;

/// What is asked. Not shown while it is typed: a recovery code is a secret that lasts.
pub(super) const QUESTION: &str = "Code of your authenticator app, or a recovery code: ";
const WRONG: &str = "jms: that is not a code that is good now; each works once. Wait for the next one, and see that the \
                     clock of your phone is right";

/// The second factor of this login; `None` where none is asked for here.
pub(super) fn second(
    login: &Login<'_>,
    store: &mut Store,
    person: &mut dyn Person,
) -> Result<Option<(FactorKind, Time)>, End> {
    let policy = &login.policy;
    if policy.demanded == Mfa::Off || !policy.sshd_asks() {
        return Ok(None);
    }
    let now = person.now();
    if policy.demanded == Mfa::Any && login.key.person_verified {
        return Ok(Some((FactorKind::SecurityKey, now)));
    }
    // The session program shows the enrolment, and nothing else.
    if policy.must_enrol() {
        return Ok(None);
    }
    if let Some(at) = remembered(login, store, now)? {
        return Ok(Some((FactorKind::Remembered, at)));
    }
    ask(login, store, person).map(Some)
}

fn remembered(login: &Login<'_>, store: &mut Store, now: Time) -> Result<Option<Time>, End> {
    let remember = login.settings.mfa.remember_milliseconds();
    let (key, source) = (&login.key.fingerprint, &login.source.address);
    let read = store.read();
    let at = read.remembered(&login.user, key, source, remember, now)?;
    if let Some(at) = at {
        store.used_memory(&login.user, key, source, at, now)?;
    }
    Ok(at)
}

fn ask(
    login: &Login<'_>,
    store: &mut Store,
    person: &mut dyn Person,
) -> Result<(FactorKind, Time), End> {
    let limits = login.settings.lockout.limits();
    let network = Network::of(login.source.ip, &limits);
    let who = Answerer {
        user_id: login.user.id,
        user: &login.user.name,
        proof: Proof::Key,
        source: &network,
    };
    if let Some(locked) = store.locked(&who, &limits, person.now())? {
        return Err(is_locked(login, store, locked, person.now()));
    }
    let typed = person.ask(&Prompt {
        text: QUESTION.to_owned(),
        echo: false,
    })?;
    let typed = Typed::parse(typed.expose());
    let now = person.now();
    let source = &login.source.address;
    match store.answer_factor(&who, &limits, source, &typed, now)? {
        Answered::Passed(passed) => {
            remember(login, store, passed);
            Ok((passed.kind, passed.at))
        }
        Answered::Locked(locked) => Err(is_locked(login, store, locked, now)),
        Answered::Refused(FactorRefusal::Nothing) => {
            Err(End::Said(refuse(Refusal::WrongAnswer, "")))
        }
        Answered::Refused(refusal) => {
            // The answer that was one too many says so at once: nobody is asked again in vain.
            if let Some(locked) = store.locked(&who, &limits, now)? {
                return Err(is_locked(login, store, locked, now));
            }
            Err(End::Said(said(login, store, refusal.as_str(), now)))
        }
    }
}

/// The code is used up by now: a memory that cannot be kept must not cost the login.
fn remember(login: &Login<'_>, store: &mut Store, passed: Passed) {
    let (key, source) = (&login.key.fingerprint, &login.source.address);
    let time = login.settings.mfa.remember_milliseconds();
    if let Err(error) = store.remember_factor(&login.user, key, source, time, passed.at) {
        report::send(&report::store_problem(&error));
    }
}

fn said(login: &Login<'_>, store: &mut Store, reason: &str, now: Time) -> HelperMessage {
    let event = report::about(Type::LoginRefused, login.request, now)
        .result("deny")
        .key(login.key.fingerprint.as_str())
        .reason(reason);
    report::keep(store, &event);
    refuse(Refusal::WrongAnswer, WRONG)
}

fn is_locked(login: &Login<'_>, store: &mut Store, locked: Locked, now: Time) -> End {
    if said_before(login.request, store, "locked", now) {
        return End::Said(refuse(Refusal::Locked, ""));
    }
    let event = report::about(Type::LoginRefused, login.request, now)
        .result("deny")
        .key(login.key.fingerprint.as_str())
        .reason("locked")
        .with("until", locked.until.to_string());
    report::keep(store, &event);
    End::Said(refuse(Refusal::Locked, &format!("jms: {locked}")))
}
