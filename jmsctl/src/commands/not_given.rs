//! Of `jmsctl login ls --failed`: the users whom sshd was to ask for a second factor and who ended the connection before. No program
//! of ours says anything then; sshd's own log does.
#![forbid(unsafe_code)]

use super::evidence::Wanted;
use crate::cli::evidence::LoginLs;
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::sshd_log::{Log, Within};
use jms::sshd_log::{Ended, Ending, Endings, LOGGING_IN, Line, Stage};
use jms::store::EventSearch;
use jms::time::Time;
use serde_json::Value;
use std::collections::HashMap;

/// What to do about it.
const ROBOTS: &str = "what to give to programs stands in docs/mfa.md";

/// Why one was not let in.
pub struct Cause {
    /// For programs.
    pub reason: &'static str,
    /// For people.
    pub sentence: String,
}

impl Cause {
    /// As much as the stage tells.
    pub fn of(stage: &Stage) -> Self {
        let (reason, sentence) = match stage {
            Stage::OnlyKey(_) => (
                "factor-not-begun",
                format!(
                    "proved a key, and ended without beginning keyboard-interactive, as clients in BatchMode do: {ROBOTS}"
                ),
            ),
            Stage::Begun(_) => (
                "factor-not-given",
                "was asked, and ended without an answer".to_owned(),
            ),
            Stage::Untold => (
                "factor-not-given",
                format!(
                    "ended before a second factor was given: the client proved no key, or does not begin keyboard-interactive (BatchMode; {ROBOTS}), or left at the question; with LogLevel VERBOSE sshd's log tells which"
                ),
            ),
        };
        Self { reason, sentence }
    }
}

/// sshd's log, or why it is not there.
pub type Opened = Done<Log>;

/// Opens it, with the rights that are there. Lines about a connection may be from before the time that was asked for.
pub fn open(verb: &LoginLs) -> Opened {
    Log::open(Within {
        since: verb.span.since.map(|since| since.plus(-LOGGING_IN)),
        until: verb.span.until,
    })
}

/// The endings of users who are `wanted`, the newest last. What cannot be read is said, and in the way of nothing.
pub fn read(log: Opened, verb: &LoginLs, wanted: &Wanted, context: &Context) -> Done<Vec<Ended>> {
    let asked = context.store.read().asked_at_login()?;
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let is_about = |name: &str| {
        let user = name.split('@').next().unwrap_or_default();
        asked.contains(user) && wanted.fits(user)
    };
    let mut endings = Endings::default();
    let within = Within {
        since: verb.span.since,
        until: verb.span.until,
    };
    let read = log.and_then(|log| {
        log.read("--failed", &mut |line| match line {
            Line::Moment(moment) if is_about(&moment.known.name) => endings.add(moment),
            _ => {}
        })
    });
    match read {
        Ok(remarks) => remarks.iter().for_each(|remark| context.out.note(remark)),
        Err(failure @ (Failure::NotAllowed(_) | Failure::Failed(_))) => {
            context.out.note(&format!(
                "who ended before the second factor (factor-not-begun, factor-not-given) is not shown: {failure}"
            ));
        }
        Err(failure) => return Err(failure),
    }
    if endings.others() > 0 {
        context.out.note(&format!(
            "{} older connections that ended before the second factor are not shown: there are too many; --until looks at older ones",
            endings.others()
        ));
    }
    let said = Said::about(&endings, context)?;
    Ok(endings.rows(|ending| within.holds(ending.at) && !said.has(ending)))
}

/// Connections about which we have said something ourselves: by port and login name, when. Not by address: with `UseDNS` PAM is
/// given a host's name.
struct Said(HashMap<(u64, String), Vec<Time>>);

impl Said {
    fn about(endings: &Endings, context: &Context) -> Done<Self> {
        let mut said = HashMap::<_, Vec<Time>>::new();
        let Some((first, last)) = endings.span() else {
            return Ok(Self(said));
        };
        let rows = context.store.read().events(&EventSearch {
            kind: Some(event::Type::LoginRefused.as_str().to_owned()),
            since: Some(first.plus(-LOGGING_IN)),
            until: Some(last.plus(LOGGING_IN)),
            limit: u32::MAX,
            ..EventSearch::default()
        })?;
        for row in rows {
            let Ok(body) = serde_json::from_str::<Value>(&row.body) else {
                continue;
            };
            let port = body.get("source_port").and_then(Value::as_u64);
            let name = body.get("login_name").and_then(Value::as_str);
            let time = body.get("time").and_then(Value::as_str);
            let time = time.and_then(Time::parse_rfc3339);
            if let (Some(port), Some(name), Some(time)) = (port, name, time) {
                said.entry((port, name.to_owned())).or_default().push(time);
            }
        }
        Ok(Self(said))
    }

    fn has(&self, ending: &Ending) -> bool {
        let times = self.0.get(&(ending.port.into(), ending.name.clone()));
        let mut times = times.into_iter().flatten();
        times.any(|time| ending.at.0.abs_diff(time.0) <= LOGGING_IN.unsigned_abs())
    }
}
