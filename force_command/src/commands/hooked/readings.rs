//! The engine's readings beside what the shell itself says: which of them an announcement takes the place of.
//!
//! None is lost: what no announcement [explains](super::explained) is kept as the engine read it.
#![forbid(unsafe_code)]

use super::explained::explains;
use capture::{Command, Outcome};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A line that a shell has taken is announced within this time, or never.
const ANNOUNCED: Duration = Duration::from_secs(2);
/// So many lines that may have been typed ahead are remembered.
const AHEAD: usize = 32;
/// So many announcements are remembered, for readings that come late.
const SAID: usize = 8;

/// See the module.
#[derive(Debug)]
pub(super) struct Readings {
    /// Of lines that the shell is about to announce.
    waiting: Vec<(Instant, Command)>,
    /// What was announced last, and when.
    said: VecDeque<(Instant, String)>,
    /// Lines that are kept and may be announced yet: they were typed ahead.
    ahead: VecDeque<String>,
    /// Since when the shell reads.
    reads_since: Instant,
}

impl Readings {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            waiting: Vec::new(),
            said: VecDeque::new(),
            ahead: VecDeque::new(),
            reads_since: now,
        }
    }

    /// Whether this reading waits for what the shell says of the line, or has been said already; else it is to be kept.
    /// `reads`: the shell is reading a line.
    pub(super) fn takes(&mut self, command: &Command, reads: bool) -> bool {
        let passes = matches!(command.outcome, Outcome::Passed | Outcome::Confirmed);
        if !passes || command.hidden || command.line.trim().is_empty() {
            return false;
        }
        let said = self
            .said
            .iter()
            .any(|(announced, line)| command.at <= *announced && explains(line, &command.line));
        if said {
            return true;
        }
        if reads {
            self.waiting.push((Instant::now(), command.clone()));
        } else {
            self.remember(command);
        }
        reads
    }

    fn remember(&mut self, command: &Command) {
        self.ahead.push_back(command.line.trim().to_owned());
        if self.ahead.len() > AHEAD {
            self.ahead.pop_front();
        }
    }

    /// What the shell announced is kept: readings of it that come late are not.
    pub(super) fn said(&mut self, now: Instant, line: &str) {
        self.said.push_back((now, line.to_owned()));
        if self.said.len() > SAID {
            self.said.pop_front();
        }
    }

    /// The shell announced this. The readings that it takes the place of, the first first.
    pub(super) fn announced(&mut self, line: &str) -> Vec<Command> {
        let (explained, waiting): (Vec<_>, Vec<_>) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|(_, command)| explains(line, &command.line));
        self.waiting = waiting;
        let mut explained: Vec<Command> = explained.into_iter().map(|(_, row)| row).collect();
        if explained.is_empty() {
            explained.extend(self.whole(line));
        }
        explained
    }

    /// The readings before and with the last one which together are what was announced.
    fn whole(&mut self, line: &str) -> Vec<Command> {
        let mut together = String::new();
        for length in 1..=self.waiting.len() {
            let Some((_, command)) = self.waiting.get(length - 1) else {
                break;
            };
            together.push_str(&command.line);
            together.push('\n');
            if length > 1 && explains(line, &together) {
                return self.waiting.drain(..length).map(|(_, row)| row).collect();
            }
        }
        Vec::new()
    }

    /// The shell announced something, and cannot say what: the oldest reading that waits.
    pub(super) fn oldest(&mut self) -> Option<Command> {
        match self.waiting.is_empty() {
            true => None,
            false => Some(self.waiting.remove(0).1),
        }
    }

    /// Some wait that no announcement explained.
    pub(super) fn unexplained(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether the line was typed before the shell began to read, and is kept already.
    pub(super) fn kept_ahead(&mut self, line: &str, row: Option<&Command>) -> bool {
        let fresh = row.is_some_and(|row| row.at >= self.reads_since);
        if fresh {
            // What was typed ahead of it has been read.
            self.ahead.clear();
        }
        let place = self.ahead.iter().position(|kept| kept == line);
        match place.filter(|_| !fresh) {
            Some(place) => {
                self.ahead.drain(..=place);
                true
            }
            None => false,
        }
    }

    /// The shell reads a line: what it has not announced was none of its commands, and is to be kept.
    pub(super) fn prompted(&mut self, now: Instant) -> Vec<Command> {
        self.reads_since = now;
        self.all()
    }

    /// What has waited too long, and is to be kept.
    pub(super) fn late(&mut self, now: Instant) -> Vec<Command> {
        match self.deadline() {
            Some(due) if due <= now => self.all(),
            _ => Vec::new(),
        }
    }

    /// When [`Readings::late`] has something.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.waiting.first().map(|(since, _)| *since + ANNOUNCED)
    }

    /// All that wait, to be kept.
    pub(super) fn all(&mut self) -> Vec<Command> {
        let waiting: Vec<Command> = std::mem::take(&mut self.waiting)
            .into_iter()
            .map(|(_, command)| command)
            .collect();
        for command in &waiting {
            self.remember(command);
        }
        waiting
    }
}
