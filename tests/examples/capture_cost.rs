//! What the capture of commands costs a terminal session: throughput, the echo of a key, Enter, memory; beside version 0.1.0,
//! whose relay records and captures nothing. Enter is measured twice: when the line before it has been echoed, as with people,
//! and in one piece with it, as with programs that type. `make package && cargo run -p tests --example capture_cost`, as root.

use std::time::{Duration, Instant};

use tests::live::own_memory_of;
use tests::{Lab, Terminal, everyday, package};

const ROUNDS: usize = 5;
const KEYS: usize = 400;
const LINES: usize = 60;
/// Lines as a build prints them.
const MIB: usize = 32;

#[derive(Default)]
struct Measured {
    throughput: Vec<f64>,
    echo: Vec<Duration>,
    enter: Vec<Duration>,
    burst: Vec<Duration>,
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

/// How long each of some lines takes from Enter until the shell shows its next prompt.
fn type_lines(shell: &mut Terminal, at_once: bool, took: &mut Vec<Duration>) {
    for number in 0..LINES {
        let line = format!(": line-{number}");
        let begun = if at_once {
            let begun = Instant::now();
            shell.send(format!("{line}\r"));
            shell.expect(&line);
            begun
        } else {
            shell.send(&line);
            shell.expect(&line);
            // A person's hand goes to Enter.
            shell.drain(Duration::from_millis(30));
            let begun = Instant::now();
            shell.send("\r");
            begun
        };
        shell.expect("$ ");
        took.push(begun.elapsed());
    }
}

fn at(share: usize, sorted: &mut [Duration]) -> Duration {
    sorted.sort();
    sorted[(sorted.len() - 1) * share / 100]
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
    let mut all: Vec<Measured> = labs.iter().map(|_| Measured::default()).collect();
    for _ in 0..ROUNDS {
        for (shell, measured) in shells.iter_mut().zip(&mut all) {
            type_keys(shell, &mut measured.echo);
            type_lines(shell, false, &mut measured.enter);
            type_lines(shell, true, &mut measured.burst);
            measured.throughput.push(flood(shell));
        }
    }
    for ((name, lab), measured) in labs.iter().zip(&mut all) {
        measured.memory = relay_memory(lab);
        measured.throughput.sort_by(f64::total_cmp);
        println!(
            "{name:<22} {:6.1} MiB/s   own memory {:5} KiB",
            measured.throughput[ROUNDS / 2],
            measured.memory / 1024,
        );
        for (what, took) in [
            ("key", &mut measured.echo),
            ("enter", &mut measured.enter),
            ("line and enter", &mut measured.burst),
        ] {
            println!(
                "    {what:<18} median {:7.3?}   p99 {:7.3?}",
                at(50, took),
                at(99, took)
            );
        }
    }
}
