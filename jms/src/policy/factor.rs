//! Which second factor is demanded of a user, why, and where it is asked for. Pure.
#![forbid(unsafe_code)]

use super::login::Factor;
use crate::nouns::{Mfa, MfaAsked, Role, words};
use crate::time::Time;
use serde::Serialize;

words! {
    /// What demands a user's second factor.
    FactorSource {
        /// Nothing: none is demanded.
        Nobody = "nobody",
        /// The user's own row (`user set --mfa`).
        User = "user",
        /// The policy of the user's role (`defaults set --mfa-admin …`).
        Role = "role",
    }
}

/// How strict each is: a later one is never replaced by an earlier one.
fn strictness(mfa: Mfa) -> u8 {
    match mfa {
        Mfa::Off => 0,
        Mfa::Any => 1,
        Mfa::Totp => 2,
        Mfa::SecurityKey => 3,
    }
}

/// Whether `new` asks less of a user than `old`, or asks it later: in the session, past sshd.
#[must_use]
pub fn is_weaker(new: (Mfa, MfaAsked), old: (Mfa, MfaAsked)) -> bool {
    let later = new.1 == MfaAsked::Session && old.1 == MfaAsked::Login;
    strictness(new.0) < strictness(old.0) || (later && old.0 != Mfa::Off)
}

/// The stricter of what the user's own row and the policy of the role demand: neither takes away what the other asks.
#[must_use]
pub fn demanded(own: Mfa, of_role: Mfa) -> (Mfa, FactorSource) {
    match (own, of_role) {
        (Mfa::Off, Mfa::Off) => (Mfa::Off, FactorSource::Nobody),
        _ if strictness(of_role) > strictness(own) => (of_role, FactorSource::Role),
        _ => (own, FactorSource::User),
    }
}

/// Whether sshd has to ask for the factor. A security key alone is never asked for: only such keys are published.
#[must_use]
pub fn sshd_asks(demanded: Mfa, asked: MfaAsked) -> bool {
    matches!(demanded, Mfa::Totp | Mfa::Any) && asked == MfaAsked::Login
}

/// What stands about one user's second factor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FactorPolicy {
    /// What is demanded.
    pub demanded: Mfa,
    /// What demands it.
    pub because_of: FactorSource,
    /// The role whose policy counts.
    pub role: Role,
    /// Where it is asked for.
    pub asked: MfaAsked,
    /// Since when the user has an authenticator app enrolled; null: none.
    pub totp_since: Option<Time>,
    /// How many recovery codes are left.
    pub recovery_codes: u32,
}

impl FactorPolicy {
    /// Whether sshd asks for it at login.
    #[must_use]
    pub fn sshd_asks(&self) -> bool {
        sshd_asks(self.demanded, self.asked)
    }

    /// What a login must have shown to be let in at all. Who has to enrol is let in without, and gets nothing but that.
    #[must_use]
    pub fn at_login(&self) -> Factor {
        match self.demanded {
            Mfa::SecurityKey => Factor::SecurityKey,
            _ if self.must_enrol() => Factor::None,
            Mfa::Totp if self.sshd_asks() => Factor::Totp,
            Mfa::Any if self.sshd_asks() => Factor::Any,
            Mfa::Off | Mfa::Totp | Mfa::Any => Factor::None,
        }
    }

    /// Whether the session program asks for it.
    #[must_use]
    pub fn session_asks(&self) -> bool {
        matches!(self.demanded, Mfa::Totp | Mfa::Any) && self.asked == MfaAsked::Session
    }

    /// Whether an authenticator app is enrolled.
    #[must_use]
    pub fn is_enrolled(&self) -> bool {
        self.totp_since.is_some()
    }

    /// Whether a code is demanded and the user has nothing that makes one: only enrolling is open to the login then,
    /// unless its key was a security key that verified its person and either is good (`any`).
    #[must_use]
    pub fn must_enrol(&self) -> bool {
        matches!(self.demanded, Mfa::Totp | Mfa::Any) && !self.is_enrolled()
    }

    /// Which factor applies and why, for people.
    #[must_use]
    pub fn in_words(&self) -> String {
        let why = match self.because_of {
            FactorSource::Nobody => return "no second factor is demanded".to_owned(),
            FactorSource::User => "set for this user".to_owned(),
            FactorSource::Role => format!("policy of the role {}", self.role),
        };
        let what = match self.demanded {
            Mfa::Off => return "no second factor is demanded".to_owned(),
            Mfa::Totp => "a code of an authenticator app",
            Mfa::SecurityKey => {
                return format!("only security keys that verify their person ({why})");
            }
            Mfa::Any => {
                "a code of an authenticator app, or a security key that verifies its person"
            }
        };
        let place = match self.asked {
            MfaAsked::Login => "at login",
            MfaAsked::Session => "in the session",
        };
        let state = match self.is_enrolled() {
            true => format!("enrolled, {} recovery codes left", self.recovery_codes),
            false => "not enrolled yet".to_owned(),
        };
        format!("{what}, asked {place} ({why}); {state}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stricter_of_user_and_role_counts_and_says_whose_it_is() {
        for own in Mfa::ALL.iter().copied() {
            for of_role in Mfa::ALL.iter().copied() {
                let (mfa, source) = demanded(own, of_role);
                assert!(
                    strictness(mfa) >= strictness(own) && strictness(mfa) >= strictness(of_role)
                );
                match source {
                    FactorSource::Nobody => assert_eq!((own, of_role), (Mfa::Off, Mfa::Off)),
                    FactorSource::User => assert_eq!(mfa, own),
                    FactorSource::Role => assert_eq!(mfa, of_role),
                }
            }
        }
        assert_eq!(
            demanded(Mfa::Any, Mfa::Totp),
            (Mfa::Totp, FactorSource::Role)
        );
        assert_eq!(demanded(Mfa::SecurityKey, Mfa::Totp).0, Mfa::SecurityKey);
    }

    #[test]
    fn less_or_later_is_weaker_and_more_is_not() {
        let (login, session) = (MfaAsked::Login, MfaAsked::Session);
        for (new, old, expected) in [
            ((Mfa::Off, login), (Mfa::Any, login), true),
            ((Mfa::Any, login), (Mfa::Totp, login), true),
            ((Mfa::Totp, session), (Mfa::Totp, login), true),
            ((Mfa::Totp, login), (Mfa::Totp, session), false),
            ((Mfa::SecurityKey, login), (Mfa::Totp, login), false),
            ((Mfa::Totp, session), (Mfa::Off, login), false),
            ((Mfa::Off, login), (Mfa::Off, login), false),
        ] {
            assert_eq!(is_weaker(new, old), expected, "{new:?} {old:?}");
        }
    }

    #[test]
    fn sshd_asks_for_codes_at_login_and_for_nothing_else() {
        for asked in MfaAsked::ALL.iter().copied() {
            assert!(!sshd_asks(Mfa::Off, asked));
            assert!(!sshd_asks(Mfa::SecurityKey, asked));
            assert_eq!(sshd_asks(Mfa::Totp, asked), asked == MfaAsked::Login);
            assert_eq!(sshd_asks(Mfa::Any, asked), asked == MfaAsked::Login);
        }
    }

    #[test]
    fn a_login_needs_what_sshd_asks_for_and_who_has_to_enrol_needs_nothing_yet() {
        let policy = |demanded, asked, totp_since| FactorPolicy {
            demanded,
            because_of: FactorSource::User,
            role: Role::User,
            asked,
            totp_since,
            recovery_codes: 0,
        };
        let enrolled = Some(Time(1));
        for (demanded, asked, totp_since, expected) in [
            (Mfa::Off, MfaAsked::Login, enrolled, Factor::None),
            (Mfa::Totp, MfaAsked::Login, enrolled, Factor::Totp),
            (Mfa::Any, MfaAsked::Login, enrolled, Factor::Any),
            (Mfa::Totp, MfaAsked::Session, enrolled, Factor::None),
            (Mfa::Totp, MfaAsked::Login, None, Factor::None),
            (Mfa::SecurityKey, MfaAsked::Login, None, Factor::SecurityKey),
            (
                Mfa::SecurityKey,
                MfaAsked::Session,
                None,
                Factor::SecurityKey,
            ),
        ] {
            let policy = policy(demanded, asked, totp_since);
            assert_eq!(policy.at_login(), expected, "{policy:?}");
        }
    }

    #[test]
    fn the_words_say_what_applies_and_why() {
        let mut policy = FactorPolicy {
            demanded: Mfa::Totp,
            because_of: FactorSource::Role,
            role: Role::Admin,
            asked: MfaAsked::Login,
            totp_since: None,
            recovery_codes: 0,
        };
        assert_eq!(
            policy.in_words(),
            "a code of an authenticator app, asked at login (policy of the role admin); not enrolled yet"
        );
        assert!(policy.must_enrol() && policy.sshd_asks() && !policy.session_asks());
        policy.totp_since = Some(Time(1));
        policy.recovery_codes = 10;
        assert!(!policy.must_enrol() && policy.in_words().ends_with("10 recovery codes left"));
        policy.demanded = Mfa::SecurityKey;
        assert!(policy.in_words().starts_with("only security keys"));
    }
}
