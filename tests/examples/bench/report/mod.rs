//! What was measured: raw values as JSON, and a table for people. Both are written after each row, so that a run that is cut short
//! has not been for nothing.

mod aim;
mod document;
mod machine;

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};

pub use aim::Aim;
use machine::Machine;

use crate::options::Options;
use crate::rounds::Series;

/// One quantity of one row.
#[derive(Debug)]
pub struct Measured {
    /// What was measured.
    pub what: String,
    /// Its unit.
    pub unit: &'static str,
    /// What it should be.
    pub aim: Aim,
    /// Each contender's rounds; `ours` is one of them.
    pub series: Vec<Series>,
}

/// One row that was played.
#[derive(Debug)]
struct Played {
    name: &'static str,
    /// What it measured, or why it did not.
    result: Result<Vec<Measured>, String>,
    took: Duration,
    /// The machine's load before it.
    load: String,
}

/// Everything so far.
#[derive(Debug)]
pub struct Report {
    options: Options,
    machine: Machine,
    begun: Instant,
    rows: Vec<Played>,
    /// How hosts were set up, by what it is about.
    configuration: BTreeMap<String, String>,
}

impl Report {
    /// An empty one.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        Self {
            options: options.clone(),
            machine: Machine::look(),
            begun: Instant::now(),
            rows: Vec::new(),
            configuration: BTreeMap::new(),
        }
    }

    /// Adds how the hosts of a row were set up.
    pub fn configured(&mut self, configuration: impl IntoIterator<Item = (String, String)>) {
        self.configuration.extend(configuration);
    }

    /// Plays a row, adds what it has measured or why it has not, and writes everything so far. Says whether it went well.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn play(
        &mut self,
        name: &'static str,
        row: impl FnOnce(&mut Self) -> Result<Vec<Measured>>,
    ) -> Result<bool> {
        let load = machine::load();
        tests::say(format!("bench: {name} (load {load})"));
        let begun = Instant::now();
        let result = row(self).map_err(|error| format!("{error:#}"));
        let took = begun.elapsed();
        match &result {
            Ok(measured) => print!("{}", document::table(name, measured)),
            Err(error) => tests::say(format!("bench: {name} failed: {error}")),
        }
        tests::say(format!("bench: {name} took {} s", took.as_secs()));
        let went_well = result.is_ok();
        self.rows.push(Played {
            name,
            result,
            took,
            load,
        });
        self.write()?;
        Ok(went_well)
    }

    /// The rows that were asked for and not played yet.
    fn missing(&self) -> Vec<&'static str> {
        let asked = self.options.rows.iter().copied();
        asked
            .filter(|name| !self.rows.iter().any(|row| row.name == *name))
            .collect()
    }

    /// Writes `bench.json` and `bench.md`.
    fn write(&self) -> Result<()> {
        let folder = &self.options.out;
        let written = || -> Result<()> {
            fs::create_dir_all(folder)?;
            let raw = serde_json::to_string_pretty(&self.raw())? + "\n";
            fs::write(folder.join("bench.json"), raw)?;
            Ok(fs::write(folder.join("bench.md"), self.document())?)
        };
        written().with_context(|| format!("cannot write into {}", folder.display()))
    }

    /// Everything, for programs.
    fn raw(&self) -> Value {
        let series =
            |it: &Series| json!({"name": it.name, "median": it.median(), "values": it.values});
        let measured = |it: &Measured| {
            json!({
                "what": it.what,
                "unit": it.unit,
                "aim": it.aim.text(it.unit),
                "met": it.aim.is_met(&it.series),
                "series": it.series.iter().map(series).collect::<Vec<_>>(),
            })
        };
        let rows = self.rows.iter().map(|row| {
            let (quantities, failed) = match &row.result {
                Ok(quantities) => (quantities.iter().map(measured).collect(), None),
                Err(error) => (Vec::new(), Some(error)),
            };
            json!({
                "row": row.name,
                "seconds": row.took.as_secs(),
                "load": row.load,
                "failed": failed,
                "measured": quantities,
            })
        });
        json!({
            "machine": self.machine.raw(),
            "options": {
                "rounds": self.options.rounds,
                "files_mib": self.options.files,
                "terminal_mib": self.options.terminal,
                "sessions": self.options.sessions,
                "users": self.options.users,
                "tasks": self.options.tasks,
                "recorded_seconds": self.options.seconds,
            },
            "seconds": self.begun.elapsed().as_secs(),
            "not_played": self.missing(),
            "rows": rows.collect::<Vec<_>>(),
            "configuration": self.configuration,
        })
    }
}
