//! What checking a password takes inside a real sshd's login: memory and processor time of the helper, how long the client waits
//! alone and beside fifteen others, and the limits that sshd's child hands down.
//! `make package && cargo run -p tests --example password_cost`, as root; `LAB_RELEASE=13` for Debian 13.

use std::thread;
use std::time::{Duration, Instant};

use tests::{Lab, Terminal, eventually, say};

/// Memory in KiB, passes.
const COSTS: [(u32, u32); 3] = [(19_456, 2), (65_536, 2), (131_072, 4)];
const LONG: Duration = Duration::from_secs(30);
/// Clients at once.
const MANY: usize = 16;

fn prompt(lab: &Lab) -> Terminal {
    let mut client = lab.client().ssh_on_terminal([
        "-o",
        "PubkeyAuthentication=no",
        "-o",
        "NumberOfPasswordPrompts=1",
        "alice@bastion",
        "whoami",
    ]);
    client.expect("Password: ");
    client
}

/// From the answer to the client's end.
fn answered(mut client: Terminal) -> Duration {
    client.send_line("a wrong password");
    let begun = Instant::now();
    drop(client.wait());
    begun.elapsed()
}

/// Hashed as the settings say now.
fn give(lab: &Lab) {
    lab.bastion()
        .command([
            "jmsctl",
            "user",
            "password-reset",
            "alice",
            "--password",
            "-",
        ])
        .input("initial password\n")
        .run()
        .expect_status(0);
}

fn helper(lab: &Lab) -> u32 {
    eventually("the helper waits", LONG, || {
        let processes = lab.bastion().processes().ok()?;
        processes
            .iter()
            .find(|process| process.program.ends_with("jms-pam-helper"))
            .map(|process| process.pid)
    })
}

fn measure(lab: &Lab, memory: u32, passes: u32) {
    lab.bastion()
        .run(format!(
            "sed -i 's/^#*memory = .*/memory = {memory}/; s/^#*passes = .*/passes = {passes}/; s/^#*history = .*/history = 0/' /etc/jms/jms.toml
             jmsctl config check"
        ))
        .expect_status(0);
    give(lab);
    let mut client = prompt(lab);
    let pid = helper(lab);
    let look = format!("grep VmHWM /proc/{pid}/status; cut -d' ' -f3,14,15 /proc/{pid}/stat");
    let before = lab.bastion().run(&look).text();
    client.send_line("a wrong password");
    // A refusal is answered at a full half second: until then the helper has hashed, and sleeps.
    let after = eventually("it has hashed", LONG, || {
        let said = lab.bastion().run(&look);
        let peak = |text: &str| -> Option<u32> { text.split_whitespace().nth(1)?.parse().ok() };
        let has_memory = peak(&said.text())? > peak(&before)?.saturating_add(memory * 9 / 10);
        (has_memory && said.text().contains("\nS ")).then(|| said.text())
    });
    drop(client.wait());
    let alone = answered(prompt(lab));
    let clients: Vec<Terminal> = (0..MANY).map(|_| prompt(lab)).collect();
    let waits: Vec<_> = clients
        .into_iter()
        .map(|client| thread::spawn(move || answered(client)))
        .collect();
    let slowest = waits
        .into_iter()
        .filter_map(|wait| wait.join().ok())
        .max()
        .unwrap_or_default();
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    say(format!(
        "memory {memory} KiB, passes {passes}: before {}; while hashing {} (state, user and system time in 1/100 s); answered after {alone:.1?} alone, {slowest:.1?} the slowest of {MANY}",
        words(&before),
        words(&after),
    ));
}

fn main() {
    let lab = Lab::everyday();
    let bastion = lab.bastion();
    bastion
        .run(
            "sed -i '/^\\[password\\]/,/^\\[/s/^#enabled = false/enabled = true/; s/^#\\(user_\\|source_\\|\\)failures = .*/\\1failures = 0/' /etc/jms/jms.toml
             install -m 0644 /usr/share/jms/passwords.conf /etc/ssh/sshd_config.d/00-0-jms-passwords.conf
             echo 'MaxStartups 200' >> /etc/ssh/sshd_config.d/50-lab.conf",
        )
        .expect_status(0);
    bastion.reload_sshd();
    give(&lab);
    let client = prompt(&lab);
    let pid = helper(&lab);
    say(bastion
        .run(format!(
            "echo the helper; cat /proc/{pid}/limits; echo sshd\\'s child; cat /proc/$(awk '/^PPid/ {{ print $2 }}' /proc/{pid}/status)/limits; sshd=$(command -v sshd); $sshd -T | grep -i logingracetime"
        ))
        .text());
    drop(client);
    for (memory, passes) in COSTS {
        measure(&lab, memory, passes);
    }
}
