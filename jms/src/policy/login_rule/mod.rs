//! Login rules: from where and when users may log in. The first rule that fits speaks; where none fits, nothing is said
//! against a login.
//!
//! Rules are text that somebody wrote once. What cannot be read refuses: a rule is never skipped because this program does
//! not understand it.

mod weekly;

pub use weekly::{Weekly, WeeklyError};

use crate::time::Time;
use jiff::tz::TimeZone;
use snapshot::Cidr;
use std::fmt;
use std::net::IpAddr;

/// What a rule says. The strictest is the greatest, and is asked first among rules of the same priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// He may log in.
    Allow,
    /// He may log in, and somebody is told.
    Notify,
    /// He may not.
    Deny,
}

impl Verdict {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Allow, Self::Deny, Self::Notify];

    /// The word for it, in the store and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Notify => "notify",
            Self::Deny => "deny",
        }
    }

    /// Reads the word back.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.as_str() == text)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for Verdict {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A rule that could be read.
#[derive(Debug, Clone)]
pub struct Rule {
    /// What it says.
    pub verdict: Verdict,
    /// Networks; empty: from anywhere.
    pub sources: Vec<Cidr>,
    /// Times; empty: always.
    pub times: Vec<Weekly>,
}

/// A rule as it comes up for one user.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// Whether it is about this user. One that cannot be read is about everybody whom it might be about.
    pub concerns: bool,
    /// What it says, or why that cannot be read.
    pub rule: Result<Rule, String>,
}

/// What the rules said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Outcome {
    /// No rule fits.
    #[default]
    NoRule,
    /// This rule lets him in.
    Allowed(String),
    /// This rule lets him in, and somebody is told.
    Notified(String),
    /// This rule keeps him out.
    Denied(String),
    /// This rule came up and cannot be read.
    Unreadable {
        /// Its name.
        rule: String,
        /// What is wrong with it.
        why: String,
    },
}

impl Outcome {
    /// Whether the login may go on.
    #[must_use]
    pub fn allows(&self) -> bool {
        matches!(self, Self::NoRule | Self::Allowed(_) | Self::Notified(_))
    }

    /// The rule that decided.
    #[must_use]
    pub fn rule(&self) -> Option<&str> {
        match self {
            Self::NoRule => None,
            Self::Allowed(rule) | Self::Notified(rule) | Self::Denied(rule) => Some(rule),
            Self::Unreadable { rule, .. } => Some(rule),
        }
    }
}

/// A rule that was tried, for `login-rule test`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its name.
    pub rule: String,
    /// Whether it fits.
    pub fits: bool,
    /// Why it does or does not, in words.
    pub because: String,
}

/// Where zones of the time zone database come from.
pub type Zones<'a> = &'a dyn Fn(&str) -> Option<TimeZone>;

/// Asks one rule after the other, in their order.
pub struct Judge<'a> {
    source: Option<IpAddr>,
    now: Time,
    zones: Zones<'a>,
    outcome: Outcome,
    steps: Vec<Step>,
}

impl<'a> Judge<'a> {
    /// About a login from `source` at `now`. Without a source, networks that deny are taken to contain it, and others not.
    #[must_use]
    pub fn new(source: Option<IpAddr>, now: Time, zones: Zones<'a>) -> Self {
        Self {
            source: source.map(|source| source.to_canonical()),
            now,
            zones,
            outcome: Outcome::NoRule,
            steps: Vec::new(),
        }
    }

    /// Tries a rule; says whether the next one is wanted.
    pub fn consider(&mut self, candidate: Candidate) -> bool {
        let name = candidate.name;
        let (fits, because) = if candidate.concerns {
            match candidate.rule.and_then(|rule| self.fits(&rule)) {
                Ok((fits, because, verdict)) => {
                    if fits {
                        self.outcome = match verdict {
                            Verdict::Allow => Outcome::Allowed(name.clone()),
                            Verdict::Notify => Outcome::Notified(name.clone()),
                            Verdict::Deny => Outcome::Denied(name.clone()),
                        };
                    }
                    (fits, because)
                }
                Err(why) => {
                    self.outcome = Outcome::Unreadable {
                        rule: name.clone(),
                        why: why.clone(),
                    };
                    (true, format!("cannot be read, so it refuses: {why}"))
                }
            }
        } else {
            (false, "is not about him".to_owned())
        };
        self.steps.push(Step {
            rule: name,
            fits,
            because,
        });
        !fits
    }

    /// What the rules said, and what was tried.
    #[must_use]
    pub fn finish(self) -> (Outcome, Vec<Step>) {
        (self.outcome, self.steps)
    }

    fn fits(&self, rule: &Rule) -> Result<(bool, String, Verdict), String> {
        let verdict = rule.verdict;
        let sources = rule.sources.iter().map(Cidr::to_string);
        let sources = sources.collect::<Vec<_>>().join(",");
        let inside = match self.source {
            _ if rule.sources.is_empty() => true,
            None => verdict == Verdict::Deny,
            Some(source) => rule.sources.iter().any(|network| network.contains(source)),
        };
        if !inside {
            return Ok((
                false,
                format!("is not about logins from there, only {sources}"),
                verdict,
            ));
        }
        let mut there = Vec::new();
        let mut holds = rule.times.is_empty();
        // All of them are read: one that cannot be refuses also where another would hold.
        for times in &rule.times {
            let zone = (self.zones)(times.zone())
                .ok_or_else(|| format!("there is no time zone {}", times.zone()))?;
            let local = zone.to_datetime(self.now.timestamp());
            holds |= times.hold_at(local);
            there.push(format!(
                "{} {} in {}",
                weekly::day_name(local.weekday()),
                local.strftime("%H:%M"),
                times.zone()
            ));
        }
        let times = rule.times.iter().map(Weekly::to_string);
        let times = times.collect::<Vec<_>>().join("; ");
        if !holds {
            there.dedup();
            let there = there.join(", ");
            return Ok((
                false,
                format!("does not hold now: it is {there}, not {times}"),
                verdict,
            ));
        }
        let mut because = match rule.sources.is_empty() {
            true => "fits from anywhere".to_owned(),
            false => format!("fits from {sources}"),
        };
        match rule.times.is_empty() {
            true => because.push_str(" and at any time"),
            false => because.push_str(&format!(" and at this time ({times})")),
        }
        Ok((true, because, verdict))
    }
}

#[cfg(test)]
mod tests;
