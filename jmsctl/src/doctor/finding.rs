//! What doctor can find: one row of the table for each, and a finding of this host.
#![forbid(unsafe_code)]

use serde::Serialize;

/// How bad a finding is, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The bastion does not work, or does not guard what it should.
    Critical,
    /// A part of it does not work, or will not for long.
    Error,
    /// It works, and one mishap more will hurt.
    Warning,
}

impl Severity {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A row of the table of findings.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its name, a promise to scripts: `sshd.force-command`.
    pub id: &'static str,
    /// How bad.
    pub severity: Severity,
    /// What it says, for `docs/doctor.md`.
    pub meaning: &'static str,
}

/// Something that doctor complains of.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// Which row of the table.
    pub id: &'static str,
    /// How bad.
    pub severity: Severity,
    /// What was found here.
    pub sentence: String,
    /// What mends it: a line for `sh`, to be run by root. It asks where a person has to choose.
    pub command: String,
}

/// What was found so far. A second finding of a kind about the same thing says nothing new.
#[derive(Debug, Default)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// Adds a finding.
    pub fn add(
        &mut self,
        kind: &'static Kind,
        sentence: impl Into<String>,
        command: impl Into<String>,
    ) {
        self.0.push(Finding {
            id: kind.id,
            severity: kind.severity,
            sentence: sentence.into(),
            command: command.into(),
        });
    }

    /// Whether there is a finding of this kind.
    pub fn has(&self, kind: &Kind) -> bool {
        self.0.iter().any(|finding| finding.id == kind.id)
    }

    /// All of them, the worst first; equal ones in the order in which they were found.
    pub fn into_sorted(mut self) -> Vec<Finding> {
        self.0.sort_by_key(|finding| finding.severity);
        self.0
    }
}
