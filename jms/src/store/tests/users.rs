//! Users, their numbers and who must stay.

use super::*;

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
