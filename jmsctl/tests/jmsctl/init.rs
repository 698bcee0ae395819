//! `jmsctl init`.

use crate::bastion::{Bastion, path};

#[test]
fn it_makes_everything_that_is_missing_once() {
    let bastion = Bastion::bare();
    let (_, line) = bastion.key("alice", &["-t", "ed25519", "-N", ""]);
    let key = bastion.file("alice-only-root-can-read", &line);
    let summary = bastion.json(&["init", "--first-admin", "alice", "--key", path(&key)]);
    assert_eq!(summary[0]["created"], true);
    assert_eq!(summary[0]["uid_range"], "70000-99999");
    assert_eq!(summary[0]["first_admin"]["role"], "admin");
    assert_eq!(summary[0]["first_admin"]["uid"], 70_000);
    assert_eq!(
        summary[0]["first_admin"]["keys"].as_array().unwrap().len(),
        1
    );

    let modes = bastion.sh(
        "stat -c '%n %U:%G %a' /etc/jms /etc/jms/* /var/lib/jms /var/lib/jms/jms.db /var/lib/jms/public \
         /var/lib/jms/public/* /var/lib/jms/recordings /run/jms /run/jms/* /run/jms-keys",
    );
    for line in [
        "/etc/jms root:root 755",
        "/etc/jms/secret.key jms:jms 400",
        "/etc/jms/uid-high-water jms:jms 644",
        "/etc/jms/uid-range root:root 644",
        "/var/lib/jms jms:jms 711",
        "/var/lib/jms/jms.db jms:jms 600",
        "/var/lib/jms/public jms:jms-keys 2755",
        "/var/lib/jms/public/keys.snap jms:jms-keys 440",
        "/var/lib/jms/public/users.snap jms:jms-keys 444",
        "/var/lib/jms/recordings jms:jms 700",
        "/run/jms jms:jms 711",
        "/run/jms/egress jms:jms 711",
        "/run/jms/sessions jms:jms 700",
        "/run/jms-keys jms-keys:jms-keys 755",
    ] {
        assert!(modes.lines().any(|one| one == line), "{line} in\n{modes}");
    }

    let before = bastion.sh("cat /etc/jms/* /var/lib/jms/public/*.snap | sha256sum; ls -l --time-style=full-iso /etc/jms");
    let again = bastion.run(&["init", "--first-admin", "alice", "--key", path(&key)]);
    assert!(again.status.success());
    assert!(String::from_utf8_lossy(&again.stderr).contains("is there already"));
    let after = bastion.sh("cat /etc/jms/* /var/lib/jms/public/*.snap | sha256sum; ls -l --time-style=full-iso /etc/jms");
    assert_eq!(before, after);
    assert_eq!(bastion.json(&["init"])[0]["created"], false);
}

#[test]
fn a_bad_first_administrator_leaves_no_store() {
    let bastion = Bastion::bare();
    let key = bastion.file("garbage", "this is no key\n");
    bastion.fails(2, &["init", "--first-admin", "alice", "--key", path(&key)]);
    bastion.fails(2, &["init", "--first-admin", "Alice"]);
    let said = bastion.fails(2, &["init", "--first-admin", "daemon"]);
    assert!(said.contains("account of this host"), "{said}");
    bastion.fails(
        2,
        &["init", "--first-admin", "alice", "--key", "/nonexistent"],
    );
    bastion.sh("! test -e /var/lib/jms/jms.db");
    assert_eq!(bastion.json(&["init"])[0]["created"], true);
}

#[test]
fn the_range_of_uids_is_free_and_never_lets_go_of_one() {
    let bastion = Bastion::bare();
    bastion.sh("echo 'bob:x:70500:100::/:/bin/sh' >> /etc/passwd");
    let said = bastion.fails(2, &["init"]);
    assert!(said.contains("bob has 70500"), "{said}");
    for bad in ["1-2", "61000-62000", "70000", "9-1", "x-y"] {
        bastion.fails(2, &["init", "--uid-range", bad]);
    }
    bastion.ok(&["init", "--uid-range", "700000000-700000001"]);
    // Nobody has a uid yet, so it may move.
    bastion.ok(&["init", "--uid-range", "800000000-800000001"]);
    assert_eq!(
        bastion.json(&["user", "add", "alice"])[0]["uid"],
        800_000_000
    );
    bastion.ok(&["user", "add", "bert"]);
    let said = bastion.fails(1, &["user", "add", "carol"]);
    assert!(said.contains("no uid is left"), "{said}");
    bastion.fails(2, &["init", "--uid-range", "900000000-900000001"]);
    bastion.fails(2, &["init", "--uid-range", "800000001-800000009"]);
    bastion.ok(&["init", "--uid-range", "800000000-800000009"]);
    assert_eq!(
        bastion.json(&["user", "add", "carol"])[0]["uid"],
        800_000_002
    );
}

#[test]
fn a_store_without_its_key_gets_no_new_one() {
    let bastion = Bastion::new();
    bastion.sh("rm /etc/jms/secret.key");
    let said = bastion.fails(1, &["init"]);
    assert!(said.contains("restore that key"), "{said}");
    bastion.sh("! test -e /etc/jms/secret.key");
}
