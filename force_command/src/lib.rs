//! The session program: login shell and ForceCommand of every virtual user.
//!
//! Runs set-uid to the service user with the virtual user's real uid. Parses what is asked for,
//! decides, connects, relays and records. Everything that reaches it from outside (arguments,
//! environment, the client's bytes, the asset's bytes) is hostile.

mod administration;
pub mod agent;
pub mod commands;
pub mod confinement;
pub mod control;
pub mod egress;
mod entrance;
mod factor;
pub mod hooks;
mod identity;
pub mod menu;
pub mod message;
mod program;
pub mod relay;
mod report;
pub mod request;
mod session;
mod sftp_refusal;
pub mod start;
pub mod status;
pub mod sys;
mod target;
mod terminal;
mod text;
mod verbs;
mod warm;
mod watch;

pub use program::main;
pub use session::Record;
