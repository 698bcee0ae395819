//! Rows of counters: what they say now, and one more wrong answer.

use super::{Answerer, Locked, Why};
use crate::policy::lockout::{self, Counter, Limit, Limits, Proof};
use crate::store::error::StoreError;
use crate::store::events;
use crate::store::read::{Read, maybe_time, number, time};
use crate::time::Time;
use event::{Event, Type};
use rusqlite::{Connection, Row, params};

/// What all counters of an answer say together.
pub(super) enum Standing {
    Locked(Locked),
    /// For each counter: so many more wrong answers lock.
    Open(Left),
}

/// So many more wrong answers lock, for each counter.
#[derive(Clone, Copy)]
pub(super) struct Left {
    pub user_and_source: u32,
    pub user: u32,
    pub source: u32,
}

/// The source of the counter over all sources.
const EVERYWHERE: &str = "";

pub(super) fn counter(row: &Row<'_>) -> Result<Counter, StoreError> {
    Ok(Counter {
        failures: number("number of wrong answers", row.get("failures")?)?,
        first_at: time(row, "first_at")?,
        last_at: time(row, "last_at")?,
        locked_until: maybe_time(row, "locked_until")?,
    })
}

/// The counters that an answer counts on, each with its limit. Without a key the network has one as well.
fn limits_of(limits: &Limits, proof: Proof) -> impl Iterator<Item = (Why, Limit)> {
    let source = (proof == Proof::None).then_some((Why::Source, limits.source));
    [
        (Why::UserAndSource, limits.user_and_source),
        (Why::User, limits.user),
    ]
    .into_iter()
    .chain(source)
}

fn find(read: Read<'_>, who: &Answerer<'_>, why: Why) -> Result<Option<Counter>, StoreError> {
    let source = match why {
        Why::User => EVERYWHERE,
        Why::UserAndSource => who.source.as_str(),
        Why::Source => {
            let sql = "SELECT * FROM source_lockout WHERE source = ?1";
            return read.first(sql, [who.source.as_str()], counter);
        }
    };
    read.first(
        "SELECT * FROM lockout WHERE user_id = ?1 AND proof = ?2 AND source = ?3",
        params![who.user_id, who.proof.as_str(), source],
        counter,
    )
}

pub(super) fn standing(
    read: Read<'_>,
    who: &Answerer<'_>,
    limits: &Limits,
    now: Time,
) -> Result<Standing, StoreError> {
    let mut left = Left {
        user_and_source: u32::MAX,
        user: u32::MAX,
        source: u32::MAX,
    };
    for (why, limit) in limits_of(limits, who.proof) {
        match limit.standing(find(read, who, why)?.as_ref(), now) {
            lockout::Standing::Locked(until) => {
                return Ok(Standing::Locked(Locked { until, why }));
            }
            lockout::Standing::Open(more) => match why {
                Why::UserAndSource => left.user_and_source = more,
                Why::User => left.user = more,
                Why::Source => left.source = more,
            },
        }
    }
    Ok(Standing::Open(left))
}

/// Counts a wrong answer on each of its counters, and says so where one locks.
pub(super) fn count_wrong(
    connection: &Connection,
    who: &Answerer<'_>,
    limits: &Limits,
    now: Time,
) -> Result<(), StoreError> {
    for (why, limit) in limits_of(limits, who.proof) {
        let before = find(Read::new(connection), who, why)?;
        let after = limit.after_wrong(before.as_ref(), now);
        if before == Some(after) {
            continue;
        }
        write(connection, who, why, &after)?;
        if let Some(until) = after.locked_until {
            let event = Event::new(Type::LoginLocked)
                .at(now.timestamp())
                .result("deny")
                .reason(why.as_str())
                .with("until", until.to_string())
                .with("failures", u64::from(after.failures))
                .with("proof", who.proof.as_str());
            let event = match why {
                Why::UserAndSource | Why::User => event.user(who.user),
                Why::Source => event,
            };
            let event = match why {
                Why::UserAndSource | Why::Source => event.with("network", who.source.as_str()),
                Why::User => event,
            };
            events::insert(connection, &event)?;
        }
    }
    drop_old(connection, who.user_id, limits, now)
}

fn write(
    connection: &Connection,
    who: &Answerer<'_>,
    why: Why,
    counter: &Counter,
) -> Result<(), StoreError> {
    let until = counter.locked_until.map(|until| until.0);
    let (failures, first, last) = (counter.failures, counter.first_at.0, counter.last_at.0);
    let source = match why {
        Why::User => EVERYWHERE,
        Why::UserAndSource => who.source.as_str(),
        Why::Source => {
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO source_lockout (source, failures, first_at, last_at, locked_until)
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![who.source.as_str(), failures, first, last, until])?;
            return Ok(());
        }
    };
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO lockout (user_id, proof, source, failures, first_at, last_at, locked_until)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            who.user_id,
            who.proof.as_str(),
            source,
            failures,
            first,
            last,
            until
        ])?;
    Ok(())
}

/// Somebody who comes from a new address each time would leave a row each time.
fn drop_old(
    connection: &Connection,
    user_id: i64,
    limits: &Limits,
    now: Time,
) -> Result<(), StoreError> {
    let old = |limit: Limit| now.plus(-limit.window.max(limit.lock)).0;
    connection
        .prepare_cached("DELETE FROM lockout WHERE user_id = ?1 AND source <> '' AND last_at < ?2")?
        .execute(params![user_id, old(limits.user_and_source)])?;
    connection
        .prepare_cached("DELETE FROM source_lockout WHERE last_at < ?1")?
        .execute([old(limits.source)])?;
    Ok(())
}

/// Forgets the wrong answers of a user from a network, after the same proof. Those from everywhere are not forgotten:
/// they are other people's, too.
pub(super) fn forget(connection: &Connection, who: &Answerer<'_>) -> Result<(), StoreError> {
    connection
        .prepare_cached("DELETE FROM lockout WHERE user_id = ?1 AND proof = ?2 AND source = ?3")?
        .execute(params![
            who.user_id,
            who.proof.as_str(),
            who.source.as_str()
        ])?;
    Ok(())
}
