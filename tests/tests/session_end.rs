//! How sessions end: whoever goes first, nothing of theirs is left, and the person reads one sentence.

use std::time::Duration;

use tests::live::Live;
use tests::{Lab, Running, Terminal, eventually};

const ON_WEB1: &str = "alice@dev@web1@bastion";
/// For what has no promise of its own, on a slow machine.
const SOON: Duration = Duration::from_secs(15);

/// A command on web1 that lasts and prints.
fn lasting(lab: &Lab, mark: &str) -> (Running, Live) {
    let command = format!("echo up; while echo {mark}; do sleep 0.1; done");
    let running = lab
        .client()
        .command("ssh", [ON_WEB1, &command])
        .within(Duration::from_secs(120))
        .spawn();
    let session = Live::find(lab, mark);
    eventually("it prints", SOON, || {
        running.stdout_so_far().contains("up").then_some(())
    });
    (running, session)
}

/// The same on a terminal: its program ends when the terminal does.
fn on_a_terminal(lab: &Lab, mark: &str) -> (Terminal, Live) {
    let command = format!("echo up; exec sleep {mark}");
    let mut terminal = lab.client().ssh_on_terminal(["-tt", ON_WEB1, &command]);
    terminal.expect("up");
    let session = Live::find(lab, mark);
    (terminal, session)
}

/// The program that bears `mark` on web1 is gone.
fn gone_on_web1(lab: &Lab, mark: &str) {
    eventually("the asset's process is gone", SOON, || {
        let processes = lab.web1().processes().ok()?;
        (!processes.iter().any(|it| it.command_line.contains(mark))).then_some(())
    });
}

fn jmsctl(lab: &Lab, line: &str) {
    drop(
        lab.bastion()
            .run(format!("jmsctl --yes {line}"))
            .expect_status(0),
    );
}

#[test]
fn when_the_client_is_killed_everything_is_gone_within_a_second() {
    let lab = Lab::everyday().without_kept_connections();
    let (mut running, session) = lasting(&lab, "4711001");
    running.kill();
    session.is_gone_within_a_second(&lab);
    session.ended_because(&lab, "client-gone");
    gone_on_web1(&lab, "4711001");
    let (mut terminal, session) = on_a_terminal(&lab, "4711002");
    terminal.hang_up();
    session.is_gone_within_a_second(&lab);
    session.ended_because(&lab, "client-gone");
    gone_on_web1(&lab, "4711002");
    let left = lab.bastion().run("ls /run/jms/egress /run/jms/sessions");
    left.expect_stdout("/run/jms/egress:\n\n/run/jms/sessions:\n");
}

#[test]
fn when_the_assets_sshd_is_killed_the_client_reads_that_the_connection_was_lost() {
    let lab = Lab::everyday().without_kept_connections();
    let (running, session) = lasting(&lab, "4712001");
    drop(
        lab.web1()
            .run("pkill -9 -f 'sshd(-session)?: dev'")
            .expect_status(0),
    );
    session.is_gone_within_a_second(&lab);
    running
        .wait()
        .expect_status(255)
        .expect_stderr_contains("jms: dev@web1: the connection to it was lost");
    session.ended_because(&lab, "connection-lost");
}

#[test]
fn when_the_relay_or_an_sshd_of_the_bastion_is_killed_the_rest_is_gone_and_the_row_is_closed_by_the_next()
 {
    let lab = Lab::everyday().without_kept_connections();
    for (mark, victim) in [
        ("4713001", "relay"),
        ("4713002", "its parent"),
        ("4713003", "the monitor"),
    ] {
        let (terminal, session) = on_a_terminal(&lab, mark);
        let relay = session.relay;
        let pid = match victim {
            "relay" => relay.to_string(),
            "its parent" => format!("$(ps -o ppid= {relay})"),
            _ => format!("$(ps -o ppid= $(ps -o ppid= {relay}))"),
        };
        drop(lab.bastion().run(format!("kill -9 {pid}")).expect_status(0));
        session.is_gone_within_a_second(&lab);
        drop(terminal.wait().expect_failure());
        gone_on_web1(&lab, mark);
        // Whoever looks next closes what was left open.
        drop(lab.client().ssh([ON_WEB1, "true"]).expect_status(0));
        let row = session.closed(&lab);
        let reason = row["end_reason"].as_str().unwrap_or_default();
        let expected = if victim == "relay" {
            "lost"
        } else {
            "client-gone"
        };
        assert_eq!(reason, expected, "{victim}");
    }
    let left = lab.bastion().run("ls /run/jms/egress /run/jms/sessions");
    left.expect_stdout("/run/jms/egress:\n\n/run/jms/sessions:\n");
}

#[test]
fn a_withdrawn_grant_ends_its_sessions_within_a_second() {
    let lab = Lab::everyday().without_kept_connections();
    let (running, session) = lasting(&lab, "4714001");
    jmsctl(&lab, "grant rm everyday");
    session.is_gone_within_a_second(&lab);
    running.wait().expect_status(76).expect_stderr_contains(
        "jms: the session was ended because its right is gone: no grant that holds now",
    );
    session.ended_because(&lab, "right-withdrawn");
}

#[test]
fn a_grant_that_runs_out_and_a_disabled_user_end_sessions_too() {
    let lab = Lab::everyday().without_kept_connections();
    let (running, session) = lasting(&lab, "4715001");
    jmsctl(&lab, "user disable alice");
    session.is_gone_within_a_second(&lab);
    running
        .wait()
        .expect_status(76)
        .expect_stderr_contains("the user is disabled");
    jmsctl(&lab, "user enable alice");
    let (running, session) = lasting(&lab, "4715002");
    drop(
        lab.bastion()
            .run("jmsctl --yes grant set everyday --valid-until $(date -u -d '3 seconds' +%FT%TZ)")
            .expect_status(0),
    );
    running
        .wait()
        .expect_status(76)
        .expect_stderr_contains("jms: the session was ended because its right is gone");
    session.ended_because(&lab, "right-withdrawn");
}

#[test]
fn an_administrators_word_on_the_control_socket_ends_it() {
    let lab = Lab::everyday().without_kept_connections();
    let (running, session) = lasting(&lab, "4716001");
    let socket = format!("/run/jms/sessions/{}", session.id);
    let send = format!(
        "perl -MSocket -e 'socket(S, AF_UNIX, SOCK_DGRAM, 0); send(S, \"end lunch is ready\", 0, pack_sockaddr_un(\"{socket}\")) or exit 1'"
    );
    drop(lab.bastion().run(send).expect_status(0));
    session.is_gone_within_a_second(&lab);
    running
        .wait()
        .expect_status(76)
        .expect_stderr("jms: the session was ended by an administrator: lunch is ready\n");
    session.ended_because(&lab, "killed");
}

#[test]
fn each_use_needs_its_own_right_and_the_missing_one_is_named() {
    let lab = Lab::everyday().without_kept_connections();
    let refused = |rights: &str, command: &[&str], missing: &str| {
        jmsctl(&lab, &format!("grant set everyday --rights {rights}"));
        let (program, words) = command.split_first().expect("a program");
        let outcome = lab.client().command(program, words).run();
        let said = outcome.text() + &outcome.error_text();
        assert!(said.contains(missing), "{rights} {command:?}: {outcome}");
        assert!(!outcome.succeeded(), "{rights} {command:?}: {outcome}");
    };
    let there = format!("{ON_WEB1}:/tmp/x");
    refused(
        "shell,upload,download",
        &["ssh", ON_WEB1, "id"],
        "jms: a command on dev@web1 needs the right exec,",
    );
    refused(
        "shell,upload,download",
        &["ssh", "-tt", ON_WEB1, "id"],
        "needs the right exec",
    );
    refused(
        "exec",
        &["ssh", "-T", ON_WEB1],
        "jms: a shell on dev@web1 needs the right shell,",
    );
    refused(
        "shell,exec,upload",
        &["sftp", "-b", "-", ON_WEB1],
        "realpath .: jms: sftp on dev@web1 needs the right download,",
    );
    refused(
        "shell,exec",
        &["scp", "/etc/hostname", &there],
        "Permission denied",
    );
    refused(
        "shell,exec,download",
        &["scp", "-O", "/etc/hostname", &there],
        "jms: scp on dev@web1 needs the right upload",
    );
    refused(
        "shell,exec,upload",
        &["scp", "-O", &there, "/dev/null"],
        "jms: scp on dev@web1 needs the right download",
    );
    refused(
        "shell,exec,download",
        &["rsync", "/etc/hostname", &there],
        "jms: rsync on dev@web1 needs the right upload",
    );
    refused(
        "upload,download",
        &["ssh", ON_WEB1, "scp -t /tmp; id"],
        "needs the right exec",
    );
    jmsctl(&lab, "grant set everyday --rights upload");
    drop(
        lab.client()
            .command("scp", ["-O", "/etc/hostname", &there])
            .run()
            .expect_status(0),
    );
}

#[test]
fn what_is_wrong_with_the_asset_is_one_sentence() {
    let lab = Lab::everyday().without_kept_connections();
    let refused = |sentence: &str| {
        let expected = format!("jms: dev@web1: {sentence}");
        drop(
            lab.client()
                .ssh([ON_WEB1, "id"])
                .expect_status(255)
                .expect_stdout("")
                .expect_stderr_contains(&expected),
        );
    };
    jmsctl(&lab, "asset set web1 --port 2323");
    refused("it refuses connections on its port");
    lab.bastion().write(
        "/etc/jms/jms.toml",
        "[egress]\nwarm_seconds = 0\n[session]\nconnect_timeout = 2\n",
    );
    let silent = "perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Listen => 5, LocalPort => 2323, ReuseAddr => 1); sleep 60'";
    let listener = lab
        .web1()
        .command(["bash", "-c", silent])
        .within(Duration::from_secs(100))
        .spawn();
    eventually("the silent listener is up", SOON, || {
        lab.web1()
            .run("ss -Hltn 'sport = :2323'")
            .text()
            .contains("2323")
    });
    refused("it lets us connect and then says nothing");
    drop(listener);
    jmsctl(&lab, "asset set web1 --port 22");
    lab.web1()
        .run("mv ~dev/.ssh/authorized_keys ~dev/.ssh/away")
        .expect_status(0);
    refused("it refuses the login of this account");
    lab.web1()
        .run("mv ~dev/.ssh/away ~dev/.ssh/authorized_keys")
        .expect_status(0);
    jmsctl(&lab, "asset set web1 --address 198.51.100.222");
    refused("it ");
    jmsctl(
        &lab,
        &format!("asset set web1 --address {}", lab.address("web1")),
    );
    drop(lab.client().ssh([ON_WEB1, "id -un"]).expect_stdout("dev\n"));
    // Another machine's host key is stored: nothing is sent to this one.
    drop(
        lab.bastion()
            .run(
                "set -e; ssh-keygen -q -t ed25519 -N '' -f /root/other
                jmsctl host-key ls web1 --json | grep -o 'SHA256:[^\"]*' | while read key; do jmsctl --yes host-key rm web1 $key; done
                jmsctl --yes host-key add web1 - < /root/other.pub",
            )
            .expect_status(0),
    );
    refused("its host key is not the one that is stored");
    drop(
        lab.bastion()
            .run("jmsctl host-key ls web1 --json | grep -o 'SHA256:[^\"]*' | while read key; do jmsctl --yes host-key rm web1 $key; done")
            .expect_status(0),
    );
    refused("no host key of the asset is stored");
}

#[test]
fn what_is_wrong_with_the_bastion_is_one_sentence_for_the_person_and_a_cause_for_the_administrator()
{
    let lab = Lab::everyday().without_kept_connections();
    let refused = |sentence: &str| {
        let expected = format!("jms: {sentence}; tell your administrator\n");
        drop(
            lab.client()
                .ssh([ON_WEB1, "id"])
                .expect_status(75)
                .expect_stdout("")
                .expect_stderr(expected),
        );
    };
    drop(
        lab.bastion()
            .run("mv /etc/jms/secret.key /etc/jms/away")
            .expect_status(0),
    );
    refused("the bastion cannot open its stored keys");
    drop(
        lab.bastion()
            .run("mv /etc/jms/away /etc/jms/secret.key")
            .expect_status(0),
    );
    lab.bastion().write("/etc/jms/jms.toml", "[recordings]\n");
    refused("the bastion's settings cannot be read");
    drop(lab.bastion().run("rm /etc/jms/jms.toml").expect_status(0));
    drop(lab.client().ssh([ON_WEB1, "id -un"]).expect_stdout("dev\n"));
    let events = lab.bastion().run("jmsctl event ls --json").text();
    for cause in ["secret.key", "unknown field `recordings`"] {
        assert!(events.contains(cause), "{cause}: {events}");
    }
    let sessions = lab.bastion().run("jmsctl session ls --json").text();
    assert!(
        sessions.contains(r#""end_reason":"secret-key""#),
        "{sessions}"
    );
}

#[test]
fn no_room_for_the_recording_is_no_session() {
    let lab = Lab::everyday().without_kept_connections();
    let small = "mount -t tmpfs -o size=600k,mode=0700,uid=$(id -u jms),gid=$(id -g jms) tmpfs /var/lib/jms/recordings";
    drop(lab.bastion().run(small).expect_status(0));
    lab.client()
        .ssh([ON_WEB1, "id"])
        .expect_status(75)
        .expect_stdout("")
        .expect_stderr("jms: the session cannot be recorded, so it cannot be opened; tell your administrator\n");
    // With less demanded, it is opened, and ended when the disk is full in the middle of it.
    lab.bastion().write(
        "/etc/jms/jms.toml",
        "[egress]\nwarm_seconds = 0\n[recording]\nminimum_free_mib = 0\n",
    );
    let noise = "stty -opost; base64 /dev/urandom; : 4717001";
    let terminal = lab.client().ssh_on_terminal(["-tt", ON_WEB1, noise]);
    let outcome = terminal.wait().expect_status(75);
    assert!(
        outcome
            .text()
            .contains("jms: the session was ended because it can no longer be recorded"),
        "{outcome}"
    );
    gone_on_web1(&lab, "4717001");
    let events = lab
        .bastion()
        .run("jmsctl event ls --type recording.problem --json");
    assert!(
        events.text().contains("the file system is full"),
        "{events}"
    );
}

#[test]
fn a_limit_on_file_sizes_that_is_met_in_mid_session_ends_it() {
    let lab = Lab::everyday().without_kept_connections();
    lab.bastion().write(
        "/etc/jms/jms.toml",
        "[egress]\nwarm_seconds = 0\n[recording]\nexec_output_bytes = 1000000000\n",
    );
    // In KiB, and more than the store needs. Who restarts sshd by hand hands his own limits on.
    drop(
        lab.bastion()
            .run("kill $(cat /run/sshd.pid) && sleep 0.2 && ulimit -f 3000 && /usr/sbin/sshd")
            .expect_status(0),
    );
    let running = lab
        .client()
        .command("ssh", [ON_WEB1, "base64 /dev/urandom; : 4718001"])
        .spawn();
    let session = Live::find(&lab, "4718001");
    running
        .wait()
        .expect_status(75)
        .expect_stderr("jms: the session was ended because it can no longer be recorded; tell your administrator\n");
    session.is_gone_within_a_second(&lab);
    gone_on_web1(&lab, "4718001");
    session.ended_because(&lab, "recording-failed");
    let events = lab
        .bastion()
        .run("jmsctl event ls --type recording.problem --json");
    assert!(
        events.text().contains("limit for the size of a file"),
        "{events}"
    );
}

#[test]
fn the_client_program_is_the_users_without_a_way_back_and_nobody_elses_business() {
    let lab = Lab::everyday().without_kept_connections();
    let (mut running, session) = lasting(&lab, "4719001");
    let status = lab
        .bastion()
        .read_text(format!("/proc/{}/status", session.client));
    let field = |name: &str| {
        let line = status
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap_or_default();
        line.split_whitespace()
            .skip(1)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let uids = field("Uid:");
    assert!(uids.iter().all(|uid| uid == "70000"), "{uids:?}");
    assert_eq!(
        (field("NoNewPrivs:"), field("CapEff:")),
        (vec!["1".into()], vec!["0000000000000000".into()])
    );
    let descriptors = lab
        .bastion()
        .run(format!("ls -l /proc/{}/fd", session.client))
        .text();
    assert!(
        !descriptors.contains("/var/lib/jms") && !descriptors.contains("/etc/jms"),
        "{descriptors}"
    );
    let environment = lab
        .bastion()
        .run(format!("tr '\\0' '\\n' </proc/{}/environ", session.client))
        .text();
    assert!(
        !environment.contains("JMS_LOGIN") && !environment.contains("SSH_"),
        "{environment}"
    );
    let relay = lab
        .bastion()
        .read_text(format!("/proc/{}/status", session.relay));
    let jms = lab.bastion().run("id -u jms").line_of_output();
    assert!(
        relay.contains(&format!("Uid:\t70000\t{jms}\t{jms}\t{jms}")),
        "{relay}"
    );
    running.kill();
}

#[test]
fn an_idle_session_uses_no_processor_time() {
    let lab = Lab::everyday().without_kept_connections();
    let (mut terminal, on_terminal) = on_a_terminal(&lab, "4721001");
    let command = "echo up; exec sleep 4721002";
    let mut running = lab.client().command("ssh", [ON_WEB1, command]).spawn();
    let piped = Live::find(&lab, "4721002");
    let ticks = |session: &Live| -> u64 {
        let stat = lab
            .bastion()
            .read_text(format!("/proc/{}/stat", session.relay));
        let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
        fields
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse::<u64>().ok())
            .sum()
    };
    std::thread::sleep(Duration::from_secs(1));
    let before = ticks(&on_terminal) + ticks(&piped);
    std::thread::sleep(Duration::from_secs(3));
    assert!(ticks(&on_terminal) + ticks(&piped) <= before + 1);
    running.kill();
    terminal.hang_up();
}

#[test]
fn who_did_not_log_in_through_pam_has_no_session() {
    let lab = Lab::everyday().without_kept_connections();
    let groups = "--regid=$(awk '$1==\"jms-users\"{print $2}' /etc/jms/uid-range) --clear-groups";
    let program = "/usr/libexec/jms/force-command";
    let as_alice = |environment: &str| {
        lab.bastion().run(format!(
            "env -i USER=alice@dev@web1 {environment} setpriv --reuid=70000 {groups} {program} -c id"
        ))
    };
    as_alice("")
        .expect_status(126)
        .expect_stdout("")
        .expect_stderr("jms: this login was not opened through PAM; tell your administrator\n");
    drop(as_alice("JMS_LOGIN=00112233445566778899aabbccddeeff").expect_status(126));
    // A token of a live login that is not ours: its sshd is not our ancestor.
    let (mut running, session) = lasting(&lab, "4720001");
    let parent = format!("$(ps -o ppid= {} | tr -d ' ')", session.relay);
    let stolen = format!(
        "$(tr '\\0' '\\n' </proc/{parent}/environ | grep ^JMS_LOGIN= || tr '\\0' '\\n' </proc/{}/environ | grep ^JMS_LOGIN=)",
        session.relay
    );
    drop(as_alice(&stolen).expect_status(126));
    running.kill();
    let events = lab
        .bastion()
        .run("jmsctl event ls --type alert --json")
        .text();
    for reason in [
        "no-login-token",
        "unknown-login-token",
        "login-of-another-sshd",
    ] {
        assert!(events.contains(reason), "{reason}: {events}");
    }
    // Nobody else can use the program, root included.
    lab.bastion()
        .run(format!("{program} -c id"))
        .expect_failure()
        .expect_stderr_contains("jms: ");
    lab.bastion()
        .command_as("admin", [program, "-c", "id"])
        .run()
        .expect_status(126)
        .expect_stderr_contains("is none of them");
    lab.bastion()
        .run(format!(
            "setpriv --no-new-privs --reuid=70000 {groups} {program} -c id"
        ))
        .expect_status(75)
        .expect_stderr_contains("does not run as its service user");
}

#[test]
fn as_a_login_shell_without_force_command_it_does_the_same() {
    let lab = Lab::everyday().without_kept_connections();
    drop(
        lab.bastion()
            .run("sed -i '/^[[:space:]]*ForceCommand/d' /etc/ssh/sshd_config.d/00-jms.conf && sshd -t && kill -HUP $(cat /run/sshd.pid)")
            .expect_status(0),
    );
    eventually("sshd has read its settings again", SOON, || {
        lab.client().ssh(["alice@bastion", "version"]).succeeded()
    });
    drop(
        lab.client()
            .ssh([ON_WEB1, "id -un; exit 5"])
            .expect_status(5)
            .expect_stdout("dev\n"),
    );
    drop(
        lab.client()
            .ssh(["alice@bastion", "dev@web1 id -un"])
            .expect_stdout("dev\n"),
    );
    drop(
        lab.client()
            .command("sftp", ["-b", "-", ON_WEB1])
            .input("pwd\n")
            .run()
            .expect_status(0)
            .expect_stdout_contains("/home/dev"),
    );
    let mut shell = lab.client().ssh_on_terminal(["-t", ON_WEB1]);
    shell.expect("dev@web1");
    shell.send_line("exit 8");
    drop(shell.wait().expect_status(8));
    drop(
        lab.client()
            .ssh(["alice@dev@web2@bastion", "id"])
            .expect_status(126),
    );
}
