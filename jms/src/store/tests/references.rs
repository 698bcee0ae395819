//! What happens to what refers to an object that goes.

use super::*;

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
