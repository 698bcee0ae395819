//! `ssh admin@bastion jmsctl …`: who may do what, who did it, and that no way leads from it to a file of the bastion.

use serde_json::Value;
use tests::{Lab, Outcome, Terminal, eventually};

use std::time::Duration;

/// An everyday lab with carol, an administrator, and dave, an auditor.
fn staffed() -> Lab {
    let lab = Lab::everyday();
    for (person, role) in [("carol", "admin"), ("dave", "auditor")] {
        let key = lab.client_of(person).public_key().expect("a key");
        lab.bastion()
            .command([
                "jmsctl", "user", "add", person, "--role", role, "--key", "-",
            ])
            .input(key)
            .run()
            .expect_status(0);
    }
    lab
}

/// `ssh PERSON@bastion LINE`, with something on standard input.
#[track_caller]
fn ssh_with(lab: &Lab, person: &str, line: &str, input: &str) -> Outcome {
    let client = lab.client_of(person);
    client.command("ssh", ["bastion", line]).input(input).run()
}

#[track_caller]
fn ssh(lab: &Lab, person: &str, line: &str) -> Outcome {
    ssh_with(lab, person, line, "")
}

#[track_caller]
fn on_terminal(lab: &Lab, person: &str, line: &str) -> Terminal {
    lab.client_of(person)
        .ssh_on_terminal(["-t", "bastion", line])
}

/// The newest event of a type.
#[track_caller]
fn newest_event(lab: &Lab, kind: &str) -> Value {
    let events = lab
        .bastion()
        .run(format!("jmsctl event ls --type {kind} --json"));
    let events = events.json_lines().expect("event ls --json prints JSON");
    events.last().expect("there is such an event").clone()
}

/// The attempt was refused with status 4, and is an event.
#[track_caller]
fn refused(lab: &Lab, person: &str, line: &str, reason: &str) -> String {
    let outcome = ssh(lab, person, line).expect_status(4).expect_stdout("");
    let event = newest_event(lab, "request.refused");
    assert_eq!(event["user"], person, "{event}");
    assert_eq!(event["reason"], reason, "{event}");
    assert_eq!(event["result"], "deny", "{event}");
    let request = event["request"].as_str().expect("a request");
    assert_eq!(request, line, "{event}");
    assert!(event["login"].as_str().is_some_and(|id| !id.is_empty()));
    assert_eq!(event["source"], lab.address("client").to_string());
    outcome.error_text()
}

#[test]
fn an_administrator_administers_over_ssh_and_the_event_says_who_and_through_which_login() {
    let lab = staffed();
    let added = ssh(
        &lab,
        "carol",
        "jmsctl user add bob --full-name 'Bob B. Martin' --json",
    )
    .expect_status(0)
    .expect_stderr("")
    .json()
    .expect("one object");
    assert_eq!(added["full_name"], "Bob B. Martin");
    let event = newest_event(&lab, "policy.change");
    assert_eq!(event["actor"], "carol");
    assert_eq!(
        (&event["object"], &event["name"]),
        (&"user".into(), &"bob".into())
    );
    let login = event["login"].as_str().expect("a login");
    let row = lab
        .bastion()
        .run(format!("jmsctl login show {login} --json"))
        .json()
        .expect("the login");
    assert_eq!(row["user"], "carol");
    assert_eq!(event["source"], row["source"]);

    // A key from standard input, and a change: before and after.
    let key = lab.client_of("bob").public_key().expect("a key");
    ssh_with(&lab, "carol", "jmsctl key add bob -", &format!("{key}\n")).expect_status(0);
    ssh(&lab, "bob", "whoami").expect_status(0);
    ssh(
        &lab,
        "carol",
        "jmsctl user set bob --email bob@example.org --comment new",
    )
    .expect_status(0);
    let event = newest_event(&lab, "policy.change");
    let part = |name: &str| -> Value {
        serde_json::from_str(event[name].as_str().expect("an object as text")).expect("JSON")
    };
    assert_eq!(part("before")["email"], "");
    assert_eq!(part("after")["email"], "bob@example.org");

    // What is removed is gone at once, and root's own changes still say root.
    ssh(&lab, "carol", "jmsctl user rm bob --yes").expect_status(0);
    ssh(&lab, "bob", "whoami").expect_failure();
    lab.bastion().run("jmsctl user add bob").expect_status(0);
    let event = newest_event(&lab, "policy.change");
    assert_eq!(event["actor"], "root");
    assert_eq!(event["login"], Value::Null);
}

#[test]
fn every_change_says_who_and_what_it_was_before_and_after() {
    let lab = staffed();
    let address = lab.address("web2");
    let first = lab
        .bastion()
        .run("jmsctl event ls --json | tail -n 1")
        .json()
        .expect("an event")["seq"]
        .as_u64();
    for line in [
        "jmsctl user add bob".to_owned(),
        "jmsctl user disable bob".to_owned(),
        "jmsctl user-group add team".to_owned(),
        "jmsctl user-group set team --add-user bob".to_owned(),
        "jmsctl user-group rm team --yes".to_owned(),
        "jmsctl site add here".to_owned(),
        format!("jmsctl asset add db1 --address {address} --site here --scan"),
        "jmsctl asset set db1 --comment old".to_owned(),
        "jmsctl system-user add dba --generate ed25519".to_owned(),
        "jmsctl system-user set dba --comment rotated".to_owned(),
        "jmsctl grant add dbs --user alice --asset db1 --system-user dba --rights shell".to_owned(),
        "jmsctl grant set dbs --rights exec".to_owned(),
        "jmsctl grant rm dbs --yes".to_owned(),
        "jmsctl asset rm db1 --yes".to_owned(),
    ] {
        ssh(&lab, "carol", &line).expect_status(0);
    }
    let changes = lab
        .bastion()
        .run("jmsctl event ls --type policy.change --json")
        .json_lines()
        .expect("events");
    let changes: Vec<&Value> = changes
        .iter()
        .filter(|event| event["seq"].as_u64() > first)
        .collect();
    assert!(changes.len() >= 14, "{changes:#?}");
    for event in changes {
        assert_eq!(event["actor"], "carol", "{event}");
        let (before, after) = (event["before"].is_string(), event["after"].is_string());
        let expected = match event["result"].as_str() {
            Some("add") => (false, true),
            Some("set") => (true, true),
            Some("rm") => (true, false),
            _ => panic!("{event}"),
        };
        assert_eq!((before, after), expected, "{event}");
    }
}

#[test]
fn an_auditor_reads_evidence_and_nothing_else_and_his_look_at_a_recording_is_an_event() {
    let lab = staffed();
    lab.client()
        .ssh(["alice@dev@web1@bastion", "echo quin$((6*7))ce"])
        .expect_stdout("quin42ce\n");
    let logins = ssh(&lab, "dave", "jmsctl login ls --user alice --json").json_lines();
    let login = logins.expect("logins")[0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let login = ssh(&lab, "dave", &format!("jmsctl login show {login} --json")).json();
    let session = login.expect("a login")["sessions"][0]["id"].clone();
    let session = session.as_str().expect("a session").to_owned();
    ssh(&lab, "dave", &format!("jmsctl session show {session}"))
        .expect_status(0)
        .expect_stdout_contains("web1");
    ssh(&lab, "dave", &format!("jmsctl session replay {session}"))
        .expect_status(0)
        .expect_stdout_contains("quin42ce");
    let event = newest_event(&lab, "evidence.read");
    assert_eq!(
        (&event["actor"], &event["session"]),
        (&"dave".into(), &session.as_str().into())
    );
    assert_eq!(event["user"], "alice");
    assert_eq!(event["source"], lab.address("client").to_string());
    assert!(event["login"].is_string());
    ssh(&lab, "dave", "jmsctl event ls --type session --json")
        .expect_status(0)
        .expect_stdout_contains(&session);

    let said = refused(&lab, "dave", "jmsctl user ls", "role");
    assert!(
        said.contains("user ls is not allowed for you: it is for administrators"),
        "{said}"
    );
    for line in [
        "jmsctl user add eve",
        "jmsctl user set dave --role admin",
        "jmsctl grant add x --user dave --asset web1 --system-user dev --rights shell",
        "jmsctl key add dave -",
        "jmsctl asset rm web1 --yes",
        "jmsctl defaults set --port 2222",
        "jmsctl config show",
        "jmsctl init",
    ] {
        refused(&lab, "dave", line, "role");
    }
    lab.bastion().run("jmsctl user show eve").expect_status(3);
    lab.bastion()
        .run("jmsctl user show dave")
        .expect_stdout_contains("auditor");
}

#[test]
fn nobody_else_administers_and_every_attempt_is_an_event() {
    let lab = staffed();
    for line in [
        "jmsctl user ls",
        "jmsctl",
        "jmsctl help",
        "jmsctl session ls",
    ] {
        let said = refused(&lab, "alice", line, "role");
        assert!(
            said.contains("jms: jmsctl is not allowed for you"),
            "{said}"
        );
    }
    // What is for root on the bastion is for no administrator over ssh.
    for line in ["jmsctl init", "jmsctl config show", "jmsctl config path"] {
        let said = refused(&lab, "carol", line, "role");
        assert!(said.contains("root on the bastion itself"), "{said}");
    }
    // A role that was taken away ends with the next command.
    lab.bastion()
        .run("jmsctl user add zoe --role admin && jmsctl user set carol --role user")
        .expect_status(0);
    refused(&lab, "carol", "jmsctl user ls", "role");
}

#[test]
fn a_role_is_taken_from_the_store_and_from_nothing_that_a_user_can_set() {
    let lab = staffed();
    let bastion = lab.bastion();
    // carol is logged in, and her token is known to the attacker.
    let mut shell =
        lab.client_of("carol")
            .ssh_on_terminal(["-t", "bastion", "jmsctl event ls --follow"]);
    shell.expect("policy.change");
    bastion
        .run(
            r#"for p in $(pgrep -x jmsctl); do tr '\0' '\n' < /proc/$p/environ; done | grep '^JMS_LOGIN=' > /tmp/token"#,
        )
        .expect_status(0);
    let as_alice = |command: &str| {
        bastion.run(format!(
            "cd /; env -i $(cat /tmp/token) USER=carol LOGNAME=carol SSH_ORIGINAL_COMMAND='jmsctl user ls' SUDO_USER=carol \
             setpriv --reuid $(id -u alice) --regid $(id -g alice) --clear-groups {command}"
        ))
    };
    // Directly: no program but the session program has the two uids that count.
    as_alice("/usr/bin/jmsctl user ls")
        .expect_status(4)
        .expect_stdout("")
        .expect_stderr_contains("run this as root");
    // By the session program, with another's token and name.
    as_alice("/usr/libexec/jms/force-command")
        .expect_status(126)
        .expect_stdout("");
    let alert = newest_event(&lab, "alert");
    assert_eq!(alert["reason"], "login-of-another-user", "{alert}");
    // As carol herself, but not below her sshd.
    bastion
        .run(
            "cd /; env -i $(cat /tmp/token) USER=carol SSH_ORIGINAL_COMMAND='jmsctl user ls' \
             setpriv --reuid $(id -u carol) --regid $(id -g carol) --clear-groups /usr/libexec/jms/force-command",
        )
        .expect_status(126)
        .expect_stdout("");
    // As the service user alone: that is nobody.
    bastion
        .run("env -i $(cat /tmp/token) setpriv --reuid jms --regid jms --clear-groups /usr/bin/jmsctl user ls")
        .expect_status(4)
        .expect_stdout("");
    // With both uids, as the session program would start it, but without the login: refused, and an alert.
    bastion
        .run("python3 - <<'PY'\nimport os, pwd\nu=pwd.getpwnam('carol'); j=pwd.getpwnam('jms').pw_uid\nos.setgroups([u.pw_gid]); os.setresgid(u.pw_gid,u.pw_gid,u.pw_gid); os.setresuid(u.pw_uid,j,j)\nos.chdir('/')\nos.execve('/usr/bin/jmsctl',['jmsctl','user','ls'],{'JMS_LOGIN':open('/tmp/token').read().strip().split('=')[1]} if os.access('/tmp/token',os.R_OK) else {})\nPY")
        .expect_status(4)
        .expect_stdout("");
    assert_eq!(
        newest_event(&lab, "alert")["reason"],
        "login-of-another-sshd"
    );
}

#[test]
fn over_ssh_jmsctl_is_the_service_user_with_nothing_else() {
    let lab = staffed();
    let mut shell = on_terminal(&lab, "carol", "jmsctl event ls --follow");
    shell.expect("policy.change");
    let status = lab
        .bastion()
        .run("cat /proc/$(pgrep -x jmsctl)/status; echo jms=$(id -u jms)")
        .expect_status(0)
        .text();
    let jms = status
        .rsplit("jms=")
        .next()
        .expect("a uid")
        .trim()
        .to_owned();
    for line in [
        format!("Uid:\t{jms}\t{jms}\t{jms}\t{jms}"),
        "CapInh:\t0000000000000000".to_owned(),
        "CapPrm:\t0000000000000000".to_owned(),
        "CapEff:\t0000000000000000".to_owned(),
        "CapAmb:\t0000000000000000".to_owned(),
        "NoNewPrivs:\t1".to_owned(),
    ] {
        assert!(status.contains(&line), "{line} in\n{status}");
    }
    // Nothing else of the session program is open in it.
    lab.bastion()
        .run("ls -l /proc/$(pgrep -x jmsctl)/fd | grep -c -e force-command -e secret.key")
        .expect_stdout("0\n");
    // The client's hang-up ends it.
    shell.hang_up();
    eventually("jmsctl is gone", Duration::from_secs(10), || {
        !lab.bastion().run("pgrep -x jmsctl").succeeded()
    });
}

/// The attack: an administrator over ssh makes jmsctl read or write a file of the bastion. Once for each
/// command that takes one.
#[test]
fn no_command_reads_or_writes_a_file_of_the_bastion_over_ssh() {
    let lab = staffed();
    let bastion = lab.bastion();
    bastion
        .run("echo only-jms-may-read-this > /var/lib/jms/planted; chown jms /var/lib/jms/planted; chmod 600 /var/lib/jms/planted")
        .expect_status(0);
    for line in [
        "jmsctl key add alice /var/lib/jms/planted",
        "jmsctl user add bob --key /var/lib/jms/planted",
        "jmsctl user add bob --key=/var/lib/jms/planted",
        "jmsctl host-key add web1 /var/lib/jms/planted",
        "jmsctl system-user add dba --key /var/lib/jms/planted",
        "jmsctl system-user set dev --key /var/lib/jms/planted",
        "jmsctl apply /var/lib/jms/planted --yes",
        "jmsctl diff /var/lib/jms/planted",
        "jmsctl user add --csv /var/lib/jms/planted",
        "jmsctl asset add --csv /var/lib/jms/planted",
        "jmsctl user ls --config /var/lib/jms/planted",
        "jmsctl --config /var/lib/jms/planted user ls",
        "jmsctl --config=- user ls",
        "jmsctl key add alice /dev/stdin",
        "jmsctl key add alice /proc/self/fd/0",
        "jmsctl key add alice ../var/lib/jms/planted",
        "jmsctl man --out /var/lib/jms",
        "jmsctl man --out /run/jms",
    ] {
        let said = refused(&lab, "carol", line, "file");
        assert!(
            said.contains("over ssh no file of the bastion is read or written"),
            "{said}"
        );
        assert!(!said.contains("only-jms-may-read-this"));
    }
    // Not by a shell, which is not there.
    for line in [
        "jmsctl key add alice - < /var/lib/jms/planted",
        "jmsctl user ls > /var/lib/jms/public/out",
        "jmsctl user ls; cat /var/lib/jms/planted",
        "jmsctl user ls `cat /var/lib/jms/planted`",
        "jmsctl user ls $(cat /var/lib/jms/planted)",
    ] {
        ssh(&lab, "carol", line)
            .expect_status(2)
            .expect_stdout("")
            .expect_stderr_contains("without a shell");
    }
    // Not by the environment: neither a pager nor an editor nor a place is taken from it.
    for variable in ["LC_PAGER", "LC_ALL", "LANG"] {
        lab.client_of("carol")
            .command(
                "ssh",
                [
                    "-o",
                    &format!("SendEnv {variable}"),
                    "bastion",
                    "jmsctl user ls",
                ],
            )
            .variable(variable, "/var/lib/jms/planted")
            .run()
            .expect_status(0)
            .expect_stdout_lacks("only-jms");
    }
    bastion
        .run("ls /var/lib/jms /run/jms /var/lib/jms/public | grep -c -e '\\.1$' -e '^out$'")
        .expect_stdout("0\n");
    bastion.run("jmsctl user show bob").expect_status(3);
    // Reading opens nothing but the store, the settings, the snapshots and what every program opens.
    bastion
        .run("jmsctl event ls --json")
        .expect_stdout_lacks("only-jms-may-read-this");
}

#[test]
fn an_administrator_does_not_change_his_own_role_and_the_last_one_stays() {
    let lab = staffed();
    for line in [
        "jmsctl user set carol --role user",
        "jmsctl user set carol --role auditor",
        "jmsctl user rm carol --yes",
        "jmsctl user set carol --valid-until none --valid-from 2001-01-01",
        "jmsctl user disable carol",
    ] {
        let outcome = ssh(&lab, "carol", line).expect_status(4);
        assert!(outcome.error_text().contains("ask another administrator"));
        let event = newest_event(&lab, "request.refused");
        assert_eq!(
            (&event["actor"], &event["reason"]),
            (&"carol".into(), &"rule".into()),
            "{event}"
        );
    }
    // Not by a policy file either.
    let policy = ssh(&lab, "carol", "jmsctl export").expect_status(0).text();
    let edited = policy.replace("role = \"admin\"", "role = \"auditor\"");
    assert_ne!(edited, policy);
    ssh_with(&lab, "carol", "jmsctl apply - --yes", &edited).expect_failure();
    lab.bastion()
        .run("jmsctl user show carol --json")
        .expect_stdout_contains("\"role\":\"admin\"");
    ssh_with(&lab, "carol", "jmsctl diff -", &policy).expect_status(0);
    // What is not his role he may change.
    ssh(
        &lab,
        "carol",
        "jmsctl user set carol --full-name 'Carol C.'",
    )
    .expect_status(0);
    // The last one can be neither removed nor disabled nor run out, by nobody, root included.
    lab.bastion()
        .run("jmsctl user disable ada grace")
        .expect_status(0);
    for line in [
        "user rm carol --yes",
        "user disable carol",
        "user set carol --role user",
        "user set carol --valid-until 2001-01-01",
        "user set carol --valid-from 2199-01-01",
    ] {
        lab.bastion()
            .run(format!("jmsctl {line}"))
            .expect_status(2)
            .expect_stderr_contains("carol is the last administrator");
    }
    lab.bastion()
        .run("jmsctl user set carol --valid-until 2199-01-01")
        .expect_status(2)
        .expect_stderr_contains("whose validity and login key have no end");
    // With another one, who does it for her.
    ssh(&lab, "carol", "jmsctl user set dave --role admin").expect_status(0);
    ssh(&lab, "dave", "jmsctl user set carol --role user").expect_status(0);
    refused(&lab, "carol", "jmsctl user ls", "role");
}

#[test]
fn a_removed_or_expired_key_administers_no_more_through_an_open_connection() {
    let lab = staffed();
    let folder = tempfile::tempdir().expect("a folder");
    let path = format!("ControlPath={}/socket", folder.path().display());
    let client = lab.client_of("carol");
    let key = client.public_key().expect("a key");
    let shared = |line: &str, input: &str| {
        let words = [
            "-o",
            &path,
            "-o",
            "ControlMaster=auto",
            "-o",
            "ControlPersist=120",
            "bastion",
            line,
        ];
        client.command("ssh", words).input(input).run()
    };
    let fingerprint = "$(jmsctl key ls carol --json --columns fingerprint | cut -d'\"' -f4)";
    shared("jmsctl user ls", "").expect_status(0);
    for (end, back) in [
        (
            format!("jmsctl key set {fingerprint} --valid-until 2001-01-01"),
            format!("jmsctl key set {fingerprint} --valid-until none"),
        ),
        (format!("jmsctl key rm {fingerprint} --yes"), String::new()),
    ] {
        lab.bastion().run(&end).expect_status(0);
        shared("jmsctl user add mallory --role admin", "").expect_failure();
        shared("jmsctl key add carol -", &format!("{key}\n")).expect_failure();
        shared("jmsctl event ls", "")
            .expect_failure()
            .expect_stdout("");
        lab.bastion()
            .run("jmsctl user show mallory")
            .expect_status(3);
        let event = newest_event(&lab, "session.refused");
        assert_eq!(event["reason"], "key-removed", "{end}: {event}");
        if back.is_empty() {
            let keys = lab.bastion().run("jmsctl key ls carol --json");
            keys.expect_status(0).expect_stdout("");
        } else {
            lab.bastion().run(&back).expect_status(0);
            // The connection was there all the time.
            shared("jmsctl user ls", "").expect_status(0);
        }
    }
}

#[test]
fn who_is_disabled_while_his_command_waits_changes_nothing() {
    let lab = staffed();
    let mut waiting = lab
        .client_of("carol")
        .command("ssh", ["bastion", "jmsctl apply - --yes"])
        .within(Duration::from_secs(60))
        .spawn();
    eventually("jmsctl waits for the file", Duration::from_secs(20), || {
        lab.bastion()
            .run(
                "p=$(pgrep -x jmsctl) && ls -l /proc/$p/fd | grep -q jms.db && grep -q '^State:.S' /proc/$p/status",
            )
            .succeeded()
    });
    lab.bastion()
        .run("jmsctl user disable carol")
        .expect_status(0);
    waiting.write("[user.carol]\nenabled = true\n\n[user.mallory]\nrole = \"admin\"\n");
    waiting.close_input();
    waiting.wait().expect_status(4);
    lab.bastion()
        .run("jmsctl user show mallory")
        .expect_status(3);
    lab.bastion()
        .run("jmsctl user show carol --json")
        .expect_stdout_contains("\"enabled\":false");
    let event = newest_event(&lab, "policy.change");
    assert_eq!(
        (&event["actor"], &event["name"]),
        (&"root".into(), &"carol".into())
    );
}

#[test]
fn with_a_terminal_it_asks_and_without_one_it_wants_yes() {
    let lab = staffed();
    lab.bastion().run("jmsctl user add bob").expect_status(0);
    ssh(&lab, "carol", "jmsctl user rm bob")
        .expect_status(2)
        .expect_stderr_contains("--yes");
    let mut asked = on_terminal(&lab, "carol", "jmsctl user rm bob");
    asked.expect("[y/N]");
    asked.send_line("n");
    asked.wait().expect_status(1);
    lab.bastion().run("jmsctl user show bob").expect_status(0);
    let mut asked = on_terminal(&lab, "carol", "jmsctl user rm bob");
    asked.expect("[y/N]");
    asked.send_line("y");
    asked.wait().expect_status(0);
    lab.bastion().run("jmsctl user show bob").expect_status(3);
    // Ctrl-Z does not leave it stopped with the store in its hands.
    lab.bastion().run("jmsctl user add bob").expect_status(0);
    let mut asked = on_terminal(&lab, "carol", "jmsctl user rm bob");
    asked.expect("[y/N]");
    asked.send("\x1a");
    asked.send_line("y");
    asked.wait().expect_status(0);
}

#[test]
fn in_the_menu_the_same_words_work_for_the_same_people() {
    let lab = staffed();
    lab.bastion().run("jmsctl user add bob").expect_status(0);
    let mut menu = lab.client_of("carol").ssh_on_terminal(["bastion"]);
    menu.expect("jms> ");
    menu.send_line("jmsctl user rm bob");
    menu.expect("[y/N]");
    menu.send_line("y");
    menu.expect("user bob removed");
    menu.expect("jms> ");
    menu.send_line("jmsctl user show bob");
    menu.expect("there is no user");
    menu.expect("jms> ");
    menu.send_line("q");
    menu.wait().expect_status(0);
    let mut menu = lab.client().ssh_on_terminal(["bastion"]);
    menu.expect("jms> ");
    menu.send_line("jmsctl user ls");
    menu.expect("jmsctl is not allowed for you");
    menu.send_line("q");
    menu.wait().expect_status(0);
}

#[test]
fn exit_statuses_and_json_are_those_of_the_bastion_itself() {
    let lab = staffed();
    for (line, status) in [
        ("jmsctl version", 0),
        ("jmsctl help user add", 0),
        ("jmsctl --help", 0),
        ("jmsctl user show nobody-like-this", 3),
        ("jmsctl user add Bad.Name", 2),
        ("jmsctl nonsense", 2),
        ("jmsctl", 2),
        ("jmsctl status --nonsense", 2),
        ("jmsctl 'user", 2),
    ] {
        // Some of these may be built by now; what counts is that ssh hands on the same status.
        let here = lab.bastion().run(line);
        let there = ssh(&lab, "carol", line);
        if status != 2 {
            let there = there.expect_status(status);
            assert_eq!(there.text(), here.text(), "{line}");
        } else {
            let _ = there.expect_status(2);
        }
    }
    let here = lab.bastion().run("jmsctl user ls --json").text();
    ssh(&lab, "carol", "jmsctl user ls --json").expect_stdout(here);
}

#[test]
fn a_secret_from_standard_input_reaches_the_store_and_nothing_else() {
    let lab = staffed();
    let key = lab.client_of("eve").key();
    let secret = std::fs::read_to_string(key).expect("a private key");
    ssh_with(&lab, "carol", "jmsctl system-user add dba --key -", &secret).expect_status(0);
    ssh(&lab, "carol", "jmsctl system-user show dba --json")
        .expect_status(0)
        .expect_stdout_contains("\"has_secret\":true");
    let line = secret.lines().nth(1).expect("a line of the key");
    lab.bastion()
        .run("cat /var/log/auth.log /var/log/syslog; jmsctl event ls --json")
        .expect_stdout_lacks(line);
}
