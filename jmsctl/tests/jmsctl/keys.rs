//! Login keys and host keys.

use crate::bastion::{keys, path, text};
use crate::policy::with_everything;

#[test]
fn keys_are_read_as_people_give_them() {
    let bastion = with_everything();
    let (private, line) = bastion.key("bob", &["-t", "ecdsa", "-b", "384", "-N", ""]);
    let public = private.with_extension("pub");
    let said = bastion.fails(2, &["key", "add", "bob", path(&private)]);
    assert!(said.contains(".pub"), "{said}");
    let said = bastion.fails(
        2,
        &[
            "key",
            "add",
            "bob",
            path(&bastion.file("optioned", &format!("command=\"x\" {line}"))),
        ],
    );
    assert!(said.contains("command"), "{said}");
    let (small, _) = bastion.key("small", &["-t", "rsa", "-b", "1024", "-N", ""]);
    let said = bastion.fails(
        2,
        &["key", "add", "bob", path(&small.with_extension("pub"))],
    );
    assert!(said.contains("2048"), "{said}");
    bastion.fails(
        2,
        &["key", "add", "bob", path(&public), "--from", "10.0.0.1/8"],
    );
    let said = bastion.fails(
        2,
        &["key", "add", "bob", path(&public), "--verify-required"],
    );
    assert!(said.contains("sk-"), "{said}");
    bastion.fails(3, &["key", "add", "bbo", path(&public)]);

    let added = bastion.json(&[
        "key",
        "add",
        "bob",
        path(&public),
        "--from",
        "10.0.0.0/8,192.0.2.7",
        "--valid-until",
        "2099-12-31T00:00:00Z",
    ]);
    assert_eq!(
        added[0]["from"],
        serde_json::json!(["10.0.0.0/8", "192.0.2.7/32"])
    );
    assert_eq!(added[0]["comment"], "bob");
    let fingerprint = added[0]["fingerprint"].as_str().unwrap().to_owned();
    bastion.fails(2, &["key", "add", "bob", path(&public)]);
    let short = &fingerprint[..15];
    let set = bastion.json(&[
        "key",
        "set",
        short,
        "--rm-from",
        "10.0.0.0/8",
        "--add-from",
        "2001:db8::/32",
        "--comment",
        "laptop",
    ]);
    assert_eq!(
        set[0]["from"],
        serde_json::json!(["192.0.2.7/32", "2001:db8::/32"])
    );
    // The last network does not go by accident: then the key would be usable from anywhere.
    bastion.fails(
        2,
        &["key", "set", short, "--rm-from", "192.0.2.7,2001:db8::/32"],
    );
    assert_eq!(
        bastion.json(&["key", "set", short, "--from", "none"])[0]["from"],
        serde_json::json!([])
    );
    bastion.fails(2, &["key", "set", short, "--verify-required"]);
    assert_eq!(
        bastion.json(&["key", "show", &fingerprint])[0]["user"],
        "bob"
    );
    assert_eq!(bastion.json(&["key", "ls", "bob"]).len(), 1);
    bastion.fails(3, &["key", "ls", "nobody-1"]);
    bastion.fails(3, &["key", "show", "SHA256:AAAAAAAAAAAAAAA"]);

    // Two users with one key: say whose.
    assert!(
        bastion
            .run_with(&["key", "add", "alice", "-"], &line)
            .status
            .success()
    );
    let said = bastion.fails(2, &["key", "rm", short, "--yes"]);
    assert!(said.contains("alice and bob"), "{said}");
    bastion.ok(&[
        "key",
        "rm",
        short,
        "--user",
        "bob",
        "--yes",
        "--comment",
        "lost",
    ]);
    assert_eq!(bastion.json(&["key", "show", short])[0]["user"], "alice");
}

#[test]
fn host_keys_are_added_and_removed() {
    let bastion = with_everything();
    let (private, _) = bastion.key("host", &["-t", "ed25519", "-N", ""]);
    let added = bastion.json(&[
        "host-key",
        "add",
        "web1",
        path(&private.with_extension("pub")),
    ]);
    assert_eq!(
        keys(&added[0]),
        ["asset", "type", "fingerprint", "origin", "created_at"]
    );
    assert_eq!(added[0]["origin"], "added");
    let fingerprint = added[0]["fingerprint"].as_str().unwrap();
    assert_eq!(bastion.json(&["host-key", "ls", "web1"]).len(), 1);
    assert_eq!(bastion.json(&["host-key", "ls", "web?"]).len(), 1);
    assert_eq!(
        bastion.json(&["asset", "show", "web1"])[0]["host_keys"][0]["fingerprint"],
        fingerprint
    );
    bastion.fails(2, &["host-key", "add", "web1", path(&private)]);
    bastion.fails(3, &["host-key", "rm", "web2", fingerprint, "--yes"]);
    bastion.ok(&["host-key", "rm", "web1", &fingerprint[..20], "--yes"]);
    assert_eq!(bastion.ok(&["host-key", "ls"]), "");
}

#[test]
fn text_of_others_cannot_reach_the_terminal() {
    let bastion = with_everything();
    let hostile = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJDAkqK5dBB0dPLOyzGoKpcSWbz8aJ9wbYb1jfWHEtC1 \u{9b}31m\u{202e}red";
    let output = bastion.run_with(&["key", "add", "bob", "-"], hostile);
    let shown = text(&output.stdout)
        + &text(&output.stderr)
        + &bastion.ok(&["key", "ls"])
        + &bastion.ok(&["key", "ls", "--json"]);
    assert!(
        !shown.contains(['\u{9b}', '\u{202e}', '\u{1b}']),
        "{shown:?}"
    );
    bastion.fails(2, &["user", "set", "bob", "--comment", "\u{1b}[2J"]);
}
