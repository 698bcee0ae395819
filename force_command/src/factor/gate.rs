//! Before anything else: has this login passed the factor that is demanded of its user?
#![forbid(unsafe_code)]

use super::conversation::Conversation;
use super::{Entered, enrolment, question, trouble};
use crate::message::factor::Factor as Says;
use crate::report;
use crate::start::Start;
use crate::status;
use event::{Severity, Type};
use jms::policy::FactorStanding;
use jms::store::FactorKind;
use jms::time::Time;

/// What is about to be done.
pub struct Gate<'a> {
    /// A person can be asked: there is a terminal, and no program speaks over it.
    pub may_ask: bool,
    /// It asks for the factor itself, or reaches nothing: a factor that is not passed yet does not stop it.
    pub asks_itself: bool,
    /// It is done once a factor was enrolled or passed.
    pub only_enrols: bool,
    /// How a refusal is told.
    pub tell: &'a dyn Fn(Says<'_>),
}

/// Lets a login through that has passed its factor; asks for it, or lets enrol one, on a terminal; refuses elsewhere.
///
/// # Errors
/// The exit status, after a sentence and an event; [`status::DONE`] where there is nothing left to do.
pub fn pass(start: &Start, entered: Entered, gate: &Gate<'_>) -> Result<Entered, i32> {
    let (mut store, settings, identity) = entered;
    let (user, login) = (&identity.user, &identity.login);
    let now = Time::now();
    let remember = settings.mfa.remember_milliseconds();
    let standing = store.read().factor_standing(user, login, remember, now);
    let standing = match standing {
        Ok(standing) => standing,
        Err(error) => return Err(trouble(&mut store, login, &error).0),
    };
    let (says, reason) = match standing {
        FactorStanding::Passed => return Ok((store, settings, identity)),
        FactorStanding::Remembered(at) => {
            let kept = store
                .used_memory(user, &login.key, &login.source, at, now)
                .and_then(|()| store.login_passed_factor(&login.id, FactorKind::Remembered, at));
            if let Err(error) = kept {
                return Err(trouble(&mut store, login, &error).0);
            }
            drop(store);
            return crate::entrance::enter(start);
        }
        FactorStanding::Asked if gate.asks_itself => return Ok((store, settings, identity)),
        FactorStanding::Asked if gate.may_ask => {
            drop(store);
            let Some(conversation) = Conversation::begin(start) else {
                return Err(crate::entrance::out_of_order(
                    crate::message::Trouble::System,
                ));
            };
            return question::ask(&conversation, &Says::CodePrompt).map_err(|left| left.0);
        }
        FactorStanding::Asked => (Says::AskElsewhere, "factor-asked-without-terminal"),
        FactorStanding::ToEnrol if gate.may_ask => {
            drop(store);
            let Some(conversation) = Conversation::begin(start) else {
                return Err(crate::entrance::out_of_order(
                    crate::message::Trouble::System,
                ));
            };
            let enrolled = enrolment::enrol(&conversation, &Says::FirstTime);
            return match (enrolled, gate.only_enrols) {
                (Ok(_), true) => Err(status::DONE),
                (Ok(entered), false) => Ok(entered),
                (Err(left), _) => Err(left.0),
            };
        }
        FactorStanding::ToEnrol => (Says::EnrolElsewhere, "factor-not-enrolled"),
        FactorStanding::LaterEnrolled => (Says::LoginAgain, "factor-enrolled-later"),
        FactorStanding::Missing => (Says::Missing, "factor-missing"),
    };
    let event = match standing {
        FactorStanding::Missing => report::about(Type::Alert, login).severity(Severity::Critical),
        _ => report::about(Type::SessionRefused, login),
    };
    report::emit(&mut store, &event.result("deny").reason(reason));
    (gate.tell)(says);
    Err(status::DENIED)
}

/// Whether a login that was let through long ago still stands: its factor may have been reset meanwhile, or another be demanded.
///
/// # Errors
/// The exit status, after a sentence and an event.
pub fn still_passed(entered: Entered) -> Result<Entered, i32> {
    let (mut store, settings, identity) = entered;
    let (user, login) = (&identity.user, &identity.login);
    match store.read().factor_standing(user, login, 0, Time::now()) {
        Ok(FactorStanding::Passed) => Ok((store, settings, identity)),
        Ok(_) => {
            let event = report::about(Type::SessionRefused, login).result("deny");
            report::emit(&mut store, &event.reason("factor-changed"));
            crate::message::say(Says::LoginAgain);
            Err(status::DENIED)
        }
        Err(error) => Err(trouble(&mut store, login, &error).0),
    }
}
