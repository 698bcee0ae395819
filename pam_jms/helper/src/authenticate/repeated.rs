//! sshd begins its method anew in the same connection, up to three times by itself, where nothing was asked. A no is said, and
//! written down, once.

use jms::store::{EventSearch, Store};
use jms::time::Time;
use pam_jms_protocol::Request;
use serde_json::Value;

use crate::connection::Source;

/// A connection does not last longer without having logged in: sshd's LoginGraceTime.
const WHILE_LOGGING_IN: i64 = 120_000;
/// Among so many of the latest refusals it is looked for.
const LATEST: u32 = 50;

/// Whether this connection has been refused for this reason before. What cannot be found out was not.
pub(super) fn said_before(request: &Request, store: &Store, reason: &str, now: Time) -> bool {
    let source = Source::of(request);
    let Some(port) = source.port else {
        return false;
    };
    let search = EventSearch {
        kind: Some("login.refused".to_owned()),
        since: Some(now.plus(-WHILE_LOGGING_IN)),
        limit: LATEST,
        ..EventSearch::default()
    };
    let rows = store.read().events(&search).unwrap_or_default();
    rows.iter().any(|row| {
        serde_json::from_str::<Value>(&row.body).is_ok_and(|body| {
            let is = |field: &str, value: Value| body.get(field) == Some(&value);
            is("phase", "auth".into())
                && is("reason", reason.into())
                && is("login_name", request.user.as_str().into())
                && is("source", source.address.as_str().into())
                && is("source_port", port.into())
        })
    })
}
