//! Behind another PAM module, which has asked for the password (LDAP, sssd): what is missing is the second factor.
//!
//! Whether that password was right, nobody tells a module: a stack may go on after a wrong one and fail at its end, so that
//! the code is asked for either way. So nothing is said here that a stranger should not hear. Why somebody who did
//! prove who he is may not log in, the account phase tells.

use jms::policy::lockout::{Network, Proof};
use jms::store::{Answered, Answerer, FactorKind, Store};
use jms::time::Time;

use super::password::{ask_code, wrong};
use super::{End, Login};
use crate::person::Person;

/// Asks for the code where one is demanded at login. The second factor, if one was passed.
pub(super) fn second(
    login: &Login<'_>,
    store: &mut Store,
    person: &mut dyn Person,
) -> Result<Option<(FactorKind, Time)>, End> {
    if login.wants_security_key() {
        return Err(wrong(login, store, "factor-missing", person.now()));
    }
    if !login.policy.sshd_asks() || login.policy.must_enrol() {
        return Ok(None);
    }
    let limits = login.settings.lockout.limits();
    let network = Network::of(login.source.ip, &limits);
    let who = Answerer {
        user_id: login.user.id,
        user: &login.user.name,
        proof: Proof::None,
        source: &network,
    };
    let typed = ask_code(person)?;
    let source = &login.source.address;
    match store.answer_factor(&who, &limits, source, &typed, person.now())? {
        Answered::Passed(passed) => Ok(Some((passed.kind, passed.at))),
        Answered::Locked(_) => Err(wrong(login, store, "locked", person.now())),
        Answered::Refused(refusal) => Err(wrong(login, store, refusal.as_str(), person.now())),
    }
}
