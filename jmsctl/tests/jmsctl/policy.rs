//! Users, assets and grants.

use crate::bastion::{Bastion, keys};
use crate::terminal::Terminal;
use serde_json::Value;

pub fn with_everything() -> Bastion {
    let bastion = Bastion::new();
    let (_, line) = bastion.key("alice", &["-t", "ed25519", "-N", ""]);
    assert!(
        bastion
            .run_with(&["user", "add", "alice", "--key", "-"], &line)
            .status
            .success()
    );
    bastion.ok(&["user", "add", "bob", "--full-name", "Bob Martin"]);
    bastion.ok(&["asset", "add", "web1", "--address", "192.0.2.1"]);
    bastion.ok(&["asset", "add", "web2", "--address", "192.0.2.2"]);
    bastion.ok(&["system-user", "add", "dev", "--generate", "ed25519"]);
    bastion.ok(&[
        "grant",
        "add",
        "g1",
        "--user",
        "alice",
        "--asset",
        "web1",
        "--system-user",
        "dev",
        "--rights",
        "shell,exec",
    ]);
    bastion
}

#[test]
fn fields_are_a_promise_to_scripts() {
    let bastion = with_everything();
    let user = [
        "name",
        "uid",
        "full_name",
        "email",
        "role",
        "enabled",
        "valid_from",
        "valid_until",
        "mfa",
        "mfa_asked",
        "user_groups",
        "comment",
        "created_at",
        "updated_at",
    ];
    assert_eq!(keys(&bastion.json(&["user", "ls"])[0]), user);
    assert_eq!(
        keys(&bastion.json(&["user", "show", "alice"])[0]),
        [&user[..], &["second_factor", "keys", "seen_at"]].concat()
    );
    assert_eq!(
        keys(&bastion.json(&["key", "ls"])[0]),
        [
            "user",
            "type",
            "fingerprint",
            "from",
            "valid_until",
            "verify_required",
            "comment",
            "created_at",
            "updated_at"
        ]
    );
    let asset = [
        "name",
        "address",
        "port",
        "protocol",
        "platform",
        "site",
        "gateway",
        "gateway_system_user",
        "asset_groups",
        "algorithms",
        "host_key_policy",
        "privileged_system_user",
        "limit_sessions",
        "active",
        "comment",
        "created_at",
        "updated_at",
    ];
    assert_eq!(keys(&bastion.json(&["asset", "ls"])[0]), asset);
    assert_eq!(
        keys(&bastion.json(&["asset", "show", "web1"])[0]),
        [&asset[..], &["host_keys"]].concat()
    );
    assert_eq!(
        keys(&bastion.json(&["grant", "ls"])[0]),
        [
            "name",
            "users",
            "user_groups",
            "assets",
            "asset_groups",
            "sites",
            "system_users",
            "rights",
            "valid_from",
            "valid_until",
            "require_mfa",
            "comment",
            "created_at",
            "updated_at",
        ]
    );
    let shown = &bastion.json(&["grant", "show", "g1"])[0];
    assert_eq!(shown["rights"], serde_json::json!(["shell", "exec"]));
    assert_eq!(shown["valid_until"], Value::Null);
    assert!(shown["created_at"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn users_are_added_changed_listed_and_removed() {
    let bastion = with_everything();
    let set = bastion.json(&[
        "user",
        "set",
        "bob",
        "--email",
        "bob@example.org",
        "--valid-until",
        "2099-01-01T00:00:00Z",
        "--comment",
        "robot",
    ]);
    assert_eq!(set[0]["full_name"], "Bob Martin");
    assert_eq!(set[0]["valid_until"], "2099-01-01T00:00:00.000Z");
    assert_eq!(set[0]["comment"], "robot");
    assert_eq!(
        bastion.json(&["user", "set", "bob", "--valid-until", "none"])[0]["valid_until"],
        Value::Null
    );
    bastion.fails(
        2,
        &[
            "user",
            "set",
            "bob",
            "--valid-from",
            "2d",
            "--valid-until",
            "1d",
        ],
    );

    let names = |arguments: &[&str]| -> Vec<String> {
        bastion
            .json(arguments)
            .iter()
            .map(|row| row["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&["user", "ls"]), ["alice", "bob"]);
    assert_eq!(names(&["user", "ls", "b*"]), ["bob"]);
    assert_eq!(names(&["user", "ls", "MARTIN"]), ["bob"]);
    assert_eq!(
        names(&["user", "ls", "--sort", "-name", "--limit", "1"]),
        ["bob"]
    );
    assert_eq!(
        keys(&bastion.json(&["user", "ls", "--columns", "uid,full-name"])[0]),
        ["uid", "full_name"]
    );
    let table = bastion.ok(&["user", "ls", "--columns", "name,role"]);
    assert_eq!(table, "name   role\nalice  user\nbob    user\n");
    let said = bastion.fails(2, &["user", "ls", "--columns", "colour"]);
    assert!(said.contains("full_name"), "{said}");
    assert_eq!(bastion.ok(&["user", "ls", "nobody-like-that"]), "");

    assert_eq!(
        bastion.json(&["user", "disable", "alice", "bob", "--comment", "audit"])[1]["enabled"],
        false
    );
    assert_eq!(bastion.json(&["user", "enable", "bob"])[0]["enabled"], true);

    let said = bastion.fails(2, &["user", "rm", "bob"]);
    assert!(said.contains("--yes"), "{said}");
    bastion.fails(3, &["user", "rm", "bob", "nobody-1", "--yes"]);
    assert_eq!(
        bastion.ok(&["user", "rm", "bob", "--dry-run"]),
        "user bob would be removed\n"
    );
    assert_eq!(names(&["user", "ls"]), ["alice", "bob"]);
    assert_eq!(
        bastion.ok(&["user", "rm", "bob", "--yes"]),
        "user bob removed\n"
    );
    let said = bastion.fails(3, &["user", "show", "alcie"]);
    assert!(said.contains("did you mean alice"), "{said}");
}

#[test]
fn names_of_the_host_are_refused() {
    let bastion = Bastion::new();
    for name in ["daemon", "root", "jms", "sshd"] {
        bastion.fails(2, &["user", "add", name]);
    }
    for name in ["Alice", "a@b", "-x", "", "a b"] {
        bastion.fails(2, &["user", "add", name]);
    }
    bastion.ok(&["user", "add", "alice"]);
    let said = bastion.fails(2, &["user", "add", "alice"]);
    assert!(said.contains("already"), "{said}");
    // A local account with the next uid is passed over.
    bastion.sh("echo 'eve:x:70001:100::/:/bin/sh' >> /etc/passwd");
    assert_eq!(bastion.json(&["user", "add", "bert"])[0]["uid"], 70_002);
}

#[test]
fn a_dry_run_changes_nothing_at_all() {
    let bastion = with_everything();
    let state = "sha256sum /etc/jms/uid-high-water /var/lib/jms/public/*";
    let before = bastion.sh(state);
    let events = bastion.json(&["event", "ls"]).len();
    let shown = bastion.json(&["user", "add", "carol", "--dry-run"]);
    assert_eq!(shown[0]["uid"], 70_002);
    bastion.ok(&["asset", "set", "web1", "--port", "2222", "--dry-run"]);
    bastion.ok(&[
        "system-user",
        "set",
        "dev",
        "--generate",
        "ed25519",
        "--dry-run",
    ]);
    bastion.ok(&["grant", "rm", "g1", "--dry-run"]);
    assert_eq!(bastion.sh(state), before);
    assert_eq!(bastion.json(&["event", "ls"]).len(), events);
    assert_eq!(bastion.json(&["asset", "show", "web1"])[0]["port"], 22);
    bastion.fails(3, &["user", "show", "carol"]);
}

#[test]
fn assets_keep_their_rules() {
    let bastion = with_everything();
    for bad in [
        &["asset", "add", "ls", "--address", "a"][..],
        &["asset", "add", "x", "--address", "-oProxyCommand=x"],
        &["asset", "add", "x", "--address", "root@a"],
        &["asset", "add", "x"],
        &["asset", "add", "x", "--address", "a", "--port", "0"],
        &["asset", "add", "x", "--address", "a", "--active", "perhaps"],
        &[
            "asset",
            "add",
            "x",
            "--address",
            "a",
            "--limit-sessions",
            "0",
        ],
        &["asset", "add", "web1", "--address", "a"],
    ] {
        bastion.fails(2, bad);
    }
    bastion.fails(
        3,
        &["asset", "add", "x", "--address", "a", "--platform", "amiga"],
    );
    let set = bastion.json(&[
        "asset",
        "set",
        "web1",
        "--limit-sessions",
        "3",
        "--host-key-policy",
        "pin",
        "--active",
        "no",
    ]);
    assert_eq!(
        (&set[0]["limit_sessions"], &set[0]["host_key_policy"]),
        (&3.into(), &"pin".into())
    );
    assert_eq!(set[0]["active"], false);
    assert_eq!(
        bastion.json(&["asset", "set", "web1", "--limit-sessions", "none"])[0]["limit_sessions"],
        Value::Null
    );
    bastion.ok(&["asset", "rm", "web1", "web2", "--yes"]);
    assert_eq!(bastion.ok(&["asset", "ls"]), "");
}

#[test]
fn grants_are_edited_in_place_and_refuse_what_allows_nothing() {
    let bastion = with_everything();
    let set = bastion.json(&[
        "grant",
        "set",
        "g1",
        "--add-user",
        "bob",
        "--add-asset",
        "web*",
        "--add-rights",
        "upload",
        "--rm-rights",
        "exec",
    ]);
    assert_eq!(set[0]["users"], serde_json::json!(["alice", "bob"]));
    assert_eq!(set[0]["assets"], serde_json::json!(["web1", "web2"]));
    assert_eq!(set[0]["rights"], serde_json::json!(["shell", "upload"]));
    let set = bastion.json(&[
        "grant",
        "set",
        "g1",
        "--rm-user",
        "alice",
        "--asset",
        "web2",
        "--valid-until",
        "8h",
    ]);
    assert_eq!(set[0]["users"], serde_json::json!(["bob"]));
    assert_eq!(set[0]["assets"], serde_json::json!(["web2"]));
    assert!(set[0]["valid_until"].is_string());
    for bad in [
        &["grant", "set", "g1", "--rm-user", "bob"][..],
        &["grant", "set", "g1", "--rights", "everything"],
        &["grant", "add", "g2", "--user", "alice"],
        &[
            "grant",
            "add",
            "g2",
            "--user",
            "alice",
            "--asset",
            "web1",
            "--system-user",
            "dev",
        ],
        &[
            "grant",
            "add",
            "g1",
            "--user",
            "alice",
            "--asset",
            "web1",
            "--system-user",
            "dev",
            "--rights",
            "shell",
        ],
    ] {
        bastion.fails(2, bad);
    }
    bastion.fails(3, &["grant", "set", "g1", "--rm-user", "alice"]);
    bastion.fails(3, &["grant", "set", "g1", "--add-user", "alcie"]);
    bastion.fails(3, &["grant", "set", "g1", "--add-user", "z*"]);
    assert_eq!(
        bastion.ok(&["grant", "rm", "g1", "--yes"]),
        "grant g1 removed\n"
    );
}

#[test]
fn every_change_is_an_event_with_its_author_and_reason() {
    let bastion = Bastion::new();
    let mut command = bastion.jmsctl(&["user", "add", "alice", "--comment", "from HR"]);
    assert!(
        command
            .env("SUDO_USER", "carol")
            .output()
            .unwrap()
            .status
            .success()
    );
    let mut command = bastion.jmsctl(&["user", "disable", "alice", "--comment", "on leave"]);
    assert!(
        command
            .env("SUDO_USER", "carol) root")
            .output()
            .unwrap()
            .status
            .success()
    );
    let events = bastion.json(&["event", "ls", "--type", "policy.change"]);
    assert_eq!(events[0]["actor"], "root (sudo by carol)");
    assert!(events[0]["after"].as_str().unwrap().contains("from HR"));
    assert_eq!(events[1]["actor"], "root");
    assert_eq!(events[1]["comment"], "on leave");
    assert!(
        events[1]["before"]
            .as_str()
            .unwrap()
            .contains("\"enabled\":true")
    );
}

#[test]
fn a_person_is_asked_before_anything_is_removed() {
    let bastion = with_everything();
    let mut terminal = Terminal::start(&bastion, &["user", "rm", "bob"]);
    terminal.expect("Remove the user bob with all keys and direct grants? [y/N]");
    terminal.type_keys("\n");
    assert_eq!(terminal.wait().code(), Some(1));
    bastion.ok(&["user", "show", "bob"]);
    let mut terminal = Terminal::start(&bastion, &["user", "rm", "bob"]);
    terminal.expect("[y/N]");
    terminal.type_keys("y\n");
    assert!(terminal.wait().success());
    bastion.fails(3, &["user", "show", "bob"]);
}
