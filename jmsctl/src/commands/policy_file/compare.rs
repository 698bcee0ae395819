//! What differs between two tables of the same object.
#![forbid(unsafe_code)]

use jms::store::StoreError;
use serde::Serialize;
use toml::{Table, Value};

/// One field that the file says otherwise than the store.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Field {
    /// Its name in the file.
    pub field: String,
    /// As it is; missing when the object is new.
    pub before: Option<Value>,
    /// As it shall be; missing when the object goes.
    pub after: Option<Value>,
}

/// The object as a table of the file.
pub fn table(object: &impl Serialize) -> Result<Table, StoreError> {
    Table::try_from(object).map_err(|error| StoreError::Refused {
        sentence: format!("an object cannot be written as TOML: {error}"),
    })
}

/// The fields that `wanted` says otherwise than `stored`. What it does not say is no difference.
pub fn differences(stored: &Table, wanted: &Table) -> Vec<Field> {
    let changed = wanted
        .iter()
        .filter(|(field, value)| !same(stored.get(*field), value));
    changed
        .map(|(field, value)| Field {
            field: field.clone(),
            before: stored.get(field).cloned(),
            after: Some(value.clone()),
        })
        .collect()
}

/// Lists in the file are sets: their order is no difference.
fn same(stored: Option<&Value>, wanted: &Value) -> bool {
    match (stored, wanted) {
        (Some(Value::Array(stored)), Value::Array(wanted)) => {
            stored.len() == wanted.len() && wanted.iter().all(|value| stored.contains(value))
        }
        (stored, wanted) => stored == Some(wanted),
    }
}

impl Field {
    /// `port: 22 → 2222`, or `users: + bob, - carol` for lists.
    pub fn in_words(&self) -> String {
        let field = &self.field;
        match (&self.before, &self.after) {
            (Some(Value::Array(before)), Some(Value::Array(after))) => {
                let added = after.iter().filter(|value| !before.contains(value));
                let removed = before.iter().filter(|value| !after.contains(value));
                let parts: Vec<String> = added
                    .map(|value| format!("+ {}", short(value)))
                    .chain(removed.map(|value| format!("- {}", short(value))))
                    .collect();
                format!("{field}: {}", parts.join(", "))
            }
            (Some(before), Some(after)) => format!("{field}: {} → {}", short(before), short(after)),
            (None, Some(value)) | (Some(value), None) => format!("{field}: {}", short(value)),
            (None, None) => field.clone(),
        }
    }
}

/// A value in a line for people; a key without its long middle.
fn short(value: &Value) -> String {
    match value {
        Value::String(text) if text.len() > 64 => {
            let begin: String = text.chars().take(24).collect();
            let end: Vec<char> = text.chars().rev().take(16).collect();
            format!("{begin}…{}", end.into_iter().rev().collect::<String>())
        }
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(short).collect::<Vec<_>>().join(", "),
        Value::Table(fields) => {
            let said = fields.iter().filter(|(_, value)| !is_nothing(value));
            said.map(|(_, value)| short(value))
                .collect::<Vec<_>>()
                .join(" ")
        }
        other => other.to_string(),
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty() || text == "none",
        Value::Array(values) => values.is_empty(),
        Value::Boolean(yes) => !yes,
        _ => false,
    }
}
