//! How well a stranger without a registered key can tell names apart by time, as the area under the ROC curve (0.5: not at
//! all, 1: always), over interleaved tries, each a connection of its own by a real `ssh`.
//! `make package && cargo run --release -p tests --example strangers [TRIES]`, as root.
//!
//! A try takes from the moment at which the client may send its first request until the refusal of its key has come: sshd's own
//! look at the name, its delay, and the keys command, where one is run.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tests::strangers::prepare;
use tests::{Lab, say};

/// sshd delays every refusal by a time of its own for each name, so many names stand for a state.
const NAMES: usize = 50;
/// Between two looks at what there is so far.
const EVERY: usize = 200;

/// One try; `None` where the connection did not come to its two refusals.
fn attempt(ssh: &Path, name: &str) -> Option<Duration> {
    let mut child = Command::new(ssh)
        .env("LAB_AS", "mallory")
        .env("SSH_ASKPASS_REQUIRE", "never")
        .args(["-v", "-l", name, "bastion", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    let (mut begun, mut refusals, mut taken) = (None, 0, None);
    for line in BufReader::new(child.stderr.take()?).lines() {
        let line = line.ok()?;
        if line.contains("SSH2_MSG_SERVICE_ACCEPT received") {
            begun = Some(Instant::now());
        } else if line.contains("Authentications that can continue") {
            refusals += 1;
            if refusals == 2 {
                taken = begun.map(|begun: Instant| begun.elapsed());
            }
        }
    }
    child.wait().ok()?;
    taken
}

/// The probability that a try of `one` takes longer than a try of `other`: the area under the curve. 0.5 or above: whoever
/// guesses turns his guess round.
fn area(one: &[Duration], other: &[Duration]) -> f64 {
    let mut all: Vec<(Duration, bool)> = one
        .iter()
        .map(|time| (*time, true))
        .chain(other.iter().map(|time| (*time, false)))
        .collect();
    all.sort_unstable();
    // Nanoseconds are never the same twice, so ranks need no ties.
    let ranks: f64 = all
        .iter()
        .zip(1_u32..)
        .filter(|((_, is_one), _)| *is_one)
        .map(|(_, rank)| f64::from(rank))
        .sum();
    let (ones, others) = (one.len() as f64, other.len() as f64);
    let area = (ranks - ones * (ones + 1.0) / 2.0) / (ones * others);
    area.max(1.0 - area)
}

fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

fn main() {
    let tries: usize = std::env::args()
        .nth(1)
        .and_then(|tries| tries.parse().ok())
        .unwrap_or(2000);
    let lab = Lab::everyday();
    let states = prepare(&lab, NAMES);
    let ssh = lab.folder().programs().join("ssh");
    drop(lab.client_of("mallory"));
    let mut times: Vec<Vec<Duration>> = states.iter().map(|_| Vec::new()).collect();
    let mut order: Vec<usize> = (0..states.len()).collect();
    for round in 0..tries {
        // Each round in another order, so that nobody always comes after the same.
        order.rotate_left(1);
        if round % 2 == 0 {
            order.reverse();
        }
        for &state in &order {
            let name = &states[state].names[round % NAMES];
            times[state].extend(attempt(&ssh, name));
        }
        if (round + 1) % EVERY == 0 || round + 1 == tries {
            let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
            say(format!(
                "Debian {}, {} rounds, load {}",
                lab.release(),
                round + 1,
                load.trim()
            ));
            for (state, taken) in states.iter().zip(&times) {
                println!(
                    "  {:24}  median {:>9.2?}   AUC against known {:.3}, against unknown {:.3}   ({} tries)",
                    state.name,
                    median(taken),
                    area(taken, &times[0]),
                    area(taken, &times[states.len() - 2]),
                    taken.len()
                );
            }
        }
    }
}
