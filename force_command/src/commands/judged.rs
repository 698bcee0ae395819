//! What is kept, and said to people, of a judgement.

use filter::{Filter, Judgement, NotPlain, Verdict};
use std::fmt::Display;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The verdict.
    pub verdict: Verdict,
    /// The filter that spoke; empty: none.
    pub filter: String,
    /// The rule, as it is written; empty: the filter's default, or no filter.
    pub rule: String,
    /// For people; empty: no filter spoke.
    pub sentence: String,
}

impl Judged {
    /// No filter applies.
    #[must_use]
    pub fn nothing() -> Self {
        Self {
            verdict: Verdict::Allow,
            filter: String::new(),
            rule: String::new(),
            sentence: String::new(),
        }
    }

    /// By this filter, but none of its rules.
    #[must_use]
    pub fn denied(filter: &str, why: &dyn Display) -> Self {
        Self {
            verdict: Verdict::Deny,
            filter: filter.to_owned(),
            rule: String::new(),
            sentence: format!("denied by filter {filter}: {why}"),
        }
    }

    /// What is no text cannot be read, and so not be allowed by a filter that allows only what it lists. `None`: it is text, or
    /// none of `filters` is such.
    #[must_use]
    pub fn of_bytes(bytes: &[u8], filters: &[Filter]) -> Option<Self> {
        std::str::from_utf8(bytes).err()?;
        let filter = filters
            .iter()
            .find(|filter| filter.default == Verdict::Deny)?;
        Some(Self::denied(&filter.name, &NotPlain::Bytes))
    }

    /// A line that nobody could read, and the setting forbids it.
    pub(super) fn unread() -> Self {
        Self {
            verdict: Verdict::Deny,
            sentence: "denied, because it was typed without echo (filter.hidden_input)".to_owned(),
            ..Self::nothing()
        }
    }

    /// A line of which not all is known.
    pub(super) fn too_long() -> Self {
        Self {
            verdict: Verdict::Deny,
            sentence: "denied, because the line is longer than 64 KiB".to_owned(),
            ..Self::nothing()
        }
    }

    /// The shell announced something, and something else wrote into it.
    pub(super) fn disturbed() -> Self {
        Self {
            verdict: Verdict::Deny,
            sentence:
                "denied, because something else wrote into what the shell announced; try again"
                    .to_owned(),
            ..Self::nothing()
        }
    }

    /// Without anything of the line.
    pub(super) fn silent(self) -> Self {
        let word = match self.verdict {
            Verdict::Deny => "denied by",
            Verdict::Confirm => "asked by",
            Verdict::Warn | Verdict::Allow => "seen by",
        };
        Self {
            sentence: format!(
                "{word} filter {}, rule {}: a line typed without echo",
                self.filter, self.rule
            ),
            ..self
        }
    }
}

impl From<Judgement> for Judged {
    fn from(judgement: Judgement) -> Self {
        let sentence = match judgement.filter.is_empty() {
            true => String::new(),
            false => judgement.sentence(),
        };
        Self {
            verdict: judgement.verdict,
            rule: judgement.rule().to_owned(),
            sentence,
            filter: judgement.filter,
        }
    }
}
