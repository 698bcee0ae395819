//! `jmsctl doctor`: for each thing that it can find, exactly that is broken, found, and mended by the command that it prints.

mod doctor_cases;

use std::collections::BTreeSet;
use std::time::Duration;

use doctor_cases::{Case, groups};
use serde_json::Value;
use tests::boot::ADMINISTRATOR;
use tests::{End, Lab, Outcome, eventually, everyday};

/// The findings of now, by their ids.
fn examine(lab: &Lab, flags: &str) -> (Vec<Value>, Outcome) {
    let outcome = lab
        .bastion()
        // Not bash, which looks up who it is.
        .command(["sh", "-c", &format!("jmsctl doctor --json {flags}")])
        .within(Duration::from_secs(60))
        .run();
    let lines = outcome.text();
    let findings = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    (findings.collect(), outcome)
}

fn ids(findings: &[Value]) -> Vec<String> {
    let id = |finding: &Value| finding["id"].as_str().expect("an id").to_owned();
    findings.iter().map(id).collect()
}

/// Runs a printed command as a person would: `sh`, as root, answers typed where it asks.
fn mend(lab: &Lab, command: &str, answers: &str) -> Outcome {
    let bastion = lab.bastion();
    let listens = "grep -c 'Server listening on 0.0.0.0' /var/log/auth.log";
    let before = bastion.run(listens).text();
    // Everybody has a key of his own: doctor knows one person with two names by it.
    let person = answers.lines().next().unwrap_or_default();
    let key = match answers.contains("@KEY@") {
        true => lab.folder().public_key_of(person).expect("a key"),
        false => String::new(),
    };
    let outcome = bastion
        .command(["sh", "-c", command])
        .input(answers.replace("@KEY@", &key))
        .within(Duration::from_secs(120))
        .run();
    if command.contains("kill -HUP") && outcome.succeeded() {
        // A second signal before sshd listens again would end it.
        eventually("sshd listens again", Duration::from_secs(30), || {
            bastion.run(listens).text() != before
        });
    }
    outcome
}

#[track_caller]
fn nothing_to_complain_of(lab: &Lab, flags: &str, what: &str) {
    // rsyslog, nscd and sshd take a moment until they are there again.
    let mut last = None;
    let begun = std::time::Instant::now();
    while begun.elapsed() < Duration::from_secs(20) {
        let (_, outcome) = examine(lab, flags);
        if outcome.succeeded() {
            return;
        }
        last = Some(outcome);
        std::thread::sleep(Duration::from_millis(200));
    }
    panic!("{what}: {}", last.expect("an outcome"));
}

fn try_case(lab: &Lab, case: &Case) {
    let bastion = lab.bastion();
    let flags = case.flags;
    bastion
        .command(["bash", "-c", &format!("set -e\n{}", case.breaks)])
        .within(Duration::from_secs(60))
        .run()
        .expect_status(0);
    let what = format!("{} after: {}", case.id, case.breaks);
    let (findings, outcome) = examine(lab, flags);
    let found = ids(&findings);
    assert_eq!(outcome.end, End::Status(1), "{what}: {outcome}");
    assert!(
        found.iter().any(|id| id == case.id),
        "{what}: not found: {outcome}"
    );
    for id in &found {
        assert!(
            id == case.id || case.with.contains(&id.as_str()),
            "{what}: {id} as well: {outcome}"
        );
    }
    let command = |findings: &[Value], id: &str| {
        let finding = findings.iter().find(|finding| finding["id"] == id);
        finding
            .and_then(|finding| finding["command"].as_str())
            .expect("a command")
            .to_owned()
    };
    let printed = command(&findings, case.id);
    let mended = mend(lab, &printed, case.answers);
    assert!(mended.succeeded(), "{what}: {printed}: {mended}");
    // What had to break as well has its own command, unless it went with the cause.
    for _ in case.with {
        let (left, outcome) = examine(lab, flags);
        let Some(id) = ids(&left).first().cloned() else {
            break;
        };
        assert!(
            case.with.contains(&id.as_str()),
            "{what}: after {printed}: {outcome}"
        );
        mend(lab, &command(&left, &id), case.answers);
    }
    nothing_to_complain_of(lab, flags, &format!("{what}\nafter: {printed}"));
    bastion.run(case.after).expect_status(0);
}

fn prepared() -> Lab {
    let lab = Lab::everyday();
    everyday::try_local_account(&lab).expect("the administrator gets in");
    doctor_cases::prepare(&lab);
    nothing_to_complain_of(&lab, "", "a freshly installed bastion");
    lab
}

/// All cases of a group, one after the other in one host. One that fails is told with the others; the next gets a new host.
fn try_groups(names: &[&str]) {
    let mut lab = prepared();
    let mut failures = Vec::new();
    for group in groups().iter().filter(|group| names.contains(&group.name)) {
        let here = |case: &&Case| case.release.is_none_or(|release| release == lab.release());
        for case in group.cases.iter().filter(here).collect::<Vec<_>>() {
            let tried = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                try_case(&lab, case);
                lab.bastion().run(group.restore).expect_status(0);
            }));
            if let Err(panic) = tried {
                failures.push(panic.downcast_ref::<String>().cloned().unwrap_or_default());
                lab = prepared();
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} cases failed:\n\n{}",
        failures.len(),
        failures.join("\n\n")
    );
}

#[test]
fn what_sshd_would_do_wrong_is_found_and_mended() {
    try_groups(&["sshd"]);
}

#[test]
fn what_is_wrong_with_pam_and_the_name_service_is_found_and_mended() {
    try_groups(&["pam", "nsswitch"]);
}

#[test]
fn what_is_wrong_with_files_programs_and_accounts_is_found_and_mended() {
    try_groups(&["files"]);
}

#[test]
fn what_is_wrong_with_the_host_and_its_syslog_is_found_and_mended() {
    try_groups(&["host"]);
}

#[test]
fn what_is_wrong_with_settings_key_and_store_is_found_and_mended() {
    try_groups(&["store"]);
}

#[test]
fn what_is_wrong_with_names_and_people_is_found_and_mended() {
    try_groups(&["names", "people"]);
}

#[test]
fn every_finding_of_the_documentation_is_broken_and_mended_here() {
    let documentation = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/doctor.md");
    let text = std::fs::read_to_string(documentation).expect("docs/doctor.md");
    let id = |line: &str| Some(line.strip_prefix("| `")?.split('`').next()?.to_owned());
    let documented: BTreeSet<String> = text.lines().filter_map(id).collect();
    let tried = groups()
        .iter()
        .flat_map(|group| group.cases)
        .map(|case| case.id.to_owned());
    let tried: BTreeSet<String> = tried.collect();
    assert!(documented.len() > 50);
    assert_eq!(documented, tried);
}

/// Nobody has configured anything: doctor leads to a bastion that it has nothing to complain of.
#[test]
fn the_commands_lead_from_a_fresh_installation_to_a_bastion() {
    let lab = Lab::installed();
    doctor_cases::prepare(&lab);
    let key = |name: &str| lab.folder().public_key_of(name).expect("a key");
    let mut seen = Vec::new();
    let mut admins = ["ada", "grace"].iter();
    for _ in 0..10 {
        let (findings, outcome) = examine(&lab, "");
        if outcome.succeeded() {
            break;
        }
        let first = findings.first().expect("a finding");
        let id = first["id"].as_str().expect("an id").to_owned();
        let answers = match id.as_str() {
            "administrators.few" => {
                let name = admins.next().expect("two are enough");
                format!("{name}\n{}\n", key(name))
            }
            "secret-key.backup" => "/root/secret.key\n".to_owned(),
            _ => String::new(),
        };
        mend(
            &lab,
            first["command"].as_str().expect("a command"),
            &answers,
        )
        .expect_status(0);
        seen.push(id);
    }
    // The lab's hosts have a new /run and no systemd that fills it.
    assert_eq!(
        seen,
        [
            "run.folders",
            "store.missing",
            "secret-key.backup",
            "administrators.few",
            "administrators.few",
            "administrators.untried"
        ]
    );
    nothing_to_complain_of(&lab, "", "a bastion that doctor led to");
}

#[test]
fn status_is_one_screen_and_tells_what_happened() {
    let lab = Lab::everyday();
    lab.client()
        .ssh(["alice@dev@web1@bastion", "echo quince"])
        .expect_stdout("quince\n");
    lab.client()
        .ssh(["alice@dev@web2@bastion", "true"])
        .expect_failure();
    let mut shell = lab.client().ssh_on_terminal(["alice@dev@web1@bastion"]);
    shell.expect("dev@web1");
    let status = lab
        .bastion()
        .run("jmsctl status --json")
        .json()
        .expect("JSON");
    assert_eq!(status["online"][0]["user"], "alice", "{status}");
    assert_eq!(status["online"][0]["asset"], "web1");
    assert_eq!(status["last_logins"].as_array().map(Vec::len), Some(3));
    assert_eq!(status["refusals_today"], 1);
    assert_eq!(status["snapshots"]["current"], true);
    assert_eq!(status["unsent_events"], 0);
    assert_eq!(status["findings"], serde_json::json!([]));
    assert!(
        status["recordings"]["bytes"]
            .as_u64()
            .is_some_and(|bytes| bytes > 0),
        "{status}"
    );
    let screen = lab
        .bastion()
        .run("jmsctl status")
        .expect_status(0)
        .expect_stdout_contains("1 sessions")
        .expect_stdout_contains("alice on web1 as dev")
        .expect_stdout_contains("session.refused alice")
        .expect_stdout_contains("nothing to complain of");
    assert!(screen.text().lines().count() <= 24, "{screen}");
    shell.send_line("exit");
    let _ = shell.wait();
    lab.bastion()
        .run("rm -rf /var/lib/jms/jms.db*")
        .expect_status(0);
    lab.bastion()
        .run("jmsctl status")
        .expect_status(1)
        .expect_stdout_contains("cannot be opened")
        .expect_stdout_contains("store.missing")
        .expect_stderr_contains("there is no store");
}

#[test]
fn doctor_is_for_root_and_notes_only_a_true_copy_of_the_key() {
    let lab = Lab::everyday();
    let bastion = lab.bastion();
    bastion
        .command_as("admin", ["jmsctl", "doctor"])
        .run()
        .expect_status(4)
        .expect_stderr_contains("run this as root");
    bastion
        .run("head -c 32 /dev/urandom | jmsctl doctor --confirm-backup -")
        .expect_status(1)
        .expect_stderr_contains("is no copy of /etc/jms/secret.key");
    bastion
        .run("jmsctl event ls --json | grep secret-key-backup")
        .expect_status(0);
    // Who sits at the console shows nothing about ssh.
    bastion
        .run("jmsctl doctor --confirm-local-account")
        .expect_status(1)
        .expect_stderr_contains("was not started over ssh");
    lab.client_of(ADMINISTRATOR)
        .ssh(["admin@bastion", "jmsctl doctor --confirm-local-account"])
        .expect_status(4);
    everyday::try_local_account(&lab).expect("the administrator gets in");
    bastion
        .run("jmsctl event ls --json | grep local-account-tried | grep '\"name\":\"admin\"'")
        .expect_status(0);
    bastion
        .run("jmsctl doctor --profile nonsense")
        .expect_status(2);
    let text = bastion
        .run("sed -i 's/ jms$//' /etc/nsswitch.conf; jmsctl doctor")
        .expect_status(1)
        .text();
    assert!(
        text.starts_with("critical  nsswitch.passwd\n          the passwd line")
            && text.contains("\n          mend: sed "),
        "{text}"
    );
}

/// Every part broken at once: doctor ends soon, says so, and does not crash.
#[test]
fn with_everything_broken_doctor_still_speaks() {
    let lab = Lab::everyday();
    let bastion = lab.bastion();
    bastion
        .run(
            "pkill rsyslogd
             for f in /var/lib/jms/jms.db /var/lib/jms/public/users.snap /var/lib/jms/public/keys.snap /etc/jms/jms.toml \
                 /etc/jms/secret.key /etc/jms/uid-range /etc/jms/uid-high-water /etc/pam.d/common-auth /etc/nscd.conf \
                 /etc/rsyslog.conf /etc/login.defs /etc/subuid /etc/ssh/sshd_config.d/00-jms.conf; do
                 rm -f $f && mkfifo $f
             done
             rm -rf /run/jms /usr/libexec/jms /etc/nsswitch.conf",
        )
        .expect_status(0);
    let (findings, outcome) = examine(&lab, "--profile bastion");
    let outcome = outcome
        .expect_status(1)
        .expect_within(Duration::from_secs(45));
    let found = ids(&findings);
    for id in [
        "store.damaged",
        "settings.wrong",
        "secret-key.missing",
        "names.uid-range",
        "nsswitch.passwd",
        "run.folders",
        "syslog.silent",
    ] {
        assert!(found.iter().any(|one| one == id), "{id}: {outcome}");
    }
    bastion
        .run("sed -i '/^jms:/d' /etc/passwd; jmsctl doctor --json")
        .expect_status(1)
        .expect_stdout_contains("accounts.service")
        .expect_stderr_contains("the store is not looked at");
}
