//! May this user log in now? Asked by `jms-pam-helper` in the account and the session phase.
//!
//! Whatever else speaks against a login becomes a further field of [`Question`] and a further reason here; there is no
//! second function.

use super::Validity;
use super::login_rule::Outcome;
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
    /// When he was last here, was let in again or was added, whichever came last.
    pub seen_at: Time,
    /// His logins that are open, without this one.
    pub open_logins: u32,
}

/// What the settings (`[login]`) allow of everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Who was not here for so many milliseconds stays out; `None`: no such limit.
    pub inactivity: Option<i64>,
    /// Logins of one user at the same time; `None`: as many as he likes.
    pub logins: Option<u32>,
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
    /// A password, checked by our own PAM module.
    pub password: bool,
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
    /// What the login rules say.
    pub rules: &'a Outcome,
    /// What the settings say.
    pub limits: Limits,
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
    /// Was not here for too long.
    Inactive,
    /// A login rule says no.
    LoginRule,
    /// A login rule came up that cannot be read.
    LoginRuleUnreadable,
    /// Too many logins at the same time.
    TooManyLogins,
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
            Self::Inactive => "user-inactive",
            Self::LoginRule => "login-rule",
            Self::LoginRuleUnreadable => "login-rule-unreadable",
            Self::TooManyLogins => "too-many-logins",
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
            Self::Inactive => "this account was not used for too long; ask your administrator to let it in again",
            Self::LoginRule => "a login rule does not let you in from here at this time; ask your administrator",
            Self::LoginRuleUnreadable => {
                "the bastion cannot let you in just now; please tell your administrator"
            }
            Self::TooManyLogins => "you have too many open logins already; end one of them, and try again",
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
    // A clock that was put back makes nobody inactive.
    let away = question.now.0.saturating_sub(user.seen_at.0);
    if question.limits.inactivity.is_some_and(|most| away > most) {
        return refuse(Reason::Inactive, None);
    }
    match question.rules {
        Outcome::NoRule | Outcome::Allowed(_) | Outcome::Notified(_) => {}
        Outcome::Denied(_) => return refuse(Reason::LoginRule, None),
        Outcome::Unreadable { .. } => return refuse(Reason::LoginRuleUnreadable, None),
    }
    if question
        .limits
        .logins
        .is_some_and(|most| user.open_logins >= most)
    {
        return refuse(Reason::TooManyLogins, None);
    }
    if let Some(shown) = question.shown {
        if !shown.key && !shown.password {
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
        password: false,
        totp: false,
    };

    fn user() -> User {
        User {
            enabled: true,
            validity: Validity::default(),
            factor_at_login: Factor::None,
            seen_at: NOW,
            open_logins: 0,
        }
    }

    fn reason(user: Option<&User>, shown: Option<Shown>) -> Reason {
        let decision = decide(&Question {
            user,
            shown,
            rules: &Outcome::NoRule,
            limits: Limits::default(),
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
    fn what_was_set_for_everybody_has_its_answers() {
        let reason = |user: User, rules: Outcome, limits: Limits| {
            let question = Question {
                user: Some(&user),
                shown: Some(KEY),
                rules: &rules,
                limits,
                now: NOW,
            };
            decide(&question).reason
        };
        let away = |most, seen_at| {
            let limits = Limits {
                inactivity: Some(most),
                ..Limits::default()
            };
            let user = User {
                seen_at: Time(seen_at),
                ..user()
            };
            reason(user, Outcome::NoRule, limits)
        };
        assert_eq!(away(100, 899), Reason::Inactive);
        assert_eq!(away(100, 900), Reason::Allowed);
        // Seen in the future: the clock was put back.
        assert_eq!(away(100, 5000), Reason::Allowed);
        let open = |most, open_logins| {
            let limits = Limits {
                logins: Some(most),
                ..Limits::default()
            };
            let user = User {
                open_logins,
                ..user()
            };
            reason(user, Outcome::NoRule, limits)
        };
        assert_eq!(open(2, 2), Reason::TooManyLogins);
        assert_eq!(open(2, 1), Reason::Allowed);
        let rule = || "office".to_owned();
        for (outcome, expected) in [
            (Outcome::Allowed(rule()), Reason::Allowed),
            (Outcome::Notified(rule()), Reason::Allowed),
            (Outcome::Denied(rule()), Reason::LoginRule),
            (
                Outcome::Unreadable {
                    rule: rule(),
                    why: String::new(),
                },
                Reason::LoginRuleUnreadable,
            ),
        ] {
            assert_eq!(outcome.allows(), expected == Reason::Allowed);
            assert_eq!(reason(user(), outcome, Limits::default()), expected);
        }
    }

    #[test]
    fn a_code_alone_is_nothing_and_a_key_alone_is_not_a_factor() {
        let code_only = Shown {
            key: false,
            security_key: false,
            password: false,
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
