//! Who reaches what, and why.

use crate::bastion::{Bastion, keys};
use crate::policy::with_everything;
use serde_json::json;

fn explain(bastion: &Bastion, login: &str, more: &[&str]) -> serde_json::Value {
    let common = ["access", "explain", login];
    bastion.json(&[&common[..], more].concat()).remove(0)
}

#[test]
fn fields_of_access_are_a_promise_to_scripts() {
    let bastion = with_everything();
    assert_eq!(
        keys(&bastion.json(&["access", "ls", "--user", "alice"])[0]),
        [
            "user",
            "system_user",
            "asset",
            "rights",
            "rights_with_factor",
            "grants",
            "valid_until"
        ]
    );
    let explained = explain(&bastion, "alice@dev@web1", &["--right", "shell"]);
    assert_eq!(
        keys(&explained),
        [
            "login",
            "user",
            "system_user",
            "asset",
            "right",
            "allow",
            "rights",
            "steps",
            "near_misses",
            "remarks"
        ]
    );
    assert_eq!(
        keys(&explained["rights"][0]),
        [
            "right",
            "allow",
            "reason",
            "because",
            "grants",
            "factor_needed",
            "valid_until"
        ]
    );
}

#[test]
fn who_reaches_what_is_listed_from_both_ends() {
    let bastion = with_everything();
    bastion.ok(&["user-group", "add", "team", "--user", "alice,bob"]);
    bastion.ok(&["asset-group", "add", "/prod", "--asset", "web2"]);
    bastion.ok(&["system-user", "add", "dba"]);
    bastion.ok(&[
        "grant",
        "add",
        "g2",
        "--user-group",
        "team",
        "--asset-group",
        "/",
        "--system-user",
        "dba",
        "--rights",
        "upload",
        "--valid-until",
        "2099-01-01T00:00:00Z",
    ]);
    let rows = |arguments: &[&str]| -> Vec<String> {
        let common = ["access", "ls"];
        let rows = bastion.json(&[&common[..], arguments].concat());
        let line = |row: &serde_json::Value| {
            let word = |field: &str| row[field].as_str().unwrap().to_owned();
            let grants = &row["grants"];
            format!(
                "{}@{}@{} {grants}",
                word("user"),
                word("system_user"),
                word("asset")
            )
        };
        rows.iter().map(line).collect()
    };
    assert_eq!(
        rows(&["--user", "alice"]),
        [
            r#"alice@dba@web1 ["g2"]"#,
            r#"alice@dev@web1 ["g1"]"#,
            r#"alice@dba@web2 ["g2"]"#
        ]
    );
    assert_eq!(
        rows(&["--asset", "web1"]),
        [
            r#"alice@dba@web1 ["g2"]"#,
            r#"alice@dev@web1 ["g1"]"#,
            r#"bob@dba@web1 ["g2"]"#
        ]
    );
    assert_eq!(rows(&["--user", "*", "--asset", "web2"]).len(), 2);
    assert_eq!(rows(&["--asset", "*", "--system-user", "dev"]).len(), 1);
    assert_eq!(rows(&["--user", "alice", "--limit", "1"]).len(), 1);
    let row = &bastion.json(&["access", "ls", "--user", "bob", "--asset", "web2"])[0];
    assert_eq!(row["valid_until"], "2099-01-01T00:00:00.000Z");

    // An asset that comes to a place that is granted later is reached at once.
    bastion.ok(&["asset", "add", "web3", "--address", "192.0.2.3"]);
    assert_eq!(rows(&["--asset", "web3"]).len(), 2);
    let disabled = bastion.run(&["user", "disable", "bob"]);
    assert!(disabled.status.success());
    let said = bastion.run(&["access", "ls", "--user", "bob"]);
    assert!(said.stdout.is_empty());
    assert!(
        String::from_utf8(said.stderr)
            .unwrap()
            .contains("bob is disabled")
    );
    bastion.fails(2, &["access", "ls"]);
    bastion.fails(3, &["access", "ls", "--user", "alcie"]);
    bastion.fails(3, &["access", "ls", "--asset", "wbe1"]);
}

#[test]
fn an_explanation_names_each_rule_and_the_grants_that_nearly_fit() {
    let bastion = with_everything();
    let yes = explain(&bastion, "alice@dev@web1", &["--right", "shell"]);
    assert_eq!(
        (&yes["allow"], &yes["right"]),
        (&json!(true), &json!("shell"))
    );
    assert_eq!(yes["rights"][0]["grants"], json!(["g1"]));
    assert!(
        yes["remarks"]
            .to_string()
            .contains("jmsctl host-key scan web1"),
        "{yes}"
    );
    let no = explain(&bastion, "alice@dev@web1", &["--right", "delete"]);
    assert_eq!(no["rights"][0]["reason"], "rights-missing");
    let all = explain(&bastion, "alice@web1", &[]);
    assert_eq!(all["login"], "alice@dev@web1");
    let allowed: Vec<bool> = all["rights"]
        .as_array()
        .unwrap()
        .iter()
        .map(|verdict| verdict["allow"].as_bool().unwrap())
        .collect();
    assert_eq!(allowed, [true, true, false, false, false, false]);

    let near = explain(&bastion, "bob@dev@web1", &[]);
    assert_eq!(near["allow"], false);
    assert_eq!(
        near["near_misses"],
        json!(["grant g1 does not name bob or a group of his"])
    );
    assert!(near["remarks"].to_string().contains("bob has no login key"));
    assert_eq!(
        explain(&bastion, "alice@dev@web2", &[])["near_misses"],
        json!(["grant g1 does not name web2, a place above it or its site"])
    );
    bastion.ok(&["grant", "set", "g1", "--valid-from", "2d"]);
    let later = bastion.ok(&["access", "explain", "alice@dev@web1", "--right", "exec"]);
    assert!(
        later.contains("no   grant g1 gives shell,exec and is valid only from"),
        "{later}"
    );
    bastion.ok(&["user", "disable", "alice"]);
    let text = bastion.ok(&["access", "explain", "alice@dev@web1", "--right", "shell"]);
    assert!(text.contains("no   user alice is disabled"), "{text}");
    assert!(
        text.contains("shell     no   the user is disabled"),
        "{text}"
    );

    for bad in ["alice", "alice@dev@web1@x", "@dev@web1"] {
        let status = bastion.run(&["access", "explain", bad]).status.code();
        assert!(matches!(status, Some(2 | 3)), "{bad} {status:?}");
    }
    for (unknown, near) in [
        ("alcie@dev@web1", "alice"),
        ("alice@dve@web1", "dev"),
        ("alice@dev@wbe1", "web1"),
    ] {
        let said = bastion.fails(3, &["access", "explain", unknown]);
        assert!(said.contains(&format!("did you mean {near}")), "{said}");
    }
    bastion.fails(
        2,
        &[
            "access",
            "explain",
            "alice@dev@web1",
            "--right",
            "everything",
        ],
    );
    let said = bastion.fails(2, &["access", "explain", "bob@web1"]);
    assert!(said.contains("bob@SYSTEM_USER@web1"), "{said}");
}
