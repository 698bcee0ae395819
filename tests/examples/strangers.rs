//! How well a stranger without a registered key can tell names apart by time, as the area under the ROC curve (0.5: not at
//! all, 1: always), over interleaved tries, each a connection of its own by a real `ssh`.
//! `make package && cargo run --release -p tests --example strangers [TRIES [KEYS_COMMAND]]`, as root. With
//! another AuthorizedKeysCommand than ours (`/bin/true`, `none`) it shows what sshd itself contributes.
//!
//! Each connection offers five keys, which is what sshd lets a stranger try. A try takes from the refusal of one key to the
//! refusal of the next: the client's signature-free question, sshd's own delay, and the keys command, where one is run.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tests::strangers::{State, prepare};
use tests::{Lab, Release, say};

/// sshd delays every refusal by a time of its own for each name, so many names stand for a state.
const NAMES: usize = 50;
/// Rounds between two looks at what there is so far.
const EVERY: usize = 40;

/// Keys that a connection offers: sshd's MaxAuthTries is 6.
const KEYS: usize = 5;
/// Connections at once.
const CLIENTS: usize = 3;

/// The keys of one connection, as words for ssh.
fn keys(folder: &Path) -> Vec<String> {
    let key = |number: usize| folder.join(format!("stranger-{number}"));
    for number in 1..KEYS {
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(key(number))
            .status();
        assert!(made.is_ok_and(|status| status.success()), "no key");
    }
    (1..KEYS)
        .flat_map(|number| ["-i".to_owned(), key(number).display().to_string()])
        .collect()
}

/// One connection, which gives so many tries as it had keys refused.
fn attempts(ssh: &Path, keys: &[String], name: &str) -> Vec<Duration> {
    let child = Command::new(ssh)
        .env("LAB_AS", "mallory")
        .env("SSH_ASKPASS_REQUIRE", "never")
        .args(["-v", "-o", "KexAlgorithms=curve25519-sha256"])
        .args(keys)
        .args(["-l", name, "bastion", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        panic!("no ssh: {child:?}")
    };
    let (mut last, mut taken) = (None, Vec::new());
    if let Some(said) = child.stderr.take() {
        for line in BufReader::new(said).lines().map_while(Result::ok) {
            if line.contains("Authentications that can continue") {
                taken.extend(last.map(|last: Instant| last.elapsed()));
                last = Some(Instant::now());
            }
        }
    }
    let _ = child.wait();
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
    if let Some(command) = std::env::args().nth(2) {
        instead_of_ours(&lab, &command);
    }
    let ssh = lab.folder().programs().join("ssh");
    drop(lab.client_of("mallory"));
    let keys = keys(lab.folder().path());
    let times = Mutex::new(vec![Vec::<Duration>::new(); states.len()]);
    let begun = AtomicUsize::new(0);
    let connections = tries.div_ceil(KEYS);
    let play = || {
        loop {
            let round = begun.fetch_add(1, Ordering::Relaxed);
            if round >= connections {
                return;
            }
            // Each round in another order, so that nobody always comes after the same.
            let mut order: Vec<usize> = (0..states.len()).collect();
            order.rotate_left(round % states.len());
            if round.is_multiple_of(2) {
                order.reverse();
            }
            for &state in &order {
                let name = &states[state].names[round % NAMES];
                let taken = attempts(&ssh, &keys, name);
                if let Ok(mut times) = times.lock() {
                    times[state].extend(taken);
                }
            }
            if (round + 1).is_multiple_of(EVERY) {
                print(lab.release(), &states, &times);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(play);
        }
    });
    print(lab.release(), &states, &times);
}

/// Another keys command for users of the bastion; sshd takes the first that it reads.
fn instead_of_ours(lab: &Lab, command: &str) {
    lab.bastion().write(
        "/etc/ssh/sshd_config.d/00-a-keys.conf",
        format!("Match Group jms-users,jms-mfa\n\tAuthorizedKeysCommand {command}\n\tAuthorizedKeysCommandUser nobody\nMatch all\n"),
    );
    lab.bastion().reload_sshd();
    say(format!("the keys command is {command}"));
}

fn print(release: Release, states: &[State], times: &Mutex<Vec<Vec<Duration>>>) {
    let Ok(times) = times.lock() else { return };
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    say(format!("{release}, load {}", load.trim()));
    for (state, taken) in states.iter().zip(times.iter()) {
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
