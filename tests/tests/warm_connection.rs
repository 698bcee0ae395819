//! The connection to an asset that stays for the next session of the same user (`[egress] warm_seconds`, a minute unless it
//! is set): the second login within its time makes none, what each session may do is decided and recorded as ever, and nothing is left of it when its
//! time is over, or when something of the policy changes.

use std::sync::{Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use serde_json::Value;
use tests::live::nothing_is_left;
use tests::{Lab, Outcome, Process, Running, eventually};

const WAY: &str = "alice@dev@web1@bastion";
const WAY_2: &str = "alice@dev@web2@bastion";
const SOON: Duration = Duration::from_secs(20);

/// The hosts of all tests here, one test at a time, each with the grants and settings of a new bastion.
fn lab() -> MutexGuard<'static, Lab> {
    static LAB: OnceLock<Mutex<Lab>> = OnceLock::new();
    let lab = LAB.get_or_init(|| Mutex::new(Lab::everyday()));
    let lab = lab.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    stay(&lab, 0, "");
    on_bastion(
        &lab,
        "jmsctl user enable alice; jmsctl --yes grant rm everyday; jmsctl grant add everyday --user alice --asset web1,web2 --system-user dev --rights shell,exec,upload,download",
    );
    are_gone(&lab);
    lab
}

/// Connections stay for so many seconds.
fn stay(lab: &Lab, seconds: u32, more: &str) {
    let text = format!("[egress]\nwarm_seconds = {seconds}\n{more}\n");
    lab.bastion().write("/etc/jms/jms.toml", text);
}

fn ssh(lab: &Lab, words: &[&str]) -> Outcome {
    lab.client().ssh(words.iter().copied())
}

/// Says one word at the asset; its connection stays.
#[track_caller]
fn use_once(lab: &Lab, way: &str) {
    ssh(lab, &[way, "echo used"])
        .expect_stdout("used\n")
        .expect_status(0);
}

fn on_bastion(lab: &Lab, script: &str) -> Outcome {
    lab.bastion().run(script)
}

/// The clients of kept connections.
fn clients(lab: &Lab) -> Vec<Process> {
    let processes = lab.bastion().processes().expect("processes");
    let kept = |it: &Process| {
        it.program.as_os_str() == "/usr/bin/ssh" && it.command_line.contains("ControlMaster=yes")
    };
    processes.into_iter().filter(kept).collect()
}

/// The one client that there is.
#[track_caller]
fn client(lab: &Lab) -> u32 {
    let all = clients(lab);
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].pid
}

/// How many logins the asset has seen.
fn logins(lab: &Lab) -> usize {
    let log = lab.web1().auth_log();
    let accepted = |line: &&str| line.contains("Accepted publickey for dev");
    log.lines().filter(accepted).count()
}

/// Keepers, clients, folders, sockets: none.
#[track_caller]
fn are_gone(lab: &Lab) {
    eventually("no connection is kept", SOON, || {
        let folders = on_bastion(lab, "ls /run/jms/warm | grep -v lock; pgrep -a jms-kept").text();
        (clients(lab).is_empty() && folders.is_empty()).then_some(())
    });
    nothing_is_left(lab);
}

/// The reasons with which connections have ended, as syslog has them.
fn reasons(lab: &Lab) -> Vec<String> {
    let lines = on_bastion(
        lab,
        "cat /var/log/auth.log /var/log/syslog 2>/dev/null | grep -a connection.ended",
    );
    let word = |line: &str| {
        let reason = line.split("reason=").nth(1)?.split(' ').next()?;
        Some(reason.trim_matches('"').to_owned())
    };
    lines.text().lines().filter_map(word).collect()
}

/// The last connection that ended did so for `reason`.
#[track_caller]
fn ended_because(lab: &Lab, reason: &str) {
    eventually("syslog says why", SOON, || {
        (reasons(lab).last().map(String::as_str) == Some(reason)).then_some(())
    });
}

fn rows(lab: &Lab) -> Vec<Value> {
    let listed = on_bastion(lab, "jmsctl session ls --online --json");
    listed.json_lines().expect("rows")
}

/// A command at web1 that says that it is up and lasts until its input is closed.
fn lasting(lab: &Lab, mark: &str) -> Running {
    let command = format!("echo up; cat >/dev/null; : {mark}");
    let running = lab.client().command("ssh", [WAY, &command]).spawn();
    eventually("it is up", SOON, || running.stdout_so_far() == "up\n");
    running
}

fn end(mut running: Running) -> Outcome {
    running.close_input();
    running.wait()
}

#[test]
fn a_connection_stays_for_a_minute_unless_a_setting_says_otherwise() {
    let lab = lab();
    on_bastion(&lab, "rm /etc/jms/jms.toml");
    let shown = on_bastion(&lab, "jmsctl config show --effective --json");
    assert_eq!(
        shown.json().expect("settings")["egress"]["warm_seconds"],
        60
    );
    use_once(&lab, WAY);
    let (kept, before) = (client(&lab), logins(&lab));
    use_once(&lab, WAY);
    assert_eq!((client(&lab), logins(&lab)), (kept, before));
    // 0: each session has its own, which goes with it.
    on_bastion(&lab, "jmsctl asset set web2 --comment unrelated");
    are_gone(&lab);
    stay(&lab, 0, "");
    use_once(&lab, WAY);
    assert_eq!((clients(&lab).len(), logins(&lab)), (0, before + 1));
    are_gone(&lab);
}

#[test]
fn the_second_login_within_its_time_needs_no_login_at_the_asset_and_is_a_session_as_ever() {
    let lab = lab();
    stay(&lab, 600, "");
    ssh(&lab, &[WAY, "echo one; exit 3"])
        .expect_stdout("one\n")
        .expect_status(3);
    let (first, before) = (client(&lab), logins(&lab));
    ssh(&lab, &[WAY, "echo two; echo and >&2; exit 4"])
        .expect_stdout("two\n")
        .expect_stderr("and\n")
        .expect_status(4);
    let mark = "echo 'the recording has it'";
    ssh(&lab, &[WAY, mark]).expect_status(0);
    let past = on_bastion(&lab, "jmsctl session ls --past --json");
    let past = past.json_lines().expect("rows");
    let row = past.iter().find(|row| row["request"] == mark).expect("row");
    assert_eq!(
        (&row["end_reason"], &row["exit_status"]),
        (&"exit".into(), &0.into())
    );
    let id = row["id"].as_str().expect("id");
    on_bastion(&lab, &format!("jmsctl session replay {id}"))
        .expect_stdout_contains("the recording has it");

    let terminal = lab.client().command("ssh", ["-tt", WAY]);
    let mut terminal = terminal.in_window(90, 30).on_terminal();
    terminal.expect("$");
    terminal.send_line("stty size; tty");
    terminal.expect("30 90");
    terminal.expect("/dev/pts/");
    terminal.resize(100, 40);
    eventually("the size has arrived", SOON, || {
        terminal.send_line("stty size");
        terminal.expect("$").contains("40 100").then_some(())
    });
    terminal.send_line("exit 7");
    terminal.wait().expect_status(7);

    let body = "x".repeat(300_000);
    let copied = lab.client().command("ssh", [WAY, "cat"]);
    copied.input(body.clone()).run().expect_stdout(&body);
    let batch = lab.client().command("sftp", ["-b", "-", WAY]);
    batch.input("pwd\n").run().expect_status(0);
    assert_eq!((client(&lab), logins(&lab)), (first, before));
    let kept = on_bastion(&lab, "jmsctl event ls --type connection.kept --json");
    assert!(!kept.json_lines().expect("events").is_empty());
}

#[test]
fn it_stays_for_its_time_after_its_last_session_and_then_nothing_is_left() {
    let lab = lab();
    stay(&lab, 3, "");
    let running = lasting(&lab, "5101");
    let kept = client(&lab);
    std::thread::sleep(Duration::from_secs(4));
    use_once(&lab, WAY);
    assert_eq!(
        client(&lab),
        kept,
        "it has a session, so its time does not run"
    );
    end(running).expect_status(0);
    are_gone(&lab);
    ended_because(&lab, "idle");
}

#[test]
fn what_a_session_may_do_is_decided_for_it_whatever_the_connection_was_made_for() {
    let lab = lab();
    on_bastion(&lab, "jmsctl grant set everyday --rights exec").expect_status(0);
    stay(&lab, 600, "");
    use_once(&lab, WAY);
    let (kept, before) = (client(&lab), logins(&lab));
    ssh(&lab, &["-tt", WAY]).expect_status(126);
    let batch = lab.client().command("sftp", ["-b", "-", WAY]);
    batch.input("pwd\n").run().expect_failure();
    // Nothing but a session of ours leads through it.
    let forward = ["-W", "127.0.0.1:22", WAY];
    ssh(&lab, &forward).expect_failure();
    assert_eq!((client(&lab), logins(&lab)), (kept, before));
    on_bastion(
        &lab,
        "jmsctl filter add no-id --default allow 2>/dev/null; true",
    );
    use_once(&lab, WAY);
}

#[test]
fn nobody_but_the_bastions_own_program_reaches_its_sockets() {
    let lab = lab();
    stay(&lab, 600, "");
    use_once(&lab, WAY);
    let modes = on_bastion(&lab, "stat -c '%a %U' /run/jms/warm /run/jms/warm/*.*");
    assert_eq!(modes.text(), "700 jms\n700 jms\n");
    // As alice's own uid, and with the group of all users.
    let script = r#"folder=$(echo /run/jms/warm/*.*)
uid=$(stat -c %u /proc/$(pgrep -x ssh)); gid=$(stat -c %g /proc/$(pgrep -x ssh))
for file in channel lease; do
    setpriv --reuid=$uid --regid=$gid --clear-groups python3 -c '
import socket, sys
for kind in socket.SOCK_STREAM, socket.SOCK_SEQPACKET:
    try:
        socket.socket(socket.AF_UNIX, kind).connect(sys.argv[1]); print("reached")
    except PermissionError: print("refused")' $folder/$file
done"#;
    assert_eq!(on_bastion(&lab, script).text(), "refused\n".repeat(4));
    // Another user of the same asset and account has a connection of his own.
    let key = lab.folder().public_key_of("bob").expect("key");
    let add = lab
        .bastion()
        .command(["jmsctl", "user", "add", "bob", "--key", "-"]);
    add.input(format!("{key}\n")).run().expect_status(0);
    on_bastion(
        &lab,
        "jmsctl grant add bobs --user bob --asset web1 --system-user dev --rights exec",
    );
    use_once(&lab, WAY);
    let before = logins(&lab);
    let bob = lab.client_of("bob");
    bob.ssh(["bob@dev@web1@bastion", "echo used"])
        .expect_stdout("used\n");
    assert_eq!((clients(&lab).len(), logins(&lab)), (2, before + 1));
    on_bastion(&lab, "jmsctl --yes user rm bob").expect_status(0);
    are_gone(&lab);
}

#[test]
fn it_dies_at_once_when_grant_user_host_key_credential_or_address_change() {
    let lab = lab();
    stay(&lab, 600, "");
    for change in [
        "jmsctl --yes grant rm everyday; jmsctl grant add everyday --user alice --asset web1,web2 --system-user dev --rights shell,exec,upload,download",
        "jmsctl --yes user disable alice; jmsctl user enable alice",
        "jmsctl --yes host-key rm web1 $(jmsctl host-key ls web1 --json | grep ecdsa | grep -o 'SHA256:[^\"]*')",
        "jmsctl asset set web1 --comment other",
        "jmsctl system-user set dev --comment other",
    ] {
        use_once(&lab, WAY);
        let kept = client(&lab);
        let gone = format!(
            "{change}; for turn in $(seq 200); do [ -e /proc/{kept}/exe ] || exit 0; sleep 0.01; done; exit 1"
        );
        on_bastion(&lab, &gone).expect_status(0);
    }
    are_gone(&lab);
    ended_because(&lab, "policy-changed");
    // Another key of the account, which the asset does not know: the next session has to prove itself again.
    use_once(&lab, WAY);
    on_bastion(
        &lab,
        "jmsctl --yes system-user set dev --asset web1 --generate ed25519",
    )
    .expect_status(0);
    ssh(&lab, &[WAY, "true"]).expect_status(255);
    on_bastion(&lab, "jmsctl --yes system-user set dev --rm-asset web1").expect_status(0);
    use_once(&lab, WAY);
}

#[test]
fn a_change_that_was_told_to_nobody_ends_it_with_the_next_session_or_the_next_look() {
    let lab = lab();
    stay(&lab, 600, "");
    // As a process leaves it that was killed between its commit and the word to live sessions.
    let silently = r#"runuser -u jms -- python3 - <<'END'
import sqlite3
store = sqlite3.connect("/var/lib/jms/jms.db", timeout=10)
changed = store.execute("UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE name = 'policy'")
assert changed.rowcount == 1
store.commit()
END"#;
    let change = |lab: &Lab| drop(on_bastion(lab, silently).expect_status(0));
    use_once(&lab, WAY);
    let first = client(&lab);
    change(&lab);
    use_once(&lab, WAY);
    assert_ne!(client(&lab), first);
    ended_because(&lab, "policy-changed");
    // Who only looks tells it, and looking alone is no change.
    let second = client(&lab);
    on_bastion(&lab, "jmsctl user ls").expect_status(0);
    use_once(&lab, WAY);
    assert_eq!(client(&lab), second);
    change(&lab);
    on_bastion(&lab, "jmsctl user ls").expect_status(0);
    are_gone(&lab);
}

#[test]
fn it_dies_when_the_hours_end_in_which_its_user_is_let_in() {
    let lab = lab();
    stay(&lab, 600, "");
    // To the end of this minute, or of the next one.
    let rules = r#"second=$(date -u +%-S)
[ "$second" -lt 40 ] && next='+1 minute' || next='+2 minutes'
end=$(date -u -d "$next" +%H:%M)
set -e
jmsctl login-rule add hours --user alice --priority 1 --time "Mon-Sun $(date -u -d '-2 minutes' +%H:%M)-$end UTC" --verdict allow
jmsctl login-rule add else-never --user alice --priority 2 --verdict deny"#;
    on_bastion(&lab, rules).expect_status(0);
    use_once(&lab, WAY);
    let _ = client(&lab);
    eventually("it is gone", Duration::from_secs(120), || {
        clients(&lab).is_empty()
    });
    ended_because(&lab, "right-expired");
    ssh(&lab, &[WAY, "true"]).expect_failure();
    on_bastion(
        &lab,
        "jmsctl --yes login-rule rm hours; jmsctl --yes login-rule rm else-never",
    )
    .expect_status(0);
    use_once(&lab, WAY);
}

#[test]
fn who_makes_room_waits_for_frozen_keepers_a_second_and_no_longer() {
    let lab = lab();
    stay(&lab, 600, "warm_per_user = 1");
    use_once(&lab, WAY);
    let keeper = on_bastion(&lab, "pgrep -x jms-kept").line_of_output();
    on_bastion(&lab, &format!("kill -STOP {keeper}")).expect_status(0);
    use_once(&lab, WAY_2);
    let why = "those that there are do not say whether they end";
    let told = on_bastion(&lab, "jmsctl event ls --type alert --json");
    assert!(told.text().contains(why), "{told}");
    // Who holds the lock for ever is waited for no longer, either.
    on_bastion(
        &lab,
        "setsid flock /run/jms/warm/lock sleep 3123 >/dev/null 2>&1 & until ! flock -n /run/jms/warm/lock true; do sleep 0.01; done",
    )
    .expect_status(0);
    use_once(&lab, WAY_2);
    let told = on_bastion(&lab, "jmsctl event ls --type alert --json");
    let why = "another session has been making room";
    assert!(told.text().contains(why), "{told}");
    on_bastion(
        &lab,
        &format!(
            "pkill -f '^sleep 3123'; kill -CONT {keeper}; jmsctl asset set web2 --comment thawed"
        ),
    );
    are_gone(&lab);
}

#[test]
fn it_dies_when_the_right_runs_out_that_it_was_used_by() {
    let lab = lab();
    stay(&lab, 600, "");
    on_bastion(
        &lab,
        "jmsctl grant set everyday --valid-until $(date -u -d '+25 seconds' +%Y-%m-%dT%H:%M:%SZ)",
    )
    .expect_status(0);
    use_once(&lab, WAY);
    let _ = client(&lab);
    eventually("it is gone", Duration::from_secs(60), || {
        clients(&lab).is_empty()
    });
    ended_because(&lab, "right-expired");
}

#[test]
fn when_there_are_too_many_the_oldest_that_nobody_uses_goes() {
    let lab = lab();
    for limit in ["warm_per_user = 1", "warm_in_all = 1"] {
        stay(&lab, 600, limit);
        use_once(&lab, WAY);
        let first = client(&lab);
        use_once(&lab, WAY_2);
        assert_ne!(client(&lab), first);
        ended_because(&lab, "limit");
        // One that is in use stays, and who comes then has a connection that does not.
        let used = lasting(&lab, "5201");
        let kept = client(&lab);
        use_once(&lab, WAY_2);
        assert_eq!(client(&lab), kept);
        end(used).expect_status(0);
        on_bastion(&lab, "jmsctl asset set web1 --comment again");
        are_gone(&lab);
    }
}

#[test]
fn session_ls_shows_it_and_it_can_be_ended() {
    let lab = lab();
    stay(&lab, 600, "");
    use_once(&lab, WAY);
    let all = rows(&lab);
    assert_eq!(all.len(), 1, "{all:?}");
    let row = &all[0];
    let expected = [
        ("user", "alice"),
        ("asset", "web1"),
        ("system_user", "dev"),
        ("channel", "kept"),
    ];
    for (field, value) in expected {
        assert_eq!(row[field], value, "{row}");
    }
    let pid = &row["relay_pid"];
    on_bastion(&lab, &format!("[ $(cat /proc/{pid}/comm) = jms-kept ]")).expect_status(0);
    let ends = "jmsctl session ls --past --json";
    let past = on_bastion(&lab, ends).json_lines().expect("rows");
    assert!(!past.iter().any(|it| it["channel"] == "kept"));
    for filter in ["--user bob", "--asset web2", "--system-user root"] {
        let none = on_bastion(&lab, &format!("jmsctl session ls --online --json {filter}"));
        none.expect_stdout("");
    }
    let id = row["id"].as_str().expect("id");
    let shown = on_bastion(&lab, &format!("jmsctl session show {} --json", &id[..8]));
    let shown = shown.expect_status(0).json().expect("a row");
    assert_eq!(
        (&shown["id"], &shown["channel"]),
        (&row["id"], &"kept".into())
    );
    // Looking at it changes nothing.
    let _ = client(&lab);
    let told = format!(
        "python3 -c 'import socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b\"end enough\", \"/run/jms/sessions/{id}\")'"
    );
    on_bastion(&lab, &told).expect_status(0);
    are_gone(&lab);
    ended_because(&lab, "killed");
}

#[test]
fn an_asset_that_takes_no_further_session_on_a_connection_gets_another_connection() {
    let lab = lab();
    lab.web1()
        .run("echo 'MaxSessions 1' >/etc/ssh/sshd_config.d/60-one.conf")
        .expect_status(0);
    lab.web1().reload_sshd();
    stay(&lab, 600, "");
    let first = lasting(&lab, "5301");
    let second = lasting(&lab, "5302");
    use_once(&lab, WAY);
    end(first).expect_status(0);
    end(second).expect_status(0);
    lab.web1()
        .run("rm /etc/ssh/sshd_config.d/60-one.conf")
        .expect_status(0);
    lab.web1().reload_sshd();
}

#[test]
fn an_asset_that_has_restarted_is_connected_to_again_and_a_session_on_it_is_lost() {
    let lab = lab();
    stay(&lab, 600, "");
    use_once(&lab, WAY);
    let running = lasting(&lab, "5401");
    let kept = client(&lab);
    let killed = lab.web1().run("pkill -KILL -f '^sshd(-session)?: dev'");
    killed.expect_status(0);
    let lost = running.wait();
    lost.expect_status(255)
        .expect_stderr_contains("connection to it was lost");
    use_once(&lab, WAY);
    assert_ne!(client(&lab), kept);
    ended_because(&lab, "connection-lost");
}

#[test]
fn a_session_that_runs_goes_on_when_the_connection_is_kept_no_more() {
    let lab = lab();
    stay(&lab, 600, "");
    let running = lasting(&lab, "5501");
    let kept = client(&lab);
    on_bastion(&lab, "jmsctl asset set web2 --comment unrelated");
    use_once(&lab, WAY);
    assert_eq!(clients(&lab).len(), 2, "the first takes nobody any more");
    end(running).expect_status(0);
    eventually("it goes with its session", SOON, || {
        (!clients(&lab).iter().any(|it| it.pid == kept)).then_some(())
    });
}

#[test]
fn who_gives_up_waiting_for_a_silent_asset_ends_nobody_elses_session() {
    let lab = lab();
    stay(&lab, 600, "");
    let mut running = lasting(&lab, "5701");
    let kept = client(&lab);
    let asset = |signal: &str| {
        let signalled = format!("pkill -{signal} -f '^sshd(-session)?: dev'");
        drop(lab.web1().run(&signalled).expect_status(0));
    };
    asset("STOP");
    let mut impatient = lab.client().command("ssh", [WAY, "sleep 5702"]).spawn();
    // Longer than a later session waits for its channel before it says that the connection does not answer.
    std::thread::sleep(Duration::from_secs(8));
    impatient.kill();
    let waits = || {
        rows(&lab)
            .iter()
            .any(|row| row["request"].to_string().contains("5702"))
    };
    assert!(
        waits(),
        "it is a session until it is known what becomes of it"
    );
    asset("CONT");
    eventually("it is over", SOON, || !waits());
    let past = on_bastion(&lab, "jmsctl session ls --past --json");
    let past = past.json_lines().expect("rows");
    let row = past.iter().find(|row| row["request"] == "sleep 5702");
    let row = row.expect("its row");
    assert_eq!(row["end_reason"], "client-gone");
    assert!(row["recording_hash"].is_string(), "{row}");
    // The first has lost nothing.
    assert_eq!(clients(&lab).iter().filter(|it| it.pid == kept).count(), 1);
    running.close_input();
    running.wait().expect_status(0);
    are_gone(&lab);
}

#[test]
fn none_stays_where_the_asset_takes_few_sessions() {
    let lab = lab();
    stay(&lab, 600, "");
    on_bastion(&lab, "jmsctl asset set web1 --limit-sessions 5").expect_status(0);
    use_once(&lab, WAY);
    assert_eq!(clients(&lab).len(), 0);
    on_bastion(&lab, "jmsctl asset set web1 --limit-sessions none").expect_status(0);
}

#[test]
fn a_keeper_that_answers_late_ends_nobodys_session() {
    let lab = lab();
    stay(&lab, 600, "");
    let running = lasting(&lab, "5801");
    let (keeper, kept) = (
        on_bastion(&lab, "pgrep -x jms-kept").line_of_output(),
        client(&lab),
    );
    on_bastion(&lab, &format!("kill -STOP {keeper}")).expect_status(0);
    // It has a connection of its own.
    use_once(&lab, WAY);
    on_bastion(&lab, &format!("kill -CONT {keeper}")).expect_status(0);
    // It has heard by now what was said to it meanwhile.
    use_once(&lab, WAY);
    assert!(clients(&lab).iter().any(|it| it.pid == kept));
    end(running).expect_status(0);
}

#[test]
fn whoever_is_killed_leaves_no_orphan() {
    let lab = lab();
    stay(&lab, 600, "");
    for round in 0..3 {
        let running = lasting(&lab, "5601");
        let live = rows(&lab);
        let of = |channel: &str| {
            let row = live.iter().find(|row| row["channel"] == channel);
            row.map(|row| row["relay_pid"].to_string()).expect("row")
        };
        let victim = match round {
            0 => of("kept"),
            1 => client(&lab).to_string(),
            _ => of("exec"),
        };
        on_bastion(&lab, &format!("kill -KILL {victim}")).expect_status(0);
        let outcome = running.wait();
        assert!(!outcome.succeeded());
        if round == 2 {
            // The session died, the connection serves the next one.
            use_once(&lab, WAY);
            on_bastion(&lab, "pkill -KILL jms-kept");
        }
        eventually("no client is left", SOON, || clients(&lab).is_empty());
        // What has a name is swept by whoever comes next.
        stay(&lab, 0, "");
        use_once(&lab, WAY);
        are_gone(&lab);
        stay(&lab, 600, "");
    }
}

#[test]
fn it_ends_when_the_bastions_programs_or_settings_are_changed() {
    let lab = lab();
    for change in [
        "touch /etc/jms/jms.toml",
        "cp -a /usr/libexec/jms/force-command /usr/libexec/jms/new; mv /usr/libexec/jms/new /usr/libexec/jms/force-command",
    ] {
        stay(&lab, 600, "");
        use_once(&lab, WAY);
        on_bastion(&lab, change).expect_status(0);
        are_gone(&lab);
        ended_because(&lab, "bastion-changed");
    }
}
