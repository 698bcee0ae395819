//! Reads an event back from its JSON, to send it again from the store.
//!
//! The text may come from outside: anything that schema 1 does not say is an error.

use jiff::Timestamp;
use serde_json::{Map, Value as Json};

use crate::kind::{Severity, Type};
use crate::record::{
    DROPPED, EXTRA_MAX, Event, FIELDS, HEAD, WHOLE_LENGTH, WHOLE_SHA256, is_field_name,
    milliseconds,
};
use crate::value::{Inner, Text, VALUE_MAX, Value, Whole};

/// More than this is not read at all; an event that we wrote is at most 8 KiB.
const INPUT_MAX: usize = 64 * 1024;

/// Why a text is no event of schema 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// The text is longer than 64 KiB.
    TooLong(usize),
    /// Not a JSON object; what the JSON reader says.
    NotJson(String),
    /// A field is missing, or its value has the wrong type or is out of range.
    Field(String),
}

impl std::fmt::Display for ParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ParseError::TooLong(length) => {
                write!(
                    f,
                    "an event of {length} bytes is too long to be one of ours (at most {INPUT_MAX})"
                )
            }
            ParseError::NotJson(why) => write!(f, "the event is no JSON object: {why}"),
            ParseError::Field(name) => {
                write!(
                    f,
                    "the event's field {name:?} is missing or not what schema {} says",
                    crate::SCHEMA
                )
            }
        }
    }
}

impl std::error::Error for ParseError {}

impl Event {
    /// The event that [`Event::to_json`] wrote. The field `seq` is checked and left to the store.
    ///
    /// # Errors
    /// When the text is not an event of schema 1.
    pub fn from_json(text: &str) -> Result<Event, ParseError> {
        if text.len() > INPUT_MAX {
            return Err(ParseError::TooLong(text.len()));
        }
        let mut object: Map<String, Json> =
            serde_json::from_str(text).map_err(|error| ParseError::NotJson(error.to_string()))?;
        let mut event = head(&object)?;
        for name in HEAD {
            object.shift_remove(name);
        }
        if let Some(dropped) = object.shift_remove(DROPPED) {
            event.dropped = dropped
                .as_u64()
                .filter(|count| *count > 0)
                .ok_or_else(|| field(DROPPED))?;
        }
        for (slot, name) in event.named.iter_mut().zip(FIELDS) {
            *slot = take(&mut object, name)?;
            let number = matches!(name, "sshd_pid" | "source_port");
            let fits = match slot.0 {
                Inner::Null => true,
                Inner::Number(_) => number,
                Inner::Text(_) | Inner::Flag(_) => !number,
            };
            if !fits {
                return Err(field(name));
            }
        }
        let extra: Vec<String> = object
            .keys()
            .filter(|name| is_field_name(name))
            .cloned()
            .collect();
        if extra.len() > EXTRA_MAX {
            return Err(field("the number of extra fields"));
        }
        for name in extra {
            let value = take(&mut object, &name)?;
            event.extra.push((name, value));
        }
        match object.keys().next() {
            Some(stray) => Err(field(stray)),
            None => Ok(event),
        }
    }
}

fn head(object: &Map<String, Json>) -> Result<Event, ParseError> {
    let text = |name: &str| {
        object
            .get(name)
            .and_then(Json::as_str)
            .ok_or_else(|| field(name))
    };
    if object.get("schema").and_then(Json::as_u64) != Some(crate::SCHEMA) {
        return Err(field("schema"));
    }
    if !object
        .get("seq")
        .is_some_and(|seq| seq.is_null() || seq.is_u64())
    {
        return Err(field("seq"));
    }
    let time: Timestamp = text("time")?.parse().map_err(|_| field("time"))?;
    let kind = Type::from_name(text("type")?).ok_or_else(|| field("type"))?;
    let severity = Severity::from_name(text("severity")?).ok_or_else(|| field("severity"))?;
    Ok(Event::new(kind).severity(severity).at(milliseconds(time)))
}

/// Takes a field and the marks of its having been cut out of the object.
fn take(object: &mut Map<String, Json>, name: &str) -> Result<Value, ParseError> {
    let sha256 = object.shift_remove(&format!("{name}{WHOLE_SHA256}"));
    let length = object.shift_remove(&format!("{name}{WHOLE_LENGTH}"));
    let value = object.shift_remove(name).ok_or_else(|| field(name))?;
    let whole = match (sha256, length) {
        (None, None) => None,
        (Some(Json::String(sha256)), Some(length)) if is_sha256(&sha256) => Some(Whole {
            sha256,
            length: length.as_u64().ok_or_else(|| field(name))?,
        }),
        _ => return Err(field(name)),
    };
    match value {
        Json::String(kept) => match whole {
            Some(whole) if kept.len() <= VALUE_MAX && whole.length > kept.len() as u64 => {
                Ok(Value(Inner::Text(Text {
                    kept,
                    whole: Some(whole),
                })))
            }
            Some(_) => Err(field(name)),
            None => Ok(Value::text(kept)),
        },
        _ if whole.is_some() => Err(field(name)),
        Json::Null => Ok(Value(Inner::Null)),
        Json::Bool(flag) => Ok(Value::from(flag)),
        Json::Number(number) => number.as_i64().map(Value::from).ok_or_else(|| field(name)),
        Json::Array(_) | Json::Object(_) => Err(field(name)),
    }
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn field(name: &str) -> ParseError {
    ParseError::Field(crate::value::cut(name, 64).to_owned())
}
