//! What the capture of commands costs a terminal session: throughput, the echo of a key, memory; beside version 0.1.0, whose
//! relay records and captures nothing. `make package && cargo run -p tests --example capture_cost`, as root.

use std::time::{Duration, Instant};

use tests::live::own_memory_of;
use tests::{Lab, Terminal, everyday, package};

const ROUNDS: usize = 7;
const KEYS: usize = 400;
/// Lines as a build prints them.
const MIB: usize = 32;

struct Measured {
    throughput: Vec<f64>,
    echo: Vec<Duration>,
    memory: u64,
}

fn shell(lab: &Lab) -> Terminal {
    let mut shell = lab
        .client()
        .command("ssh", ["-tt", "alice@dev@web1@bastion"])
        .within(Duration::from_secs(600))
        .on_terminal();
    shell.expect("dev@web1");
    shell.expect("$ ");
    shell
}

fn flood(shell: &mut Terminal) -> f64 {
    let begun = Instant::now();
    shell.send_line(&format!(
        "yes \"$(seq -s ' ' 25)\" | head -c {MIB}M; echo 'en'd-of-it"
    ));
    shell.skim("end-of-it");
    let rate = MIB as f64 / begun.elapsed().as_secs_f64();
    shell.expect("$ ");
    rate
}

/// How long each of some keys takes until it is shown.
fn type_keys(shell: &mut Terminal, echo: &mut Vec<Duration>) {
    for number in 0..KEYS {
        let key = if number % 40 == 39 { "\u{15}" } else { "k" };
        let typed = Instant::now();
        shell.send(key);
        if key == "k" {
            shell.expect("k");
            echo.push(typed.elapsed());
        } else {
            shell.drain(Duration::from_millis(50));
        }
    }
    shell.send("\u{15}");
    shell.drain(Duration::from_millis(50));
}

fn relay_memory(lab: &Lab) -> u64 {
    let listed = lab.bastion().run("jmsctl session ls --online --json");
    let sessions = listed.json_lines().unwrap_or_default();
    let relay = sessions.last().and_then(|it| it["relay_pid"].as_i64());
    relay.map_or(0, |relay| own_memory_of(lab.bastion(), relay))
}

fn main() {
    let plain = Lab::builder()
        .package(&package::first_version())
        .start()
        .expect("a lab with version 0.1.0");
    everyday::fill_first_version(&plain).expect("filled");
    let captured = Lab::everyday();
    let guarded = Lab::everyday();
    let rules = "jmsctl filter add guard && jmsctl rule add guard --verdict deny --command forbidden && jmsctl filter attach guard --system-user dev";
    drop(guarded.bastion().run(rules).expect_status(0));

    let labs = [
        ("0.1.0, no capture", &plain),
        ("captured", &captured),
        ("captured, with a rule", &guarded),
    ];
    let mut shells: Vec<Terminal> = labs.iter().map(|(_, lab)| shell(lab)).collect();
    let mut all: Vec<Measured> = labs
        .iter()
        .map(|_| Measured {
            throughput: Vec::new(),
            echo: Vec::new(),
            memory: 0,
        })
        .collect();
    for _ in 0..ROUNDS {
        for (shell, measured) in shells.iter_mut().zip(&mut all) {
            type_keys(shell, &mut measured.echo);
            measured.throughput.push(flood(shell));
        }
    }
    for ((name, lab), measured) in labs.iter().zip(&mut all) {
        measured.memory = relay_memory(lab);
        measured.throughput.sort_by(f64::total_cmp);
        measured.echo.sort();
        let at = |share: usize| measured.echo[(measured.echo.len() - 1) * share / 100];
        println!(
            "{name:<22} {:6.1} MiB/s   key: median {:7.3?}, p99 {:7.3?}   own memory {:5} KiB",
            measured.throughput[ROUNDS / 2],
            at(50),
            at(99),
            measured.memory / 1024,
        );
    }
}
