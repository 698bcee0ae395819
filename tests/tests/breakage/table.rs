//! The table: printed for people, and kept as `docs/breakage.md`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use tests::Release;

use crate::columns::{LOCAL, Seen};
use crate::row::{Alice, Row};

/// What stands in `docs/breakage.md` around the tables.
pub fn document() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/breakage.md")
}

/// The rows as a table of Markdown; a row that was not tried is as `before` has it. Words of the client's screen and of the log are those that the row wants and that
/// were seen: what changes from run to run is not shown.
pub fn markdown(rows: &[Row], all_seen: &BTreeMap<String, Seen>, before: &str) -> String {
    let mut text = String::new();
    let mut notes: Vec<&str> = Vec::new();
    let _ = writeln!(
        text,
        "| broken | how | {} | virtual user | she reads | the log says | doctor |\n|{}",
        LOCAL.join(" | "),
        " --- |".repeat(LOCAL.len() + 6)
    );
    for row in rows {
        let mark = if row.note.is_empty() {
            String::new()
        } else {
            let number = notes
                .iter()
                .position(|note| *note == row.note)
                .unwrap_or_else(|| {
                    notes.push(row.note);
                    notes.len() - 1
                });
            format!(" ({})", number + 1)
        };
        let begin = format!("| {} | {}{mark} |", row.subject, row.damage);
        let Some(seen) = all_seen.get(&row.name()) else {
            let kept = before.lines().find(|line| line.starts_with(&begin));
            kept.into_iter().for_each(|line| text.extend([line, "\n"]));
            continue;
        };
        let (state, sentence, line) = match row.alice {
            Alice::Served if !seen.served => ("WRONG", "", ""),
            Alice::Served => ("served", "", ""),
            Alice::Refused { .. } if seen.served => ("WRONG", "", ""),
            Alice::Refused { sentence, line } => ("refused", sentence, line),
            Alice::ReadsTheBastion => ("reads files of the bastion", "", ""),
            Alice::Hangs => ("hangs", "", ""),
        };
        let local: Vec<&str> = seen
            .local
            .iter()
            .map(|is_in| if *is_in { "in" } else { "OUT" })
            .collect();
        let _ = writeln!(
            text,
            "{begin} {} | {state} | {} | {} | {} |",
            local.join(" | "),
            code(sentence),
            code(line),
            seen.findings
                .iter()
                .map(|id| code(id))
                .collect::<Vec<_>>()
                .join(" "),
        );
    }
    for (note, number) in notes.iter().zip(1..) {
        let _ = write!(text, "\n{number}. {note}");
    }
    if !notes.is_empty() {
        text.push('\n');
    }
    text
}

fn code(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("`{text}`")
    }
}

/// This release's table in the document.
pub fn of(document: &str, release: Release) -> Option<&str> {
    let (begin, end) = markers(release);
    let (_, rest) = document.split_once(&begin)?;
    rest.split_once(&end).map(|(table, _)| table)
}

/// The document with this release's table in the place of the one that it had.
pub fn with_table(document: &str, release: Release, table: &str) -> Option<String> {
    let (begin, end) = markers(release);
    let (before, rest) = document.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n\n{table}\n{end}{after}"))
}

fn markers(release: Release) -> (String, String) {
    let number = release.number();
    (
        format!("<!-- seen on Debian {number}: -->"),
        format!("<!-- end of Debian {number} -->"),
    )
}
