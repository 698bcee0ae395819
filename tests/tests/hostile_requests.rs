//! What a hostile user asks for without a client of ours: whatever it is, the session program answers with a sentence and a
//! status, and never crashes, hangs or forgets whom it belongs to.

use std::time::Duration;

use tests::{Host, Lab, Outcome, eventually};

const WAY: &str = "alice@dev@web1@bastion";
const SOON: Duration = Duration::from_secs(30);
const PROGRAM: &str = "/usr/libexec/jms/force-command";

/// The session program started by alice herself, with whatever `script` gives it. No login of hers is open.
fn directly(host: &Host, script: &str) -> Outcome {
    let uid = host.run("id -u alice").text();
    let gid = host.run("id -g alice").text();
    host.run(format!(
        "setpriv --reuid={} --regid={} --clear-groups bash -c '{script}'",
        uid.trim(),
        gid.trim()
    ))
}

fn alerts(host: &Host) -> usize {
    let events = host.run("jmsctl event ls --type alert --json").text();
    events.lines().count()
}

#[test]
fn whatever_it_is_started_with_it_says_one_sentence_and_refuses() {
    let lab = Lab::everyday().without_kept_connections();
    let host = lab.bastion();
    let big =
        "for i in $(seq 900); do export BIG_$i=$(head -c 1100 /dev/zero | tr \"\\0\" x); done;";
    for (what, script) in [
        ("an environment of 1 MiB", format!("{big} exec {PROGRAM}")),
        (
            "one variable of 120 KiB",
            format!("export TERM=$(head -c 122880 /dev/zero | tr \"\\0\" x); exec {PROGRAM}"),
        ),
        (
            "odd words",
            format!(
                "export TERM=$(printf \"\\033]0;x\\007%%n%%s\") USER=../../x LANG=%%s JMS_LOGIN=00 LD_PRELOAD=/x LD_AUDIT=/x GCONV_PATH=/x RUST_BACKTRACE=full; exec {PROGRAM} -c \"$(printf \"\\001\\377\")\""
            ),
        ),
        (
            "no standard error but output",
            format!("exec {PROGRAM} <&- 2>&1"),
        ),
        (
            "signals that are ignored and blocked",
            format!("trap \"\" HUP INT TERM CHLD PIPE ALRM USR1; exec {PROGRAM}"),
        ),
        ("limits", format!("ulimit -n 64 -t 5; exec {PROGRAM}")),
        (
            "a folder that is not there",
            format!("mkdir /tmp/gone; cd /tmp/gone; rmdir /tmp/gone; exec {PROGRAM}"),
        ),
        (
            "open descriptors",
            format!("for i in $(seq 3 60); do eval \"exec $i</etc/passwd\"; done; exec {PROGRAM}"),
        ),
    ] {
        let before = alerts(host);
        let outcome = directly(host, &script);
        let said = format!("{}{}", outcome.text(), outcome.error_text());
        let said = said.trim_end();
        assert!(
            said.starts_with("jms: ") && said.lines().count() == 1,
            "{what}: {said}"
        );
        outcome.expect_status(126);
        assert_eq!(alerts(host), before + 1, "{what} is an alert");
    }
    directly(host, &format!("exec {PROGRAM} <&- >&- 2>&-")).expect_status(126);
    // Limits that only root could raise again: the store cannot be written, and it says so.
    directly(host, &format!("ulimit -f 0; exec {PROGRAM}"))
        .expect_status(75)
        .expect_stderr_contains("jms: the bastion cannot");
}

#[test]
fn a_command_of_any_bytes_and_of_nearly_128_kib_arrives_or_is_refused() {
    let lab = Lab::everyday().without_kept_connections();
    for length in [65_000_usize, 100_000, 130_000, 131_000] {
        let command = format!(": {}; echo alive", "x".repeat(length));
        let outcome = lab.client().ssh([WAY, &command]);
        // What sshd itself cannot pass on never reaches us.
        assert!(
            outcome.text() == "alive\n" || outcome.text().is_empty() && !outcome.succeeded(),
            "{length}"
        );
        assert!(
            !outcome.error_text().contains("panic"),
            "{length}: {}",
            outcome.error_text()
        );
    }
    lab.client()
        .command(
            "ssh",
            [
                WAY,
                "printf %s \"\u{1}\u{7f}\u{1b}[2Jé\u{2028}\" | od -An -tx1",
            ],
        )
        .run()
        .expect_status(0)
        .expect_stdout(" 01 7f 1b 5b 32 4a c3 a9 e2 80 a8\n");
    lab.client().ssh([WAY, "true"]).expect_status(0);
}

#[test]
fn who_may_only_upload_gets_no_terminal_by_asking_for_a_transfer_on_one() {
    let lab = Lab::everyday().without_kept_connections();
    for line in [
        "system-user add courier --login dev --credential ask",
        "grant add uploads --user alice --asset web1 --system-user courier --rights upload",
    ] {
        lab.bastion().run(format!("jmsctl {line}")).expect_status(0);
    }
    let transfer = ["alice@courier@web1@bastion", "scp -t /tmp"];
    let [way, command] = transfer;
    let refused = lab.client().ssh(["-tt", way, command]).expect_status(126);
    assert!(refused.text().contains("exec"), "{}", refused.text());
    // Without a terminal it is the transfer that it says it is.
    let asked = lab.client().ssh(transfer);
    assert!(
        asked.error_text().contains("terminal"),
        "{}",
        asked.error_text()
    );
}

#[test]
fn each_limit_has_its_own_sentence_and_status_75() {
    let lab = Lab::everyday().without_kept_connections();
    let host = lab.bastion();
    let set = |line: &str| {
        let place = format!("s/^\\[session\\]$/[session]\\n{line}/");
        host.run(format!(
            "sed -i -e '/^#*limit_/d' -e '{place}' /etc/jms/jms.toml && jmsctl config check"
        ))
        .expect_status(0);
    };
    let folder = tempfile::tempdir().expect("a folder");
    let control = format!("ControlPath={}/master", folder.path().display());
    // One login with one session; further ones share it or not.
    let mut master = lab
        .client()
        .command("ssh", ["-M", "-o", &control, WAY, "echo up; cat"])
        .within(SOON * 5)
        .spawn();
    eventually("the first session runs", SOON, || {
        master.stdout_so_far() == "up\n"
    });
    for (limit, sentence, shared) in [
        ("limit_login = 1", "of this login", true),
        ("limit_user = 1", "of this user", false),
        ("limit_asset = 1", "to this asset", false),
        ("limit_bastion = 1", "on this bastion", false),
    ] {
        set(limit);
        let options: &[&str] = if shared { &["-o", &control] } else { &[] };
        let words = [options, &[WAY, "echo in"]].concat();
        let outcome = lab.client().ssh(words);
        let said = outcome.error_text();
        outcome.expect_status(75).expect_stdout("");
        assert!(
            said.starts_with("jms: ") && said.contains(sentence),
            "{limit}: {said}"
        );
    }
    set("limit_login = 1");
    lab.client().ssh([WAY, "echo in"]).expect_status(0);
    master.close_input();
    master.wait().expect_status(0);
}

#[test]
fn a_bomb_of_sessions_ends_with_the_limit_and_leaves_nothing() {
    let lab = Lab::everyday().without_kept_connections();
    let host = lab.bastion();
    host.run(
        "sed -i '/^\\[session\\]/,$s/^#limit_user = .*/limit_user = 4/' /etc/jms/jms.toml && jmsctl config check",
    )
    .expect_status(0);
    let mut sessions: Vec<_> = (0..12)
        .map(|_| {
            lab.client()
                .command("ssh", [WAY, "echo in; cat"])
                .within(SOON * 5)
                .spawn()
        })
        .collect();
    let count = |sessions: &Vec<tests::Running>, word: &str| {
        sessions
            .iter()
            .filter(|it| format!("{}{}", it.stdout_so_far(), it.stderr_so_far()).contains(word))
            .count()
    };
    let inside = |sessions: &Vec<tests::Running>| {
        sessions
            .iter()
            .filter(|it| it.stdout_so_far() == "in\n")
            .count()
    };
    eventually("each is in or refused", SOON * 2, || {
        inside(&sessions) + count(&sessions, "jms: ") >= 12
    });
    assert_eq!(inside(&sessions), 4, "never more, and not fewer");
    for session in &mut sessions {
        session.close_input();
    }
    let ended = sessions.into_iter().map(tests::Running::wait);
    assert_eq!(ended.filter(tests::Outcome::succeeded).count(), 4);
    eventually("nothing is left", SOON, || {
        host.run("ls -A /run/jms/sessions /run/jms/egress | grep -v :; pgrep force-command")
            .text()
            .trim()
            .is_empty()
    });
}
