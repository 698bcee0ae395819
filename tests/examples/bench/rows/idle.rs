//! What sessions cost that do nothing.

use std::time::Duration;

use anyhow::{Context, Result};
use tests::live::memory_of;
use tests::outcome::eventually;
use tests::{Host, Running};

use crate::report::Measured;
use crate::rounds::Series;
use crate::workbench::Workbench;

/// How many. The limits on sessions of one user and of all are raised for them.
const SESSIONS: usize = 200;
/// Logins that share them: an sshd takes as many sessions on one connection as MaxSessions says.
const QUIET: Duration = Duration::from_secs(30);

/// Terminals at a prompt.
pub fn sessions(bench: &Workbench) -> Result<Vec<Measured>> {
    let bastion = bench.ours.bastion();
    bastion.write(
        "/etc/jms/jms.toml",
        "[session]\nlimit_user = 1000\nlimit_asset = 1000\nlimit_bastion = 1000\n",
    );
    let open: Vec<Running> = (0..SESSIONS)
        .map(|_| {
            let words = ["-tt", "alice@dev@web1@bastion"];
            bench
                .ours
                .client()
                .command("ssh", words)
                .within(Duration::from_secs(600))
                .spawn()
        })
        .collect();
    let relays = eventually("all sessions are there", Duration::from_secs(180), || {
        let listed = bastion
            .run("jmsctl session ls --online --columns relay_pid --limit 1000 --json")
            .json_lines()
            .ok()?;
        let relays: Vec<i64> = listed
            .iter()
            .filter_map(|it| it["relay_pid"].as_i64())
            .collect();
        (relays.len() == SESSIONS).then_some(relays)
    });
    std::thread::sleep(Duration::from_secs(5));
    let memory = relays
        .iter()
        .map(|relay| memory_of(bastion, relay) as f64 / 1024.0 / 1024.0)
        .collect();
    let before = wake_ups(bastion, &relays)?;
    std::thread::sleep(QUIET);
    let after = wake_ups(bastion, &relays)?;
    drop(open);
    let woken = before
        .iter()
        .zip(after)
        .map(|(before, after)| after - before);
    let one = |what: String, unit, aim, values: Vec<f64>| Measured {
        what,
        unit,
        aim,
        series: vec![Series {
            name: "ours",
            values,
        }],
    };
    Ok(vec![
        one(
            format!("memory of an idle session beside sshd and ssh, {SESSIONS} of them (PSS)"),
            "MiB",
            "≤ 2",
            memory,
        ),
        one(
            "wake-ups of an idle session in 30 s".to_owned(),
            "",
            "0",
            woken.collect(),
        ),
    ])
}

/// How often each process was woken so far.
fn wake_ups(host: &Host, relays: &[i64]) -> Result<Vec<f64>> {
    let count = |relay: &i64| -> Result<f64> {
        let status = host.read_text(format!("/proc/{relay}/status"));
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        Ok(line.context("no count of switches")?.trim().parse()?)
    };
    relays.iter().map(count).collect()
}
