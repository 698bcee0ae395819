//! What a call of the helper costs with many users and login rules, beside one with a user and no rule:
//! `cargo run --release -p jms-pam-helper --example cost [USERS] [RULES]`. Both are asked in turn, each with its store opened anew,
//! as each call does.

use std::time::{Duration, Instant};

use event::Sender;
use jms::nouns::{LoginRule, User};
use jms::paths::Paths;
use jms::policy::login_rule::Verdict;
use jms::process;
use jms::settings::Settings;
use jms::store::{Actor, Store, StoreError};
use jms::time::Time;
use jms_pam_helper::answer::answer;
use pam_jms_protocol::{HelperMessage, Phase, Request};

const CALLS: usize = 300;
const ZONES: [&str; 5] = [
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "UTC",
];

/// A store with so many users and rules. Every rule is about the one who is asked for, and none of them fits.
fn store(folder: &std::path::Path, users: usize, rules: usize) -> Result<Paths, StoreError> {
    let paths = Paths::under(folder);
    let made = paths.create();
    assert!(made.is_ok(), "no folder: {made:?}");
    let mut store = Store::create(&paths)?;
    store.set_event_sender(Sender::to(folder.join("no-syslog")));
    let actor = Actor {
        name: "root".into(),
        why: String::new(),
    };
    let (now, high_water) = (Time::now(), paths.uid_high_water());
    store.change(&actor, now, |change| {
        change.add_user(
            &User::new("alice", now),
            100_000..=300_000,
            &high_water,
            |_| false,
        )?;
        for number in 1..users {
            let user = User::new(&format!("u{number}"), now);
            change.add_user(&user, 100_000..=300_000, &high_water, |_| false)?;
        }
        for number in 0..rules {
            let zone = ZONES[number % ZONES.len()];
            change.add_login_rule(&LoginRule {
                everybody: true,
                sources: vec![
                    format!("10.{}.{}.0/24", number / 256, number % 256),
                    "203.0.113.0/24".into(),
                ],
                // A minute of a day that is not today.
                times: vec![format!("{} 00:00-00:01 {zone}", other_day(now))],
                ..LoginRule::new(&format!("rule-{number}"), Verdict::Deny, now)
            })?;
        }
        Ok(())
    })?;
    Ok(paths)
}

/// Half a week away.
fn other_day(now: Time) -> &'static str {
    let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let today = now.seconds().div_euclid(86_400);
    days[usize::try_from((today + 3).rem_euclid(7)).unwrap_or(0)]
}

fn call(paths: &Paths) -> Duration {
    let request = Request {
        phase: Phase::Account,
        user: "alice".into(),
        uid: 100_000,
        service: "sshd".into(),
        remote_host: None,
        terminal: None,
        authentication: None,
        connection: Some("203.0.113.7 50022 192.0.2.1 22".into()),
        process: std::process::id(),
        token: None,
        passed: None,
    };
    let begun = Instant::now();
    let mut store = match Store::open(paths) {
        Ok(store) => store,
        Err(error) => panic!("{error}"),
    };
    let Some(me) = process::myself() else {
        panic!("no process")
    };
    let said = answer(&request, &mut store, &Settings::default(), me, Time::now());
    let taken = begun.elapsed();
    assert!(matches!(said, HelperMessage::Allow(_)), "{said:?}");
    taken
}

fn main() -> Result<(), StoreError> {
    let number = |at: usize, otherwise| {
        let given = std::env::args().nth(at);
        given
            .and_then(|text| text.parse().ok())
            .unwrap_or(otherwise)
    };
    let (users, rules) = (number(1, 100_000), number(2, 1_000));
    let folders = [tempfile::tempdir(), tempfile::tempdir()];
    let [Ok(small), Ok(large)] = folders else {
        panic!("no folder")
    };
    let small = store(small.path(), 1, 0)?;
    let large = store(large.path(), users, rules)?;
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..CALLS {
        times[0].push(call(&small));
        times[1].push(call(&large));
    }
    let [few, many] = times.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2]
    });
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!(
        "account phase, medians of {CALLS} calls in turn: 1 user and no rule {few:.2?}; {users} users and {rules} rules {many:.2?}; \
         difference {:.2?}; load {}",
        many.saturating_sub(few),
        load.trim()
    );
    Ok(())
}
