use super::*;
use proptest::prelude::*;

const NOW: Time = Time(1_000_000);

fn grant(name: &str, rights: &str) -> Grant {
    Grant {
        name: name.into(),
        rights: Rights::parse(rights).unwrap(),
        validity: Validity::default(),
        require_mfa: None,
    }
}

fn facts(grants: Vec<Grant>) -> Facts {
    Facts {
        user: User {
            name: "alice".into(),
            enabled: true,
            validity: Validity::default(),
        },
        login: Login {
            factor_at: None,
            session_since: None,
            key: Key::NotAsked,
        },
        asset: Asset {
            name: "web1".into(),
            active: true,
        },
        obstacle: None,
        system_user: "dev".into(),
        grants,
        running: Counts::default(),
        limits: Counts::default(),
    }
}

#[test]
fn nothing_is_allowed_without_a_grant() {
    for channel in Channel::ALL {
        let decision = decide(&facts(vec![]), channel, NOW);
        assert!(!decision.allow);
        assert_eq!(decision.reason, Reason::NotGranted);
    }
}

#[test]
fn rights_add_up_over_grants_and_the_missing_one_is_named() {
    let upload = grant("up", "upload");
    let decision = decide(&facts(vec![upload.clone()]), Channel::Sftp, NOW);
    assert_eq!(
        decision.reason.to_string(),
        "no grant gives the right download"
    );
    let decision = decide(
        &facts(vec![upload, grant("down", "download")]),
        Channel::Sftp,
        NOW,
    );
    assert_eq!(
        decision.reason,
        Reason::Granted {
            by: vec!["up".into(), "down".into()]
        }
    );
}

#[test]
fn exec_is_not_shell() {
    assert!(!decide(&facts(vec![grant("g", "exec")]), Channel::Shell, NOW).allow);
    assert!(!decide(&facts(vec![grant("g", "shell")]), Channel::Exec, NOW).allow);
}

#[test]
fn a_disabled_user_an_expired_one_and_an_inactive_asset_are_refused() {
    let granted = facts(vec![grant("g", "shell")]);
    let mut disabled = granted.clone();
    disabled.user.enabled = false;
    assert_eq!(
        decide(&disabled, Channel::Shell, NOW).reason,
        Reason::UserDisabled
    );
    let mut expired = granted.clone();
    expired.user.validity.until = Some(NOW);
    assert_eq!(
        decide(&expired, Channel::Shell, NOW).reason,
        Reason::UserNotValid
    );
    let mut inactive = granted;
    inactive.asset.active = false;
    assert_eq!(
        decide(&inactive, Channel::Shell, NOW).reason,
        Reason::AssetInactive
    );
}

#[test]
fn a_session_lives_on_the_key_of_its_login() {
    let mut facts = facts(vec![grant("g", "shell")]);
    facts.login.key = Key::Held {
        until: Some(Time(NOW.0 + 5)),
    };
    let decision = decide(&facts, Channel::Shell, NOW);
    assert_eq!(decision.limits.until, Some(Time(NOW.0 + 5)));
    let decision = decide(&facts, Channel::Shell, Time(NOW.0 + 5));
    assert_eq!(decision.reason, Reason::KeyExpired);
    facts.login.key = Key::Removed;
    assert_eq!(
        decide(&facts, Channel::Shell, NOW).reason,
        Reason::KeyRemoved
    );
}

#[test]
fn a_session_ends_when_the_last_grant_of_a_needed_right_does() {
    let mut short = grant("short", "upload,download");
    short.validity.until = Some(Time(NOW.0 + 10));
    let mut long = grant("long", "upload");
    long.validity.until = Some(Time(NOW.0 + 99));
    let decision = decide(&facts(vec![short.clone(), long]), Channel::Sftp, NOW);
    assert_eq!(
        decision.limits.until,
        Some(Time(NOW.0 + 10)),
        "download ends first"
    );
    let decision = decide(
        &facts(vec![short, grant("ever", "upload,download")]),
        Channel::Sftp,
        NOW,
    );
    assert_eq!(decision.limits.until, None);
}

#[test]
fn a_demanded_factor_must_be_fresh_and_not_from_the_future() {
    let mut demanding = grant("g", "shell");
    demanding.require_mfa = Some(900_000);
    let mut facts = facts(vec![demanding]);
    let decision = decide(&facts, Channel::Shell, NOW);
    assert_eq!(
        (decision.allow, decision.factor_needed),
        (false, Some(900_000))
    );
    facts.login.factor_at = Some(Time(NOW.0 - 900_000));
    assert!(decide(&facts, Channel::Shell, NOW).allow);
    facts.login.factor_at = Some(Time(NOW.0 - 900_001));
    assert!(!decide(&facts, Channel::Shell, NOW).allow);
    // It had to be fresh when the session was opened; that time goes by does not end it.
    facts.login.session_since = Some(Time(NOW.0 - 1));
    assert!(decide(&facts, Channel::Shell, NOW).allow);
    facts.login.session_since = None;
    facts.login.factor_at = Some(Time(NOW.0 + 1));
    assert!(!decide(&facts, Channel::Shell, NOW).allow);
}

#[test]
fn each_limit_is_its_own_refusal() {
    let mut facts = facts(vec![grant("g", "shell")]);
    facts.limits.asset = Some(2);
    facts.running.asset = Some(1);
    assert!(decide(&facts, Channel::Shell, NOW).allow);
    facts.running.asset = Some(2);
    assert_eq!(
        decide(&facts, Channel::Shell, NOW).reason,
        Reason::LimitReached(Limit::Asset)
    );
}

fn any_grant() -> impl Strategy<Value = Grant> {
    let end = proptest::option::of(0i64..2_000_000).prop_map(|at| at.map(Time));
    (
        proptest::sample::subsequence(Right::ALL.to_vec(), 0..=6),
        end.clone(),
        end,
        proptest::option::of(0i64..2_000_000),
    )
        .prop_map(|(rights, from, until, require_mfa)| Grant {
            name: "g".into(),
            rights: rights.into_iter().collect(),
            validity: Validity { from, until },
            require_mfa,
        })
}

proptest! {
    /// The definition, written a second time and the slow way.
    #[test]
    fn allowed_exactly_when_each_needed_right_is_in_a_usable_grant(
        grants in proptest::collection::vec(any_grant(), 0..5),
        factor_at in proptest::option::of(0i64..2_000_000),
        which in 0usize..Channel::ALL.len(),
    ) {
        let channel = Channel::ALL[which];
        let mut facts = facts(grants.clone());
        facts.login.factor_at = factor_at.map(Time);
        let usable = |grant: &&Grant| {
            grant.validity.from.is_none_or(|from| from <= NOW)
                && grant.validity.until.is_none_or(|until| NOW < until)
                && grant.require_mfa.is_none_or(|age| factor_at.is_some_and(|at| at <= NOW.0 && NOW.0 - at <= age))
        };
        let expected = channel.needs().iter().all(|right| grants.iter().filter(usable).any(|grant| grant.rights.has(right)));
        prop_assert_eq!(decide(&facts, channel, NOW).allow, expected);
    }

    #[test]
    fn one_more_grant_never_takes_a_right_away(
        grants in proptest::collection::vec(any_grant(), 0..4), more in any_grant(), which in 0usize..Channel::ALL.len(),
    ) {
        let channel = Channel::ALL[which];
        let before = decide(&facts(grants.clone()), channel, NOW).allow;
        let after = decide(&facts(grants.into_iter().chain([more]).collect()), channel, NOW).allow;
        prop_assert!(!before || after);
    }

    #[test]
    fn the_end_that_is_promised_is_the_end(
        grants in proptest::collection::vec(any_grant(), 0..5), which in 0usize..Channel::ALL.len(),
    ) {
        let channel = Channel::ALL[which];
        let facts = facts(grants.into_iter().map(|grant| Grant { require_mfa: None, ..grant }).collect());
        let decision = decide(&facts, channel, NOW);
        if let (true, Some(until)) = (decision.allow, decision.limits.until) {
            prop_assert!(!facts.grants.iter().any(|grant| grant.validity.from.is_some_and(|from| from > NOW))
                && !decide(&facts, channel, until).allow
                || decide(&facts, channel, Time(until.0 - 1)).allow);
        }
    }
}

#[test]
fn a_way_that_cannot_be_gone_is_told_to_whom_it_is_granted_and_to_nobody_else() {
    let blocked = |grants| Facts {
        obstacle: Some(Obstacle::Inactive("gw1".into())),
        ..facts(grants)
    };
    let decision = decide(&blocked(vec![grant("all", "shell")]), Channel::Shell, NOW);
    assert!(!decision.allow);
    assert_eq!(decision.reason.as_str(), "no-way");
    assert_eq!(decision.reason.to_string(), "the gateway gw1 is not active");
    let decision = decide(&blocked(vec![]), Channel::Shell, NOW);
    assert_eq!(decision.reason, Reason::NotGranted);
}
