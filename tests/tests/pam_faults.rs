//! What breaks while somebody logs in: the helper is killed at each point of its work, the store is locked or on a full disk, when
//! the login begins and while the person is asked. Each is a refusal for users of the bastion, with an alert, and never touches
//! a local administrator's login.

use std::time::Duration;

use serde_json::Value;
use tests::authenticator::enrolled;
use tests::boot::ADMINISTRATOR;
use tests::{Authenticator, Host, Lab, Outcome, Terminal, eventually};

const ALICE: &str = "alice@bastion";
const HELPER: &str = "/usr/libexec/jms/jms-pam-helper";
const SORRY: &str = "jms: the bastion cannot let you in just now; please tell your administrator";
const PROMPT: &str = "Code of your authenticator app, or a recovery code: ";
/// The helper's five seconds, and a slow machine.
const SOON: Duration = Duration::from_secs(15);

/// Stands in for the helper, is it for a while, and has it killed where `/tmp/faults/kill` says: `START SYSTEM-CALL:when=N` kills
/// the START-th helper from now when it begins its N-th such call, and if it was killed, the next as well (sshd begins the
/// authentication anew by itself, sooner than strace has written down how the first ended, so that is waited for): when it ends
/// at the latest, since it may come by without that call (it finds a log of the store's that the first has begun). Whoever starts
/// is counted.
const WRAPPER: &str = r#"#!/bin/sh
cd /tmp/faults
echo started >>starts
read -r start point <kill
number=$(grep -c . starts)
before=trace.$((number - 1))
for turn in $(seq 200); do
    [ -e "$before" ] || break
    grep -q '^+++ ' "$before" && break
    sleep 0.01
done
latest=
if [ "$number" != "$start" ]; then
    grep -q '+++ killed' "$before" 2>/dev/null || exec /usr/libexec/jms/real-helper
    latest='-e inject=exit_group:when=1:signal=KILL'
fi
exec strace -D -q -o "trace.$number" -e "inject=$point:signal=KILL" $latest /usr/libexec/jms/real-helper
"#;

/// Where in its work a helper is killed: before it knows anything; when it has the store open; when it writes to it, twice; when
/// that shall last; when it tells syslog; when all is said, and only its good end is missing.
const POINTS: [&str; 8] = [
    "prctl:when=1",
    "openat:when=12",
    "pread64:when=4",
    "pwrite64:when=1",
    "pwrite64:when=4",
    "fdatasync:when=1",
    "sendto:when=1",
    "exit_group:when=1",
];

/// The helpers that one login with a second factor starts, in order.
const PHASES: [&str; 4] = ["auth", "account", "open-session", "close-session"];

/// Somebody who writes and does not stop.
const HOLD: &str = "rm -f /tmp/held; cat >/tmp/hold.py <<'PYTHON'
import os, sqlite3, time
store = sqlite3.connect('/var/lib/jms/jms.db', isolation_level=None, timeout=30)
store.execute('BEGIN IMMEDIATE')
open('/tmp/held', 'w').write(str(os.getpid()))
time.sleep(1000)
PYTHON
chmod 1777 /tmp
setsid setpriv --reuid=jms --regid=jms --init-groups -- python3 /tmp/hold.py >/dev/null 2>&1 &
until [ -s /tmp/held ]; do sleep 0.01; done";
const LET_GO: &str = "kill -KILL $(cat /tmp/held)
while kill -0 $(cat /tmp/held) 2>/dev/null; do sleep 0.01; done";

fn jmsctl(lab: &Lab, line: &str) -> Outcome {
    lab.bastion()
        .run(format!("jmsctl {line} </dev/null"))
        .expect_status(0)
}

/// Everyday's lab, in which alice has an app and a recovery code; none is demanded of her yet.
fn lab() -> (Lab, Authenticator, String) {
    let lab = Lab::everyday();
    let screen = lab
        .client()
        .command("ssh", ["-t", ALICE, "mfa", "enroll"])
        .in_window(120, 60)
        .on_terminal();
    let (app, mut codes) = enrolled(screen, lab.host("client"));
    let recovery = codes.pop().expect("a recovery code");
    (lab, app, recovery)
}

/// A login that somebody types a code for, up to the question.
fn asked(lab: &Lab) -> Terminal {
    let mut login = lab.client().ssh_on_terminal([ALICE, "whoami"]);
    login.expect(PROMPT);
    login
}

fn alice(lab: &Lab) -> Outcome {
    lab.client()
        .command("ssh", [ALICE, "whoami"])
        .within(Duration::from_secs(30))
        .run()
}

#[track_caller]
fn is_in(outcome: &Outcome) -> bool {
    outcome.succeeded() && outcome.text().contains("alice")
}

/// What every refusal has: no byte on standard output, a status that is not 0.
#[track_caller]
fn is_out(outcome: &Outcome, what: &str) {
    assert!(
        !outcome.succeeded() && outcome.stdout.is_empty(),
        "{what}: {outcome}"
    );
}

#[track_caller]
fn the_administrator_gets_in(lab: &Lab, what: &str) {
    let outcome = lab
        .client_of(ADMINISTRATOR)
        .ssh(["admin@bastion", "sudo -n true; echo in"]);
    assert_eq!(outcome.text(), "in\n", "{what}: {outcome}");
}

/// What auth.log has got since.
struct Since(usize);

impl Since {
    fn now(bastion: &Host) -> Self {
        Self(bastion.auth_log().len())
    }

    #[track_caller]
    fn has(&self, bastion: &Host, words: &[&str]) {
        eventually(&format!("the log says {words:?}"), SOON, || {
            let log = bastion.auth_log();
            let lines = log.get(self.0..).unwrap_or_default();
            lines
                .lines()
                .any(|line| words.iter().all(|word| line.contains(word)))
        });
    }
}

#[track_caller]
fn no_login_is_open(lab: &Lab) {
    eventually("no login is open", SOON, || {
        let logins = jmsctl(lab, "login ls --json").json_lines().ok()?;
        logins
            .iter()
            .all(|login| login["closed_at"] != Value::Null)
            .then_some(())
    });
}

#[test]
fn a_helper_killed_at_any_point_lets_nobody_in_and_leaves_a_good_store() {
    let (lab, app, _) = lab();
    let bastion = lab.bastion();
    jmsctl(&lab, "user set alice --mfa totp --mfa-asked login");
    let mut first = asked(&lab);
    first.send_line(&app.code(lab.host("client"), 0));
    // From now on it is remembered.
    drop(first.wait().expect_status(0));
    bastion
        .run(format!(
            "set -e; mkdir -m 1777 /tmp/faults; mv {HELPER} /usr/libexec/jms/real-helper"
        ))
        .expect_status(0);
    bastion.write(HELPER, WRAPPER);
    bastion.run(format!("chmod 755 {HELPER}")).expect_status(0);
    let starts = || {
        let text = bastion.read_text("/tmp/faults/starts");
        text.lines().count()
    };
    let killed_at = |start: usize, point: &str| {
        bastion
            .run(format!(
                "cd /tmp/faults; rm -f starts trace.*; echo '{start} {point}' >kill; chmod 644 kill
                 install -o jms -g jms /dev/null starts"
            ))
            .expect_status(0);
    };
    // Untouched, a login asks as often as there are phases.
    killed_at(100, "none");
    assert!(is_in(&alice(&lab)));
    eventually("the login is closed", SOON, || starts() == PHASES.len());

    let mut kills = Vec::new();
    for (phase, start) in PHASES.iter().zip(1..) {
        for point in POINTS {
            let what = format!("{phase}, {point}");
            let since = Since::now(bastion);
            killed_at(start, point);
            let outcome = alice(&lab);
            eventually("the helper was started", SOON, || starts() >= start);
            let trace = format!("/tmp/faults/trace.{start}");
            let ended = eventually("the helper ended", SOON, || {
                let trace = bastion.try_read(&trace).ok()?;
                let trace = String::from_utf8_lossy(&trace).into_owned();
                (trace.contains("+++ killed by") || trace.contains("+++ exited")).then_some(trace)
            });
            if !ended.contains("+++ killed by SIGKILL") {
                // It has no such moment in this phase.
                assert!(is_in(&outcome), "{what}: {outcome}\n{ended}");
                continue;
            }
            kills.push((*phase, point));
            since.has(bastion, &["pam_jms(sshd:", "refused: jms-pam-helper"]);
            if *phase == "close-session" {
                assert!(is_in(&outcome), "{what}: {outcome}");
            } else {
                is_out(&outcome, &what);
            }
            if matches!(*phase, "auth" | "account") {
                assert!(outcome.error_text().contains(SORRY), "{what}: {outcome}");
            }
        }
        // While the helper dies, and not even asked.
        killed_at(1, "prctl:when=1");
        the_administrator_gets_in(&lab, phase);
        assert_eq!(starts(), 0, "{phase}");
    }
    for phase in PHASES {
        for point in ["prctl:when=1", "pread64:when=4", "exit_group:when=1"] {
            assert!(
                kills.contains(&(phase, point)),
                "{phase} {point}: {kills:?}"
            );
        }
    }
    for phase in ["open-session", "close-session"] {
        for point in ["pwrite64:when=1", "fdatasync:when=1"] {
            assert!(
                kills.contains(&(phase, point)),
                "{phase} {point}: {kills:?}"
            );
        }
    }
    // All is as before; what was left open is found.
    bastion
        .run(format!("mv /usr/libexec/jms/real-helper {HELPER}"))
        .expect_status(0);
    assert!(is_in(&alice(&lab)));
    no_login_is_open(&lab);
    let check = "import sqlite3; print(sqlite3.connect('/var/lib/jms/jms.db').execute('PRAGMA integrity_check').fetchone()[0])";
    bastion
        .command(["runuser", "-u", "jms", "--", "python3", "-c", check])
        .run()
        .expect_stdout("ok\n");
}

#[test]
fn a_store_that_cannot_be_written_lets_nobody_in_and_uses_no_code_up() {
    let (lab, app, recovery) = lab();
    let bastion = lab.bastion();
    let client = lab.host("client");

    // Locked before the login, which waits two seconds for it.
    let since = Since::now(bastion);
    bastion.run(HOLD).expect_status(0);
    let outcome = alice(&lab).expect_status(255).expect_stderr_contains(SORRY);
    is_out(&outcome, "locked");
    assert!(outcome.elapsed >= Duration::from_secs(2), "{outcome}");
    since.has(
        bastion,
        &["type=\"store.problem\"", "severity=\"alert\"", "store-busy"],
    );
    the_administrator_gets_in(&lab, "locked");
    bastion.run(LET_GO).expect_status(0);
    assert!(is_in(&alice(&lab)));

    // Locked while a session runs: it ends well, and its login is closed by whoever comes next.
    let mut session = lab
        .client()
        .command("ssh", ["alice@dev@web1@bastion", "echo up; read word"])
        .spawn();
    eventually("the session is up", SOON, || {
        session.stdout_so_far().contains("up")
    });
    bastion.run(HOLD).expect_status(0);
    session.close_input();
    eventually("the client is gone", SOON, || !session.is_running());
    the_administrator_gets_in(&lab, "locked at the end");
    bastion.run(LET_GO).expect_status(0);
    assert!(is_in(&alice(&lab)));
    no_login_is_open(&lab);

    // Locked while the person types: the right code opens nothing, and is good afterwards.
    jmsctl(&lab, "user set alice --mfa totp --mfa-asked login");
    let mut login = asked(&lab);
    let since = Since::now(bastion);
    bastion.run(HOLD).expect_status(0);
    let code = app.code(client, 1);
    login.send_line(&code);
    let outcome = login.wait().expect_status(255);
    assert!(outcome.text().contains(SORRY), "{outcome}");
    since.has(bastion, &["type=\"store.problem\"", "store-busy"]);
    the_administrator_gets_in(&lab, "locked at the code");
    bastion.run(LET_GO).expect_status(0);
    let mut login = asked(&lab);
    login.send_line(&code);
    drop(login.wait().expect_status(0));

    // A full disk, before the login and while the person types.
    jmsctl(&lab, "user set alice --mfa off");
    let disk = "set -e; cp -a /var/lib/jms /tmp/whole
        mount -t tmpfs -o size=16m,mode=$(stat -c %a /var/lib/jms),uid=$(id -u jms),gid=$(id -g jms) none /var/lib/jms
        cp -a /tmp/whole/. /var/lib/jms/";
    // Nothing is left in the log that it could write over.
    let fill = "runuser -u jms -- python3 -c \"import sqlite3; s = sqlite3.connect('/var/lib/jms/jms.db'); print(s.execute('PRAGMA wal_checkpoint(TRUNCATE)').fetchone()[0])\"
        ! head -c 100m /dev/zero 2>/dev/null >/var/lib/jms/filler";
    bastion.run(disk).expect_status(0);
    assert!(is_in(&alice(&lab)));
    let since = Since::now(bastion);
    bastion.run(fill).expect_stdout("0\n");
    let outcome = alice(&lab).expect_status(255).expect_stderr_contains(SORRY);
    is_out(&outcome, "full");
    since.has(bastion, &["type=\"store.problem\"", "severity=\"alert\""]);
    the_administrator_gets_in(&lab, "full");
    bastion.run("rm /var/lib/jms/filler").expect_status(0);
    jmsctl(&lab, "user set alice --mfa totp --mfa-asked login");
    let mut login = asked(&lab);
    bastion.run(fill).expect_stdout("0\n");
    login.send_line(&recovery);
    let outcome = login.wait().expect_status(255);
    assert!(outcome.text().contains(SORRY), "{outcome}");
    the_administrator_gets_in(&lab, "full at the code");
    bastion.run("rm /var/lib/jms/filler").expect_status(0);
    let mut login = asked(&lab);
    login.send_line(&recovery);
    drop(login.wait().expect_status(0));
}
