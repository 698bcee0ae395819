//! What the bastion costs, beside what one would have without it: `make bench`, as root.
//!
//! Each row plays the reference and ours in turn, in one run on one machine, several times over; what counts is the ratio of
//! the medians. Nothing is judged here: an aim that is missed is a row that says so. Words on the command line choose
//! rows by the beginning of their names; ROUNDS=N sets how often (7).

mod cpu;
mod report;
mod rounds;
mod rows;
mod workbench;

use std::path::Path;

use anyhow::Result;

use report::Report;
use workbench::Workbench;

fn main() -> Result<()> {
    let chosen: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |name: &str| chosen.is_empty() || chosen.iter().any(|word| name.starts_with(word));
    let bench = Workbench::start()?;
    let mut report = Report::new(bench.ours.release());
    for (name, play) in rows::ALL {
        if wanted(name) {
            tests::say(format!("bench: {name}"));
            report.add(name, play(&bench)?);
        }
    }
    print!("{}", report.table());
    if chosen.is_empty() {
        report.write(Path::new("docs"))?;
    }
    Ok(())
}
