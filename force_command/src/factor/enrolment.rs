//! Enrolling the first factor, and replacing it: who may, and in which order.
//!
//! Whoever has none yet enrols with the proof of his key; after a reset, with the code that his administrator handed
//! over as well; whoever has one, with it.
#![forbid(unsafe_code)]

use super::conversation::{Conversation, Left};
use super::{Entered, question, screen, trouble};
use crate::entrance::enter;
use crate::message::factor::Factor as Says;
use crate::message::say;
use crate::status;
use jms::factor::{Algorithm, Digits, Enrolment, RecoveryCode, Typed};
use jms::settings::Settings;
use jms::store::{Before, Confirmed, FactorKind};
use jms::time::Time;

/// From an empty screen to a factor and its recovery codes. The store is to be closed before.
///
/// # Errors
/// [`Left`].
pub fn enrol(conversation: &Conversation<'_>, heading: &Says<'_>) -> Result<Entered, Left> {
    let (mut store, settings, identity) = enter(conversation.start()).map_err(Left)?;
    let (user, login) = (&identity.user, &identity.login);
    let before = store
        .read()
        .before_enrolment(user)
        .map_err(|error| trouble(&mut store, login, &error))?;
    drop(store);
    match before.code {
        // Who has the old factor needs no code for a new one.
        None => {}
        Some(_) if before.totp_since.is_some() => {}
        Some(code) if code.until <= Time::now() => {
            say(Says::ResetExpired);
            return Err(Left(status::DENIED));
        }
        Some(_) => question::ask_enrolment_code(conversation)?,
    }
    let enrolment = Enrolment::begin(Algorithm::Sha1, Digits::Six).map_err(|_| {
        let system = crate::message::Trouble::System;
        Left(crate::entrance::out_of_order(system))
    })?;
    let bastion = bastion(&settings);
    let names = (user.name.as_str(), bastion.as_str());
    let codes = screen::prove(conversation, heading, names, &enrolment, &mut |typed| {
        confirm(conversation, &enrolment, typed, before)
    })?;
    conversation.show(Says::Enrolled);
    screen::hand_over(conversation, &codes)?;
    conversation.show(Says::Wiped);
    enter(conversation.start()).map_err(Left)
}

/// Keeps the secret if `typed` proves it, and nobody else has enrolled since `before`.
fn confirm(
    conversation: &Conversation<'_>,
    enrolment: &Enrolment,
    typed: &Typed,
    before: Before,
) -> Result<Option<Vec<RecoveryCode>>, Left> {
    let (mut store, settings, identity) = enter(conversation.start()).map_err(Left)?;
    let (user, login) = (&identity.user, &identity.login);
    let now = Time::now();
    let confirmed = store
        .confirm_enrolment(user, &login.source, enrolment, typed, before, now)
        .map_err(|error| trouble(&mut store, login, &error))?;
    match confirmed {
        Confirmed::Wrong => Ok(None),
        Confirmed::Overtaken => {
            say(Says::Overtaken);
            Err(Left(status::DENIED))
        }
        Confirmed::Done(codes) => {
            question::keep(&mut store, &settings, (user, login), FactorKind::Totp, now)?;
            Ok(Some(codes))
        }
    }
}

/// How people call the bastion: what the settings say, else its name.
fn bastion(settings: &Settings) -> String {
    if !settings.bastion.address.is_empty() {
        return settings.bastion.address.clone();
    }
    let name = nix::unistd::gethostname().ok();
    let name = name.and_then(|name| name.into_string().ok());
    name.unwrap_or_default()
}
