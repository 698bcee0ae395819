//! How a program ended and what it wrote, with the expectations of a test.
//!
//! Every `expect_…` panics with the whole story (command, status, both outputs) when it does not hold, and otherwise hands
//! the outcome on, so that expectations read as one sentence.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It exited with this status.
    Status(i32),
    /// This signal ended it.
    Signal(i32),
    /// It was killed at its deadline.
    TimedOut,
}

impl From<ExitStatus> for End {
    fn from(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Status(code),
            (None, Some(signal)) => Self::Signal(signal),
            (None, None) => Self::TimedOut,
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(formatter, "exit status {status}"),
            Self::Signal(signal) => write!(formatter, "signal {signal}"),
            Self::TimedOut => write!(formatter, "killed at its deadline"),
        }
    }
}

/// What came of one program.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The command line, for messages.
    pub line: String,
    /// How it ended.
    pub end: End,
    /// Its standard output, byte for byte.
    pub stdout: Vec<u8>,
    /// Its standard error, byte for byte.
    pub stderr: Vec<u8>,
    /// From its start to its end.
    pub elapsed: Duration,
}

impl Outcome {
    /// The standard output as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// The standard output as text without the newline at its end.
    #[must_use]
    pub fn line_of_output(&self) -> String {
        self.text().trim_end_matches('\n').to_owned()
    }

    /// The standard error as text.
    #[must_use]
    pub fn error_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Whether it exited with status 0.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.end == End::Status(0)
    }

    /// This outcome if the program exited with status 0.
    ///
    /// # Errors
    /// With the whole story otherwise.
    pub fn success(self) -> Result<Self> {
        if self.succeeded() {
            Ok(self)
        } else {
            bail!("{self}")
        }
    }

    /// The standard output as one JSON value.
    ///
    /// # Errors
    /// When the program failed, or its output is no JSON.
    pub fn json(self) -> Result<serde_json::Value> {
        let outcome = self.success()?;
        serde_json::from_slice(&outcome.stdout).with_context(|| format!("no JSON: {outcome}"))
    }

    /// The standard output as JSON values, one a line.
    ///
    /// # Errors
    /// When the program failed, or a line is no JSON.
    pub fn json_lines(self) -> Result<Vec<serde_json::Value>> {
        let outcome = self.success()?;
        let values = outcome
            .text()
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<_, _>>();
        values.with_context(|| format!("no JSON lines: {outcome}"))
    }

    /// It exited with `status`.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    pub fn expect_status(self, status: i32) -> Self {
        assert!(
            self.end == End::Status(status),
            "expected exit status {status}: {self}"
        );
        self
    }

    /// It exited with status 0.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    pub fn expect_success(self) -> Self {
        self.expect_status(0)
    }

    /// It exited with some status other than 0, or by a signal; not at its deadline.
    ///
    /// # Panics
    /// When it succeeded or had to be killed.
    #[track_caller]
    pub fn expect_failure(self) -> Self {
        assert!(
            !self.succeeded() && self.end != End::TimedOut,
            "expected a failure: {self}"
        );
        self
    }

    /// Its standard output is exactly `bytes`.
    ///
    /// # Panics
    /// When it is not.
    #[track_caller]
    pub fn expect_stdout(self, bytes: impl AsRef<[u8]>) -> Self {
        let expected = bytes.as_ref();
        assert!(
            self.stdout == expected,
            "expected the output {:?}: {self}",
            String::from_utf8_lossy(expected)
        );
        self
    }

    /// Its standard error is exactly `bytes`.
    ///
    /// # Panics
    /// When it is not.
    #[track_caller]
    pub fn expect_stderr(self, bytes: impl AsRef<[u8]>) -> Self {
        let expected = bytes.as_ref();
        assert!(
            self.stderr == expected,
            "expected the error output {:?}: {self}",
            String::from_utf8_lossy(expected)
        );
        self
    }

    /// Its standard output has `text` in it.
    ///
    /// # Panics
    /// When it has not.
    #[track_caller]
    pub fn expect_stdout_contains(self, text: &str) -> Self {
        assert!(
            self.text().contains(text),
            "expected {text:?} in the output: {self}"
        );
        self
    }

    /// Its standard output has no `text` in it.
    ///
    /// # Panics
    /// When it has.
    #[track_caller]
    pub fn expect_stdout_lacks(self, text: &str) -> Self {
        assert!(
            !self.text().contains(text),
            "expected no {text:?} in the output: {self}"
        );
        self
    }

    /// Its standard error has `text` in it.
    ///
    /// # Panics
    /// When it has not.
    #[track_caller]
    pub fn expect_stderr_contains(self, text: &str) -> Self {
        assert!(
            self.error_text().contains(text),
            "expected {text:?} in the error output: {self}"
        );
        self
    }

    /// It ended within `limit` of its start.
    ///
    /// # Panics
    /// When it took longer.
    #[track_caller]
    pub fn expect_within(self, limit: Duration) -> Self {
        assert!(
            self.elapsed <= limit,
            "expected an end within {limit:?}, it took {:?}: {self}",
            self.elapsed
        );
        self
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.line)?;
        write!(formatter, "  {} after {:.2?}", self.end, self.elapsed)?;
        for (name, bytes) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !bytes.is_empty() {
                let text = String::from_utf8_lossy(bytes);
                // Enough to understand a failure, not a whole recording.
                let shown: String = text.chars().take(4000).collect();
                let cut = if shown.len() < text.len() { " …" } else { "" };
                write!(
                    formatter,
                    "\n  {name}: {}{cut}",
                    shown.trim_end().replace('\n', "\n          ")
                )?;
            }
        }
        Ok(())
    }
}

/// What a condition of [`eventually`] answers: yes or no, or what it was looking for.
pub trait Answer {
    /// What there is once it holds.
    type Found;

    /// What was found, if it holds.
    fn found(self) -> Option<Self::Found>;
}

impl Answer for bool {
    type Found = ();

    fn found(self) -> Option<()> {
        self.then_some(())
    }
}

impl<Thing> Answer for Option<Thing> {
    type Found = Thing;

    fn found(self) -> Option<Thing> {
        self
    }
}

/// Waits until `condition` holds and returns what it found. The longer it has waited, the more rarely it asks: what lasts is
/// not made slower by its being watched.
///
/// # Panics
/// When it does not hold within `limit`.
#[track_caller]
pub fn eventually<Condition: Answer>(
    what: &str,
    limit: Duration,
    mut condition: impl FnMut() -> Condition,
) -> Condition::Found {
    let started = Instant::now();
    loop {
        if let Some(found) = condition().found() {
            return found;
        }
        assert!(started.elapsed() < limit, "not within {limit:?}: {what}");
        let pause = started.elapsed() / 20;
        std::thread::sleep(pause.clamp(Duration::from_millis(10), Duration::from_millis(500)));
    }
}
