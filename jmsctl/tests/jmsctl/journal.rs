//! `login ls --unknown` where sshd's lines are in the journal: a real journald, asked by the real journalctl.

use crate::bastion::Bastion;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

const JOURNALD: &str = "/usr/lib/systemd/systemd-journald";

/// A journald in the bastion's namespace, with sockets and files of its own.
struct Journal(Child);

impl Journal {
    fn start(bastion: &Bastion) -> Self {
        bastion.sh(
            "mount -t tmpfs none /var/log; mkdir -p /run/log/journal /run/systemd/journal
             tr -d - < /proc/sys/kernel/random/uuid > /etc/machine-id",
        );
        let mut command = bastion.command(JOURNALD);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let journal = Self(command.spawn().unwrap());
        wait(|| bastion.sh("test -S /run/systemd/journal/dev-log && echo yes || true") == "yes");
        journal
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn wait(mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "journald does not do it"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Says it to the journal, as `behind` (a program that becomes another user, or nothing).
fn say(bastion: &Bastion, behind: &str, tag: &str, message: &str) {
    bastion.sh(&format!(
        "{behind} logger -u /run/systemd/journal/dev-log -t {tag} '{message}'"
    ));
}

#[test]
fn names_that_do_not_exist_are_read_from_a_real_journal() {
    let bastion = Bastion::new();
    bastion.ok(&["user", "add", "betty1210"]);
    let _journal = Journal::start(&bastion);
    for (tag, message) in [
        ("sshd", "Invalid user betty1211 from 192.0.2.1 port 7"),
        (
            "sshd-session",
            "Invalid user betty1211 from 192.0.2.1 port 8 [preauth]",
        ),
        ("sshd", r"Invalid user utf8\303\251 from 2001:db8::1 port 9"),
        (
            "sshd",
            "Accepted publickey for alice from 192.0.2.1 port 10 ssh2",
        ),
        ("cron", "Invalid user notsshd from 192.0.2.1 port 11"),
    ] {
        say(&bastion, "", tag, message);
    }
    // Any account may write what looks like sshd's; its uid tells.
    let nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups";
    say(
        &bastion,
        nobody,
        "sshd",
        "Invalid user forged from 192.0.2.66 port 12",
    );
    say(
        &bastion,
        "",
        "sshd",
        "Invalid user thelast from 192.0.2.1 port 13",
    );
    let unknown = |flags: &[&str]| {
        let words: Vec<&str> = ["login", "ls", "--unknown"]
            .iter()
            .chain(flags)
            .copied()
            .collect();
        bastion.json(&words)
    };
    // Until there is a journal at all, the command fails: it says that there is no log.
    wait(|| {
        bastion
            .run(&["login", "ls", "--unknown", "--json"])
            .status
            .success()
    });
    wait(|| unknown(&[]).iter().any(|row| row["name"] == "thelast"));

    let rows = unknown(&[]);
    let names: Vec<&str> = rows
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), 3, "{names:?}");
    let row = |name: &str| rows.iter().find(|row| row["name"] == name).unwrap();
    assert_eq!(
        (&row("betty1211")["nearest"], &row("betty1211")["count"]),
        (&"betty1210".into(), &2.into())
    );
    assert_eq!(row("utf8é")["source"], "2001:db8::1");
    assert_eq!(unknown(&["--since", "1h"]).len(), 3);
    assert_eq!(unknown(&["--until", "1h"]).len(), 0);
}
