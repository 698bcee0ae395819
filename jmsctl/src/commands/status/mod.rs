//! `jmsctl status`: one screen of health.
//!
//! As with every command, what is due by then is done when the store opens: lost sessions are closed, old snapshots
//! published, waiting events sent. What is shown is what was found before that.
#![forbid(unsafe_code)]

use super::doctor::become_service_user;
use crate::cli::Arguments;
use crate::context::{Asker, Context};
use crate::doctor::{Depth, Disk, Finding, Outside};
use crate::failure::Done;
use crate::output::{Output, harmless};
use jms::nouns::{Login, Session};
use jms::paths::Paths;
use jms::store::{Counts, LoginSearch, SessionSearch, Store, StoreError};
use jms::time::Time;
use serde::Serialize;

/// So many logins, sessions, refusals and findings are shown: one screen.
const SHOWN: u32 = 5;
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
            limit: SHOWN,
            ..LoginSearch::default()
        })?;
        let (count, refusals) = read.refusals(self.now.plus(-DAY), SHOWN)?;
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
    for (name, lines) in screen(status) {
        for (line, number) in lines.iter().zip(0..) {
            let label = if number == 0 { name } else { "" };
            out.text(&format!("{label:10}  {}\n", harmless(line)))?;
        }
    }
    out.flush()
}

/// The rows of the screen: a word, and the lines beside it.
fn screen(status: &Status) -> Vec<(&'static str, Vec<String>)> {
    let mut rows = vec![(
        "bastion",
        vec![format!(
            "jms {} on {}, {}",
            status.version,
            status.host,
            shown(status.now)
        )],
    )];
    if let Some(store) = &status.store {
        let counts = store.counts;
        let mut online = vec![format!(
            "{} logins, {} sessions",
            counts.open_logins, counts.live_sessions
        )];
        online.extend(status.online.iter().take(SHOWN as usize).map(|session| {
            format!(
                "{} on {} as {}, {}, since {}",
                session.user,
                session.asset,
                session.system_user,
                session.channel,
                shown(session.started_at)
            )
        }));
        rows.push(("online", online));
        let logins = status.last_logins.iter().map(|login| {
            let state = if login.closed_at.is_some() {
                ""
            } else {
                ", still open"
            };
            format!(
                "{} from {} at {}{state}",
                login.user,
                login.source,
                shown(login.opened_at)
            )
        });
        rows.push(("logins", or(logins.collect(), "none yet")));
        let mut refusals = vec![format!(
            "{} in the last day",
            status.refusals_today.unwrap_or(0)
        )];
        refusals.extend(status.last_refusals.iter().map(refusal));
        rows.push(("refused", refusals));
        rows.push((
            "store",
            vec![format!(
                "{}, generation {}, schema {}, {} users, {} assets",
                size(store.size),
                store.generation,
                counts.schema,
                counts.users,
                counts.assets
            )],
        ));
    } else {
        rows.push(("store", vec!["cannot be opened".to_owned()]));
    }
    let snapshots = match status.snapshots.current {
        Some(true) => "of the store's generation",
        Some(false) => "were not of the store's generation; published anew",
        None => "cannot be compared with the store",
    };
    rows.push(("snapshots", vec![snapshots.to_owned()]));
    let recordings = &status.recordings;
    if let (Some(free), Some(whole)) = (recordings.free, recordings.size) {
        let taken = recordings
            .bytes
            .map(|bytes| format!("{} recorded, ", size(bytes)))
            .unwrap_or_default();
        rows.push((
            "recordings",
            vec![format!("{taken}{} free of {}", size(free), size(whole))],
        ));
    }
    let clock = match status.newest_evidence {
        Some(newest) if newest > status.now => {
            format!("behind the newest evidence ({})", shown(newest))
        }
        Some(newest) => format!("newest evidence of {}", shown(newest)),
        None => "no evidence yet".to_owned(),
    };
    rows.push(("clock", vec![clock]));
    if let Some(unsent) = status.unsent_events {
        let line = if unsent == 0 {
            "all events sent".to_owned()
        } else {
            format!("{unsent} events waited to be sent")
        };
        rows.push(("syslog", vec![line]));
    }
    let Some(found) = &status.findings else {
        rows.push(("doctor", vec!["root's: sudo jmsctl doctor".to_owned()]));
        return rows;
    };
    let mut findings: Vec<String> = found
        .iter()
        .take(SHOWN as usize)
        .map(|finding| {
            format!(
                "{}: {}: {}",
                finding.severity.as_str(),
                finding.id,
                finding.sentence
            )
        })
        .collect();
    if found.len() > findings.len() {
        findings.push(format!("… {} in all; see: jmsctl doctor", found.len()));
    }
    rows.push((
        "doctor",
        or(findings, "nothing to complain of at a quick look"),
    ));
    rows
}

fn or(lines: Vec<String>, nothing: &str) -> Vec<String> {
    if lines.is_empty() {
        vec![nothing.to_owned()]
    } else {
        lines
    }
}

/// A refusal in a few words: what, who, why.
fn refusal(event: &serde_json::Value) -> String {
    let field = |name: &str| {
        event
            .get(name)
            .and_then(serde_json::Value::as_str)
            .unwrap_or("-")
    };
    let seconds = Time::parse_rfc3339(field("time"))
        .map(shown)
        .unwrap_or_default();
    format!(
        "{} {} {}: {}",
        seconds,
        field("type"),
        field("user"),
        field("reason")
    )
}

/// To the second.
fn shown(time: Time) -> String {
    let text = time.to_string();
    text.split('.')
        .next()
        .map(|text| format!("{text}Z"))
        .unwrap_or_default()
}

fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let mut rest = bytes;
    let mut unit = 0;
    while rest >= 10 * 1024 && unit + 1 < UNITS.len() {
        rest /= 1024;
        unit += 1;
    }
    format!("{rest} {}", UNITS.get(unit).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_keep_two_to_five_digits() {
        assert_eq!(size(0), "0 bytes");
        assert_eq!(size(10_239), "10239 bytes");
        assert_eq!(size(528_384), "516 KiB");
        assert_eq!(size(40 << 30), "40 GiB");
    }

    #[test]
    fn moments_are_shown_to_the_second() {
        assert_eq!(shown(Time(1_795_251_600_123)), "2026-11-21T09:00:00Z");
    }
}
