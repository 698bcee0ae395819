//! What is measured, one room for each subject.

mod code;
mod idle;
mod keystroke;
mod logins;
mod names;
mod streams;

use anyhow::Result;

use crate::report::Measured;
use crate::workbench::Workbench;

/// A row, by its name on the command line.
pub type Row = (&'static str, fn(&Workbench) -> Result<Vec<Measured>>);

/// All of them, in the table's order.
pub const ALL: [Row; 9] = [
    ("names", names::look_up),
    ("login", logins::login),
    ("code", code::login),
    ("logins-many", logins::many),
    ("hop", logins::hop),
    ("terminal", streams::terminal),
    ("streams", streams::without_terminal),
    ("keystroke", keystroke::echo),
    ("idle", idle::sessions),
];
