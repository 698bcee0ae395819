//! Asks for the factor that a person has, and judges what is typed.
#![forbid(unsafe_code)]

use super::conversation::{Conversation, Left};
use super::{Entered, trouble};
use crate::entrance::enter;
use crate::identity::Identity;
use crate::message::factor::Factor as Says;
use crate::message::{Message, say};
use crate::status;
use jms::factor::Typed;
use jms::nouns::Login;
use jms::policy::lockout::{Network, Proof};
use jms::settings::Settings;
use jms::store::{Answered, Answerer, FactorKind, FactorRefusal, Passed, Store};
use jms::time::Time;

/// How often one may be wrong before the connection must be made anew.
const TRIES: u32 = 3;

/// Which code is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// Of the factor.
    Factor,
    /// The one that a reset has made.
    EnrolmentCode,
}

/// Asks until the answer is right, at most three times. The login has the factor then, and it is remembered.
///
/// The store is to be closed before.
///
/// # Errors
/// [`Left`].
pub fn ask(conversation: &Conversation<'_>, prompt: &Says<'_>) -> Result<Entered, Left> {
    let (mut store, settings, identity, passed) = answer(conversation, prompt, Wanted::Factor)?;
    let (user, login) = (&identity.user, &identity.login);
    keep(&mut store, &settings, (user, login), passed.kind, passed.at)?;
    drop(store);
    enter(conversation.start()).map_err(Left)
}

/// The same for the enrolment code; the login has passed nothing by it.
///
/// # Errors
/// [`Left`].
pub fn ask_enrolment_code(conversation: &Conversation<'_>) -> Result<(), Left> {
    conversation.show(Says::AfterReset);
    answer(
        conversation,
        &Says::EnrolmentCodePrompt,
        Wanted::EnrolmentCode,
    )
    .map(drop)
}

fn answer(
    conversation: &Conversation<'_>,
    prompt: &Says<'_>,
    wanted: Wanted,
) -> Result<(Store, Settings, Identity, Passed), Left> {
    for _ in 0..TRIES {
        let line = conversation.ask(prompt)?;
        let typed = Typed::parse(line.expose().as_bytes());
        drop(line);
        let (mut store, settings, identity) = enter(conversation.start()).map_err(Left)?;
        match judge(&mut store, &settings, &identity, wanted, &typed)? {
            Answered::Passed(passed) => return Ok((store, settings, identity, passed)),
            Answered::Locked(locked) => {
                say(Message::Locked(locked.to_string()));
                return Err(Left(status::DENIED));
            }
            Answered::Refused(FactorRefusal::NotEnrolled) => {
                say(Says::Overtaken);
                return Err(Left(status::DENIED));
            }
            Answered::Refused(_) => say(Says::Wrong),
        }
    }
    say(Says::TooOften);
    Err(Left(status::DENIED))
}

/// Through the door that counts wrong answers.
fn judge(
    store: &mut Store,
    settings: &Settings,
    identity: &Identity,
    wanted: Wanted,
    typed: &Typed,
) -> Result<Answered, Left> {
    let (user, login) = (&identity.user, &identity.login);
    let limits = settings.lockout.limits();
    let network = Network::of(login.source_address(), &limits);
    let who = Answerer {
        user_id: user.id,
        user: &user.name,
        proof: match login.key.is_empty() {
            true => Proof::None,
            false => Proof::Key,
        },
        source: &network,
    };
    let (source, now) = (&login.source, Time::now());
    let answered = match wanted {
        Wanted::Factor => store.answer_factor(&who, &limits, source, typed, now),
        Wanted::EnrolmentCode => store.answer_enrolment_code(&who, &limits, source, typed, now),
    };
    answered.map_err(|error| trouble(store, login, &error))
}

/// Writes down that this login has passed a factor, and remembers it.
///
/// # Errors
/// [`Left`]: then it does not count.
pub fn keep(
    store: &mut Store,
    settings: &Settings,
    (user, login): (&jms::nouns::User, &Login),
    kind: FactorKind,
    at: Time,
) -> Result<(), Left> {
    let remember = settings.mfa.remember_milliseconds();
    match store.passed_in_session(user, login, kind, remember, at) {
        Ok(true) => Ok(()),
        Ok(false) => {
            say(Says::Overtaken);
            Err(Left(status::DENIED))
        }
        Err(error) => Err(trouble(store, login, &error)),
    }
}
