//! What grants reach.

use super::*;

#[test]
fn grants_reach_through_groups_of_users_and_the_tree_of_assets() {
    let mut f = fixture();
    f.everyday();
    f.change(|change| {
        change.add_user_group(&UserGroup {
            users: vec!["alice".into()],
            ..UserGroup::new("team", NOW)
        })?;
        change.add_asset_group(&AssetGroup::new("/prod/web", NOW))?;
        change.add_asset_group(&AssetGroup::new("/test", NOW))?;
        change.add_site(&Site::new("south", NOW))?;
        change.add_asset(&Asset {
            asset_groups: vec!["/prod/web".into()],
            ..Asset::new("web2", "web2", NOW)
        })?;
        change.add_asset(&Asset {
            asset_groups: vec!["/test".into()],
            ..Asset::new("web3", "web3", NOW)
        })?;
        change.add_asset(&Asset {
            site: Some("south".into()),
            ..Asset::new("web4", "web4", NOW)
        })?;
        let of_team = |name: &str| Grant {
            users: vec![],
            user_groups: vec!["team".into()],
            assets: vec![],
            ..Grant {
                name: name.into(),
                ..everyday_grant()
            }
        };
        change.add_grant(&Grant {
            asset_groups: vec!["/prod".into()],
            ..of_team("prod")
        })?;
        change.add_grant(&Grant {
            sites: vec!["south".into()],
            ..of_team("south")
        })
    })
    .unwrap();
    let alice = f.store.read().user("alice").unwrap();
    let names = |f: &Fixture| {
        f.store
            .read()
            .targets(&alice, NOW)
            .unwrap()
            .into_iter()
            .map(|target| target.asset)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&f), ["web1", "web2", "web4"]);
    f.change(|change| {
        let mut prod = change.read().grant("prod")?;
        prod.asset_groups = vec!["/".into()];
        change.set_grant(&prod)
    })
    .unwrap();
    assert_eq!(names(&f), ["web1", "web2", "web3", "web4"]);
    agree_with_the_decision(&f, &alice);
}

/// What `targets` lists is exactly what the decision allows, for every pair and right.
fn agree_with_the_decision(f: &Fixture, user: &User) {
    let targets = f.store.read().targets(user, NOW).unwrap();
    for asset in f.store.read().assets().unwrap() {
        for system_user in f.store.read().system_users().unwrap() {
            let facts = f
                .store
                .read()
                .facts(
                    user,
                    None,
                    (asset.id, system_user.id),
                    access::Counts::default(),
                )
                .unwrap();
            let listed = targets.iter().find(|target| {
                (target.asset_id, target.system_user_id) == (asset.id, system_user.id)
            });
            for channel in Channel::ALL {
                let allowed = crate::policy::decide(&facts, channel, NOW).allow;
                assert_eq!(
                    allowed,
                    listed.is_some_and(|target| target.rights.covers(channel.needs())),
                    "{} {channel:?}",
                    asset.name
                );
            }
        }
    }
}
