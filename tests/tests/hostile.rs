//! What hostile neighbours, assets and clients try.

use std::time::Duration;

use tests::{Lab, eventually};

const WAY: &str = "alice@dev@web1@bastion";

#[test]
fn an_account_of_the_host_reaches_nothing_of_a_session() {
    let lab = Lab::everyday().without_kept_connections();
    let mut shell = lab.client().ssh_on_terminal([WAY]);
    shell.expect("dev@web1");
    let bastion = lab.bastion();
    let id = bastion
        .run("jmsctl session ls --online --json | sed -n 's/.*\"id\":\"\\([^\"]*\\)\".*/\\1/p'")
        .text();
    // Of its first connection; there are more with gateways.
    let folder = format!("/run/jms/egress/{}/0", id.trim());
    let listed = bastion.run(format!("ls {folder}")).expect_status(0).text();
    let files: Vec<&str> = listed.lines().collect();
    assert!(files.iter().any(|file| file.contains("log")), "{files:?}");
    assert!(
        files.iter().any(|file| file.contains("known_hosts")),
        "{files:?}"
    );
    for attempt in ["ls", "cat", "tee -a"] {
        for file in &files {
            bastion
                .run(format!(
                    "echo x | runuser -u nobody -- {attempt} {folder}/{file}"
                ))
                .expect_failure();
        }
    }
    bastion
        .run("runuser -u nobody -- ls /run/jms/sessions/ /var/lib/jms/recordings")
        .expect_failure();
    shell.send_line("exit");
    shell.wait().expect_status(0);
}

#[test]
fn the_assets_errors_arrive_as_they_are_even_if_they_look_like_ours() {
    let lab = Lab::everyday().without_kept_connections();
    let line = format!("Connection to {} closed by nobody.", lab.address("web1"));
    let command = format!("printf '{line}\\r\\n' >&2; sleep 0.3; echo after >&2; exit 4");
    lab.client()
        .ssh([WAY, &command])
        .expect_status(4)
        .expect_stdout("")
        .expect_stderr(format!("{line}\r\nafter\n"));
}

#[test]
fn what_a_shell_without_a_terminal_prints_is_recorded_whole() {
    let lab = Lab::everyday().without_kept_connections();
    lab.client()
        .command("ssh", ["-T", WAY])
        .input("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo after-the-$((6*7))-flood\n")
        .run()
        .expect_status(0)
        .expect_stdout_contains("after-the-42-flood");
    lab.bastion()
        .run("jmsctl session replay $(jmsctl session ls --json | sed -n 's/.*\"id\":\"\\([^\"]*\\)\".*/\\1/p') | grep -c after-the-42-flood")
        .expect_stdout("1\n");
}

#[test]
fn a_client_that_does_not_read_cannot_keep_an_ended_session_open() {
    let lab = Lab::everyday().without_kept_connections();
    let shell = lab.client().ssh_on_terminal([WAY, "-tt", "yes"]);
    let bastion = lab.bastion();
    let online = || bastion.run("jmsctl session ls --online --json").text();
    eventually("the session runs", Duration::from_secs(10), || {
        !online().is_empty()
    });
    // Nobody reads the terminal; all buffers on the way fill up.
    std::thread::sleep(Duration::from_secs(2));
    bastion.run("jmsctl user disable alice").expect_status(0);
    eventually("its row is closed", Duration::from_secs(3), || {
        online().is_empty()
    });
    eventually("nothing of it runs", Duration::from_secs(3), || {
        !bastion.run("pgrep -x force-command").succeeded()
    });
    drop(shell);
}
