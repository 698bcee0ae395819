//! Why a command did not do what was asked, and the exit status that says so to scripts.
#![forbid(unsafe_code)]

use jms::store::StoreError;
use std::fmt;
use std::process::ExitCode;

/// Why a command ends early. [`fmt::Display`] is the sentence for standard error.
#[derive(Debug)]
pub enum Failure {
    /// It was tried and did not work, or a check found something: exit 1.
    Failed(String),
    /// What was typed or given is wrong: exit 2.
    BadInput(String),
    /// Planned (it has its place in the grammar) and not built: exit 2.
    NotInThisVersion(String),
    /// There is no such thing: exit 3.
    Missing(String),
    /// Not allowed for whoever called: exit 4.
    NotAllowed(String),
    /// Whoever reads our output has gone away; nobody is left to complain to.
    ClosedPipe,
    /// The store says no.
    Store(StoreError),
}

/// What the exit statuses mean for scripts.
pub const EXIT_STATUSES: [(u8, &str); 5] = [
    (0, "done, or nothing found to complain of"),
    (1, "failed, or a check found something"),
    (2, "wrong usage or bad input"),
    (3, "no such thing"),
    (4, "not allowed for this role"),
];

/// The same in one sentence.
pub fn exit_statuses() -> String {
    let all: Vec<String> = EXIT_STATUSES
        .iter()
        .map(|(status, what)| format!("{status} {what}"))
        .collect();
    format!("Exit status: {}.", all.join("; "))
}

/// What every command returns.
pub type Done<T = ()> = Result<T, Failure>;

impl Failure {
    /// The exit status, as the grammar promises it.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::ClosedPipe => 0,
            Self::Failed(_) => 1,
            Self::BadInput(_) | Self::NotInThisVersion(_) => 2,
            Self::Missing(_) => 3,
            Self::NotAllowed(_) => 4,
            Self::Store(error) => match error {
                StoreError::NotFound { .. } => 3,
                StoreError::NotAllowed { .. } => 4,
                StoreError::Refused { .. } | StoreError::Exists { .. } => 2,
                _ => 1,
            },
        })
    }

    /// Whether somebody was not allowed what he asked for.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::NotAllowed(_) | Self::Store(StoreError::NotAllowed { .. })
        )
    }

    /// A file or program that could not be used.
    pub fn io(doing: &str, what: impl fmt::Display, error: impl fmt::Display) -> Self {
        Self::Failed(format!("cannot {doing} {what}: {error}"))
    }

    /// Bad input, in whatever words its parser has.
    pub fn bad(error: impl fmt::Display) -> Self {
        Self::BadInput(error.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(sentence)
            | Self::BadInput(sentence)
            | Self::Missing(sentence)
            | Self::NotAllowed(sentence) => f.write_str(sentence),
            Self::NotInThisVersion(what) => write!(f, "{what}: not in this version"),
            Self::ClosedPipe => f.write_str("nobody reads the output any more"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Failure {}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_those_of_the_grammar() {
        let code = |failure: &Failure| format!("{:?}", failure.exit_code());
        let expect = |n: u8| format!("{:?}", ExitCode::from(n));
        assert_eq!(code(&Failure::Failed(String::new())), expect(1));
        assert_eq!(code(&Failure::NotInThisVersion("x".into())), expect(2));
        assert_eq!(code(&Failure::NotAllowed(String::new())), expect(4));
        let missing = StoreError::NotFound {
            kind: "user",
            name: "bob".into(),
            nearest: None,
        };
        assert_eq!(code(&missing.into()), expect(3));
        let refused = StoreError::Refused {
            sentence: "no".into(),
        };
        assert_eq!(code(&refused.into()), expect(2));
        assert_eq!(code(&StoreError::Busy.into()), expect(1));
    }
}
