//! The session program: login shell and ForceCommand of every virtual user.
//!
//! Runs set-uid to the service user with the virtual user's real uid. Parses what is asked for,
//! decides, connects, relays and records. Everything that reaches it from outside (arguments,
//! environment, the client's bytes, the asset's bytes) is hostile.

pub mod egress;
pub mod relay;
pub mod request;
pub mod start;
pub mod sys;
