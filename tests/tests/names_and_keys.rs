//! Names through the system's name service, keys through the system's sshd.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tests::boot::authorize;
use tests::{Invocation, Lab, Outcome, eventually};

const WAY: &str = "alice@dev@web1@bastion";

/// A key pair made by OpenSSH's own ssh-keygen; the path of its private half.
fn make_key(folder: &Path, kind: &str, bits: &str) -> PathBuf {
    let path = folder.join(format!("{kind}-{bits}"));
    let name = path.to_str().expect("a path of plain text");
    Invocation::new("ssh-keygen")
        .args([
            "-q",
            "-N",
            "",
            "-C",
            "made for a test",
            "-t",
            kind,
            "-b",
            bits,
            "-f",
            name,
        ])
        .run()
        .expect_status(0);
    path
}

fn public_half(key: &Path) -> String {
    std::fs::read_to_string(key.with_extension("pub")).expect("ssh-keygen writes both halves")
}

/// A stranger's client that holds this one key.
fn with_key(lab: &Lab, key: &Path, command: &str) -> Outcome {
    let key = key.to_str().expect("a path of plain text");
    lab.client_of("nobody-known")
        .ssh(["-o", "BatchMode=yes", "-i", key, WAY, command])
}

fn add_key(lab: &Lab, key: &Path, options: &str) -> Outcome {
    let line = format!("jmsctl key add alice - {options}");
    lab.bastion()
        .command(["bash", "-c", &line])
        .input(public_half(key))
        .run()
}

const KINDS: [(&str, &str); 6] = [
    ("ed25519", "256"),
    ("ecdsa", "256"),
    ("ecdsa", "384"),
    ("ecdsa", "521"),
    ("rsa", "2048"),
    ("rsa", "4096"),
];

#[test]
fn the_name_service_shows_users_with_and_without_a_target() {
    let lab = Lab::everyday();
    let bastion = lab.bastion();
    let gid = bastion.run("getent group jms-users | cut -d: -f3").text();
    let rest = format!(
        ":*:70000:{}::/usr/share/jms/home:/usr/libexec/jms/force-command\n",
        gid.trim()
    );
    for name in ["alice", "alice@dev@web1", "alice@web1"] {
        bastion
            .run(format!("getent passwd '{name}'"))
            .expect_status(0)
            .expect_stdout(format!("{name}{rest}"));
    }
    bastion
        .run("getent passwd 70000")
        .expect_stdout(format!("alice{rest}"));
    for name in ["alicia", "alice@", "alice@dev@web1/x", "79999", "@web1"] {
        bastion
            .run(format!("getent passwd '{name}'"))
            .expect_status(2)
            .expect_stdout("");
    }
    bastion
        .run("getent passwd | grep -c alice")
        .expect_stdout("0\n");
    bastion.run("id root; id admin").expect_status(0);
}

#[test]
fn the_name_service_answers_through_nscd_as_well() {
    let lab = Lab::everyday();
    let bastion = lab.bastion();
    bastion
        .run("mkdir -p /run/nscd; nscd; until nscd --statistics > /dev/null; do sleep 0.05; done")
        .expect_status(0);
    for name in ["alice", "alice@dev@web1", "70000"] {
        for _ in 0..2 {
            bastion
                .run(format!("getent passwd '{name}'"))
                .expect_status(0)
                .expect_stdout_contains(":70000:");
        }
    }
    bastion.run("getent passwd alicia").expect_status(2);
    lab.client().ssh([WAY, "echo in"]).expect_stdout("in\n");
    let held = bastion.run("ls -l /proc/$(pgrep -x nscd)/fd | grep -c /var/lib/jms");
    held.expect_stdout("0\n");
}

#[test]
fn every_kind_of_key_opens_a_login() {
    let lab = Lab::everyday();
    let folder = tempfile::tempdir().expect("a folder for keys");
    for (kind, bits) in KINDS {
        let key = make_key(folder.path(), kind, bits);
        with_key(&lab, &key, "echo in").expect_status(255);
        add_key(&lab, &key, "").expect_status(0);
        with_key(&lab, &key, "echo in")
            .expect_status(0)
            .expect_stdout("in\n");
    }
    let weak = make_key(folder.path(), "rsa", "1024");
    add_key(&lab, &weak, "")
        .expect_status(2)
        .expect_stderr_contains("2048");
}

#[test]
fn every_kind_of_stored_key_opens_an_asset() {
    let lab = Lab::everyday();
    let folder = tempfile::tempdir().expect("a folder for keys");
    for (kind, bits) in KINDS {
        let key = make_key(folder.path(), kind, bits);
        authorize(lab.web1(), "dev", public_half(&key).trim()).expect("web1 has dev");
        let text = std::fs::read(&key).expect("the private half");
        lab.bastion()
            .command(["jmsctl", "system-user", "set", "dev", "--key", "-"])
            .input(text)
            .run()
            .expect_status(0);
        lab.client()
            .ssh([WAY, "echo in"])
            .expect_status(0)
            .expect_stdout("in\n");
        let fingerprint = Invocation::new("ssh-keygen")
            .args(["-l", "-f"])
            .arg(&key)
            .run()
            .text();
        let fingerprint = fingerprint
            .split(' ')
            .nth(1)
            .expect("a fingerprint")
            .to_owned();
        let seen = format!("web1 sees the key {kind} {bits}");
        eventually(&seen, Duration::from_secs(5), || {
            lab.web1().auth_log().contains(&fingerprint)
        });
    }
}

#[test]
fn a_key_works_from_its_networks_until_its_end() {
    let lab = Lab::everyday();
    let folder = tempfile::tempdir().expect("a folder for keys");
    for (number, (options, works)) in [
        ("--from 192.0.2.0/24", true),
        ("--from 203.0.113.0/24", false),
        ("--from 203.0.113.0/24,192.0.2.0/24", true),
        ("--valid-until 2099-01-01T00:00:00Z", true),
        ("--valid-until 2020-01-01T00:00:00Z", false),
    ]
    .into_iter()
    .enumerate()
    {
        let key = make_key(folder.path(), "ed25519", &(300 + number).to_string());
        add_key(&lab, &key, options).expect_status(0);
        let outcome = with_key(&lab, &key, "echo in");
        assert_eq!(
            outcome.text() == "in\n",
            works,
            "{options}: {}",
            outcome.error_text()
        );
    }
    let plain = make_key(folder.path(), "ed25519", "400");
    add_key(&lab, &plain, "--verify-required")
        .expect_status(2)
        .expect_stderr_contains("security key");
}

#[test]
fn the_one_good_key_is_found_among_an_agents_many() {
    let lab = Lab::everyday();
    let folder = tempfile::tempdir().expect("a folder for keys");
    let mut words = vec!["-o".to_owned(), "BatchMode=yes".to_owned()];
    for number in 0..4 {
        let key = make_key(folder.path(), "ed25519", &(300 + number).to_string());
        words.extend(["-i".to_owned(), key.display().to_string()]);
    }
    words.extend([WAY.to_owned(), "echo in".to_owned()]);
    lab.client()
        .ssh(&words)
        .expect_status(0)
        .expect_stdout("in\n");
    lab.bastion()
        .run("grep -c 'type=\"key.refused\"' /var/log/auth.log || true")
        .expect_status(0);
}

#[test]
fn a_disabled_user_is_told_so_and_a_stranger_learns_nothing() {
    let lab = Lab::everyday();
    lab.bastion()
        .run("jmsctl user disable alice")
        .expect_status(0);
    let refused = lab.client().ssh([WAY, "echo in"]).expect_status(255);
    assert_eq!(refused.text(), "");
    let stranger = lab
        .client_of("nobody-known")
        .ssh(["-o", "BatchMode=yes", WAY, "echo in"]);
    stranger
        .expect_status(255)
        .expect_stderr_contains("Permission denied (publickey)");
    lab.bastion()
        .run("jmsctl user enable alice")
        .expect_status(0);
    lab.client().ssh([WAY, "echo in"]).expect_stdout("in\n");
}

#[test]
fn every_kind_of_host_key_is_checked() {
    // Each session meets the asset's key itself.
    let lab = Lab::everyday().without_kept_connections();
    let (bastion, web1) = (lab.bastion(), lab.web1());
    for (kind, bits) in KINDS {
        web1.run(format!(
            "set -e; rm -f /etc/ssh/ssh_host_*; ssh-keygen -q -N '' -t {kind} -b {bits} -f /etc/ssh/ssh_host_{kind}_key
             echo 'HostKey /etc/ssh/ssh_host_{kind}_key' > /etc/ssh/sshd_config.d/10-host-key.conf"
        ))
        .expect_status(0);
        web1.reload_sshd();
        let refused = lab.client().ssh([WAY, "echo in"]).expect_status(255);
        assert_eq!(refused.text(), "", "with a host key that nobody knows");
        assert!(
            refused.error_text().contains("jms: "),
            "{}",
            refused.error_text()
        );
        bastion
            .run(
                "for f in $(jmsctl host-key ls --json | sed -n 's/.*\"asset\":\"web1\".*\"fingerprint\":\"\\([^\"]*\\)\".*/\\1/p'); do
                     jmsctl host-key rm web1 $f --yes || exit 1
                 done
                 jmsctl host-key scan web1 --yes",
            )
            .expect_status(0);
        lab.client()
            .ssh([WAY, "echo in"])
            .expect_status(0)
            .expect_stdout("in\n");
    }
}
