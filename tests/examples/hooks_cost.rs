//! What shell hooks cost: from Enter behind a line that was typed to the first output of its command, with and without them, in
//! turn. `make package && cargo run -p tests --example hooks_cost`, as root.

use std::time::{Duration, Instant};

use tests::{Lab, Terminal, everyday};

const ROUNDS: usize = 4;
const LINES: usize = 50;
const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

fn shell(lab: &Lab) -> Terminal {
    let mut shell = lab
        .client()
        .command("ssh", ["-tt", "alice@dev@web1@bastion"])
        .within(Duration::from_secs(600))
        .on_terminal();
    shell.expect("ready-to-type");
    shell.drain(Duration::from_millis(1500));
    shell
}

fn lines(shell: &mut Terminal, took: &mut Vec<Duration>) {
    for number in 0..LINES {
        shell.send(format!("echo 'qu'ince-{number}-"));
        shell.drain(Duration::from_millis(60));
        let accepted = Instant::now();
        shell.send("\r");
        shell.expect(&format!("quince-{number}-"));
        took.push(accepted.elapsed());
        shell.drain(Duration::from_millis(150));
    }
}

fn main() {
    let lab = Lab::builder().assets(["web1"]).start().expect("a lab");
    everyday::fill(&lab).expect("an everyday lab");
    let ready = "cd /home/dev
        echo 'echo ready-to-type' >.bash_profile
        echo 'echo ready-to-type' >.zshrc
        mkdir -p .config/fish; echo 'echo ready-to-type' >.config/fish/config.fish
        chown -R dev: .";
    lab.web1().run(ready).expect_status(0);
    println!(
        "shell  hooks  median ms  p99 ms  ({} lines each)",
        ROUNDS * LINES
    );
    for name in SHELLS {
        let change = format!("usermod --shell /usr/bin/{name} dev");
        lab.web1().run(change).expect_status(0);
        let mut took = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (hooks, took) in ["no", "yes"].iter().zip(&mut took) {
                let change = format!("jmsctl system-user set dev --shell-hooks {hooks}");
                lab.bastion().run(change).expect_status(0);
                let mut shell = shell(&lab);
                lines(&mut shell, took);
                shell.hang_up();
            }
        }
        for (hooks, mut took) in ["no", "yes"].iter().zip(took) {
            took.sort();
            let at = |share: usize| {
                let place = (took.len() * share / 100).min(took.len().saturating_sub(1));
                took.get(place).map_or(0.0, |time| time.as_secs_f64() * 1e3)
            };
            println!("{name:6} {hooks:6} {:9.1} {:7.1}", at(50), at(99));
        }
    }
}
