//! What cannot be through a bastion: one clear sentence for each, and never a hang.

use std::sync::OnceLock;
use std::time::Duration;

use tests::{Lab, Outcome, client_host};

/// Hosts that no test of this file changes for the others.
fn lab() -> &'static Lab {
    static LAB: OnceLock<Lab> = OnceLock::new();
    LAB.get_or_init(|| {
        let lab = Lab::everyday();
        let _ = client_host::of_alice(&lab);
        lab
    })
}

/// A script at the client that has less than half a minute.
fn at_client(script: &str) -> Outcome {
    let script = format!("set -eu; cd /root; ON_WEB1=alice@dev@web1@bastion\n{script}");
    lab()
        .host("client")
        .command(["bash", "-c", &script])
        .within(Duration::from_secs(25))
        .run()
}

const NOT_HERE: &str = "jms: there is no shell on the bastion itself, so ssh-copy-id cannot put a key there; your administrator can: jmsctl key add\n";

#[test]
fn ssh_copy_id_is_told_who_adds_keys() {
    for options in ["", "-f"] {
        at_client(&format!("ssh-copy-id {options} alice@bastion </dev/null"))
            .expect_status(1)
            .expect_stderr_contains(NOT_HERE);
    }
}

#[test]
fn ssh_capital_j_is_prohibited_at_once() {
    at_client("ssh -J alice@bastion dev@web1 id")
        .expect_status(255)
        .expect_stdout("")
        .expect_stderr_contains("open failed: administratively prohibited");
}

#[test]
fn ssh_capital_l_is_prohibited_at_once_and_the_session_goes_on() {
    // The forwarded port is open at the client; who connects to it is let go at once.
    let script = r"
ssh -L 8080:localhost:22 $ON_WEB1 'echo up; read line; echo $line' < <(
    until [ -s up ]; do sleep 0.1; done
    timeout 10 nc localhost 8080 </dev/null >&2; echo nc ended with $?
) | tee up";
    at_client(&format!("rm -f up; {script}"))
        .expect_status(0)
        .expect_stdout("up\nnc ended with 0\n")
        .expect_stderr_contains("open failed: administratively prohibited");
}

#[test]
fn ssh_capital_d_is_prohibited_at_once_and_vs_codes_shell_goes_on() {
    // As VS Code asks for it: no terminal, a proxy, and a shell that reads a script.
    let script = r"
ssh -T -D 8081 -o ConnectTimeout=15 $ON_WEB1 bash < <(
    echo 'echo up'
    until [ -s vs ]; do sleep 0.1; done
    status=0; timeout 10 nc -X 5 -x localhost:8081 localhost 22 </dev/null >&2 || status=$?
    echo echo proxy ended with $status
) | tee vs";
    at_client(&format!("rm -f vs; {script}"))
        .expect_status(0)
        .expect_stdout("up\nproxy ended with 1\n")
        .expect_stderr_contains("open failed: administratively prohibited");
}

#[test]
fn ssh_capital_r_is_prohibited_at_once_and_the_session_goes_on() {
    at_client("ssh -R 8082:localhost:22 $ON_WEB1 'echo up' </dev/null")
        .expect_status(0)
        .expect_stdout("up\n")
        .expect_stderr("Warning: remote port forwarding failed for listen port 8082\r\n");
}

#[test]
fn a_transfer_without_a_target_is_told_to_say_where_to() {
    let say = |program: &str| {
        format!(
            "jms: say where to: {program} needs the target in the login name, USER@SYSTEM_USER@ASSET@bastion; `ls` lists what you may reach"
        )
    };
    for (script, program) in [
        ("scp -O /etc/hostname alice@bastion:", "scp"),
        ("scp -O alice@bastion:/etc/hostname .", "scp"),
        ("echo pwd | sftp -b - alice@bastion", "sftp"),
        ("rsync /etc/hostname alice@bastion:", "rsync"),
        ("rsync alice@bastion:/etc/hostname .", "rsync"),
        ("git clone alice@bastion:/srv/x.git", "git fetch"),
    ] {
        let outcome = at_client(script).expect_stderr_contains(&say(program));
        assert!(!outcome.succeeded(), "{outcome}");
    }
    // scp in the sftp protocol shows no server's words, only what it makes of the kind of refusal.
    for (script, shown) in [
        (
            "scp /etc/hostname alice@bastion:",
            "dest open \".\": Permission denied",
        ),
        (
            "scp alice@bastion:/etc/hostname .",
            "/etc/hostname: No such file or directory",
        ),
    ] {
        at_client(script)
            .expect_status(1)
            .expect_stderr_contains(shown);
    }
}

#[test]
fn a_subsystem_that_is_not_there_is_refused_by_sshd() {
    at_client("ssh -s $ON_WEB1 netconf </dev/null")
        .expect_status(255)
        .expect_stdout("")
        .expect_stderr("subsystem request failed on channel 0\r\n");
}
