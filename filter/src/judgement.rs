//! What the decision says: the verdict, by which filter and rule, of what on the line, and why.

use crate::look_into::{Command, Line, Opaque, Reads};
use crate::shell::Fault;
use crate::shown::shown;
use crate::verdict::Verdict;
use std::fmt;

/// Why something got its verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// No filter applies, or nothing would run.
    Nothing,
    /// A rule of the filter: its number and text.
    Rule {
        /// The rule's number.
        id: i64,
        /// How it was written.
        text: String,
    },
    /// No rule speaks of it.
    Default,
    /// No rule can speak of it, because it cannot be known what runs.
    Opaque(Opaque),
    /// It is more than a program with arguments: an assignment or redirection, which no rule allows.
    NotOnlyArguments(&'static str),
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => write!(out, "no filter speaks of it"),
            Self::Rule { id, text } => write!(out, "rule {id} ({})", shown(text)),
            Self::Default => write!(out, "no rule speaks of it"),
            Self::Opaque(opaque) => write!(out, "{opaque}"),
            Self::NotOnlyArguments(what) => write!(out, "no rule allows {what}"),
        }
    }
}

/// What one filter says of one command, or of the whole line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The verdict.
    pub verdict: Verdict,
    /// The filter.
    pub filter: String,
    /// Why.
    pub reason: Reason,
    /// Of what on the line.
    pub command: String,
}

/// The verdict on a line, with all that was said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The strictest verdict of all that was said; `allow` if no filter applies.
    pub verdict: Verdict,
    /// By which filter, by name; empty if none applies.
    pub filter: String,
    /// Why.
    pub reason: Reason,
    /// Of what on the line: the simple command, or the whole line.
    pub command: String,
    /// All that was said, in the order of filters and commands.
    pub findings: Vec<Finding>,
    /// How often its commands were compared with patterns; bounded for a line, whatever it is.
    pub comparisons: usize,
    /// The simple commands of the line, and what they start. Empty for a language that is not read.
    pub line: Line,
}

impl Judgement {
    pub(crate) fn new(line: Line, findings: Vec<Finding>, comparisons: usize) -> Self {
        let mut strictest: Option<&Finding> = None;
        for finding in &findings {
            if strictest.is_none_or(|known| finding.verdict > known.verdict) {
                strictest = Some(finding);
            }
        }
        let strictest = strictest.cloned();
        let (verdict, filter, reason, command) = strictest.map_or(
            (
                Verdict::Allow,
                String::new(),
                Reason::Nothing,
                String::new(),
            ),
            |found| (found.verdict, found.filter, found.reason, found.command),
        );
        Self {
            verdict,
            filter,
            reason,
            command,
            findings,
            comparisons,
            line,
        }
    }

    /// The text of the rule that decided, for rows and events; empty if none did.
    pub fn rule(&self) -> &str {
        match &self.reason {
            Reason::Rule { text, .. } => text,
            _ => "",
        }
    }

    /// The number of the rule that decided.
    pub fn rule_id(&self) -> Option<i64> {
        match &self.reason {
            Reason::Rule { id, .. } => Some(*id),
            _ => None,
        }
    }

    /// One line for people: what is not run as it is, by which filter and rule. No control characters, no line end.
    pub fn sentence(&self) -> String {
        let command = shown(&self.command);
        if self.filter.is_empty() {
            return "no filter applies".to_owned();
        }
        let did = match self.verdict {
            Verdict::Allow => "allowed",
            Verdict::Warn => "allowed with a warning",
            Verdict::Confirm => "to be confirmed",
            Verdict::Deny => "denied",
        };
        format!(
            "{did} by filter {}, {}: {command}",
            self.filter, self.reason
        )
    }

    /// What the line, or a command on it, hides from these filters; the first such thing.
    pub fn opaque(&self) -> Option<Opaque> {
        fn hidden(commands: &[Command]) -> Option<&Opaque> {
            commands.iter().find_map(|command| {
                command
                    .opaque
                    .as_ref()
                    .filter(|_| !command.simple.other_shells)
                    .or_else(|| hidden(&command.inner))
            })
        }
        let fault = self.line.fault.clone().map(Opaque::Unreadable);
        let of_rules = || {
            self.findings.iter().find_map(|found| match &found.reason {
                Reason::Opaque(opaque) => Some(opaque.clone()),
                _ => None,
            })
        };
        fault
            .or_else(|| hidden(&self.line.commands).cloned())
            .or_else(of_rules)
    }

    /// Whether a shell that has run it may read later lines as something else than what they say (`set -H`).
    pub fn expands_history(&self) -> bool {
        fn any(commands: &[Command]) -> bool {
            commands
                .iter()
                .any(|command| command.opaque == Some(Opaque::History) || any(&command.inner))
        }
        any(&self.line.commands)
    }

    /// Whether a shell would wait for more lines before it ran this: a quote, a here-document, a compound command is open.
    pub fn is_unfinished(&self) -> bool {
        matches!(self.line.fault, Some(Fault::Unfinished(_))) || self.line.continues
    }

    /// What a command on the line takes for commands of its own from the standard input that the line leaves it: if an
    /// exec request says so here, its standard input is a script.
    pub fn reads(&self) -> Option<Reads> {
        self.line.commands.iter().find_map(|command| command.reads)
    }

    /// Program and arguments, if the line is one command and nothing else, each word of which is known: no substitution,
    /// pattern, home folder, assignment, redirection, here-document.
    pub fn single_command(&self) -> Option<Vec<&str>> {
        let [command] = self.line.commands.as_slice() else {
            return None;
        };
        let simple = &command.simple;
        let plain = self.line.fault.is_none()
            && simple.assignments.is_empty()
            && !simple.redirected
            && simple.source == self.line.text
            && !simple.words.is_empty();
        if !plain {
            return None;
        }
        let known = |word: &'_ crate::shell::Word| !word.tilde && word.hidden.is_none();
        simple
            .words
            .iter()
            .map(|word| known(word).then_some(word.text.as_str()))
            .collect()
    }
}
