//! Places of answers that are being checked outside of a transaction.

use super::Answerer;
use super::counters::{self, Left};
use crate::policy::lockout::{Limits, Network, Proof};
use crate::store::error::StoreError;
use crate::store::read::{Read, time, word};
use crate::time::Time;
use rusqlite::{Connection, params};

/// Longer than any check takes, in milliseconds. Who has not settled by then is dead.
const LONGEST: i64 = 10_000;

/// Whether one more may be checked: none of the counters could be passed if all that are being checked were wrong.
pub(super) fn may_take(
    connection: &Connection,
    who: &Answerer<'_>,
    left: Left,
) -> Result<bool, StoreError> {
    let read = Read::new(connection);
    let (user, proof, source) = (who.user_id, who.proof.as_str(), who.source.as_str());
    let of_both = read.number(
        "SELECT count(*) FROM lockout_place WHERE user_id = ?1 AND proof = ?2 AND source = ?3",
        params![user, proof, source],
    )?;
    let of_user = read.number(
        "SELECT count(*) FROM lockout_place WHERE user_id = ?1 AND proof = ?2",
        params![user, proof],
    )?;
    let of_source = read.number(
        "SELECT count(*) FROM lockout_place WHERE source = ?1 AND proof = 'none'",
        [source],
    )?;
    Ok(of_both < i64::from(left.user_and_source)
        && of_user < i64::from(left.user)
        && (who.proof == Proof::Key || of_source < i64::from(left.source)))
}

pub(super) fn take(
    connection: &Connection,
    who: &Answerer<'_>,
    now: Time,
) -> Result<i64, StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO lockout_place (user_id, proof, source, taken_at) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            who.user_id,
            who.proof.as_str(),
            who.source.as_str(),
            now.0
        ])?;
    Ok(connection.last_insert_rowid())
}

/// Whether it was still there.
pub(super) fn give_back(connection: &Connection, id: i64) -> Result<bool, StoreError> {
    Ok(connection
        .prepare_cached("DELETE FROM lockout_place WHERE id = ?1")?
        .execute([id])?
        == 1)
}

/// Places of processes that died, or of a clock that was ahead: each is a wrong answer.
pub(super) fn collect_dead(
    connection: &Connection,
    limits: &Limits,
    now: Time,
) -> Result<(), StoreError> {
    let dead = Read::new(connection).rows(
        "SELECT p.id, p.user_id, u.name, p.proof, p.source, p.taken_at
         FROM lockout_place p JOIN user u ON u.id = p.user_id WHERE p.taken_at <= ?1 OR p.taken_at > ?2 ORDER BY p.id",
        params![now.plus(-LONGEST).0, now.plus(LONGEST).0],
        |row| {
            Ok((
                row.get::<_, i64>("id")?,
                row.get::<_, i64>("user_id")?,
                row.get::<_, String>("name")?,
                word("proof of an answer", &row.get::<_, String>("proof")?, Proof::parse)?,
                Network::from_store(row.get("source")?),
                time(row, "taken_at")?,
            ))
        },
    )?;
    for (id, user_id, user, proof, source, taken_at) in dead {
        give_back(connection, id)?;
        let who = Answerer {
            user_id,
            user: &user,
            proof,
            source: &source,
        };
        counters::count_wrong(connection, &who, limits, taken_at.min(now))?;
    }
    Ok(())
}
