use super::*;
use crate::nouns::User;
use crate::paths::Paths;
use crate::policy::lockout::Limit;
use crate::store::{Actor, EventSearch};
use std::net::IpAddr;

const NOW: Time = Time(1_800_000_000_000);
const MINUTE: i64 = 60_000;

fn limits() -> Limits {
    crate::settings::Lockout::default().limits()
}

fn network(address: &str) -> Network {
    Network::of(Some(address.parse::<IpAddr>().unwrap()), &limits())
}

struct Bastion {
    _folder: tempfile::TempDir,
    paths: Paths,
    store: Store,
}

impl Bastion {
    fn with_users(names: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        paths.create().unwrap();
        let mut store = Store::create(&paths).unwrap();
        store.set_event_sender(event::Sender::to(folder.path().join("no-syslog")));
        let root = Actor {
            name: "root".into(),
            why: String::new(),
        };
        store
            .change(&root, NOW, |change| {
                for name in names {
                    let high_water = paths.uid_high_water();
                    change.add_user(&User::new(name, NOW), 70_000..=70_099, &high_water, |_| {
                        false
                    })?;
                }
                Ok(())
            })
            .unwrap();
        Self {
            _folder: folder,
            paths,
            store,
        }
    }

    fn again(&self) -> Store {
        let mut store = Store::open(&self.paths).unwrap();
        store.set_event_sender(event::Sender::to(self.paths.state().join("no-syslog")));
        store
    }

    fn id(&self, name: &str) -> i64 {
        self.store.read().user(name).unwrap().id
    }

    fn answer(&mut self, who: &Answerer<'_>, right: bool, now: Time) -> Attempt<()> {
        self.store
            .attempt(who, &limits(), now, |_| Ok(right.then_some(())))
            .unwrap()
    }

    fn wrong(&mut self, who: &Answerer<'_>, times: usize, now: Time) {
        for _ in 0..times {
            assert_eq!(self.answer(who, false, now), Attempt::Wrong);
        }
    }
}

fn is_locked<T>(attempt: Attempt<T>, expected: Why) -> bool {
    matches!(attempt, Attempt::Locked(Locked { why, .. }) if why == expected)
}

fn answerer<'a>(id: i64, proof: Proof, source: &'a Network) -> Answerer<'a> {
    Answerer {
        user_id: id,
        user: "alice",
        proof,
        source,
    }
}

#[test]
fn five_wrong_answers_lock_the_right_one_out_until_the_lock_ends() {
    let mut bastion = Bastion::with_users(&["alice"]);
    let here = network("192.0.2.7");
    let alice = answerer(bastion.id("alice"), Proof::Key, &here);
    bastion.wrong(&alice, 5, NOW);
    let locked = bastion.answer(&alice, true, NOW.plus(1));
    assert_eq!(
        locked,
        Attempt::Locked(Locked {
            until: NOW.plus(15 * MINUTE),
            why: Why::UserAndSource
        })
    );
    // A restart changes nothing.
    bastion.store = bastion.again();
    assert!(is_locked(
        bastion.answer(&alice, false, NOW.plus(15 * MINUTE - 1)),
        Why::UserAndSource
    ));
    assert_eq!(
        bastion.answer(&alice, true, NOW.plus(15 * MINUTE)),
        Attempt::Right(())
    );
}

#[test]
fn a_right_answer_forgets_the_wrong_ones_from_there() {
    let mut bastion = Bastion::with_users(&["alice"]);
    let here = network("192.0.2.7");
    let alice = answerer(bastion.id("alice"), Proof::Key, &here);
    for _ in 0..3 {
        bastion.wrong(&alice, 4, NOW);
        assert_eq!(bastion.answer(&alice, true, NOW), Attempt::Right(()));
    }
    // Those from everywhere stay.
    let locks = bastion
        .store
        .read()
        .locks(Some("alice"), &limits(), NOW)
        .unwrap();
    assert_eq!(locks.len(), 1);
    assert_eq!((locks[0].failures, locks[0].source.clone()), (12, None));
}

#[test]
fn strangers_without_the_key_lock_nobody_who_proves_it() {
    let mut bastion = Bastion::with_users(&["alice"]);
    let id = bastion.id("alice");
    let here = network("192.0.2.7");
    // From her own address, until her account and her network are locked for all who come without a key.
    for day in 0..3 {
        let now = NOW.plus(day * 16 * MINUTE);
        for host in 1..=7 {
            let there = network(&format!("198.51.100.{host}"));
            for source in [&here, &there] {
                let stranger = answerer(id, Proof::None, source);
                for _ in 0..5 {
                    bastion.answer(&stranger, false, now);
                }
            }
        }
    }
    let later = NOW.plus(33 * MINUTE);
    let without = answerer(id, Proof::None, &here);
    assert!(is_locked(bastion.answer(&without, true, later), Why::User));
    let with = answerer(id, Proof::Key, &here);
    assert_eq!(bastion.answer(&with, true, later), Attempt::Right(()));
}

#[test]
fn a_stranger_locks_only_where_he_is() {
    let mut bastion = Bastion::with_users(&["alice"]);
    let id = bastion.id("alice");
    let (here, there) = (network("192.0.2.7"), network("198.51.100.1"));
    bastion.wrong(&answerer(id, Proof::None, &there), 5, NOW);
    assert_eq!(
        bastion.answer(&answerer(id, Proof::None, &here), true, NOW),
        Attempt::Right(())
    );
    assert!(is_locked(
        bastion.answer(&answerer(id, Proof::None, &there), true, NOW),
        Why::UserAndSource
    ));
}

#[test]
fn a_network_that_tries_everybody_is_locked_for_those_without_a_key() {
    let names: Vec<String> = (0..13).map(|n| format!("user{n}")).collect();
    let mut bastion = Bastion::with_users(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let there = network("2001:db8::1");
    for name in names.iter().take(12) {
        let who = answerer(bastion.id(name), Proof::None, &there);
        bastion.wrong(&who, 4, NOW);
    }
    let last = bastion.id("user12");
    bastion.wrong(&answerer(last, Proof::None, &there), 2, NOW);
    let neighbour = network("2001:db8::ffff");
    assert!(is_locked(
        bastion.answer(&answerer(last, Proof::None, &neighbour), true, NOW),
        Why::Source
    ));
    assert_eq!(
        bastion.answer(&answerer(last, Proof::Key, &neighbour), true, NOW),
        Attempt::Right(())
    );
}

#[test]
fn what_a_wrong_answer_wrote_is_undone_and_its_count_is_kept() {
    let mut bastion = Bastion::with_users(&["alice"]);
    let here = network("192.0.2.7");
    let alice = answerer(bastion.id("alice"), Proof::Key, &here);
    let attempt = bastion
        .store
        .attempt(&alice, &limits(), NOW, |connection| {
            connection.execute("UPDATE user SET comment = 'changed'", [])?;
            Ok(None::<()>)
        })
        .unwrap();
    assert_eq!(attempt, Attempt::Wrong);
    assert_eq!(bastion.store.read().user("alice").unwrap().comment, "");
    // A check that failed says nothing about the answer.
    let failed = bastion.store.attempt(&alice, &limits(), NOW, |_| {
        Err::<Option<()>, _>(StoreError::Busy)
    });
    assert!(failed.is_err());
    let locks = bastion.store.read().locks(None, &limits(), NOW).unwrap();
    assert!(locks.iter().all(|lock| lock.failures == 1), "{locks:?}");
}

/// Asks again until the store is not busy: who was told so has not been heard.
fn patiently<T>(mut ask: impl FnMut() -> Result<T, StoreError>) -> T {
    loop {
        match ask() {
            Err(StoreError::Busy | StoreError::Crowded) => {}
            other => return other.unwrap(),
        }
    }
}

/// Gives a wrong answer that takes no time to check; whether it was looked at.
fn quick_wrong(store: &mut Store, who: &Answerer<'_>) -> bool {
    patiently(|| store.attempt(who, &limits(), NOW, |_| Ok(None::<()>))) == Attempt::Wrong
}

/// The same with one that takes time.
fn slow_wrong(store: &mut Store, who: &Answerer<'_>) -> bool {
    let Reserved::Place(Place { id, _check }) = patiently(|| store.reserve(who, &limits(), NOW))
    else {
        return false;
    };
    std::thread::sleep(Duration::from_millis(30));
    drop(_check);
    patiently(|| {
        let _check = store.wait_for_check(who, Instant::now())?;
        store.settle(Place { id, _check }, who, &limits(), Outcome::Wrong, NOW)
    })
}

#[test]
fn fifty_at_once_count_five_and_hear_no_more() {
    let bastion = Bastion::with_users(&["alice"]);
    let here = network("192.0.2.7");
    let id = bastion.id("alice");
    let stores: Vec<Store> = (0..50).map(|_| bastion.again()).collect();
    let together = std::sync::Barrier::new(stores.len());
    let alice = answerer(id, Proof::None, &here);
    let heard: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = stores
            .into_iter()
            .enumerate()
            .map(|(number, mut store)| {
                let together = &together;
                scope.spawn(move || {
                    together.wait();
                    match number % 2 {
                        0 => quick_wrong(&mut store, &alice),
                        _ => slow_wrong(&mut store, &alice),
                    }
                })
            })
            .collect();
        let heard = threads.into_iter().map(|thread| thread.join().unwrap());
        heard.filter(|heard| *heard).count()
    });
    assert_eq!(heard, 5);
    let locks = bastion.store.read().locks(None, &limits(), NOW).unwrap();
    assert_eq!(locks.len(), 3);
    assert!(locks.iter().all(|lock| lock.failures == 5), "{locks:?}");
    let right = bastion
        .again()
        .attempt(&alice, &limits(), NOW, |_| Ok(Some(())));
    assert!(is_locked(right.unwrap(), Why::UserAndSource));
}

#[test]
fn whoever_dies_while_his_answer_is_checked_has_given_a_wrong_one() {
    let mut bastion = Bastion::with_users(&["alice"]);
    let here = network("192.0.2.7");
    let alice = answerer(bastion.id("alice"), Proof::None, &here);
    for number in 0..5 {
        let reserved = bastion
            .store
            .reserve(&alice, &limits(), NOW.plus(number))
            .unwrap();
        assert!(matches!(reserved, Reserved::Place(_)));
    }
    // All five places are taken: nobody is asked until it is known what became of them.
    assert!(matches!(
        bastion.store.reserve(&alice, &limits(), NOW.plus(10)),
        Err(StoreError::Crowded)
    ));
    assert!(is_locked(
        bastion.answer(&alice, true, NOW.plus(MINUTE)),
        Why::UserAndSource
    ));
}

/// Those who hold all checks, one after the other.
fn all_checks(bastion: &Bastion, proof: Proof) -> Vec<Check> {
    std::iter::from_fn(|| checks::try_take(&bastion.paths, proof).unwrap()).collect()
}

#[test]
fn no_more_are_hashed_at_once_than_there_is_memory_for_and_who_is_locked_waits_as_well() {
    let mut bastion = Bastion::with_users(&["alice", "bob"]);
    let here = network("192.0.2.7");
    let alice = answerer(bastion.id("alice"), Proof::None, &here);
    let bob = answerer(bastion.id("bob"), Proof::None, &here);
    bastion.wrong(&alice, 5, NOW);
    let mut strangers = all_checks(&bastion, Proof::None);
    assert_eq!(strangers.len(), 8);
    for who in [&alice, &bob] {
        let reserved = bastion.store.reserve(who, &limits(), NOW);
        assert!(matches!(reserved, Err(StoreError::Crowded)), "{reserved:?}");
    }
    // Neither was heard: nothing counts.
    let locks = bastion
        .store
        .read()
        .locks(Some("bob"), &limits(), NOW.plus(MINUTE))
        .unwrap();
    assert_eq!(locks.len(), 0, "{locks:?}");
    // Who has proved a key does not stand in that queue.
    let key = answerer(bastion.id("alice"), Proof::Key, &here);
    let reserved = bastion.store.reserve(&key, &limits(), NOW);
    assert!(matches!(reserved, Ok(Reserved::Place(_))), "{reserved:?}");
    drop(reserved);
    assert_eq!(all_checks(&bastion, Proof::Key).len(), 4);
    // One that ends, or dies, makes room; who is locked is told so then, and holds it while he is hashed.
    strangers.pop();
    let reserved = bastion.store.reserve(&alice, &limits(), NOW);
    assert!(matches!(reserved, Ok(Reserved::Locked(..))), "{reserved:?}");
    assert_eq!(all_checks(&bastion, Proof::None).len(), 0);
    drop(reserved);
    assert_eq!(all_checks(&bastion, Proof::None).len(), 1);
}

#[test]
fn a_place_that_was_given_up_is_not_settled_and_one_that_was_right_counts_nothing() {
    let mut bastion = Bastion::with_users(&["alice"]);
    let here = network("192.0.2.7");
    let alice = answerer(bastion.id("alice"), Proof::None, &here);
    let place = |bastion: &mut Bastion, now| match bastion.store.reserve(&alice, &limits(), now) {
        Ok(Reserved::Place(place)) => place,
        other => panic!("{other:?}"),
    };
    let slow = place(&mut bastion, NOW);
    let quick = place(&mut bastion, NOW.plus(MINUTE));
    assert!(
        !bastion
            .store
            .settle(slow, &alice, &limits(), Outcome::Passed, NOW.plus(MINUTE))
            .unwrap()
    );
    assert!(
        bastion
            .store
            .settle(quick, &alice, &limits(), Outcome::Right, NOW.plus(MINUTE))
            .unwrap()
    );
    let locks = bastion
        .store
        .read()
        .locks(Some("alice"), &limits(), NOW)
        .unwrap();
    assert!(locks.iter().all(|lock| lock.failures == 1), "{locks:?}");
}

#[test]
fn locks_are_listed_taken_away_and_told() {
    let mut bastion = Bastion::with_users(&["alice", "bob"]);
    let (here, there) = (network("192.0.2.7"), network("2001:db8::7"));
    let id = bastion.id("alice");
    bastion.wrong(&answerer(id, Proof::Key, &here), 5, NOW);
    bastion.wrong(&answerer(id, Proof::Key, &there), 5, NOW);
    let root = Actor {
        name: "root".into(),
        why: "called me".into(),
    };
    let removed = bastion
        .store
        .change(&root, NOW, |change| {
            change.remove_locks(Some("alice"), Some("192.0.2.7/32"), &limits())
        })
        .unwrap();
    assert_eq!(removed.len(), 1);
    assert_eq!(removed[0].locked_until, Some(NOW.plus(15 * MINUTE)));
    assert_eq!(
        bastion.answer(&answerer(id, Proof::Key, &here), true, NOW),
        Attempt::Right(())
    );
    assert!(is_locked(
        bastion.answer(&answerer(id, Proof::Key, &there), true, NOW),
        Why::UserAndSource
    ));
    let nothing = bastion.store.change(&root, NOW, |change| {
        change.remove_locks(Some("bob"), None, &limits())
    });
    assert!(matches!(nothing, Err(StoreError::NotFound { .. })));
    let events = bastion
        .store
        .read()
        .events(&EventSearch {
            kind: Some("login".into()),
            limit: 10,
            ..EventSearch::default()
        })
        .unwrap();
    let said: Vec<&str> = events.iter().map(|event| event.body.as_str()).collect();
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said[0].contains("login.locked") && said[0].contains("192.0.2.7/32"));
    assert!(said[2].contains("login.unlocked") && said[2].contains("called me"));
}

#[test]
fn addresses_that_come_once_leave_no_rows_for_ever() {
    let mut bastion = Bastion::with_users(&["alice"]);
    let id = bastion.id("alice");
    for day in 0..40 {
        let there = network(&format!("198.51.100.{day}"));
        let now = NOW.plus(day * 24 * 60 * MINUTE);
        bastion.wrong(&answerer(id, Proof::None, &there), 1, now);
    }
    let locks = bastion.store.read().locks(None, &limits(), NOW).unwrap();
    assert_eq!(locks.len(), 3, "{locks:?}");
}

#[test]
fn a_limit_of_none_counts_and_never_locks() {
    let mut bastion = Bastion::with_users(&["alice"]);
    let here = network("192.0.2.7");
    let alice = answerer(bastion.id("alice"), Proof::None, &here);
    let off = Limit {
        failures: 0,
        window: MINUTE,
        lock: MINUTE,
    };
    let limits = Limits {
        user_and_source: off,
        user: off,
        source: off,
        ..limits()
    };
    for _ in 0..100 {
        let attempt = bastion
            .store
            .attempt(&alice, &limits, NOW, |_| Ok(None::<()>))
            .unwrap();
        assert_eq!(attempt, Attempt::Wrong);
    }
}
