//! Addresses where no ssh server answers as it should: each its own sentence, exit status 255, a reason in the event,
//! and never a hang.

use std::sync::OnceLock;
use std::time::Duration;

use tests::second_sshd::{jmsctl, second_sshd};
use tests::{Lab, eventually};

/// Accepts connections on port 3000 and up; what comes then is the port's own.
const STRANGE_SERVER: &str = r"
import os, socket, threading, time
BANNER = b'SSH-2.0-OpenSSH_9.2p1\r\n'
NOISE = bytes([250, 251, 252, 253]) * 2000
MEGABYTE = os.urandom(1024 * 1024)
# A packet of eight bytes whose message no peer may send before keys are exchanged, again and again (RFC 4253, section 6).
NONSENSE = (bytes([0, 0, 0, 12, 6, 99, 1, 2, 3, 4]) + bytes(6)) * 65536
def close(c): c.close()
def mute(c): time.sleep(600)
def stall(c): c.sendall(BANNER); time.sleep(600)
def web(c): c.recv(9999); c.sendall(b'HTTP/1.1 400 Bad Request\r\n\r\n' + b'<p>\r\n' * 2000); time.sleep(5); c.close()
def noise(c): c.sendall(BANNER + NOISE); time.sleep(5); c.close()
def binary(c): c.sendall(bytes(range(256)) * 64); time.sleep(5); c.close()
def flood(c):
    while True: c.sendall(b'x' * 4096)
def endless(c):
    while True: c.sendall(b'Welcome to the machine\r\n' * 100)
def dripping(c):
    while True: c.sendall(b'one moment\r\n'); time.sleep(0.1)
def megabyte(c): c.sendall(MEGABYTE); time.sleep(5); c.close()
def late_megabyte(c): c.sendall(BANNER + MEGABYTE); time.sleep(5); c.close()
def nonsense(c): c.sendall(BANNER + NONSENSE); time.sleep(5); c.close()
def half(c): c.sendall(BANNER); c.recv(100); c.close()
ACTS = [close, mute, stall, web, noise, binary, flood, endless, dripping, megabyte, late_megabyte, nonsense, half]
def serve(port, act):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(('0.0.0.0', port)); s.listen(50)
    while True:
        c, _ = s.accept()
        def run(c=c):
            try: act(c)
            except OSError: pass
        threading.Thread(target=run, daemon=True).start()
for port, act in enumerate(ACTS, 3000):
    threading.Thread(target=serve, args=(port, act), daemon=True).start()
open('/tmp/strange', 'w').close()
time.sleep(100000)
";

fn lab() -> &'static Lab {
    static LAB: OnceLock<Lab> = OnceLock::new();
    LAB.get_or_init(|| {
        let lab = Lab::everyday().without_kept_connections();
        lab.bastion()
            .write("/etc/jms/jms.toml", "[egress]\nwarm_seconds = 0\n[session]\nconnect_timeout = 4\n");
        let web1 = lab.web1();
        web1.write("/tmp/strange.py", STRANGE_SERVER);
        web1.run("setsid python3 /tmp/strange.py >/dev/null 2>&1 & while [ ! -e /tmp/strange ]; do sleep 0.01; done")
            .expect_status(0);
        lab
    })
}

/// An asset of this name at web1's address, granted to alice as dev.
fn asset(name: &str, address: &str, port: u16) {
    let host_key = lab().web1().read_text("/etc/ssh/ssh_host_ed25519_key.pub");
    let jmsctl = |line: &str, input: &str| jmsctl(lab().bastion(), line, input).expect_status(0);
    jmsctl(
        &format!("asset add {name} --address {address} --port {port}"),
        "",
    );
    jmsctl(&format!("host-key add {name} -"), &host_key);
    let grant =
        format!("grant add {name} --user alice --asset {name} --system-user dev --rights exec");
    jmsctl(&grant, "");
}

/// What is said, and why in the event.
fn says(name: &str, sentence: &str, reason: &str) {
    says_one_of(name, &[(sentence, reason)]);
}

/// The same, where it depends on the bastion's release of OpenSSH.
fn says_one_of(name: &str, answers: &[(&str, &str)]) {
    let started = std::time::Instant::now();
    let said = lab()
        .client()
        .ssh([&format!("alice@dev@{name}@bastion"), "id"])
        .expect_status(255)
        .expect_stdout("")
        .error_text();
    let answer = |(sentence, _): &&(&str, &str)| said == format!("jms: dev@{name}: {sentence}\n");
    let (_, reason) = answers.iter().find(answer).expect(&said);
    // Twice the time limit for connection and login, and a busy machine's own.
    assert!(
        started.elapsed() < Duration::from_secs(60),
        "{:?}",
        started.elapsed()
    );
    // The event is in the store, and syslog has it.
    let events = jmsctl(
        lab().bastion(),
        "event ls --json --type session.close --limit 0",
        "",
    )
    .json_lines()
    .expect("events");
    let event = events.iter().find(|event| event["asset"] == name);
    let event = event.expect("an event of this asset");
    assert_eq!(event["reason"], *reason, "{event:?}");
    let told = || {
        let log = lab().bastion().auth_log();
        let closed = |line: &&str| {
            line.contains("type=\"session.close\"")
                && line.contains(&format!("asset=\"{name}\""))
                && line.contains(&format!("reason=\"{reason}\""))
        };
        log.lines().find(closed).map(str::to_owned)
    };
    let what = format!("{reason} in the event");
    eventually(&what, Duration::from_secs(20), told);
}

fn strange(name: &str, number: u16, sentence: &str, reason: &str) {
    asset(name, &lab().address("web1").to_string(), 3000 + number);
    says(name, sentence, reason);
}

#[test]
fn an_address_that_does_not_answer() {
    // What is sent there goes to a machine that is not.
    lab()
        .bastion()
        .run("ip neigh replace 198.51.100.251 lladdr 02:00:00:00:00:99 dev eth1")
        .expect_status(0);
    asset("dropped", "198.51.100.251", 22);
    says("dropped", "it does not answer", "silent");
}

#[test]
fn an_address_that_nobody_has() {
    asset("nobody", "198.51.100.250", 22);
    says(
        "nobody",
        "it cannot be reached from the bastion (no route, or a firewall)",
        "unreachable",
    );
}

#[test]
fn a_name_that_nobody_has() {
    asset("nameless", "no-such-machine.invalid", 22);
    let outcome = lab().client().ssh(["alice@dev@nameless@bastion", "id"]);
    let said = outcome.expect_status(255).error_text();
    // A lab host has no name server: both are true of it.
    let sentences = [
        "jms: dev@nameless: its address is a name that cannot be resolved; tell your administrator\n",
        "jms: dev@nameless: its address is a name, and the bastion's name service does not answer; tell your administrator\n",
    ];
    assert!(sentences.contains(&said.as_str()), "{said}");
}

#[test]
fn a_port_that_refuses() {
    strange(
        "refusing",
        900,
        "it refuses connections on its port; is its ssh server running?",
        "port-closed",
    );
}

#[test]
fn a_server_that_closes_at_once() {
    strange(
        "closing",
        0,
        "it closed the connection before the login",
        "hung-up",
    );
}

#[test]
fn a_server_that_never_says_a_word() {
    strange(
        "mute",
        1,
        "it lets us connect and then says nothing; is that its ssh server?",
        "mute",
    );
}

#[test]
fn a_server_that_hangs_after_its_banner() {
    strange(
        "stalling",
        2,
        "it began to answer and then stopped, before the login",
        "stalled",
    );
}

#[test]
fn a_server_that_closes_after_its_banner() {
    strange(
        "half",
        12,
        "it closed the connection before the login",
        "hung-up",
    );
}

#[test]
fn a_server_that_says_one_line_after_the_other_and_never_its_version() {
    asset("dripping", &lab().address("web1").to_string(), 3008);
    // OpenSSH 9 waits for the whole of the banner so long, OpenSSH 10 for each line of it.
    says_one_of(
        "dripping",
        &[
            (
                "it lets us connect and then says nothing; is that its ssh server?",
                "mute",
            ),
            (
                "it began to answer and then stopped, before the login",
                "stalled",
            ),
        ],
    );
}

const NOT_SSH: &str = "what answers there does not speak ssh as it should; tell your administrator (is the port right?)";

#[test]
fn servers_that_speak_something_else() {
    for (name, number) in [("web", 3), ("noise", 4), ("binary", 5)] {
        strange(name, number, NOT_SSH, "not-ssh");
    }
}

#[test]
fn a_line_without_an_end_and_a_banner_without_an_end() {
    for (name, number) in [("flood", 6), ("endless", 7)] {
        strange(name, number, NOT_SSH, "not-ssh");
    }
}

#[test]
fn a_megabyte_of_garbage_before_the_banner_and_behind_it() {
    for (name, number) in [("megabyte", 9), ("late", 10), ("nonsense", 11)] {
        strange(name, number, NOT_SSH, "not-ssh");
    }
}

#[test]
fn a_server_with_another_host_key() {
    let address = lab().address("web1").to_string();
    asset("changed", &address, 2210);
    second_sshd(lab().web1(), 2210, "");
    says(
        "changed",
        "its host key is not the one that is stored; nothing was sent. Tell your administrator: jmsctl host-key scan shows the new key",
        "host-key-changed",
    );
}
