//! `jmsctl user mfa-reset`: a factor is taken away, and a code made without which no other is enrolled.
//!
//! A key alone must not do: who stole phone and laptop has it, too. The code goes from the administrator to the person
//! by a way of its own.
#![forbid(unsafe_code)]

use crate::cli::user::MfaReset;
use crate::context::Context;
use crate::failure::{Done, Failure};
use jms::factor::RecoveryCode;
use jms::time::Time;
use serde::Serialize;

/// What is printed: the one time that the code is seen.
#[derive(Serialize)]
struct Reset<'a> {
    user: &'a str,
    /// Whether there was a factor.
    had_factor: bool,
    /// `None`: nothing was kept.
    enrolment_code: Option<&'a str>,
    enrolment_code_until: Time,
}

/// Runs it.
pub fn run(verb: &MfaReset, context: &mut Context) -> Done {
    let (code, hash) =
        RecoveryCode::make_one().map_err(|error| Failure::Failed(error.to_string()))?;
    let until = context.now.plus(context.mfa.enrolment_code_milliseconds());
    let work = |change: &jms::store::Change<'_>| change.reset_factor(&verb.name, &hash, until);
    if !verb.change.dry_run {
        context.foresee(work)?;
        context.confirm(&format!(
            "Take the second factor of {} away?",
            crate::output::harmless(&verb.name)
        ))?;
    }
    let had_factor = context.change_quietly((&verb.change).into(), work)?;
    context.out.show(&Reset {
        user: &verb.name,
        had_factor,
        // What was not kept is not shown: somebody might hand it over.
        enrolment_code: Some(code.expose()).filter(|_| !verb.change.dry_run),
        enrolment_code_until: until,
    })
}
