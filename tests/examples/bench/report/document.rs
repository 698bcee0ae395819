//! The document: every number with what it should be beside it, and how it came about.

use std::fmt::Write as _;

use super::{Measured, Played, Report};
use crate::rounds::{OURS, Series};

/// What does not change from run to run.
const HEAD: &str = include_str!("head.md");
const COLUMNS: &str =
    "| what | ours | reference | ratio | aim | met |\n| --- | --- | --- | --- | --- | --- |\n";

impl Report {
    /// All of it.
    pub(super) fn document(&self) -> String {
        let mut text = format!("{HEAD}\n## The table\n\n{}\n", self.machine.text());
        let missing = self.missing();
        if !missing.is_empty() {
            let _ = writeln!(
                text,
                "\n**This run was cut short.** Not played: {}.",
                missing.join(", ")
            );
        }
        let _ = write!(text, "\n{COLUMNS}");
        for row in &self.rows {
            match &row.result {
                Ok(measured) => measured.iter().for_each(|it| text.push_str(&line(it))),
                Err(error) => {
                    let error = in_a_cell(error);
                    let _ = writeln!(text, "| {}: **failed** | | | | | {error} |", row.name);
                }
            }
        }
        let _ = writeln!(text, "\n{}", self.verdict());
        text.push_str("\n## How long each row took\n\n| row | seconds | load before it |\n| --- | --- | --- |\n");
        for Played {
            name, took, load, ..
        } in &self.rows
        {
            let _ = writeln!(text, "| {name} | {} | {load} |", took.as_secs());
        }
        let _ = writeln!(
            text,
            "| all of them | {} | |",
            self.begun.elapsed().as_secs()
        );
        text.push_str("\n## How the hosts were set up\n\nRead from the hosts of this run.\n");
        for (title, content) in &self.configuration {
            let _ = writeln!(text, "\n{title}:\n\n```text\n{}\n```", content.trim_end());
        }
        text
    }

    /// How many aims there are, and how many are met.
    fn verdict(&self) -> String {
        let met: Vec<bool> = self
            .rows
            .iter()
            .filter_map(|row| row.result.as_ref().ok())
            .flatten()
            .filter_map(|it| it.aim.is_met(&it.series))
            .collect();
        let yes = met.iter().filter(|it| **it).count();
        let failed = self.rows.iter().filter(|row| row.result.is_err()).count();
        let failed = match failed {
            0 => String::new(),
            count => format!(" {count} rows failed."),
        };
        format!("{yes} of {} aims are met.{failed}", met.len())
    }
}

/// One row alone, for the terminal.
pub fn table(name: &str, measured: &[Measured]) -> String {
    let lines: String = measured.iter().map(line).collect();
    format!("\n{name}\n\n{COLUMNS}{lines}\n")
}

fn line(row: &Measured) -> String {
    let ours = row.series.iter().find(|it| it.name == OURS);
    let ours = ours.map_or(f64::NAN, Series::median);
    let others: Vec<&Series> = row.series.iter().filter(|it| it.name != OURS).collect();
    let each = |show: &dyn Fn(&Series) -> String| match others.is_empty() {
        true => "–".to_owned(),
        false => others
            .iter()
            .map(|it| show(it))
            .collect::<Vec<_>>()
            .join(", "),
    };
    let references = each(&|it| format!("{} {}", it.name, number(it.median())));
    let ratios = each(&|it| match it.median() {
        0.0 => "–".to_owned(),
        median => format!("{:.2}", ours / median),
    });
    let met = match row.aim.is_met(&row.series) {
        Some(true) => "yes",
        Some(false) => "**no**",
        None => "–",
    };
    let unit = match row.unit {
        "" => String::new(),
        unit => format!(", {unit}"),
    };
    format!(
        "| {}{unit} | {} | {references} | {ratios} | {} | {met} |\n",
        row.what,
        number(ours),
        row.aim.text(row.unit)
    )
}

/// Three digits that say something.
fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        it if it >= 100.0 => format!("{value:.0}"),
        it if it >= 10.0 => format!("{value:.1}"),
        it if it >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// Text of any kind as the content of one cell.
fn in_a_cell(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    words.replace('|', "\\|").chars().take(600).collect()
}
