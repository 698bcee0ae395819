//! Who may call it, and what is left of root while it works.

use crate::bastion::{Bastion, path};

#[test]
fn only_root_administers() {
    let bastion = Bastion::new();
    for verb in [
        &["user", "ls"][..],
        &["init"],
        &["session", "ls"],
        &["event", "ls"],
    ] {
        let output = bastion
            .command("setpriv")
            .args([
                "--reuid=daemon",
                "--regid=daemon",
                "--clear-groups",
                env!("CARGO_BIN_EXE_jmsctl"),
            ])
            .args(verb)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{said}");
        assert!(said.contains("run this as root (sudo jmsctl …)"), "{said}");
    }
    // What needs no store needs no root.
    for verb in [
        &["version"][..],
        &["help", "user", "add"],
        &["config", "path"],
        &["event", "schema"],
        &["completion", "bash"],
    ] {
        let output = bastion
            .command("setpriv")
            .args([
                "--reuid=daemon",
                "--regid=daemon",
                "--clear-groups",
                env!("CARGO_BIN_EXE_jmsctl"),
            ])
            .args(verb)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{verb:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn while_it_works_nothing_of_root_is_left() {
    let bastion = Bastion::new();
    let folder = bastion.file("x", "").parent().unwrap().to_owned();
    let fifo = folder.join("key");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let mut child = bastion
        .jmsctl(&["user", "add", "alice", "--key", path(&fifo)])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    // It opens the FIFO as root and reads it as jms: hold it there and look.
    let writer = std::fs::File::options().write(true).open(&fifo).unwrap();
    let status = || std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let begun = std::time::Instant::now();
    let mut now = status();
    while !now.contains("Uid:\t64001\t64001\t64001\t64001") && begun.elapsed().as_secs() < 10 {
        std::thread::sleep(std::time::Duration::from_millis(10));
        now = status();
    }
    std::thread::sleep(std::time::Duration::from_millis(100));
    let now = status();
    for line in [
        "Uid:\t64001\t64001\t64001\t64001",
        "Gid:\t64001\t64001\t64001\t64001",
        "CapInh:\t0000000000000000",
        "CapPrm:\t0000000000000000",
        "CapEff:\t0000000000000000",
        "CapBnd:\t0000000000000000",
        "CapAmb:\t0000000000000000",
        "NoNewPrivs:\t1",
    ] {
        assert!(now.contains(line), "{line} in\n{now}");
    }
    assert!(
        now.lines().any(|line| line.trim_end() == "Groups:\t64001"),
        "{now}"
    );
    drop(writer);
    assert_eq!(
        child.wait().unwrap().code(),
        Some(2),
        "an empty key is bad input"
    );
}

#[test]
fn without_its_user_it_does_nothing() {
    let bastion = Bastion::bare();
    bastion.sh("sed -i '/^jms:/d' /etc/passwd");
    let said = bastion.fails(1, &["init"]);
    assert!(said.contains("no user jms"), "{said}");
    bastion.sh("echo 'jms:x:0:0::/:/bin/sh' >> /etc/passwd");
    let said = bastion.fails(1, &["init"]);
    assert!(said.contains("is root here"), "{said}");
}
