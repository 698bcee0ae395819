//! Command filters and their rules.

use crate::time::Time;
use filter::{Matching, RuleText, Verdict};
use serde::{Serialize, Serializer};

/// Whom and what something is attached to. Of each kind of thing (people, places, system users) any that is named will
/// do; a kind of which nothing is named does not matter; all kinds must agree.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Scope {
    /// Users by name.
    pub users: Vec<String>,
    /// User groups by name.
    pub user_groups: Vec<String>,
    /// Assets by name.
    pub assets: Vec<String>,
    /// Asset groups by path; each covers all below.
    pub asset_groups: Vec<String>,
    /// System users by name.
    pub system_users: Vec<String>,
}

impl Scope {
    /// Whether nothing is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kinds() == [false; 3]
    }

    /// Whether people, places and system users are named.
    #[must_use]
    pub fn kinds(&self) -> [bool; 3] {
        [
            !self.users.is_empty() || !self.user_groups.is_empty(),
            !self.assets.is_empty() || !self.asset_groups.is_empty(),
            !self.system_users.is_empty(),
        ]
    }
}

/// A list of rules over command lines, without the rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Filter {
    /// Row id; 0 before it is added.
    #[serde(skip)]
    pub id: i64,
    /// Unique name.
    pub name: String,
    /// What holds for a command of which no rule speaks: allow or deny.
    #[serde(serialize_with = "word")]
    pub default: Verdict,
    /// Whom and what it is attached to; nothing: it applies nowhere.
    #[serde(flatten)]
    pub scope: Scope,
    /// How many rules it has.
    pub rule_count: u64,
    /// Free text.
    pub comment: String,
    /// When it was added.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

impl Filter {
    /// A filter without rules that is attached to nobody.
    #[must_use]
    pub fn new(name: &str, now: Time) -> Self {
        Self {
            id: 0,
            name: name.to_owned(),
            default: Verdict::Allow,
            scope: Scope::default(),
            rule_count: 0,
            comment: String::new(),
            created_at: now,
            updated_at: now,
        }
    }
}

/// A rule of a filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FilterRule {
    /// Its number, by which people call it; 0 before it is added.
    pub id: i64,
    /// The filter's name.
    pub filter: String,
    /// Lower numbers are asked first; of equal ones the stricter verdict.
    pub priority: u32,
    /// What it says.
    #[serde(serialize_with = "word")]
    pub verdict: Verdict,
    /// The program with flags and words that it looks for.
    pub command: Option<String>,
    /// Or the regular expression.
    pub regex: Option<String>,
    /// Whether upper and lower case are the same.
    pub ignore_case: bool,
    /// It holds wherever its filter does; otherwise only where its own scope agrees, and nowhere if that is empty.
    pub everywhere: bool,
    /// Where it holds.
    #[serde(flatten)]
    pub scope: Scope,
    /// Free text.
    pub comment: String,
    /// When it was added.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

impl FilterRule {
    /// The priority of a rule that does not say one.
    pub const PRIORITY: u32 = 50;

    /// A rule that holds wherever its filter does.
    #[must_use]
    pub fn new(filter: &str, verdict: Verdict, matching: Matching, now: Time) -> Self {
        let (command, regex) = match matching {
            Matching::Command(text) => (Some(text), None),
            Matching::Regex(text) => (None, Some(text)),
        };
        Self {
            id: 0,
            filter: filter.to_owned(),
            priority: Self::PRIORITY,
            verdict,
            command,
            regex,
            ignore_case: false,
            everywhere: true,
            scope: Scope::default(),
            comment: String::new(),
            created_at: now,
            updated_at: now,
        }
    }

    /// As the decision takes it.
    #[must_use]
    pub fn text(&self) -> RuleText {
        let matching = match (&self.command, &self.regex) {
            (Some(command), _) => Matching::Command(command.clone()),
            (None, regex) => Matching::Regex(regex.clone().unwrap_or_default()),
        };
        RuleText {
            id: self.id,
            priority: i64::from(self.priority),
            verdict: self.verdict,
            matching,
            ignore_case: self.ignore_case,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn word<S: Serializer>(verdict: &Verdict, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(verdict.as_str())
}
