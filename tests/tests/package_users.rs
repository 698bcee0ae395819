//! Users of the bastion and the package: in when all of it is there, out when any part that guards is gone, while local
//! administrators notice neither.

use std::time::Duration;

use tests::boot::{ADMINISTRATOR, ADMINISTRATOR_PASSWORD};
use tests::{Lab, Outcome, eventually, package};

/// Alice's way to web1.
const WAY: &str = "alice@dev@web1@bastion";

fn alice(lab: &Lab) -> Outcome {
    lab.client().ssh([WAY, "id -un"])
}

#[track_caller]
fn alice_is_in(lab: &Lab) {
    alice(lab).expect_status(0).expect_stdout("dev\n");
}

#[track_caller]
fn alice_is_out(lab: &Lab) {
    alice(lab).expect_failure().expect_stdout("");
}

/// By key, with sudo, and by su. What the package's own tests try at length.
#[track_caller]
fn administrator_gets_in(lab: &Lab) {
    lab.client_of(ADMINISTRATOR)
        .command(
            "ssh",
            [
                "admin@bastion",
                "sudo --stdin --prompt= su - admin -c 'id -un'",
            ],
        )
        .input(format!("{ADMINISTRATOR_PASSWORD}\n"))
        .run()
        .expect_status(0)
        .expect_stdout_contains("admin\n");
}

/// Runs `script` on the bastion; `$1` is `path`.
#[track_caller]
fn on(lab: &Lab, script: &str, path: &str) {
    lab.bastion()
        .command(["bash", "-ec", script, "change", path])
        .run()
        .expect_success();
}

/// `change` keeps Alice out and the administrator in; `mend` lets Alice in again.
#[track_caller]
fn keeps_alice_out(lab: &Lab, change: &str, mend: &str, path: &str) {
    // The end of a login works with the store, and puts snapshots there that are missing.
    eventually("she has left", Duration::from_secs(30), || {
        !lab.bastion().run("pgrep -f '^sshd.*: alice'").succeeded()
    });
    on(lab, change, path);
    alice_is_out(lab);
    administrator_gets_in(lab);
    on(lab, mend, path);
    alice_is_in(lab);
}

#[test]
fn without_any_part_that_guards_alice_is_out_and_the_administrator_in() {
    let lab = Lab::everyday();
    // A connection that is there already needs no secret.
    lab.bastion()
        .write("/etc/jms/jms.toml", "[egress]\nwarm_seconds = 0\n");
    alice_is_in(&lab);
    let files = lab.bastion().run("dpkg -L jms").expect_success().text();
    let part = |end: &str| {
        let found = files.lines().find(|file| file.ends_with(end));
        found.unwrap_or_else(|| panic!("the package has no {end}"))
    };
    for path in [
        part("libnss_jms.so.2"),
        part("pam_jms.so"),
        part("jms-pam-helper"),
        part("authorized-keys-command"),
        part("force-command"),
        "/etc/jms/uid-range",
        "/etc/jms/secret.key",
        "/var/lib/jms/public/users.snap",
        "/var/lib/jms/public/keys.snap",
        "/var/lib/jms/public",
        "/var/lib/jms",
    ] {
        keeps_alice_out(&lab, "mv \"$1\" \"$1.away\"", "mv \"$1.away\" \"$1\"", path);
    }
}

#[test]
fn a_snapshot_that_is_a_fifo_keeps_alice_out_and_nobody_waiting() {
    let lab = Lab::everyday();
    for path in [
        "/var/lib/jms/public/users.snap",
        "/var/lib/jms/public/keys.snap",
    ] {
        keeps_alice_out(
            &lab,
            "mv \"$1\" \"$1.away\"; mkfifo -m 0644 \"$1\"",
            "rm \"$1\"; mv \"$1.away\" \"$1\"",
            path,
        );
    }
}

#[test]
fn without_a_seam_alice_is_out_and_the_administrator_in() {
    let lab = Lab::everyday();
    let reload = "kill -HUP $(cat /run/sshd.pid); sleep 0.5";
    keeps_alice_out(
        &lab,
        &format!("mv \"$1\" \"$1.away\"; {reload}"),
        &format!("mv \"$1.away\" \"$1\"; {reload}"),
        "/etc/ssh/sshd_config.d/00-jms.conf",
    );
    keeps_alice_out(
        &lab,
        "sed -i 's/^\\(passwd:.*\\) jms$/\\1/' \"$1\"",
        "sed -i 's/^passwd:.*/& jms/' \"$1\"",
        "/etc/nsswitch.conf",
    );
    keeps_alice_out(
        &lab,
        "DEBIAN_FRONTEND=noninteractive pam-auth-update --package --remove jms; ! grep pam_jms \"$1\"",
        "DEBIAN_FRONTEND=noninteractive pam-auth-update --package; grep pam_jms \"$1\"",
        "/etc/pam.d/common-session",
    );
}

#[test]
fn removing_the_package_removes_its_users_and_installing_it_brings_them_back() {
    let lab = Lab::everyday();
    let bastion = lab.bastion();
    let package = package::file().expect("the package");
    bastion.write(
        "/root/jms.deb",
        std::fs::read(package).expect("the package"),
    );
    alice_is_in(&lab);
    bastion.run("dpkg --remove jms").expect_success();
    alice_is_out(&lab);
    bastion.run("getent passwd alice").expect_status(2);
    administrator_gets_in(&lab);
    bastion
        .run("DEBIAN_FRONTEND=noninteractive dpkg --install /root/jms.deb")
        .expect_success();
    alice_is_in(&lab);
    bastion.run("dpkg --purge jms").expect_success();
    alice_is_out(&lab);
    bastion
        .run("DEBIAN_FRONTEND=noninteractive dpkg --install /root/jms.deb")
        .expect_success();
    alice_is_in(&lab);
    bastion
        .run("[ \"$(jmsctl session ls --json | wc -l)\" -ge 3 ]")
        .expect_success();
}

#[test]
fn users_of_the_bastion_are_refused_by_every_other_service() {
    let lab = Lab::everyday();
    let bastion = lab.bastion();
    bastion.run("getent passwd alice").expect_success();
    for line in [
        "su - alice -c true",
        "su alice -s /bin/sh -c true",
        "runuser -l alice -c true",
        "pamtester login alice acct_mgmt",
        "pamtester cron alice acct_mgmt",
        "pamtester cron alice open_session",
        "pamtester sudo alice acct_mgmt",
        "pamtester passwd alice chauthtok </dev/null",
    ] {
        bastion.run(line).expect_failure();
    }
}

#[test]
fn the_bastions_own_messages_are_for_local_people() {
    let lab = Lab::everyday();
    lab.bastion()
        .write("/etc/motd", "planted message of the day\n");
    let mut admins = lab
        .client_of(ADMINISTRATOR)
        .ssh_on_terminal(["-tt", "admin@bastion"]);
    admins.expect("planted message of the day");
    admins.send_line("exit 0");
    let _ = admins.wait();
    let mut alices = lab.client().ssh_on_terminal(["-tt", WAY]);
    let before_the_prompt = alices.expect("dev@web1");
    alices.send_line("exit 0");
    let shown = alices.wait().expect_status(0).text();
    assert!(
        !before_the_prompt.contains("planted") && !shown.contains("planted"),
        "{shown}"
    );
}
