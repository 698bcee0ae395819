//! Command capture: what ran in a terminal, read from the two byte streams of its session.
//!
//! Pure: no I/O, no clock; time is an argument. The owner feeds what the user typed and what the asset printed, and carries
//! out the [`Action`]s that come back, in their order.
#![forbid(unsafe_code)]

mod accept;
mod action;
mod capture;
mod echo;
mod history;
mod hold;
mod keys;
mod line;
mod prompt;
mod reading;
mod screen;
mod typed;

pub use action::{
    Action, Certainty, Command, EndReason, JudgementId, Outcome, Settings, Size, Verdict,
};
pub use capture::Capture;
