//! Logins: one after the other, and many at once.

use std::thread;
use std::time::Instant;

use anyhow::{Result, anyhow};

use super::Row;
use crate::references::Reference;
use crate::report::{Aim, Measured};
use crate::rounds::{Contender, OURS, Round, Series, interleave};
use crate::workbench::{Cost, LITTLE, Needs, PLAIN_WAY, Workbench};

/// Logins in one round; more than one, because one is short.
const IN_A_ROUND: u32 = 5;
/// Clients at once.
const CLIENTS: usize = 32;
/// Logins of each of them in one round.
const OF_EACH: usize = 3;
const NOTHING: &str = Reference::Nothing.name();
/// Our program starts, says its version, and ends.
const OURS_ARGUMENTS: [&str; 2] = [PLAIN_WAY, "version"];

const NEEDS: Needs = Needs {
    references: &[Reference::Nothing],
    ..LITTLE
};

/// To the start of our program.
pub const ONE: Row = Row {
    name: "login",
    about: "a whole login, to the start of our program",
    needs: NEEDS,
    play: one,
};

/// Thirty-two clients at once.
pub const MANY: Row = Row {
    name: "many",
    about: "logins a second with 32 clients at once",
    needs: NEEDS,
    play: many,
};

/// The mean of several, in milliseconds: processor time, wall.
pub(super) fn several(round: Round, play: impl Fn() -> Result<Cost>) -> Result<Vec<f64>> {
    let count = if round == Round::WarmUp {
        1
    } else {
        IN_A_ROUND
    };
    let (mut cpu, mut wall) = (0.0, 0.0);
    for _ in 0..count {
        let cost = play()?;
        cpu += cost.cpu.as_secs_f64();
        wall += cost.wall.as_secs_f64();
    }
    let each = 1e3 / f64::from(count);
    Ok(vec![cpu * each, wall * each])
}

/// The two quantities that `several` gives.
pub(super) fn cpu_and_wall(
    what: &str,
    quantities: Vec<Vec<Series>>,
    aims: [Aim; 2],
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

fn one(bench: &Workbench) -> Result<Vec<Measured>> {
    let contenders = vec![
        Contender::with_warm_up(NOTHING, |round| {
            several(round, || {
                bench.plain(Reference::Nothing, "ssh", &OURS_ARGUMENTS)
            })
        }),
        Contender::with_warm_up(OURS, |round| {
            several(round, || bench.ours("ssh", &OURS_ARGUMENTS))
        }),
    ];
    let quantities = interleave(bench.options.rounds, 2, contenders)?;
    let aims = [
        Aim::AtMostTimes(1.10, NOTHING),
        Aim::AtMostTimes(1.05, NOTHING),
    ];
    Ok(cpu_and_wall("a login", quantities, aims))
}

fn many(bench: &Workbench) -> Result<Vec<Measured>> {
    let contenders = vec![
        Contender::new(NOTHING, || {
            rate(&|| {
                bench
                    .plain_client(Reference::Nothing, "ssh", &OURS_ARGUMENTS)
                    .run()
                    .success()
                    .map(drop)
            })
        }),
        Contender::new(OURS, || {
            rate(&|| {
                bench
                    .ours_client("ssh", &OURS_ARGUMENTS)
                    .run()
                    .success()
                    .map(drop)
            })
        }),
    ];
    let mut quantities = interleave(bench.options.rounds, 1, contenders)?;
    Ok(vec![Measured {
        what: format!("logins with {CLIENTS} clients at once, none failed"),
        unit: "a second",
        aim: Aim::AtLeastTimes(0.95, NOTHING),
        series: quantities.remove(0),
    }])
}

/// Logins a second; one that fails is an error.
fn rate(login: &(dyn Fn() -> Result<()> + Sync)) -> Result<Vec<f64>> {
    let begun = Instant::now();
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| scope.spawn(|| (0..OF_EACH).try_for_each(|_| login())))
            .collect();
        clients
            .into_iter()
            .try_for_each(|client| client.join().map_err(|_| anyhow!("a client panicked"))?)
    })?;
    Ok(vec![
        (OF_EACH * CLIENTS) as f64 / begun.elapsed().as_secs_f64(),
    ])
}
