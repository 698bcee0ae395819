//! `jmsctl login ls --unknown`: for names that do not exist nothing of ours runs, and sshd's own lines are the witness.

use serde_json::Value;
use tests::{Lab, Outcome, eventually};

use std::time::Duration;

/// Somebody asks for a name; nobody gets in.
fn knock(lab: &Lab, name: &str) -> Outcome {
    lab.client()
        .ssh(["-l", name, "bastion", "true"])
        .expect_status(255)
}

fn unknown(lab: &Lab, flags: &str) -> Vec<Value> {
    lab.bastion()
        .run(format!("jmsctl login ls --unknown {flags} --json"))
        .expect_status(0)
        .json_lines()
        .expect("login ls --unknown --json prints JSON")
}

/// Waits until rsyslog has written the line about this name.
fn written(lab: &Lab, name: &str) {
    eventually("sshd's line is in the log", Duration::from_secs(10), || {
        lab.bastion()
            .auth_log()
            .contains(&format!("Invalid user {name} from"))
    });
}

#[test]
fn a_mistyped_name_is_listed_with_the_one_that_was_meant_and_a_stranger_learns_nothing() {
    let lab = Lab::everyday();
    lab.bastion()
        .run("jmsctl user add betty1210")
        .expect_status(0);
    let mistyped = knock(&lab, "betty1211").error_text();
    let _ = knock(&lab, "betty1211");
    let _ = knock(&lab, "betty1211@dev@web1");
    let stranger = knock(&lab, "postgres").error_text();
    // The client sees the same, whether a name is near or not.
    assert_eq!(
        mistyped.replace("betty1211", "NAME"),
        stranger.replace("postgres", "NAME")
    );
    written(&lab, "postgres");

    let rows = unknown(&lab, "");
    let row = |name: &str| {
        let row = rows.iter().find(|row| row["name"] == name);
        row.unwrap_or_else(|| panic!("no {name} in {rows:#?}"))
    };
    assert_eq!(row("betty1211")["nearest"], "betty1210");
    assert_eq!(row("betty1211")["count"], 2);
    assert_eq!(row("betty1211@dev@web1")["nearest"], "betty1210");
    assert_eq!(row("postgres")["nearest"], Value::Null);
    for row in &rows {
        assert_eq!(row["source"], lab.address("client").to_string());
        assert!(row["first"].as_str() <= row["last"].as_str(), "{row}");
    }
    // By whom was perhaps meant, by text, and by time.
    assert_eq!(unknown(&lab, "--user betty1210").len(), 2);
    assert_eq!(unknown(&lab, "postgres").len(), 1);
    assert_eq!(unknown(&lab, "--since 1h").len(), 3);
    assert_eq!(unknown(&lab, "--until 1h").len(), 0);
    // Whoever exists is not in it.
    lab.client()
        .ssh(["alice@dev@web1@bastion", "true"])
        .expect_status(0);
    assert!(unknown(&lab, "").iter().all(|row| row["name"] != "alice"));
}

#[test]
fn odd_names_come_back_as_they_were_typed_and_do_no_harm_on_a_terminal() {
    let lab = Lab::everyday();
    let long = "x".repeat(120);
    for name in [
        "utf8é",
        "sp ace",
        "a from 198.51.100.9 port 7",
        "back\\slash",
        &long,
    ] {
        let _ = knock(&lab, name);
    }
    written(&lab, &"x".repeat(100));
    let rows = unknown(&lab, "");
    for name in [
        "utf8é",
        "sp ace",
        "a from 198.51.100.9 port 7",
        "back\\slash",
    ] {
        let row = rows.iter().find(|row| row["name"] == name);
        let row = row.unwrap_or_else(|| panic!("no {name} in {rows:#?}"));
        assert_eq!(row["source"], lab.address("client").to_string(), "{row}");
        assert_eq!(row["cut"], false, "{row}");
    }
    let cut = rows.iter().find(|row| row["name"] == "x".repeat(100));
    assert_eq!(cut.expect("the long name, cut")["cut"], true);
    let shown = lab.bastion().run("jmsctl login ls --unknown").text();
    assert!(!shown.contains('\u{1b}'), "{shown}");
}

#[test]
fn rotated_and_packed_files_are_read() {
    let lab = Lab::everyday();
    let _ = knock(&lab, "first");
    written(&lab, "first");
    lab.bastion()
        .run("set -e; cp /var/log/auth.log /var/log/auth.log.2; gzip /var/log/auth.log.2; : > /var/log/auth.log")
        .expect_status(0);
    let _ = knock(&lab, "second");
    written(&lab, "second");
    let rows = unknown(&lab, "--since 1h");
    for name in ["first", "second"] {
        assert!(
            rows.iter().any(|row| row["name"] == name),
            "{name}: {rows:#?}"
        );
    }
}

#[test]
fn where_the_log_is_roots_it_says_so_over_ssh_and_does_not_show_an_empty_list() {
    let lab = Lab::everyday();
    let key = lab.client_of("dave").public_key().expect("a key");
    lab.bastion()
        .command([
            "jmsctl", "user", "add", "dave", "--role", "auditor", "--key", "-",
        ])
        .input(key)
        .run()
        .expect_status(0);
    let _ = knock(&lab, "postgres");
    written(&lab, "postgres");
    lab.client_of("dave")
        .ssh(["bastion", "jmsctl login ls --unknown"])
        .expect_status(4)
        .expect_stdout("")
        .expect_stderr_contains("sudo jmsctl login ls --unknown");
}

#[test]
fn without_any_log_it_says_that_there_is_none() {
    let lab = Lab::everyday();
    lab.bastion()
        .run("pkill -x rsyslogd; while pgrep -x rsyslogd; do sleep 0.01; done; rm -f /var/log/auth.log* /var/log/secure* /var/log/messages* /var/log/syslog*")
        .expect_status(0);
    lab.bastion()
        .run("jmsctl login ls --unknown")
        .expect_status(1)
        .expect_stdout("")
        .expect_stderr_contains("is a syslog daemon installed?");
}

/// A configuration that `docs/logins.md` shows.
fn shown_in_docs(kind: &str) -> String {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/logins.md"))
        .expect("docs/logins.md");
    let block = page.split(&format!("```{kind}\n")).nth(1);
    let block = block.and_then(|rest| rest.split("```").next());
    block.expect("the page shows it").to_owned()
}

#[test]
fn with_the_copy_that_the_docs_tell_of_an_auditor_sees_them_over_ssh() {
    let lab = Lab::everyday();
    let key = lab.client_of("dave").public_key().expect("a key");
    lab.bastion()
        .command([
            "jmsctl", "user", "add", "dave", "--role", "auditor", "--key", "-",
        ])
        .input(key)
        .run()
        .expect_status(0);
    lab.bastion()
        .write("/etc/rsyslog.d/30-jms-sshd.conf", shown_in_docs("rsyslog"));
    lab.bastion()
        .run("set -e; rsyslogd -N1; pkill -x rsyslogd; while pgrep -x rsyslogd; do sleep 0.01; done; rsyslogd")
        .expect_status(0);
    let _ = knock(&lab, "dvae");
    let dave = lab.client_of("dave");
    let asked = || dave.ssh(["bastion", "jmsctl login ls --unknown --json"]);
    eventually("the copy has the name", Duration::from_secs(10), || {
        asked().succeeded()
    });
    let rows = asked().json_lines().expect("JSON");
    assert_eq!(rows.len(), 1, "{rows:#?}");
    assert_eq!(
        (&rows[0]["name"], &rows[0]["nearest"]),
        (&"dvae".into(), &"dave".into())
    );
    // The copy has these lines only, and the log itself is as closed as it was.
    lab.bastion()
        .run("stat -c '%U %a' /var/log/jms/sshd.log; grep -vcE 'Invalid user |authenticating user ' /var/log/jms/sshd.log; runuser -u jms -- head -c 1 /var/log/auth.log")
        .expect_failure()
        .expect_stdout("jms 640\n0\n");
    // Rotated, it is still read.
    lab.bastion()
        .run("set -e; cd /var/log/jms; mv sshd.log sshd.log.1; install -m 640 -o jms -g adm /dev/null sshd.log; pkill -HUP -x rsyslogd")
        .expect_status(0);
    assert_eq!(asked().json_lines().expect("JSON").len(), 1);
}
