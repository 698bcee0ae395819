//! Login rules, inactivity and the number of logins, through a real sshd.

use std::time::Duration;

use serde_json::Value;
use tests::shared_login::SharedLogin;
use tests::{Lab, Outcome, Running, eventually};

const ALICE: &str = "alice@bastion";
const ON_WEB1: &str = "alice@dev@web1@bastion";
const SOON: Duration = Duration::from_secs(30);

fn jmsctl(lab: &Lab, line: &str) -> Outcome {
    lab.bastion().run(format!("jmsctl {line}")).expect_status(0)
}

fn alice_gets_in(lab: &Lab) {
    lab.client()
        .ssh([ALICE, "whoami"])
        .expect_status(0)
        .expect_stdout_contains("alice");
}

/// She has proved her key, and reads why.
#[track_caller]
fn alice_is_refused(lab: &Lab, sentence: &str) {
    lab.client()
        .ssh([ALICE, "whoami"])
        .expect_status(255)
        .expect_stdout("")
        .expect_stderr_contains(&format!("jms: {sentence}"));
}

fn last(lab: &Lab, command: &str) -> Value {
    let rows = jmsctl(lab, &format!("--json {command}")).json_lines();
    let rows = rows.expect("jmsctl prints JSON");
    rows.last().cloned().unwrap_or_default()
}

/// The bastion's clock, `hours` from now, as `HH:MM` in UTC.
fn clock(lab: &Lab, hours: i32) -> String {
    let shown = lab
        .bastion()
        .run(format!("date -u -d '{hours} hours' +%H:%M"));
    shown.text().trim().to_owned()
}

/// SQL on the store, as the service user.
fn sql(lab: &Lab, statement: &str) {
    let script = format!(
        "import sqlite3; store = sqlite3.connect('/var/lib/jms/jms.db'); store.execute(\"{statement}\"); store.commit()"
    );
    lab.bastion()
        .command(["runuser", "-u", "jms", "--", "python3", "-c", &script])
        .run()
        .expect_status(0);
}

#[test]
fn rules_decide_from_where_and_when_who_logs_in() {
    let lab = Lab::everyday();
    let source = lab.address("client").to_string();
    let begun = SharedLogin::open(&lab, ON_WEB1);
    let running = begun.session(&lab, "echo up; read word; echo \"$word\"");
    eventually("the session is up", SOON, || {
        running.stdout_so_far().contains("up")
    });

    // From where: allowed from elsewhere only.
    jmsctl(
        &lab,
        "login-rule add elsewhere --user alice --source 198.51.100.0/24 --priority 10 --verdict allow",
    );
    jmsctl(
        &lab,
        "login-rule add rest --user alice --priority 99 --verdict deny",
    );
    alice_is_refused(
        &lab,
        "a login rule does not let you in from here at this time",
    );
    let failed = last(&lab, "login ls --failed");
    assert_eq!(failed["reason"], "login-rule", "{failed}");
    assert_eq!(
        (&failed["rule"], &failed["user"]),
        (&Value::from("rest"), &Value::from("alice"))
    );
    assert_eq!(failed["source"], source.as_str());
    // A stranger learns nothing of it, and nobody else is touched.
    lab.client_of("mallory")
        .ssh([ALICE, "whoami"])
        .expect_status(255)
        .expect_stderr(format!(
            "alice@{}: Permission denied (publickey).\r\n",
            lab.address("bastion")
        ));
    lab.client_of("ada")
        .ssh(["ada@bastion", "whoami"])
        .expect_status(0);
    // What runs goes on; nothing new begins on the connection that she has.
    begun
        .session(&lab, "echo in")
        .wait()
        .expect_status(126)
        .expect_stdout("")
        .expect_stderr_contains("jms: a login rule lets you begin nothing new");
    let mut running = running;
    running.write("still here\n");
    running.close_input();
    running
        .wait()
        .expect_status(0)
        .expect_stdout_contains("still here");

    // Asked beforehand, the answer is the same.
    let test = lab
        .bastion()
        .run(format!("jmsctl login-rule test alice --source {source}"));
    test.expect_status(1)
        .expect_stdout_contains("is not about logins from there, only 198.51.100.0/24")
        .expect_stdout_contains("deny, by login rule rest");
    jmsctl(&lab, "login-rule test alice --source 198.51.100.7")
        .expect_stdout_contains("allow, by login rule elsewhere");
    jmsctl(&lab, &format!("login-rule set elsewhere --source {source}"));
    alice_gets_in(&lab);

    // When: two hours around now, wherever midnight is; and all others.
    let (before, after) = (clock(&lab, -1), clock(&lab, 1));
    jmsctl(
        &lab,
        &format!("login-rule set elsewhere --source none --time 'Mon-Sun {before}-{after} UTC'"),
    );
    alice_gets_in(&lab);
    jmsctl(
        &lab,
        &format!("login-rule set elsewhere --time 'Mon-Sun {after}-{before} UTC'"),
    );
    alice_is_refused(
        &lab,
        "a login rule does not let you in from here at this time",
    );
    // The same hours mean others elsewhere on earth.
    jmsctl(
        &lab,
        &format!("login-rule set elsewhere --time 'Mon-Sun {before}-{after} Asia/Shanghai'"),
    );
    alice_is_refused(
        &lab,
        "a login rule does not let you in from here at this time",
    );

    // notify: she is in, and somebody is told.
    jmsctl(
        &lab,
        "login-rule set elsewhere --verdict notify --time none",
    );
    alice_gets_in(&lab);
    let event = last(&lab, "event ls --type login.notify");
    assert_eq!(event["rule"], "elsewhere", "{event}");
    assert_eq!(
        (&event["severity"], &event["user"]),
        (&Value::from("warning"), &Value::from("alice"))
    );
    assert!(
        event["login"].is_string() && event["source"] == source.as_str(),
        "{event}"
    );

    // A row that cannot be read is not skipped.
    sql(
        &lab,
        "UPDATE login_rule SET times = 'every day' WHERE name = 'elsewhere'",
    );
    alice_is_refused(&lab, "the bastion cannot let you in just now");
    let alert = last(&lab, "event ls --type alert");
    assert_eq!(alert["reason"], "login-rule-unreadable", "{alert}");
    assert_eq!(alert["rule"], "elsewhere");
    lab.client_of("ada")
        .ssh(["ada@bastion", "whoami"])
        .expect_status(0);
    jmsctl(&lab, "login-rule rm elsewhere rest --yes");
    alice_gets_in(&lab);
}

#[test]
fn an_administrator_over_ssh_does_not_lock_himself_out_and_root_may() {
    let lab = Lab::everyday();
    let ada = lab.client_of("ada");
    let add = "jmsctl login-rule add closed --verdict deny";
    ada.ssh(["ada@bastion", add])
        .expect_status(4)
        .expect_stderr_contains("login rule closed would not let you in again");
    jmsctl(&lab, "login-rule ls --json").expect_stdout("");
    ada.ssh([
        "ada@bastion",
        "jmsctl login-rule add closed --role user --verdict deny",
    ])
    .expect_status(0);
    alice_is_refused(
        &lab,
        "a login rule does not let you in from here at this time",
    );
    // The local administrator is no user of the bastion: no rule is about him.
    jmsctl(&lab, "login-rule set closed --everybody");
    lab.client_of("ada")
        .ssh(["ada@bastion", "whoami"])
        .expect_status(255);
    lab.client_of("admin")
        .ssh(["admin@bastion", "echo in"])
        .expect_stdout("in\n");
    jmsctl(&lab, "login-rule rm closed --yes");
    alice_gets_in(&lab);
}

#[test]
fn who_was_away_for_too_long_is_let_in_again_by_an_administrator() {
    let lab = Lab::everyday();
    lab.bastion()
        .write("/etc/jms/jms.toml", "[login]\ninactivity_days = 30\n");
    alice_gets_in(&lab);
    let days = |days: i64| {
        format!("UPDATE user_activity SET seen_at = (strftime('%s') - {days} * 86400) * 1000")
    };
    sql(&lab, "UPDATE user SET created_at = 1000");
    sql(&lab, &days(29));
    alice_gets_in(&lab);
    sql(&lab, &days(31));
    alice_is_refused(&lab, "this account was not used for too long");
    let failed = last(&lab, "login ls --failed");
    assert_eq!(failed["reason"], "user-inactive", "{failed}");
    // That she tried does not count as having been here.
    alice_is_refused(&lab, "this account was not used for too long");
    jmsctl(&lab, "user enable alice");
    alice_gets_in(&lab);
}

#[test]
fn of_many_logins_at_once_exactly_so_many_come_in_as_are_allowed() {
    let lab = Lab::everyday();
    let bastion = lab.bastion();
    bastion.write("/etc/jms/jms.toml", "[login]\nlimit_user = 3\n");
    bastion.write("/etc/ssh/sshd_config.d/99-many.conf", "MaxStartups 100\n");
    bastion.reload_sshd();
    let login = || {
        lab.client()
            .command("ssh", [ON_WEB1, "echo up; exec sleep 300"])
            .within(Duration::from_secs(120))
            .spawn()
    };
    let mut logins: Vec<Running> = (0..12).map(|_| login()).collect();
    eventually("nine are refused", Duration::from_secs(90), || {
        let over = logins
            .iter_mut()
            .filter_map(|login| (!login.is_running()).then_some(()));
        over.count() >= 9
    });
    eventually("three are in", SOON, || {
        logins
            .iter()
            .filter(|login| login.stdout_so_far() == "up\n")
            .count()
            == 3
    });
    let open = jmsctl(&lab, "--json login ls").json_lines().expect("JSON");
    let open = open.iter().filter(|login| login["closed_at"].is_null());
    assert_eq!(open.count(), 3);
    // One more is told; somebody else is not concerned.
    alice_is_refused(&lab, "you have too many open logins already");
    assert_eq!(last(&lab, "login ls --failed")["reason"], "too-many-logins");
    lab.client_of("ada")
        .ssh(["ada@bastion", "whoami"])
        .expect_status(0);
    // Whoever goes makes room, also if his sshd was killed.
    for login in &mut logins {
        login.kill();
    }
    eventually("there is room again", SOON, || {
        lab.client().ssh([ALICE, "whoami"]).succeeded()
    });
}
