//! How long a key takes to come back.

use std::time::{Duration, Instant};

use anyhow::Result;
use tests::{Invocation, Terminal};

use super::Row;
use crate::references::{CHAIN, Reference};
use crate::report::{Aim, Measured};
use crate::rounds::{Contender, OURS, Round, interleave};
use crate::workbench::{LITTLE, Needs, PLAIN_WAY, WAY, Workbench};

/// Keys in one round.
const KEYS: usize = 500;
const CONTENDERS: [Reference; 4] = [
    CHAIN,
    Reference::Script,
    Reference::Tlog,
    Reference::Asciinema,
];

/// An asset's terminal echoes what is typed.
pub const ECHO: Row = Row {
    name: "keystroke",
    about: "how long a key takes to come back, beside other recorders",
    needs: Needs {
        references: &CONTENDERS,
        warm: Some(0),
        ..LITTLE
    },
    play: echo,
};

/// The kernel of the asset echoes; nothing there has to be awake.
const COMMAND: &str = "stty -icanon; echo ready; exec cat >/dev/null";

/// The median and the 99th percentile of one round, in microseconds.
fn played(round: Round, shell: &mut Terminal) -> Vec<f64> {
    let keys = if round == Round::WarmUp { 50 } else { KEYS };
    let mut waited: Vec<f64> = (0..keys)
        .map(|_| {
            let typed = Instant::now();
            shell.send("x");
            shell.skim("x");
            let waited = typed.elapsed();
            std::thread::sleep(Duration::from_millis(2));
            waited.as_secs_f64() * 1e6
        })
        .collect();
    waited.sort_by(f64::total_cmp);
    let at = |part: usize| waited.get(keys * part / 100).copied().unwrap_or(f64::NAN);
    vec![at(50), at(99)]
}

/// A terminal that echoes.
fn started(client: Invocation) -> Terminal {
    let mut terminal = client.within(Duration::from_secs(900)).on_terminal();
    terminal.expect("ready");
    terminal
}

fn echo(bench: &Workbench) -> Result<Vec<Measured>> {
    let mut contenders: Vec<Contender> = bench
        .that_are_there(&CONTENDERS)
        .into_iter()
        .map(|reference| {
            let mut shell =
                started(bench.plain_client(reference, "ssh", &["-tt", PLAIN_WAY, COMMAND]));
            Contender::with_warm_up(reference.name(), move |round| Ok(played(round, &mut shell)))
        })
        .collect();
    let mut ours = started(bench.ours_client("ssh", &["-tt", WAY, COMMAND]));
    contenders.push(Contender::with_warm_up(OURS, move |round| {
        Ok(played(round, &mut ours))
    }));
    let quantities = interleave(bench.options.rounds, 2, contenders)?;
    let chain = CHAIN.name();
    let names = [
        ("median", Aim::AtMostAbove(100.0, chain)),
        ("99th percentile", Aim::AtMostAbove(500.0, chain)),
    ];
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
