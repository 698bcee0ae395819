//! How a login stands to the second factor that is demanded of its user. Pure; asked by the session program before
//! anything else, and under the write lock of each session that is opened.
#![forbid(unsafe_code)]

use super::factor::FactorPolicy;
use crate::nouns::{Login, Mfa, MfaAsked};
use crate::store::FactorKind;
use crate::time::Time;

/// How a login stands to the factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactorStanding {
    /// None is demanded, or it was passed.
    Passed,
    /// It was passed a short while ago, with the same key from the same address: then.
    Remembered(Time),
    /// The session program has to ask for it.
    Asked,
    /// The user has none yet: nothing but enrolling is open.
    ToEnrol,
    /// It was enrolled after the login began, in another one.
    LaterEnrolled,
    /// The login should not have been opened without it.
    Missing,
}

/// Judges. `remembered`: when the same user passed a factor with the same key from the same address, if that still counts.
#[must_use]
pub fn factor_standing(
    policy: &FactorPolicy,
    login: &Login,
    remembered: Option<Time>,
) -> FactorStanding {
    let passed = login.factor_at.is_some();
    match policy.demanded {
        Mfa::Off => return FactorStanding::Passed,
        Mfa::SecurityKey if passed => return FactorStanding::Passed,
        Mfa::SecurityKey => return FactorStanding::Missing,
        Mfa::Any if passed => return FactorStanding::Passed,
        // A security key is no code.
        Mfa::Totp if passed && has_code(login) => return FactorStanding::Passed,
        Mfa::Any | Mfa::Totp => {}
    }
    let Some(enrolled) = policy.totp_since else {
        return FactorStanding::ToEnrol;
    };
    match (policy.asked, remembered) {
        (MfaAsked::Session, Some(at)) => FactorStanding::Remembered(at),
        (MfaAsked::Session, None) => FactorStanding::Asked,
        (MfaAsked::Login, _) if login.opened_at < enrolled => FactorStanding::LaterEnrolled,
        // The session phase of PAM lets nobody in without it.
        (MfaAsked::Login, _) if passed => FactorStanding::Passed,
        (MfaAsked::Login, _) => FactorStanding::Missing,
    }
}

/// Whether a code is among what was passed.
fn has_code(login: &Login) -> bool {
    let codes = [
        FactorKind::Totp,
        FactorKind::Recovery,
        FactorKind::Remembered,
    ];
    login
        .factors
        .split(',')
        .any(|word| codes.iter().any(|kind| kind.as_str() == word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nouns::Role;
    use crate::policy::FactorSource;

    fn policy(demanded: Mfa, asked: MfaAsked, totp_since: Option<i64>) -> FactorPolicy {
        FactorPolicy {
            demanded,
            because_of: FactorSource::User,
            role: Role::User,
            asked,
            totp_since: totp_since.map(Time),
            recovery_codes: 10,
        }
    }

    /// Opened at 100.
    fn login(factors: &str, factor_at: Option<i64>) -> Login {
        Login {
            id: "l".into(),
            user: "alice".into(),
            uid: 70_000,
            login_name: "alice".into(),
            source: "192.0.2.1".into(),
            source_port: None,
            key_type: "ssh-ed25519".into(),
            key: "SHA256:x".into(),
            factors: factors.into(),
            factor_at: factor_at.map(Time),
            sshd_pid: 1,
            sshd_started: 1,
            opened_at: Time(100),
            closed_at: None,
            close_reason: None,
        }
    }

    #[test]
    fn without_a_demand_nothing_is_asked() {
        for asked in [MfaAsked::Login, MfaAsked::Session] {
            let policy = policy(Mfa::Off, asked, None);
            assert_eq!(
                factor_standing(&policy, &login("publickey", None), None),
                FactorStanding::Passed
            );
        }
    }

    #[test]
    fn who_has_none_enrols_wherever_it_is_asked() {
        for asked in [MfaAsked::Login, MfaAsked::Session] {
            for mfa in [Mfa::Totp, Mfa::Any] {
                let policy = policy(mfa, asked, None);
                let login = login("publickey", None);
                // What was remembered belongs to a factor that is gone.
                let standing = factor_standing(&policy, &login, Some(Time(99)));
                assert_eq!(standing, FactorStanding::ToEnrol, "{asked} {mfa}");
            }
        }
    }

    #[test]
    fn in_the_session_it_is_asked_unless_it_was_passed_or_is_remembered() {
        let policy = policy(Mfa::Totp, MfaAsked::Session, Some(50));
        let bare = login("publickey", None);
        assert_eq!(factor_standing(&policy, &bare, None), FactorStanding::Asked);
        assert_eq!(
            factor_standing(&policy, &bare, Some(Time(60))),
            FactorStanding::Remembered(Time(60))
        );
        for word in ["totp", "recovery", "remembered"] {
            let login = login(&format!("publickey,{word}"), Some(101));
            assert_eq!(
                factor_standing(&policy, &login, None),
                FactorStanding::Passed,
                "{word}"
            );
        }
    }

    #[test]
    fn a_security_key_is_a_factor_where_any_will_do_and_no_code() {
        let by_key = login("publickey", Some(100));
        for (mfa, enrolled, expected) in [
            (Mfa::SecurityKey, None, FactorStanding::Passed),
            (Mfa::Any, None, FactorStanding::Passed),
            (Mfa::Totp, None, FactorStanding::ToEnrol),
            (Mfa::Totp, Some(50), FactorStanding::Asked),
        ] {
            let policy = policy(mfa, MfaAsked::Session, enrolled);
            assert_eq!(factor_standing(&policy, &by_key, None), expected, "{mfa}");
        }
        let policy = policy(Mfa::SecurityKey, MfaAsked::Session, Some(50));
        assert_eq!(
            factor_standing(&policy, &login("publickey", None), None),
            FactorStanding::Missing
        );
    }

    #[test]
    fn a_login_that_should_have_passed_it_and_did_not_is_out_of_order() {
        let policy = |since| policy(Mfa::Totp, MfaAsked::Login, Some(since));
        let bare = login("publickey", None);
        assert_eq!(
            factor_standing(&policy(50), &bare, None),
            FactorStanding::Missing
        );
        assert_eq!(
            factor_standing(&policy(50), &bare, Some(Time(99))),
            FactorStanding::Missing
        );
        assert_eq!(
            factor_standing(&policy(101), &bare, None),
            FactorStanding::LaterEnrolled
        );
        let passed = login("publickey,keyboard-interactive", Some(100));
        assert_eq!(
            factor_standing(&policy(50), &passed, None),
            FactorStanding::Passed
        );
        // It was opened to enrol, with a security key that passes for nothing here.
        assert_eq!(
            factor_standing(&policy(101), &passed, None),
            FactorStanding::LaterEnrolled
        );
    }
}
