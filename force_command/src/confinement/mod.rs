//! What a process of a session can still do once it meets hostile bytes: the client program, and the relay itself; and
//! the keeper of a connection, which meets none.
//!
//! * [`domain`]: which files (Landlock).
//! * [`filter`]: which system calls (seccomp).
//! * [`listener`]: the one system call of the client that we answer instead of the kernel, `socket`. The client never
//!   makes a connection: what it may have is handed to it connected.
//!
//! Trusts the kernel. Both mechanisms need no privilege and cannot be undone; whatever a confined process executes
//! is confined, too.

pub mod client;
pub mod listener;
pub mod relay;

pub use jms::confinement::{domain, filter};

pub use client::{ClientConfinement, Needs};
pub use listener::Listener;
pub use relay::{shut_in, shut_in_keeper};
