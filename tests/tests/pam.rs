//! PAM, through a real sshd: who may log in, what a login leaves, and what a broken helper means to whom.

use std::time::Duration;

use serde_json::Value;
use tests::boot::ADMINISTRATOR;
use tests::{Host, Lab, Running, eventually};

const ALICE: &str = "alice@bastion";
const ON_WEB1: &str = "alice@dev@web1@bastion";
const ADMIN: &str = "admin@bastion";
const HELPER: &str = "/usr/libexec/jms/jms-pam-helper";
const SORRY: &str = "jms: the bastion cannot let you in just now; please tell your administrator";
/// The helper's five seconds, and a slow machine.
const SOON: Duration = Duration::from_secs(10);

/// The logins that the bastion knows of, the newest first.
fn logins(lab: &Lab) -> Vec<Value> {
    lab.bastion()
        .run("jmsctl login ls --json")
        .json_lines()
        .expect("login ls --json prints JSON")
}

/// A session of alice's on web1 that lasts until the test ends it.
fn lasting_session(lab: &Lab) -> Running {
    let session = lab
        .client()
        .command("ssh", [ON_WEB1, "echo up; exec sleep 300"])
        .spawn();
    eventually("the session is up", SOON, || {
        session.stdout_so_far().contains("up").then_some(())
    });
    session
}

fn the_administrator_gets_in(lab: &Lab, what: &str) {
    let outcome = lab.client_of(ADMINISTRATOR).ssh([ADMIN, "echo in"]);
    assert_eq!(outcome.text(), "in\n", "{what}: {outcome}");
}

fn alice_gets_in(lab: &Lab, what: &str) {
    let outcome = lab.client().ssh([ALICE, "whoami"]);
    assert!(
        outcome.succeeded() && outcome.text().contains("alice"),
        "{what}: {outcome}"
    );
}

/// Refused before any program of ours runs for her; she reads `sentence`.
#[track_caller]
fn alice_is_refused(lab: &Lab, sentence: &str) {
    lab.client()
        .ssh([ALICE, "whoami"])
        .expect_within(SOON)
        .expect_status(255)
        .expect_stdout("")
        .expect_stderr_contains(sentence);
}

fn the_log_says(bastion: &Host, text: &str) {
    eventually(&format!("auth.log says {text:?}"), SOON, || {
        bastion.auth_log().contains(text).then_some(())
    });
}

#[test]
fn a_login_is_written_down_when_it_opens_and_when_it_closes() {
    let lab = Lab::everyday();
    let mut session = lasting_session(&lab);
    let login = &logins(&lab)[0];
    assert_eq!(login["user"], "alice");
    assert_eq!(login["login_name"], "alice@dev@web1");
    assert_eq!(login["source"], "192.0.2.100");
    assert!(
        login["source_port"]
            .as_u64()
            .is_some_and(|port| port > 1023),
        "{login}"
    );
    assert_eq!(login["factors"], "publickey");
    assert_eq!(login["closed_at"], Value::Null);
    let key = login["key"].as_str().expect("a fingerprint");
    the_log_says(lab.bastion(), &format!("ssh2: ED25519 {key}"));
    let sshd = login["sshd_pid"].as_u64().expect("a process");
    let title = lab
        .bastion()
        .run(format!("tr '\\0' ' ' </proc/{sshd}/cmdline"));
    assert!(title.text().contains("alice@dev@web1 [priv]"), "{title}");

    let id = login["id"].clone();
    session.kill();
    let closed = eventually("the login is closed", SOON, || {
        let login = logins(&lab).into_iter().find(|login| login["id"] == id)?;
        (login["closed_at"] != Value::Null).then_some(login)
    });
    assert_eq!(closed["close_reason"], "closed");
    for kind in ["login.open", "login.close"] {
        let id = id.as_str().expect("an id");
        the_log_says(
            lab.bastion(),
            &format!("type=\"{kind}\" severity=\"info\" login=\"{id}\""),
        );
    }
}

#[test]
fn a_login_whose_sshd_was_killed_is_found_and_marked() {
    let lab = Lab::everyday();
    let session = lasting_session(&lab);
    let login = &logins(&lab)[0];
    lab.bastion()
        .run(format!("kill -9 {}", login["sshd_pid"]))
        .expect_status(0);
    drop(session);
    let lost = eventually("the login is closed by whoever looks next", SOON, || {
        alice_gets_in(&lab, "after a killed sshd");
        let found = logins(&lab)
            .into_iter()
            .find(|row| row["id"] == login["id"])?;
        (found["closed_at"] != Value::Null).then_some(found)
    });
    assert_eq!(lost["close_reason"], "lost");
}

/// Which processes of the bastion have which `JMS_LOGIN` in their environment, as `pid value`.
fn tokens(lab: &Lab) -> Vec<(u32, String)> {
    let script = r#"cd /proc; for pid in [0-9]*; do
        value=$(tr '\0' '\n' <"$pid/environ" 2>/dev/null | sed -n 's/^JMS_LOGIN=//p')
        [ -z "$value" ] || echo "$pid $value"
    done"#;
    let listed = lab.bastion().run(script).expect_status(0).text();
    let pair = |line: &str| {
        let (pid, value) = line.split_once(' ')?;
        Some((pid.parse().ok()?, value.to_owned()))
    };
    listed.lines().filter_map(pair).collect()
}

#[test]
fn a_session_has_its_own_login_and_nobody_else_has() {
    let lab = Lab::everyday();
    assert_eq!(tokens(&lab), []);
    let first = lasting_session(&lab);
    let of_first = tokens(&lab);
    let second = lasting_session(&lab);
    let both = tokens(&lab);
    let programs = lab.bastion().processes().expect("processes");
    for (pid, token) in &both {
        let digits = token
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        assert!(token.len() == 32 && digits, "{token}");
        let program = programs.iter().find(|program| program.pid == *pid);
        let program = program.expect("the process is there").program.clone();
        assert!(
            program.ends_with("force-command"),
            "{} knows a login",
            program.display()
        );
    }
    let mut different: Vec<&String> = both.iter().map(|(_, token)| token).collect();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), 2, "{both:?}");
    assert!(
        of_first.iter().all(|one| both.contains(one)),
        "{of_first:?} {both:?}"
    );
    lab.client_of(ADMINISTRATOR)
        .ssh([ADMIN, "env"])
        .expect_status(0)
        .expect_stdout_lacks("JMS_LOGIN");
    for (_, token) in &both {
        let spilled = format!("grep -rl {token} /var/lib/jms /var/log /run/jms");
        lab.bastion()
            .run(spilled)
            .expect_status(1)
            .expect_stdout("");
    }
    drop((first, second));
}

#[test]
fn an_account_that_is_disabled_expired_or_not_valid_yet_is_refused_and_told_why() {
    let lab = Lab::everyday();
    let bastion = lab.bastion();
    for (refuse, sentence, reason, mend) in [
        (
            "user disable alice",
            "jms: this account is disabled; ask your administrator",
            "user-disabled",
            "user enable alice",
        ),
        (
            "user set alice --valid-until 2020-01-01T00:00:00Z",
            "jms: this account has expired; ask your administrator",
            "user-expired",
            "user set alice --valid-until 2999-01-01T00:00:00Z",
        ),
        (
            "user set alice --valid-from 2998-01-01T00:00:00Z",
            "jms: this account is not valid yet; ask your administrator",
            "user-not-yet-valid",
            "user set alice --valid-from 2020-01-01T00:00:00Z",
        ),
    ] {
        // The keys command withholds the key of a disabled user; a snapshot from before shows
        // that PAM does not rely on it.
        bastion
            .run(format!(
                "set -e; cd /var/lib/jms/public; cp -p keys.snap /tmp; cp -p users.snap /tmp
                 jmsctl {refuse}; cp -p /tmp/keys.snap /tmp/users.snap ."
            ))
            .expect_status(0);
        alice_is_refused(&lab, sentence);
        the_log_says(bastion, reason);
        the_administrator_gets_in(&lab, refuse);
        bastion.run(format!("jmsctl {mend}")).expect_status(0);
        alice_gets_in(&lab, mend);
    }
}

/// A helper that takes its question, as an honest one does, and then runs `script`.
fn fake(script: &str) -> String {
    format!("#!/bin/sh\nhead -c 12 >/dev/null\n{script}\n")
}

#[test]
fn without_an_answer_from_the_helper_alice_is_out_and_the_administrator_in() {
    let lab = Lab::everyday();
    let bastion = lab.bastion();
    bastion
        .run(format!("mv {HELPER} /root/helper"))
        .expect_status(0);
    for (helper, logged) in [
        ("", "jms-pam-helper is missing or cannot be executed"),
        (
            "exec sleep 60",
            "jms-pam-helper did not answer within 5 seconds",
        ),
        ("exit 1", "jms-pam-helper failed: exit status: 1"),
        ("kill -9 $$", "jms-pam-helper failed: signal: 9"),
        (
            "echo yes, let her in, she is fine",
            "not a message of jms-pam-helper's protocol",
        ),
        (
            r"printf 'JMSP\0\003\001\000\0\0\0\010\0\0\0\0\0\0\0\0'",
            "speaks version 3",
        ),
        (
            r"printf 'JMSP\0\001\001\000\0\0\0\010\0\0\0\0\0\0\0\0'; exit 1",
            "exit status: 1",
        ),
    ] {
        if !helper.is_empty() {
            bastion.write(HELPER, fake(helper));
            bastion.run(format!("chmod 755 {HELPER}")).expect_status(0);
        }
        alice_is_refused(&lab, SORRY);
        the_log_says(bastion, logged);
        the_administrator_gets_in(&lab, helper);
    }
    // Yes to the account, and no login: the session ends before anything of ours runs in it.
    let yes = r"printf 'JMSP\0\001\001\000\0\0\0\010\0\0\0\0\0\0\0\0'";
    bastion.write(HELPER, fake(yes));
    let outcome = lab
        .client()
        .ssh([ALICE, "whoami"])
        .expect_within(SOON)
        .expect_stdout("");
    assert!(!outcome.succeeded(), "{outcome}");
    the_log_says(bastion, "the helper said yes without exactly one variable");
    the_administrator_gets_in(&lab, "a helper that always says yes");
    bastion
        .run(format!("mv /root/helper {HELPER}"))
        .expect_status(0);
    alice_gets_in(&lab, "with the helper back");
}

#[test]
fn outside_sshd_there_is_no_alice() {
    let lab = Lab::everyday();
    let bastion = lab.bastion();
    for command in [
        "su - alice -c 'echo in'",
        "su alice -s /bin/sh -c 'echo in'",
        "sudo -u alice echo in",
        "sudo -u alice -i echo in",
        "echo 'alice:secret' | chpasswd",
        "timeout 20 login -f alice </dev/null",
    ] {
        let outcome = bastion.run(format!("({command}) 2>&1"));
        assert!(
            !outcome.succeeded() && !outcome.text().contains("in\n"),
            "{command}: {outcome}"
        );
    }
    for service in ["su", "su-l", "sudo", "sudo-i"] {
        the_log_says(bastion, &format!("pam_jms({service}:"));
    }
    // Root may write her a crontab; cron does not run it.
    bastion
        .run(
            "set -e; rm -f /tmp/alice-ran /tmp/admin-ran /run/crond.reboot /run/crond.pid
             echo '@reboot touch /tmp/alice-ran' >/var/spool/cron/crontabs/alice
             chown alice:crontab /var/spool/cron/crontabs/alice
             chmod 600 /var/spool/cron/crontabs/alice
             echo '@reboot touch /tmp/admin-ran' | crontab -u admin -
             cron",
        )
        .expect_status(0);
    the_log_says(bastion, "pam_jms(cron:account): user \"alice\": refused");
    eventually(
        "cron runs the administrator's job",
        Duration::from_secs(20),
        || bastion.has("/tmp/admin-ran").then_some(()),
    );
    assert!(!bastion.has("/tmp/alice-ran"));
    bastion.run("kill $(cat /run/crond.pid)").expect_status(0);
}

#[test]
fn nobody_asks_alice_for_a_password() {
    let lab = Lab::everyday();
    lab.client_of("nobody-known")
        .ssh([
            "-o",
            "PreferredAuthentications=password,keyboard-interactive",
            ALICE,
            "whoami",
        ])
        .expect_within(SOON)
        .expect_status(255)
        .expect_stderr_contains("Permission denied (publickey)");
    // Nor where the administrator's own configuration would ask everybody.
    lab.bastion()
        .run(
            "set -e; mv /etc/ssh/sshd_config.d/00-jms.conf /root
             echo 'PasswordAuthentication yes' >/etc/ssh/sshd_config.d/00-a.conf",
        )
        .expect_status(0);
    lab.bastion().reload_sshd();
    let mut terminal = lab
        .client_of("nobody-known")
        .ssh_on_terminal([ALICE, "whoami"]);
    terminal.expect("password:");
    terminal.send_line("secret");
    terminal.expect("Permission denied");
    terminal.hang_up();
    the_administrator_gets_in(&lab, "without our drop-in");
}
