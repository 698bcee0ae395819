use super::lockout::{Answerer, Why};
use super::{Actor, EventSearch, PasswordAnswer, Store, StoreError, StoredPassword};
use crate::nouns::User;
use crate::password::{Cost, PasswordHash};
use crate::paths::Paths;
use crate::policy::lockout::{Limits, Network, Proof};
use crate::secret::SecretString;
use crate::time::Time;

const NOW: Time = Time(1_800_000_000_000);
const DAY: i64 = 24 * 60 * 60 * 1000;

struct Bastion {
    _folder: tempfile::TempDir,
    store: Store,
    user: User,
}

fn cost() -> Cost {
    Cost::new(*Cost::MEMORY_KIB.start(), 1).unwrap()
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

fn hash(text: &str) -> PasswordHash {
    PasswordHash::of(&secret(text), cost()).unwrap()
}

fn limits() -> Limits {
    crate::settings::Lockout::default().limits()
}

fn root() -> Actor {
    Actor {
        name: "root".into(),
        why: String::new(),
    }
}

impl Bastion {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        paths.create().unwrap();
        let mut store = Store::create(&paths).unwrap();
        store.set_event_sender(event::Sender::to(folder.path().join("no-syslog")));
        let user = store
            .change(&root(), NOW, |change| {
                let high_water = paths.uid_high_water();
                change.add_user(
                    &User::new("alice", NOW),
                    70_000..=70_099,
                    &high_water,
                    |_| false,
                )
            })
            .unwrap();
        Self {
            _folder: folder,
            store,
            user,
        }
    }

    fn give(&mut self, text: &str) {
        let given = self.store.change(&root(), NOW, |change| {
            change.give_password("alice", &hash(text))
        });
        given.unwrap();
    }

    fn stored(&self) -> StoredPassword {
        self.store.read().password(self.user.id).unwrap().unwrap()
    }

    fn answer(&mut self, text: &str) -> PasswordAnswer {
        let source = Network::of("192.0.2.7".parse().ok(), &limits());
        let who = Answerer {
            user_id: self.user.id,
            user: "alice",
            proof: Proof::None,
            source: &source,
        };
        self.store
            .answer_password(&who, &limits(), cost(), &secret(text), true, NOW)
            .unwrap()
    }

    fn choose(&mut self, text: &str, now: Time) {
        let before = self.stored();
        self.store
            .choose_password(&self.user, &before, &hash(text), 3, "192.0.2.7", now)
            .unwrap();
    }
}

#[test]
fn a_given_password_is_right_and_must_be_changed() {
    let mut bastion = Bastion::new();
    assert!(matches!(bastion.answer("anything"), PasswordAnswer::Wrong));
    bastion.give("initial");
    let PasswordAnswer::Right(stored) = bastion.answer("initial") else {
        panic!("not right");
    };
    assert!(stored.must_be_changed(None, NOW));
    bastion.choose("chosen", NOW.plus(1));
    assert!(matches!(bastion.answer("initial"), PasswordAnswer::Wrong));
    let PasswordAnswer::Right(stored) = bastion.answer("chosen") else {
        panic!("not right");
    };
    assert!(!stored.must_be_changed(None, NOW));
    assert!(!stored.must_be_changed(Some(DAY), NOW.plus(DAY)));
    assert!(stored.must_be_changed(Some(DAY), NOW.plus(DAY + 1)));
}

#[test]
fn wrong_passwords_lock_whether_there_is_one_or_not() {
    for given in [false, true] {
        let mut bastion = Bastion::new();
        if given {
            bastion.give("initial");
        }
        for _ in 0..5 {
            assert!(matches!(bastion.answer("wrong"), PasswordAnswer::Wrong));
        }
        let PasswordAnswer::Locked(locked) = bastion.answer("initial") else {
            panic!("not locked");
        };
        assert_eq!(locked.why, Why::UserAndSource);
    }
}

#[test]
fn the_last_ones_are_remembered_and_no_more() {
    let mut bastion = Bastion::new();
    bastion.give("initial");
    for (number, text) in ["one", "two", "three", "four"].iter().enumerate() {
        bastion.choose(text, NOW.plus(number as i64 + 1));
    }
    let before = bastion
        .store
        .read()
        .passwords_before(bastion.user.id)
        .unwrap();
    assert_eq!(before.len(), 3);
    assert!(before[0].is_of(&secret("four")).unwrap());
    assert!(before[2].is_of(&secret("two")).unwrap());
}

#[test]
fn what_was_proved_before_somebody_else_changed_it_changes_nothing() {
    let mut bastion = Bastion::new();
    bastion.give("initial");
    let before = bastion.stored();
    bastion.choose("chosen", NOW.plus(1));
    let late = bastion.store.choose_password(
        &bastion.user,
        &before,
        &hash("late"),
        3,
        "192.0.2.7",
        NOW.plus(2),
    );
    assert!(late.is_err());
    assert!(matches!(bastion.answer("chosen"), PasswordAnswer::Right(_)));
}

#[test]
fn a_new_cost_is_taken_over_at_the_next_login() {
    let mut bastion = Bastion::new();
    bastion.give("initial");
    let dearer = Cost::new(*Cost::MEMORY_KIB.start(), 2).unwrap();
    let source = Network::of(None, &limits());
    let who = Answerer {
        user_id: bastion.user.id,
        user: "alice",
        proof: Proof::None,
        source: &source,
    };
    let answered =
        bastion
            .store
            .answer_password(&who, &limits(), dearer, &secret("initial"), true, NOW);
    assert!(matches!(answered, Ok(PasswordAnswer::Right(_))));
    assert_eq!(bastion.stored().hash.cost(), dearer);
    assert!(bastion.stored().must_change);
    assert!(matches!(
        bastion.answer("initial"),
        PasswordAnswer::Right(_)
    ));
}

#[test]
fn no_event_holds_a_password_or_its_hash() {
    let mut bastion = Bastion::new();
    bastion.give("initial");
    bastion.choose("chosen", NOW.plus(1));
    let removed = bastion
        .store
        .change(&root(), NOW, |change| change.remove_password("alice"));
    assert!(removed.is_ok());
    assert!(matches!(bastion.answer("chosen"), PasswordAnswer::Wrong));
    let again = bastion
        .store
        .change(&root(), NOW, |change| change.remove_password("alice"));
    assert!(again.is_err());
    let search = EventSearch {
        limit: 100,
        ..EventSearch::default()
    };
    let events = bastion.store.read().events(&search).unwrap();
    let changes: Vec<_> = events
        .iter()
        .filter(|event| event.body.contains("password.change"))
        .collect();
    assert_eq!(changes.len(), 3);
    for event in &events {
        for word in ["initial", "chosen", "argon2"] {
            assert!(!event.body.contains(word), "{}", event.body);
        }
    }
}

#[test]
fn nobody_gives_himself_a_password() {
    let mut bastion = Bastion::new();
    let alice = Actor {
        name: "alice".into(),
        why: String::new(),
    };
    let given = bastion.store.change(&alice, NOW, |change| {
        change.give_password("alice", &hash("initial password"))
    });
    assert!(
        matches!(given, Err(StoreError::NotAllowed { .. })),
        "{given:?}"
    );
}
