//! `mfa enroll|renew|recovery|verify`: what a person does with his own factor, on a terminal.
#![forbid(unsafe_code)]

use super::conversation::{Conversation, Left, someone_sits_there};
use super::{Entered, enrolment, question, screen, trouble};
use crate::message::factor::Factor as Says;
use crate::message::say;
use crate::request::MfaWish;
use crate::start::Start;
use crate::status;
use jms::time::Time;

/// Does it; the exit status.
pub fn grant(start: &Start, entered: Entered, wish: MfaWish) -> i32 {
    let (mut store, _, identity) = entered;
    let policy = match store.read().factor_of(&identity.user) {
        Ok(policy) => policy,
        Err(error) => return trouble(&mut store, &identity.login, &error).0,
    };
    drop(store);
    match (wish, policy.is_enrolled()) {
        (MfaWish::Enroll, true) => {
            say(Says::AlreadyEnrolled);
            return status::REQUEST;
        }
        (MfaWish::Enroll, false) | (_, true) => {}
        (_, false) => {
            say(Says::NoneYet);
            return status::REQUEST;
        }
    }
    let conversation = Some(start).filter(|start| someone_sits_there(start));
    let Some(conversation) = conversation.and_then(Conversation::begin) else {
        say(Says::NeedsTerminal(wish.as_str()));
        return status::DENIED;
    };
    match with(&conversation, wish) {
        Ok(()) => status::DONE,
        Err(Left(status)) => status,
    }
}

fn with(conversation: &Conversation<'_>, wish: MfaWish) -> Result<(), Left> {
    match wish {
        MfaWish::Enroll => drop(enrolment::enrol(conversation, &Says::Anew)?),
        MfaWish::Verify => {
            drop(question::ask(conversation, &Says::CodePrompt)?);
            conversation.show(Says::Fresh);
        }
        MfaWish::Renew => {
            drop(question::ask(conversation, &Says::OldCodePrompt)?);
            drop(enrolment::enrol(conversation, &Says::Anew)?);
        }
        MfaWish::Recovery => {
            let (mut store, _, identity) = question::ask(conversation, &Says::OldCodePrompt)?;
            let (user, login) = (&identity.user, &identity.login);
            let codes = store
                .new_recovery_codes(user, &login.source, Time::now())
                .map_err(|error| trouble(&mut store, login, &error))?;
            drop(store);
            screen::hand_over(conversation, &codes)?;
        }
    }
    Ok(())
}
