//! What was measured: raw values as JSON, and a table for people.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};
use tests::Release;

use crate::rounds::{Series, rounds};

/// One quantity of one row.
#[derive(Debug)]
pub struct Measured {
    /// What was measured.
    pub what: String,
    /// Its unit.
    pub unit: &'static str,
    /// What it should be.
    pub aim: &'static str,
    /// Each contender's rounds; `ours` is one of them.
    pub series: Vec<Series>,
}

/// Everything so far.
#[derive(Debug)]
pub struct Report {
    release: Release,
    rows: Vec<(&'static str, Measured)>,
}

impl Report {
    /// An empty one, about hosts of this release.
    #[must_use]
    pub fn new(release: Release) -> Self {
        Self {
            release,
            rows: Vec::new(),
        }
    }

    /// Adds what a row has measured.
    pub fn add(&mut self, row: &'static str, measured: Vec<Measured>) {
        self.rows.extend(measured.into_iter().map(|it| (row, it)));
    }

    /// Medians and ratios.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = String::from(
            "| what | ours | reference | ratio | aim |\n| --- | --- | --- | --- | --- |\n",
        );
        for (_, row) in &self.rows {
            let ours = row.series.iter().find(|it| it.name == "ours");
            let ours = ours.map_or(f64::NAN, Series::median);
            let others: Vec<&Series> = row.series.iter().filter(|it| it.name != "ours").collect();
            let each = |show: &dyn Fn(&Series) -> String| {
                let words: Vec<String> = others.iter().map(|it| show(it)).collect();
                if words.is_empty() {
                    "–".to_owned()
                } else {
                    words.join(", ")
                }
            };
            let references = each(&|it| format!("{} {}", it.name, number(it.median())));
            let ratios = each(&|it| format!("{:.2}", ours / it.median()));
            let _ = writeln!(
                text,
                "| {}, {} | {} | {references} | {ratios} | {} |",
                row.what,
                row.unit,
                number(ours),
                row.aim
            );
        }
        text
    }

    /// Writes `bench.json` and `bench.md` into `folder`.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|(row, it)| {
                let series: Vec<Value> = it
                    .series
                    .iter()
                    .map(|one| {
                        json!({"name": one.name, "median": one.median(), "values": one.values})
                    })
                    .collect();
                json!({"row": row, "what": it.what, "unit": it.unit, "aim": it.aim, "series": series})
            })
            .collect();
        let all = json!({
            "debian": self.release.to_string(),
            "processors": std::thread::available_parallelism().map_or(0, usize::from),
            "load": std::fs::read_to_string("/proc/loadavg")?.trim(),
            "rounds": rounds(),
            "rows": rows,
        });
        std::fs::write(
            folder.join("bench.json"),
            serde_json::to_string_pretty(&all)? + "\n",
        )?;
        let head = include_str!("head.md");
        std::fs::write(folder.join("bench.md"), format!("{head}\n{}", self.table()))?;
        Ok(())
    }
}

/// Three digits that say something.
fn number(value: f64) -> String {
    match value.abs() {
        it if it >= 100.0 => format!("{value:.0}"),
        it if it >= 10.0 => format!("{value:.1}"),
        it if it >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}
