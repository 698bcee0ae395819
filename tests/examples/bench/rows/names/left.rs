//! What a name service module leaves in the process that has asked it.

use anyhow::{Context, Result, bail};
use tests::Host;

use super::{C_MODULE, HOT, Module, OUR_MODULE, REFERENCE, Row, prepare, publish};
use crate::report::{Aim, Measured};
use crate::rounds::{Contender, OURS, interleave};
use crate::workbench::{LITTLE, Workbench};

/// Descriptors, threads, memory; and the symbols that it shows to others.
pub const LEFT: Row = Row {
    name: "left",
    about: "what the name service module leaves in a process",
    needs: LITTLE,
    play: left,
};

const USERS: u32 = 100_000;

fn left(bench: &Workbench) -> Result<Vec<Measured>> {
    let host = bench.ours.bastion();
    prepare(host)?;
    host.write("/srv/left.c", include_str!("left.c"));
    host.run("gcc -O2 -o /srv/left /srv/left.c").success()?;
    publish(host, USERS.min(bench.options.users))?;
    let contenders = vec![
        Contender::new(C_MODULE, || measure(host, REFERENCE)),
        Contender::new(OURS, || measure(host, OUR_MODULE)),
    ];
    let quantities = interleave(bench.options.rounds, 4, contenders)?;
    let names = [
        ("descriptors", "", 0.0),
        ("threads", "", 0.0),
        ("private dirty memory", "kB", 32.0),
        ("foreign symbols", "", 0.0),
    ];
    let rows = names.into_iter().zip(quantities);
    Ok(rows
        .map(|((what, unit, most), series)| Measured {
            what: format!("what the module leaves in a process: {what}"),
            unit,
            aim: Aim::AtMost(most),
            series,
        })
        .collect())
}

fn measure(host: &Host, module: Module) -> Result<Vec<f64>> {
    let Module { file, prefix } = module;
    let hot = HOT.to_string();
    let outcome = host
        .command(["/srv/left", file, prefix, &hot])
        .run()
        .success()?;
    let numbers: Result<Vec<f64>, _> = outcome.text().split_whitespace().map(str::parse).collect();
    let mut numbers = numbers.context("no numbers")?;
    if numbers.len() != 3 {
        bail!("left.c printed {numbers:?}");
    }
    // Names that another library or program could run into.
    let foreign = host.run(format!(
        "set -o pipefail; nm -D --defined-only {file} | awk '$2 != \"A\" && $NF !~ /^_nss_{prefix}_/' | wc -l"
    ));
    numbers.push(foreign.success()?.line_of_output().parse()?);
    Ok(numbers)
}
