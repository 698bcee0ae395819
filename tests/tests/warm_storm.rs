//! Whatever belongs to a kept connection may be killed, at whatever moment: nothing is left after its time. With two hundred:
//! `cargo run -p tests --example kept_connections`.

use tests::Lab;
use tests::kept_storm::{Storm, play};

#[test]
fn of_twenty_kept_connections_killed_at_random_none_is_orphaned() {
    let lab = Lab::everyday();
    let storm = Storm {
        connections: 20,
        users: 3,
        stays: 25,
        kills: 24,
        seed: 7,
    };
    let seen = play(&lab, storm).expect("nothing is left");
    let killed: usize = seen.killed.values().sum();
    assert_eq!(killed, storm.kills, "{seen:?}");
}
