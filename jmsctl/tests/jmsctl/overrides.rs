//! Privileged system users, and what differs of a system user on one asset.

use crate::bastion::keys;
use crate::policy::with_everything;
use serde_json::{Value, json};

#[test]
fn a_system_user_differs_on_one_asset_and_is_the_same_on_the_others() {
    let bastion = with_everything();
    let common = bastion.json(&["system-user", "show", "dev"])[0]["public_key"].clone();
    let set = |words: &[&str]| bastion.json(&[&["system-user", "set", "dev"][..], words].concat());
    let said = set(&[
        "--asset",
        "web1",
        "--login",
        "developer",
        "--shell",
        "/bin/sh",
    ]);
    assert_eq!(
        keys(&said[0]),
        [
            "system_user",
            "asset",
            "login",
            "shell",
            "shell_hooks",
            "has_secret",
            "public_key",
            "fingerprint"
        ]
    );
    assert_eq!(
        (&said[0]["login"], &said[0]["shell"]),
        (&json!("developer"), &json!("/bin/sh"))
    );
    let made = set(&["--asset", "web*", "--generate", "ed25519"]);
    assert_eq!(made.len(), 2);
    assert_ne!(
        made[0]["public_key"], made[1]["public_key"],
        "each asset has its own"
    );
    assert!(made.iter().all(|one| one["has_secret"] == true));
    assert_eq!(made[0]["login"], "developer", "what is not said stays");

    let shown = &bastion.json(&["system-user", "show", "dev"])[0];
    assert_eq!(shown["public_key"], common, "elsewhere it is as it was");
    assert_eq!(shown["overrides"].as_array().unwrap().len(), 2);
    assert_eq!(shown["overrides"][1]["login"], Value::Null);

    set(&["--asset", "web1", "--login", "none", "--shell", "none"]);
    let shown = &bastion.json(&["system-user", "show", "dev"])[0];
    assert_eq!(shown["overrides"][0]["shell"], Value::Null);
    set(&["--rm-asset", "web1,web2"]);
    assert_eq!(
        bastion.json(&["system-user", "show", "dev"])[0]["overrides"],
        json!([])
    );

    bastion.fails(3, &["system-user", "set", "dev", "--rm-asset", "web1"]);
    bastion.fails(
        3,
        &[
            "system-user",
            "set",
            "dev",
            "--asset",
            "wbe1",
            "--login",
            "x",
        ],
    );
    bastion.fails(
        3,
        &[
            "system-user",
            "set",
            "dve",
            "--asset",
            "web1",
            "--login",
            "x",
        ],
    );
    for bad in [
        &["--asset", "web1"][..],
        &["--asset", "web1", "--login", "a b"],
        &["--asset", "web1", "--privileged"],
        &["--asset", "web1", "--shell", "sh"],
    ] {
        bastion.fails(2, &[&["system-user", "set", "dev"][..], bad].concat());
    }
    let events = bastion.json(&["event", "ls", "--type", "policy.change"]);
    let of_web1: Vec<&str> = events
        .iter()
        .filter(|event| event["name"] == "dev@web1")
        .map(|event| event["result"].as_str().unwrap())
        .collect();
    assert_eq!(of_web1, ["add", "set", "set", "rm"]);
    assert!(
        !bastion
            .ok(&["event", "ls", "--json"])
            .contains("PRIVATE KEY")
    );
}

#[test]
fn only_a_privileged_system_user_pushes_the_others_and_stays_one_while_it_does() {
    let bastion = with_everything();
    let said = bastion.fails(
        2,
        &["asset", "set", "web1", "--privileged-system-user", "dev"],
    );
    assert!(
        said.contains("jmsctl system-user set dev --privileged"),
        "{said}"
    );
    bastion.ok(&["system-user", "add", "root", "--privileged"]);
    let set = bastion.json(&["asset", "set", "web1", "--privileged-system-user", "root"]);
    assert_eq!(set[0]["privileged_system_user"], "root");
    bastion.ok(&["defaults", "set", "--privileged-system-user", "root"]);
    let said = bastion.fails(2, &["system-user", "set", "root", "--privileged=no"]);
    assert!(said.contains("asset web1, the defaults name it"), "{said}");
    let dry = bastion.run(&["system-user", "rm", "root", "--dry-run"]);
    let said = String::from_utf8(dry.stderr).unwrap();
    assert!(said.contains("asset web1 no longer names it"), "{said}");
    assert!(
        said.contains("the defaults name no privileged system user"),
        "{said}"
    );
    bastion.ok(&["asset", "set", "web1", "--privileged-system-user", "none"]);
    bastion.ok(&["defaults", "set", "--privileged-system-user", "none"]);
    bastion.ok(&["system-user", "set", "root", "--privileged=no"]);
    bastion.ok(&["asset", "set", "web1", "--protocol", "ssh"]);
    let said = bastion.fails(2, &["asset", "set", "web1", "--protocol", "telnet"]);
    assert!(said.contains("not in this version"), "{said}");
}
