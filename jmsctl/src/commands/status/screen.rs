//! The screen of `jmsctl status`: a word, and the lines beside it.
#![forbid(unsafe_code)]

use super::Status;
use crate::output::harmless;
use jms::time::Time;

/// Of sessions, logins, refusals and findings so many are shown: all rows together fit a terminal of 24 lines.
const SHOWN: usize = 3;
/// The width of the words at the left, with the gap.
const MARGIN: usize = 12;

/// All lines, each cut to the terminal's `columns` if there are so few.
pub fn lines(status: &Status, columns: Option<u16>) -> Vec<String> {
    let width = columns.map_or(usize::MAX, |columns| {
        usize::from(columns).saturating_sub(MARGIN).max(1)
    });
    let mut all = Vec::new();
    for (name, lines) in screen(status) {
        for (line, number) in lines.iter().zip(0..) {
            let label = if number == 0 { name } else { "" };
            all.push(format!("{label:10}  {}", cut(&harmless(line), width)));
        }
    }
    all
}

/// At most `width` characters, the last of them a sign that more was there.
fn cut(line: &str, width: usize) -> String {
    if line.chars().count() <= width {
        return line.to_owned();
    }
    let kept: String = line.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
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
        online.extend(status.online.iter().take(SHOWN).map(|session| {
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
        let logins = status.last_logins.iter().take(SHOWN).map(|login| {
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
        refusals.extend(status.last_refusals.iter().take(SHOWN).map(refusal));
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
        .take(SHOWN)
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
#[path = "screen_tests.rs"]
mod tests;
