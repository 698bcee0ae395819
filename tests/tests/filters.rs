//! Command filters where the command is known for certain: exec requests, and scripts on standard input.

use serde_json::Value;
use std::time::Duration;
use tests::{Lab, Outcome, client_host, eventually};

const WAY: &str = "alice@dev@web1@bastion";

/// A filter that is attached to alice, with rules: verdict and command.
fn filter(lab: &Lab, name: &str, default: &str, rules: &[(&str, &str)]) {
    let mut script = format!("set -e\njmsctl filter add {name} --default {default}\n");
    for (verdict, command) in rules {
        script += &format!("jmsctl rule add {name} --verdict {verdict} --command '{command}'\n");
    }
    script += &format!("jmsctl filter attach {name} --user alice\n");
    drop(lab.bastion().run(script).expect_status(0));
}

fn json_lines(lab: &Lab, command: &str) -> Vec<Value> {
    let shown = lab.bastion().run(format!("{command} --json"));
    shown.expect_status(0).json_lines().expect("JSON")
}

/// Lines, verdicts and actions of what was kept, the newest last.
fn kept(lab: &Lab) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    json_lines(lab, "jmsctl command ls --limit 0")
        .iter()
        .map(|row| {
            (
                text(&row["line"]),
                text(&row["verdict"]),
                text(&row["action"]),
            )
        })
        .collect()
}

fn logins_at_the_asset(lab: &Lab) -> usize {
    let log = lab.web1().auth_log();
    log.lines()
        .filter(|line| line.contains("Accepted publickey"))
        .count()
}

fn ssh(lab: &Lab, command: &str) -> Outcome {
    lab.client().ssh([WAY, command])
}

fn denied(outcome: Outcome, by: &str) {
    let outcome = outcome.expect_status(126).expect_stdout("");
    let said = outcome.error_text();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(
        said.starts_with("jms: denied by filter ") && said.contains(by),
        "{said}"
    );
}

#[test]
fn what_is_asked_for_is_judged_before_the_asset_is_connected_to() {
    let lab = Lab::everyday().without_kept_connections();
    // Without any filter a command is kept, too.
    drop(
        ssh(&lab, "echo before")
            .expect_status(0)
            .expect_stdout("before\n"),
    );
    let row = json_lines(&lab, "jmsctl command ls").remove(0);
    for (field, value) in [
        ("line", "echo before"),
        ("captured", "exact"),
        ("verdict", "allow"),
        ("action", "accept"),
        ("user", "alice"),
        ("asset", "web1"),
        ("system_user", "dev"),
        ("filter", ""),
    ] {
        assert_eq!(row[field], value, "{row}");
    }
    let shown = lab.bastion().run(format!(
        "jmsctl session show {} --json",
        row["session"].as_str().unwrap()
    ));
    assert_eq!(shown.json().unwrap()["commands"][0]["line"], "echo before");
    let own = lab.client().ssh(["alice@bastion", "commands --json"]);
    assert_eq!(own.json().unwrap()["line"], "echo before");

    filter(
        &lab,
        "careful",
        "allow",
        &[("deny", "rm -rf"), ("warn", "uname"), ("confirm", "touch")],
    );
    drop(
        lab.web1()
            .run("mkdir /tmp/keep && chmod 777 /tmp/keep")
            .expect_status(0),
    );
    let logins = logins_at_the_asset(&lab);
    for command in [
        "rm -rf /tmp/keep",
        "rm -fr /tmp/keep",
        "cd /; /bin/rm --recursive --force /tmp/keep",
        "sh -c 'true && rm -r -f /tmp/keep'",
        "echo $(rm -rf /tmp/keep)",
        "printf x | xargs rm -rf /tmp/keep",
    ] {
        denied(ssh(&lab, command), "careful, rule ");
        let (line, verdict, action) = kept(&lab).pop().unwrap();
        assert_eq!(
            (line.as_str(), verdict.as_str(), action.as_str()),
            (command, "deny", "deny")
        );
    }
    assert_eq!(
        logins_at_the_asset(&lab),
        logins,
        "the asset was not even asked"
    );
    assert!(lab.web1().has("/tmp/keep"));
    for (command, output) in [
        ("echo rm -rf /tmp/keep", "rm -rf /tmp/keep\n"),
        ("printf %s 'rm -rf'", "rm -rf"),
        ("rm -f /tmp/none; echo alarm -rf", "alarm -rf\n"),
    ] {
        drop(ssh(&lab, command).expect_status(0).expect_stdout(output));
    }
    // Syslog has filter and rule.
    let event = json_lines(&lab, "jmsctl event ls --type command.denied").remove(0);
    assert_eq!(
        (&event["filter"], &event["rule"]),
        (&"careful".into(), &"rm -rf".into())
    );
    eventually("syslog has the denial", Duration::from_secs(5), || {
        let log = lab.bastion().auth_log();
        log.contains("command.denied") && log.contains("careful")
    });

    // Found by text and verdict, here and by an administrator from afar; that somebody looked is an event.
    let found = json_lines(
        &lab,
        "jmsctl command ls --verdict deny --text 'RM -FR' --user 'al*'",
    );
    assert_eq!(found.len(), 1, "{found:?}");
    let session = found[0]["session"].as_str().expect("an id");
    for (selection, rows) in [
        (format!("--session {session}"), 1),
        ("--asset web1 --text 'rm -fr'".to_owned(), 1),
        ("--asset 'db*'".to_owned(), 0),
        ("--user bob".to_owned(), 0),
        ("--verdict warn".to_owned(), 0),
    ] {
        let found = json_lines(&lab, &format!("jmsctl command ls {selection}"));
        assert_eq!(found.len(), rows, "{selection}: {found:?}");
    }
    let number = found[0]["id"].as_i64().expect("a number");
    let shown = lab.client_of("ada").ssh([
        "ada@bastion",
        &format!("jmsctl command show {number} --json"),
    ]);
    let mut shown = shown.json().unwrap();
    let replay = shown.as_object_mut().unwrap().remove("replay");
    assert!(replay.is_some_and(|way| way.as_str().unwrap().contains(session)));
    assert_eq!(shown, found[0]);
    let looks = json_lines(&lab, "jmsctl event ls --type evidence.read");
    assert_eq!(looks.last().unwrap()["actor"], "ada", "{looks:?}");
    let mut follow = lab
        .bastion()
        .command(["jmsctl", "command", "ls", "--follow", "--limit", "1"])
        .spawn();
    eventually("what is there is listed", Duration::from_secs(10), || {
        follow.stdout_so_far().lines().count() == 1
    });
    drop(ssh(&lab, "echo followed").expect_status(0));
    eventually("what comes is listed", Duration::from_secs(10), || {
        follow.stdout_so_far().contains("echo followed")
    });
    follow.kill();

    // A warning: it runs, and somebody is told.
    drop(
        ssh(&lab, "uname -s")
            .expect_status(0)
            .expect_stdout("Linux\n")
            .expect_stderr(""),
    );
    let event = json_lines(&lab, "jmsctl event ls --type command.warned").remove(0);
    assert_eq!(
        (&event["severity"], &event["line"]),
        (&"alert".into(), &"uname -s".into())
    );

    // A question, which only who sits at a terminal can answer.
    denied_without_terminal(ssh(&lab, "touch /tmp/asked"));
    for (key, status) in [("n", 126), ("y", 0)] {
        let mut terminal = lab
            .client()
            .ssh_on_terminal(["-tt", WAY, "touch /tmp/asked"]);
        terminal.expect("run it? [y/N]");
        assert!(!lab.web1().has("/tmp/asked"));
        terminal.send(key);
        drop(terminal.wait().expect_status(status));
    }
    assert!(lab.web1().has("/tmp/asked"));
    let event = json_lines(&lab, "jmsctl event ls --type command.confirmed").remove(0);
    assert_eq!(event["line"], "touch /tmp/asked");
    eventually("syslog has all three", Duration::from_secs(5), || {
        let log = lab.bastion().auth_log();
        let told = |kind: &str, rule: &str| {
            let of_kind = |line: &&str| line.contains(kind) && line.contains("careful");
            log.lines().filter(of_kind).any(|line| line.contains(rule))
        };
        told("command.denied", "rm -rf")
            && told("command.warned", "uname")
            && told("command.confirmed", "touch")
    });

    // Under a default of deny nothing is let through by accident; what transfers files is no command.
    filter(
        &lab,
        "listed",
        "deny",
        &[("allow", "ls"), ("allow", "echo ...")],
    );
    drop(
        ssh(&lab, "ls -d /tmp/keep")
            .expect_status(0)
            .expect_stdout("/tmp/keep\n"),
    );
    for command in [
        "ls; rm x",
        "ls $(id)",
        "ls > /tmp/x",
        "id",
        "ls | sh",
        "A=1 ls",
        "./ls",
        "ls `id`",
    ] {
        denied(ssh(&lab, command), "listed");
    }
    let client = client_host::of_alice(&lab);
    let transfers = format!(
        "set -e; cd /tmp; echo quince >sent
         scp -q sent {WAY}:/tmp/by-scp; scp -q -O sent {WAY}:/tmp/by-old-scp
         rsync -q -e ssh sent {WAY}:/tmp/by-rsync
         echo 'put sent /tmp/by-sftp' | sftp -q -b - {WAY} >/dev/null"
    );
    drop(client.run(transfers).expect_status(0));
    for way in ["scp", "old-scp", "rsync", "sftp"] {
        assert_eq!(lab.web1().read_text(format!("/tmp/by-{way}")), "quince\n");
    }
    drop(
        lab.web1()
            .run("git init -q --bare /tmp/r.git && chown -R dev: /tmp/r.git")
            .expect_status(0),
    );
    drop(
        client
            .run(format!("git clone -q {WAY}:/tmp/r.git /tmp/clone"))
            .expect_status(0),
    );
    let rows = kept(&lab);
    assert!(
        !rows
            .iter()
            .any(|(line, ..)| line.contains("rsync") || line.contains("git-")),
        "{rows:?}"
    );

    // A rule that cannot be read is not skipped.
    let broken = "python3 - <<'END'
import sqlite3
store = sqlite3.connect('/var/lib/jms/jms.db')
store.execute(\"UPDATE filter_rule SET command = NULL, regex = '(' WHERE command = 'uname'\")
store.commit()
END
chown jms:jms /var/lib/jms/jms.db*";
    drop(lab.bastion().run(broken).expect_status(0));
    drop(ssh(&lab, "ls").expect_status(75).expect_stdout(""));
    let problem = json_lines(&lab, "jmsctl event ls --type filter.problem");
    assert_eq!(problem[0]["severity"], "critical");
}

fn denied_without_terminal(outcome: Outcome) {
    let outcome = outcome.expect_status(126).expect_stdout("");
    let said = outcome.error_text();
    assert!(
        said.contains("to be confirmed by filter careful") && said.contains("ssh -t"),
        "{said}"
    );
}

#[test]
fn a_script_on_standard_input_is_judged_line_by_line() {
    let lab = Lab::everyday().without_kept_connections();
    filter(&lab, "careful", "allow", &[("deny", "rm -rf")]);
    drop(lab.web1().run("touch ~dev/.hushlogin").expect_status(0));
    let run = |words: &[&str], script: &str| {
        let words = [&[WAY], words].concat();
        lab.client().command("ssh", words).input(script).run()
    };
    let script = "echo one\nif true; then\n  echo two\nfi\ncat <<END\nrm -rf as text\nEND\nrm -r -f /tmp/x\necho never\n";
    for shell in [
        &["sh"][..],
        &["bash", "-s"],
        &["dash"],
        &["-T"],
        &["exec bash --norc"],
    ] {
        let outcome = run(shell, script)
            .expect_status(126)
            .expect_stdout("one\ntwo\nrm -rf as text\n");
        let said = outcome.error_text();
        assert!(
            said.contains("denied by filter careful") && said.contains("rm -r -f /tmp/x"),
            "{said}"
        );
    }
    let rows = kept(&lab);
    let (line, verdict, action) = rows.last().unwrap();
    assert_eq!(
        (line.as_str(), verdict.as_str(), action.as_str()),
        ("rm -r -f /tmp/x", "deny", "deny")
    );
    assert!(
        rows.iter().any(|(line, ..)| line.contains("echo one")),
        "{rows:?}"
    );
    // What is allowed goes through byte for byte, with its status.
    let long = format!("{}exit 7\n", "printf '%s\\n' 'é \\ $x'\n".repeat(3_000));
    let outcome = run(&["sh"], &long).expect_status(7);
    assert_eq!(outcome.text(), "é \\ $x\n".repeat(3_000));
    // Input of other programs is nobody's script.
    let mut noise: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    noise.extend(b"\nrm -rf /tmp/x\n");
    let passed = lab
        .client()
        .command("ssh", [WAY, "cat"])
        .input(noise.clone())
        .run();
    drop(passed.expect_status(0).expect_stdout(noise));
    // Shells leave a NUL byte out: it hides no program.
    let outcome = run(&["sh"], "r\0m -rf /tmp/x\n").expect_status(126);
    assert!(outcome.error_text().contains("NUL byte"), "{outcome}");
    // Other interpreters: as text, so only expressions can speak.
    drop(
        lab.bastion()
            .run("jmsctl rule add careful --verdict deny --regex 'shutil\\.rmtree'")
            .expect_status(0),
    );
    drop(
        run(&["python3", "-"], "print(6 * 7)\n")
            .expect_status(0)
            .expect_stdout("42\n"),
    );
    drop(
        run(&["python3"], "import shutil\nshutil.rmtree('/tmp/x')\n")
            .expect_status(126)
            .expect_stdout(""),
    );

    // An administrator writes a rule over ssh; a script that runs already meets it within a second.
    let mut running = lab.client().command("ssh", [WAY, "sh"]).spawn();
    running.write("echo begun; id -un\n");
    eventually("the script runs", Duration::from_secs(10), || {
        running.stdout_so_far().contains("dev")
    });
    let added = lab.client_of("ada").ssh([
        "ada@bastion",
        "jmsctl rule add careful --verdict deny --command id",
    ]);
    drop(added.expect_status(0));
    // So long it may take: a second.
    std::thread::sleep(Duration::from_secs(1));
    running.write("id -un\necho never\n");
    let outcome = running
        .wait()
        .expect_status(126)
        .expect_stdout("begun\ndev\n");
    assert!(outcome.error_text().contains("careful"), "{outcome}");

    // So much as the setting says is kept of what is allowed; and how much more there was; and all that is denied.
    let write = "printf '[egress]\\nwarm_seconds = 0\\n[filter]\\nscript_kept_mib = 0\\n' >/etc/jms/jms.toml";
    drop(lab.bastion().run(write).expect_status(0));
    drop(run(&["sh"], "echo passes\nrm -rf /tmp/x\n").expect_status(126));
    let rows: Vec<_> = kept(&lab).into_iter().rev().take(3).collect();
    let lines: Vec<&str> = rows.iter().map(|(line, ..)| line.as_str()).collect();
    let more = "(12 bytes more of the script, allowed and not kept)";
    assert_eq!(lines, ["rm -rf /tmp/x", more, "sh"]);
}

#[test]
fn ansible_works_under_a_filter_and_says_what_was_denied() {
    let lab = Lab::everyday().without_kept_connections();
    filter(
        &lab,
        "careful",
        "allow",
        &[("deny", "rm -rf"), ("deny", "reboot")],
    );
    let client = client_host::of_alice(&lab);
    client.write(
        "/root/hosts",
        "[web]\nfirst ansible_host=alice@dev@web1@bastion\n",
    );
    for pipelining in ["True", "False"] {
        let ansible = |words: &str| {
            let script = format!(
                "cd /root; export ANSIBLE_NOCOLOR=1 ANSIBLE_PIPELINING={pipelining} ANSIBLE_INVENTORY=hosts; ansible all {words}"
            );
            let within = Duration::from_secs(120);
            client.command(["bash", "-c", &script]).within(within).run()
        };
        let outcome = ansible("-m ping").expect_status(0);
        assert!(outcome.text().contains("\"pong\""), "{outcome}");
        let outcome = ansible("-m raw -a 'rm -rf /tmp/x'").expect_failure();
        let all = format!("{}{}", outcome.text(), outcome.error_text());
        assert!(all.contains("denied by filter careful"), "{all}");
    }
}
