//! Second factors in the store: secrets (sealed), used steps, recovery codes, what is remembered.
//!
//! Whatever makes an answer right (a used step, a used recovery code) is kept in the transaction that says so, before
//! anybody is told: a store that cannot be written is a refusal.

mod answer;
mod enrol;
mod memory;
mod read;
mod standing;
#[cfg(test)]
mod tests;

pub use answer::{Answered, FactorRefusal, Passed};
pub use enrol::Confirmed;
pub use standing::{Before, EnrolmentCode};

use super::error::StoreError;
use crate::nouns::words;
use crate::paths::Paths;
use crate::secret::{Context, MasterKey};
use crate::time::Time;
use event::{Event, Type};

words! {
    /// With what a second factor was passed.
    FactorKind {
        /// A one-time password by time.
        Totp = "totp",
        /// A recovery code.
        Recovery = "recovery",
        /// A security key that verified its person.
        SecurityKey = "security-key",
        /// The code that an administrator handed over after a reset: for enrolling, and nothing else.
        Enrolment = "enrolment-code",
        /// One of these, a short while ago, with the same key from the same address.
        Remembered = "remembered",
    }
}

/// Where a user's TOTP secret is sealed for.
fn place(user_id: i64) -> Context {
    Context::new("totp", "secret", user_id)
}

fn master_key(paths: &Paths) -> Result<MasterKey, StoreError> {
    MasterKey::load(&paths.secret_key()).map_err(secret)
}

fn secret(error: impl std::fmt::Display) -> StoreError {
    StoreError::Secret {
        sentence: error.to_string(),
    }
}

/// An event about a user's second factor.
fn about(kind: Type, user: &str, now: Time) -> Event {
    Event::new(kind).at(now.timestamp()).user(user)
}
