//! The second factor, as far as it needs neither store nor clock: one-time passwords by time (RFC 6238), their secrets
//! and the text by which an authenticator app learns them, recovery codes, and what a person may type.
//!
//! Trusts nothing: what a person typed is hostile. Secrets and codes are types that cannot be printed and are wiped.
#![forbid(unsafe_code)]

mod enrolment;
mod recovery;
mod secret;
mod totp;
mod typed;

pub use enrolment::{Enrolment, ISSUER};
pub use recovery::{CODES, HashedCode, RecoveryCode, RecoveryError};
pub use secret::TotpSecret;
pub use totp::{Algorithm, Digits, PERIOD, Totp, WINDOW};
pub use typed::Typed;
