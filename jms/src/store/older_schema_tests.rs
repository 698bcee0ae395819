//! A store of every schema there ever was, with rows in it, is opened by this program, and everything is decided as before.

use super::*;
use crate::policy::{Channel, access, decide};
use crate::time::Time;
use std::path::PathBuf;

const NOW: Time = Time(1_800_000_000_000);

fn dump(number: i64) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/schemas");
    PathBuf::from(folder).join(format!("{number:04}.sql"))
}

/// The store of schema `number`, opened.
fn opened(number: i64) -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let paths = Paths::under(folder.path());
    paths.create().unwrap();
    let sql = std::fs::read_to_string(dump(number)).unwrap_or_else(|error| {
        panic!("no store of schema {number} is kept (jms/tests/schemas/make {number}): {error}")
    });
    let connection = Connection::open(paths.database()).unwrap();
    connection.execute_batch(&sql).unwrap();
    drop(connection);
    let mut store = Store::open(&paths).unwrap();
    store.set_event_sender(event::Sender::to(folder.path().join("no-syslog")));
    (folder, store)
}

/// Who may do what where, as whom; written down when the first of these stores was made.
fn decisions(store: &Store) -> Vec<String> {
    let read = store.read();
    let mut allowed = Vec::new();
    for user in read.users().unwrap() {
        for asset in read.assets().unwrap() {
            for system_user in read.system_users().unwrap() {
                let pair = (asset.id, system_user.id);
                let facts = read
                    .facts(&user, None, pair, access::Counts::default())
                    .unwrap();
                for channel in [Channel::Shell, Channel::Exec] {
                    if decide(&facts, channel, NOW).allow {
                        let (user, whom, asset) = (&user.name, &system_user.name, &asset.name);
                        allowed.push(format!("{user}@{whom}@{asset} {}", channel.as_str()));
                    }
                }
            }
        }
    }
    allowed
}

#[test]
fn a_store_of_every_older_schema_decides_as_before() {
    for number in 1..=migrate::newest() {
        if number == migrate::newest() && !dump(number).exists() {
            // Kept when it is released.
            continue;
        }
        let (_folder, store) = opened(number);
        assert_eq!(
            decisions(&store),
            [
                "alice@dba@db1 shell",
                "alice@dev@web1 shell",
                "alice@dev@web1 exec",
                "dave@dev@web1 exec"
            ],
            "schema {number}"
        );
    }
}

#[test]
fn a_store_of_every_older_schema_is_sound_and_keeps_its_evidence() {
    for number in 1..migrate::newest() {
        let (_folder, mut store) = opened(number);
        assert_eq!(store.check().unwrap(), Vec::<String>::new());
        let broken = store
            .read()
            .number("SELECT count(*) FROM pragma_foreign_key_check", [])
            .unwrap();
        assert_eq!(broken, 0, "schema {number}");
        let read = store.read();
        let login = read.login_by_prefix("4kq8zd").unwrap();
        let session = read.session_by_prefix("7k2mz9").unwrap();
        assert_eq!(session.login, Some(login.id.clone()));
        assert_eq!(read.commands_of(&session.id, 9).unwrap().len(), 1);
        assert_eq!(read.transfers_of(&session.id, 9).unwrap().len(), 1);
        assert_eq!(read.events_of_session(&session.id, 9).unwrap().len(), 1);
        assert_eq!(read.events_of_login(&login.id, 9).unwrap().len(), 1);
        assert_eq!(read.login_keys(Some("alice")).unwrap().len(), 1);
        assert_eq!(read.host_keys(Some("web1")).unwrap().len(), 1);
        // And it can be changed: removing means removing there, too.
        let actor = Actor {
            name: "root".into(),
            why: String::new(),
        };
        store
            .change(&actor, NOW, |change| change.remove_user("dave").map(drop))
            .unwrap();
        let left = decisions(&store);
        assert_eq!(left.len(), 3, "schema {number}: {left:?}");
        assert!(left.iter().all(|one| one.starts_with("alice@")));
    }
}
