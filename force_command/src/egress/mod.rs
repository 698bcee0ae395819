//! The way to an asset: the system's `ssh`, told everything explicitly and confined. Behind gateways there is one
//! client for each machine on the way, and each one's connection leads through the one before.
//!
//! Trusts the store for where to go and by which keys the asset is known. Trusts the client
//! program with nothing: it runs as the virtual user, alone in its session, and never sees a key.

pub mod arguments;
pub mod ask;
pub mod channel;
pub mod child;
pub mod connector;
pub mod failure;
pub mod folder;
mod fuse;
pub mod handover;
pub mod lease;
mod method;
pub mod mux;

pub use arguments::{Destination, Errand};
pub use channel::Channel;
pub use child::{Child, ChildError, Exit};
pub use connector::Connector;
pub use failure::Failure;
pub use folder::Folder;
pub use handover::Handover;
pub use lease::Lease;
pub use method::Method;

/// The client program.
pub const PROGRAM: &std::ffi::CStr = c"/usr/bin/ssh";
