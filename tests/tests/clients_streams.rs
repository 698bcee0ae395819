//! Streams of a client: no input, much input, and one direction that ends before the other.

use std::sync::OnceLock;
use std::time::Duration;

use tests::{Host, Invocation, Lab, client_host, eventually};

const ON_WEB1: &str = "alice@dev@web1@bastion";

/// Hosts that no test of this file changes for the others.
fn lab() -> &'static Lab {
    static LAB: OnceLock<Lab> = OnceLock::new();
    LAB.get_or_init(|| {
        let lab = Lab::everyday();
        let _ = client_host::of_alice(&lab);
        lab
    })
}

fn client() -> &'static Host {
    lab().host("client")
}

fn at_client(script: &str) -> Invocation {
    let script = format!("set -eu -o pipefail; ON_WEB1={ON_WEB1}; cd /root\n{script}");
    client().command(["bash", "-c", &script])
}

fn is_there(path: &str) -> bool {
    lab().web1().has(path)
}

#[test]
fn ssh_host_command_with_dev_null_as_input_ends_with_its_command() {
    for input in ["</dev/null", "<&-"] {
        at_client(&format!("ssh $ON_WEB1 'cat; echo done' {input}"))
            .run()
            .expect_status(0)
            .expect_stdout("done\n")
            .expect_stderr("");
    }
    // With -n a loop's own input is left to the loop.
    at_client("seq 3 | while read -r line; do ssh -n $ON_WEB1 \"echo got $line\"; done")
        .run()
        .expect_status(0)
        .expect_stdout("got 1\ngot 2\ngot 3\n")
        .expect_stderr("");
}

#[test]
fn piped_input_of_1_gib_arrives_whole_and_costs_no_memory() {
    // Blocks that are all different, so that a lost, doubled or exchanged one shows.
    let send = r#"python3 -c '
import hashlib, os, sys
block, digest = os.urandom(1 << 20), hashlib.sha256()
for number in range(1024):
    bytes = number.to_bytes(8, "big") + block[8:]
    digest.update(bytes)
    sys.stdout.buffer.write(bytes)
open("/root/sent", "w").write(digest.hexdigest())
' | ssh $ON_WEB1 'sha256sum >/tmp/gib; touch /tmp/gib-summed; until [ -e /tmp/gib-seen ]; do sleep 0.1; done; cat /tmp/gib'"#;
    let mut running = at_client(send).within(Duration::from_secs(300)).spawn();
    eventually("1 GiB is summed", Duration::from_secs(280), || {
        (is_there("/tmp/gib-summed") || !running.is_running()).then_some(())
    });
    // The most that each process of the session has ever had in memory.
    let memory = lab().bastion().run(
        r#"for process in /proc/[0-9]*; do
            case $(readlink $process/exe) in
            */force-command | /usr/bin/ssh) echo $(readlink $process/exe) $(sed -n 's/^VmHWM://p' $process/status) ;;
            esac
        done"#,
    );
    drop(
        lab()
            .web1()
            .run("touch /tmp/gib-seen; chmod a+r /tmp/gib-seen")
            .expect_status(0),
    );
    let received = running.wait().expect_status(0).expect_stderr("").text();
    let sent = client().read_text("/root/sent");
    assert_eq!(received.split_whitespace().next(), Some(sent.as_str()));
    let most: Vec<u64> = memory
        .text()
        .lines()
        .filter_map(|line| line.split_whitespace().nth(1)?.parse().ok())
        .collect();
    assert!(most.len() >= 2, "{memory}");
    assert!(most.iter().all(|kib| *kib < 64 * 1024), "{memory}");
}

#[test]
fn after_the_end_of_the_clients_input_the_output_goes_on() {
    let expected: String = (1..=200_000).map(|number| format!("{number}\n")).collect();
    at_client("printf 'first\\n' | ssh $ON_WEB1 'cat; sleep 1; seq 200000'")
        .run()
        .expect_status(0)
        .expect_stdout(format!("first\n{expected}"))
        .expect_stderr("");
}

#[test]
fn after_the_end_of_the_commands_output_its_input_goes_on() {
    // The client learns that there is no more output while it still sends.
    let script = r"rm -f output-ended
ssh $ON_WEB1 'echo only; exec >&- 2>&-; cat >/tmp/half-closed' > >(cat >output; touch output-ended)";
    let mut running = at_client(script).spawn();
    eventually(
        "the output has ended at the client",
        Duration::from_secs(30),
        || client().has("/root/output-ended").then_some(()),
    );
    assert_eq!(client().read_text("/root/output"), "only\n");
    running.write("late\n");
    running.close_input();
    drop(running.wait().expect_status(0).expect_stderr(""));
    assert_eq!(lab().web1().read_text("/tmp/half-closed"), "late\n");
}

#[test]
fn a_command_that_has_ended_both_its_directions_still_has_its_status() {
    at_client("ssh $ON_WEB1 'exec >&- 2>&-; sleep 2; exit 5' </dev/null")
        .run()
        .expect_status(5)
        .expect_stdout("")
        .expect_stderr("");
}

#[test]
fn a_client_that_reads_no_more_ends_the_command() {
    // The status is that of yes or of ssh, whichever dies of it first; that of the pipe's end counts.
    at_client("set +o pipefail; ssh $ON_WEB1 'exec -a read-no-more yes' | head -n 1")
        .within(Duration::from_secs(30))
        .run()
        .expect_status(0)
        .expect_stdout("y\n");
    eventually("yes is gone", Duration::from_secs(20), || {
        let found = lab().web1().run("pgrep -f '^read-no-more'");
        (!found.succeeded()).then_some(())
    });
}
