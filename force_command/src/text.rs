//! Text for terminals: made harmless, measured in columns, laid out in tables.
//!
//! Trusts nothing: names, comments and commands were written by administrators, users and assets.
#![forbid(unsafe_code)]

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Between two columns.
const GAP: &str = "  ";

/// `text` without anything that a terminal would act upon: control characters and those that turn
/// the direction of text around become U+FFFD, what has no width of its own goes with what it stands on.
#[must_use]
pub fn harmless(text: &str) -> String {
    jms::replay::printable(text)
}

/// `bytes` as text that loses nothing: what is no UTF-8 is written `\\xNN`.
#[must_use]
pub fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for part in bytes.utf8_chunks() {
        text.push_str(part.valid());
        for byte in part.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

/// How many columns of a terminal `text` takes.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

/// As much of `text` as fits into `columns`, with `…` where something is left out.
#[must_use]
pub fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        // One column is the ellipsis's.
        if used + wide + 1 > columns {
            break;
        }
        used += wide;
        kept.push(c);
    }
    if columns > 0 {
        kept.push('…');
    }
    kept
}

/// `text` with blanks up to `columns`.
fn padded(text: &str, columns: usize) -> String {
    let blanks = columns.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(blanks))
}

/// Lines with cells below each other. Every cell is made harmless; with `columns`, lines are cut to it.
#[must_use]
pub fn table(rows: &[Vec<String>], columns: Option<usize>) -> Vec<String> {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| harmless(cell)).collect())
        .collect();
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.width()).max().unwrap_or(0)
        })
        .collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, wide)| padded(cell, *wide))
            .collect();
        let line = cells.join(GAP);
        let line = line.trim_end();
        columns.map_or_else(|| line.to_owned(), |columns| cut(line, columns))
    };
    rows.iter().map(line).collect()
}

/// One JSON value on one line, pure ASCII where a terminal could act upon it.
#[must_use]
pub fn json_line(value: &serde_json::Value) -> String {
    // Control characters that JSON lets through (DEL, C1) and those that turn text around stand in
    // strings only, where an escape means the same.
    let mut line = String::new();
    for c in value.to_string().chars() {
        if harmless(c.encode_utf8(&mut [0; 4])) == "\u{fffd}" && c != '\u{fffd}' {
            line.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            line.push(c);
        }
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|cell| (*cell).to_owned()).collect()
    }

    #[test]
    fn wide_characters_take_two_columns_and_are_never_halved() {
        assert_eq!(width("生产"), 4);
        assert_eq!(cut("生产环境", 8), "生产环境");
        assert_eq!(cut("生产环境", 7), "生产环…");
        assert_eq!(cut("生产环境", 6), "生产…");
        assert_eq!(cut("生产", 1), "…");
        assert_eq!(cut("生产", 0), "");
    }

    #[test]
    fn bytes_that_are_no_text_are_still_told() {
        assert_eq!(
            escaped(b"printf '\xff\xfe\xc3\xa9\xc3' | sh"),
            "printf '\\xff\\xfe\u{e9}\\xc3' | sh"
        );
    }

    #[test]
    fn columns_stand_below_each_other_whatever_is_in_them() {
        let lines = table(
            &[row(&["1", "网页", "front"]), row(&["10", "db", "\x1b[2J"])],
            None,
        );
        assert_eq!(lines, ["1   网页  front", "10  db    \u{fffd}[2J"]);
        let lines = table(&[row(&["1", "web1", "a long comment"])], Some(12));
        assert_eq!(lines, ["1  web1  a …"]);
    }

    #[test]
    fn json_holds_nothing_that_a_terminal_acts_upon_and_still_means_the_same() {
        let value = json!({"comment": "a\u{9b}2J\u{7f}\u{202e}\x1b é 网"});
        let line = json_line(&value);
        assert_eq!(
            line,
            "{\"comment\":\"a\\u009b2J\\u007f\\u202e\\u001b é 网\"}\n"
        );
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&line).unwrap(),
            value
        );
    }
}
