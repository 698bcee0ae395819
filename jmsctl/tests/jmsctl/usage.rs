//! Usage: exit statuses, help, pages, settings, closed pipes.

use crate::bastion::{Bastion, path, text};
use std::process::{Command, Stdio};

fn plain(arguments: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_jmsctl"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn wrong_usage_is_two_and_what_is_planned_says_so() {
    for arguments in [
        &["nonsense"][..],
        &["user"],
        &["user", "add"],
        &["user", "add", "a", "--nonsense"],
        &[],
    ] {
        assert_eq!(plain(arguments).status.code(), Some(2), "{arguments:?}");
    }
    for arguments in [
        &["report"][..],
        &["backup", "/tmp/x", "--to", "age1"],
        &["session", "kill", "abcdef"],
        &["grant", "set", "g", "--path-allow", "/srv/*"],
        &["help", "report"],
        &["batch", "--help"],
    ] {
        let output = plain(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(
            text(&output.stderr).contains("not in this version"),
            "{arguments:?}"
        );
    }
    assert_eq!(plain(&["help", "grnat"]).status.code(), Some(3));
    // What is near is named, and nothing that is only planned.
    let said = text(&plain(&["asset", "sett", "web1"]).stderr);
    assert!(said.contains("'set'") && !said.contains("'test'"), "{said}");
    let said = text(&plain(&["usr", "ls"]).stderr);
    assert!(said.contains("'user'") && !said.contains("push"), "{said}");
    let said = text(&plain(&["access", "ls"]).stderr);
    assert!(
        said.contains("--user") && said.contains("--asset"),
        "{said}"
    );
}

#[test]
fn help_version_pages_and_completions_come_from_one_tree() {
    assert!(text(&plain(&["--help"]).stdout).contains("Nouns"));
    let help = text(&plain(&["help", "grant", "add"]).stdout);
    assert!(
        help.contains("--system-user") && help.contains("Examples:"),
        "{help}"
    );
    assert_eq!(help, text(&plain(&["grant", "add", "--help"]).stdout));
    // What is planned is shown nowhere.
    assert!(!text(&plain(&["asset", "set", "--help"]).stdout).contains("--csv"));
    assert_eq!(
        text(&plain(&["version"]).stdout),
        format!("jmsctl {}\n", env!("CARGO_PKG_VERSION"))
    );
    assert!(text(&plain(&["version", "--json"]).stdout).starts_with("{\"version\":"));
    for shell in ["bash", "zsh", "fish"] {
        let script = text(&plain(&["completion", shell]).stdout);
        assert!(
            script.contains("system-user") && !script.contains("auto-push"),
            "{shell}"
        );
    }
    let page = text(&plain(&["man", "session", "replay"]).stdout);
    assert!(
        page.contains(".TH") && page.contains("\\-\\-speed"),
        "{page}"
    );
    let folder = tempfile::tempdir().unwrap();
    assert!(
        plain(&["man", "--out", path(folder.path())])
            .status
            .success()
    );
    for name in ["jmsctl.8", "jmsctl-user.8", "jmsctl-init.8"] {
        assert!(folder.path().join(name).exists(), "{name}");
    }
    let schema: serde_json::Value =
        serde_json::from_slice(&plain(&["event", "schema", "--json"]).stdout).unwrap();
    assert_eq!(schema["schema"], 1);
}

#[test]
fn without_a_store_it_says_what_to_do() {
    let bastion = Bastion::bare();
    bastion.sh("mkdir -p /etc/jms /var/lib/jms; chown jms:jms /var/lib/jms");
    let said = bastion.fails(1, &["user", "ls"]);
    assert!(said.contains("jmsctl init"), "{said}");
}

#[test]
fn settings_are_checked_and_shown() {
    let bastion = Bastion::new();
    assert_eq!(bastion.ok(&["config", "path"]), "/etc/jms/jms.toml\n");
    assert_eq!(bastion.ok(&["config", "show"]), "");
    assert!(
        bastion
            .ok(&["config", "show", "--effective"])
            .contains("connect_timeout = 15")
    );
    assert_eq!(
        bastion.json(&["config", "show", "--effective"])[0]["session"]["connect_timeout"],
        15
    );
    bastion.ok(&["config", "check"]);
    let bad = bastion.file("bad.toml", "[session]\nconect_timeout = 3\n");
    let said = bastion.fails(1, &["config", "check", path(&bad)]);
    assert!(
        said.contains("conect_timeout") && said.contains("line 2"),
        "{said}"
    );
    let good = bastion.file("good.toml", "[session]\nconnect_timeout = 3\n");
    assert!(
        bastion
            .ok(&["config", "check", path(&good)])
            .contains("is right")
    );
    assert_eq!(
        bastion.json(&["--config", path(&good), "config", "show", "--effective"])[0]["session"]["connect_timeout"],
        3
    );
    bastion.fails(2, &["user", "ls", "--config", path(&bad)]);

    // The day on which somebody broke the settings is no day without `user disable`.
    bastion.ok(&["user", "add", "alice"]);
    bastion.sh("echo nonsense > /etc/jms/jms.toml; chmod 644 /etc/jms/jms.toml");
    bastion.fails(1, &["config", "check"]);
    let output = bastion.run(&["user", "disable", "alice"]);
    assert!(output.status.success() && text(&output.stderr).contains("defaults"));
}

#[test]
fn a_closed_pipe_is_the_end_and_no_failure() {
    let bastion = Bastion::new();
    for n in 0..30 {
        bastion.ok(&["user", "add", &format!("user{n}"), "--quiet"]);
    }
    let jmsctl = env!("CARGO_BIN_EXE_jmsctl");
    for line in [
        "user ls --json",
        "event ls --json --limit 0",
        "--help",
        "completion zsh",
        "man",
        "event ls --follow --since 1d",
    ] {
        let said = bastion.sh(&format!("set -o | grep -q pipefail && set -o pipefail || true; ({jmsctl} {line}; echo $? >&3) 3>&2 | head -c 10 >/dev/null"));
        assert_eq!(said, "", "{line}");
        let output = bastion
            .command("bash")
            .args([
                "-c",
                &format!("{jmsctl} {line} | true; echo ${{PIPESTATUS[0]}}"),
            ])
            .output()
            .unwrap();
        assert_eq!(
            text(&output.stdout),
            "0\n",
            "{line}: {}",
            text(&output.stderr)
        );
        assert!(!text(&output.stderr).contains("panic"), "{line}");
    }
}

#[test]
fn quiet_and_json_print_what_they_promise() {
    let bastion = Bastion::new();
    assert_eq!(bastion.ok(&["user", "add", "alice", "--quiet"]), "");
    assert_eq!(
        bastion.json(&["user", "rm", "alice", "--yes"])[0]["name"],
        "alice"
    );
    let output = bastion.run(&["user", "add", "bob", "--dry-run", "--json"]);
    assert!(text(&output.stderr).contains("nothing was changed"));
    assert_eq!(text(&output.stdout).lines().count(), 1);
}
