//! Bulk output of a recorded terminal.

use anyhow::{Context, Result};

use super::Row;
use crate::references::{CHAIN, RECORDINGS, Reference};
use crate::report::{Aim, Measured};
use crate::rounds::{Contender, OURS, Round, interleave};
use crate::workbench::{Cost, LITTLE, Needs, PLAIN_WAY, WAY, Workbench};

const CONTENDERS: [Reference; 4] = [
    CHAIN,
    Reference::Script,
    Reference::Tlog,
    Reference::Asciinema,
];
/// What the round that does not count prints, in MiB.
const LITTLE_MIB: u32 = 4;

/// Log lines, recorded; beside it the chain, bare and recorded by others.
pub const OUTPUT: Row = Row {
    name: "terminal",
    about: "64 MiB of log lines through a recorded terminal",
    needs: Needs {
        references: &CONTENDERS,
        warm: Some(0),
        ..LITTLE
    },
    play: output,
};

/// Lines as a log has them, no two alike.
const LOG: &str = r#"awk -v most="$1" 'BEGIN { for (i = 0; size < most * 1048576; i++) {
    line = sprintf("2026-11-21T10:%02d:%02d web1 app[%d]: request %d answered in %d ms", i/60%60, i%60, i%997, i*7919, i%431)
    size += length(line) + 1; print line } }' >"$2""#;

fn output(bench: &Workbench) -> Result<Vec<Measured>> {
    let most = bench.options.terminal;
    for lab in [&bench.ours, &bench.plain] {
        for (size, file) in [(most, "/srv/log"), (LITTLE_MIB.min(most), "/srv/little")] {
            let words = ["bash", "-c", LOG, "log", &size.to_string(), file];
            lab.web1().command(words).run().success()?;
        }
    }
    let print = |round| {
        if round == Round::WarmUp {
            "cat /srv/little"
        } else {
            "cat /srv/log"
        }
    };
    let size = f64::from(most);
    let per_round = |cost: Cost| {
        vec![
            size / cost.wall.as_secs_f64(),
            cost.cpu.as_secs_f64() * 100.0 / size,
        ]
    };
    let recorded = |host: &tests::Host, folder: &str| -> Result<f64> {
        // What was recorded is weighed and thrown away: it lies in memory.
        let script = format!(
            "find {folder} -type f -printf '%s\\n' | awk '{{ sum += $1 }} END {{ print sum + 0 }}'; find {folder} -type f -delete"
        );
        let bytes: f64 = host
            .run(script)
            .success()?
            .line_of_output()
            .parse()
            .context("no size")?;
        Ok(bytes / 1024.0 / 1024.0)
    };
    let mut contenders: Vec<Contender> = bench
        .that_are_there(&CONTENDERS)
        .into_iter()
        .map(|reference| {
            Contender::with_warm_up(reference.name(), move |round| {
                let cost = bench.plain(reference, "ssh", &["-tt", PLAIN_WAY, print(round)])?;
                let mut values = per_round(cost);
                values.push(recorded(bench.plain.bastion(), RECORDINGS)?);
                Ok(values)
            })
        })
        .collect();
    contenders.push(Contender::with_warm_up(OURS, |round| {
        let mut values = per_round(bench.ours("ssh", &["-tt", WAY, print(round)])?);
        values.push(recorded(bench.ours.bastion(), "/var/lib/jms/recordings")?);
        Ok(values)
    }));
    let quantities = interleave(bench.options.rounds, 3, contenders)?;
    let chain = CHAIN.name();
    let names = [
        ("throughput", "MiB/s", Aim::AtLeastTimes(0.95, chain)),
        ("server CPU", "s/100 MiB", Aim::AtMostTimes(1.20, chain)),
        ("its recording", "MiB", Aim::None),
    ];
    let rows = names.into_iter().zip(quantities);
    Ok(rows
        .map(|((name, unit, aim), series)| Measured {
            what: format!("{most} MiB of log lines on a recorded terminal: {name}"),
            unit,
            aim,
            series,
        })
        .collect())
}
