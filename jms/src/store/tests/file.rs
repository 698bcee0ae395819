//! The store as a file.

use super::*;

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

#[test]
fn a_secret_is_bound_to_its_row() {
    let mut f = fixture();
    f.everyday();
    let new = crate::store::system_users::NewCredential {
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
