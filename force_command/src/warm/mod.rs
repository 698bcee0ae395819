//! Connections to assets that stay for the next session of the same user as the same system user.
//!
//! Each has a keeper: a small process, detached from the login that began it, whose child is the client that holds the
//! connection. A session finds one by what makes a connection the one that it would make itself, holds a lease on it, and
//! has the client give it a channel; its decision, filters, recording and row are its own, as ever. Keeper and client know
//! of none of them.
//!
//! Trusts the folder `/run/jms/warm`, where only the service user gets in, and the store for what a connection is. The
//! client is trusted with nothing, as ever.

mod attach;
mod begin;
mod keeper;
mod leases;
mod replaced;
mod room;
mod standing;

pub use attach::{Found, attach};
pub use begin::{Begun, NotBegun, Plans, begin};

use jms::warm::Identity;

/// A kept connection that a session wants: as what, and how it is found.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// What makes it the one.
    pub identity: Identity,
    /// The user, whose client takes only him in.
    pub uid: u32,
}
