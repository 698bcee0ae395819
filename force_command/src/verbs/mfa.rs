//! `mfa status`: which second factor is demanded of the user, why, where, and what he has.
#![forbid(unsafe_code)]

use super::whoami::facts;
use super::{Desk, NoAnswer};
use crate::text::json_line;
use jms::time::Time;
use serde_json::json;

/// A line for each fact.
///
/// # Errors
/// [`NoAnswer`] when the store cannot be asked.
pub fn text(desk: &Desk<'_>, json: bool) -> Result<String, NoAnswer> {
    let (user, login) = (&desk.identity.user, &desk.identity.login);
    let (read, now) = (desk.store.read(), Time::now());
    let policy = read.factor_of(user)?;
    let remember = desk.settings.mfa.remember_milliseconds();
    let passed = read.remembered(user, &login.key, &login.source, remember, now)?;
    let code = read.before_enrolment(user)?.code;
    let object = json!({
        "user": user.name,
        "demanded": policy.demanded,
        "because_of": policy.because_of,
        "asked": policy.asked,
        "enrolled_at": policy.totp_since,
        "recovery_codes": policy.recovery_codes,
        "enrolment_code_until": code.map(|code| code.until),
        "passed_at": login.factor_at,
        "remembered_since": passed,
    });
    Ok(match json {
        true => json_line(&object),
        false => format!("{}\n{}", policy.in_words(), facts(&object)),
    })
}
