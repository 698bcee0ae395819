//! What sessions cost that do nothing.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use tests::live::memory_of;
use tests::outcome::eventually;
use tests::{Host, Running};

use super::Row;
use crate::report::{Aim, Measured};
use crate::rounds::{OURS, Series};
use crate::workbench::{LITTLE, WAY, Workbench};

/// How long they are watched.
const QUIET: Duration = Duration::from_secs(30);
/// How many logins are begun at once.
const AT_ONCE: usize = 8;
/// What a session has without ours as well.
const NOT_OURS: [&str; 4] = ["sshd", "sshd-session", "sshd-auth", "ssh"];

/// Kept connections have a process of their own, which is no session's.
const LIMITS: &str =
    "[egress]\nwarm_seconds = 0\n[session]\nlimit_user = 0\nlimit_asset = 0\nlimit_bastion = 0\n";

/// Terminals at a prompt.
pub const SESSIONS: Row = Row {
    name: "idle",
    about: "200 sessions that do nothing: memory, processes, wake-ups",
    needs: LITTLE,
    play: sessions,
};

fn sessions(bench: &Workbench) -> Result<Vec<Measured>> {
    let count = bench.options.sessions;
    let bastion = bench.ours.bastion();
    bench.tell("ours, `/etc/jms/jms.toml` with idle sessions", LIMITS);
    bastion.write("/etc/jms/jms.toml", LIMITS);
    let before: Vec<u32> = ours(bastion)?;
    let mut open: Vec<Running> = Vec::new();
    for number in 1..=count {
        let client = bench.ours_client("ssh", &["-tt", WAY]);
        open.push(client.within(Duration::from_secs(900)).spawn());
        // As many as begin at once on a real bastion; more would only wait for each other.
        if number % AT_ONCE == 0 || number == count {
            eventually("the sessions are there", Duration::from_secs(60), || {
                let sockets = bastion.run("ls /run/jms/sessions | wc -l").line_of_output();
                sockets.parse::<usize>().is_ok_and(|there| there >= number)
            });
        }
    }
    let listed = bastion
        .run("jmsctl session ls --online --limit 0 --json")
        .json_lines()?;
    if listed.len() != count {
        bail!("{} sessions of {count} are there", listed.len());
    }
    std::thread::sleep(Duration::from_secs(5));
    let processes: Vec<u32> = ours(bastion)?
        .into_iter()
        .filter(|pid| !before.contains(pid))
        .collect();
    let memory = processes
        .iter()
        .map(|pid| memory_of(bastion, pid) as f64 / 1024.0 / 1024.0);
    let memory = memory.sum::<f64>() / count as f64;
    let earlier = woken(bastion, &processes)?;
    std::thread::sleep(QUIET);
    let later = woken(bastion, &processes)?;
    drop(open);
    let one = |what: String, unit, most, value| Measured {
        what,
        unit,
        aim: Aim::AtMost(most),
        series: vec![Series {
            name: OURS,
            values: vec![value],
        }],
    };
    let beside = format!("of an idle session beside sshd's and ssh's, {count} of them");
    Ok(vec![
        one(format!("memory {beside} (PSS)"), "MiB", 2.0, memory),
        one(
            format!("processes {beside}"),
            "",
            1.0,
            processes.len() as f64 / count as f64,
        ),
        one(
            format!("wake-ups of all {count} in {} s", QUIET.as_secs()),
            "",
            0.0,
            later - earlier,
        ),
    ])
}

/// Every process that a bastion has beyond what it would have without ours.
fn ours(host: &Host) -> Result<Vec<u32>> {
    let of_ours = |program: &std::path::Path| {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        !NOT_OURS.contains(&&*name)
    };
    Ok(host
        .processes()?
        .into_iter()
        .filter(|process| of_ours(&process.program))
        .map(|process| process.pid)
        .collect())
}

/// How often the threads of these processes have gone to sleep so far, and so been woken.
fn woken(host: &Host, processes: &[u32]) -> Result<f64> {
    let list: String = processes
        .iter()
        .map(|pid| format!("/proc/{pid}/task\n"))
        .collect();
    let script = "while read -r tasks; do cat $tasks/*/status; done | awk '/^voluntary_ctxt_switches/ { sum += $2 } END { print sum + 0 }'";
    let outcome = host.command(["bash", "-c", script]).input(list).run();
    outcome
        .success()?
        .line_of_output()
        .parse()
        .context("no count of switches")
}
