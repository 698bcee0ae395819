//! Who may do what: pure functions of plain data.
//!
//! Knows neither SQL nor the clock nor the network. Facts come in, a decision with its reasons
//! goes out; `force-command`, `jms-pam-helper` and `jmsctl access explain` call the same functions.
#![forbid(unsafe_code)]

pub mod access;
pub mod channel;
pub mod factor;
pub mod factor_standing;
pub mod lockout;
pub mod login;
pub mod login_rule;
pub mod right;

pub use access::{Decision, Facts, Reason, decide, decide_rights};
pub use channel::Channel;
pub use factor::{FactorPolicy, FactorSource};
pub use factor_standing::{FactorStanding, factor_standing};
pub use right::{Right, Rights};

use crate::time::Time;

/// From when until when something holds. Both ends may be open; the end itself is outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Validity {
    /// Holds from this moment on; `None`: since always.
    pub from: Option<Time>,
    /// Holds until just before this moment; `None`: for ever.
    pub until: Option<Time>,
}

impl Validity {
    /// Whether `now` is not yet inside.
    #[must_use]
    pub fn not_yet(&self, now: Time) -> bool {
        self.from.is_some_and(|from| now < from)
    }

    /// Whether `now` is past the end.
    #[must_use]
    pub fn over(&self, now: Time) -> bool {
        self.until.is_some_and(|until| now >= until)
    }

    /// Whether `now` is inside.
    #[must_use]
    pub fn holds(&self, now: Time) -> bool {
        !self.not_yet(now) && !self.over(now)
    }
}
