//! What the snapshots have.

use super::*;

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
