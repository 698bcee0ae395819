//! Who is there: the real uid says which user, the login row says through which login.
//!
//! Trusts the kernel (uid, process ancestry) and the store. The environment's token only names a
//! row; the row counts if it is open, of this uid, and its sshd is our ancestor (DESIGN, Trust 2).

use crate::start::Start;
use jms::caller;
pub use jms::caller::{Stranger, sshd_of};
use jms::nouns::{Login, User};
use jms::store::Store;
use jms::time::Time;

/// Who is there.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The user of the real uid.
    pub user: User,
    /// The login that this session belongs to.
    pub login: Login,
    /// What follows the user in the login name: the target.
    pub tail: Option<String>,
}

/// Finds out who is there.
///
/// # Errors
/// [`Stranger`]: nothing is opened for him.
pub fn identify(store: &Store, start: &Start, now: Time) -> Result<Identity, Stranger> {
    let token = start.environment.token.as_ref();
    let (user, login) = caller::identify(store.read(), start.uid, token, now)?;
    let (name, tail) = start
        .environment
        .user_and_tail()
        .ok_or(Stranger::OtherName)?;
    if name != user.name {
        return Err(Stranger::OtherName);
    }
    let tail = tail.map(str::to_owned);
    Ok(Identity { user, login, tail })
}

#[cfg(test)]
#[path = "identity_tests.rs"]
mod tests;
