//! Numbered migrations. A migration that was released is never edited; `user_version` says which ran.
//!
//! Sessions outlive an upgrade: a program of the version before goes on with its open store, so what it writes must still be
//! right under the newer schema. Columns and tables are added, never renamed or taken away, within one major version.

use super::error::StoreError;
use crate::paths::Paths;
use rusqlite::{Connection, TransactionBehavior};
use std::time::{Duration, Instant};

/// Each in its own file; the first makes the whole schema.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_whole_schema.sql"),
    include_str!("migrations/0002_root_of_the_tree.sql"),
    include_str!("migrations/0003_lost_recordings.sql"),
    include_str!("migrations/0004_gateway_system_user.sql"),
    include_str!("migrations/0005_events_of_logins.sql"),
    include_str!("migrations/0006_lockout.sql"),
    include_str!("migrations/0007_user_activity.sql"),
    include_str!("migrations/0008_enrolment_code.sql"),
    include_str!("migrations/0009_bytes_not_recorded.sql"),
];

/// How long the rest of a package is waited for. The PAM module gives its helper up after five seconds.
const REPLACEMENT: Duration = Duration::from_secs(2);

/// The schema's number that this program knows.
pub(super) fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

fn version(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

/// Runs what has not run yet, all in one transaction: another process sees the old or the new schema.
pub(super) fn to_newest(
    connection: &mut Connection,
    paths: &Paths,
    may_be_empty: bool,
) -> Result<(), StoreError> {
    let found = version(connection)?;
    if found == newest() {
        return Ok(());
    }
    if found > newest() {
        return Err(StoreError::TooNew {
            found,
            known: newest(),
        });
    }
    if found == 0 && !may_be_empty {
        return Err(StoreError::NotInitialised);
    }
    if found > 0 {
        wait_for_replacement(paths);
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Somebody may have migrated while we waited for the lock.
    let found = version(&transaction)?;
    let done = usize::try_from(found).unwrap_or(usize::MAX);
    for (migration, number) in MIGRATIONS.iter().zip(1..).skip(done) {
        let number: i64 = number;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", number)?;
    }
    transaction.commit()?;
    Ok(())
}

/// dpkg and rpm unpack a package beside the old one (`NAME.dpkg-new`, `NAME;65a1b2c3`), then rename one program after the other.
/// The first new one must not take the store from the old ones that still stand beside it, or the login between the two is refused.
fn wait_for_replacement(paths: &Paths) {
    let since = Instant::now();
    while is_being_replaced(paths) && since.elapsed() < REPLACEMENT {
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn is_being_replaced(paths: &Paths) -> bool {
    std::fs::read_dir(paths.programs())
        .into_iter()
        .flatten()
        .flatten()
        .any(|file| {
            let name = file.file_name();
            let name = name.as_encoded_bytes();
            name.ends_with(b".dpkg-new") || name.contains(&b';')
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    /// Paths with a store of the first schema in them, as version 0.1.0 left it.
    fn first_schema(folder: &std::path::Path) -> Paths {
        let paths = Paths::under(folder);
        paths.create().unwrap();
        let connection = Connection::open(paths.database()).unwrap();
        connection.execute_batch(MIGRATIONS[0]).unwrap();
        connection.pragma_update(None, "user_version", 1).unwrap();
        paths
    }

    fn version_of(paths: &Paths) -> i64 {
        version(&Connection::open(paths.database()).unwrap()).unwrap()
    }

    #[test]
    fn a_store_of_the_first_schema_is_brought_up_to_date_by_whoever_opens_it() {
        let folder = tempfile::tempdir().unwrap();
        let paths = first_schema(folder.path());
        let store = Store::open(&paths).unwrap();
        assert_eq!(version_of(&paths), newest());
        // And is then the same as a new one.
        let new = tempfile::tempdir().unwrap();
        let new_paths = Paths::under(new.path());
        new_paths.create().unwrap();
        let new_store = Store::create(&new_paths).unwrap();
        assert_eq!(schema(&store.connection), schema(&new_store.connection));
    }

    fn schema(connection: &Connection) -> Vec<String> {
        let mut statement = connection
            .prepare("SELECT name || ': ' || sql FROM sqlite_schema WHERE sql <> '' ORDER BY name")
            .unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    #[test]
    fn a_program_that_has_it_open_goes_on_with_its_statements() {
        let folder = tempfile::tempdir().unwrap();
        let paths = first_schema(folder.path());
        let old = Connection::open(paths.database()).unwrap();
        let insert =
            "INSERT INTO event (at, type, severity, body) VALUES (1, 'alert', 'info', '{}')";
        let mut statement = old.prepare(insert).unwrap();
        statement.execute([]).unwrap();
        drop(Store::open(&paths).unwrap());
        assert_eq!(statement.execute([]).unwrap(), 1);
    }

    #[test]
    fn nobody_migrates_while_rpm_replaces_the_package() {
        let folder = tempfile::tempdir().unwrap();
        let paths = first_schema(folder.path());
        std::fs::create_dir(paths.programs()).unwrap();
        std::fs::write(paths.programs().join("jms-pam-helper;6aa0b1c2"), "").unwrap();
        assert!(is_being_replaced(&paths));
        std::fs::remove_file(paths.programs().join("jms-pam-helper;6aa0b1c2")).unwrap();
        std::fs::write(paths.programs().join("jms-pam-helper"), "").unwrap();
        assert!(!is_being_replaced(&paths));
    }

    #[test]
    fn nobody_migrates_while_the_package_is_being_replaced_and_nobody_waits_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let paths = first_schema(folder.path());
        std::fs::create_dir(paths.programs()).unwrap();
        let unpacked = paths.programs().join("force-command.dpkg-new");
        std::fs::write(&unpacked, "").unwrap();
        std::thread::scope(|scope| {
            let opened = scope.spawn(|| Store::open(&paths).map(drop));
            std::thread::sleep(Duration::from_millis(100));
            assert_eq!(version_of(&paths), 1);
            std::fs::remove_file(&unpacked).unwrap();
            opened.join().unwrap().unwrap();
            assert_eq!(version_of(&paths), newest());
        });
        // What an interrupted dpkg left behind.
        let folder = tempfile::tempdir().unwrap();
        let paths = first_schema(folder.path());
        std::fs::create_dir(paths.programs()).unwrap();
        std::fs::write(paths.programs().join("force-command.dpkg-new"), "").unwrap();
        let since = Instant::now();
        drop(Store::open(&paths).unwrap());
        assert!(since.elapsed() >= REPLACEMENT);
        assert_eq!(version_of(&paths), newest());
    }
}
