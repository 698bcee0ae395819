//! Through the bastion to an asset: the first time, and again within a minute.

use anyhow::Result;

use super::Row;
use super::logins::{cpu_and_wall, several};
use crate::references::CHAIN;
use crate::report::{Aim, Measured};
use crate::rounds::{Contender, OURS, interleave};
use crate::workbench::{LITTLE, Needs, PLAIN_WAY, WAY, Workbench};

const fn needs(warm: u32) -> Needs {
    Needs {
        references: &[CHAIN],
        warm: Some(warm),
        ..LITTLE
    }
}
const DIRECT: &str = "direct";

/// Each time on a connection of its own.
pub const FIRST: Row = Row {
    name: "hop",
    about: "`true` on an asset, the first time",
    needs: needs(0),
    play: first,
};

/// While the connection to the asset may still stand.
pub const AGAIN: Row = Row {
    name: "again",
    about: "`true` on an asset, the second time within a minute",
    needs: needs(60),
    play: again,
};

fn first(bench: &Workbench) -> Result<Vec<Measured>> {
    let contenders = vec![
        Contender::with_warm_up(CHAIN.name(), |round| {
            several(round, || bench.plain(CHAIN, "ssh", &[PLAIN_WAY, "true"]))
        }),
        Contender::with_warm_up(OURS, |round| {
            several(round, || bench.ours("ssh", &[WAY, "true"]))
        }),
    ];
    let quantities = interleave(bench.options.rounds, 2, contenders)?;
    let aims = [
        Aim::AtMostTimes(1.10, CHAIN.name()),
        Aim::AtMostTimes(1.05, CHAIN.name()),
    ];
    Ok(cpu_and_wall(
        "`true` on an asset, the first time",
        quantities,
        aims,
    ))
}

fn again(bench: &Workbench) -> Result<Vec<Measured>> {
    let contenders = vec![
        Contender::with_warm_up(DIRECT, |round| {
            several(round, || bench.direct(&["dev@web1", "true"]))
        }),
        Contender::with_warm_up(CHAIN.name(), |round| {
            several(round, || bench.plain(CHAIN, "ssh", &[PLAIN_WAY, "true"]))
        }),
        Contender::with_warm_up(OURS, |round| {
            several(round, || bench.ours("ssh", &[WAY, "true"]))
        }),
    ];
    let mut quantities = interleave(bench.options.rounds, 2, contenders)?;
    Ok(vec![Measured {
        what: "`true` on an asset, the second time within a minute: wall".to_owned(),
        unit: "ms",
        aim: Aim::AtMostTimes(1.10, DIRECT),
        series: quantities.remove(1),
    }])
}
