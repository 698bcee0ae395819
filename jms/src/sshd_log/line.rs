//! Lines as syslog's files and journalctl have them.

use super::known::known_user;
use super::message::invalid_user;
use super::{Attempt, Line, Moment};
use crate::time::Time;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;

/// Programs whose lines are sshd's: its parts since OpenSSH 9.8, too.
const PROGRAMS: [&[u8]; 3] = [b"sshd", b"sshd-session", b"sshd-auth"];

/// A line of a file: `2026-11-21T05:54:23.123456+00:00 host sshd[77]: Invalid user …`, or with the old
/// `Nov 21 05:54:23` in the place of the time, which knows no year: the last one that is not after
/// `newest` (the file's last change) is taken.
#[must_use]
pub fn syslog(line: &[u8], newest: Time) -> Line {
    parse_syslog(line, newest).unwrap_or(Line::Other)
}

fn parse_syslog(line: &[u8], newest: Time) -> Option<Line> {
    let first = word(line)?.0;
    let (stamp, rest) = if first.len() == 3 {
        // `Nov 21 05:54:23`, days below ten with two blanks.
        (line.get(..15)?, line.get(15..)?)
    } else {
        line.split_at_checked(first.len())?
    };
    let (_host, rest) = word(rest)?;
    let (tag, rest) = word(rest)?;
    let tag = tag.strip_suffix(b":")?;
    let program = tag.split(|byte| *byte == b'[').next()?;
    if !PROGRAMS.contains(&program) {
        return Some(Line::Other);
    }
    let message = rest.strip_prefix(b" ").unwrap_or(rest);
    let at = || {
        let stamp = std::str::from_utf8(stamp).ok()?;
        Time::parse_rfc3339(stamp).or_else(|| without_year(stamp, newest))
    };
    of_sshd(message, at)
}

/// What a message of sshd's is; its time is asked for only where somebody wants to know. `None`: it has none.
fn of_sshd(message: &[u8], at: impl FnOnce() -> Option<Time>) -> Option<Line> {
    Some(if let Some(invalid) = invalid_user(message) {
        Line::Attempt(Attempt { at: at()?, invalid })
    } else if let Some(known) = known_user(message) {
        Line::Moment(Moment { at: at()?, known })
    } else {
        Line::Sshd
    })
}

/// The next word, after blanks, and what follows it.
fn word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let start = text.iter().position(|byte| *byte != b' ')?;
    let text = text.get(start..)?;
    let end = text.iter().position(|byte| *byte == b' ')?;
    text.split_at_checked(end)
}

/// `Nov 21 05:54:23` in this host's zone.
fn without_year(stamp: &str, newest: Time) -> Option<Time> {
    let zone = TimeZone::system();
    let newest = jiff::Timestamp::from_millisecond(newest.0).ok()?;
    let this_year = newest.to_zoned(zone.clone()).year();
    // A little later than the file: the clock of whoever wrote it may be ahead.
    let latest = newest.as_millisecond().saturating_add(86_400_000);
    [
        this_year.checked_add(1)?,
        this_year,
        this_year.checked_sub(1)?,
    ]
    .into_iter()
    .filter_map(|year| {
        let moment = DateTime::strptime("%Y %b %e %H:%M:%S", format!("{year} {stamp}")).ok()?;
        let moment = moment.to_zoned(zone.clone()).ok()?;
        Some(moment.timestamp().as_millisecond())
    })
    .find(|moment| *moment <= latest)
    .map(Time)
}

/// One object of `journalctl --output=json`.
#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "__REALTIME_TIMESTAMP")]
    microseconds: Option<String>,
    #[serde(rename = "MESSAGE")]
    message: Option<Message>,
}

/// Text, or its bytes where they are not printable.
#[derive(Deserialize)]
#[serde(untagged)]
enum Message {
    Text(String),
    Bytes(Vec<u8>),
    Other(serde::de::IgnoredAny),
}

/// A line of journalctl, which was asked for sshd's entries only.
#[must_use]
pub fn journal(line: &[u8]) -> Line {
    let Ok(entry) = serde_json::from_slice::<Entry>(line) else {
        return Line::Other;
    };
    let message = match &entry.message {
        Some(Message::Text(text)) => text.as_bytes(),
        Some(Message::Bytes(bytes)) => bytes.as_slice(),
        Some(Message::Other(_)) | None => return Line::Sshd,
    };
    let microseconds = entry.microseconds.and_then(|text| text.parse::<i64>().ok());
    of_sshd(message, || {
        microseconds.map(|microseconds| Time(microseconds / 1000))
    })
    .unwrap_or(Line::Sshd)
}
