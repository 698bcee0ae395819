//! An installation or upgrade that is killed, or for which there is no room: the administrator gets in, a second run mends.
//!
//! Each file's points are spread over the whole run; `EVERY_POINT=yes` tries each of them, which takes half an hour.

use std::sync::OnceLock;
use std::time::Duration;

use tests::boot::{ADMINISTRATOR, ADMINISTRATOR_PASSWORD};
use tests::{Host, Lab, Outcome, package};

/// How many points of a kind are tried.
const POINTS: usize = 5;
/// Kills everything that the command line started, at the moment that it is told. `--seccomp-bpf`: only these calls are slow.
const KILLED: &str = r#"
    calls=$1 when=$2; shift 2
    setsid --wait strace --follow-forks --seccomp-bpf --quiet=all --output=/dev/null \
        --trace="$calls" --inject="$calls:signal=KILL:when=$when" "$@" > /root/killed.log 2>&1 &
    leader=$!
    wait $leader
    status=$?
    # What the dead left running; their session is the one that setsid made, or its child did.
    for process in /proc/[0-9]*; do
        grep -zqs '^UNDER_THE_KNIFE=' "$process/environ" && kill -9 "${process#/proc/}"
    done 2> /dev/null
    exit $status"#;
const INSTALL: [&str; 3] = ["dpkg", "--install", "/root/new.deb"];
const REMOVE: [&str; 3] = ["dpkg", "--remove", "jms"];

/// A bastion and nothing behind it, with the newest package in root's home.
fn bastion(of_the_first_version: bool) -> Lab {
    let builder = Lab::builder().assets([]);
    let builder = if of_the_first_version {
        builder.package(&package::first_version())
    } else {
        builder.without_package()
    };
    let lab = builder.start().expect("a lab");
    let newest = package::file().expect("the package");
    lab.bastion()
        .write("/root/new.deb", package::uncompressed(&newest));
    if of_the_first_version {
        initialise(&lab);
    }
    lab
}

/// A store with alice in it, who has nowhere to go.
fn initialise(lab: &Lab) {
    let key = lab.client().public_key().expect("alice's key");
    lab.bastion().run("jmsctl init").expect_success();
    lab.bastion()
        .command(["jmsctl", "user", "add", "alice", "--key", "-"])
        .input(format!("{key}\n"))
        .run()
        .expect_success();
}

/// Name service, keys, PAM and session program answer alice, each in its turn: the last one in words.
#[track_caller]
fn alice_is_answered(lab: &Lab) {
    lab.client()
        .ssh(["alice@dev@nowhere@bastion", "true"])
        .expect_failure()
        .expect_stderr_contains("jms: ");
}

/// Key, sudo by password, su, cron.
#[track_caller]
fn administrator_gets_in(lab: &Lab, when: &str) {
    let by_key = lab
        .client_of(ADMINISTRATOR)
        .command(
            "ssh",
            [
                "admin@bastion",
                "sudo --stdin --prompt= su - admin -c 'id -un'",
            ],
        )
        .input(format!("{ADMINISTRATOR_PASSWORD}\n"))
        .run();
    assert!(
        by_key.text().ends_with("admin\n"),
        "{when}: {by_key}{}",
        said(lab.bastion())
    );
    let cron = lab
        .bastion()
        .run("pamtester cron admin acct_mgmt open_session close_session");
    assert!(cron.succeeded(), "{when}: {cron}{}", said(lab.bastion()));
}

/// What the interrupted run had said.
fn said(host: &Host) -> String {
    let said = host.try_read("/root/killed.log").unwrap_or_default();
    format!("\nthe interrupted run: {}", String::from_utf8_lossy(&said))
}

fn killed(host: &Host, command: [&str; 3], calls: &str, when: usize) -> Outcome {
    let when = when.to_string();
    let words = [
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "UNDER_THE_KNIFE=yes",
    ];
    let script = ["bash", "-c", KILLED, "killed", calls, &when];
    host.command(words.into_iter().chain(script).chain(command))
        .within(Duration::from_secs(180))
        .run()
}

/// As a sysadmin does: `dpkg --configure -a`, and the same command again.
#[track_caller]
fn second_run(host: &Host, when: &str) {
    let mended = host
        .command([
            "bash",
            "-c",
            "export DEBIAN_FRONTEND=noninteractive; dpkg --configure --pending; dpkg --install /root/new.deb",
        ])
        .within(Duration::from_secs(180))
        .run();
    assert!(mended.succeeded(), "{when}: {mended}{}", said(host));
}

/// The largest number of `calls` that one process of the command makes.
fn count(lab: &Lab, command: [&str; 3], calls: &str) -> usize {
    let script = r#"calls=$1; shift
        strace --follow-forks --seccomp-bpf --quiet=all --output=/root/trace --trace="$calls" "$@" > /dev/null 2>&1
        grep -c . /root/trace > /dev/null && cut -d' ' -f1 /root/trace | sort | uniq -c | sort -rn | awk 'NR == 1 {print $1}'"#;
    let words = [
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "bash",
        "-c",
        script,
        "count",
        calls,
    ];
    lab.bastion()
        .command(words.into_iter().chain(command))
        .within(Duration::from_secs(180))
        .run()
        .expect_success()
        .line_of_output()
        .parse()
        .expect("a number")
}

/// The state after an installation, or an upgrade, that nothing interrupted.
fn undisturbed(of_the_first_version: bool) -> &'static str {
    static INSTALLED: OnceLock<String> = OnceLock::new();
    static UPGRADED: OnceLock<String> = OnceLock::new();
    let state = if of_the_first_version {
        &UPGRADED
    } else {
        &INSTALLED
    };
    state.get_or_init(|| {
        let lab = bastion(of_the_first_version);
        second_run(lab.bastion(), "undisturbed");
        package::state(lab.bastion())
    })
}

/// Numbers from 1 to `last`, spread evenly.
fn points(last: usize) -> Vec<usize> {
    if std::env::var_os("EVERY_POINT").is_some() {
        return (1..=last).collect();
    }
    (0..POINTS)
        .map(|point| 1 + point * (last - 1) / (POINTS - 1))
        .collect()
}

#[track_caller]
fn same_state(host: &Host, expected: &str, when: &str) {
    let when = format!("{when}{}", said(host));
    package::expect_state(&package::state(host), expected, &when);
}

/// Kills the installation at points among `calls`, each time on a fresh bastion.
fn killed_at_many_points(of_the_first_version: bool, calls: &str) {
    let expected = undisturbed(of_the_first_version);
    let last = count(&bastion(of_the_first_version), INSTALL, calls);
    assert!(last >= POINTS, "only {last} calls of {calls}");
    let mut interrupted = 0;
    for point in points(last) {
        let when = format!("killed at call {point} of {last} ({calls})");
        let lab = bastion(of_the_first_version);
        // Now and then a process makes one call less than it did when they were counted.
        interrupted += usize::from(!killed(lab.bastion(), INSTALL, calls, point).succeeded());
        administrator_gets_in(&lab, &when);
        second_run(lab.bastion(), &when);
        same_state(lab.bastion(), expected, &when);
        administrator_gets_in(&lab, &when);
        if !of_the_first_version {
            initialise(&lab);
        }
        alice_is_answered(&lab);
    }
    assert!(
        interrupted + 1 >= POINTS,
        "only {interrupted} were interrupted"
    );
}

// dpkg itself unpacks by renaming, and writes down how far it is by renaming.
const DPKGS: &str = "rename";
// The shells that run the maintainer scripts wait for each command of theirs.
const SCRIPTS: &str = "wait4";

#[test]
fn an_installation_whose_dpkg_is_killed() {
    killed_at_many_points(false, DPKGS);
}

#[test]
fn an_installation_whose_scripts_are_killed() {
    killed_at_many_points(false, SCRIPTS);
}

#[test]
fn an_upgrade_whose_dpkg_is_killed() {
    killed_at_many_points(true, DPKGS);
}

#[test]
fn an_upgrade_whose_scripts_are_killed() {
    killed_at_many_points(true, SCRIPTS);
}

#[test]
fn a_removal_whose_scripts_are_killed() {
    let installed = || Lab::builder().assets([]).start().expect("a lab");
    let lab = installed();
    lab.bastion()
        .command(REMOVE)
        .within(Duration::from_secs(180))
        .run()
        .expect_success();
    let expected = package::state(lab.bastion());
    let last = count(&installed(), REMOVE, SCRIPTS);
    assert!(last >= POINTS, "only {last} calls of {SCRIPTS}");
    let mut interrupted = 0;
    for point in points(last) {
        let when = format!("removal killed at call {point} of {last}");
        let lab = installed();
        interrupted += usize::from(!killed(lab.bastion(), REMOVE, SCRIPTS, point).succeeded());
        administrator_gets_in(&lab, &when);
        // dpkg wants to have it whole again, or takes the removal up where it was.
        lab.bastion()
            .command([
                "bash",
                "-c",
                "export DEBIAN_FRONTEND=noninteractive; dpkg --configure --pending; dpkg --remove jms",
            ])
            .within(Duration::from_secs(180))
            .run()
            .expect_success();
        same_state(lab.bastion(), &expected, &when);
        administrator_gets_in(&lab, &when);
    }
    assert!(
        interrupted + 1 >= POINTS,
        "only {interrupted} were interrupted"
    );
}

/// Puts `folder` on a disk of its own with `room` KiB left.
fn on_a_small_disk(host: &Host, folder: &str, room: u32) {
    host.run(format!(
        "set -e; mkdir -p {folder} /small; mount -t tmpfs -o size=200m,mode=0755 none /small; cp -a {folder}/. /small/
         used=$(df --output=used /small | tail -n 1); mount -o remount,size=$((used + {room}))k /small
         mount --bind /small {folder}"
    ))
    .expect_success();
}

fn make_room(host: &Host) {
    host.run("mount -o remount,size=200m /small")
        .expect_success();
}

fn install(host: &Host) -> Outcome {
    host.run("DEBIAN_FRONTEND=noninteractive dpkg --install /root/new.deb > /root/killed.log 2>&1")
}

#[test]
fn without_room_to_unpack_nothing_is_installed_and_an_old_version_serves_on() {
    for of_the_first_version in [false, true] {
        let expected = undisturbed(of_the_first_version);
        for (folder, room) in [
            ("/usr/libexec", 100),
            ("/usr/libexec", 2000),
            ("/var/lib/dpkg", 0),
        ] {
            let when = format!("{room} KiB left in {folder}");
            let lab = bastion(of_the_first_version);
            on_a_small_disk(lab.bastion(), folder, room);
            let full = install(lab.bastion());
            assert!(
                !full.succeeded(),
                "{when}: it had room enough{}",
                said(lab.bastion())
            );
            administrator_gets_in(&lab, &when);
            if of_the_first_version {
                alice_is_answered(&lab);
            }
            make_room(lab.bastion());
            second_run(lab.bastion(), &when);
            same_state(lab.bastion(), expected, &when);
        }
    }
}

#[test]
fn without_room_in_etc_the_scripts_fail_and_the_administrator_gets_in() {
    let expected = undisturbed(false);
    let mut failed = 0;
    // A page is 4 KiB; what the scripts write there is a dozen small files.
    for room in [0, 8, 16, 24, 32, 40, 48, 64, 80] {
        let when = format!("{room} KiB left in /etc");
        let lab = bastion(false);
        on_a_small_disk(lab.bastion(), "/etc", room);
        failed += usize::from(!install(lab.bastion()).succeeded());
        administrator_gets_in(&lab, &when);
        make_room(lab.bastion());
        second_run(lab.bastion(), &when);
        same_state(lab.bastion(), expected, &when);
    }
    assert!(failed >= 4, "only {failed} of them had too little room");
}
