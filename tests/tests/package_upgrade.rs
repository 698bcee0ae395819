//! Upgrading, reinstalling and downgrading the package of a bastion that people are working on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tests::boot::ADMINISTRATOR;
use tests::{Host, Lab, Outcome, Running, eventually, everyday, package};

const ALICE: &str = "alice";
/// Alice's way to web1.
const WAY: &str = "alice@dev@web1@bastion";
/// From one new login to the next, while a package is being installed: a quick machine is through in less than a second.
const CADENCE: Duration = Duration::from_millis(150);
/// With so many under way the machine has enough to do: the next ones come more slowly, but still more than one in each second.
const MANY: usize = 12;
const SLOW_CADENCE: Duration = Duration::from_millis(600);
/// For what has no promise of its own, on a slow machine.
const SOON: Duration = Duration::from_secs(20);

/// The everyday lab with version 0.1.0 on its bastion; the newest package lies in root's home.
fn of_the_first_version() -> Lab {
    let lab = Lab::builder()
        .package(&package::first_version())
        .start()
        .expect("a lab");
    everyday::fill_first_version(&lab).expect("version 0.1.0 is filled");
    let newest = package::file().expect("the package");
    lab.bastion()
        .write("/root/new.deb", package::uncompressed(&newest));
    put(lab.bastion(), "/root/old.deb", &package::first_version());
    lab
}

fn put(host: &Host, path: &str, file: &std::path::Path) {
    host.write(path, std::fs::read(file).expect("a package"));
}

fn install(host: &Host, path: &str) -> Outcome {
    let words = ["env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "--install"];
    host.command(words.into_iter().chain([path]))
        .within(Duration::from_secs(180))
        .run()
}

/// The number of the store's schema.
fn schema(lab: &Lab) -> u32 {
    let script = "import sqlite3; print(sqlite3.connect('/var/lib/jms/jms.db').execute('PRAGMA user_version').fetchone()[0])";
    lab.bastion()
        .command(["runuser", "-u", "jms", "--", "python3", "-c", script])
        .run()
        .expect_success()
        .line_of_output()
        .parse()
        .expect("a number")
}

/// One login that was begun.
struct Attempt {
    at: Instant,
    who: &'static str,
    running: Running,
}

/// Installs `path` while logins begin: alice's at every beat, the administrator's at every third. All get in, and there was one
/// of alice's in every second of it.
fn install_while_people_log_in(lab: &Lab, path: &str) {
    let installed = AtomicBool::new(false);
    let (began, ended, attempts) = thread::scope(|scope| {
        let attempts = scope.spawn(|| {
            let mut attempts: Vec<Attempt> = Vec::new();
            // A few after the end too.
            let mut left = 4;
            for beat in 0.. {
                attempts.push(log_in(lab, ALICE));
                if beat % 3 == 0 {
                    attempts.push(log_in(lab, ADMINISTRATOR));
                }
                let running = |attempt: &mut Attempt| attempt.running.is_running();
                let under_way = attempts
                    .iter_mut()
                    .filter_map(|it| running(it).then_some(()));
                thread::sleep(match under_way.count() > MANY {
                    true => SLOW_CADENCE,
                    false => CADENCE,
                });
                if installed.load(Ordering::Relaxed) {
                    left -= 1;
                }
                if left == 0 {
                    break;
                }
            }
            attempts
        });
        let began = Instant::now();
        let outcome = install(lab.bastion(), path);
        let ended = Instant::now();
        installed.store(true, Ordering::Relaxed);
        outcome.expect_success();
        (began, ended, attempts.join().expect("no panic"))
    });
    let mut before = began;
    let mut hers = 0;
    for attempt in attempts.iter().filter(|attempt| attempt.who == ALICE) {
        if (began..=ended).contains(&attempt.at) {
            hers += 1;
            let gap = attempt.at - before;
            assert!(gap < Duration::from_secs(1), "nobody logged in for {gap:?}");
            before = attempt.at;
        }
    }
    let gap = ended - before;
    assert!(
        gap < Duration::from_secs(1),
        "nobody logged in for the last {gap:?}"
    );
    assert!(hers > 2, "only {hers} logins began while dpkg ran");
    for Attempt { at, who, running } in attempts {
        let after = at.saturating_duration_since(began);
        let outcome = running.wait();
        assert!(
            outcome.succeeded() && outcome.text() == "in\n",
            "{who}, {after:.2?} after dpkg began: {outcome}\nlog of the bastion:\n{}",
            lab.bastion().auth_log()
        );
    }
}

fn log_in(lab: &Lab, who: &'static str) -> Attempt {
    // Where sshd has something new to read, it listens again after a moment.
    let patience = ["-o", "ConnectionAttempts=5"];
    let (client, way) = if who == ALICE {
        (lab.client(), WAY)
    } else {
        (lab.client_of(ADMINISTRATOR), "admin@bastion")
    };
    let words = patience.into_iter().chain([way, "echo in"]);
    Attempt {
        at: Instant::now(),
        who,
        running: client.command("ssh", words).spawn(),
    }
}

fn rows(lab: &Lab, command: &str) -> Vec<serde_json::Value> {
    lab.bastion()
        .run(command)
        .json_lines()
        .unwrap_or_else(|error| panic!("{command}: {error:#}"))
}

#[test]
fn an_upgrade_migrates_the_store_under_a_live_session_and_lets_people_in_at_every_moment() {
    let lab = of_the_first_version();
    assert_eq!(schema(&lab), 1, "the fixture has the first schema");
    let mut shell = lab.client().ssh_on_terminal([WAY]);
    shell.expect("dev@web1");
    shell.send_line("echo be$((40+2))fore");
    shell.expect("be42fore");
    let mut upload = lab
        .client()
        .command("ssh", [WAY, "cat > /tmp/uploaded"])
        .within(Duration::from_secs(240))
        .spawn();
    upload.write(vec![b'x'; 100_000]);
    eventually("both sessions are live", SOON, || {
        rows(&lab, "jmsctl session ls --online --json").len() == 2
    });

    install_while_people_log_in(&lab, "/root/new.deb");

    assert!(schema(&lab) > 1, "no migration ran");
    lab.bastion()
        .run("dpkg --verify jms; dpkg-query --show --showformat '${db:Status-Abbrev}' jms")
        .expect_stdout("ii ");
    upload.write(vec![b'y'; 100_000]);
    upload.close_input();
    upload.wait().expect_status(0);
    lab.web1()
        .run("stat -c %s /tmp/uploaded")
        .expect_stdout("200000\n");
    shell.send_line("echo af$((40+2))ter");
    shell.expect("af42ter");
    shell.send_line("exit 3");
    shell.wait().expect_status(3);

    // Their rows, recordings and logins are closed as if nothing had happened.
    let past = eventually("all sessions are closed", SOON, || {
        let live = rows(&lab, "jmsctl session ls --online --json");
        // Connections that stay for a next session are none.
        live.iter()
            .all(|row| row["channel"] == "kept")
            .then(|| rows(&lab, "jmsctl session ls --past --json --limit 1000"))
    });
    assert!(
        past.iter().all(|row| row["end_reason"] != "lost"),
        "{past:?}"
    );
    let shells: Vec<_> = past
        .iter()
        .filter(|row| row["channel"] == "shell")
        .collect();
    let [row] = shells[..] else {
        panic!("one shell: {past:?}")
    };
    assert_eq!(row["exit_status"], 3);
    let id = row["id"].as_str().expect("an id");
    lab.bastion()
        .run(format!("jmsctl session replay {id}"))
        .expect_status(0)
        .expect_stdout_contains("be42fore")
        .expect_stdout_contains("af42ter");
    eventually("all logins are closed", SOON, || {
        rows(&lab, "jmsctl login ls --json --limit 1000")
            .iter()
            .all(|row| !row["closed_at"].is_null() && row["close_reason"] != "lost")
    });
    let log = lab.bastion().auth_log();
    assert!(
        !log.contains("store.problem") && !log.contains("type=\"alert\""),
        "{log}"
    );
}

#[test]
fn installing_the_same_version_again_leaves_sshd_alone_and_lets_people_in_at_every_moment() {
    let lab = Lab::everyday();
    put(
        lab.bastion(),
        "/root/new.deb",
        &package::file().expect("the package"),
    );
    let mut shell = lab.client().ssh_on_terminal([WAY]);
    shell.expect("dev@web1");
    let before = lab.bastion().auth_log().matches("SIGHUP").count();
    install_while_people_log_in(&lab, "/root/new.deb");
    assert_eq!(
        lab.bastion().auth_log().matches("SIGHUP").count(),
        before,
        "sshd had nothing new to read"
    );
    shell.send_line("exit 4");
    shell.wait().expect_status(4);
    // With something new it is told.
    lab.bastion()
        .run("echo '# site' >> /etc/ssh/sshd_config.d/00-jms.conf && DEBIAN_FRONTEND=noninteractive /var/lib/dpkg/info/jms.postinst configure 0.2.0")
        .expect_success();
    eventually("sshd reads the drop-in again", SOON, || {
        lab.bastion().auth_log().matches("SIGHUP").count() > before
    });
}

#[test]
fn a_program_that_is_older_than_the_store_refuses_in_a_sentence_and_the_newer_one_brings_people_back()
 {
    let lab = of_the_first_version();
    let bastion = lab.bastion();
    install(bastion, "/root/new.deb").expect_success();
    lab.client().ssh([WAY, "echo in"]).expect_stdout("in\n");

    install(bastion, "/root/old.deb").expect_success();
    let refused = lab.client().ssh([WAY, "echo in"]).expect_failure();
    assert_eq!(refused.text(), "");
    bastion
        .run("jmsctl user ls")
        .expect_status(1)
        .expect_stderr_contains("written by a newer version")
        .expect_stderr_contains("install that version again");
    eventually("syslog says why", SOON, || {
        bastion.auth_log().contains("written by a newer version")
    });
    lab.client_of(ADMINISTRATOR)
        .ssh(["admin@bastion", "id -un"])
        .expect_stdout("admin\n");

    install(bastion, "/root/new.deb").expect_success();
    lab.client().ssh([WAY, "echo in"]).expect_stdout("in\n");
}

#[test]
fn a_removal_under_a_live_session_leaves_it_running_and_says_so() {
    let lab = Lab::everyday();
    put(
        lab.bastion(),
        "/root/new.deb",
        &package::file().expect("the package"),
    );
    let mut shell = lab.client().ssh_on_terminal([WAY]);
    shell.expect("dev@web1");
    lab.bastion()
        .run("DEBIAN_FRONTEND=noninteractive dpkg --remove jms")
        .expect_success()
        .expect_stderr_contains("1 live sessions of the bastion go on");
    shell.send_line("echo af$((40+2))ter");
    shell.expect("af42ter");
    shell.send_line("exit 5");
    shell.wait().expect_status(5);
    install(lab.bastion(), "/root/new.deb").expect_success();
    let past = rows(&lab, "jmsctl session ls --past --json");
    assert_eq!(
        (
            past[0]["end_reason"].as_str() != Some("lost"),
            past[0]["exit_status"].as_i64()
        ),
        (true, Some(5)),
        "{past:?}"
    );
}

#[test]
fn a_session_that_outlives_a_removal_is_ended_by_what_is_decided_after_the_next_installation() {
    let lab = Lab::everyday();
    let bastion = lab.bastion();
    put(
        bastion,
        "/root/new.deb",
        &package::file().expect("the package"),
    );
    let mut shell = lab.client().ssh_on_terminal([WAY]);
    shell.expect("dev@web1");
    bastion
        .run("DEBIAN_FRONTEND=noninteractive dpkg --remove jms")
        .expect_success();
    install(bastion, "/root/new.deb").expect_success();
    shell.send_line("echo af$((40+2))ter");
    shell.expect("af42ter");
    bastion.run("jmsctl user disable alice").expect_success();
    eventually("the session ends", SOON, || !shell.is_running());
    bastion
        .run("DEBIAN_FRONTEND=noninteractive dpkg --remove jms; ls -d /run/jms")
        .expect_stdout_contains("Removing jms");
    assert!(!bastion.has("/run/jms"), "nobody listens there any more");
}
