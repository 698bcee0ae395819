//! Random policies, judged by a second opinion that knows neither SQL nor the decision's code: what is
//! listed, what is decided and what is opened must all say the same as it does.

use super::tests::{Fixture, fixture, myself};
use super::*;
use crate::id::Id;
use crate::nouns::{Asset, AssetGroup, Grant, Login, Site, SystemUser, User, UserGroup};
use crate::policy::{Channel, Right, Rights, Validity, access, decide};
use crate::time::Time;
use proptest::prelude::*;
use std::collections::BTreeSet;

const NOW: Time = Time(1_800_000_000_000);
const USERS: [&str; 3] = ["alice", "bob", "carol"];
const USER_GROUPS: [&str; 2] = ["red", "blue"];
const ASSETS: [&str; 4] = ["web1", "web2", "db1", "edge1"];
/// Each after the one above it.
const PLACES: [&str; 5] = ["/", "/prod", "/prod/web", "/prod-old", "/test"];
const SITES: [&str; 2] = ["north", "south"];
const SYSTEM_USERS: [&str; 2] = ["dev", "dba"];

/// A policy as plain sets of numbers into the names above.
#[derive(Debug, Clone)]
struct Policy {
    users: Vec<(bool, Validity, BTreeSet<usize>)>,
    assets: Vec<(bool, BTreeSet<usize>, Option<usize>)>,
    grants: Vec<Given>,
}

#[derive(Debug, Clone)]
struct Given {
    users: BTreeSet<usize>,
    user_groups: BTreeSet<usize>,
    assets: BTreeSet<usize>,
    places: BTreeSet<usize>,
    sites: BTreeSet<usize>,
    system_users: BTreeSet<usize>,
    rights: Rights,
    validity: Validity,
}

impl Policy {
    /// The second opinion: the rights of the grants that hold and join the three.
    fn rights(&self, user: usize, asset: usize, system_user: usize) -> Rights {
        let (enabled, validity, groups) = &self.users[user];
        let (active, places, site) = &self.assets[asset];
        let within = |validity: &Validity| {
            validity.from.is_none_or(|from| from.0 <= NOW.0)
                && validity.until.is_none_or(|until| NOW.0 < until.0)
        };
        if !enabled || !active || !within(validity) {
            return Rights::NONE;
        }
        let covers = |place: &usize| {
            let root = PLACES[*place];
            let below = |stands: &usize| {
                PLACES[*stands] == root || PLACES[*stands].starts_with(&format!("{root}/"))
            };
            root == "/" || places.iter().any(below)
        };
        let joins = |grant: &&Given| {
            within(&grant.validity)
                && (grant.users.contains(&user) || !grant.user_groups.is_disjoint(groups))
                && (grant.assets.contains(&asset)
                    || grant.places.iter().any(covers)
                    || site.is_some_and(|site| grant.sites.contains(&site)))
                && grant.system_users.contains(&system_user)
        };
        let joining = self.grants.iter().filter(joins);
        joining.fold(Rights::NONE, |set, grant| set.union(grant.rights))
    }

    /// Writes it all with the functions that administrators use.
    fn store(&self) -> Fixture {
        let mut f = fixture();
        let high_water = f.store.paths().uid_high_water();
        let named = |names: &[&str], chosen: &BTreeSet<usize>| -> Vec<String> {
            chosen.iter().map(|one| names[*one].to_owned()).collect()
        };
        f.change(|change| {
            for name in USER_GROUPS {
                change.add_user_group(&UserGroup::new(name, NOW))?;
            }
            for name in SITES {
                change.add_site(&Site::new(name, NOW))?;
            }
            for place in &PLACES[1..] {
                if change.read().asset_group(place).is_err() {
                    change.add_asset_group(&AssetGroup::new(place, NOW))?;
                }
            }
            for name in SYSTEM_USERS {
                change.add_system_user(&SystemUser::new(name, NOW))?;
            }
            for (name, (enabled, validity, groups)) in USERS.iter().zip(&self.users) {
                let user = User {
                    enabled: *enabled,
                    valid_from: validity.from,
                    valid_until: validity.until,
                    user_groups: named(&USER_GROUPS, groups),
                    ..User::new(name, NOW)
                };
                change.add_user(&user, 70_000..=70_099, &high_water, |_| false)?;
            }
            for (name, (active, places, site)) in ASSETS.iter().zip(&self.assets) {
                change.add_asset(&Asset {
                    active: *active,
                    asset_groups: named(&PLACES, places),
                    site: site.map(|site| SITES[site].to_owned()),
                    ..Asset::new(name, "198.51.100.1", NOW)
                })?;
            }
            for (number, grant) in self.grants.iter().enumerate() {
                change.add_grant(&Grant {
                    users: named(&USERS, &grant.users),
                    user_groups: named(&USER_GROUPS, &grant.user_groups),
                    assets: named(&ASSETS, &grant.assets),
                    asset_groups: named(&PLACES, &grant.places),
                    sites: named(&SITES, &grant.sites),
                    system_users: named(&SYSTEM_USERS, &grant.system_users),
                    rights: grant.rights,
                    valid_from: grant.validity.from,
                    valid_until: grant.validity.until,
                    ..Grant::new(&format!("g{number}"), NOW)
                })?;
            }
            Ok(())
        })
        .unwrap();
        f
    }

    /// The same after the object is gone from everything that names it.
    fn without(&self, gone: Gone) -> Self {
        let mut left = self.clone();
        for grant in &mut left.grants {
            match gone {
                Gone::User(one) => grant.users.remove(&one),
                Gone::UserGroup(one) => grant.user_groups.remove(&one),
                Gone::Asset(one) => grant.assets.remove(&one),
                Gone::Place(one) => {
                    let root = format!("{}/", PLACES[one]);
                    grant
                        .places
                        .retain(|place| *place != one && !PLACES[*place].starts_with(&root));
                    true
                }
                Gone::Site(one) => grant.sites.remove(&one),
                Gone::SystemUser(one) => grant.system_users.remove(&one),
            };
        }
        for (_, _, groups) in &mut left.users {
            if let Gone::UserGroup(one) = gone {
                groups.remove(&one);
            }
        }
        for (_, places, site) in &mut left.assets {
            match gone {
                Gone::Place(one) => {
                    let root = format!("{}/", PLACES[one]);
                    places.retain(|place| *place != one && !PLACES[*place].starts_with(&root));
                }
                Gone::Site(one) if *site == Some(one) => *site = None,
                _ => {}
            }
        }
        left
    }
}

/// What is removed.
#[derive(Debug, Clone, Copy)]
enum Gone {
    User(usize),
    UserGroup(usize),
    Asset(usize),
    Place(usize),
    Site(usize),
    SystemUser(usize),
}

impl Gone {
    fn remove(self, change: &Change<'_>) -> Result<(), StoreError> {
        match self {
            Self::User(one) => change.remove_user(USERS[one]).map(drop),
            Self::UserGroup(one) => change.remove_user_group(USER_GROUPS[one]).map(drop),
            Self::Asset(one) => change.remove_asset(ASSETS[one]).map(drop),
            Self::Place(one) => change.remove_asset_group(PLACES[one]).map(drop),
            Self::Site(one) => change.remove_site(SITES[one]).map(drop),
            Self::SystemUser(one) => change.remove_system_user(SYSTEM_USERS[one]).map(drop),
        }
    }
}

fn some_of(names: &'static [&'static str], most: usize) -> impl Strategy<Value = BTreeSet<usize>> {
    prop::collection::btree_set(0..names.len(), 0..=most)
}

/// Mostly open; else around the moment of the question, its very edges included.
fn validity() -> impl Strategy<Value = Validity> {
    let edge = prop_oneof![
        6 => Just(None),
        1 => (-1i64..=1).prop_map(Some),
        1 => (-1000i64..1000).prop_map(Some),
    ];
    (edge.clone(), edge).prop_map(|(from, until)| {
        let at = |offset: Option<i64>| offset.map(|offset| Time(NOW.0 + offset));
        match (from, until) {
            (Some(a), Some(b)) if a >= b => Validity {
                from: at(Some(b - 1)),
                until: at(Some(a)),
            },
            _ => Validity {
                from: at(from),
                until: at(until),
            },
        }
    })
}

fn given() -> impl Strategy<Value = Given> {
    let who = (some_of(&USERS, 2), some_of(&USER_GROUPS, 1));
    let place = (some_of(&ASSETS, 1), some_of(&PLACES, 1), some_of(&SITES, 1));
    let what = (
        some_of(&SYSTEM_USERS, 2),
        prop::collection::btree_set(prop::sample::select(&Right::ALL[..]), 1..5),
        validity(),
    );
    (who, place, what)
        .prop_map(|(who, place, (system_users, rights, validity))| Given {
            users: who.0,
            user_groups: who.1,
            assets: place.0,
            places: place.1,
            sites: place.2,
            system_users,
            rights: rights.into_iter().collect(),
            validity,
        })
        .prop_filter("a grant that could allow something", |given| {
            let nobody = given.users.is_empty() && given.user_groups.is_empty();
            let nowhere =
                given.assets.is_empty() && given.places.is_empty() && given.sites.is_empty();
            !nobody && !nowhere && !given.system_users.is_empty()
        })
}

fn policy() -> impl Strategy<Value = Policy> {
    let user = (
        prop::bool::weighted(0.9),
        validity(),
        some_of(&USER_GROUPS, 2),
    );
    let asset = (
        prop::bool::weighted(0.9),
        some_of(&PLACES, 2),
        prop::option::of(0..SITES.len()),
    );
    (
        prop::collection::vec(user, USERS.len()),
        prop::collection::vec(asset, ASSETS.len()),
        prop::collection::vec(given(), 0..6),
    )
        .prop_map(|(users, assets, grants)| Policy {
            users,
            assets,
            grants,
        })
}

fn gone() -> impl Strategy<Value = Gone> {
    prop_oneof![
        (0..USERS.len()).prop_map(Gone::User),
        (0..USER_GROUPS.len()).prop_map(Gone::UserGroup),
        (0..ASSETS.len()).prop_map(Gone::Asset),
        (1..PLACES.len()).prop_map(Gone::Place),
        (0..SITES.len()).prop_map(Gone::Site),
        (0..SYSTEM_USERS.len()).prop_map(Gone::SystemUser),
    ]
}

/// Every pair and channel: the decision, the session program's list, both lists of `access ls`, all by the policy.
fn all_say_the_same(f: &Fixture, policy: &Policy) {
    let read = f.store.read();
    let mut expected: Vec<(String, String, String, Rights)> = Vec::new();
    for (u, name) in USERS.iter().enumerate() {
        let Some(user) = read.user_if_any(name).unwrap() else {
            continue;
        };
        let targets = read.targets(&user, NOW).unwrap();
        for (a, asset) in ASSETS.iter().enumerate() {
            let Ok(asset) = read.asset(asset) else {
                continue;
            };
            for (s, system_user) in SYSTEM_USERS.iter().enumerate() {
                let Ok(system_user) = read.system_user(system_user) else {
                    continue;
                };
                let rights = policy.rights(u, a, s);
                let pair = (asset.id, system_user.id);
                let facts = read.facts(&user, None, pair, access::Counts::default());
                let facts = facts.unwrap();
                for channel in Channel::ALL {
                    let decision = decide(&facts, channel, NOW);
                    let said = format!("{name} {channel:?} {}@{}", system_user.name, asset.name);
                    assert_eq!(decision.allow, rights.covers(channel.needs()), "{said}");
                }
                let listed = targets
                    .iter()
                    .find(|target| (target.asset_id, target.system_user_id) == pair);
                let listed = listed.map_or(Rights::NONE, |target| target.rights);
                assert_eq!(listed, rights, "{name} {}@{}", system_user.name, asset.name);
                if !rights.is_empty() {
                    let row = (
                        name.to_string(),
                        asset.name.clone(),
                        system_user.name,
                        rights,
                    );
                    expected.push(row);
                }
            }
        }
    }
    expected.sort_by(|a, b| (&a.0, &a.1, &a.2).cmp(&(&b.0, &b.1, &b.2)));
    let row = |access: Access| (access.user, access.asset, access.system_user, access.rights);
    let (mut of_users, mut to_assets) = (Vec::new(), Vec::new());
    for user in read.users().unwrap() {
        read.access_of(&user, NOW, &mut |access| {
            of_users.push(row(access));
            true
        })
        .unwrap();
    }
    for asset in read.assets().unwrap() {
        read.access_to(&asset, NOW, &mut |access| {
            to_assets.push(row(access));
            true
        })
        .unwrap();
    }
    for mut listed in [of_users, to_assets] {
        listed.sort_by(|a, b| (&a.0, &a.1, &a.2).cmp(&(&b.0, &b.1, &b.2)));
        assert_eq!(listed, expected);
    }
}

/// A login of the user that nobody has closed.
fn login(f: &mut Fixture, user: &User) -> Login {
    let new = NewLogin {
        user,
        login_name: &user.name,
        source: "192.0.2.7",
        source_port: None,
        key_type: "",
        fingerprint: "",
        factors: "publickey",
        factor_at: None,
        sshd: myself(),
    };
    let opened = f.store.open_login(&new, NOW).unwrap();
    let login = f.store.read().login_by_token(&opened.token).unwrap();
    login.unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn listed_decided_and_opened_are_one_answer(
        policy in policy(),
        (u, a, s, c) in (0..USERS.len(), 0..ASSETS.len(), 0..SYSTEM_USERS.len(), 0..Channel::ALL.len()),
        gone in gone(),
    ) {
        let mut f = policy.store();
        all_say_the_same(&f, &policy);

        // The session program's own way, with its row in the store.
        let channel = Channel::ALL[c];
        let user = f.store.read().user(USERS[u]).unwrap();
        let login = login(&mut f, &user);
        let read = f.store.read();
        let target = (read.asset(ASSETS[a]).unwrap().id, read.system_user(SYSTEM_USERS[s]).unwrap().id);
        let opening = f.store.open_session(&NewSession {
            id: &Id::random().unwrap(),
            login: &login,
            user: &user,
            target,
            channel,
            terminal: false,
            request: "",
            recording: "",
            relay: myself(),
            limits: access::Counts::default(),
        }, NOW).unwrap();
        prop_assert_eq!(opening.decision.allow, policy.rights(u, a, s).covers(channel.needs()));

        // One object is removed: what is left says the same as a policy that never named it, and the
        // session that was opened goes on exactly when its right comes from what is left.
        let ending = f
            .change(|change| {
                gone.remove(change)?;
                change.read().ending_sessions(NOW)
            })
            .unwrap();
        let left = policy.without(gone);
        all_say_the_same(&f, &left);
        let again = f.store.decide_again(user.uid, &login, target, channel, NOW, NOW).unwrap();
        let one_of_the_three = match gone {
            Gone::User(one) => one == u,
            Gone::Asset(one) => one == a,
            Gone::SystemUser(one) => one == s,
            _ => false,
        };
        let stays = !one_of_the_three && left.rights(u, a, s).covers(channel.needs());
        prop_assert_eq!(again.is_some_and(|decision| decision.allow), stays);
        prop_assert_eq!(ending.len(), usize::from(opening.decision.allow && !stays));
    }
}
