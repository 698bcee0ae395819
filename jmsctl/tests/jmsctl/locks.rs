//! `jmsctl lock`: what is counted, who is locked, and unlocking.

use crate::bastion::{Bastion, keys, text};
use jms::paths::Paths;
use jms::policy::lockout::{Network, Proof};
use jms::settings::Settings;
use jms::store::{Answerer, Outcome, Reserved, Store};
use jms::time::Time;

/// alice gives so many wrong answers, from there; as the PAM helper counts them.
pub fn wrong_answers(bastion: &Bastion, proof: Proof, address: &'static str, times: usize) {
    bastion.inside(move || {
        let limits = Settings::default().lockout.limits();
        let mut store = Store::open(&Paths::system()).unwrap();
        let source = Network::of(Some(address.parse().unwrap()), &limits);
        let who = Answerer {
            user_id: store.read().user("alice").unwrap().id,
            user: "alice",
            proof,
            source: &source,
        };
        for _ in 0..times {
            let now = Time::now();
            let Reserved::Place(place) = store.reserve(&who, &limits, now).unwrap() else {
                panic!("locked already");
            };
            assert!(
                store
                    .settle(place, &who, &limits, Outcome::Wrong, now)
                    .unwrap()
            );
        }
    });
    bastion.sh("chown jms:jms /var/lib/jms/jms.db*");
}

fn bastion() -> Bastion {
    let bastion = Bastion::new();
    bastion.ok(&["user", "add", "alice"]);
    bastion.ok(&["user", "add", "bob"]);
    bastion
}

#[test]
fn locks_are_listed_with_their_end_and_counters_on_request() {
    let bastion = bastion();
    wrong_answers(&bastion, Proof::Key, "192.0.2.7", 5);
    wrong_answers(&bastion, Proof::None, "2001:db8::7", 2);
    let locks = bastion.json(&["lock", "ls"]);
    assert_eq!(locks.len(), 1);
    assert_eq!(
        keys(&locks[0]),
        [
            "user",
            "source",
            "proof",
            "failures",
            "first_at",
            "last_at",
            "locked_until"
        ]
    );
    assert_eq!(locks[0]["source"], "192.0.2.7/32");
    assert_eq!(locks[0]["failures"], 5);
    let all = bastion.json(&["lock", "ls", "--all"]);
    // Twice from there, twice from everywhere, and the network.
    assert_eq!(all.len(), 5, "{all:?}");
    assert!(
        all.iter()
            .any(|lock| lock["user"].is_null() && lock["source"] == "2001:db8::/64")
    );
    let show = &bastion.json(&["lock", "show", "alice"])[0];
    assert_eq!(show["locked"], true);
    assert_eq!(show["locks"].as_array().unwrap().len(), 4);
    assert_eq!(bastion.json(&["lock", "show", "bob"])[0]["locked"], false);
    assert_eq!(
        bastion.run(&["lock", "show", "nobody"]).status.code(),
        Some(3)
    );
}

#[test]
fn unlocking_is_for_a_user_or_one_network_of_his_and_is_told() {
    let bastion = bastion();
    wrong_answers(&bastion, Proof::Key, "192.0.2.7", 5);
    wrong_answers(&bastion, Proof::Key, "192.0.2.8", 5);
    let locked = || {
        let locks = bastion.json(&["lock", "ls"]);
        locks
            .iter()
            .map(|lock| lock["source"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let dry = bastion.run(&["lock", "rm", "alice", "--dry-run"]);
    assert!(dry.status.success());
    assert_eq!(locked().len(), 2);
    bastion.ok(&[
        "lock",
        "rm",
        "alice",
        "--source",
        "192.0.2.7",
        "--yes",
        "--comment",
        "called",
    ]);
    assert_eq!(locked(), ["192.0.2.8/32"]);
    bastion.ok(&["lock", "rm", "alice", "--yes"]);
    assert_eq!(locked(), [""; 0]);
    assert_eq!(bastion.json(&["lock", "ls", "--all"]).len(), 0);
    let again = bastion.run(&["lock", "rm", "alice", "--yes"]);
    assert_eq!(again.status.code(), Some(3), "{}", text(&again.stderr));
    let bad = bastion.run(&["lock", "rm", "alice", "--source", "home", "--yes"]);
    assert_eq!(bad.status.code(), Some(2));
    let told = bastion.json(&["event", "ls", "--type", "login.unlocked"]);
    assert_eq!(told[0]["comment"], "called");
    assert_eq!(told[0]["network"], "192.0.2.7/32");
    assert_eq!(
        bastion
            .json(&["event", "ls", "--type", "login.locked"])
            .len(),
        2
    );
}
