//! Tables: fitted to the terminal; whole, with blanks between the columns, where there is none.
#![forbid(unsafe_code)]

use super::text::harmless;
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;

/// What one field looks like in a table.
pub fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.is_empty() => "-".to_owned(),
        Value::String(text) => harmless(without_milliseconds(text).as_deref().unwrap_or(text)),
        Value::Array(values) if values.is_empty() => "-".to_owned(),
        Value::Array(values) => values.iter().map(cell).collect::<Vec<_>>().join(","),
        Value::Object(_) => harmless(&value.to_string()),
    }
}

/// `2026-11-21T09:00:00.123Z` as `2026-11-21T09:00:00Z`; `None` for anything else.
fn without_milliseconds(text: &str) -> Option<String> {
    if text.len() != "2026-11-21T09:00:00.123Z".len() {
        return None;
    }
    let seconds = text.strip_suffix('Z')?.get(..19)?;
    jms::time::Time::parse_rfc3339(text)?;
    Some(format!("{seconds}Z"))
}

/// Headings and rows as lines of text.
pub fn render(
    headings: &[String],
    rows: &[Vec<String>],
    columns: Option<u16>,
    bold: bool,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(headings);
    table.add_rows(rows);
    match columns {
        Some(columns) => {
            table.set_width(columns);
            table.set_content_arrangement(ContentArrangement::Dynamic);
        }
        None => {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let mut text = String::new();
    for (number, line) in table.lines().enumerate() {
        let line = line.trim_end();
        if bold && number == 0 {
            text.push_str(&format!("\u{1b}[1m{line}\u{1b}[0m"));
        } else {
            text.push_str(line);
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn cells_say_what_json_says() {
        assert_eq!(cell(&json!(null)), "-");
        assert_eq!(cell(&json!(["a", "b"])), "a,b");
        assert_eq!(cell(&json!(true)), "yes");
        assert_eq!(
            cell(&json!("2026-11-21T09:00:00.123Z")),
            "2026-11-21T09:00:00Z"
        );
        assert_eq!(cell(&json!("\u{1b}]0;owned\u{7}")), "\\u{1b}]0;owned\\u{7}");
    }

    #[test]
    fn without_a_terminal_nothing_is_cut() {
        let long = "x".repeat(300);
        let text = render(
            &["name".into(), "comment".into()],
            &[vec!["web1".into(), long.clone()]],
            None,
            false,
        );
        assert_eq!(text, format!("name  comment\nweb1  {long}\n"));
    }

    #[test]
    fn a_terminal_is_never_overrun() {
        let rows = vec![vec!["web1".to_owned(), "word ".repeat(60)]];
        let text = render(&["name".into(), "comment".into()], &rows, Some(60), false);
        assert!(text.lines().all(|line| line.len() <= 60), "{text}");
        assert_eq!(text.matches("word").count(), 60);
    }
}
