//! Shell hooks: the asset's own shell announces each command before it runs, and waits for the answer.
//!
//! Nothing is installed there. [`start`] is the command that the asset is asked to run instead of a login shell: it starts the
//! account's own shell (bash, zsh or fish) as a login shell, which reads its own start-up files and then our hooks. These ask
//! for the session's token over the terminal, once, and say with it what is about to run ([`marker`]); we type the answer.
//!
//! What comes from the asset is hostile here as everywhere: a marker without the token is output like any other.
#![forbid(unsafe_code)]

pub mod marker;
mod mask;
pub mod start;

pub use marker::{Marker, Sieve};
