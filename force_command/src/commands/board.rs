//! What the watch over a terminal and the supervisor of its session tell each other: rules one way, lines the other.

use super::judged::Judged;
use super::rules::Rules;
use capture::Certainty;
use jms::time::Time;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// More lines than this do not wait to be kept: the store is far behind, or somebody pastes without end.
pub const LONGEST: usize = 4096;
/// So much of a line stands in a marker of the recording, in characters.
const IN_A_MARKER: usize = 200;

/// A line that ran, or was kept from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When it was accepted.
    pub at: Time,
    /// Where that is in the recording, from its start.
    pub recorded_at: Duration,
    /// The line; empty if it was typed without echo.
    pub text: String,
    /// It is only the beginning.
    pub cut: bool,
    /// How sure that is.
    pub certainty: Certainty,
    /// It went to the asset.
    pub accepted: bool,
    /// What the filters said.
    pub judged: Judged,
}

impl Line {
    /// How the recording marks the place.
    #[must_use]
    pub fn marker(&self) -> String {
        let begin: String = self.text.chars().take(IN_A_MARKER).collect();
        match self.accepted {
            true => format!("command: {begin}"),
            false => format!("denied: {begin}"),
        }
    }
}

/// Something to be kept or told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A line.
    Line(Line),
    /// A line was typed without echo where a shell read: it is known to nobody.
    Hidden(Line),
    /// The asset's shell does not announce its commands, or does so no more; why.
    Unhooked(String),
    /// More lines come than are kept one by one.
    TooMany,
    /// The engine broke; the session is watched no more.
    Broken,
}

/// See the module.
#[derive(Debug)]
pub struct Board {
    rules: Rules,
    /// How often the rules were changed.
    changes: u64,
    changed_at: Instant,
    notes: VecDeque<Note>,
    since: Option<Instant>,
}

impl Board {
    /// With the rules that a session begins with.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            changes: 0,
            changed_at: Instant::now(),
            notes: VecDeque::new(),
            since: None,
        }
    }

    /// What holds now.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Other rules hold from now on.
    pub fn change(&mut self, rules: Rules) {
        self.rules = rules;
        self.changes += 1;
        self.changed_at = Instant::now();
    }

    /// How often that has happened.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// When that was last; the beginning, if never.
    #[must_use]
    pub fn changed_at(&self) -> Instant {
        self.changed_at
    }

    /// Adds something to be kept; false if no more can wait.
    #[must_use]
    pub fn add(&mut self, note: Note) -> bool {
        self.since.get_or_insert_with(Instant::now);
        self.notes.push_back(note);
        self.notes.len() <= LONGEST
    }

    /// How many things wait to be kept.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.notes.len()
    }

    /// The first things to keep, so many at most; they stay until [`Board::kept`].
    #[must_use]
    pub fn first(&self, most: usize) -> Vec<Note> {
        self.notes.iter().take(most).cloned().collect()
    }

    /// So many of the first are kept.
    pub fn kept(&mut self, first: usize) {
        self.notes.drain(..first.min(self.notes.len()));
        if self.notes.is_empty() {
            self.since = None;
        }
    }

    /// Since when something waits to be kept.
    #[must_use]
    pub fn waiting_since(&self) -> Option<Instant> {
        self.since
    }
}
