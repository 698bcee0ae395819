//! Logins, and the way to an asset.

use std::thread;
use std::time::Instant;

use anyhow::{Result, anyhow};

use crate::report::Measured;
use crate::rounds::{Contender, Series, interleave};
use crate::workbench::{CHAIN, Cost, NOTHING, Workbench};

/// Logins in one round; more than one, because one is short.
const IN_A_ROUND: u32 = 5;
/// Clients at once.
const CLIENTS: usize = 32;

/// The mean of several, in milliseconds: processor time, wall.
pub(super) fn several(play: impl Fn() -> Result<Cost>) -> Result<Vec<f64>> {
    let (mut cpu, mut wall) = (0.0, 0.0);
    for _ in 0..IN_A_ROUND {
        let cost = play()?;
        cpu += cost.cpu.as_secs_f64();
        wall += cost.wall.as_secs_f64();
    }
    let each = 1e3 / f64::from(IN_A_ROUND);
    Ok(vec![cpu * each, wall * each])
}

pub(super) fn measured(
    what: &str,
    quantities: Vec<Vec<Series>>,
    aims: [&'static str; 2],
) -> Vec<Measured> {
    let names = ["server CPU", "wall"];
    let rows = names.into_iter().zip(aims).zip(quantities);
    rows.map(|((name, aim), series)| Measured {
        what: format!("{what}: {name}"),
        unit: "ms",
        aim,
        series,
    })
    .collect()
}

/// To the start of our program.
pub fn login(bench: &Workbench) -> Result<Vec<Measured>> {
    let quantities = interleave(
        2,
        vec![
            Contender::new("nothing", || {
                several(|| bench.plain(NOTHING, "ssh", &["alice@bastion", "version"]))
            }),
            Contender::new("ours", || {
                several(|| bench.ours("ssh", &["alice@bastion", "version"]))
            }),
        ],
    )?;
    Ok(measured("a login", quantities, ["≤ 1.10 ×", "≤ 1.05 ×"]))
}

/// Thirty-two clients at once.
pub fn many(bench: &Workbench) -> Result<Vec<Measured>> {
    let rate = |play: &(dyn Fn() -> Result<Cost> + Sync)| -> Result<Vec<f64>> {
        let begun = Instant::now();
        thread::scope(|scope| {
            let clients: Vec<_> = (0..CLIENTS)
                .map(|_| scope.spawn(|| play().and_then(|_| play())))
                .collect();
            clients.into_iter().try_for_each(|client| {
                client
                    .join()
                    .map_err(|_| anyhow!("a client panicked"))?
                    .map(|_| ())
            })
        })?;
        Ok(vec![2.0 * CLIENTS as f64 / begun.elapsed().as_secs_f64()])
    };
    let mut quantities = interleave(
        1,
        vec![
            Contender::new("nothing", || {
                rate(&|| bench.plain(NOTHING, "ssh", &["alice@bastion", "version"]))
            }),
            Contender::new("ours", || {
                rate(&|| bench.ours("ssh", &["alice@bastion", "version"]))
            }),
        ],
    )?;
    Ok(vec![Measured {
        what: format!("logins with {CLIENTS} clients at once, none failed"),
        unit: "a second",
        aim: "≥ 0.95 ×",
        series: quantities.remove(0),
    }])
}

/// Through the bastion to an asset, each time on a connection of its own.
pub fn hop(bench: &Workbench) -> Result<Vec<Measured>> {
    let quantities = interleave(
        2,
        vec![
            Contender::new("chain", || {
                several(|| bench.plain(CHAIN, "ssh", &["alice@bastion", "true"]))
            }),
            Contender::new("ours", || {
                several(|| bench.ours("ssh", &["alice@dev@web1@bastion", "true"]))
            }),
        ],
    )?;
    let mut rows = measured("true on an asset", quantities, ["≤ 1.10 ×", "≤ 1.05 ×"]);
    let mut again = interleave(
        2,
        vec![
            Contender::new("direct", || several(|| bench.direct(&["dev@web1", "true"]))),
            Contender::new("ours", || {
                several(|| bench.ours("ssh", &["alice@dev@web1@bastion", "true"]))
            }),
        ],
    )?;
    rows.push(Measured {
        what: "the same again within a minute: wall".to_owned(),
        unit: "ms",
        aim: "≤ 1.10 ×",
        series: again.remove(1),
    });
    Ok(rows)
}
