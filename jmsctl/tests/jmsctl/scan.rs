//! Scans of host keys, with a program in the place of `ssh-keyscan` that says what the test wants.

use crate::bastion::{Bastion, path};

/// Puts a script in the place of `ssh-keyscan`, inside of the namespace only.
pub fn keyscan(bastion: &Bastion, script: &str) {
    use std::os::unix::fs::PermissionsExt;
    let fake = bastion.file("ssh-keyscan", &format!("#!/bin/sh\n{script}\n"));
    std::fs::set_permissions(&fake, std::fs::Permissions::from_mode(0o755)).unwrap();
    let folder = fake.parent().unwrap();
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    bastion.sh(&format!(
        "umount /usr/bin/ssh-keyscan 2>/dev/null || true; mount --bind {} /usr/bin/ssh-keyscan",
        path(&fake)
    ));
}

/// A new host key, as ssh-keyscan prints it.
pub fn host_key(bastion: &Bastion, name: &str, kind: &str) -> String {
    let (_, line) = bastion.key(name, &["-t", kind, "-N", ""]);
    // Without a comment.
    line.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

#[test]
fn an_asset_is_added_with_what_it_shows_or_not_at_all() {
    let bastion = Bastion::new();
    let (a, b) = (
        host_key(&bastion, "a", "ed25519"),
        host_key(&bastion, "b", "ecdsa"),
    );
    keyscan(
        &bastion,
        &format!(
            "test $(id -un) = jms || exit 9\necho \"# $*\" >&2\necho \"web1 {a}\"; echo \"web1 {b}\""
        ),
    );
    let added = bastion.json(&[
        "asset",
        "add",
        "web1",
        "--address",
        "192.0.2.1",
        "--port",
        "2222",
        "--scan",
    ]);
    let keys = added[0]["host_keys"].as_array().unwrap();
    assert_eq!(keys.len(), 2);
    assert_eq!(
        (&keys[0]["type"], &keys[0]["origin"]),
        (&"ssh-ed25519".into(), &"scanned".into())
    );

    keyscan(&bastion, "echo 'connect: Connection refused' >&2; exit 1");
    let said = bastion.fails(
        1,
        &[
            "asset",
            "add",
            "web2",
            "--address",
            "192.0.2.2",
            "--scan",
            "--yes",
        ],
    );
    assert!(said.contains("Connection refused"), "{said}");
    bastion.fails(3, &["asset", "show", "web2"]);
}

/// What a program tries that a machine has taken over during its scan; it names what worked.
const ATTEMPTS: &str = r#"
exec 3>&2 2>/dev/null
true </etc/jms/secret.key && echo "tried: key" >&3
true </var/lib/jms/jms.db && echo "tried: store" >&3
true >>/var/lib/jms/jms.db && echo "tried: writing" >&3
ls /var/lib/jms/recordings >/dev/null && echo "tried: recordings" >&3
true >/var/lib/jms/new && echo "tried: new" >&3
kill -0 $PPID && echo "tried: signal" >&3
true </proc/$$/environ && echo "tried: processes" >&3
echo "ran to its end" >&3
"#;

#[test]
fn a_program_that_an_asset_has_taken_over_reaches_nothing_of_ours() {
    let bastion = Bastion::new();
    let shown = host_key(&bastion, "a", "ed25519");
    bastion.ok(&["asset", "add", "web1", "--address", "192.0.2.1"]);
    bastion.ok(&["asset", "add", "web2", "--address", "web2.example.org"]);
    // As the same user without confinement, all of it works.
    let outside = bastion.sh(&format!(
        "setpriv --reuid=jms --regid=jms --clear-groups sh -c 'sh -c \"$1\"; exit 0' sh '{ATTEMPTS}' 2>&1"
    ));
    let tried = ["key", "store", "writing", "recordings", "new", "signal"];
    for attempt in tried.iter().chain(&["processes"]) {
        assert!(
            outside.contains(&format!("tried: {attempt}\n")),
            "{outside}"
        );
    }
    if jms::confinement::landlock() == 0 {
        eprintln!("this kernel has no Landlock: not tried");
        return;
    }
    keyscan(&bastion, ATTEMPTS);
    for asset in ["web1", "web2"] {
        let said = bastion.fails(1, &["host-key", "scan", asset, "--yes"]);
        // The first complaint is told.
        assert!(said.contains("ran to its end"), "{said}");
        assert!(!said.contains("tried"), "{said}");
    }
    // The same program with a key to show is heard.
    keyscan(&bastion, &format!("{ATTEMPTS}\necho 'web1 {shown}'"));
    assert_eq!(
        bastion.json(&["host-key", "scan", "web1", "--yes"]).len(),
        1
    );
}

#[test]
fn a_machine_is_looked_up_by_its_name_too() {
    let bastion = Bastion::new();
    bastion.sh("echo '127.0.0.1 web1.scan.test' >> /etc/hosts");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    drop(listener);
    // Nobody is there any more: that is known only after its address is.
    let words = ["asset", "add", "web1", "--address", "web1.scan.test"];
    let said = bastion.fails(1, &[&words[..], &["--port", &port, "--scan"]].concat());
    assert!(!said.contains("getaddrinfo"), "{said}");
    let legacy = ["--port", &port, "--algorithms", "legacy", "--scan"];
    let said = bastion.fails(1, &[&words[..], &legacy].concat());
    assert!(said.contains("onnection refused"), "{said}");
}

#[test]
fn only_new_keys_are_stored_and_a_changed_one_never() {
    let bastion = Bastion::new();
    let (a, b, c) = (
        host_key(&bastion, "a", "ed25519"),
        host_key(&bastion, "b", "ecdsa"),
        host_key(&bastion, "c", "ed25519"),
    );
    bastion.ok(&["asset", "add", "web1", "--address", "192.0.2.1"]);
    keyscan(&bastion, &format!("echo \"web1 {a}\""));
    assert_eq!(
        bastion
            .json(&["host-key", "scan", "web1", "--dry-run"])
            .len(),
        1
    );
    assert_eq!(bastion.ok(&["host-key", "ls"]), "");
    assert_eq!(
        bastion.json(&["host-key", "scan", "web1", "--yes"]).len(),
        1
    );
    keyscan(&bastion, &format!("echo \"web1 {a}\"; echo \"web1 {b}\""));
    assert_eq!(
        bastion.json(&["host-key", "scan", "web1", "--yes"])[0]["type"],
        "ecdsa-sha2-nistp256"
    );
    bastion.ok(&["host-key", "scan", "web1", "--yes"]);
    assert_eq!(bastion.json(&["host-key", "ls"]).len(), 2);

    keyscan(&bastion, &format!("echo \"web1 {c}\""));
    let said = bastion.fails(1, &["host-key", "scan", "web1", "--yes"]);
    assert!(
        said.contains("somebody is in between") && said.contains("jmsctl host-key rm web1 SHA256:"),
        "{said}"
    );
    assert_eq!(bastion.json(&["host-key", "ls"]).len(), 2);
    bastion.fails(3, &["host-key", "scan", "wbe1", "--yes"]);
}

#[test]
fn a_server_that_says_too_much_does_no_harm() {
    let bastion = Bastion::new();
    bastion.ok(&["asset", "add", "web1", "--address", "192.0.2.1"]);
    keyscan(
        &bastion,
        "yes 'web1 ssh-ed25519 AAAA' | head -c 3000000; head -c 3000000 /dev/urandom >&2",
    );
    let said = bastion.fails(1, &["host-key", "scan", "web1", "--yes"]);
    assert!(
        said.len() < 2000 && !said.contains('\u{1b}'),
        "{} bytes",
        said.len()
    );
}
