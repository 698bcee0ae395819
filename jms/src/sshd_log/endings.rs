//! Connections of known users that ended before they had logged in, put together from the lines about each, and counted by user
//! and source: strangers who know a name choose how many there are.

use super::{Moment, Step};
use crate::time::Time;
use std::collections::{HashMap, VecDeque};

/// The most connections that are kept; of more, the newest.
const MOST: usize = 100_000;
/// Nobody takes longer to log in, in milliseconds: five times sshd's LoginGraceTime. Lines that are further apart are of
/// different connections.
pub const LOGGING_IN: i64 = 600_000;

/// A connection that its client ended before it had logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// When.
    pub at: Time,
    /// The login name.
    pub name: String,
    /// The client's address.
    pub source: String,
    /// The client's port.
    pub port: u16,
    /// How far it came.
    pub stage: Stage,
}

/// How far a connection came, as far as sshd's lines tell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// They do not tell: sshd writes more at `LogLevel VERBOSE`.
    Untold,
    /// A key was proven, and nothing else was begun.
    OnlyKey(String),
    /// PAM was begun, and may have asked; behind the key where one was proven.
    Begun(Option<String>),
}

impl Stage {
    /// The key that was proven.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Untold => None,
            Self::OnlyKey(key) => Some(key),
            Self::Begun(key) => key.as_deref(),
        }
    }
}

/// Endings of one user from one source that came equally far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The last one.
    pub last: Ending,
    /// When the first one was.
    pub first: Time,
    /// How many there are.
    pub count: u64,
}

/// Puts lines together.
#[derive(Default)]
pub struct Endings {
    open: HashMap<(String, u16), (Time, String, Stage)>,
    ended: VecDeque<Ending>,
    others: u64,
}

impl Endings {
    /// Takes a line; they come in the order in which they were written.
    pub fn add(&mut self, moment: Moment) {
        let Moment { at, known } = moment;
        let place = (known.source, known.port);
        // What is left of an older connection from that port, or of one by another name, says nothing.
        let before = self.open.remove(&place).filter(|(then, name, _)| {
            is_same(name, &known.name) && at.0.saturating_sub(then.0) <= LOGGING_IN
        });
        let before = before.map_or(Stage::Untold, |(_, _, stage)| stage);
        let stage = match known.step {
            Step::KeyProven { key } => Stage::OnlyKey(key),
            Step::Begun => Stage::Begun(before.key().map(str::to_owned)),
            Step::Ended => {
                let (source, port) = place;
                self.end(Ending {
                    at,
                    name: known.name,
                    source,
                    port,
                    stage: before,
                });
                return;
            }
        };
        if self.open.len() >= MOST {
            self.open
                .retain(|_, (then, _, _)| at.0.saturating_sub(then.0) <= LOGGING_IN);
        }
        if self.open.len() < MOST {
            self.open.insert(place, (at, known.name, stage));
        }
    }

    fn end(&mut self, ending: Ending) {
        if self.ended.len() >= MOST {
            self.ended.pop_front();
            self.others = self.others.saturating_add(1);
        }
        self.ended.push_back(ending);
    }

    /// Connections that were not kept because there are too many.
    #[must_use]
    pub fn others(&self) -> u64 {
        self.others
    }

    /// The times of the first and the last one.
    #[must_use]
    pub fn span(&self) -> Option<(Time, Time)> {
        let times = || self.ended.iter().map(|ending| ending.at);
        times().min().zip(times().max())
    }

    /// Those that `wanted` keeps, counted, the newest last.
    #[must_use]
    pub fn rows(self, wanted: impl Fn(&Ending) -> bool) -> Vec<Ended> {
        let mut rows: HashMap<(String, String, Stage), Ended> = HashMap::new();
        for ending in self.ended.into_iter().filter(wanted) {
            let user = ending.name.split('@').next().unwrap_or_default().to_owned();
            let of = (user, ending.source.clone(), ending.stage.clone());
            if let Some(row) = rows.get_mut(&of) {
                row.count = row.count.saturating_add(1);
                row.first = row.first.min(ending.at);
                if row.last.at <= ending.at {
                    row.last = ending;
                }
            } else {
                let (first, count) = (ending.at, 1);
                let row = Ended {
                    last: ending,
                    first,
                    count,
                };
                rows.insert(of, row);
            }
        }
        let mut rows: Vec<Ended> = rows.into_values().collect();
        rows.sort_by(|a, b| {
            let of = |row: &Ended| (row.last.at, row.last.name.clone(), row.last.source.clone());
            of(a).cmp(&of(b))
        });
        rows
    }
}

/// Whether the name of an earlier line is that of a later one: sshd cuts it at 100 bytes where it tells what was tried.
fn is_same(earlier: &str, later: &str) -> bool {
    earlier == later || (earlier.len() >= 100 && later.starts_with(earlier))
}
