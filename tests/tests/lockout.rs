//! Lockout, through a real sshd with real clients: how many wrong answers are heard, whom they keep out, and whom not.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tests::{Authenticator, Invocation, Lab, Outcome, eventually};

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

const CODE: &str = "authenticator app, or a recovery code: ";

fn jmsctl(lab: &Lab, line: &str) -> Outcome {
    lab.bastion()
        .run(format!("jmsctl {line} </dev/null"))
        .expect_status(0)
}

/// alice enrols an app, which is demanded from then on; no factor is remembered.
fn alice_with_an_app(lab: &Lab) -> Authenticator {
    lab.bastion()
        .run("sed -i 's/^#remember = .*/remember = 0/' /etc/jms/jms.toml; jmsctl config check")
        .expect_status(0);
    let mut screen = lab
        .client()
        .command("ssh", ["-t", "alice@bastion", "mfa", "enroll"])
        .in_window(120, 60)
        .on_terminal();
    let shown = screen.expect("code of the app: ");
    let secret = shown
        .lines()
        .map(str::trim)
        .find(|line| line.len() == 39 && line.split(' ').all(|part| part.len() == 4));
    let app = Authenticator::typed(secret.unwrap_or_else(|| panic!("no secret in {shown}")));
    screen.send_line(&app.code(lab.host("client"), -1));
    screen.expect("type yes when you have noted them: ");
    screen.send_line("yes");
    screen.wait().expect_status(0);
    jmsctl(lab, "user set alice --mfa totp");
    app
}

/// With alice's key, asked once.
fn with_code(lab: &Lab, code: &str) -> Outcome {
    let mut client = lab.client().ssh_on_terminal([
        "-o",
        "NumberOfPasswordPrompts=1",
        "alice@bastion",
        "whoami",
    ]);
    client.expect(CODE);
    client.send_line(code);
    client.wait()
}

#[test]
fn a_lock_is_told_after_the_key_and_never_before_and_only_wrong_answers_make_one() {
    let lab = Lab::everyday();
    let bastion = lab.bastion();

    // A refused grant is no wrong answer.
    lab.client()
        .ssh(["alice@dev@web2@bastion", "id"])
        .expect_status(126);
    let app = alice_with_an_app(&lab);
    assert_eq!(counters(&lab), [Value::Null; 0]);

    // A stranger with a key that is nobody's, and a person who goes away when she is asked.
    let before = lab.client_of("mallory").ssh(["alice@bastion", "whoami"]);
    let mut gone = lab.client().ssh_on_terminal(["alice@bastion", "whoami"]);
    gone.expect(CODE);
    gone.hang_up();
    drop(gone);
    assert_eq!(counters(&lab), [Value::Null; 0]);

    // A right code forgets what was counted from there; only the account's own counter stays.
    for _ in 0..4 {
        with_code(&lab, "000000").expect_status(255);
    }
    with_code(&lab, &app.code(lab.host("client"), 0)).expect_status(0);
    let counted = counters(&lab);
    assert_eq!(counted.len(), 1, "{counted:?}");
    assert_eq!(counted[0]["source"], Value::Null);
    assert_eq!(counted[0]["failures"], 4);

    // The fifth wrong one says so at once; from then on the key is enough to be told, and nothing is asked.
    for _ in 0..4 {
        let wrong = with_code(&lab, "000000");
        assert!(!wrong.text().contains("too many"), "{wrong}");
    }
    let sentence = "jms: too many wrong answers from where you are: try again after ";
    let fifth = with_code(&lab, "000000");
    assert!(fifth.text().contains(sentence), "{fifth}");
    let counted = counters(&lab);
    for _ in 0..2 {
        let mut told = lab.client().ssh_on_terminal(["alice@bastion", "whoami"]);
        told.expect(sentence);
        assert!(!told.shown().contains(CODE), "{}", told.shown());
        told.wait().expect_status(255);
    }
    let shown = jmsctl(&lab, "lock show alice --json").json().unwrap();
    assert_eq!(shown["locked"], true, "{shown}");
    assert_eq!(counters(&lab), counted, "tries while locked count nothing");

    // Whoever has not proved the key learns nothing of it, byte for byte.
    let after = lab.client_of("mallory").ssh(["alice@bastion", "whoami"]);
    assert_eq!(after.error_text(), before.error_text());
    assert!(!after.error_text().contains("jms:"), "{after}");

    // It is the store's: a new sshd knows it.
    bastion.reload_sshd();
    let mut told = lab.client().ssh_on_terminal(["alice@bastion", "whoami"]);
    told.expect(sentence);
    told.wait().expect_status(255);
    jmsctl(&lab, "lock rm alice --yes");
    with_code(&lab, &app.code(lab.host("client"), 1)).expect_status(0);

    // Who takes longer than LoginGraceTime is cut by sshd: no answer, nothing counts, nothing stays behind.
    bastion.write(
        "/etc/ssh/sshd_config.d/00-0-grace.conf",
        "LoginGraceTime 3\n",
    );
    bastion.reload_sshd();
    let mut slow = lab.client().ssh_on_terminal(["alice@bastion", "whoami"]);
    slow.expect(CODE);
    eventually("the helper is gone", LONG, || {
        let processes = bastion.processes().ok()?;
        let left = processes
            .iter()
            .any(|process| process.program.ends_with("jms-pam-helper"));
        (!left).then_some(())
    });
    // OpenSSH's client notices it when something is typed.
    slow.send_line("000000");
    slow.wait().expect_status(255);
    assert_eq!(counters(&lab), [Value::Null; 0]);

    // A name that nobody has leaves no trace in the store at all.
    let rows = "jmsctl event ls --json --limit 0 | wc -l; jmsctl lock ls --all --json | wc -l";
    let known = bastion.run(rows).text();
    lab.client()
        .ssh(["nobody@bastion", "whoami"])
        .expect_status(255);
    assert_eq!(bastion.run(rows).text(), known);
}
