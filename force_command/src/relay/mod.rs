//! The relay: one process, one thread, `poll`, nothing that ticks.
//!
//! Passes bytes between the client (descriptors 0 to 2) and the client program of the connection
//! to the asset, shows them to the taps on the way, and ends when either side does, when a tap
//! fails, or when it is told to. Both sides are hostile; it interprets neither's bytes.

pub mod buffer;
pub mod client;
mod run;
mod streams;
pub mod supervisor;
pub mod tap;

#[cfg(test)]
mod tests;

pub use client::{Client, Descriptors};
pub use run::{End, Outcome, Signals, run};
pub use supervisor::{Alone, Stop, Supervisor};
pub use tap::{Chain, Nothing, Stream, Tap, TapFailure};
