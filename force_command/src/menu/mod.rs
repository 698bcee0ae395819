//! The menu: what a person meets who comes on a terminal and names no target.
//!
//! It decides nothing. What is typed becomes the same request that `ssh` could have carried, and a
//! session is opened in a child of its own exactly as if it had: identified, decided, recorded and
//! relayed anew. Between requests the menu keeps no store open, no key and no secret; lines are read
//! by another child, which has given up the service user.
//!
//! What it shows was written by administrators and users, and is made harmless first.

mod ask;
pub mod catalogue;
mod choice;
mod editor;
pub mod greeting;
pub mod page;
mod process;
mod run;
mod session;
mod typed;

pub use choice::{choices, settle};
pub use run::run;
pub use typed::{Typed, parse};
