//! May this user log in now? Asked by `jms-pam-helper` in the account and the session phase.
//!
//! Lockout and login rules (the authentication issue) become further fields of [`Question`] and
//! further reasons here; there will be no second function.

use super::Validity;
use crate::time::Time;
use std::fmt;

/// What the store knows about the user.
#[derive(Debug, Clone)]
pub struct User {
    /// Not disabled.
    pub enabled: bool,
    /// When he may use the bastion.
    pub validity: Validity,
    /// The second factor that is demanded of him at login.
    pub factor_at_login: Factor,
}

/// Second factors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Factor {
    /// None is demanded.
    #[default]
    None,
    /// A time-based one-time password.
    Totp,
    /// A FIDO key that verifies its person.
    SecurityKey,
    /// Either.
    Any,
}

/// What was shown in this authentication.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shown {
    /// A key, by sshd.
    pub key: bool,
    /// …which is a security key that verified its person.
    pub security_key: bool,
    /// A one-time password, checked by our own PAM module.
    pub totp: bool,
}

/// Everything that one answer rests on.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// The row; `None`: there is none of that name and uid.
    pub user: Option<&'a User>,
    /// `None` in the account phase after a key, where sshd does not tell PAM yet (SSHD-FACTS 5).
    pub shown: Option<Shown>,
    /// Now.
    pub now: Time,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether the login may go on.
    pub allow: bool,
    /// Why.
    pub reason: Reason,
    /// The factor that would help.
    pub factor_needed: Option<Factor>,
}

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Nothing speaks against it.
    Allowed,
    /// The snapshot knows a name that the store does not (any more).
    UnknownUser,
    /// Disabled.
    Disabled,
    /// Validity has not begun.
    NotYetValid,
    /// Validity is over.
    Expired,
    /// Neither key nor password was shown.
    NoFirstFactor,
    /// The second factor that is demanded was not shown.
    FactorMissing,
}

impl Reason {
    /// A stable word for events and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::UnknownUser => "unknown-user",
            Self::Disabled => "user-disabled",
            Self::NotYetValid => "user-not-yet-valid",
            Self::Expired => "user-expired",
            Self::NoFirstFactor => "no-first-factor",
            Self::FactorMissing => "factor-missing",
        }
    }
}

/// For the person, who has proved a key by then: what to do.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allowed => "you may log in",
            Self::UnknownUser => "this account no longer exists; ask your administrator",
            Self::Disabled => "this account is disabled; ask your administrator",
            Self::NotYetValid => "this account is not valid yet; ask your administrator",
            Self::Expired => "this account has expired; ask your administrator",
            Self::NoFirstFactor => "log in with your key",
            Self::FactorMissing => "this account needs a second factor, and none was asked for; tell your administrator",
        })
    }
}

/// Decides.
#[must_use]
pub fn decide(question: &Question<'_>) -> Decision {
    let refuse = |reason, factor_needed| Decision {
        allow: false,
        reason,
        factor_needed,
    };
    let Some(user) = question.user else {
        return refuse(Reason::UnknownUser, None);
    };
    if !user.enabled {
        return refuse(Reason::Disabled, None);
    }
    if user.validity.not_yet(question.now) {
        return refuse(Reason::NotYetValid, None);
    }
    if user.validity.over(question.now) {
        return refuse(Reason::Expired, None);
    }
    if let Some(shown) = question.shown {
        if !shown.key {
            return refuse(Reason::NoFirstFactor, None);
        }
        let passed = match user.factor_at_login {
            Factor::None => true,
            Factor::Totp => shown.totp,
            Factor::SecurityKey => shown.security_key,
            Factor::Any => shown.totp || shown.security_key,
        };
        if !passed {
            return refuse(Reason::FactorMissing, Some(user.factor_at_login));
        }
    }
    Decision {
        allow: true,
        reason: Reason::Allowed,
        factor_needed: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time(1000);
    const KEY: Shown = Shown {
        key: true,
        security_key: false,
        totp: false,
    };

    fn user() -> User {
        User {
            enabled: true,
            validity: Validity::default(),
            factor_at_login: Factor::None,
        }
    }

    fn reason(user: Option<&User>, shown: Option<Shown>) -> Reason {
        let decision = decide(&Question {
            user,
            shown,
            now: NOW,
        });
        assert_eq!(decision.allow, decision.reason == Reason::Allowed);
        decision.reason
    }

    #[test]
    fn each_state_of_the_user_has_its_answer() {
        assert_eq!(reason(None, Some(KEY)), Reason::UnknownUser);
        assert_eq!(reason(Some(&user()), Some(KEY)), Reason::Allowed);
        assert_eq!(
            reason(
                Some(&User {
                    enabled: false,
                    ..user()
                }),
                None
            ),
            Reason::Disabled
        );
        let until = |at| User {
            validity: Validity {
                from: None,
                until: Some(Time(at)),
            },
            ..user()
        };
        assert_eq!(reason(Some(&until(1000)), None), Reason::Expired);
        assert_eq!(reason(Some(&until(1001)), None), Reason::Allowed);
        let from = |at| User {
            validity: Validity {
                from: Some(Time(at)),
                until: None,
            },
            ..user()
        };
        assert_eq!(reason(Some(&from(1001)), None), Reason::NotYetValid);
    }

    #[test]
    fn a_code_alone_is_nothing_and_a_key_alone_is_not_a_factor() {
        let code_only = Shown {
            key: false,
            security_key: false,
            totp: true,
        };
        assert_eq!(
            reason(Some(&user()), Some(code_only)),
            Reason::NoFirstFactor
        );
        for (factor, shown, expected) in [
            (Factor::Totp, KEY, Reason::FactorMissing),
            (Factor::Totp, Shown { totp: true, ..KEY }, Reason::Allowed),
            (
                Factor::Totp,
                Shown {
                    security_key: true,
                    ..KEY
                },
                Reason::FactorMissing,
            ),
            (
                Factor::SecurityKey,
                Shown {
                    security_key: true,
                    ..KEY
                },
                Reason::Allowed,
            ),
            (Factor::Any, Shown { totp: true, ..KEY }, Reason::Allowed),
            (Factor::Any, KEY, Reason::FactorMissing),
        ] {
            let user = User {
                factor_at_login: factor,
                ..user()
            };
            assert_eq!(
                reason(Some(&user), Some(shown)),
                expected,
                "{factor:?} {shown:?}"
            );
        }
    }
}
