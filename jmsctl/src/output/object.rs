//! One object for people: its fields one below the other, what belongs to it as tables beneath.
#![forbid(unsafe_code)]

use super::table;
use serde_json::{Map, Value};

/// The object as lines of text.
pub fn render(value: &Value, columns: Option<u16>, bold: bool) -> String {
    let Value::Object(fields) = value else {
        return format!("{}\n", table::cell(value));
    };
    let plain = fields.iter().filter(|(_, value)| parts(value).is_none());
    let width = plain.clone().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, value) in plain {
        let name = name.replace('_', " ");
        // An object inside stands for itself by its name; JSON has the whole.
        let shown = value.get("name").unwrap_or(value);
        text.push_str(&format!("{name:width$}  {}\n", table::cell(shown)));
    }
    for (name, value) in fields {
        let Some(parts) = parts(value) else { continue };
        text.push_str(&format!("\n{}:\n", name.replace('_', " ")));
        text.push_str(&part_table(&parts, columns, bold));
    }
    text
}

/// The objects of a list of objects.
fn parts(value: &Value) -> Option<Vec<&Map<String, Value>>> {
    let values = value.as_array().filter(|values| !values.is_empty())?;
    values.iter().map(Value::as_object).collect()
}

fn part_table(parts: &[&Map<String, Value>], columns: Option<u16>, bold: bool) -> String {
    let Some(first) = parts.first() else {
        return String::new();
    };
    let names: Vec<&String> = first.keys().collect();
    let headings: Vec<String> = names.iter().map(|name| name.replace('_', " ")).collect();
    let row = |part: &&Map<String, Value>| {
        names
            .iter()
            .map(|name| part.get(*name).map(table::cell).unwrap_or_default())
            .collect()
    };
    let rows: Vec<Vec<String>> = parts.iter().map(row).collect();
    table::render(&headings, &rows, columns, bold)
}

#[cfg(test)]
mod tests {
    use super::render;
    use serde_json::json;

    #[test]
    fn fields_stand_in_line_and_parts_below() {
        let value = json!({"name": "alice", "valid_until": null, "groups": [], "keys": [{"type": "a", "from": ["x"]}]});
        let text = render(&value, None, false);
        assert_eq!(
            text,
            "name         alice\nvalid until  -\ngroups       -\n\nkeys:\ntype  from\na     x\n"
        );
    }
}
