//! Several administrators at once, as real processes: nobody's change is lost, and events tell them in their order.

use crate::bastion::{Bastion, text};
use std::process::{Child, Stdio};

/// Changes that each of them makes.
const CHANGES: u32 = 12;

/// A script that makes one change after the other; it ends at the first that fails.
fn administrator(bastion: &Bastion, change: &str) -> Child {
    let jmsctl = env!("CARGO_BIN_EXE_jmsctl");
    let script = format!(
        "i=1; while [ $i -le {CHANGES} ]; do {jmsctl} asset set web1 {change} --quiet || exit; i=$((i+1)); done"
    );
    let mut shell = bastion.command("sh");
    shell.args(["-c", &script]);
    shell.stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn two_who_change_one_asset_at_once_lose_nothing() {
    let bastion = Bastion::new();
    bastion.ok(&["asset", "add", "web1", "--address", "192.0.2.1"]);
    for number in 1..=CHANGES {
        bastion.ok(&["asset-group", "add", &format!("/place/{number}")]);
    }
    let at_work = [
        administrator(&bastion, "--port $((2000+i))"),
        administrator(&bastion, "--comment note-$i"),
        administrator(&bastion, "--add-asset-group /place/$i"),
    ];
    bastion.ok(&["asset", "show", "web1"]);
    for one in at_work {
        let end = one.wait_with_output().unwrap();
        assert!(end.status.success(), "{}", text(&end.stderr));
    }
    let asset = &bastion.json(&["asset", "show", "web1"])[0];
    assert_eq!(asset["port"], 2000 + CHANGES);
    assert_eq!(asset["comment"], format!("note-{CHANGES}"));
    let places = asset["asset_groups"].as_array().unwrap();
    assert_eq!(places.len(), CHANGES as usize, "{places:?}");

    // Each change begins where the one before it ended.
    let events = bastion.json(&["event", "ls", "--type", "policy.change", "--limit", "0"]);
    let part = |event: &serde_json::Value, name: &str| -> serde_json::Value {
        let text = event[name].as_str().unwrap_or("null");
        serde_json::from_str(text).unwrap()
    };
    let of_web1: Vec<_> = events
        .iter()
        .filter(|event| event["object"] == "asset" && event["name"] == "web1")
        .collect();
    assert_eq!(of_web1.len(), 1 + 3 * CHANGES as usize);
    for pair in of_web1.windows(2) {
        assert_eq!(part(pair[0], "after"), part(pair[1], "before"));
    }
}

#[test]
fn of_two_who_add_one_name_at_once_one_is_told_that_it_is_there() {
    let bastion = Bastion::new();
    let add = || {
        let mut command = bastion.jmsctl(&["user", "add", "alice", "--quiet"]);
        command.stderr(Stdio::piped()).spawn().unwrap()
    };
    let at_work = [add(), add(), add()];
    let mut added = 0;
    for one in at_work {
        let end = one.wait_with_output().unwrap();
        match end.status.code() {
            Some(0) => added += 1,
            Some(2) => assert!(text(&end.stderr).contains("alice"), "{}", text(&end.stderr)),
            other => panic!("{other:?}: {}", text(&end.stderr)),
        }
    }
    assert_eq!((added, bastion.json(&["user", "ls"]).len()), (1, 1));
}
