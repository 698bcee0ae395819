//! Passwords of users: hashing, and which ones are taken. Pure but for the kernel's random numbers and the list of
//! leaked passwords, a file of the administrator's.
//!
//! Trusts the settings. A hash that comes out of the store is checked: its parameters decide how much memory and time
//! a login may take.
#![forbid(unsafe_code)]

mod hash;
mod initial;
mod leaked;
mod policy;

pub use hash::{Cost, HashError, PasswordHash};
pub use initial::initial;
pub use policy::{Objection, Policy};

/// Longest password, in bytes: what PAM passes on (PAM_MAX_RESP_SIZE, with its end).
pub const LONGEST: usize = 511;
