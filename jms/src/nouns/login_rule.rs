//! Login rules as they are kept and shown.

use crate::policy::login_rule::Verdict;
use crate::time::Time;
use serde::Serialize;

/// Who may log in from where and when. Texts are as the store has them, so that one that cannot be read is shown, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoginRule {
    /// Row id; 0 before it is added.
    #[serde(skip)]
    pub id: i64,
    /// Unique name.
    pub name: String,
    /// Lower numbers are asked first; of equal ones the stricter verdict, then by name.
    pub priority: u32,
    /// What it says.
    pub verdict: Verdict,
    /// Whether it is about everybody; else about those below.
    pub everybody: bool,
    /// Users by name.
    pub users: Vec<String>,
    /// User groups by name.
    pub user_groups: Vec<String>,
    /// Roles by their words.
    pub roles: Vec<String>,
    /// Networks (CIDR) that logins come from; empty: anywhere.
    pub sources: Vec<String>,
    /// Hours of the week, `Mon-Fri 09:00-18:00 Asia/Shanghai`; empty: always.
    pub times: Vec<String>,
    /// Free text.
    pub comment: String,
    /// When it was added.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

impl LoginRule {
    /// The priority of a rule of which nobody says another.
    pub const PRIORITY: u32 = 50;
    /// The highest number that a priority may have.
    pub const LAST_PRIORITY: u32 = 10_000;

    /// One that says nothing about nobody, but for its verdict.
    #[must_use]
    pub fn new(name: &str, verdict: Verdict, now: Time) -> Self {
        Self {
            id: 0,
            name: name.to_owned(),
            priority: Self::PRIORITY,
            verdict,
            everybody: false,
            users: Vec::new(),
            user_groups: Vec::new(),
            roles: Vec::new(),
            sources: Vec::new(),
            times: Vec::new(),
            comment: String::new(),
            created_at: now,
            updated_at: now,
        }
    }

    /// Whether it names anybody.
    #[must_use]
    pub fn names_somebody(&self) -> bool {
        !(self.users.is_empty() && self.user_groups.is_empty() && self.roles.is_empty())
    }
}
