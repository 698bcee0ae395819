//! Assets behind gateways, several deep.

use std::sync::OnceLock;
use std::time::Duration;

use tests::boot::authorize;
use tests::second_sshd::{jmsctl, second_log, second_sshd};
use tests::{Lab, Outcome, eventually};

/// Behind web2, which is behind web1; reachable from web2's own loopback and from nowhere else.
const INNER: &str = "alice@dev@inner@bastion";
const PORT: u16 = 2222;

fn lab() -> &'static Lab {
    static LAB: OnceLock<Lab> = OnceLock::new();
    LAB.get_or_init(behind_two_gateways)
}

fn on_bastion(lab: &Lab, line: &str) -> Outcome {
    jmsctl(lab.bastion(), line, "")
}

/// web1 leads to web2, and web2 to `inner`; both are passed as `jump`, who may only lead further there.
fn behind_two_gateways() -> Lab {
    let lab = Lab::everyday();
    on_bastion(&lab, "system-user add jump --generate ed25519").expect_status(0);
    let jump = on_bastion(&lab, "system-user show jump --json").json();
    let key = jump.expect("an object")["public_key"].clone();
    let key = format!("restrict,port-forwarding {}", key.as_str().expect("a key"));
    for host in [lab.web1(), lab.web2()] {
        host.run("useradd --create-home --shell /usr/sbin/nologin jump")
            .expect_status(0);
        authorize(host, "jump", &key).expect("jump is let in");
    }
    let host_key = second_sshd(lab.web2(), PORT, "ListenAddress 127.0.0.1");
    on_bastion(&lab, "asset set web1 --gateway-system-user jump").expect_status(0);
    on_bastion(
        &lab,
        "asset set web2 --gateway web1 --gateway-system-user jump",
    )
    .expect_status(0);
    on_bastion(
        &lab,
        &format!("asset add inner --address 127.0.0.1 --port {PORT} --gateway web2"),
    )
    .expect_status(0);
    jmsctl(
        lab.bastion(),
        "host-key add inner -",
        &format!("{host_key}\n"),
    )
    .expect_status(0);
    on_bastion(
        &lab,
        "grant add inner --user alice --asset inner --system-user dev --rights shell,exec,upload,download",
    )
    .expect_status(0);
    lab
}

#[test]
fn an_asset_behind_two_gateways_is_reached_through_both_and_by_its_own_host_key() {
    let bytes: Vec<u8> = (0..1_000_000_u32).map(|n| n.to_le_bytes()[1]).collect();
    lab()
        .client()
        .command("ssh", [INNER, "cat; id -un; echo $SSH_CONNECTION; exit 5"])
        .input(bytes.clone())
        .run()
        .expect_status(5)
        .expect_stderr("");
    let seen = lab()
        .client()
        .ssh([INNER, "id -un; echo $SSH_CONNECTION"])
        .expect_status(0)
        .text();
    assert!(seen.starts_with("dev\n127.0.0.1 "), "{seen}");
    let (web1, web2) = (lab().web1().auth_log(), lab().web2().auth_log());
    let bastion = lab().bastion_inside_address();
    assert!(
        web1.contains(&format!("Accepted publickey for jump from {bastion}")),
        "{web1}"
    );
    let from_web1 = format!("Accepted publickey for jump from {}", lab().address("web1"));
    assert!(web2.contains(&from_web1), "{web2}");
    let inner = second_log(lab().web2(), PORT);
    assert!(
        inner.contains("Accepted publickey for dev from 127.0.0.1"),
        "{inner}"
    );
}

#[test]
fn a_shell_and_a_file_go_the_same_way_and_nothing_of_it_stays() {
    let mut shell = lab().client().ssh_on_terminal(["-t", INNER]);
    shell.expect("dev@web2");
    shell.resize(77, 21);
    shell.send_line("sleep 0.2; stty size");
    shell.expect("21 77");
    let clients = || {
        let processes = lab().bastion().processes().expect("processes");
        let clients = processes.iter().filter(|one| one.program.ends_with("ssh"));
        clients.count()
    };
    assert!(clients() >= 3, "a client for each machine on the way");
    shell.send_line("exit 3");
    shell.wait().expect_status(3);
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "through the gateways\n").expect("written");
    let from = file.path().to_str().expect("a path");
    lab()
        .client()
        .command("scp", [from, &format!("{INNER}:/tmp/through")])
        .run()
        .expect_status(0);
    assert_eq!(
        lab().web2().read_text("/tmp/through"),
        "through the gateways\n"
    );
}

#[test]
fn a_gateway_needs_no_grant_and_gives_none() {
    let outcome = lab().client().ssh(["alice@jump@web1@bastion", "id"]);
    outcome
        .expect_status(126)
        .expect_stderr("jms: jump@web1 is not granted; `ls` lists what you may reach\n");
    let listed = lab().client().ssh(["alice@bastion", "ls"]).text();
    assert!(
        !listed.contains("jump") && listed.contains("dev@inner"),
        "{listed}"
    );
}

#[test]
fn a_circle_is_refused_when_it_is_written_and_when_it_is_found() {
    let lab = behind_two_gateways();
    on_bastion(&lab, "asset set web1 --gateway web2")
        .expect_status(2)
        .expect_stderr_contains("web1 would be reached through itself");
    on_bastion(&lab, "asset set web1 --gateway web1").expect_status(2);
    on_bastion(&lab, "asset set web2 --gateway-system-user none")
        .expect_status(2)
        .expect_stderr_contains("web2 is the gateway of inner");
    // An older program, or a hand on the file.
    let circle = "import sqlite3; c = sqlite3.connect('/var/lib/jms/jms.db'); \
         c.execute(\"UPDATE asset SET gateway_id = (SELECT id FROM asset WHERE name = 'web2') WHERE name = 'web1'\"); c.commit()";
    lab.bastion()
        .command(["runuser", "-u", "jms", "--", "python3", "-c", circle])
        .run()
        .expect_status(0);
    lab.client()
        .ssh([INNER, "id"])
        .expect_status(255)
        .expect_stderr_contains("the way leads through")
        .expect_stderr_contains("twice");
}

#[test]
fn what_is_wrong_with_a_gateway_is_said_of_the_gateway() {
    let lab = behind_two_gateways();
    let says = |sentence: &str| {
        let expected = format!("jms: dev@inner: {sentence}\n");
        lab.client()
            .ssh([INNER, "id"])
            .expect_status(255)
            .expect_stderr(expected);
    };

    lab.web2()
        .run("kill $(cat /etc/ssh/second-2222/pid)")
        .expect_status(0);
    says("it refuses connections on its port; is its ssh server running?");
    second_sshd(lab.web2(), PORT, "ListenAddress 127.0.0.1");

    lab.web2()
        .run("mv /home/jump/.ssh /home/jump/ssh")
        .expect_status(0);
    says(
        "its gateway web2: it refuses the login of this account; tell your administrator (is its key there?)",
    );
    lab.web2()
        .run("mv /home/jump/ssh /home/jump/.ssh")
        .expect_status(0);

    lab.web2()
        .run("echo 'AllowTcpForwarding no' > /etc/ssh/sshd_config.d/10-closed.conf")
        .expect_status(0);
    lab.web2().reload_sshd();
    says(
        "its gateway web2: it lets us in and does not lead further (AllowTcpForwarding); tell your administrator",
    );
    lab.web2()
        .run("rm /etc/ssh/sshd_config.d/10-closed.conf")
        .expect_status(0);
    lab.web2().reload_sshd();

    // Another machine at the gateway's address: what is behind it never hears of us.
    let before = second_log(lab.web2(), PORT);
    lab.web1()
        .run("cd /etc/ssh && mkdir old && mv ssh_host_* old && ssh-keygen -q -t ed25519 -N '' -f ssh_host_ed25519_key")
        .expect_status(0);
    lab.web1().reload_sshd();
    says(
        "its gateway web1: its host key is not the one that is stored; nothing was sent. Tell your administrator: jmsctl host-key scan shows the new key",
    );
    assert_eq!(second_log(lab.web2(), PORT), before);
    let closed = lab.bastion().auth_log();
    assert!(closed.contains("reason=\"host-key-changed\""), "{closed}");

    on_bastion(&lab, "asset set web1 --active no").expect_status(0);
    says("the gateway web1 is not active; tell your administrator");
}

#[test]
fn a_gateway_that_is_switched_off_ends_the_sessions_that_lead_through_it() {
    let lab = behind_two_gateways();
    let mut shell = lab.client().ssh_on_terminal(["-t", INNER]);
    shell.expect("dev@web2");
    on_bastion(&lab, "asset set web2 --active no").expect_status(0);
    shell.expect("the gateway web2 is not active");
    shell.wait().expect_status(76);
    let gone = || {
        let processes = lab.bastion().processes().expect("processes");
        !processes.iter().any(|one| one.program.ends_with("ssh"))
    };
    eventually(
        "the clients of the gateways are gone, too",
        Duration::from_secs(10),
        gone,
    );
}
