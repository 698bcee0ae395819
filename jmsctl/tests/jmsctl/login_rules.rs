//! `jmsctl login-rule`.

use crate::bastion::{Bastion, keys, text};
use serde_json::json;

fn bastion() -> Bastion {
    let bastion = Bastion::new();
    for name in ["alice", "bob"] {
        bastion.ok(&["user", "add", name]);
    }
    bastion.ok(&["user-group", "add", "team", "--user", "bob"]);
    bastion
}

#[test]
fn a_rule_is_added_changed_shown_and_removed() {
    let bastion = bastion();
    bastion.ok(&[
        "login-rule",
        "add",
        "all",
        "--verdict",
        "deny",
        "--priority",
        "99",
    ]);
    let rule = &bastion.json(&[
        "login-rule",
        "add",
        "office",
        "--verdict",
        "notify",
        "--user",
        "al*",
        "--user-group",
        "team",
        "--role",
        "admin,auditor",
        "--source",
        "10.8.0.0/16,192.0.2.7",
        "--time",
        "mon-fri 09:00-18:00 Asia/Shanghai",
        "--time",
        "Sat 10:00-12:00 UTC",
        "--comment",
        "when somebody is there",
    ])[0];
    assert_eq!(
        keys(rule),
        [
            "name",
            "priority",
            "verdict",
            "everybody",
            "users",
            "user_groups",
            "roles",
            "sources",
            "times",
            "comment",
            "created_at",
            "updated_at"
        ]
    );
    assert_eq!(rule["users"], json!(["alice"]));
    assert_eq!(rule["roles"], json!(["admin", "auditor"]));
    assert_eq!(rule["sources"], json!(["10.8.0.0/16", "192.0.2.7/32"]));
    let times = json!(["Mon-Fri 09:00-18:00 Asia/Shanghai", "Sat 10:00-12:00 UTC"]);
    assert_eq!(rule["times"], times);
    assert_eq!(
        (&rule["everybody"], &rule["priority"]),
        (&json!(false), &json!(50))
    );
    // In the order in which they are asked.
    let listed = bastion.json(&["login-rule", "ls"]);
    let names: Vec<&str> = listed
        .iter()
        .map(|rule| rule["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["office", "all"]);
    assert_eq!(listed[1]["everybody"], json!(true));

    bastion.ok(&[
        "login-rule",
        "set",
        "office",
        "--add-user",
        "bob",
        "--rm-user-group",
        "team",
    ]);
    bastion.ok(&[
        "login-rule",
        "set",
        "office",
        "--role",
        "none",
        "--time",
        "none",
    ]);
    let rule = &bastion.json(&["login-rule", "show", "office"])[0];
    assert_eq!(rule["users"], json!(["alice", "bob"]));
    assert_eq!((&rule["roles"], &rule["times"]), (&json!([]), &json!([])));
    let nobody = bastion.run(&["login-rule", "set", "office", "--user", "none"]);
    assert_eq!(nobody.status.code(), Some(2));
    assert!(
        text(&nobody.stderr).contains("--everybody"),
        "{}",
        text(&nobody.stderr)
    );
    let all = &bastion.json(&[
        "login-rule",
        "set",
        "office",
        "--everybody",
        "--verdict",
        "allow",
    ])[0];
    assert_eq!(
        (&all["users"], &all["everybody"]),
        (&json!([]), &json!(true))
    );
    bastion.ok(&["login-rule", "rm", "office", "--yes"]);
    assert_eq!(
        bastion.run(&["login-rule", "show", "office"]).status.code(),
        Some(3)
    );
}

#[test]
fn what_is_wrong_is_said_and_nothing_is_written() {
    let bastion = bastion();
    for (flags, reason) in [
        (&["--verdict", "maybe"][..], "allow, deny, notify"),
        (
            &["--verdict", "deny", "--source", "10.0.0.1/8"],
            "no network",
        ),
        (
            &["--verdict", "deny", "--role", "king"],
            "user, auditor, admin",
        ),
        (
            &["--verdict", "deny", "--time", "Mon-Fri 09:00-18:00"],
            "time zone is missing",
        ),
        (
            &[
                "--verdict",
                "deny",
                "--time",
                "Mon-Fri 09:00-18:00 Asia/Shangai",
            ],
            "did you mean Asia/Shanghai",
        ),
        (
            &["--verdict", "deny", "--time", "Mon-Fri 9-18 UTC"],
            "no time of day",
        ),
        (&["--verdict", "deny", "--priority", "0"], "from 1 to 10000"),
    ] {
        let mut command = vec!["login-rule", "add", "rule"];
        command.extend(flags);
        let output = bastion.run(&command);
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
        let said = text(&output.stderr);
        assert!(said.contains(reason), "{flags:?}: {said}");
    }
    let unknown = bastion.run(&[
        "login-rule",
        "add",
        "rule",
        "--verdict",
        "deny",
        "--user",
        "alcie",
    ]);
    assert_eq!(unknown.status.code(), Some(3));
    assert_eq!(
        bastion.json(&["login-rule", "ls"]),
        Vec::<serde_json::Value>::new()
    );
}

#[test]
fn a_trial_says_each_rule_that_was_tried_and_why() {
    let bastion = bastion();
    bastion.ok(&[
        "login-rule",
        "add",
        "of-bob",
        "--verdict",
        "deny",
        "--user",
        "bob",
        "--priority",
        "1",
    ]);
    bastion.ok(&[
        "login-rule",
        "add",
        "vpn",
        "--verdict",
        "notify",
        "--source",
        "10.8.0.0/16",
    ]);
    let office = [
        "login-rule",
        "add",
        "office",
        "--verdict",
        "allow",
        "--priority",
        "60",
        "--time",
        "Mon-Fri 09:00-18:00 Asia/Shanghai",
    ];
    bastion.ok(&office);
    bastion.ok(&[
        "login-rule",
        "add",
        "rest",
        "--verdict",
        "deny",
        "--priority",
        "99",
    ]);
    let trial = |user, source, at| {
        let output = bastion.run(&[
            "--json",
            "login-rule",
            "test",
            user,
            "--source",
            source,
            "--at",
            at,
        ]);
        let json: serde_json::Value = serde_json::from_str(&text(&output.stdout)).unwrap();
        assert_eq!(
            output.status.code(),
            Some(if json["allow"] == json!(true) { 0 } else { 1 })
        );
        json
    };
    // A Friday.
    let vpn = trial("alice", "10.8.1.2", "2026-11-20T20:00:00Z");
    assert_eq!(
        keys(&vpn),
        ["user", "source", "at", "allow", "verdict", "rule", "steps"]
    );
    assert_eq!(
        (&vpn["verdict"], &vpn["rule"]),
        (&json!("notify"), &json!("vpn"))
    );
    let day = trial("alice", "192.0.2.1", "2026-11-20T10:00:00+08:00");
    assert_eq!(
        (&day["verdict"], &day["rule"]),
        (&json!("allow"), &json!("office"))
    );
    let night = trial("alice", "192.0.2.1", "2026-11-20T20:00:00+08:00");
    assert_eq!(
        (&night["verdict"], &night["rule"]),
        (&json!("deny"), &json!("rest"))
    );
    let said: Vec<&str> = night["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["because"].as_str().unwrap())
        .collect();
    assert_eq!(
        said,
        [
            "is not about him",
            "is not about logins from there, only 10.8.0.0/16",
            "does not hold now: it is Fri 20:00 in Asia/Shanghai, not Mon-Fri 09:00-18:00 Asia/Shanghai",
            "fits from anywhere and at any time",
        ]
    );
    assert_eq!(
        trial("bob", "10.8.1.2", "2026-11-20T20:00:00Z")["rule"],
        json!("of-bob")
    );
    // For people.
    let output = bastion.run(&[
        "login-rule",
        "test",
        "alice",
        "--source",
        "192.0.2.1",
        "--at",
        "2026-11-21T00:00:00Z",
    ]);
    let said = text(&output.stdout);
    assert!(
        said.contains("  no   vpn     is not about logins from there"),
        "{said}"
    );
    assert!(said.ends_with("deny, by login rule rest\n"), "{said}");
    assert!(text(&output.stderr).contains("alice would not be let in from 192.0.2.1 then"));
    // A row that somebody broke by hand refuses; it is shown as it is, and can be removed.
    bastion.sh("python3 -c \"
import sqlite3
store = sqlite3.connect('/var/lib/jms/jms.db')
store.execute(\\\"UPDATE login_rule SET times = 'every day' WHERE name = 'vpn'\\\")
store.commit()\"
chown jms:jms /var/lib/jms/jms.db*");
    let broken = trial("alice", "10.8.1.2", "2026-11-20T20:00:00Z");
    assert_eq!(
        (&broken["verdict"], &broken["rule"]),
        (&json!("unreadable"), &json!("vpn"))
    );
    assert_eq!(
        bastion.json(&["login-rule", "show", "vpn"])[0]["times"],
        json!(["every day"])
    );
    bastion.ok(&["login-rule", "rm", "vpn", "--yes"]);
}

#[test]
fn the_policy_file_has_the_rules() {
    let bastion = bastion();
    bastion.ok(&[
        "login-rule",
        "add",
        "rest",
        "--verdict",
        "deny",
        "--priority",
        "99",
    ]);
    bastion.ok(&[
        "login-rule",
        "add",
        "team",
        "--verdict",
        "allow",
        "--user-group",
        "team",
        "--time",
        "Mon-Fri 22:00-06:00 UTC",
    ]);
    let exported = bastion.ok(&["export"]);
    assert!(
        exported.contains("[login-rule.team]\npriority = 50\nverdict = \"allow\""),
        "{exported}"
    );
    bastion.ok(&["login-rule", "rm", "team", "rest", "--yes"]);
    let file = bastion.file("policy.toml", &exported);
    bastion.ok(&["apply", file.to_str().unwrap(), "--yes"]);
    assert_eq!(bastion.ok(&["export"]), exported);
    bastion.ok(&["diff", file.to_str().unwrap()]);
    let file = bastion.file(
        "wrong.toml",
        "[login-rule.x]\nverdict = \"deny\"\ntimes = [\"Mon 25:00-26:00 UTC\"]\n",
    );
    let wrong = bastion.run(&["apply", file.to_str().unwrap(), "--yes"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        text(&wrong.stderr).contains("no time of day"),
        "{}",
        text(&wrong.stderr)
    );
}

#[test]
fn who_was_away_is_let_in_again_by_enable() {
    let bastion = bastion();
    let seen = |bastion: &Bastion| {
        bastion.json(&["user", "show", "alice"])[0]["seen_at"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let before = seen(&bastion);
    bastion.ok(&["user", "enable", "alice"]);
    assert!(seen(&bastion) > before);
}
