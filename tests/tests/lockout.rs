//! Lockout, through a real sshd with real clients: how many wrong answers are heard, whom they keep out, and whom not.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tests::{Invocation, Lab, Outcome, eventually};

const PASSWORD: &str = "correct horse battery";
/// Fifty clients on two cores.
const LONG: Duration = Duration::from_secs(120);

/// Everyday's lab, in which bob has a key and a password.
fn lab() -> Lab {
    let lab = Lab::everyday();
    let bastion = lab.bastion();
    bastion
        .run(
            "sed -i '/^\\[password\\]/,/^\\[/s/^#enabled = false/enabled = true/' /etc/jms/jms.toml
             install -m 0644 /usr/share/jms/passwords.conf /etc/ssh/sshd_config.d/00-0-jms-passwords.conf
             echo 'MaxStartups 200' >> /etc/ssh/sshd_config.d/50-lab.conf
             sshd=$(command -v sshd) && $sshd -t",
        )
        .expect_status(0);
    bastion.reload_sshd();
    let key = lab.folder().public_key_of("bob").unwrap();
    bastion
        .command(["jmsctl", "user", "add", "bob", "--key", "-"])
        .input(format!("{key}\n"))
        .run()
        .expect_status(0);
    bastion
        .command(["jmsctl", "user", "password-reset", "bob", "--password", "-"])
        .input("initial password\n")
        .run()
        .expect_status(0);
    let mut first = stranger(&lab, "bob").on_terminal();
    first.expect("Password: ");
    first.send_line("initial password");
    first.expect("New password: ");
    first.send_line(PASSWORD);
    first.expect("The same again: ");
    first.send_line(PASSWORD);
    first.wait().expect_status(0).expect_stdout_contains("bob");
    lab
}

/// A client that has no key, asked once.
fn stranger(lab: &Lab, name: &str) -> Invocation {
    lab.client().command(
        "ssh",
        [
            "-o",
            "PubkeyAuthentication=no",
            "-o",
            "NumberOfPasswordPrompts=1",
            &format!("{name}@bastion"),
            "whoami",
        ],
    )
}

/// A program that types `answer` for ssh, once the file `go` is there, and says before that it was asked.
fn typist(lab: &Lab, name: &str, answer: &str) -> PathBuf {
    let folder = lab.folder().path();
    let path = folder.join(name);
    let script = format!(
        "#!/bin/sh\n: > {folder}/asked.{name}.$$\nwhile [ ! -e {folder}/go ]; do sleep 0.05; done\necho '{answer}'\n",
        folder = folder.display(),
    );
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn with_typist(client: Invocation, typist: &std::path::Path) -> Invocation {
    client
        .variable("SSH_ASKPASS", typist)
        .variable("SSH_ASKPASS_REQUIRE", "force")
        .variable("DISPLAY", "none")
}

fn asked(lab: &Lab, name: &str) -> usize {
    let start = format!("asked.{name}.");
    fs::read_dir(lab.folder().path())
        .unwrap()
        .filter(|file| {
            let name = file.as_ref().unwrap().file_name();
            name.to_string_lossy().starts_with(&start)
        })
        .count()
}

fn release(lab: &Lab) {
    fs::write(lab.folder().path().join("go"), "").unwrap();
}

fn counters(lab: &Lab) -> Vec<Value> {
    lab.bastion()
        .run("jmsctl lock ls --all --json")
        .json_lines()
        .unwrap()
}

fn with_password(lab: &Lab, answer: &str) -> Outcome {
    let typist = typist(lab, "one", answer);
    with_typist(stranger(lab, "bob"), &typist).run()
}

#[test]
fn fifty_connections_are_heard_five_times_and_the_key_holder_notices_nothing() {
    let lab = lab();

    // A name that nobody has, a key that is nobody's, a question that nobody answers: nothing counts.
    let refused = lab.client_of("mallory").ssh(["bob@bastion", "whoami"]);
    refused.expect_status(255);
    let unknown = typist(&lab, "unknown", "anything");
    release(&lab);
    with_typist(stranger(&lab, "nobody"), &unknown)
        .run()
        .expect_status(255);
    let mut silent = stranger(&lab, "bob").on_terminal();
    silent.expect("Password: ");
    silent.hang_up();
    drop(silent);
    assert_eq!(counters(&lab), [Value::Null; 0]);
    fs::remove_file(lab.folder().path().join("go")).unwrap();

    // Fifty clients are asked; then all answer at once.
    let wrong = typist(&lab, "many", "wrong password");
    let clients: Vec<_> = (0..50)
        .map(|_| {
            with_typist(stranger(&lab, "bob"), &wrong)
                .within(LONG)
                .spawn()
        })
        .collect();
    eventually("fifty are asked", LONG, || {
        (asked(&lab, "many") == 50).then_some(())
    });
    release(&lab);
    for client in clients {
        client.wait().expect_status(255);
    }
    let counted = counters(&lab);
    assert_eq!(counted.len(), 3, "{counted:?}");
    for counter in &counted {
        assert_eq!(counter["failures"], 5, "{counter}");
        assert_eq!(counter["proof"], "none");
    }
    let locked = lab.bastion().run("jmsctl lock ls --json").json_lines();
    let locked = locked.unwrap();
    assert_eq!(locked.len(), 1, "{locked:?}");
    assert_eq!(locked[0]["source"], "192.0.2.100/32");

    // The right password after the limit is refused, in no other words than a wrong one, and does not prolong the lock.
    let right = with_password(&lab, PASSWORD);
    let wrong = with_password(&lab, "wrong password");
    assert_eq!(right.error_text(), wrong.error_text());
    right.expect_status(255);
    lab.bastion().reload_sshd();
    with_password(&lab, PASSWORD).expect_status(255);
    assert_eq!(counters(&lab), counted);

    // From the same address, bob's key lets him in: nobody else has it.
    lab.client_of("bob")
        .ssh(["bob@bastion", "whoami"])
        .expect_status(0);

    // An administrator sees it and unlocks.
    let refused = lab
        .bastion()
        .run("jmsctl login ls --failed --json")
        .json_lines();
    assert!(
        refused
            .unwrap()
            .iter()
            .any(|login| login["reason"] == "locked"),
        "login ls --failed says who was kept out by a lock"
    );
    lab.bastion()
        .run("jmsctl lock rm bob --source 192.0.2.100 --yes")
        .expect_status(0);
    with_password(&lab, PASSWORD).expect_status(0);
    let told = lab
        .bastion()
        .run("jmsctl event ls --type login --json")
        .text();
    assert!(told.contains("login.locked") && told.contains("login.unlocked"));
}
