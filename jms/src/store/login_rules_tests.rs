use super::*;
use crate::nouns::{Mfa, UserGroup};
use crate::process;
use crate::store::tests::{self, Fixture};
use crate::store::{Actor, FactorKind, NewLogin};

/// A Friday, half past ten in UTC.
fn now() -> Time {
    Time::parse_rfc3339("2026-11-20T10:30:00Z").unwrap()
}

/// A store with alice in it.
fn fixture() -> Fixture {
    let mut f = tests::fixture();
    let high_water = f.store.paths().uid_high_water();
    change(&mut f, |change| {
        let alice = User::new("alice", now());
        change.add_user(&alice, 70_000..=70_009, &high_water, |_| false)
    })
    .unwrap();
    f
}

fn change<T>(
    f: &mut Fixture,
    work: impl FnOnce(&Change<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let actor = Actor {
        name: "root".into(),
        why: String::new(),
    };
    f.store.change(&actor, now(), work)
}

fn everybody(name: &str, verdict: Verdict) -> LoginRule {
    LoginRule {
        everybody: true,
        ..LoginRule::new(name, verdict, now())
    }
}

fn says(f: &Fixture, user: &str, source: &str) -> Outcome {
    let read = f.store.read();
    let user = read.user(user).unwrap();
    read.judge_login(&user, source.parse().ok(), now()).unwrap()
}

#[test]
fn a_rule_is_kept_as_it_was_written_and_says_what_it_says() {
    let mut f = fixture();
    let written = LoginRule {
        priority: 10,
        users: vec!["alice".into()],
        roles: vec!["admin".into()],
        sources: vec!["203.0.113.0/24".into(), "2001:db8::/32".into()],
        times: vec![
            "mon-fri 09:00-18:00 Asia/Shanghai".into(),
            "Fri 10:00-11:00 UTC".into(),
        ],
        ..LoginRule::new("office", Verdict::Notify, now())
    };
    let kept = change(&mut f, |change| change.add_login_rule(&written)).unwrap();
    assert_eq!(kept.times[0], "Mon-Fri 09:00-18:00 Asia/Shanghai");
    assert_eq!(kept.sources, written.sources);
    assert_eq!(f.store.read().login_rule("office").unwrap(), kept);
    assert_eq!(
        says(&f, "alice", "203.0.113.9"),
        Outcome::Notified("office".into())
    );
    assert_eq!(says(&f, "alice", "192.0.2.9"), Outcome::NoRule);
    let event = f.events("policy.change").pop().unwrap();
    assert_eq!(
        (event["object"].as_str(), event["name"].as_str()),
        (Some("login-rule"), Some("office"))
    );
    // The same again is no other rule.
    let error = change(&mut f, |change| change.add_login_rule(&written)).unwrap_err();
    assert!(matches!(error, StoreError::Exists { .. }), "{error}");
    change(&mut f, |change| change.remove_login_rule("office")).unwrap();
    assert_eq!(says(&f, "alice", "203.0.113.9"), Outcome::NoRule);
}

#[test]
fn the_end_of_the_hours_in_which_somebody_is_let_in_is_known_an_hour_before() {
    let mut f = fixture();
    let until = |f: &Fixture, at: &str| {
        let read = f.store.read();
        let user = read.user("alice").unwrap();
        let at = Time::parse_rfc3339(at).unwrap();
        read.lets_in_until(&user, "192.0.2.9".parse().ok(), at)
            .unwrap()
    };
    assert_eq!(until(&f, "2026-11-20T17:30:00Z"), None);
    let office = LoginRule {
        priority: 10,
        times: vec!["Mon-Fri 09:00-18:00 UTC".into()],
        ..everybody("office", Verdict::Allow)
    };
    let else_nobody = LoginRule {
        priority: 20,
        ..everybody("else-nobody", Verdict::Deny)
    };
    let elsewhere = LoginRule {
        priority: 5,
        sources: vec!["203.0.113.0/24".into()],
        times: vec!["Mon-Sun 00:00-17:40 UTC".into()],
        ..everybody("elsewhere", Verdict::Deny)
    };
    for rule in [&office, &else_nobody, &elsewhere] {
        change(&mut f, |change| change.add_login_rule(rule)).unwrap();
    }
    for (at, expected) in [
        ("2026-11-20T10:30:00Z", None),
        ("2026-11-20T16:59:59Z", None),
        ("2026-11-20T17:00:00Z", Some("2026-11-20T18:00:00Z")),
        ("2026-11-20T17:59:59Z", Some("2026-11-20T18:00:00Z")),
        // He is there, and would not be let in again.
        ("2026-11-20T18:00:30Z", Some("2026-11-20T18:00:30Z")),
    ] {
        let expected = expected.map(|text| Time::parse_rfc3339(text).unwrap());
        assert_eq!(until(&f, at), expected, "{at}");
    }
}

#[test]
fn what_could_not_be_read_later_is_refused_when_it_is_written() {
    let mut f = fixture();
    let good = everybody("rule", Verdict::Deny);
    let wrong: [(LoginRule, &str); 8] = [
        (
            LoginRule {
                sources: vec!["10.0.0.1/8".into()],
                ..good.clone()
            },
            "no network",
        ),
        (
            LoginRule {
                sources: vec!["office".into()],
                ..good.clone()
            },
            "no network",
        ),
        (
            LoginRule {
                times: vec!["Mon 09:00-18:00".into()],
                ..good.clone()
            },
            "time zone is missing",
        ),
        (
            LoginRule {
                times: vec!["Mon 09:00-18:00 asia/shanghai".into()],
                ..good.clone()
            },
            "did you mean Asia/Shanghai",
        ),
        (
            LoginRule {
                everybody: false,
                roles: vec!["king".into()],
                ..good.clone()
            },
            "no role",
        ),
        (
            LoginRule {
                everybody: false,
                ..good.clone()
            },
            "about everybody, or about",
        ),
        (
            LoginRule {
                users: vec!["alice".into()],
                ..good.clone()
            },
            "about everybody, or about",
        ),
        (
            LoginRule {
                priority: 0,
                ..good.clone()
            },
            "from 1 to 10000",
        ),
    ];
    for (rule, reason) in wrong {
        let error = change(&mut f, |change| change.add_login_rule(&rule)).unwrap_err();
        assert!(matches!(error, StoreError::Refused { .. }), "{error}");
        assert!(error.to_string().contains(reason), "{reason}: {error}");
    }
    for rule in [
        LoginRule {
            everybody: false,
            users: vec!["nobody".into()],
            ..good.clone()
        },
        LoginRule {
            everybody: false,
            user_groups: vec!["nobody".into()],
            ..good.clone()
        },
    ] {
        let error = change(&mut f, |change| change.add_login_rule(&rule)).unwrap_err();
        assert!(matches!(error, StoreError::NotFound { .. }), "{error}");
    }
    assert_eq!(f.store.read().login_rules().unwrap(), []);
}

#[test]
fn rules_are_asked_by_priority_and_the_stricter_of_two_first() {
    let mut f = fixture();
    change(&mut f, |change| {
        change.add_login_rule(&everybody("allow", Verdict::Allow))?;
        change.add_login_rule(&everybody("deny", Verdict::Deny))?;
        change.add_login_rule(&everybody("notify", Verdict::Notify))?;
        change.add_login_rule(&LoginRule {
            priority: 49,
            sources: vec!["198.51.100.0/24".into()],
            ..everybody("earlier", Verdict::Allow)
        })
    })
    .unwrap();
    let names: Vec<String> = f
        .store
        .read()
        .login_rules()
        .unwrap()
        .into_iter()
        .map(|rule| rule.name)
        .collect();
    assert_eq!(names, ["earlier", "deny", "notify", "allow"]);
    assert_eq!(
        says(&f, "alice", "192.0.2.9"),
        Outcome::Denied("deny".into())
    );
    assert_eq!(
        says(&f, "alice", "198.51.100.9"),
        Outcome::Allowed("earlier".into())
    );
}

#[test]
fn a_rule_is_about_users_their_groups_and_their_roles() {
    let mut f = fixture();
    change(&mut f, |change| {
        change.add_user_group(&UserGroup {
            users: vec!["alice".into()],
            ..UserGroup::new("team", now())
        })?;
        change.add_login_rule(&LoginRule {
            user_groups: vec!["team".into()],
            ..LoginRule::new("of-team", Verdict::Deny, now())
        })
    })
    .unwrap();
    assert_eq!(
        says(&f, "alice", "192.0.2.9"),
        Outcome::Denied("of-team".into())
    );
    let user = f.store.read().user("alice").unwrap();
    let (_, steps) = f.store.read().explain_login(&user, None, now()).unwrap();
    assert_eq!(steps.len(), 1);
    // Out of the group, out of the rule; the rule goes with the last whom it names.
    change(&mut f, |change| {
        let mut group = change.read().user_group("team")?;
        group.users.clear();
        change.set_user_group(&group)
    })
    .unwrap();
    assert_eq!(says(&f, "alice", "192.0.2.9"), Outcome::NoRule);
    let consequences = change(&mut f, |change| {
        change.remove_user_group("team")?;
        Ok(change.consequences())
    })
    .unwrap();
    assert_eq!(
        consequences,
        ["login rule of-team goes, too: nobody is left in it"]
    );
    assert_eq!(f.store.read().login_rules().unwrap(), []);
    // By role.
    change(&mut f, |change| {
        change.add_login_rule(&LoginRule {
            roles: vec!["auditor".into()],
            ..LoginRule::new("auditors", Verdict::Deny, now())
        })
    })
    .unwrap();
    assert_eq!(says(&f, "alice", "192.0.2.9"), Outcome::NoRule);
    change(&mut f, |change| {
        let mut user = change.read().user("alice")?;
        user.role = Role::Auditor;
        change.set_user(&user)
    })
    .unwrap();
    assert_eq!(
        says(&f, "alice", "192.0.2.9"),
        Outcome::Denied("auditors".into())
    );
}

#[test]
fn a_row_that_cannot_be_read_refuses_when_it_comes_up() {
    for (column, value) in [
        ("sources", "'10.0.0.0/8,x'"),
        ("times", "'Mon 09:00-18:00 Mars/Olympus'"),
        ("times", "'every day'"),
        ("roles", "'king'"),
        ("sources", "','"),
        ("sources", "'10.0.0.0/8,'"),
        ("times", "' ; '"),
        ("roles", "','"),
        ("sources", "CAST(x'ff00' AS TEXT)"),
    ] {
        let mut f = fixture();
        change(&mut f, |change| {
            change.add_login_rule(&everybody("broken", Verdict::Allow))
        })
        .unwrap();
        let everybody = if column == "roles" { 0 } else { 1 };
        let sql = format!("UPDATE login_rule SET {column} = {value}, everybody = {everybody}");
        f.store.connection.execute(&sql, []).unwrap();
        let outcome = says(&f, "alice", "10.1.2.3");
        assert!(
            matches!(&outcome, Outcome::Unreadable { rule, .. } if rule == "broken"),
            "{sql}: {outcome:?}"
        );
    }
    // It is shown, and can be removed.
    let mut f = fixture();
    change(&mut f, |change| {
        change.add_login_rule(&everybody("broken", Verdict::Allow))
    })
    .unwrap();
    f.store
        .connection
        .execute("UPDATE login_rule SET times = 'every day'", [])
        .unwrap();
    assert_eq!(
        f.store.read().login_rule("broken").unwrap().times,
        ["every day"]
    );
    change(&mut f, |change| change.remove_login_rule("broken")).unwrap();
}

fn new_login(user: &User) -> NewLogin<'_> {
    NewLogin {
        user,
        login_name: "alice",
        source: "203.0.113.7",
        source_port: None,
        key_type: "",
        fingerprint: "",
        factors: "publickey",
        factor_at: None,
        sshd: process::myself().unwrap(),
    }
}

#[test]
fn so_many_logins_and_no_more_and_those_that_are_gone_do_not_count() {
    let mut f = fixture();
    let user = f.store.read().user("alice").unwrap();
    let mut child = std::process::Command::new("sleep")
        .arg("1000")
        .spawn()
        .unwrap();
    let gone = process::stat(i32::try_from(child.id()).unwrap())
        .unwrap()
        .process;
    let left_behind = NewLogin {
        sshd: gone,
        ..new_login(&user)
    };
    f.store
        .open_login_within(&left_behind, Some(2), now())
        .unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    for open in 0..2 {
        assert_eq!(f.store.read().open_logins_of(&user).unwrap(), open);
        f.store
            .open_login_within(&new_login(&user), Some(2), now())
            .unwrap();
    }
    let refused = f.store.open_login_within(&new_login(&user), Some(2), now());
    assert!(matches!(
        refused,
        Err(StoreError::TooManyLogins { open: 2 })
    ));
    f.store
        .open_login_within(&new_login(&user), None, now())
        .unwrap();
}

#[test]
fn who_has_still_to_show_a_factor_was_here_when_he_has() {
    let mut f = fixture();
    change(&mut f, |change| {
        let mut alice = change.read().user("alice")?;
        alice.mfa = Mfa::Totp;
        change.set_user(&alice)
    })
    .unwrap();
    let user = f.store.read().user("alice").unwrap();
    let later = user.created_at.plus(1000);
    let login = f.store.open_login(&new_login(&user), later).unwrap();
    // With a key alone, which may be anybody's by now.
    assert_eq!(f.store.read().seen_at(&user).unwrap(), user.created_at);
    let passed = later.plus(1000);
    f.store
        .login_passed_factor(login.id.as_str(), FactorKind::Totp, passed)
        .unwrap();
    assert_eq!(f.store.read().seen_at(&user).unwrap(), passed);
}

#[test]
fn who_logs_in_or_is_let_in_again_was_here() {
    let mut f = fixture();
    let user = f.store.read().user("alice").unwrap();
    assert_eq!(f.store.read().seen_at(&user).unwrap(), user.created_at);
    let later = user.created_at.plus(1000);
    f.store.open_login(&new_login(&user), later).unwrap();
    assert_eq!(f.store.read().seen_at(&user).unwrap(), later);
    let let_in = now().max(later.plus(1000));
    let actor = Actor {
        name: "root".into(),
        why: String::new(),
    };
    f.store
        .change(&actor, let_in, |change| change.renew_activity(&user))
        .unwrap();
    assert_eq!(f.store.read().seen_at(&user).unwrap(), let_in);
}
