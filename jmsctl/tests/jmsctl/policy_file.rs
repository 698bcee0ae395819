//! The policy as a file: export, diff, apply.

use crate::bastion::{Bastion, path, text};

/// A policy that uses every kind of object and of reference.
fn with_a_policy() -> Bastion {
    let bastion = Bastion::new();
    let (_, host_key) = bastion.key("host", &["-t", "ed25519", "-N", ""]);
    let host_key = bastion.file("host.line", &host_key);
    let (_, login_key) = bastion.key("laptop", &["-t", "ed25519", "-N", ""]);
    let login_key = bastion.file("login.line", &login_key);
    bastion.ok(&["site", "add", "south", "--comment", "Marseille \"hall 2\""]);
    bastion.ok(&["user-group", "add", "web-team"]);
    bastion.ok(&["asset-group", "add", "/prod/web"]);
    bastion.ok(&[
        "user",
        "add",
        "alice",
        "--user-group",
        "web-team",
        "--full-name",
        "Alice Ünal",
        "--role",
        "admin",
        "--valid-until",
        "2099-01-02T03:04:05Z",
    ]);
    bastion.ok(&[
        "key",
        "add",
        "alice",
        path(&login_key),
        "--from",
        "10.0.0.0/8",
        "--comment",
        "laptop",
    ]);
    bastion.ok(&["user", "add", "bob"]);
    bastion.ok(&["user", "disable", "bob"]);
    bastion.ok(&["system-user", "add", "dev", "--generate", "ed25519"]);
    bastion.ok(&[
        "asset",
        "add",
        "web1",
        "--address",
        "198.51.100.11",
        "--port",
        "2222",
        "--site",
        "south",
        "--asset-group",
        "/prod/web",
        "--limit-sessions",
        "5",
    ]);
    bastion.ok(&["host-key", "add", "web1", path(&host_key)]);
    bastion.ok(&["asset", "add", "web2", "--address", "2001:db8::1"]);
    bastion.ok(&[
        "system-user",
        "set",
        "dev",
        "--asset",
        "web1",
        "--shell",
        "/bin/zsh",
    ]);
    bastion.ok(&["defaults", "set", "--port", "2022"]);
    bastion.ok(&[
        "grant",
        "add",
        "web",
        "--user-group",
        "web-team",
        "--asset-group",
        "/prod",
        "--site",
        "south",
        "--system-user",
        "dev",
        "--rights",
        "shell,exec",
    ]);
    bastion
}

fn exported(bastion: &Bastion) -> String {
    bastion.ok(&["export"])
}

#[test]
fn what_was_exported_makes_the_same_policy_elsewhere_byte_for_byte() {
    let bastion = with_a_policy();
    let policy = exported(&bastion);
    assert!(!policy.contains("PRIVATE"), "{policy}");
    let file = bastion.file("policy.toml", &policy);
    assert_eq!(bastion.ok(&["diff", path(&file)]), "");

    let other = Bastion::new();
    let applied = other.run(&["apply", path(&file), "--yes"]);
    assert!(applied.status.success(), "{}", text(&applied.stderr));
    assert!(
        text(&applied.stderr).contains("jmsctl system-user set dev --key FILE"),
        "{}",
        text(&applied.stderr)
    );
    assert_eq!(exported(&other), policy);
    assert_eq!(other.ok(&["diff", path(&file), "--prune"]), "");
}

#[test]
fn only_what_the_file_says_is_changed() {
    let bastion = with_a_policy();
    let before = exported(&bastion);
    let secret = bastion.json(&["system-user", "show", "dev"])[0]["fingerprint"].clone();
    let file = bastion.file(
        "part.toml",
        "[asset.web2]\nport = 2200\n\n[user.carol]\nfull_name = \"Carol\"\nuser_groups = [\"web-team\"]\n",
    );
    let shown = bastion.run(&["diff", path(&file)]);
    assert_eq!(shown.status.code(), Some(1));
    assert_eq!(
        text(&shown.stdout),
        "+ user carol\n    full_name: Carol\n    user_groups: web-team\n~ asset web2\n    port: 22 → 2200\n"
    );
    assert_eq!(exported(&bastion), before, "diff changes nothing");
    bastion.ok(&["apply", path(&file), "--dry-run"]);
    assert_eq!(exported(&bastion), before, "a dry run changes nothing");

    bastion.ok(&["apply", path(&file), "--yes", "--comment", "ticket 7"]);
    assert_eq!(bastion.json(&["asset", "show", "web2"])[0]["port"], 2200);
    assert_eq!(bastion.json(&["asset", "show", "web1"])[0]["port"], 2222);
    assert_eq!(
        bastion.json(&["user", "show", "carol"])[0]["full_name"],
        "Carol"
    );
    assert_eq!(
        bastion.json(&["system-user", "show", "dev"])[0]["fingerprint"],
        secret
    );
    let events = bastion.ok(&["event", "ls", "--type", "policy.change"]);
    assert!(events.contains("ticket 7"), "{events}");
    assert!(text(&bastion.run(&["apply", path(&file)]).stderr).contains("nothing to do"));
}

#[test]
fn what_is_not_in_the_file_goes_only_with_prune_and_only_where_the_file_speaks() {
    let bastion = with_a_policy();
    let file = bastion.file("users.toml", "[user.alice]\nfull_name = \"Alice\"\n");
    let output = bastion.run(&["apply", path(&file), "--yes"]);
    assert!(text(&output.stderr).contains("left alone without --prune: user bob"));
    bastion.ok(&["user", "show", "bob"]);
    bastion.ok(&["apply", path(&file), "--yes", "--prune"]);
    bastion.fails(3, &["user", "show", "bob"]);
    bastion.ok(&["asset", "show", "web1"]);
    bastion.ok(&["grant", "show", "web"]);

    // A tree goes from its leaves, a gateway with those behind it, a group with the grants that name nothing else.
    let all =
        "[site]\n[user-group]\n[asset-group]\n[system-user]\n[asset]\n[grant]\n[user.alice]\n";
    let file = bastion.file("nothing.toml", all);
    bastion.ok(&["apply", path(&file), "--yes", "--prune"]);
    let left = exported(&bastion);
    assert!(
        !left.contains("[asset.") && !left.contains("[grant."),
        "{left}"
    );
}

#[test]
fn all_or_nothing_and_the_sentence_names_the_table() {
    let bastion = with_a_policy();
    let before = exported(&bastion);
    let wrong = [
        (
            "[asset.web3]\naddress = \"198.51.100.13\"\n[grant.web]\nusers = [\"alcie\"]\n",
            "grant web",
            2,
        ),
        ("[asset.web3]\n", "a new asset needs an address", 2),
        (
            "[asset.connect]\naddress = \"198.51.100.13\"\n",
            "asset connect",
            2,
        ),
        ("[user.root]\n", "root", 2),
        ("[user.alice]\nrole = \"user\"\n", "administrator", 2),
        ("[user.dave]\nuid = 0\n", "unknown field", 2),
        (
            "[asset.a]\naddress = \"198.51.100.1\"\ngateway = \"a\"\n",
            "gateway",
            2,
        ),
        (
            "[system-user.ops]\nshell_hooks = \"perhaps\"\n",
            "boolean",
            2,
        ),
        ("not toml", "line 1", 2),
    ];
    for (file, sentence, status) in wrong {
        let file = bastion.file("wrong.toml", file);
        let said = bastion.fails(status, &["apply", path(&file), "--yes"]);
        assert!(said.contains(sentence), "{said}");
        assert_eq!(exported(&bastion), before);
    }
}

#[test]
fn gateways_may_come_in_any_order_and_change_places() {
    let bastion = Bastion::new();
    let two = |a: &str, b: &str| {
        let asset = |name, gateway| {
            format!(
                "[asset.{name}]\naddress = \"{name}.example.org\"\ngateway = \"{gateway}\"\ngateway_system_user = \"hop\"\n"
            )
        };
        format!("[system-user.hop]\n{}{}", asset("a", a), asset("b", b))
    };
    for policy in [two("b", "none"), two("none", "a"), two("b", "none")] {
        let file = bastion.file("gateways.toml", &policy);
        bastion.ok(&["apply", path(&file), "--yes"]);
        assert_eq!(bastion.ok(&["diff", path(&file)]), "");
    }
    let file = bastion.file("nothing.toml", "[asset]\n");
    bastion.ok(&["apply", path(&file), "--yes", "--prune"]);
    assert_eq!(bastion.ok(&["asset", "ls"]), "");
}

#[test]
fn two_who_apply_at_once_do_not_mix() {
    let bastion = Bastion::new();
    let policy = |comment: &str| {
        let users = (0..60).map(|number| format!("[user.u{number}]\ncomment = \"{comment}\"\n"));
        users.collect::<String>()
    };
    let (one, two) = (
        bastion.file("one.toml", &policy("one")),
        bastion.file("two.toml", &policy("two")),
    );
    let start = |file: &std::path::Path| {
        let mut command = bastion.jmsctl(&["apply", path(file), "--yes", "--quiet"]);
        command.stderr(std::process::Stdio::piped());
        command.spawn().unwrap()
    };
    let running = [start(&one), start(&two)];
    let ends: Vec<_> = running
        .into_iter()
        .map(|child| child.wait_with_output().unwrap())
        .collect();
    assert!(ends.iter().any(|end| end.status.success()), "{ends:?}");
    for end in ends.iter().filter(|end| !end.status.success()) {
        let said = text(&end.stderr);
        assert!(
            said.contains("somebody else") || said.contains("busy"),
            "{said}"
        );
    }
    let comments = bastion.json(&["user", "ls"]);
    let first = &comments[0]["comment"];
    assert!(
        comments.iter().all(|user| user["comment"] == *first),
        "{comments:?}"
    );
    assert_eq!(comments.len(), 60);
}

#[test]
fn programs_read_the_difference_and_scripts_get_the_policy_by_standard_input() {
    let bastion = with_a_policy();
    let output = bastion.run_with(&["diff", "-", "--json"], "[asset.web2]\nport = 2200\n");
    assert_eq!(output.status.code(), Some(1));
    let step: serde_json::Value = serde_json::from_str(&text(&output.stdout)).unwrap();
    assert_eq!(step["action"], "set");
    assert_eq!(step["noun"], "asset");
    assert_eq!(step["name"], "web2");
    assert_eq!(step["fields"][0]["before"], 22);
    assert_eq!(step["fields"][0]["after"], 2200);
    // Nobody can be asked, since the file came by the way of the answer.
    let output = bastion.run_with(&["apply", "-"], "[asset.web2]\nport = 2200\n");
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    let some = bastion.ok(&["export", "site", "asset"]);
    assert!(
        some.contains("[site.south]") && some.contains("[asset.web1]") && !some.contains("alice")
    );
    let whole = bastion.json(&["export", "user"]);
    assert_eq!(whole[0]["user"]["alice"]["role"], "admin");
}
