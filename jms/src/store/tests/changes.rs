//! Changes, their events and who may make them.

use super::*;

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
