//! A grant that demands a fresh factor: asked for where a person can be asked.
//!
//! Nothing is decided here. The look ahead only says whether to ask; the session is decided when it is opened.
#![forbid(unsafe_code)]

use super::conversation::{Conversation, someone_sits_there};
use super::{Entered, question, trouble};
use crate::message::factor::Factor as Says;
use crate::request::Connect;
use crate::start::Start;
use crate::target;
use jms::policy::access::Reason;
use jms::store::FactorKind;
use jms::time::Time;

/// A session to the one target that is meant; the exit status.
pub fn connect(start: &Start, entered: Entered, connect: &Connect) -> i32 {
    match fresh(start, entered, connect) {
        Ok((mut store, settings, identity)) => {
            crate::session::connect(&mut store, &settings, start, &identity, connect)
        }
        Err(status) => status,
    }
}

/// Asks for the factor anew if the session that is about to be opened needs that and a person can be asked.
///
/// # Errors
/// The exit status, after a sentence.
fn fresh(start: &Start, entered: Entered, connect: &Connect) -> Result<Entered, i32> {
    let Some(name) = needs_it(&entered, connect) else {
        return Ok(entered);
    };
    let entered = match remembered(entered) {
        Ok(entered) if needs_it(&entered, connect).is_none() => return Ok(entered),
        Ok(entered) => entered,
        Err(status) => return Err(status),
    };
    if !connect.terminal || connect.channel.is_transfer() || !someone_sits_there(start) {
        return Ok(entered);
    }
    drop(entered);
    let Some(conversation) = Conversation::begin(start) else {
        return crate::entrance::enter(start);
    };
    question::ask(&conversation, &Says::FreshPrompt(&name)).map_err(|left| left.0)
}

/// What was passed with the same key from the same address after this login had its own counts for this login, too.
fn remembered((mut store, settings, identity): Entered) -> Result<Entered, i32> {
    let (user, login, now) = (&identity.user, &identity.login, Time::now());
    let remember = settings.mfa.remember_milliseconds();
    let read = store.read();
    let at = read.remembered(user, &login.key, &login.source, remember, now);
    let taken = match at {
        Ok(Some(at)) if login.factor_at < Some(at) => store
            .used_memory(user, &login.key, &login.source, at, now)
            .and_then(|()| store.login_passed_factor(&login.id, FactorKind::Remembered, at))
            .map(|()| Some(at)),
        Ok(_) => Ok(None),
        Err(error) => Err(error),
    };
    match taken {
        Ok(None) => Ok((store, settings, identity)),
        Ok(Some(at)) => {
            let mut identity = identity;
            identity.login.factor_at = Some(at);
            Ok((store, settings, identity))
        }
        Err(error) => Err(trouble(&mut store, login, &error).0),
    }
}

/// The target that would be refused for want of a fresh factor, and for nothing else.
fn needs_it((store, _, identity): &Entered, connect: &Connect) -> Option<String> {
    let now = Time::now();
    let (user, login) = (&identity.user, &identity.login);
    if !store.read().factor_of(user).ok()?.is_enrolled() {
        return None;
    }
    let granted = store.read().targets(user, now).ok()?;
    let target = target::resolve(&connect.wording, &granted).ok()?;
    let pair = (target.asset_id, target.system_user_id);
    let decision = store
        .would_open(user, login, pair, connect.channel, now)
        .ok()?;
    (decision.reason == Reason::FactorNeeded).then(|| target::name(target))
}
