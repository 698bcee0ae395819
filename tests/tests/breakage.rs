//! With any part of the bastion broken, its local administrator gets in, and a virtual user does not.

use std::time::Duration;

use tests::boot::{ADMINISTRATOR, ADMINISTRATOR_PASSWORD};
use tests::{Lab, Outcome, eventually};

const ADMIN: &str = "admin@bastion";

/// Key, password, `sudo`, `su -` and cron: every way that a local administrator has.
fn the_administrator_gets_in(lab: &Lab, what: &str) {
    let client = lab.client_of(ADMINISTRATOR);
    let by_key = client.ssh(["-o", "BatchMode=yes", ADMIN, "id -un"]);
    assert_eq!(
        by_key.text(),
        "admin\n",
        "by key, {what}: {}",
        by_key.error_text()
    );

    let mut shell = lab.client_of("nobody-known").ssh_on_terminal(["-t", ADMIN]);
    shell.expect("password:");
    shell.send_line(ADMINISTRATOR_PASSWORD);
    shell.expect("admin@bastion");
    shell.send_line("sudo -k; sudo -p 'sudo asks: ' id -un");
    shell.expect("sudo asks:");
    shell.send_line(ADMINISTRATOR_PASSWORD);
    shell.expect("root\r\n");
    shell.expect("admin@bastion");
    shell.send_line("exit");
    shell.wait().expect_status(0);

    let su = lab.bastion().run("su - admin -c 'id -un'");
    assert_eq!(su.text(), "admin\n", "su, {what}: {}", su.error_text());
    cron_runs(lab, what);
}

/// Cron runs jobs at its own start, so that no test waits for the next minute.
fn cron_runs(lab: &Lab, what: &str) {
    let bastion = lab.bastion();
    bastion
        .run(
            "rm -f /run/crond.reboot /run/crond.pid /tmp/cron-ran
             echo '@reboot touch /tmp/cron-ran' | crontab -u admin -
             cron",
        )
        .expect_status(0);
    eventually(
        &format!("cron runs the administrator's job, {what}"),
        Duration::from_secs(20),
        || bastion.has("/tmp/cron-ran"),
    );
    bastion
        .run("pkill -x cron; while pgrep -x cron; do sleep 0.01; done")
        .expect_status(0);
}

/// No program of ours answers her, whatever she asks for.
fn alice_is_out(lab: &Lab, what: &str) -> Outcome {
    let outcome = lab
        .client()
        .ssh(["alice@dev@web1@bastion", "echo in"])
        .expect_within(Duration::from_secs(30));
    assert!(
        !outcome.succeeded() && !outcome.text().contains("in"),
        "alice got in, {what}"
    );
    outcome
}

fn alice_is_in(lab: &Lab, what: &str) {
    let outcome = lab.client().ssh(["alice@dev@web1@bastion", "echo in"]);
    assert_eq!(outcome.text(), "in\n", "{what}: {}", outcome.error_text());
}

#[test]
fn with_var_lib_jms_deleted_the_administrator_gets_in_and_alice_does_not() {
    let lab = Lab::everyday();
    alice_is_in(&lab, "before");
    the_administrator_gets_in(&lab, "before");
    lab.bastion().run("rm -rf /var/lib/jms").expect_status(0);
    the_administrator_gets_in(&lab, "with /var/lib/jms deleted");
    alice_is_out(&lab, "with /var/lib/jms deleted");
}

/// Files without which nobody may reach an asset.
const ESSENTIAL: [&str; 9] = [
    "/libnss_jms.so.2",
    "/pam_jms.so",
    "/usr/libexec/jms/",
    "/var/lib/jms/jms.db",
    "/var/lib/jms/public/users.snap",
    "/var/lib/jms/public/keys.snap",
    "/etc/jms/uid-range",
    "/etc/jms/secret.key",
    "/etc/ssh/sshd_config.d/00-jms.conf",
];

#[test]
fn with_each_of_our_files_deleted_the_administrator_gets_in() {
    let lab = Lab::everyday();
    let bastion = lab.bastion();
    let listed = bastion.run(
        "{ dpkg -L jms; find /etc/jms /var/lib/jms -type f; ls /etc/pam.d/common-* > /dev/null; } | sort -u |
         while read -r path; do [ -f \"$path\" ] && [ ! -L \"$path\" ] && echo \"$path\"; done",
    );
    let files: Vec<String> = listed
        .text()
        .lines()
        .filter(|path| !path.contains("/share/doc/") && !path.contains("/share/man/"))
        .map(str::to_owned)
        .collect();
    assert!(files.len() >= 12, "only {files:?} are ours?");
    for essential in ESSENTIAL {
        assert!(
            files.iter().any(|path| path.contains(essential)),
            "{essential} is not among {files:?}"
        );
    }
    for path in &files {
        let what = format!("with {path} deleted");
        bastion
            .run(format!("mv '{path}' '{path}.away'"))
            .expect_status(0);
        bastion.reload_sshd();
        the_administrator_gets_in(&lab, &what);
        if ESSENTIAL.iter().any(|essential| path.contains(essential)) {
            alice_is_out(&lab, &what);
        }
        // A store that nobody has open leaves its log behind; a new one must not be read with it.
        bastion
            .run(format!("mv -f '{path}.away' '{path}'"))
            .expect_status(0);
        bastion.reload_sshd();
    }
    alice_is_in(&lab, "with everything in its place again");
}

#[test]
fn with_a_snapshot_that_is_none_the_administrator_gets_in_and_alice_does_not() {
    let lab = Lab::everyday();
    let bastion = lab.bastion();
    for (what, make) in [
        ("a FIFO", "mkfifo $F"),
        ("a folder", "mkdir $F"),
        ("empty", ": > $F"),
        ("garbage", "head -c 100000 /dev/urandom > $F"),
        ("cut", "head -c 200 $F.away > $F"),
        ("a link to /dev/zero", "ln -s /dev/zero $F"),
    ] {
        bastion
            .run(format!(
                "F=/var/lib/jms/public/users.snap; mv $F $F.away; {make}"
            ))
            .expect_status(0);
        the_administrator_gets_in(&lab, &format!("with a users.snap that is {what}"));
        alice_is_out(&lab, &format!("with a users.snap that is {what}"));
        bastion
            .run("F=/var/lib/jms/public/users.snap; rm -rf $F; mv $F.away $F")
            .expect_status(0);
        alice_is_in(&lab, &format!("after a users.snap that was {what}"));
    }
}

#[test]
fn with_a_full_disk_the_administrator_gets_in_and_alice_is_told() {
    let lab = Lab::everyday();
    let bastion = lab.bastion();
    bastion
        .run(
            "set -e; mkdir /full; mount -t tmpfs -o size=8m,mode=0711,uid=$(id -u jms),gid=$(id -g jms) none /full
             cp -a /var/lib/jms/. /full/; mount --bind /full /var/lib/jms
             head -c 100m /dev/zero > /full/filler 2> /dev/null || true",
        )
        .expect_status(0);
    the_administrator_gets_in(&lab, "with a full disk");
    alice_is_out(&lab, "with a full disk");
    bastion.run("rm /full/filler").expect_status(0);
    bastion
        .run("printf '[recording]\\nminimum_free_mib = 1\\n' > /etc/jms/jms.toml")
        .expect_status(0);
    alice_is_in(&lab, "with room again");
}

#[test]
fn with_settings_that_are_wrong_the_administrator_gets_in_and_alice_does_not() {
    let lab = Lab::everyday();
    lab.bastion().write("/etc/jms/jms.toml", "[recording\n");
    the_administrator_gets_in(&lab, "with a syntax error in jms.toml");
    alice_is_out(&lab, "with a syntax error in jms.toml")
        .expect_status(75)
        .expect_stderr_contains("jms: ");
    lab.bastion()
        .run("jmsctl config check")
        .expect_status(1)
        .expect_stderr_contains("line 1");
}

#[test]
fn a_store_that_somebody_holds_locked_is_a_refusal_and_no_hang() {
    let lab = Lab::everyday();
    let bastion = lab.bastion();
    bastion.write(
        "/tmp/hold.py",
        "import sqlite3, time\nc = sqlite3.connect('/var/lib/jms/jms.db', isolation_level=None)\nc.execute('BEGIN IMMEDIATE')\nopen('/tmp/held', 'w').close()\ntime.sleep(60)\n",
    );
    bastion
        .run("apt-get --version > /dev/null; python3 -c 'import sqlite3'")
        .expect_status(0);
    bastion.run("setsid runuser -u jms -- python3 /tmp/hold.py > /dev/null 2>&1 & while [ ! -e /tmp/held ]; do sleep 0.01; done").expect_status(0);
    the_administrator_gets_in(&lab, "with a locked store");
    alice_is_out(&lab, "with a locked store").expect_within(Duration::from_secs(12));
    bastion.run("pkill -f hold.py").expect_status(0);
    alice_is_in(&lab, "with the store free again");
}

#[test]
fn a_local_user_whose_uid_lies_in_our_range_is_left_alone() {
    let lab = Lab::everyday();
    let bastion = lab.bastion();
    bastion
        .run("useradd --create-home --shell /bin/bash --uid 70500 carol; echo 'carol:a long password' | chpasswd")
        .expect_status(0);
    bastion
        .run("su carol -c 'id -un'")
        .expect_status(0)
        .expect_stdout("carol\n");
    // Nor does a virtual user take over the uid of a local one.
    bastion
        .run("usermod --non-unique --uid 70000 carol && getent passwd 70000; getent passwd alice")
        .expect_stdout_contains("carol:")
        .expect_stdout_lacks("alice:");
}

#[test]
fn a_service_user_gone_bad_gains_nothing_from_the_next_installation() {
    let lab = Lab::everyday();
    let bastion = lab.bastion();
    let before = bastion.run("stat -c '%U:%G %a' /etc /root").text();
    bastion
        .run(
            "setpriv --reuid=jms --regid=jms --init-groups -- sh -c '
                 cd /var/lib/jms && for f in public recordings; do mv $f $f.away; done
                 ln -s /etc public; ln -s /root recordings
                 rm -rf /run/jms/egress; ln -s /etc /run/jms/egress'",
        )
        .expect_status(0);
    // It may complain, and it must not help.
    let again = "DEBIAN_FRONTEND=noninteractive DPKG_MAINTSCRIPT_PACKAGE=jms /var/lib/dpkg/info/jms.postinst configure 0.1.0";
    let _ = bastion.run(again);
    assert_eq!(bastion.run("stat -c '%U:%G %a' /etc /root").text(), before);
    bastion
        .run("getent passwd jms | cut -d: -f6")
        .expect_stdout("/nonexistent\n");
}
