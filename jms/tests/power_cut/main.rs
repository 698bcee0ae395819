//! The store when the lights go out: killed in mid-commit, or on a disk that fails. What was confirmed stays, what
//! was not leaves nothing half, and the snapshots follow at the next start.

mod disk;
mod killed;

use jms::id::Id;
use jms::nouns::User;
use jms::paths::Paths;
use jms::store::{Actor, Store, StoreError};
use jms::time::Time;
use std::path::Path;
use std::process::Command;

/// Names the store's folder to a child of a test.
const FOLDER: &str = "JMS_POWER_CUT_FOLDER";
const RANGE: std::ops::RangeInclusive<u32> = 70_000..=99_999;

/// This program again, with one test that finds its folder in the environment.
fn child(test: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    command.env(FOLDER, folder);
    command
}

/// The folder of a child; `None` in a test that nobody called.
fn given_folder() -> Option<std::path::PathBuf> {
    std::env::var_os(FOLDER).map(Into::into)
}

fn actor() -> Actor {
    Actor {
        name: "root".into(),
        why: String::new(),
    }
}

fn make_store(folder: &Path) -> Paths {
    let paths = Paths::under(folder);
    paths.create().unwrap();
    let mut store = Store::create(&paths).unwrap();
    store.set_event_sender(event::Sender::to(folder.join("no-syslog")));
    store.publish().unwrap();
    paths
}

fn open_store(folder: &Path) -> Result<Store, StoreError> {
    let mut store = Store::open(&Paths::under(folder))?;
    store.set_event_sender(event::Sender::to(folder.join("no-syslog")));
    Ok(store)
}

/// Adds a user of a fresh name, and says the name when the store has confirmed it.
fn add_somebody(store: &mut Store) -> Result<String, StoreError> {
    let name = format!("u{}", Id::random()?);
    let high_water = store.paths().uid_high_water();
    let now = Time(1_800_000_000_000);
    let user = User::new(&name, now);
    store.change(&actor(), now, |change| {
        change.add_user(&user, RANGE, &high_water, |_| false)
    })?;
    Ok(name)
}

/// What must hold after any accident, and after the next start at the latest.
fn assert_sound(folder: &Path, confirmed: &[String]) {
    let store = open_store(folder).unwrap();
    assert_eq!(store.check().unwrap(), Vec::<String>::new());
    // Each user came with the event that tells of him, or not at all.
    let users = store.read().users().unwrap();
    let events = jms::store::EventSearch {
        kind: Some("policy.change".into()),
        limit: u32::MAX,
        ..jms::store::EventSearch::default()
    };
    assert_eq!(users.len(), store.read().events(&events).unwrap().len());
    for name in confirmed {
        assert!(
            users.iter().any(|user| user.name == *name),
            "{name} was confirmed and is gone"
        );
    }
    store.publish().unwrap();
    let paths = store.paths();
    assert_eq!(
        jms::store::read_snapshot_generation(paths),
        Some(store.read().generation().unwrap())
    );
    let file = snapshot::SnapshotFile::open(&paths.users_snapshot()).unwrap();
    let reader = snapshot::users::Reader::new(file).unwrap();
    for user in &users {
        let name = snapshot::UserName::new(user.name.as_bytes()).unwrap();
        assert_eq!(
            reader.by_name(&name).unwrap().map(|found| found.uid()),
            Some(user.uid)
        );
    }
    let high_water = std::fs::read_to_string(paths.uid_high_water()).unwrap_or_default();
    let highest = users.iter().map(|user| user.uid).max().unwrap_or(0);
    assert!(
        highest == 0 || high_water.trim().parse::<u32>().unwrap() >= highest,
        "a uid could be given twice"
    );
}
