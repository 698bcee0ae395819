//! Bulk: output of a terminal, commands without one, files.

use anyhow::Result;

use crate::report::Measured;
use crate::rounds::{Contender, interleave};
use crate::workbench::{ASCIINEMA, CHAIN, Cost, SCRIPT, Workbench};

/// What an asset holds: /srv/log, /srv/big.
const LOG_MIB: f64 = 64.0;
const BIG_MIB: f64 = 256.0;

/// MiB a second, and the bastion's seconds of processor time for 100 MiB.
fn speed(size: f64, cost: Cost) -> Vec<f64> {
    vec![
        size / cost.wall.as_secs_f64(),
        cost.cpu.as_secs_f64() * 100.0 / size,
    ]
}

/// 64 MiB of log lines on a terminal, recorded; beside it the chain, bare and recorded by others.
pub fn terminal(bench: &Workbench) -> Result<Vec<Measured>> {
    let print = "cat /srv/log";
    let reference = |port| {
        move || {
            bench
                .plain(port, "ssh", &["-tt", "alice@bastion", print])
                .map(|cost| speed(LOG_MIB, cost))
        }
    };
    let quantities = interleave(
        2,
        vec![
            Contender::new("chain", reference(CHAIN)),
            Contender::new("script", reference(SCRIPT)),
            Contender::new("asciinema", reference(ASCIINEMA)),
            Contender::new("ours", || {
                bench
                    .ours("ssh", &["-tt", "alice@dev@web1@bastion", print])
                    .map(|cost| speed(LOG_MIB, cost))
            }),
        ],
    )?;
    let names = [
        ("throughput", "MiB/s", "≥ 0.95 × of the chain"),
        ("server CPU", "s/100 MiB", "≤ 1.20 × of the chain"),
    ];
    let rows = names.into_iter().zip(quantities);
    Ok(rows
        .map(|((name, unit, aim), series)| Measured {
            what: format!("64 MiB of log lines on a recorded terminal: {name}"),
            unit,
            aim,
            series,
        })
        .collect())
}

/// A command's output, and a file by scp and sftp.
pub fn without_terminal(bench: &Workbench) -> Result<Vec<Measured>> {
    let mut rows = Vec::new();
    for (what, program, option) in [
        ("the output of a command", "ssh", ""),
        ("scp", "scp", "-q"),
        ("scp -O", "scp", "-qO"),
    ] {
        let play = |ours: bool| {
            let login = if ours {
                "alice@dev@web1@bastion"
            } else {
                "alice@bastion"
            };
            let file = format!("{login}:/srv/big");
            let words = match program {
                "ssh" => vec![login, "cat /srv/big"],
                _ => vec![option, &file, "/dev/null"],
            };
            let cost = if ours {
                bench.ours(program, &words)
            } else {
                bench.plain(CHAIN, program, &words)
            };
            cost.map(|cost| speed(BIG_MIB, cost))
        };
        let mut quantities = interleave(
            2,
            vec![
                Contender::new("chain", || play(false)),
                Contender::new("ours", || play(true)),
            ],
        )?;
        rows.push(Measured {
            what: format!("256 MiB, {what}: throughput"),
            unit: "MiB/s",
            aim: "≥ 0.95 ×",
            series: quantities.remove(0),
        });
    }
    Ok(rows)
}
