//! What rules and filters say.

/// What happens to a command. The strictest is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It runs.
    Allow,
    /// It runs, and somebody is told.
    Warn,
    /// It runs if the user says yes.
    Confirm,
    /// It does not run.
    Deny,
}

impl Verdict {
    /// As it is written in rules, rows and events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Warn => "warn",
            Self::Confirm => "confirm",
            Self::Deny => "deny",
        }
    }

    /// Reads what [`Verdict::as_str`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Allow, Self::Warn, Self::Confirm, Self::Deny]
            .into_iter()
            .find(|verdict| verdict.as_str() == text)
    }
}
