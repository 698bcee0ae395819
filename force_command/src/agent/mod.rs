//! The ssh-agent of one session: it holds the stored key of the system user while the relay's one child `ssh` logs in
//! to the asset, and signs nothing but that login (DESIGN, “Trust” 7).
//!
//! Trusts the kernel about who asks, and the relay about the asset's name, login and host keys. The child is not
//! trusted: it speaks with a machine that may be hostile, so every request is taken apart here.
//!
//! The agent has no socket that anybody could connect to. The relay makes an [`Agent`] before it starts the child,
//! [hands over](Agent::hand_over) its one connection when the child asks for it, polls [`Agent::poll_fd`], calls
//! [`Agent::on_ready`], reads [`Agent::take_notices`], and calls [`Agent::finish`] as soon as the asset has accepted
//! the login.
#![forbid(unsafe_code)]

mod message;
mod protocol;
pub mod refusal;
mod socket;
mod userauth;

pub use protocol::{Binding, Notice, Protocol, Purpose};
pub use socket::Agent;

#[cfg(test)]
pub(crate) mod tests;
