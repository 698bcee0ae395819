//! The password as first factor: for who has shown no key, where the settings allow it.
//!
//! Strangers get here, so nothing tells them anything. What is asked depends on the user and never on the answers; a wrong
//! password, none at all, a lock and a disabled account take the same memory and time, and a refusal has no words. The
//! reason of a refusal is for who gave the right password, and a right code where one is demanded.

use std::time::{Duration, Instant};

use event::Type;
use jms::factor::Typed;
use jms::nouns::Mfa;
use jms::password::{HashError, PasswordHash};
use jms::policy::lockout::{Limits, Network, Proof};
use jms::secret::SecretString;
use jms::store::{
    Answered, Answerer, FactorKind, PasswordAnswer, Store, StoreError, StoredPassword,
};
use jms::time::Time;
use pam_jms_protocol::{Prompt, Refusal, Response};

use super::factor::QUESTION;
use super::{End, Login};
use crate::answer::{Facts, decide, refuse, refused};
use crate::person::Person;
use crate::report;

/// In milliseconds.
const MINUTE: i64 = 60_000;
/// So often a new password is asked for.
const TRIES: usize = 3;
/// What the question for a new password begins with.
const MUST_CHANGE: &str = "Your password must be changed";
/// Strangers are answered at full multiples of this, whatever it took.
const STEP: Duration = Duration::from_millis(500);

/// What became of the password.
enum Checked {
    Right(Box<StoredPassword>),
    /// It was not right, or must not be; why, for the log.
    Not(&'static str),
}

/// Asks for the password, for the code where one is demanded at login, and for a new password where one is due. The
/// second factor, if one was passed.
pub(super) fn log_in(
    login: &Login<'_>,
    store: &mut Store,
    person: &mut dyn Person,
) -> Result<Option<(FactorKind, Time)>, End> {
    let limits = login.settings.lockout.limits();
    let network = Network::of(login.source.ip, &limits);
    let who = Answerer {
        user_id: login.user.id,
        user: &login.user.name,
        proof: Proof::None,
        source: &network,
    };
    let asks_code = login.policy.sshd_asks();
    let mut checked = ask_password(login, &who, &limits, asks_code, store, person)?;
    let must_enrol = matches!(checked, Checked::Right(_)) && login.policy.must_enrol();
    let mut factor = None;
    if asks_code && !must_enrol {
        let typed = ask_code(person)?;
        let begun = Instant::now();
        if matches!(checked, Checked::Right(_)) {
            let source = &login.source.address;
            match store.answer_factor(&who, &limits, source, &typed, person.now())? {
                Answered::Passed(passed) => factor = Some((passed.kind, passed.at)),
                Answered::Locked(_) => checked = Checked::Not("locked"),
                Answered::Refused(refusal) => checked = Checked::Not(refusal.as_str()),
            }
        }
        if matches!(checked, Checked::Not(_)) {
            wait(begun);
        }
    }
    let stored = match checked {
        Checked::Right(stored) => stored,
        Checked::Not(reason) => return Err(wrong(login, store, reason, person.now())),
    };
    may_log_in(login, store, person.now())?;
    if stored.has_lapsed(login.settings.password.initial(), person.now()) {
        return Err(lapsed(login, store, person.now()));
    }
    let lifetime = login.settings.password.lifetime();
    if stored.must_be_changed(lifetime, person.now()) {
        choose(login, &stored, store, person)?;
    }
    Ok(factor)
}

fn ask_password(
    login: &Login<'_>,
    who: &Answerer<'_>,
    limits: &Limits,
    asks_code: bool,
    store: &mut Store,
    person: &mut dyn Person,
) -> Result<Checked, End> {
    let typed = ask(person, "Password: ")?;
    let begun = Instant::now();
    let Some(typed) = text(&typed) else {
        // Nothing that could be a password was typed, which is no answer that counts.
        return Ok(Checked::Not("no-answer"));
    };
    let cost = login.settings.password.cost();
    // Where a code is asked for later, here or in the session, a right password alone forgets no wrong codes.
    let is_last = login.policy.demanded == Mfa::Off;
    let answer = store.answer_password(who, limits, cost, &typed, is_last, person.now())?;
    let checked = match answer {
        PasswordAnswer::Right(_) if login.wants_security_key() => Checked::Not("factor-missing"),
        PasswordAnswer::Right(stored) => Checked::Right(Box::new(stored)),
        PasswordAnswer::Wrong => Checked::Not("password-wrong"),
        PasswordAnswer::Locked(_) => Checked::Not("locked"),
    };
    // A right password is not told by a quicker question for the code either.
    if asks_code || matches!(checked, Checked::Not(_)) {
        wait(begun);
    }
    Ok(checked)
}

/// Why he may not log in is told to who has proved by now who he is.
fn may_log_in(login: &Login<'_>, store: &mut Store, now: Time) -> Result<(), End> {
    let limits = login.settings.login.limits();
    let facts = Facts::of(Some(&login.user), login.request, store.read(), limits, now)?;
    let decision = decide(&facts, None, now);
    if decision.allow {
        return Ok(());
    }
    let no = refused(login.request, store, &decision, &facts.rules, None, now);
    Err(End::Said(no))
}

/// The one that an administrator gave was not used in time; who typed it right is told so.
fn lapsed(login: &Login<'_>, store: &mut Store, now: Time) -> End {
    let event = report::about(Type::LoginRefused, login.request, now)
        .result("deny")
        .reason("initial-password-lapsed");
    report::keep(store, &event);
    End::Said(refuse(
        Refusal::Expired,
        "jms: the password that you were given is good no more; ask your administrator for another one",
    ))
}

/// Has a new password chosen, or ends the login.
fn choose(
    login: &Login<'_>,
    before: &StoredPassword,
    store: &mut Store,
    person: &mut dyn Person,
) -> Result<(), End> {
    let settings = &login.settings.password;
    let policy = settings.policy();
    let (user, source) = (&login.user, &login.source.address);
    let mut why = MUST_CHANGE.to_owned();
    for _ in 0..TRIES {
        let new = ask(person, &format!("{why}. New password: "))?;
        let Some(new) = text(&new) else {
            why = "Nothing was typed".to_owned();
            continue;
        };
        let hashes = store.read().passwords_before(user.id)?;
        let objection = match policy.object(&user.name, &new) {
            Ok(()) if before.hash.is_of(&new).map_err(hashing)? => {
                Err(jms::password::Objection::Used)
            }
            Ok(()) => policy.object_to_reuse(&hashes, &new).map_err(hashing)?,
            Err(objection) => Err(objection),
        };
        if let Err(objection) = objection {
            why = capital(&objection.to_string());
            continue;
        }
        let again = ask(person, "The same again: ")?;
        if again.expose() != new.expose().as_bytes() {
            why = "The two are not the same".to_owned();
            continue;
        }
        let hash = PasswordHash::of(&new, settings.cost()).map_err(hashing)?;
        let now = person.now();
        return match store.choose_password(user, before, &hash, settings.history, source, now) {
            Ok(()) => Ok(()),
            Err(StoreError::Refused { sentence }) => Err(End::Said(refuse(
                Refusal::WrongAnswer,
                &format!("jms: {sentence}"),
            ))),
            Err(error) => Err(error.into()),
        };
    }
    let event = report::about(Type::LoginRefused, login.request, person.now())
        .result("deny")
        .reason("password-not-changed");
    report::keep(store, &event);
    Err(End::Said(refuse(
        Refusal::FactorMissing,
        "jms: the password was not changed; log in again to choose another one",
    )))
}

/// A no that a stranger learns nothing from; he may try again.
pub(super) fn wrong(login: &Login<'_>, store: &mut Store, reason: &str, now: Time) -> End {
    let event = report::about(Type::LoginRefused, login.request, now)
        .result("deny")
        .reason(reason);
    // Strangers may try while somebody is locked as often as they like: syslog has each of them, the store one a minute.
    let since = now.plus(-MINUTE);
    let told = reason == "locked"
        && store
            .read()
            .was_told(Type::LoginRefused, &login.user.name, reason, since)
            .unwrap_or(false);
    match told {
        true => report::send(&event),
        false => report::keep(store, &event),
    }
    End::Said(refuse(Refusal::WrongAnswer, ""))
}

/// Asks for the code of an authenticator app.
pub(super) fn ask_code(person: &mut dyn Person) -> Result<Typed, End> {
    Ok(Typed::parse(ask(person, QUESTION)?.expose()))
}

fn ask(person: &mut dyn Person, text: &str) -> Result<Response, End> {
    Ok(person.ask(&Prompt {
        text: text.to_owned(),
        echo: false,
    })?)
}

/// What was typed, if it is text at all.
fn text(typed: &Response) -> Option<SecretString> {
    let text = std::str::from_utf8(typed.expose()).ok()?;
    (!text.is_empty()).then(|| SecretString::from(text.to_owned()))
}

fn capital(sentence: &str) -> String {
    let mut rest = sentence.chars();
    rest.next()
        .map(|first| first.to_uppercase().chain(rest).collect())
        .unwrap_or_default()
}

fn hashing(error: HashError) -> End {
    End::Store(StoreError::Secret {
        sentence: error.to_string(),
    })
}

/// Until the next full step since `begun`.
fn wait(begun: Instant) {
    let step = STEP.as_millis();
    let past = begun.elapsed().as_millis().checked_rem(step).unwrap_or(0);
    let left = step.saturating_sub(past);
    std::thread::sleep(Duration::from_millis(u64::try_from(left).unwrap_or(0)));
}
