//! Wrong answers that count, and the locks they lead to.

use crate::time::Time;
use serde::Serialize;

/// One counter of wrong answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lock {
    /// Whose; `None`: of a network, for all users.
    pub user: Option<String>,
    /// The network that they came from; `None`: from everywhere.
    pub source: Option<String>,
    /// `key`: those who gave them had proved a key of the user; `none`: anybody.
    pub proof: String,
    /// How many.
    pub failures: u32,
    /// When the first of them came.
    pub first_at: Time,
    /// When the last of them came.
    pub last_at: Time,
    /// Until when nobody is asked; `None`: it is not locked.
    pub locked_until: Option<Time>,
}
