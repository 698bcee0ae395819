//! `jmsctl status`: one screen of health.
//!
//! As with every command, what is due by then is done when the store opens: lost sessions are closed, old snapshots
//! published, waiting events sent. What is shown is what was found before that.
#![forbid(unsafe_code)]

mod screen;

use super::doctor::become_service_user;
use crate::cli::Arguments;
use crate::context::{Asker, Context};
use crate::doctor::{self, Depth, Disk, Finding, Outside};
use crate::failure::{Done, Failure};
use crate::output::Output;
use jms::nouns::{Login, Session};
use jms::paths::Paths;
use jms::store::{Counts, LoginSearch, SessionSearch, Store, StoreError};
use jms::time::Time;
use serde::Serialize;

/// So many logins and refusals are read, for programs; the screen shows fewer.
const READ: u32 = 5;
const DAY: i64 = 24 * 60 * 60 * 1000;

/// Everything on the screen.
#[derive(Serialize)]
struct Status {
    version: &'static str,
    host: String,
    now: Time,
    store: Option<StoreState>,
    snapshots: SnapshotState,
    recordings: RecordingsState,
    online: Vec<Session>,
    last_logins: Vec<Login>,
    refusals_today: Option<u64>,
    last_refusals: Vec<serde_json::Value>,
    unsent_events: Option<u64>,
    newest_evidence: Option<Time>,
    /// Over ssh null: much of what is looked at only root can see.
    findings: Option<Vec<Finding>>,
}

#[derive(Serialize)]
struct StoreState {
    path: String,
    size: u64,
    generation: u64,
    #[serde(flatten)]
    counts: Counts,
}

#[derive(Serialize)]
struct SnapshotState {
    users_generation: Option<u64>,
    keys_generation: Option<u64>,
    current: Option<bool>,
}

#[derive(Serialize)]
struct RecordingsState {
    bytes: Option<u64>,
    free: Option<u64>,
    size: Option<u64>,
}

/// Runs it: root looks, the service user opens the store.
pub fn run(arguments: &Arguments, paths: &Paths, mut out: Output) -> Done {
    if let Some(finding) = doctor::obstacle().and_then(|found| found.into_iter().next()) {
        let sentence = format!("{}: {}; see: jmsctl doctor", finding.id, finding.sentence);
        return Err(Failure::Failed(sentence));
    }
    let outside = Outside::gather(paths, Depth::Quick);
    let is_service_user = become_service_user()?;
    let findings = outside.judge(paths, is_service_user, false);
    let mut status = Status::new(&outside, Some(findings));
    if !is_service_user {
        return print(&status, &mut out);
    }
    let settings = super::settings(arguments.global.config.as_ref(), paths)?;
    let opened = Store::open(paths).and_then(|store| {
        status.read(&store)?;
        Ok(store)
    });
    match opened {
        Ok(store) => {
            let mut context = Context::new(store, &arguments.global, &settings, out, Asker::Root);
            print(&status, &mut context.out)
        }
        Err(error) => {
            print(&status, &mut out)?;
            Err(error.into())
        }
    }
}

/// For an administrator or auditor over ssh: all but what only root can look at.
pub fn over_ssh(context: &mut Context) -> Done {
    let outside = Outside::gather(context.paths(), Depth::Quick);
    let mut status = Status::new(&outside, None);
    status.read(&context.store)?;
    print(&status, &mut context.out)
}

impl Status {
    fn new(outside: &Outside, findings: Option<Vec<Finding>>) -> Self {
        let (users_generation, keys_generation) = outside.snapshot_generations();
        let disk = outside.disk();
        Self {
            version: env!("CARGO_PKG_VERSION"),
            host: nix::unistd::gethostname()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            now: Time::now(),
            store: None,
            snapshots: SnapshotState {
                users_generation,
                keys_generation,
                current: None,
            },
            recordings: RecordingsState {
                bytes: None,
                free: disk.map(|disk: Disk| disk.free),
                size: disk.map(|disk| disk.size),
            },
            online: Vec::new(),
            last_logins: Vec::new(),
            refusals_today: None,
            last_refusals: Vec::new(),
            unsent_events: None,
            newest_evidence: None,
            findings,
        }
    }

    fn read(&mut self, store: &Store) -> Result<(), StoreError> {
        let read = store.read();
        let database = store.paths().database();
        let counts = read.counts()?;
        let generation = read.generation()?;
        self.store = Some(StoreState {
            size: database
                .metadata()
                .map(|metadata| metadata.len())
                .unwrap_or(0),
            path: database.display().to_string(),
            generation,
            counts,
        });
        let snapshots = &mut self.snapshots;
        snapshots.current = Some(
            [snapshots.users_generation, snapshots.keys_generation]
                .iter()
                .all(|one| *one == Some(generation)),
        );
        self.recordings.bytes = Some(counts.recorded_bytes);
        self.online = read.sessions(&SessionSearch {
            online: Some(true),
            limit: u32::MAX,
            ..SessionSearch::default()
        })?;
        self.last_logins = read.logins(&LoginSearch {
            limit: READ,
            ..LoginSearch::default()
        })?;
        let (count, refusals) = read.refusals(self.now.plus(-DAY), READ)?;
        self.refusals_today = Some(count);
        // Newest first, as the logins.
        self.last_refusals = refusals
            .iter()
            .rev()
            .filter_map(|row| serde_json::from_str(&row.body).ok())
            .collect();
        self.unsent_events = Some(read.waiting_events()?.count);
        self.newest_evidence = read.newest_moment()?;
        Ok(())
    }
}

fn print(status: &Status, out: &mut Output) -> Done {
    if out.is_json() {
        out.show(status)?;
        return out.flush();
    }
    let columns = out.columns();
    for line in screen::lines(status, columns) {
        out.text(&line)?;
        out.text("\n")?;
    }
    out.flush()
}
