//! Removing means removing: whatever a session lived on, it ends with it; names and keys are no longer known;
//! who is disabled is out everywhere; validity ends sessions at its second.

use std::time::Duration;

use serde_json::Value;
use tests::{Lab, Running, eventually};

const ON_WEB1: &str = "alice@dev@web1@bastion";
/// For what has no promise of its own, on a slow machine.
const SOON: Duration = Duration::from_secs(20);

fn jmsctl(lab: &Lab, line: &str) {
    drop(
        lab.bastion()
            .run(format!("jmsctl --yes --quiet {line}"))
            .expect_status(0),
    );
}

/// A session of alice on web1 that goes on until somebody ends it, and its relay.
fn lasting(lab: &Lab, mark: &str) -> (Running, i64) {
    let command = format!("echo up; exec sleep {mark}");
    let running = lab
        .client()
        .command("ssh", [ON_WEB1, &command])
        .within(Duration::from_secs(300))
        .spawn();
    eventually("the session works", SOON, || {
        running.stdout_so_far().contains("up").then_some(())
    });
    let relay = row(lab, mark)["relay_pid"].as_i64().expect("a relay");
    (running, relay)
}

/// The row of the session that bears the mark.
fn row(lab: &Lab, mark: &str) -> Value {
    let rows = lab.bastion().run("jmsctl session ls --json").json_lines();
    rows.expect("sessions")
        .into_iter()
        .rfind(|row| row["request"].as_str().is_some_and(|it| it.contains(mark)))
        .expect("the session's row")
}

#[track_caller]
fn gone_within_a_second(lab: &Lab, relay: i64) {
    lab.bastion()
        .run(format!(
            "for turn in $(seq 100); do [ -e /proc/{relay}/exe ] || exit 0; sleep 0.01; done; exit 1"
        ))
        .expect_status(0);
}

#[test]
fn a_session_ends_within_a_second_with_whatever_it_lived_on() {
    let lab = Lab::everyday();
    let by = |who: &str, place: &str| {
        format!("grant add by {who} {place} --system-user dev --rights exec")
    };
    let direct = by("--user alice", "--asset web1");
    let grouped = by("--user-group team", "--asset-group /prod");
    let at_site = by("--user alice", "--site south");
    jmsctl(&lab, "grant rm everyday");
    // What the session lives on, and how that ends. Each begins with nothing granted.
    let cases = [
        (direct.as_str(), "grant rm by"),
        (&direct, "grant set by --rights shell"),
        (&direct, "grant set by --valid-from 1h"),
        (&grouped, "user-group rm team"),
        (&grouped, "user-group set team --rm-user alice"),
        (&grouped, "user set alice --rm-user-group team"),
        (&grouped, "asset-group rm /prod"),
        (&grouped, "asset-group rm /prod/web"),
        (&grouped, "asset set web1 --asset-group none"),
        (&at_site, "site rm south"),
        (&at_site, "asset set web1 --site none"),
        (&direct, "asset set web1 --active no"),
        (&direct, "user disable alice"),
        (&direct, "user set alice --valid-until 2020-01-01"),
    ];
    for (number, (grant, end)) in cases.into_iter().enumerate() {
        let mark = format!("{}", 4_810_000 + number);
        let before = "set -e; jmsctl --quiet user enable alice; jmsctl --quiet user set alice --valid-until none
             jmsctl --quiet asset set web1 --active yes
             jmsctl --quiet user-group add team --user alice 2>/dev/null || jmsctl --quiet user-group set team --user alice
             jmsctl --quiet asset-group add /prod/web 2>/dev/null || :
             jmsctl --quiet asset-group set /prod/web --asset web1
             jmsctl --quiet site add south 2>/dev/null || :
             jmsctl --quiet asset set web1 --site south
             jmsctl --quiet --yes grant rm by 2>/dev/null || :";
        lab.bastion().run(before).expect_status(0);
        jmsctl(&lab, grant);
        let (running, relay) = lasting(&lab, &mark);
        jmsctl(&lab, end);
        gone_within_a_second(&lab, relay);
        running
            .wait()
            .expect_status(76)
            .expect_stderr_contains("jms: the session was ended because its right is gone");
        assert_eq!(row(&lab, &mark)["end_reason"], "right-withdrawn", "{end}");
    }
}

#[test]
fn a_session_ends_with_its_key_its_account_its_machine_and_its_user() {
    let lab = Lab::everyday();
    let alices = lab.client().public_key().expect("alice's key");
    let fingerprint = "$(jmsctl key ls alice --json --columns fingerprint | cut -d'\"' -f4)";
    for (number, end) in [
        &format!("key rm {fingerprint}"),
        "system-user rm dev",
        "asset rm web1",
        "user rm alice",
    ]
    .into_iter()
    .enumerate()
    {
        let mark = format!("{}", 4_820_000 + number);
        let (running, relay) = lasting(&lab, &mark);
        jmsctl(&lab, end);
        gone_within_a_second(&lab, relay);
        running.wait().expect_status(76);
        let ended = row(&lab, &mark);
        assert_eq!(ended["end_reason"], "right-withdrawn", "{end}");
        lab.client().ssh([ON_WEB1, "true"]).expect_failure();
        match number {
            0 => drop(
                lab.bastion()
                    .run(format!("echo '{alices}' | jmsctl key add alice -"))
                    .expect_status(0),
            ),
            1 => {
                let lines = "set -e; jmsctl --quiet system-user add dev --generate ed25519
                     jmsctl --quiet grant add again --user alice --asset web1 --system-user dev --rights exec";
                lab.bastion().run(lines).expect_status(0);
                let shown = lab.bastion().run("jmsctl system-user show dev --json");
                let key = shown.json().expect("dev")["public_key"].clone();
                let key = key.as_str().expect("a key");
                tests::boot::authorize(lab.web1(), "dev", key).expect("authorized");
            }
            2 => {
                let address = lab.address("web1");
                lab.bastion()
                    .run(format!("set -e; jmsctl --quiet asset add web1 --address {address} --scan --yes
                         jmsctl --quiet grant add again --user alice --asset web1 --system-user dev --rights exec"))
                    .expect_status(0);
            }
            _ => {}
        }
    }
    // What they did is still known by their names.
    let rows = lab.bastion().run("jmsctl session ls --user alice --json");
    assert_eq!(rows.json_lines().expect("sessions").len(), 4);
}

#[test]
fn removed_names_and_keys_are_known_to_no_lookup() {
    let lab = Lab::everyday();
    let keys_of = |name: &str| {
        lab.bastion()
            .run(format!(
                "set -- $(cat /tmp/alice.pub) $(ssh-keygen -lf /tmp/alice.pub)
                 for word; do case $word in SHA256:*) fingerprint=$word;; esac; done
                 runuser -u jms-keys -- /usr/libexec/jms/authorized-keys-command {name} $fingerprint $1 $2"
            ))
            .text()
    };
    let alices = lab.client().public_key().expect("alice's key");
    lab.bastion().write("/tmp/alice.pub", format!("{alices}\n"));
    lab.bastion()
        .run("getent passwd alice alice@dev@web1 | wc -l")
        .expect_stdout("2\n");
    assert!(
        keys_of("alice").contains("restrict,pty"),
        "{}",
        keys_of("alice")
    );

    let fingerprint = "$(jmsctl key ls alice --json --columns fingerprint | cut -d'\"' -f4)";
    jmsctl(&lab, "user disable alice");
    assert_eq!(keys_of("alice"), "", "a disabled user's key opens nothing");
    jmsctl(&lab, "user enable alice");
    assert!(keys_of("alice").contains("restrict,pty"));
    jmsctl(&lab, &format!("key rm {fingerprint}"));
    assert_eq!(keys_of("alice"), "");
    lab.bastion()
        .run(format!("echo '{alices}' | jmsctl --quiet key add alice -"))
        .expect_status(0);
    jmsctl(&lab, "user rm alice");
    assert_eq!(keys_of("alice"), "");
    for name in ["alice", "alice@dev@web1"] {
        lab.bastion()
            .run(format!("getent passwd {name}"))
            .expect_status(2);
    }
}

#[test]
fn a_disabled_user_is_out_of_open_connections_too() {
    let lab = Lab::everyday();
    let folder = tempfile::tempdir().expect("a folder");
    let path = format!("ControlPath={}/socket", folder.path().display());
    let shared = |words: &[&str]| {
        let options = [
            "-o",
            &path,
            "-o",
            "ControlMaster=auto",
            "-o",
            "ControlPersist=120",
        ];
        lab.client().ssh(options.iter().chain(words).copied())
    };
    shared(&[ON_WEB1, "true"]).expect_status(0);
    shared(&[ON_WEB1, "true"]).expect_status(0);
    let (mut running, relay) = lasting(&lab, "4830000");
    lab.bastion()
        .run("jmsctl user disable alice --dry-run")
        .expect_status(0)
        .expect_stderr_contains("of alice on dev@web1 ends");
    assert!(running.is_running());
    jmsctl(&lab, "user disable alice");
    gone_within_a_second(&lab, relay);
    running.wait().expect_status(76);
    // The connection is still there; nothing more is to be had through it, not even a list.
    shared(&[ON_WEB1, "true"]).expect_failure();
    shared(&[ON_WEB1, "ls"]).expect_failure().expect_stdout("");
    lab.client().ssh([ON_WEB1, "true"]).expect_failure();
    shared(&["-O", "exit", ON_WEB1]).expect_status(0);
}

#[test]
fn validity_of_user_grant_and_key_ends_sessions_at_its_second() {
    let lab = Lab::everyday();
    let fingerprint = "$(jmsctl key ls alice --json --columns fingerprint | cut -d'\"' -f4)";
    for (number, (set, back)) in [
        (
            "grant set everyday --valid-until",
            "grant set everyday --valid-until none",
        ),
        (
            "user set alice --valid-until",
            "user set alice --valid-until none",
        ),
        (
            &format!("key set {fingerprint} --valid-until"),
            &format!("key set {fingerprint} --valid-until none"),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let mark = format!("{}", 4_840_000 + number);
        let (running, _) = lasting(&lab, &mark);
        let until = lab
            .bastion()
            .run("date -u -d '4 seconds' +%FT%TZ")
            .line_of_output();
        jmsctl(&lab, &format!("{set} {until}"));
        running.wait().expect_status(76);
        let ended = row(&lab, &mark)["ended_at"]
            .as_str()
            .expect("an end")
            .to_owned();
        let seconds = lab
            .bastion()
            .run(format!(
                "echo $(( $(date -d {ended} +%s%3N) - $(date -d {until} +%s%3N) ))"
            ))
            .line_of_output();
        let late: i64 = seconds.parse().expect("milliseconds");
        assert!((0..1000).contains(&late), "{set}: {late} ms after {until}");
        jmsctl(&lab, back);
    }
}
