//! How long a key takes to come back.

use std::time::{Duration, Instant};

use anyhow::Result;
use tests::Terminal;

use crate::report::Measured;
use crate::rounds::{Contender, interleave};
use crate::workbench::{CHAIN, Workbench};

/// Keys in one round.
const KEYS: usize = 300;

/// The median and the 99th percentile of one round, in microseconds.
fn round(shell: &mut Terminal) -> Vec<f64> {
    let mut waited: Vec<f64> = (0..KEYS)
        .map(|_| {
            let typed = Instant::now();
            shell.send("x");
            shell.skim("x");
            let waited = typed.elapsed();
            std::thread::sleep(Duration::from_millis(2));
            waited.as_secs_f64() * 1e6
        })
        .collect();
    shell.send("\x15");
    shell.drain(Duration::from_millis(50));
    waited.sort_by(f64::total_cmp);
    vec![waited[KEYS / 2], waited[KEYS * 99 / 100]]
}

/// An asset's terminal echoes what is typed.
pub fn echo(bench: &Workbench) -> Result<Vec<Measured>> {
    let session = Duration::from_secs(600);
    let command = "stty -icanon; echo ready; exec cat >/dev/null";
    let port = CHAIN.to_string();
    let start = |lab: &tests::Lab, words: &[&str]| {
        let client = lab.client().command("ssh", words).within(session);
        let mut terminal = client.on_terminal();
        terminal.expect("ready");
        terminal
    };
    let mut chain = start(
        &bench.plain,
        &["-tt", "-p", &port, "alice@bastion", command],
    );
    let mut ours = start(&bench.ours, &["-tt", "alice@dev@web1@bastion", command]);
    let quantities = interleave(
        2,
        vec![
            Contender::new("chain", || Ok(round(&mut chain))),
            Contender::new("ours", || Ok(round(&mut ours))),
        ],
    )?;
    let names = [("median", "≤ + 100 µs"), ("99th percentile", "≤ + 500 µs")];
    let rows = names.into_iter().zip(quantities);
    Ok(rows
        .map(|((name, aim), series)| Measured {
            what: format!("a key's echo: {name}"),
            unit: "µs",
            aim,
            series,
        })
        .collect())
}
