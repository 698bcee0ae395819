//! User groups, the tree of assets, sites, platforms and defaults.

use crate::bastion::{Bastion, keys};
use crate::policy::with_everything;
use serde_json::{Value, json};

fn names(rows: &[Value], field: &str) -> Vec<String> {
    rows.iter()
        .map(|row| row[field].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn fields_of_groups_and_sites_are_a_promise_to_scripts() {
    let bastion = with_everything();
    bastion.ok(&["user-group", "add", "team"]);
    bastion.ok(&["site", "add", "south"]);
    let group = ["name", "users", "comment", "created_at", "updated_at"];
    assert_eq!(keys(&bastion.json(&["user-group", "ls"])[0]), group);
    assert_eq!(
        keys(&bastion.json(&["user-group", "show", "team"])[0]),
        [&group[..], &["grants"]].concat()
    );
    let place = ["path", "assets", "comment", "created_at", "updated_at"];
    assert_eq!(keys(&bastion.json(&["asset-group", "ls"])[0]), place);
    assert_eq!(
        keys(&bastion.json(&["asset-group", "show", "/"])[0]),
        [&place[..], &["below", "all_assets", "grants"]].concat()
    );
    let site = ["name", "comment", "created_at", "updated_at"];
    assert_eq!(keys(&bastion.json(&["site", "ls"])[0]), site);
    assert_eq!(
        keys(&bastion.json(&["site", "show", "south"])[0]),
        [&site[..], &["assets", "grants"]].concat()
    );
    assert_eq!(
        keys(&bastion.json(&["platform", "ls"])[0]),
        ["name", "comment"]
    );
    assert_eq!(
        bastion.json(&["defaults", "show"])[0],
        json!({
            "privileged_system_user": null, "port": 22, "shell": "/bin/bash",
            "mfa_user": "off", "mfa_auditor": "off", "mfa_admin": "off"
        })
    );
}

#[test]
fn membership_is_edited_from_both_ends() {
    let bastion = with_everything();
    bastion.ok(&["user-group", "add", "team", "--user", "al*,bob"]);
    assert_eq!(
        bastion.json(&["user", "show", "bob"])[0]["user_groups"],
        json!(["team"])
    );
    bastion.ok(&["user", "set", "bob", "--rm-user-group", "team"]);
    let team = &bastion.json(&["user-group", "show", "team"])[0];
    assert_eq!(team["users"], json!(["alice"]));
    bastion.ok(&[
        "user-group",
        "set",
        "team",
        "--add-user",
        "bob",
        "--rm-user",
        "a*",
    ]);
    assert_eq!(
        bastion.json(&["user-group", "ls", "team"])[0]["users"],
        json!(["bob"])
    );
    bastion.ok(&["user", "add", "carol", "--user-group", "team"]);
    bastion.ok(&["user", "set", "bob", "--user-group", "none"]);
    assert_eq!(
        bastion.json(&["user-group", "show", "team"])[0]["users"],
        json!(["carol"])
    );

    bastion.ok(&["asset-group", "add", "/prod/web", "--asset", "web1"]);
    bastion.ok(&["asset", "set", "web2", "--add-asset-group", "/prod"]);
    let prod = &bastion.json(&["asset-group", "show", "/prod"])[0];
    assert_eq!(prod["assets"], json!(["web2"]));
    assert_eq!(prod["below"], json!(["/prod/web"]));
    assert_eq!(prod["all_assets"], json!(["web1", "web2"]));
    let said = bastion.fails(3, &["user-group", "set", "team", "--rm-user", "carl"]);
    assert!(said.contains("did you mean carol"), "{said}");
    let said = bastion.fails(3, &["user", "set", "bob", "--add-user-group", "taem"]);
    assert!(said.contains("did you mean team"), "{said}");
    let said = bastion.fails(3, &["asset-group", "show", "/prod/wbe"]);
    assert!(said.contains("did you mean /prod/web"), "{said}");
    bastion.fails(3, &["asset-group", "set", "/prod", "--add-asset", "db*"]);
    for bad in ["prod", "/prod/", "/a//b", "/..", "/a b", "/"] {
        bastion.fails(2, &["asset-group", "add", bad]);
    }
    for bad in ["none", "", "-x", "a b", "team"] {
        bastion.fails(2, &["user-group", "add", bad]);
    }
}

#[test]
fn the_tree_is_drawn_with_what_stands_below_each_place() {
    let bastion = with_everything();
    bastion.ok(&["asset-group", "add", "/prod-old"]);
    bastion.ok(&["asset-group", "add", "/prod/web", "--asset", "web1,web2"]);
    bastion.ok(&[
        "asset-group",
        "set",
        "/prod",
        "--add-asset",
        "web1",
        "--comment",
        "careful",
    ]);
    assert_eq!(
        bastion.ok(&["asset-group", "ls", "--tree"]),
        "place       assets  comment\n\
         /           2       All assets\n  \
         prod      2       careful\n    \
         web     2\n  \
         prod-old  0\n"
    );
    assert_eq!(
        names(&bastion.json(&["asset-group", "ls", "--tree"]), "path"),
        ["/", "/prod", "/prod-old", "/prod/web"]
    );
    bastion.fails(2, &["asset-group", "rm", "/", "--yes"]);
    bastion.ok(&["asset-group", "rm", "/prod", "--yes"]);
    assert_eq!(
        names(&bastion.json(&["asset-group", "ls"]), "path"),
        ["/", "/prod-old"]
    );
    assert_eq!(bastion.json(&["asset", "ls"]).len(), 2, "assets stay");
}

#[test]
fn what_hangs_on_an_object_is_said_before_it_is_removed() {
    let bastion = with_everything();
    bastion.ok(&["user-group", "add", "team", "--user", "alice"]);
    bastion.ok(&["site", "add", "south"]);
    bastion.ok(&["asset", "set", "web2", "--site", "south"]);
    bastion.ok(&["asset-group", "add", "/prod/web"]);
    let grant = |name: &str, more: &[&str]| {
        let common = [
            "grant",
            "add",
            name,
            "--system-user",
            "dev",
            "--rights",
            "shell",
        ];
        bastion.ok(&[&common[..], more].concat());
    };
    grant("by-team", &["--user-group", "team", "--site", "south"]);
    grant(
        "by-both",
        &[
            "--user-group",
            "team",
            "--user",
            "bob",
            "--asset-group",
            "/prod",
        ],
    );

    let said = bastion.fails(2, &["user-group", "rm", "team"]);
    assert!(said.contains("grant by-both goes on without it"), "{said}");
    assert!(
        said.contains("grant by-team goes, too: nobody is left in it"),
        "{said}"
    );
    let dry = bastion.run(&["site", "rm", "south", "--dry-run"]);
    let said = String::from_utf8(dry.stderr).unwrap();
    assert!(said.contains("asset web2 no longer names it"), "{said}");
    assert!(
        said.contains("grant by-team goes, too: no place is left in it"),
        "{said}"
    );
    assert_eq!(bastion.json(&["grant", "ls"]).len(), 3);

    bastion.ok(&["user-group", "rm", "team", "--yes"]);
    assert_eq!(
        names(&bastion.json(&["grant", "ls"]), "name"),
        ["by-both", "g1"]
    );
    bastion.ok(&["site", "rm", "south", "--yes"]);
    assert_eq!(
        bastion.json(&["asset", "show", "web2"])[0]["site"],
        Value::Null
    );
    bastion.ok(&["asset-group", "rm", "/prod", "--yes"]);
    bastion.ok(&["system-user", "set", "dev", "--privileged"]);
    bastion.ok(&["defaults", "set", "--privileged-system-user", "dev"]);
    bastion.ok(&["system-user", "rm", "dev", "--yes"]);
    assert_eq!(
        bastion.json(&["defaults", "show"])[0]["privileged_system_user"],
        Value::Null
    );
    assert!(bastion.json(&["grant", "ls"]).is_empty());
    // Each of them is an event of its own, with what it was before.
    let events = bastion.json(&["event", "ls", "--type", "policy.change"]);
    for (object, name) in [
        ("grant", "by-team"),
        ("grant", "by-both"),
        ("grant", "g1"),
        ("asset-group", "/prod/web"),
        ("asset-group", "/prod"),
    ] {
        let removed = |event: &&Value| {
            (&event["object"], &event["name"], &event["result"])
                == (&json!(object), &json!(name), &json!("rm"))
        };
        let event = events.iter().find(removed).expect(name);
        assert!(event["before"].is_string(), "{event}");
    }
}

#[test]
fn new_objects_get_the_defaults() {
    let bastion = Bastion::new();
    bastion.ok(&["defaults", "set", "--port", "2222", "--shell", "/bin/sh"]);
    let asset = bastion.json(&["asset", "add", "web1", "--address", "192.0.2.1"]);
    assert_eq!(asset[0]["port"], 2222);
    let asset = bastion.json(&[
        "asset",
        "add",
        "web2",
        "--address",
        "192.0.2.2",
        "--port",
        "22",
    ]);
    assert_eq!(asset[0]["port"], 22);
    assert_eq!(
        bastion.json(&["system-user", "add", "dev"])[0]["shell"],
        "/bin/sh"
    );
    bastion.fails(3, &["defaults", "set", "--privileged-system-user", "root"]);
    bastion.fails(2, &["defaults", "set", "--shell", "sh; reboot"]);
    bastion.ok(&["defaults", "set", "--port", "22", "--dry-run"]);
    assert_eq!(bastion.json(&["defaults", "show"])[0]["port"], 2222);
    assert_eq!(
        names(&bastion.json(&["platform", "ls"]), "name"),
        ["linux", "network", "other", "unix", "windows"]
    );
    let said = bastion.fails(3, &["platform", "show", "linus"]);
    assert!(said.contains("did you mean linux"), "{said}");
}

#[test]
fn policy_is_listed_by_when_it_was_changed() {
    let bastion = with_everything();
    for noun in [
        "user",
        "user-group",
        "asset",
        "asset-group",
        "site",
        "system-user",
        "grant",
        "key",
        "host-key",
    ] {
        assert_eq!(
            bastion.ok(&[noun, "ls", "--until", "1h", "--json"]),
            "",
            "{noun}"
        );
    }
    assert_eq!(bastion.json(&["user", "ls", "--since", "1h"]).len(), 2);
    assert_eq!(
        bastion
            .json(&["key", "ls", "alice", "--since", "today"])
            .len(),
        1
    );
}
