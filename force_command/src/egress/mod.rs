//! The way to an asset: the system's `ssh`, told everything explicitly and confined.
//!
//! Trusts the store for where to go and by which keys the asset is known. Trusts the client
//! program with nothing: it runs as the virtual user, alone in its session, and never sees a key.

pub mod arguments;
pub mod child;
pub mod failure;
pub mod folder;

pub use arguments::Destination;
pub use child::{Child, ChildError, Exit};
pub use failure::Failure;
pub use folder::Folder;

/// The client program.
pub const PROGRAM: &std::ffi::CStr = c"/usr/bin/ssh";
