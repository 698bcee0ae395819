//! What is measured, one room for each subject.

mod ansible;
mod code;
mod files;
mod hop;
mod idle;
mod keys;
mod keystroke;
mod logins;
mod names;
mod recording;
mod scale;
mod terminal;

use anyhow::Result;

use crate::report::Measured;
use crate::workbench::{Needs, Workbench};

/// A row.
#[derive(Debug)]
pub struct Row {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it measures, for the list of rows.
    pub about: &'static str,
    /// The hosts that it is played on.
    pub needs: Needs,
    /// Plays it.
    pub play: fn(&Workbench) -> Result<Vec<Measured>>,
}

/// All of them, in the table's order; what takes longest comes last.
pub const ALL: [Row; 16] = [
    names::LOOK_UP,
    names::LEFT,
    keys::LOOK_UP,
    logins::ONE,
    code::LOGIN,
    logins::MANY,
    hop::FIRST,
    hop::AGAIN,
    keystroke::ECHO,
    scale::MENU,
    scale::STORE,
    terminal::OUTPUT,
    recording::SIZE,
    idle::SESSIONS,
    files::COPIED,
    ansible::PLAYBOOK,
];
