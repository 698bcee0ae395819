//! What goes in and out of a [`Capture`](crate::Capture): settings, verdicts, and the actions that its owner carries out.
use std::fmt;
use std::time::{Duration, Instant};

/// The size of the user's terminal, in cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Rows; 0 is taken as 24.
    pub rows: u16,
    /// Columns; 0 is taken as 80.
    pub columns: u16,
}

/// How a session is captured.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Rules apply: each accepting key is held until its line has been read and judged. When not, nothing is ever held.
    pub enforcing: bool,
    /// How long an accepting key is held at most while the echo of the keys before it has not come.
    pub hold: Duration,
    /// How long a question ([`Verdict::Confirm`]) waits for its answer; then the answer is no.
    pub answer: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            enforcing: false,
            hold: Duration::from_millis(300),
            answer: Duration::from_secs(60),
        }
    }
}

/// Names one question to the owner's rules; [`Command::judged`] tells which answer a command was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JudgementId(pub u64);

/// The owner's answer to [`Action::Judge`]. The texts are plain sentences without control characters; capture sets them
/// into the user's terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The line may run.
    Allow,
    /// The line may run, and the user is told this.
    Warn(String),
    /// The line must not run; the user is told this.
    Deny(String),
    /// The user is asked this; the line runs after the key `y`, and with any other key it is denied.
    Confirm {
        /// What is asked, such as `jms: rule 3 (production): run it? [y/N]`.
        question: String,
        /// What is told after a no.
        refused: String,
    },
    /// The session must end, and the user is told this.
    End(String),
}

/// How sure capture is of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// Only what was typed is known, or only what stood on the screen, and that is not the whole story.
    Raw,
    /// The best reading of several, or of one that something disturbed.
    Likely,
    /// Two independent readings agree, or the line editor itself showed the line without disturbance.
    Exact,
}

impl Certainty {
    /// The word of the `captured` column.
    pub const fn word(self) -> &'static str {
        match self {
            Certainty::Raw => "raw",
            Certainty::Likely => "likely",
            Certainty::Exact => "exact",
        }
    }
}

impl fmt::Display for Certainty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was passed on (without rules, or after [`Verdict::Allow`] or [`Verdict::Warn`], or before a rule could hold it).
    Passed,
    /// It was passed on after the user said yes.
    Confirmed,
    /// It was denied and removed from the line editor.
    Denied,
    /// The user said no, and it was removed from the line editor.
    Refused,
}

/// One command line that a shell (or another program that reads lines) was given, or that was kept from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// When its accepting key was typed.
    pub at: Instant,
    /// The line, at most 64 KiB; a construct of several lines has `\n` between them. Empty when `hidden`.
    pub line: String,
    /// How sure this is.
    pub certainty: Certainty,
    /// The line was longer than what is kept of it.
    pub cut: bool,
    /// Typed without echo where a shell was reading: what it was is known to nobody.
    pub hidden: bool,
    /// What became of it.
    pub outcome: Outcome,
    /// The judgement that decided; none when no rules apply.
    pub judged: Option<JudgementId>,
}

/// Why capture ends a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// A denied line could not be removed from the asset's line editor.
    NotCleared,
    /// The owner answered [`Verdict::End`].
    Verdict,
    /// More was typed ahead than is held.
    TypeAhead,
}

/// What the owner of a [`Capture`](crate::Capture) has to do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send these bytes to the asset.
    Send(Vec<u8>),
    /// Write these bytes to the user's terminal (they are part of what it shows: record them as output).
    Show(Vec<u8>),
    /// Ask the rules; answer with [`Capture::verdict`](crate::Capture::verdict). Until then what the user types is held.
    Judge {
        /// Names the question.
        id: JudgementId,
        /// Each way in which the line may be read, the best first. One match of a rule is a match.
        candidates: Vec<String>,
        /// Where a shell reads, a line is accepted that nobody has seen: typed without echo, or recalled and not shown.
        hidden: bool,
        /// It was typed without echo and may be a password: no candidate may be kept or shown, nor anything made of one.
        silent: bool,
        /// The line is longer than what is known of it.
        cut: bool,
    },
    /// Log a command.
    Command(Command),
    /// Something was typed without echo and accepted (a password, most likely): nothing of it is known or kept.
    Hidden {
        /// When its accepting key was typed.
        at: Instant,
    },
    /// End the session.
    End(EndReason),
}
