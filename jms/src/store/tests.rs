use super::*;
use crate::id::Id;
use crate::nouns::{
    Asset, AssetGroup, Grant, HostKey, HostKeyOrigin, LoginKey, Mfa, Role, Site, SystemUser, User,
    UserGroup,
};
use crate::policy::{Channel, Rights, access};
use crate::process::{self, Process};
use crate::time::Time;
use std::path::Path;

pub(super) const NOW: Time = Time(1_800_000_000_000);
const RANGE: std::ops::RangeInclusive<u32> = 70_000..=70_099;

pub(super) struct Fixture {
    pub(super) store: Store,
    folder: tempfile::TempDir,
}

fn actor() -> Actor {
    Actor {
        name: "root".into(),
        why: String::new(),
    }
}

pub(super) fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let paths = Paths::under(folder.path());
    paths.create().unwrap();
    let mut store = Store::create(&paths).unwrap();
    store.set_event_sender(event::Sender::to(folder.path().join("no-syslog")));
    Fixture { store, folder }
}

impl Fixture {
    pub(super) fn change<T>(
        &mut self,
        work: impl FnOnce(&Change<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.store.change(&actor(), NOW, work)
    }

    pub(super) fn add_user(&mut self, name: &str) -> Result<User, StoreError> {
        let high_water = self.store.paths().uid_high_water();
        self.change(|change| change.add_user(&User::new(name, NOW), RANGE, &high_water, |_| false))
    }

    /// alice may reach web1 as dev with everything.
    pub(super) fn everyday(&mut self) {
        self.add_user("alice").unwrap();
        self.change(|change| {
            change.add_login_key(&alices_key())?;
            change.add_asset(&Asset::new("web1", "198.51.100.11", NOW))?;
            change.add_system_user(&SystemUser::new("dev", NOW))?;
            change.add_grant(&everyday_grant())
        })
        .unwrap();
    }

    pub(super) fn events(&self, kind: &str) -> Vec<serde_json::Value> {
        let search = EventSearch {
            kind: Some(kind.into()),
            limit: 1000,
            ..EventSearch::default()
        };
        let rows = self.store.read().events(&search).unwrap();
        rows.iter()
            .map(|row| serde_json::from_str(&row.body).unwrap())
            .collect()
    }

    pub(super) fn login(&mut self, sshd: Process) -> (crate::nouns::Login, crate::id::Token) {
        let user = self.store.read().user("alice").unwrap();
        let new = NewLogin {
            user: &user,
            login_name: "alice@dev@web1",
            source: "192.0.2.7",
            source_port: Some(40_000),
            key_type: "ssh-ed25519",
            fingerprint: "SHA256:abc",
            factors: "publickey",
            factor_at: None,
            sshd,
        };
        let opened = self.store.open_login(&new, NOW).unwrap();
        (
            self.store
                .read()
                .login_by_token(&opened.token)
                .unwrap()
                .unwrap(),
            opened.token,
        )
    }

    pub(super) fn open_session(
        &mut self,
        login: &crate::nouns::Login,
        channel: Channel,
        relay: Process,
        limits: access::Counts,
    ) -> Opening {
        let user = self.store.read().user("alice").unwrap();
        let target = self.store.read().targets(&user, NOW).unwrap().remove(0);
        let new = NewSession {
            id: &Id::random().unwrap(),
            login,
            user: &user,
            target: (target.asset_id, target.system_user_id),
            channel,
            terminal: false,
            request: "uptime",
            recording: "2027/01/15/x.cast.zst",
            relay,
            limits,
        };
        self.store.open_session(&new, NOW).unwrap()
    }
}

/// The key of the logins here.
pub(super) fn alices_key() -> LoginKey {
    LoginKey {
        id: 0,
        user: "alice".into(),
        kind: "ssh-ed25519".into(),
        blob: real_key(),
        fingerprint: "SHA256:abc".into(),
        from: vec![],
        valid_until: None,
        verify_required: false,
        comment: String::new(),
        created_at: NOW,
        updated_at: NOW,
    }
}

fn everyday_grant() -> Grant {
    Grant {
        users: vec!["alice".into()],
        assets: vec!["web1".into()],
        system_users: vec!["dev".into()],
        rights: Rights::parse("shell,exec,upload,download").unwrap(),
        ..Grant::new("everyday", NOW)
    }
}

pub(super) fn myself() -> Process {
    process::myself().unwrap()
}

#[test]
fn a_missing_an_empty_a_newer_and_a_foreign_file_are_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let paths = Paths::under(folder.path());
    paths.create().unwrap();
    assert!(matches!(
        Store::open(&paths),
        Err(StoreError::Missing { .. })
    ));
    std::fs::write(paths.database(), "").unwrap();
    assert!(matches!(
        Store::open(&paths),
        Err(StoreError::NotInitialised)
    ));
    std::fs::write(paths.database(), vec![b'x'; 8192]).unwrap();
    assert!(matches!(
        Store::open(&paths),
        Err(StoreError::Damaged { .. })
    ));
    std::fs::remove_file(paths.database()).unwrap();
    let store = Store::create(&paths).unwrap();
    store
        .connection
        .pragma_update(None, "user_version", 999)
        .unwrap();
    drop(store);
    assert!(matches!(
        Store::open(&paths),
        Err(StoreError::TooNew { found: 999, .. })
    ));
}

#[test]
fn the_store_is_nobody_elses_to_read() {
    use std::os::unix::fs::PermissionsExt;
    let f = fixture();
    for file in std::fs::read_dir(f.store.paths().state())
        .unwrap()
        .flatten()
    {
        if file.file_name().to_string_lossy().starts_with("jms.db") {
            assert_eq!(
                file.metadata().unwrap().permissions().mode() & 0o077,
                0,
                "{:?}",
                file.path()
            );
        }
    }
}

/// Whoever refers goes with what it refers to, or is evidence and lets go.
#[test]
fn every_reference_says_what_happens_when_its_object_goes() {
    let f = fixture();
    let tables = f
        .store
        .read()
        .texts(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
            [],
        )
        .unwrap();
    let mut references = 0;
    for table in &tables {
        let sql =
            format!("SELECT \"table\" || ' ' || on_delete FROM pragma_foreign_key_list('{table}')");
        for reference in f.store.read().texts(&sql, []).unwrap() {
            references += 1;
            assert!(
                reference.ends_with(" CASCADE") || reference.ends_with(" SET NULL"),
                "{table} -> {reference}"
            );
        }
        // A column that is called like a reference is one.
        let sql = format!(
            "SELECT c.name FROM pragma_table_info('{table}') c
             WHERE c.name LIKE '%\\_id' ESCAPE '\\' AND NOT EXISTS (SELECT 1 FROM pragma_foreign_key_list('{table}') f WHERE f.\"from\" = c.name)"
        );
        let loose = f.store.read().texts(&sql, []).unwrap();
        let names_only = matches!(table.as_str(), "event" | "certificate");
        assert!(
            loose.is_empty() || names_only,
            "{table}: {loose:?} refer to nothing"
        );
    }
    assert!(
        references > 40,
        "only {references} references seen: is the walk broken?"
    );
}

#[test]
fn every_reference_has_an_index_so_that_removing_stays_fast() {
    let f = fixture();
    let tables = f
        .store
        .read()
        .texts(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
            [],
        )
        .unwrap();
    for table in &tables {
        let from = f
            .store
            .read()
            .texts(
                &format!("SELECT \"from\" FROM pragma_foreign_key_list('{table}')"),
                [],
            )
            .unwrap();
        for column in from {
            let plan = f
                .store
                .read()
                .rows(
                    &format!("EXPLAIN QUERY PLAN SELECT 1 FROM {table} WHERE {column} = ?1"),
                    [1],
                    |row| Ok(row.get::<_, String>(3)?),
                )
                .unwrap()
                .join("; ");
            let small = matches!(table.as_str(), "certificate" | "asset" | "filter_scope");
            assert!(plan.contains("USING") || small, "{table}.{column}: {plan}");
        }
    }
}

#[test]
fn uids_are_never_given_twice() {
    let mut f = fixture();
    let alice = f.add_user("alice").unwrap();
    assert_eq!(alice.uid, 70_000);
    f.change(|change| change.remove_user("alice")).unwrap();
    assert_eq!(f.add_user("bob").unwrap().uid, 70_001);
    // The store is gone; the high-water file remembers.
    let paths = f.store.paths().clone();
    for file in ["jms.db", "jms.db-wal", "jms.db-shm"] {
        let _ = std::fs::remove_file(paths.state().join(file));
    }
    f.store = Store::create(&paths).unwrap();
    assert_eq!(f.add_user("carol").unwrap().uid, 70_002);
}

#[test]
fn a_uid_that_exists_locally_is_passed_over_and_the_range_ends() {
    let mut f = fixture();
    let high_water = f.store.paths().uid_high_water();
    let added = f
        .change(|change| {
            change.add_user(
                &User::new("alice", NOW),
                70_000..=70_001,
                &high_water,
                |uid| uid == 70_000,
            )
        })
        .unwrap();
    assert_eq!(added.uid, 70_001);
    let none_left = f.change(|change| {
        change.add_user(&User::new("bob", NOW), 70_000..=70_001, &high_water, |_| {
            false
        })
    });
    assert!(matches!(
        none_left,
        Err(StoreError::NoUidLeft { last: 70_001 })
    ));
}

#[test]
fn a_change_says_who_changed_what_from_what_to_what() {
    let mut f = fixture();
    let mut alice = f.add_user("alice").unwrap();
    alice.enabled = false;
    let carol = Actor {
        name: "root (sudo by carol)".into(),
        why: "left the firm".into(),
    };
    f.store
        .change(&carol, NOW, |change| change.set_user(&alice))
        .unwrap();
    let event = f.events("policy.change").pop().unwrap();
    assert_eq!(event["actor"], "root (sudo by carol)");
    assert_eq!(
        (&event["object"], &event["name"], &event["result"]),
        (&"user".into(), &"alice".into(), &"set".into())
    );
    assert_eq!(event["comment"], "left the firm");
    assert!(
        event["before"]
            .as_str()
            .unwrap()
            .contains("\"enabled\":true")
    );
    assert!(
        event["after"]
            .as_str()
            .unwrap()
            .contains("\"enabled\":false")
    );
}

#[test]
fn a_failed_change_and_a_dry_run_leave_nothing_behind() {
    let mut f = fixture();
    f.everyday();
    let before = f.events("policy.change").len();
    let failed: Result<(), _> = f.change(|change| {
        change.remove_asset("web1")?;
        change.remove_asset("web2").map(|_| ())
    });
    let error = failed.unwrap_err();
    assert_eq!(error.to_string(), "there is no asset “web2”");
    f.store
        .dry_run(&actor(), NOW, |change| change.remove_asset("web1"))
        .unwrap();
    assert!(f.store.read().asset("web1").is_ok());
    assert_eq!(f.events("policy.change").len(), before);
}

#[test]
fn a_dry_run_gives_no_uid_away() {
    let mut f = fixture();
    let high_water = f.store.paths().uid_high_water();
    let shown = f
        .store
        .dry_run(&actor(), NOW, |change| {
            change.add_user(&User::new("alice", NOW), RANGE, &high_water, |_| false)
        })
        .unwrap();
    assert!(!high_water.exists());
    assert_eq!(f.add_user("bob").unwrap().uid, shown.uid);
}

#[test]
fn a_name_that_the_snapshots_refuse_is_refused_before_it_is_stored() {
    let mut f = fixture();
    for name in ["root", "jms", "sshd"] {
        let error = f.add_user(name).unwrap_err();
        assert!(matches!(error, StoreError::Refused { .. }), "{error}");
    }
    f.add_user("alice").unwrap();
    assert!(read_snapshot_generation(f.store.paths()).is_some());
}

#[test]
fn an_unknown_name_says_which_is_near() {
    let mut f = fixture();
    f.everyday();
    let error = f.store.read().asset("wbe1").unwrap_err().to_string();
    assert_eq!(error, "there is no asset “wbe1”; did you mean web1?");
}

#[test]
fn the_last_administrator_stays() {
    let mut f = fixture();
    let mut admin = f.add_user("root-admin").unwrap();
    admin.role = Role::Admin;
    f.change(|change| change.set_user(&admin)).unwrap();
    assert!(matches!(
        f.change(|change| change.remove_user("root-admin")),
        Err(StoreError::Refused { .. })
    ));
    admin.enabled = false;
    assert!(matches!(
        f.change(|change| change.set_user(&admin)),
        Err(StoreError::Refused { .. })
    ));
    assert!(f.store.read().user("root-admin").unwrap().enabled);
}

#[test]
fn the_last_administrator_with_a_key_and_without_an_end_stays() {
    let mut f = fixture();
    f.everyday();
    let key_of = |name: &str| LoginKey {
        user: name.into(),
        ..alices_key()
    };
    let edited = |f: &mut Fixture, name: &str, edit: &dyn Fn(&mut User)| {
        let mut user = f.store.read().user(name).unwrap();
        edit(&mut user);
        f.change(|change| change.set_user(&user))
    };
    let is_refused = |done: Result<User, StoreError>| {
        assert!(matches!(done, Err(StoreError::Refused { .. })), "{done:?}");
    };
    let until_soon = |user: &mut User| user.valid_until = Some(Time(NOW.0 + 1000));
    edited(&mut f, "alice", &|user| user.role = Role::Admin).unwrap();
    // One without a key, and one who ends on Friday, take nobody's place.
    f.add_user("keyless").unwrap();
    edited(&mut f, "keyless", &|user| user.role = Role::Admin).unwrap();
    is_refused(edited(&mut f, "alice", &|user| user.enabled = false));
    is_refused(edited(&mut f, "alice", &until_soon));
    is_refused(f.change(|change| change.remove_user("alice")));
    f.add_user("friday").unwrap();
    f.change(|change| change.add_login_key(&key_of("friday")))
        .unwrap();
    edited(&mut f, "friday", &|user| {
        user.role = Role::Admin;
        user.valid_until = Some(Time(NOW.0 + 86_400_000));
    })
    .unwrap();
    is_refused(edited(&mut f, "alice", &until_soon));
    assert_eq!(f.store.read().user("alice").unwrap().valid_until, None);
    // What a later step of the same change gives counts.
    f.change(|change| {
        let mut alice = change.read().user("alice")?;
        alice.enabled = false;
        change.set_user(&alice)?;
        change.add_login_key(&key_of("keyless"))
    })
    .unwrap();
    // Root takes a stolen key away, whoever is left.
    f.change(|change| change.remove_login_key(&key_of("keyless")))
        .unwrap();
}

#[test]
fn an_administrator_does_not_take_the_last_key_nor_move_the_end_of_his_own_time() {
    let mut f = fixture();
    f.everyday();
    let mut alice = f.store.read().user("alice").unwrap();
    alice.role = Role::Admin;
    alice.valid_until = Some(Time(Time::now().0 + 86_400_000));
    f.change(|change| change.set_user(&alice)).unwrap();
    let (login, _) = f.login(myself());
    f.store.set_login(login);
    let herself = Actor {
        name: "alice".into(),
        why: String::new(),
    };
    let removed = f.store.change(&herself, NOW, |change| {
        change.remove_login_key(&alices_key())
    });
    assert!(
        matches!(removed, Err(StoreError::Refused { .. })),
        "{removed:?}"
    );
    let ended = LoginKey {
        valid_until: Some(Time(1)),
        ..alices_key()
    };
    let ended = f
        .store
        .change(&herself, NOW, |change| change.set_login_key(&ended));
    assert!(
        matches!(ended, Err(StoreError::Refused { .. })),
        "{ended:?}"
    );
    for edit in [
        |user: &mut User| user.valid_until = None,
        |user: &mut User| user.valid_from = Some(Time(1)),
        |user: &mut User| user.enabled = false,
    ] {
        let mut alice = f.store.read().user("alice").unwrap();
        edit(&mut alice);
        let done = f
            .store
            .change(&herself, NOW, |change| change.set_user(&alice));
        assert!(
            matches!(done, Err(StoreError::NotAllowed { .. })),
            "{done:?}"
        );
    }
}

#[test]
fn a_way_through_itself_or_through_a_gateway_that_nobody_can_pass_is_refused() {
    let mut f = fixture();
    f.everyday();
    let gate = |name: &str, gateway: Option<&str>| Asset {
        gateway_system_user: Some("dev".into()),
        gateway: gateway.map(str::to_owned),
        ..Asset::new(name, "192.0.2.1", NOW)
    };
    f.change(|change| {
        change.add_asset(&gate("g1", None))?;
        change.add_asset(&gate("g2", Some("g1")))?;
        change.add_asset(&gate("g3", Some("g2")))
    })
    .unwrap();
    let refused = |f: &mut Fixture, asset: &Asset| {
        let error = f.change(|change| change.set_asset(asset)).unwrap_err();
        assert!(matches!(error, StoreError::Refused { .. }), "{error}");
        error.to_string()
    };
    for (name, gateway) in [("g1", "g1"), ("g1", "g2"), ("g1", "g3")] {
        let sentence = refused(&mut f, &gate(name, Some(gateway)));
        assert!(sentence.contains("its own gateway") || sentence.contains("itself"));
    }
    let closed = Asset {
        gateway_system_user: None,
        ..gate("g2", Some("g1"))
    };
    assert!(refused(&mut f, &closed).contains("is the gateway of g3"));

    // By hand, a circle beside the asset's own way.
    let sql =
        "UPDATE asset SET gateway_id = (SELECT id FROM asset WHERE name = 'g2') WHERE name = 'g1'";
    f.store.connection.execute(sql, []).unwrap();
    let read = f.store.read();
    let found = read.gateways(&read.asset("g3").unwrap()).unwrap();
    assert_eq!(
        found.obstacle.unwrap().to_string(),
        "the way leads through g2 twice"
    );
}

#[test]
fn a_gateway_is_not_removed_from_under_what_lies_behind_it() {
    let mut f = fixture();
    f.everyday();
    f.change(|change| {
        change.add_asset(&Asset {
            gateway_system_user: Some("dev".into()),
            ..Asset::new("gate", "192.0.2.1", NOW)
        })?;
        change.add_asset(&Asset {
            gateway: Some("gate".into()),
            ..Asset::new("inner", "192.0.2.2", NOW)
        })
    })
    .unwrap();
    assert!(matches!(
        f.change(|change| change.remove_asset("gate")),
        Err(StoreError::Refused { .. })
    ));
    // Not even by hand.
    assert!(
        f.store
            .connection
            .execute("DELETE FROM asset WHERE name = 'gate'", [])
            .is_err()
    );
}

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

#[test]
fn a_login_is_found_by_its_token_and_closed_by_its_own_sshd_only() {
    let mut f = fixture();
    f.everyday();
    let (login, token) = f.login(myself());
    assert_eq!(
        (login.user.as_str(), login.source_port, login.closed_at),
        ("alice", Some(40_000), None)
    );
    let another = Process {
        started: 1,
        ..myself()
    };
    assert!(!f.store.close_login(&token, another, NOW).unwrap());
    assert!(f.store.close_login(&token, myself(), NOW).unwrap());
    assert!(
        !f.store.close_login(&token, myself(), NOW).unwrap(),
        "only once"
    );
    let kept = f
        .store
        .read()
        .texts("SELECT token_hash FROM login", [])
        .unwrap();
    assert_ne!(kept[0], token.reveal());
    assert_eq!(f.events("login").len(), 2);
}

#[test]
fn a_granted_session_opens_and_a_refused_one_leaves_only_an_event() {
    let mut f = fixture();
    f.everyday();
    let (login, _) = f.login(myself());
    let opening = f.open_session(&login, Channel::Exec, myself(), access::Counts::default());
    assert!(opening.decision.allow);
    let egress = opening.egress.unwrap();
    assert_eq!(
        (egress.account.as_str(), egress.asset.address.as_str()),
        ("dev", "198.51.100.11")
    );
    let refused = f.open_session(&login, Channel::Tunnel, myself(), access::Counts::default());
    assert!(!refused.decision.allow && refused.egress.is_none());
    let sessions = f
        .store
        .read()
        .sessions(&SessionSearch {
            limit: 10,
            ..SessionSearch::default()
        })
        .unwrap();
    assert_eq!(sessions.len(), 1);
    let id = Id::parse(&sessions[0].id).unwrap();
    let end = EndOfSession {
        reason: "exit",
        exit_status: Some(3),
        bytes_in: 5,
        bytes_out: 7,
        ..EndOfSession::default()
    };
    f.store
        .close_session(&id, &login, &end, NOW.plus(2000))
        .unwrap();
    let session = f
        .store
        .read()
        .session_by_prefix(&sessions[0].id[..6])
        .unwrap();
    assert_eq!(
        (session.exit_status, session.end_reason.as_deref()),
        (Some(3), Some("exit"))
    );
    assert_eq!(f.events("session.open")[0]["source"], "192.0.2.7");
    assert_eq!(f.events("session.close")[0]["exit_status"], 3);
    assert_eq!(
        f.events("session.refused")[0]["reason"],
        "no grant gives the right tunnel"
    );
}

#[test]
fn the_limit_counts_live_sessions_only() {
    let mut f = fixture();
    f.everyday();
    let (login, _) = f.login(myself());
    let one = access::Counts {
        user: Some(1),
        ..access::Counts::default()
    };
    assert!(
        f.open_session(&login, Channel::Exec, myself(), one)
            .decision
            .allow
    );
    let second = f.open_session(&login, Channel::Exec, myself(), one);
    assert_eq!(
        second.decision.reason,
        access::Reason::LimitReached(access::Limit::User)
    );
}

#[test]
fn an_assets_own_limit_comes_before_the_settings() {
    let mut f = fixture();
    f.everyday();
    let (login, _) = f.login(myself());
    let one = access::Counts {
        asset: Some(1),
        ..access::Counts::default()
    };
    let mut opened = |own: Option<u32>| {
        let mut web1 = f.store.read().asset("web1").unwrap();
        web1.limit_sessions = own;
        f.change(|change| change.set_asset(&web1)).unwrap();
        let opening = f.open_session(&login, Channel::Exec, myself(), one);
        opening.decision.allow
    };
    assert!(opened(None));
    assert!(!opened(None), "the settings' limit is met");
    assert!(!opened(Some(1)) && opened(Some(2)) && opened(Some(3)));
}

#[test]
fn what_ended_without_a_word_is_closed_by_whoever_looks_next() {
    let mut f = fixture();
    f.everyday();
    let gone = Process {
        started: 1,
        ..myself()
    };
    let (login, _) = f.login(gone);
    f.open_session(&login, Channel::Exec, gone, access::Counts::default());
    assert_eq!(f.store.sweep(NOW).unwrap(), 2);
    let session = &f
        .store
        .read()
        .sessions(&SessionSearch {
            limit: 1,
            ..SessionSearch::default()
        })
        .unwrap()[0];
    assert_eq!(
        (session.end_reason.as_deref(), session.ended_at),
        (Some("lost"), Some(NOW))
    );
    assert_eq!(f.events("session.lost").len(), 1);
    assert_eq!(f.store.sweep(NOW).unwrap(), 0);
}

#[test]
fn a_live_session_is_told_before_anybody_waits_for_another_publisher() {
    let mut f = fixture();
    f.everyday();
    let lock = std::fs::File::create(f.store.paths().state().join("publish.lock")).unwrap();
    let lock = nix::fcntl::Flock::lock(lock, nix::fcntl::FlockArg::LockExclusive).unwrap();
    let socket =
        std::os::unix::net::UnixDatagram::bind(f.store.paths().sessions().join("x")).unwrap();
    // Less than a publisher waits.
    socket
        .set_read_timeout(Some(std::time::Duration::from_secs(8)))
        .unwrap();
    let mut alice = f.store.read().user("alice").unwrap();
    alice.enabled = false;
    let told = std::thread::scope(|scope| {
        let told = scope.spawn(|| {
            let mut word = [0; 32];
            let told = socket.recv(&mut word).map(|length| word[..length].to_vec());
            drop(lock);
            told
        });
        f.change(|change| change.set_user(&alice)).unwrap();
        told.join().unwrap()
    });
    assert_eq!(told.unwrap(), poke::DECIDE_AGAIN);
}

#[test]
fn who_lost_role_validity_key_or_login_since_his_command_began_changes_nothing() {
    let refused = |f: &mut Fixture, why: &str| {
        let before = f.events("policy.change").len();
        let error = f.change(|change| change.add_site(&Site::new("there", NOW)));
        assert!(
            matches!(&error, Err(StoreError::NotAllowed { sentence }) if sentence.contains(why)),
            "{why}: {error:?}"
        );
        assert_eq!(f.events("policy.change").len(), before);
        assert!(f.store.read().site("there").is_err());
    };
    let begun = || {
        let mut f = fixture();
        f.everyday();
        let mut alice = f.store.read().user("alice").unwrap();
        alice.role = Role::Admin;
        f.change(|change| change.set_user(&alice)).unwrap();
        f.add_user("ada").unwrap();
        let (mut ada, mut adas_key) = (f.store.read().user("ada").unwrap(), alices_key());
        ada.role = Role::Admin;
        adas_key.user = "ada".into();
        f.change(|change| change.set_user(&ada)).unwrap();
        f.change(|change| change.add_login_key(&adas_key)).unwrap();
        let (login, token) = f.login(myself());
        f.store.set_login(login);
        (f, alice, token)
    };
    /// What root does meanwhile.
    fn root_changes<T>(f: &Fixture, work: impl FnOnce(&Change<'_>) -> Result<T, StoreError>) {
        let mut other = Store::open(f.store.paths()).unwrap();
        other.set_event_sender(event::Sender::to(f.folder.path().join("no-syslog")));
        other.change(&actor(), NOW, work).unwrap();
    }

    let (mut f, mut alice, _) = begun();
    f.change(|change| change.add_site(&Site::new("here", NOW)))
        .unwrap();
    alice.enabled = false;
    root_changes(&f, |change| change.set_user(&alice));
    refused(&mut f, "disabled");

    let (mut f, mut alice, _) = begun();
    alice.role = Role::Auditor;
    root_changes(&f, |change| change.set_user(&alice));
    refused(&mut f, "no administrator");

    let (mut f, _, _) = begun();
    root_changes(&f, |change| change.remove_login_key(&alices_key()));
    refused(&mut f, "key");

    let (mut f, _, _) = begun();
    let expired = LoginKey {
        valid_until: Some(Time(Time::now().0 - 1)),
        ..alices_key()
    };
    root_changes(&f, |change| change.set_login_key(&expired));
    refused(&mut f, "expired");

    let (mut f, _, token) = begun();
    assert!(f.store.close_login(&token, myself(), NOW).unwrap());
    refused(&mut f, "login is closed");
}

#[test]
fn a_change_over_ssh_happens_when_it_is_made_not_when_its_command_began() {
    let mut f = fixture();
    f.everyday();
    let mut alice = f.store.read().user("alice").unwrap();
    alice.role = Role::Admin;
    f.change(|change| change.set_user(&alice)).unwrap();
    let (login, _) = f.login(myself());
    f.store.set_login(login);
    let (long_ago, before) = (Time(1_000_000_000_000), Time::now());
    let made = f
        .store
        .change(&actor(), long_ago, |change| {
            change.add_site(&Site::new("here", long_ago))?;
            Ok(change.now())
        })
        .unwrap();
    assert!(before <= made && made <= Time::now(), "{made:?}");
}

#[test]
fn a_part_that_finds_no_room_takes_the_whole_change_with_it() {
    let mut f = fixture();
    let pages: i64 = f
        .store
        .connection
        .query_row("PRAGMA page_count", [], |row| row.get(0))
        .unwrap();
    f.store
        .connection
        .pragma_update(None, "max_page_count", pages + 20)
        .unwrap();
    let mut fatal = None;
    let done = f.change(|change| {
        for number in 0..10_000 {
            let asset = Asset::new(&format!("web{number}"), "198.51.100.11", NOW);
            match change.attempt(|| change.add_asset(&asset)) {
                Ok(_) => assert!(fatal.is_none(), "web{number} was kept after {fatal:?}"),
                Err(error) => {
                    assert!(error.is_fatal(), "{error:?}");
                    // Whoever goes on all the same gets nowhere, and leaves nothing.
                    if fatal.replace(error).is_some() {
                        break;
                    }
                }
            }
        }
        Ok(())
    });
    assert!(matches!(fatal, Some(StoreError::NotWritable { .. })));
    assert!(done.is_err(), "{done:?}");
    assert!(f.store.read().assets().unwrap().is_empty());
    assert!(f.events("policy.change").is_empty());
}

#[test]
fn a_live_session_hears_of_a_withdrawn_grant() {
    let mut f = fixture();
    f.everyday();
    let (login, _) = f.login(myself());
    let user = f.store.read().user("alice").unwrap();
    let target = f.store.read().targets(&user, NOW).unwrap().remove(0);
    let target = (target.asset_id, target.system_user_id);
    f.open_session(&login, Channel::Exec, myself(), access::Counts::default());
    let socket =
        std::os::unix::net::UnixDatagram::bind(f.store.paths().sessions().join("x")).unwrap();
    socket
        .set_read_timeout(Some(std::time::Duration::from_secs(5)))
        .unwrap();
    assert!(
        f.store
            .decide_again(user.uid, &login, target, Channel::Exec, NOW, NOW)
            .unwrap()
            .unwrap()
            .allow
    );
    f.change(|change| change.remove_grant("everyday")).unwrap();
    let mut word = [0; 32];
    let length = socket.recv(&mut word).unwrap();
    assert_eq!(&word[..length], poke::DECIDE_AGAIN);
    assert!(
        !f.store
            .decide_again(user.uid, &login, target, Channel::Exec, NOW, NOW)
            .unwrap()
            .unwrap()
            .allow
    );
    f.change(|change| change.remove_user("alice")).unwrap();
    assert!(
        f.store
            .decide_again(user.uid, &login, target, Channel::Exec, NOW, NOW)
            .unwrap()
            .is_none()
    );
}

#[test]
fn evidence_outlives_the_people_and_machines_it_is_about() {
    let mut f = fixture();
    f.everyday();
    let (login, token) = f.login(myself());
    f.open_session(&login, Channel::Exec, myself(), access::Counts::default());
    f.change(|change| {
        change.remove_user("alice")?;
        change.remove_asset("web1")?;
        change.remove_system_user("dev")
    })
    .unwrap();
    let session = &f
        .store
        .read()
        .sessions(&SessionSearch {
            limit: 1,
            ..SessionSearch::default()
        })
        .unwrap()[0];
    assert_eq!(
        (
            session.user.as_str(),
            session.asset.as_str(),
            session.system_user.as_str()
        ),
        ("alice", "web1", "dev")
    );
    assert_eq!(
        f.store.read().login_by_token(&token).unwrap().unwrap().user,
        "alice"
    );
}

fn real_key() -> Vec<u8> {
    let mut blob = Vec::new();
    for part in [b"ssh-ed25519".as_slice(), &[7; 32]] {
        blob.extend(u32::try_from(part.len()).unwrap().to_be_bytes());
        blob.extend(part);
    }
    blob
}

#[test]
fn snapshots_follow_the_store() {
    let mut f = fixture();
    let alice = f.add_user("alice").unwrap();
    let blob = real_key();
    let key = LoginKey {
        id: 0,
        user: "alice".into(),
        kind: "ssh-ed25519".into(),
        blob: blob.clone(),
        fingerprint: "SHA256:x".into(),
        from: vec!["192.0.2.0/24".into()],
        valid_until: None,
        verify_required: false,
        comment: String::new(),
        created_at: NOW,
        updated_at: NOW,
    };
    f.change(|change| change.add_login_key(&key)).unwrap();
    let name = snapshot::UserName::new(b"alice").unwrap();
    let users = |path: &Path| {
        snapshot::users::Reader::new(snapshot::SnapshotFile::open(path).unwrap()).unwrap()
    };
    let path = f.store.paths().users_snapshot();
    assert_eq!(
        users(&path).by_name(&name).unwrap().unwrap().uid(),
        alice.uid
    );
    let keys = snapshot::keys::Reader::new(
        snapshot::SnapshotFile::open(&f.store.paths().keys_snapshot()).unwrap(),
    )
    .unwrap();
    let hash = <sha2::Sha256 as sha2::Digest>::digest(&blob).into();
    assert_eq!(
        keys.find(&hash, &name)
            .unwrap()
            .unwrap()
            .conditions()
            .from
            .len(),
        1
    );
    assert!(!f.store.publish().unwrap(), "already current");
    std::fs::remove_file(&path).unwrap();
    assert!(
        f.store.publish().unwrap(),
        "whoever finds it missing publishes"
    );
    f.change(|change| {
        let mut alice = change.read().user("alice")?;
        alice.mfa = Mfa::Totp;
        change.set_user(&alice)
    })
    .unwrap();
    let flags = users(&path).by_name(&name).unwrap().unwrap().flags();
    assert!(flags.contains(snapshot::users::Flags::MFA_AT_LOGIN));
    f.change(|change| change.remove_user("alice")).unwrap();
    assert_eq!(users(&path).by_name(&name).unwrap(), None);
}

#[test]
fn events_wait_for_syslog_and_go_out_in_order() {
    let mut f = fixture();
    f.everyday();
    let unsent = EventSearch {
        unsent: true,
        limit: 100,
        ..EventSearch::default()
    };
    let waiting = f.store.read().events(&unsent).unwrap();
    assert!(
        waiting.len() >= 4
            && waiting
                .windows(2)
                .all(|pair| pair[0].seq + 1 == pair[1].seq)
    );
    let path = f.folder.path().join("log");
    let syslog = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    syslog
        .set_read_timeout(Some(std::time::Duration::from_secs(5)))
        .unwrap();
    f.store.set_event_sender(event::Sender::to(&path));
    assert_eq!(f.store.send_unsent(), waiting.len());
    let mut line = vec![0; 65_536];
    for row in &waiting {
        let length = syslog.recv(&mut line).unwrap();
        let text = String::from_utf8_lossy(&line[..length]).into_owned();
        assert!(
            text.contains(&format!("seq=\"{}\"", row.seq))
                || text.contains(&format!("seq={}", row.seq)),
            "{text}"
        );
    }
    assert!(f.store.read().events(&unsent).unwrap().is_empty());
}

#[test]
fn host_keys_are_kept_once_and_removed_by_fingerprint() {
    let mut f = fixture();
    f.everyday();
    let key = HostKey {
        asset: "web1".into(),
        kind: "ssh-ed25519".into(),
        blob: real_key(),
        fingerprint: "SHA256:h".into(),
        origin: HostKeyOrigin::Scanned,
        created_at: NOW,
    };
    f.change(|change| {
        change.add_host_key(&key)?;
        change.add_host_key(&key)
    })
    .unwrap();
    assert_eq!(f.store.read().host_keys(Some("web1")).unwrap().len(), 1);
    f.change(|change| change.remove_host_key("web1", "SHA256:h"))
        .unwrap();
    assert!(f.store.read().host_keys(None).unwrap().is_empty());
}

#[test]
fn a_secret_is_bound_to_its_row() {
    let mut f = fixture();
    f.everyday();
    let new = super::system_users::NewCredential {
        kind: crate::nouns::CredentialKind::Key,
        public_key: "ssh-ed25519 AAAA",
        fingerprint: "SHA256:k",
    };
    let dev = f
        .change(|change| {
            change.set_credential(
                "dev",
                &new,
                |id| Ok(format!("sealed for {id}").into_bytes()),
            )
        })
        .unwrap();
    assert!(dev.has_secret && dev.public_key.as_deref() == Some("ssh-ed25519 AAAA"));
    let stored = f.store.read().credential(&dev, 1).unwrap().unwrap();
    assert_eq!(
        stored.sealed,
        format!("sealed for {}", stored.id).into_bytes()
    );
    f.change(|change| change.set_credential("dev", &new, |_| Ok(b"again".to_vec())))
        .unwrap();
    assert_eq!(
        f.store
            .read()
            .number("SELECT count(*) FROM credential", [])
            .unwrap(),
        1
    );
}

#[test]
fn what_every_login_asks_does_not_grow_with_history() {
    let f = fixture();
    for (sql, index) in [
        ("SELECT * FROM login WHERE closed_at IS NULL", "login_open"),
        (
            "SELECT * FROM session WHERE ended_at IS NULL",
            "session_live",
        ),
        (
            "SELECT * FROM login WHERE token_hash = ?1",
            "sqlite_autoindex_login",
        ),
        (
            "SELECT * FROM login WHERE id >= ?1 AND id < ?1 || '{' LIMIT 2",
            "PRIMARY KEY",
        ),
        (
            "SELECT * FROM session WHERE id >= ?1 AND id < ?1 || '{' LIMIT 2",
            "PRIMARY KEY",
        ),
        (
            "SELECT EXISTS (SELECT 1 FROM event WHERE sent = 0)",
            "event_unsent",
        ),
        ("SELECT max(uid) FROM user", "sqlite_autoindex_user"),
        ("SELECT max(uid) FROM login", "login_by_uid"),
        (
            "SELECT * FROM session WHERE end_reason = 'lost' AND recording <> '' AND recording_hash IS NULL LIMIT 20",
            "session_without_anchor",
        ),
    ] {
        let mut statement = f
            .store
            .connection
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .unwrap();
        let nothing = vec![""; statement.parameter_count()];
        let rows = statement
            .query_map(rusqlite::params_from_iter(nothing), |row| {
                row.get::<_, String>(3)
            })
            .unwrap();
        let plan: Vec<String> = rows.map(Result::unwrap).collect();
        assert!(plan.join("; ").contains(index), "{sql}: {plan:?}");
    }
}

#[test]
fn a_lost_sessions_recording_gets_its_anchor_from_whoever_looks() {
    let mut f = fixture();
    f.everyday();
    let gone = Process {
        started: 1,
        ..myself()
    };
    let (login, _) = f.login(myself());
    f.open_session(&login, Channel::Exec, gone, access::Counts::default());
    f.store.sweep(NOW).unwrap();
    assert_eq!(
        f.store.anchor_lost_recordings().unwrap(),
        0,
        "there is no file"
    );
    let session = f
        .store
        .read()
        .sessions(&SessionSearch {
            limit: 1,
            ..SessionSearch::default()
        })
        .unwrap()
        .remove(0);
    let id = Id::parse(&session.id).unwrap();
    let header = crate::recording::Header {
        started_at: NOW,
        width: 80,
        height: 24,
        term: None,
        title: None,
        command: None,
        meta: Default::default(),
    };
    let mut recorder =
        crate::recording::Recorder::create(&f.store.paths().recordings(), &id, &header).unwrap();
    recorder
        .output(std::time::Duration::from_secs(1), b"hello")
        .unwrap();
    drop(recorder);
    let file = crate::recording::path_of(&f.store.paths().recordings(), &id, NOW);
    let wanted = f.store.paths().recordings().join(&session.recording);
    std::fs::create_dir_all(wanted.parent().unwrap()).unwrap();
    std::fs::rename(file, &wanted).unwrap();
    assert_eq!(f.store.anchor_lost_recordings().unwrap(), 1);
    let session = f.store.read().session_by_prefix(id.as_str()).unwrap();
    assert!(session.recording_hash.is_some());
    assert_eq!(
        session.recording_size,
        Some(std::fs::metadata(&wanted).unwrap().len())
    );
}

#[test]
fn a_key_that_no_snapshot_could_hold_is_refused_at_the_door() {
    let mut f = fixture();
    f.add_user("alice").unwrap();
    let key = LoginKey {
        id: 0,
        user: "alice".into(),
        kind: "ssh-ed25519".into(),
        blob: real_key(),
        fingerprint: "SHA256:x".into(),
        from: vec![],
        valid_until: None,
        verify_required: false,
        comment: String::new(),
        created_at: NOW,
        updated_at: NOW,
    };
    let touched = LoginKey {
        verify_required: true,
        ..key.clone()
    };
    assert!(matches!(
        f.change(|change| change.add_login_key(&touched)),
        Err(StoreError::Refused { .. })
    ));
    let anywhere = LoginKey {
        from: vec!["anywhere".into()],
        ..key.clone()
    };
    assert!(matches!(
        f.change(|change| change.add_login_key(&anywhere)),
        Err(StoreError::Refused { .. })
    ));
    f.change(|change| change.add_login_key(&key)).unwrap();
    // And one who must touch a security key keeps his ordinary keys, unpublished.
    f.change(|change| {
        change.set_user(&User {
            mfa: Mfa::SecurityKey,
            ..change.read().user("alice")?
        })
    })
    .unwrap();
    let keys = snapshot::keys::Reader::new(
        snapshot::SnapshotFile::open(&f.store.paths().keys_snapshot()).unwrap(),
    )
    .unwrap();
    assert_eq!(keys.count(), 0);
}

#[test]
fn sending_does_not_wait_for_a_busy_store() {
    let mut f = fixture();
    f.everyday();
    let other = rusqlite::Connection::open(f.store.paths().database()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let begun = std::time::Instant::now();
    assert_eq!(f.store.send_unsent(), 0);
    assert!(begun.elapsed() < std::time::Duration::from_secs(1));
}

#[test]
fn what_was_done_in_a_session_and_a_login_is_found_and_nothing_of_others() {
    let mut fixture = fixture();
    fixture.everyday();
    let (login, _) = fixture.login(process::myself().unwrap());
    let (other_login, _) = fixture.login(process::myself().unwrap());
    let mut sessions = Vec::new();
    for login in [&login, &other_login] {
        let opened = fixture.open_session(
            login,
            Channel::Shell,
            process::myself().unwrap(),
            access::Counts::default(),
        );
        assert!(opened.decision.allow);
    }
    for one in fixture.store.read().live_sessions().unwrap() {
        let mine = one.login.as_ref() == Some(&login.id);
        sessions.insert(if mine { 0 } else { sessions.len() }, one.id);
    }
    let (mine, others) = (sessions[0].clone(), sessions[1].clone());
    for (session, line, path) in [(&mine, "id", "/tmp/a"), (&others, "rm", "/tmp/b")] {
        for (at, captured) in [(2, "exact"), (1, "likely")] {
            fixture
                .store
                .connection
                .execute(
                    "INSERT INTO command (session_id, run_at, line, captured, verdict, action, recorded_at)
                     VALUES (?1, ?2, ?3, ?4, 'allow', 'accept', ?2)",
                    rusqlite::params![session, at, format!("{line} {at}"), captured],
                )
                .unwrap();
        }
        fixture
            .store
            .connection
            .execute(
                "INSERT INTO transfer (session_id, begun_at, operation, path, size, verdict, result)
                 VALUES (?1, 3, 'upload', ?2, 7, 'allow', 'done')",
                rusqlite::params![session, path],
            )
            .unwrap();
    }
    // Somebody looks at a session through a login of his own.
    let looked = event::Event::new(event::Type::EvidenceRead)
        .login(other_login.id.as_str())
        .session(mine.as_str());
    fixture.store.emit(&looked).unwrap();

    let read = fixture.store.read();
    let lines = |limit| -> Vec<String> {
        let commands = read.commands_of(&mine, limit).unwrap();
        commands.into_iter().map(|command| command.line).collect()
    };
    assert_eq!(lines(9), ["id 1", "id 2"]);
    assert_eq!(lines(1), ["id 2"]);
    let transfers = read.transfers_of(&mine, 9).unwrap();
    assert_eq!(transfers.len(), 1);
    assert_eq!(
        (transfers[0].path.as_str(), transfers[0].size),
        ("/tmp/a", Some(7))
    );
    let kinds = |rows: Vec<crate::nouns::EventRow>| -> Vec<String> {
        let kind = |row: &crate::nouns::EventRow| {
            let body: serde_json::Value = serde_json::from_str(&row.body).unwrap();
            body["type"].as_str().unwrap().to_owned()
        };
        rows.iter().map(kind).collect()
    };
    assert_eq!(
        kinds(read.events_of_session(&mine, 9).unwrap()),
        ["session.open", "evidence.read"]
    );
    assert_eq!(
        kinds(read.events_of_session(&mine, 1).unwrap()),
        ["evidence.read"]
    );
    // What belongs to a session of the login stands there; what its user looked at, here.
    assert_eq!(
        kinds(read.events_of_login(&login.id, 9).unwrap()),
        ["login.open"]
    );
    assert_eq!(
        kinds(read.events_of_login(&other_login.id, 9).unwrap()),
        ["login.open", "evidence.read"]
    );
}

#[test]
fn the_events_of_one_login_session_or_type_are_found_by_an_index() {
    let fixture = fixture();
    for (sql, index) in [
        (
            "SELECT seq FROM event WHERE login_id = ?1 AND login_id <> '' ORDER BY seq DESC",
            "event_by_login",
        ),
        (
            "SELECT seq FROM event WHERE session_id = ?1 AND session_id <> '' ORDER BY seq DESC",
            "event_by_session",
        ),
        (
            "SELECT seq FROM event WHERE type = ?1 ORDER BY seq DESC",
            "event_by_type",
        ),
    ] {
        let plan: String = fixture
            .store
            .connection
            .query_row(&format!("EXPLAIN QUERY PLAN {sql}"), ["x"], |row| {
                row.get(3)
            })
            .unwrap();
        assert!(plan.contains(index), "{sql}: {plan}");
    }
}
