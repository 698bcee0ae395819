//! What runs in a session. In a terminal: the engine of `capture` between the person and the asset. Each line is shown to the filters before
//! the asset gets it, and kept.
//!
//! The engine reads what both sides say, and both are hostile. So it is fenced in: the recording never depends on it, and if
//! it breaks, a session with rules ends, while one without goes on recorded and unwatched, which is an event.
//!
//! On a standard input that is a script: its lines, judged before they are sent ([`Gated`]).
//!
//! No store here: what is to be kept waits on the [`Board`] until the session's supervisor writes it down.
#![forbid(unsafe_code)]

mod board;
mod engine;
mod hooked;
mod judged;
mod pace;
mod room;
mod rules;
mod script;
mod tap;

pub use board::{Board, Line, Note};
pub use judged::Judged;
pub use rules::Rules;
pub use script::Gated;
pub use tap::{Limits, Watched};
