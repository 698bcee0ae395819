//! What an administrator does with `jmsctl` on an installed bastion, and what of it reaches sshd and the assets.

use std::time::Duration;

use tests::{Lab, eventually};

const WAY: [&str; 2] = ["alice@dev@web1@bastion", "true"];

fn json(lab: &Lab, command: &str) -> serde_json::Value {
    lab.bastion()
        .run(format!("jmsctl {command} --json"))
        .json()
        .unwrap_or_else(|error| panic!("{command}: {error:#}"))
}

fn jmsctl(lab: &Lab, command: &str) -> tests::Outcome {
    lab.bastion().run(format!("jmsctl {command} </dev/null"))
}

#[test]
fn a_disabled_user_is_out_at_once_and_an_enabled_one_in_again() {
    let lab = Lab::everyday().without_kept_connections();
    lab.client().ssh(WAY).expect_status(0);
    let mut shell = lab.client().ssh_on_terminal(["alice@dev@web1@bastion"]);
    shell.expect("dev@web1");
    jmsctl(&lab, "user disable alice --comment 'laptop stolen'").expect_status(0);
    eventually("the open session ends", Duration::from_secs(3), || {
        !shell.is_running()
    });
    lab.client().ssh(WAY).expect_failure();
    jmsctl(&lab, "user enable alice").expect_status(0);
    lab.client().ssh(WAY).expect_status(0);
    let changed = lab
        .bastion()
        .run("jmsctl event ls --type policy.change --json | tail -n 2 | head -n 1")
        .json()
        .expect("an event");
    assert_eq!(changed["comment"], "laptop stolen");
}

#[test]
fn a_new_user_is_known_to_the_system_and_a_removed_one_is_not() {
    let lab = Lab::everyday().without_kept_connections();
    let bob = json(&lab, "user add bob --full-name 'Bob Martin'");
    bastion_knows(&lab, "bob", &format!("bob:*:{}:", bob["uid"]));
    jmsctl(&lab, "user add bob").expect_status(2);
    jmsctl(&lab, "user rm bob --yes").expect_status(0);
    lab.bastion().run("getent passwd bob").expect_status(2);
    let again = json(&lab, "user add bob");
    assert_ne!(again["uid"], bob["uid"], "a uid is never given twice");
}

#[track_caller]
fn bastion_knows(lab: &Lab, name: &str, begin: &str) {
    let entry = lab.bastion().run(format!("getent passwd {name}"));
    assert!(entry.text().starts_with(begin), "{}", entry.text());
}

#[test]
fn names_of_local_accounts_are_refused() {
    let lab = Lab::everyday().without_kept_connections();
    lab.bastion().run("useradd carol").expect_status(0);
    for name in ["carol", "root", "daemon", "sshd", "jms"] {
        jmsctl(&lab, &format!("user add {name}"))
            .expect_status(2)
            .expect_stdout("");
    }
}

#[test]
fn only_root_administers_and_sudo_leaves_the_callers_name() {
    let lab = Lab::everyday().without_kept_connections();
    lab.bastion()
        .run("useradd -m carol && echo 'carol ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/carol")
        .expect_status(0);
    lab.bastion()
        .command_as("carol", ["jmsctl", "user", "ls"])
        .run()
        .expect_status(4)
        .expect_stderr_contains("run this as root (sudo jmsctl …)");
    lab.bastion()
        .command_as("carol", ["sudo", "-n", "jmsctl", "user", "add", "bob"])
        .run()
        .expect_status(0);
    lab.bastion()
        .run("jmsctl event ls --json | tail -n 1")
        .expect_stdout_contains("\"actor\":\"root (sudo by carol)\"");
}

#[test]
fn a_scan_shows_the_assets_own_keys_and_a_changed_one_is_not_taken() {
    let lab = Lab::everyday().without_kept_connections();
    let own = lab
        .web1()
        .run("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub | cut -d ' ' -f 2")
        .line_of_output();
    let stored = json(&lab, "asset show web1");
    let keys = stored["host_keys"].as_array().expect("host keys");
    let found = keys.iter().find(|key| key["fingerprint"] == own.as_str());
    assert_eq!(found.expect("the asset's own key")["origin"], "scanned");

    lab.web1()
        .run("rm /etc/ssh/ssh_host_*; ssh-keygen -A; kill -HUP $(cat /run/sshd.pid)")
        .expect_status(0);
    eventually("web1 shows its new key", Duration::from_secs(10), || {
        let scanned = jmsctl(&lab, "host-key scan web1 --yes");
        scanned.error_text().contains("somebody is in between")
    });
    lab.client().ssh(WAY).expect_failure();

    jmsctl(&lab, "asset rm web1 --yes").expect_status(0);
    let address = lab.address("web1");
    jmsctl(&lab, &format!("asset add web1 --address {address} --scan")).expect_status(0);
    jmsctl(
        &lab,
        "grant add again --user alice --asset web1 --system-user dev --rights exec",
    )
    .expect_status(0);
    lab.client().ssh(WAY).expect_status(0);
}

#[test]
fn an_asset_that_does_not_answer_is_not_added() {
    let lab = Lab::everyday().without_kept_connections();
    let address = lab.address("web1");
    jmsctl(
        &lab,
        &format!("asset add dark --address {address} --port 9 --scan"),
    )
    .expect_status(1)
    .expect_stderr_contains("Nothing was changed");
    jmsctl(&lab, "asset show dark").expect_status(3);
}

#[test]
fn a_key_is_good_only_from_its_networks() {
    let lab = Lab::everyday().without_kept_connections();
    let key = json(&lab, "key ls alice");
    let fingerprint = key["fingerprint"]
        .as_str()
        .expect("a fingerprint")
        .to_owned();
    jmsctl(&lab, &format!("key set {fingerprint} --from 10.99.0.0/16")).expect_status(0);
    lab.client().ssh(WAY).expect_failure();
    jmsctl(&lab, &format!("key set {fingerprint} --from none")).expect_status(0);
    lab.client().ssh(WAY).expect_status(0);
}

#[test]
fn logins_and_sessions_are_found_by_whom_and_where() {
    let lab = Lab::everyday().without_kept_connections();
    lab.client()
        .ssh(["alice@dev@web1@bastion", "echo quince"])
        .expect_stdout("quince\n");
    eventually("the login is closed", Duration::from_secs(5), || {
        json(&lab, "login ls --user alice")["close_reason"] == "closed"
    });
    let session = json(
        &lab,
        "session ls --past --user 'al*' --asset web1 --system-user dev --since 1h",
    );
    let login = json(
        &lab,
        &format!("login show {}", session["login"].as_str().expect("a login")),
    );
    assert_eq!(login["sessions"][0]["id"], session["id"]);
    assert_eq!(login["login_name"], "alice@dev@web1");
    assert_eq!(login["key"], json(&lab, "key ls alice")["fingerprint"]);
    jmsctl(&lab, "session ls --user bob --json").expect_stdout("");
    jmsctl(&lab, "session ls --online --json").expect_stdout("");
}

#[test]
fn every_command_has_its_page() {
    let lab = Lab::installed();
    lab.bastion()
        .run("set -e; jmsctl man --out /tmp; test -s /tmp/jmsctl-grant.8; jmsctl man grant add | grep -q 'Let users reach'; jmsctl completion bash | bash -n")
        .expect_status(0);
}
