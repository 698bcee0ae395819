//! What the bastion costs, beside what one would have without it: `make bench`, as root.
//!
//! Each row plays the references and ours in turn, in one run on one machine, several times over, on throw-away hosts of its own;
//! what counts are the medians. An aim that is missed is a row that says so, and a row that cannot be played says why and
//! does not stop the others.

mod cpu;
mod options;
mod references;
mod report;
mod rounds;
mod rows;
mod workbench;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use anyhow::{Result, anyhow};

use options::Options;
use report::{Measured, Report};
use rows::Row;
use workbench::Workbench;

fn main() -> ExitCode {
    let options = match Options::parse() {
        Ok(Some(options)) => options,
        Ok(None) => return ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            return ExitCode::from(2);
        }
    };
    match all(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Plays every row that was asked for; whether all of them could be played.
fn all(options: &Options) -> Result<bool> {
    let mut report = Report::new(options);
    let mut went_well = true;
    for row in rows::ALL
        .iter()
        .filter(|row| options.rows.contains(&row.name))
    {
        went_well &= report.play(row.name, |report| caught(row, options, report))?;
    }
    tests::say(format!("bench: {}", options.out.join("bench.md").display()));
    Ok(went_well)
}

/// One row, on hosts of its own. Whatever befalls it is its own error.
fn caught(row: &Row, options: &Options, report: &mut Report) -> Result<Vec<Measured>> {
    let played = catch_unwind(AssertUnwindSafe(|| {
        let bench = Workbench::start(&row.needs, options)?;
        report.configured(bench.told());
        let measured = (row.play)(&bench);
        report.configured(bench.told());
        measured
    }));
    played.unwrap_or_else(|panic| Err(anyhow!("{}", said(&*panic))))
}

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "it panicked".to_owned())
}
