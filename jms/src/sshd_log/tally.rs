//! Attempts, counted by name and source, with the existing name that was perhaps meant.

use super::Attempt;
use crate::names::Nearest;
use crate::time::Time;
use std::collections::HashMap;

/// Different names and sources that are kept apart: strangers choose how many there are.
const MOST: usize = 100_000;

/// What is known of one name from one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The name that was asked for.
    pub name: String,
    /// Whether sshd may have cut it.
    pub cut: bool,
    /// The client's address.
    pub source: String,
    /// How often.
    pub count: u64,
    /// The first time.
    pub first: Time,
    /// The last time.
    pub last: Time,
    /// An existing user's name at an edit distance of two or less.
    pub nearest: Option<String>,
}

struct Seen {
    cut: bool,
    count: u64,
    first: Time,
    last: Time,
}

/// Counts attempts.
#[derive(Default)]
pub struct Tally {
    seen: HashMap<(String, String), Seen>,
    others: u64,
}

impl Tally {
    /// Counts one.
    pub fn add(&mut self, attempt: Attempt) {
        let Attempt { at, invalid } = attempt;
        let key = (invalid.name, invalid.source);
        if let Some(seen) = self.seen.get_mut(&key) {
            seen.count = seen.count.saturating_add(1);
            seen.first = seen.first.min(at);
            seen.last = seen.last.max(at);
        } else if self.seen.len() < MOST {
            let (cut, count) = (invalid.cut, 1);
            let seen = Seen {
                cut,
                count,
                first: at,
                last: at,
            };
            self.seen.insert(key, seen);
        } else {
            self.others = self.others.saturating_add(1);
        }
    }

    /// Attempts that were not kept apart, because there were too many names.
    #[must_use]
    pub fn others(&self) -> u64 {
        self.others
    }

    /// A row for each name and source, the newest last. `users`: the names that exist.
    #[must_use]
    pub fn rows<'a>(self, users: impl IntoIterator<Item = &'a str>) -> Vec<Row> {
        let users = Nearest::new(users);
        let row = |((name, source), seen): ((String, String), Seen)| Row {
            // The target behind the first @ is not part of the user's name.
            nearest: name
                .split('@')
                .next()
                .and_then(|user| users.to(user))
                .map(str::to_owned),
            cut: seen.cut,
            count: seen.count,
            first: seen.first,
            last: seen.last,
            name,
            source,
        };
        let mut rows: Vec<Row> = self.seen.into_iter().map(row).collect();
        rows.sort_by(|a, b| (a.last, &a.name, &a.source).cmp(&(b.last, &b.name, &b.source)));
        rows
    }
}
