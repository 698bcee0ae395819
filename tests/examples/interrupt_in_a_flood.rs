//! How long a person waits for the prompt after Ctrl-C in a flood, through the bastion and, beside it, with a plain `ssh`
//! login on the bastion itself. `make package && cargo run -p tests --example interrupt_in_a_flood`, as root.

use std::time::{Duration, Instant};

use tests::live::memory_of;
use tests::{Lab, Terminal};

const ROUNDS: usize = 20;
const CTRL_C: [u8; 1] = [3];

/// Floods, interrupts, and waits for the prompt, again and again.
fn measure(name: &str, mut shell: Terminal, prompt: &str) {
    shell.expect(prompt);
    let mut waited: Vec<(Duration, usize)> = (0..ROUNDS)
        .map(|_| {
            shell.send_line("yes \"$(printf %70s flood)\"");
            shell.drain(Duration::from_millis(1500));
            let typed = Instant::now();
            shell.send(CTRL_C);
            let bytes = shell.skim(prompt);
            (typed.elapsed(), bytes)
        })
        .collect();
    waited.sort();
    let (best, median) = (waited[0], waited[ROUNDS / 2]);
    let worst = waited[ROUNDS - 1];
    println!(
        "{name}: best {:.1?}, median {:.1?} ({} KiB still came), worst {:.1?}",
        best.0,
        median.0,
        median.1 / 1024,
        worst.0
    );
}

fn main() {
    let lab = Lab::everyday();
    let plain = lab.client_of("admin").ssh_on_terminal(["admin@bastion"]);
    measure("a plain login on the bastion", plain, "admin@bastion");
    let through = lab
        .client()
        .command("ssh", ["alice@dev@web1@bastion"])
        .within(Duration::from_secs(300))
        .on_terminal();
    measure("web1 through the bastion   ", through, "dev@web1");

    let mut shell = lab.client().ssh_on_terminal(["alice@dev@web1@bastion"]);
    shell.expect("dev@web1");
    let relay = lab
        .bastion()
        .run("jmsctl session ls --online --columns relay_pid --json")
        .json()
        .ok()
        .and_then(|session| session["relay_pid"].as_i64());
    if let Some(relay) = relay {
        let idle = memory_of(lab.bastion(), relay);
        shell.send_line("yes flood");
        shell.drain(Duration::from_secs(2));
        let flooded = memory_of(lab.bastion(), relay);
        println!(
            "memory of the relay: {} KiB at a prompt, {} KiB in a flood",
            idle / 1024,
            flooded / 1024
        );
    }
}
