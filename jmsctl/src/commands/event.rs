//! `jmsctl event`.
#![forbid(unsafe_code)]

use super::evidence::{print, rows_needed};
use super::follow;
use crate::cli::evidence::{Event as Verb, EventLs};
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output::{Noun, Output, harmless};
use jms::nouns::EventRow;
use jms::store::EventSearch;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// An event as it is listed: its own fields, its number, whether syslog took it.
#[derive(Serialize)]
#[serde(transparent)]
pub struct Listed(pub Map<String, Value>);

impl Noun for Listed {
    const NAME: &'static str = "event";
    const KEY: &'static str = "type";
    const FIELDS: &'static [&'static str] = &[
        "seq",
        "time",
        "type",
        "severity",
        "login",
        "session",
        "sshd_pid",
        "user",
        "source",
        "source_port",
        "key",
        "asset",
        "address",
        "system_user",
        "result",
        "reason",
        "actor",
        "object",
        "name",
        "sent",
        "who",
        "what",
    ];
    const COLUMNS: &'static [&'static str] = &["seq", "time", "type", "who", "what"];
    const NEWEST_LAST: bool = true;
}

/// Runs a verb.
pub fn run(verb: &Verb, context: &mut Context) -> Done {
    if let Verb::Ls(EventLs {
        kind: Some(kind), ..
    }) = verb
    {
        refuse_unknown_type(kind)?;
    }
    match verb {
        Verb::Ls(verb) if verb.follow => {
            let search = search(verb, u32::MAX);
            follow::run(context, search, &verb.list, &verb.span, |context, rows| {
                let rows = all_listed(&rows, context.out.is_json());
                line_by_line(&rows, verb, &mut context.out)
            })
        }
        Verb::Ls(verb) => {
            let search = search(verb, rows_needed(&verb.list, true));
            let rows = context.store.read().events(&search)?;
            let rows = all_listed(&rows, context.out.is_json());
            print(context, rows, &verb.list)
        }
        Verb::Schema => schema(&mut context.out),
    }
}

/// A type with a slip in it would list nothing, and nothing looks like good news.
fn refuse_unknown_type(kind: &str) -> Done {
    let names = || event::Type::ALL.iter().map(|kind| kind.as_str());
    let begins = |name: &str| {
        name.strip_prefix(kind)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    if names().any(begins) {
        return Ok(());
    }
    // Whole types, and what several of them begin with.
    let parts = names().chain(names().filter_map(|name| name.split('.').next()));
    let near = jms::names::nearest(kind, parts).map_or_else(
        || "`jmsctl event schema` lists them".to_owned(),
        |near| format!("did you mean {near}?"),
    );
    Err(Failure::BadInput(format!(
        "there is no type of events “{}”; {near}",
        kind.escape_debug()
    )))
}

fn search(verb: &EventLs, limit: u32) -> EventSearch {
    EventSearch {
        kind: verb.kind.clone(),
        actor: verb.actor.clone(),
        unsent: verb.unsent,
        since: verb.span.since,
        until: verb.span.until,
        after_seq: 0,
        limit,
    }
}

/// Events as they are listed; `json`: for programs.
pub fn all_listed(rows: &[EventRow], json: bool) -> Vec<Listed> {
    rows.iter().map(|row| listed(row, !json)).collect()
}

fn listed(row: &EventRow, for_people: bool) -> Listed {
    let with_number = event::Event::from_json(&row.body).map(|event| event.to_json(Some(row.seq)));
    let parsed = with_number
        .ok()
        .and_then(|json| serde_json::from_str::<Map<String, Value>>(&json).ok());
    // A body that cannot be read is shown as it is: it is evidence all the same.
    let mut fields =
        parsed.unwrap_or_else(|| Map::from_iter([("body".to_owned(), json!(row.body))]));
    fields.insert("seq".to_owned(), json!(row.seq));
    fields.insert("sent".to_owned(), json!(row.sent));
    if for_people {
        fields.insert("who".to_owned(), json!(who(&fields)));
        fields.insert("what".to_owned(), json!(what(&fields)));
    }
    Listed(fields)
}

/// A field that is there and says something.
pub fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    fields
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

fn who(fields: &Map<String, Value>) -> &str {
    text(fields, "actor")
        .or_else(|| text(fields, "user"))
        .unwrap_or_default()
}

/// An event in a few words.
fn what(fields: &Map<String, Value>) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut add = |name: &str, before: &str| {
        if let Some(text) = text(fields, name) {
            words.push(format!("{before}{text}"));
        }
    };
    if fields.contains_key("object") {
        add("result", "");
        add("object", "");
        add("name", "");
        add("comment", "because ");
        return words.join(" ");
    }
    if fields.contains_key("actor") {
        add("user", "of ");
    }
    add("system_user", "as ");
    add("asset", "on ");
    add("source", "from ");
    add("result", "");
    add("reason", "");
    add("session", "session ");
    words.join(" ")
}

fn line_by_line(rows: &[Listed], verb: &EventLs, out: &mut Output) -> Done {
    for row in rows {
        if out.is_json() {
            out.show(row)?;
            continue;
        }
        let cell = |name: &&str| harmless(text(&row.0, name).unwrap_or("-"));
        let line = [&"time", &"type", &"who", &"what"].map(cell).join("  ");
        let wanted = verb
            .list
            .text
            .as_ref()
            .is_none_or(|text| line.contains(text.as_str()));
        if wanted {
            out.text(&format!("{line}\n"))?;
        }
    }
    Ok(())
}

/// `event schema`: the fields and types, from the crate that writes them.
pub fn schema(out: &mut Output) -> Done {
    let types = event::Type::ALL.iter().map(|kind| {
        json!({"type": kind.as_str(), "severity": kind.severity().as_str(), "description": kind.description()})
    });
    let fields = ["schema", "seq", "time", "type", "severity"]
        .iter()
        .chain(event::FIELDS.iter());
    let whole = json!({
        "schema": event::SCHEMA,
        "fields": fields.collect::<Vec<_>>(),
        "types": types.collect::<Vec<Value>>(),
    });
    out.show(&whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(json: Value) -> (String, String) {
        let Value::Object(fields) = json else {
            panic!()
        };
        (who(&fields).to_owned(), what(&fields))
    }

    #[test]
    fn events_are_told_in_a_few_words() {
        let change = json!({"actor": "root", "object": "user", "name": "alice", "result": "add", "user": null});
        assert_eq!(words(change), ("root".into(), "add user alice".into()));
        let session = json!({"user": "alice", "asset": "web1", "system_user": "dev", "result": "allow", "reason": ""});
        assert_eq!(
            words(session),
            ("alice".into(), "as dev on web1 allow".into())
        );
    }

    #[test]
    fn a_body_that_cannot_be_read_is_still_listed() {
        let row = EventRow {
            seq: 7,
            body: "garbage".into(),
            sent: false,
        };
        let Listed(fields) = listed(&row, false);
        assert_eq!(fields["seq"], 7);
        assert_eq!(fields["body"], "garbage");
    }

    #[test]
    fn a_listed_event_has_the_fields_of_the_schema() {
        let event = event::Event::new(event::Type::PolicyChange)
            .with("actor", "root")
            .with("object", "user");
        let row = EventRow {
            seq: 7,
            body: event.to_json(None),
            sent: true,
        };
        let Listed(fields) = listed(&row, false);
        for name in event::FIELDS
            .iter()
            .chain(["seq", "time", "type", "severity", "actor", "object", "sent"].iter())
        {
            assert!(fields.contains_key(*name), "{name}");
        }
    }
}
