//! Which filters and rules apply where, and what becomes of them when what they are attached to goes.

use super::tests::{Fixture, fixture};
use super::*;
use crate::nouns::{Asset, AssetGroup, Filter, FilterRule, Scope, SystemUser, User, UserGroup};
use crate::time::Time;
use filter::{Matching, Verdict};

const NOW: Time = Time(1_800_000_000_000);

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// alice is in the group juniors, bob is not; web1 stands in /prod/web; system users dev and root.
fn policy() -> Fixture {
    let mut f = fixture();
    let high_water = f.store.paths().uid_high_water();
    f.change(|change| {
        for user in ["alice", "bob"] {
            change.add_user(&User::new(user, NOW), 70_000..=70_099, &high_water, |_| {
                false
            })?;
        }
        let mut juniors = UserGroup::new("juniors", NOW);
        juniors.users = names(&["alice"]);
        change.add_user_group(&juniors)?;
        change.add_asset_group(&AssetGroup::new("/prod/web", NOW))?;
        let mut web1 = Asset::new("web1", "192.0.2.1", NOW);
        web1.asset_groups = names(&["/prod/web"]);
        change.add_asset(&web1)?;
        change.add_asset(&Asset::new("db1", "192.0.2.2", NOW))?;
        change.add_system_user(&SystemUser::new("dev", NOW))?;
        change.add_system_user(&SystemUser::new("root", NOW))?;
        Ok(())
    })
    .unwrap();
    f
}

fn add(f: &mut Fixture, name: &str, scope: Scope) {
    let new = Filter {
        scope,
        ..Filter::new(name, NOW)
    };
    f.change(|change| change.add_filter(&new)).unwrap();
}

fn rule(filter: &str, text: &str) -> FilterRule {
    FilterRule::new(filter, Verdict::Deny, Matching::Command(text.into()), NOW)
}

/// Names of the filters that apply, with their rules.
fn applying(f: &Fixture, user: &str, asset: &str, system_user: &str) -> Vec<String> {
    let read = f.store.read();
    let texts = read.filters_for(user, asset, system_user).unwrap();
    texts
        .iter()
        .map(|filter| {
            let rules: Vec<&str> = filter
                .rules
                .iter()
                .map(|rule| rule.matching.text())
                .collect();
            format!("{}:{}", filter.name, rules.join(","))
        })
        .collect()
}

#[test]
fn a_filter_applies_where_people_places_and_system_users_all_agree() {
    let mut f = policy();
    add(&mut f, "nobody", Scope::default());
    add(
        &mut f,
        "alice",
        Scope {
            users: names(&["alice"]),
            ..Scope::default()
        },
    );
    add(
        &mut f,
        "juniors-on-prod",
        Scope {
            user_groups: names(&["juniors"]),
            asset_groups: names(&["/prod"]),
            ..Scope::default()
        },
    );
    add(
        &mut f,
        "root-on-db1",
        Scope {
            assets: names(&["db1"]),
            system_users: names(&["root"]),
            ..Scope::default()
        },
    );
    add(
        &mut f,
        "whole-tree",
        Scope {
            asset_groups: names(&["/"]),
            ..Scope::default()
        },
    );
    add(
        &mut f,
        "bob-or-juniors",
        Scope {
            users: names(&["bob"]),
            user_groups: names(&["juniors"]),
            ..Scope::default()
        },
    );
    assert_eq!(
        applying(&f, "alice", "web1", "dev"),
        [
            "alice:",
            "bob-or-juniors:",
            "juniors-on-prod:",
            "whole-tree:"
        ]
    );
    assert_eq!(
        applying(&f, "alice", "db1", "root"),
        ["alice:", "bob-or-juniors:", "root-on-db1:", "whole-tree:"]
    );
    assert_eq!(
        applying(&f, "bob", "web1", "root"),
        ["bob-or-juniors:", "whole-tree:"]
    );
}

#[test]
fn a_rule_with_a_scope_of_its_own_holds_only_there() {
    let mut f = policy();
    add(
        &mut f,
        "careful",
        Scope {
            asset_groups: names(&["/"]),
            ..Scope::default()
        },
    );
    f.change(|change| {
        change.add_filter_rule(&FilterRule {
            priority: 20,
            ..rule("careful", "reboot")
        })?;
        change.add_filter_rule(&FilterRule {
            priority: 10,
            everywhere: false,
            scope: Scope {
                users: names(&["alice"]),
                assets: names(&["db1"]),
                ..Scope::default()
            },
            ..rule("careful", "mysql")
        })?;
        change.add_filter_rule(&FilterRule {
            everywhere: false,
            ..rule("careful", "nowhere")
        })
    })
    .unwrap();
    assert_eq!(
        applying(&f, "alice", "db1", "dev"),
        ["careful:mysql,reboot"]
    );
    assert_eq!(applying(&f, "alice", "web1", "dev"), ["careful:reboot"]);
    assert_eq!(applying(&f, "bob", "db1", "dev"), ["careful:reboot"]);
}

#[test]
fn a_scope_whose_last_person_or_place_is_gone_holds_nowhere_and_not_everywhere() {
    let mut f = policy();
    let alice_on_web1 = Scope {
        users: names(&["alice"]),
        assets: names(&["web1"]),
        ..Scope::default()
    };
    add(&mut f, "pair", alice_on_web1.clone());
    add(
        &mut f,
        "tree",
        Scope {
            asset_groups: names(&["/"]),
            ..Scope::default()
        },
    );
    f.change(|change| {
        change.add_filter_rule(&FilterRule {
            everywhere: false,
            scope: alice_on_web1,
            ..rule("tree", "reboot")
        })
    })
    .unwrap();
    assert_eq!(
        applying(&f, "alice", "web1", "dev"),
        ["pair:", "tree:reboot"]
    );
    let consequences = f
        .change(|change| {
            change.remove_user("alice")?;
            Ok(change.consequences())
        })
        .unwrap();
    assert_eq!(
        consequences,
        [
            "rule 1 of filter tree holds nowhere any more",
            "filter pair applies nowhere any more"
        ]
    );
    assert_eq!(applying(&f, "bob", "web1", "dev"), ["tree:"]);
    let read = f.store.read();
    assert!(read.filter("pair").unwrap().scope.is_empty());
    let rule = read.filter_rule(1).unwrap();
    assert!(rule.scope.is_empty() && !rule.everywhere);
}

#[test]
fn who_is_gone_has_no_filters_but_an_error() {
    let f = policy();
    let read = f.store.read();
    assert!(read.filters_for("carol", "web1", "dev").is_err());
    assert!(read.filters_for("alice", "web9", "dev").is_err());
    assert!(read.filters_for("alice", "web1", "ops").is_err());
}

#[test]
fn a_rule_that_could_not_be_used_is_refused() {
    let mut f = policy();
    add(&mut f, "careful", Scope::default());
    let both = FilterRule {
        regex: Some("x".into()),
        ..rule("careful", "x")
    };
    let neither = FilterRule {
        command: None,
        ..rule("careful", "x")
    };
    let open = FilterRule {
        command: None,
        regex: Some("(".into()),
        ..rule("careful", "x")
    };
    for bad in [
        both,
        neither,
        open,
        rule("careful", ""),
        rule("careful", "a; b"),
    ] {
        let refused = f.change(|change| change.add_filter_rule(&bad));
        assert!(
            matches!(refused, Err(StoreError::Refused { .. })),
            "{bad:?}"
        );
    }
    assert_eq!(f.store.read().filter("careful").unwrap().rule_count, 0);
}

#[test]
fn rules_are_replaced_all_at_once_or_not_at_all() {
    let mut f = policy();
    add(&mut f, "careful", Scope::default());
    f.change(|change| change.add_filter_rule(&rule("careful", "reboot")))
        .unwrap();
    let broken = [rule("careful", "halt"), rule("careful", "")];
    assert!(
        f.change(|change| change.replace_filter_rules("careful", &broken))
            .is_err()
    );
    let texts = |f: &Fixture| -> Vec<String> {
        let rules = f.store.read().filter_rules("careful").unwrap();
        rules.into_iter().filter_map(|rule| rule.command).collect()
    };
    assert_eq!(texts(&f), ["reboot"]);
    let rules = [rule("careful", "halt"), rule("careful", "poweroff")];
    f.change(|change| change.replace_filter_rules("careful", &rules))
        .unwrap();
    assert_eq!(texts(&f), ["halt", "poweroff"]);
}

#[test]
fn rules_come_in_the_order_in_which_they_are_asked() {
    let mut f = policy();
    add(&mut f, "careful", Scope::default());
    for (priority, verdict) in [
        (50, Verdict::Allow),
        (50, Verdict::Warn),
        (50, Verdict::Deny),
        (50, Verdict::Confirm),
        (7, Verdict::Allow),
    ] {
        let new = FilterRule {
            priority,
            verdict,
            ..rule("careful", "x")
        };
        f.change(|change| change.add_filter_rule(&new)).unwrap();
    }
    let rules = f.store.read().filter_rules("careful").unwrap();
    let order: Vec<(u32, &str)> = rules
        .iter()
        .map(|rule| (rule.priority, rule.verdict.as_str()))
        .collect();
    assert_eq!(
        order,
        [
            (7, "allow"),
            (50, "deny"),
            (50, "confirm"),
            (50, "warn"),
            (50, "allow")
        ]
    );
}

#[test]
fn a_rule_that_is_never_reached_is_said_when_it_is_written() {
    let mut f = policy();
    add(&mut f, "careful", Scope::default());
    let mut consequences = |new: FilterRule| {
        f.change(|change| {
            change.add_filter_rule(&new)?;
            Ok(change.consequences())
        })
        .unwrap()
    };
    assert_eq!(consequences(rule("careful", "rm")), Vec::<String>::new());
    assert_eq!(
        consequences(rule("careful", "rm -rf")),
        ["rule 2 is never reached: rule 1 speaks first of all that it looks for"]
    );
    let for_alice = FilterRule {
        everywhere: false,
        scope: Scope {
            users: names(&["alice"]),
            ..Scope::default()
        },
        priority: 1,
        ..rule("careful", "rm")
    };
    assert_eq!(consequences(for_alice), Vec::<String>::new());
}
