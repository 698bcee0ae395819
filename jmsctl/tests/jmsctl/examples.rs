//! Every example of `--help`, which are those of the manual pages, run in a shell on a bastion with a small policy.

use crate::bastion::{Bastion, text};
use crate::evidence::{Evidence, evidence};
use crate::locks::wrong_answers;
use crate::scan::{host_key, keyscan};
use jms::policy::lockout::Proof;
use std::process::Command;

/// What examples speak of. alice, her key, web1, dev and a session are there already.
const POLICY: &str = "
user add bob
user add carol
user password-reset alice
user-group add web-team --user alice,bob
user-group add contractors
site add south
asset add db1 --address db1.example.org
asset add db2 --address db2.example.org
asset add web7 --address 192.0.2.7
asset-group add /prod/web --asset web1
system-user add dba --generate ed25519
system-user add root --privileged --generate ed25519
system-user set dev --asset db1 --login developer
login-rule add office --user alice --verdict allow
grant add web-dev --user alice,bob --asset web1,web7 --system-user dev --rights shell,exec
user-group add juniors
asset-group add /prod/db
filter add careful
filter add only-status --default deny
rule add careful --verdict deny --command first
rule add careful --verdict deny --command second
rule add careful --verdict deny --command third
rule add careful --verdict deny --command fourth
rule add careful --verdict deny --command fifth
rule add careful --verdict deny --command sixth
rule add careful --verdict deny --command seventh
rule add careful --verdict deny --command eighth
rule set 7 --user alice
filter add strict
filter attach strict --user-group juniors,web-team
";

/// Where the filters that ship are before they are installed.
const FILTERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/filters/");

/// Not the program itself: what examples get from other machines, and who reads pages.
const SHELL: &str = r#"
set -o pipefail
jmsctl() {
    case " $* " in
    *" --yes "*) "$JMSCTL" "$@" ;;
    *) "$JMSCTL" --yes "$@" ;;
    esac
}
ssh() {
    case $* in
    *secret.key) cat /etc/jms/secret.key ;;
    *.pub) cat ssh_host_ed25519_key.pub ;;
    esac
}
man() { cat >/dev/null; }
mkdir -p /etc/bash_completion.d
"#;

/// Examples that do not end with 0 here, and why.
const OTHERWISE: &[(&str, &[i32], &str)] = &[
    (
        "jmsctl doctor",
        &[1],
        "this is no whole bastion, and doctor finds that out",
    ),
    (
        "jmsctl session replay 7k2mz9 | grep",
        &[1],
        "nobody typed that",
    ),
    (
        "jmsctl login ls --unknown",
        &[0, 1],
        "the machine may have no log of sshd's",
    ),
];

#[test]
fn every_example_of_the_manual_does_what_it_says() {
    let Evidence {
        bastion,
        login,
        session,
    } = evidence(false);
    for line in POLICY.lines().filter(|line| !line.is_empty()) {
        bastion.ok(&line.split(' ').collect::<Vec<_>>());
    }
    let shown = host_key(&bastion, "shown", "ed25519");
    keyscan(&bastion, &format!("echo 'web1 {shown}'"));
    let added = bastion.run_with(&["host-key", "add", "web1", "-"], &shown);
    assert!(added.status.success(), "{}", text(&added.stderr));
    for name in ["id_ed25519", "dba_key", "ssh_host_ed25519_key"] {
        bastion.key(name, &["-t", "ed25519", "-N", ""]);
    }
    // alice has a key already; this is her next one.
    let (_, next) = bastion.key("next", &["-t", "ecdsa", "-N", ""]);
    bastion.file("alice.pub", &next);
    bastion.file("people.csv", "name,email\ndora,dora@example.org\n");
    bastion.file("new-jms.toml", "[session]\nconnect_timeout = 3\n");
    bastion.file(
        "rules.json",
        r#"[{"pattern": "^rm -rf", "action": "deny"}]"#,
    );
    bastion.file("typed", "a password that somebody types\n");
    bastion.file("policy.toml", &bastion.ok(&["export"]));
    bastion.sh(&format!(
        r#"python3 - <<'END'
import sqlite3
store = sqlite3.connect('/var/lib/jms/jms.db')
store.execute("INSERT INTO command (id, session_id, run_at, line, captured, verdict, action, recorded_at) VALUES (4711, '{session}', 1800000000000, 'rm -rf /srv', 'exact', 'deny', 'deny', 400)")
store.commit()
END
chown jms:jms /var/lib/jms/jms.db*"#
    ));
    wrong_answers(&bastion, Proof::Key, "192.0.2.7", 5);
    wrong_answers(&bastion, Proof::None, "2001:db8::7", 1);
    bastion.sh(
        "mkdir /run/before; cp -a /var/lib/jms /run/before/state; cp -a /etc/jms /run/before/etc",
    );
    let of = |command: &[&str]| {
        bastion.json(command)[0]["fingerprint"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let fingerprints = (of(&["key", "ls", "alice"]), of(&["host-key", "ls", "web1"]));
    let folder = bastion
        .file("here", "")
        .parent()
        .unwrap()
        .display()
        .to_string();

    let mut wrong = Vec::new();
    let examples = examples();
    assert!(examples.len() > 80, "only {} examples", examples.len());
    for example in &examples {
        let fresh = example.starts_with("jmsctl init");
        let empty;
        let bastion = if fresh {
            empty = Bastion::bare();
            &empty
        } else {
            bastion.sh("rm -rf /var/lib/jms /etc/jms; cp -a /run/before/state /var/lib/jms; cp -a /run/before/etc /etc/jms");
            &bastion
        };
        let (key, host_key) = &fingerprints;
        let fingerprint = if example.contains("host-key") {
            host_key
        } else {
            key
        };
        let id = if example.contains("login show") {
            &login
        } else {
            &session
        };
        let line = meant(example, fingerprint, id);
        let before = of_absent(example);
        let script = format!("{SHELL}cd {folder}\n{before}\nexec <typed\n{line}\n");
        let output = bastion
            .command("bash")
            .args(["-c", &script])
            .env("JMSCTL", env!("CARGO_BIN_EXE_jmsctl"))
            .output()
            .unwrap();
        let expected = OTHERWISE
            .iter()
            .find(|(start, _, _)| example.starts_with(start))
            .map_or(&[0][..], |(_, statuses, _)| statuses);
        let status = output.status.code().unwrap_or(-1);
        if !expected.contains(&status) {
            wrong.push(format!(
                "{example}\n  as {line}\n  ended with {status}: {}",
                text(&output.stderr)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The example with what stands on this bastion in place of what stands for it.
fn meant(example: &str, fingerprint: &str, id: &str) -> String {
    let mut line = example
        .replace("/tmp/", "")
        .replace("/usr/share/jms/filters/", FILTERS)
        .replace("/usr/local/share/man/", "");
    for short in ["SHA256:f5d2ceb1", "SHA256:f5d2"] {
        line = line.replace(short, &fingerprint[..short.len()]);
    }
    line = line.replace("7k2mz9", &id[..6]);
    if line.contains("--follow") {
        line.push_str(" | head -n 1");
    }
    line
}

/// What an example adds is not there before.
fn of_absent(example: &str) -> String {
    let words: Vec<&str> = example.split(' ').collect();
    let at = words.iter().position(|word| *word == "jmsctl");
    match at.and_then(|at| words.get(at + 1..at + 4)) {
        Some([noun, "add", name])
            if !matches!(*noun, "key" | "host-key") && !name.starts_with('-') =>
        {
            format!("jmsctl {noun} rm {name} >/dev/null 2>&1")
        }
        _ => String::new(),
    }
}

/// All of them, as `--help` prints them.
fn examples() -> Vec<String> {
    let mut found = Vec::new();
    for noun in listed(&help(&[]), "Nouns:") {
        let page = help(&[&noun]);
        found.extend(printed(&page));
        for verb in listed(&page, "Verbs:") {
            found.extend(printed(&help(&[&noun, &verb])));
        }
    }
    found.extend(printed(&help(&[])));
    found.sort();
    found.dedup();
    found
}

fn help(words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_jmsctl"))
        .arg("help")
        .args(words)
        .output()
        .unwrap();
    assert!(output.status.success(), "{words:?}");
    text(&output.stdout)
}

/// The first word of each line below a heading; explanations that go on are moved further to the right.
fn listed(help: &str, heading: &str) -> Vec<String> {
    help.lines()
        .skip_while(|line| *line != heading)
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect()
}

fn printed(help: &str) -> Vec<String> {
    help.lines()
        .skip_while(|line| !matches!(*line, "Example:" | "Examples:"))
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        .map(|line| line.trim().to_owned())
        .collect()
}
