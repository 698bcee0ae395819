//! Numbered migrations. A migration that was released is never edited; `user_version` says which ran.

use super::error::StoreError;
use rusqlite::{Connection, TransactionBehavior};

/// Each in its own file; the first makes the whole schema.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_whole_schema.sql"),
    include_str!("migrations/0002_root_of_the_tree.sql"),
];

/// The schema's number that this program knows.
pub(super) fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

fn version(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

/// Runs what has not run yet, all in one transaction: another process sees the old or the new schema.
pub(super) fn to_newest(connection: &mut Connection, may_be_empty: bool) -> Result<(), StoreError> {
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
