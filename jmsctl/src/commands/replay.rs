//! `jmsctl session replay`.
#![forbid(unsafe_code)]

use crate::cli::evidence::Replay;
use crate::context::Context;
use crate::failure::{Done, Failure};

/// Plays a recording.
pub fn run(_verb: &Replay, _context: &mut Context) -> Done {
    Err(Failure::NotInThisVersion("session replay".to_owned()))
}
