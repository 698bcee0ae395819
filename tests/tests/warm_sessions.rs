//! Sessions over a connection that stays (`[egress] warm_seconds`): decided, filtered and recorded each for itself, whatever
//! the connection was made for; one whose channel is late or that is killed before it is open harms nobody; and which
//! connection goes when there are too many.

use std::sync::{Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use serde_json::Value;
use tests::kept::{client, clients, ended_because, logins, nothing_is_left, processes, stay};
use tests::live::Live;
use tests::{Lab, Outcome, Running, eventually};

const WAY: &str = "alice@dev@web1@bastion";
const SOON: Duration = Duration::from_secs(20);
/// The asset's side of its connections to the bastion.
const THERE: &str = "'^sshd(-session)?: dev'";

/// The hosts of all tests here, one test at a time, with nothing kept and connections that stay.
fn lab() -> MutexGuard<'static, Lab> {
    static LAB: OnceLock<Mutex<Lab>> = OnceLock::new();
    let lab = LAB.get_or_init(|| {
        let lab = Lab::everyday();
        let address = lab.address("web2");
        run(
            &lab,
            &format!(
                "set -e; jmsctl asset add web3 --address {address} --scan >/dev/null
                 jmsctl filter add careful --default allow
                 jmsctl rule add careful --verdict deny --command 'rm -rf'"
            ),
        );
        let key = lab.folder().public_key_of("bob").expect("a key");
        let words = ["jmsctl", "user", "add", "bob", "--key", "-"];
        let added = lab.bastion().command(words).input(format!("{key}\n")).run();
        drop(added.expect_status(0));
        Mutex::new(lab)
    });
    let lab = lab.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let _ = lab.web1().run(format!("pkill -CONT -f {THERE}"));
    stay(&lab, 0, "");
    let _ = lab.bastion().run("jmsctl --yes filter detach careful --user alice; for grant in everyday bobs; do jmsctl --yes grant rm $grant; done");
    for (grant, user) in [("everyday", "alice"), ("bobs", "bob")] {
        run(
            &lab,
            &format!(
                "jmsctl grant add {grant} --user {user} --asset web1,web2,web3 --system-user dev --rights shell,exec,upload,download"
            ),
        );
    }
    let _ = ssh(&lab, "true");
    nothing_is_left(&lab);
    stay(&lab, 600, "");
    lab
}

#[track_caller]
fn run(lab: &Lab, script: &str) {
    drop(lab.bastion().run(script).expect_status(0));
}

fn ssh(lab: &Lab, command: &str) -> Outcome {
    lab.client().ssh([WAY, command])
}

/// Says one word at the asset; its connection stays.
#[track_caller]
fn use_once(lab: &Lab, user: &str, asset: &str) {
    let way = format!("{user}@dev@{asset}@bastion");
    let said = lab.client_of(user).ssh([way.as_str(), "echo used"]);
    drop(said.expect_stdout("used\n").expect_status(0));
}

/// A command at web1 that has not ended until its input does.
#[track_caller]
fn lasting(lab: &Lab) -> Running {
    let command = "echo up; cat; echo down";
    let running = lab.client().command("ssh", [WAY, command]).spawn();
    eventually("it is up", SOON, || running.stdout_so_far() == "up\n");
    running
}

/// Reads the line that it sends.
#[track_caller]
fn answers(running: &mut Running, word: &str) {
    running.write(format!("{word}\n"));
    eventually("it answers", SOON, || {
        running.stdout_so_far().contains(word)
    });
}

fn past(lab: &Lab) -> Vec<Value> {
    let listed = lab.bastion().run("jmsctl session ls --past --json");
    listed.json_lines().expect("rows")
}

/// The asset says nothing any more on the connections that it has, until it goes on.
#[track_caller]
fn freeze(lab: &Lab) {
    drop(
        lab.web1()
            .run(format!("pkill -STOP -f {THERE}"))
            .expect_status(0),
    );
}

#[track_caller]
fn thaw(lab: &Lab) {
    drop(
        lab.web1()
            .run(format!("pkill -CONT -f {THERE}"))
            .expect_status(0),
    );
}

/// The relay of the session that comes beside `others`, once its channel was asked for: the client has taken its three
/// descriptors. (`jmsctl` would tell sessions to look at the policy again.)
#[track_caller]
fn asking(lab: &Lab, others: &str, before: usize, client: u32) -> String {
    let relay = eventually("it has begun", SOON, || {
        let all = relays(lab);
        let new = all.lines().find(|pid| !others.lines().any(|it| it == *pid));
        new.map(str::to_owned)
    });
    eventually("its channel was asked for", SOON, || {
        descriptors(lab, client) >= before + 4
    });
    relay
}

fn relays(lab: &Lab) -> String {
    lab.bastion().run("pgrep -x force-command").text()
}

fn descriptors(lab: &Lab, pid: u32) -> usize {
    let listed = lab.bastion().run(format!("ls /proc/{pid}/fd | wc -l"));
    listed.line_of_output().parse().unwrap_or_default()
}

#[test]
fn a_session_whose_channel_opens_late_waits_and_ends_none_of_those_that_run() {
    let lab = lab();
    let mut first = lasting(&lab);
    let kept = client(&lab);
    let before = descriptors(&lab, kept);
    freeze(&lab);
    let others = relays(&lab);
    let late = lab.client().command("ssh", [WAY, "echo late"]).spawn();
    let _ = asking(&lab, &others, before, kept);
    // Longer than a session waits before it asks whether it is alone.
    std::thread::sleep(Duration::from_secs(8));
    let (mut first_runs, mut late) = (first.is_running(), late);
    assert!(first_runs && late.is_running(), "{}", late.stderr_so_far());
    assert_eq!(client(&lab), kept);
    thaw(&lab);
    drop(late.wait().expect_status(0).expect_stdout("late\n"));
    answers(&mut first, "goes on");
    first_runs = first.is_running();
    assert!(first_runs);
    // Nobody new comes onto a connection that did not answer.
    use_once(&lab, "alice", "web1");
    assert_eq!(clients(&lab).len(), 2);
    first.close_input();
    let ended = first.wait().expect_status(0);
    drop(ended.expect_stdout("up\ngoes on\ndown\n"));
    eventually("it ends with its last session", SOON, || {
        !clients(&lab).contains(&kept)
    });
    ended_because(&lab, "connection-lost");
}

#[test]
fn a_connection_that_answers_nobody_is_ended_and_the_session_makes_one_of_its_own() {
    let lab = lab();
    use_once(&lab, "alice", "web1");
    let kept = client(&lab);
    freeze(&lab);
    drop(
        ssh(&lab, "echo anew")
            .expect_status(0)
            .expect_stdout("anew\n")
            .expect_stderr(""),
    );
    assert_ne!(client(&lab), kept);
    thaw(&lab);
}

#[test]
fn of_a_session_that_is_killed_before_its_channel_is_open_nothing_runs_on_the_asset() {
    let lab = lab();
    use_once(&lab, "alice", "web1");
    let kept = client(&lab);
    let before = descriptors(&lab, kept);
    freeze(&lab);
    let mark = "/tmp/unrecorded";
    let command = format!("touch {mark}");
    let others = relays(&lab);
    let pending = lab.client().command("ssh", [WAY, &command]).spawn();
    let relay = asking(&lab, &others, before, kept);
    run(&lab, &format!("kill -KILL {relay}"));
    assert!(!pending.wait().succeeded());
    eventually("its connection has ended", SOON, || {
        processes(&lab) == (0, 0)
    });
    thaw(&lab);
    // All that was sent on it has been read when its end is.
    eventually("the asset knows", SOON, || {
        let there = lab.web1().run(format!("pgrep -f {THERE}"));
        there.text().is_empty()
    });
    assert!(!lab.web1().has(mark));
    ended_because(&lab, "session-abandoned");
    use_once(&lab, "alice", "web1");
    nothing_but_the_kept(&lab);
}

#[test]
fn nor_where_the_keeper_is_frozen_when_it_is_killed() {
    let lab = lab();
    use_once(&lab, "alice", "web1");
    let kept = client(&lab);
    let keeper = lab.bastion().run("pgrep -x jms-kept").line_of_output();
    let before = descriptors(&lab, kept);
    freeze(&lab);
    let mark = "/tmp/unwatched";
    let others = relays(&lab);
    let pending = lab
        .client()
        .command("ssh", [WAY, &format!("touch {mark}")])
        .spawn();
    let relay = asking(&lab, &others, before, kept);
    run(&lab, &format!("kill -STOP {keeper}"));
    run(&lab, &format!("kill -KILL {relay}"));
    assert!(!pending.wait().succeeded());
    eventually("its client has ended without it", SOON, || {
        let state = lab.bastion().run(format!("ps -o state= -p {kept}")).text();
        state.trim() == "Z"
    });
    thaw(&lab);
    eventually("the asset knows", SOON, || {
        let there = lab.web1().run(format!("pgrep -f {THERE}"));
        there.text().is_empty()
    });
    assert!(!lab.web1().has(mark));
    run(&lab, &format!("kill -CONT {keeper}"));
    eventually("nothing is kept", SOON, || processes(&lab) == (0, 0));
    assert!(!lab.web1().has(mark));
    ended_because(&lab, "session-abandoned");
    use_once(&lab, "alice", "web1");
    nothing_but_the_kept(&lab);
}

#[track_caller]
fn nothing_but_the_kept(lab: &Lab) {
    assert_eq!(processes(lab), (1, 1));
    eventually("no session is left", SOON, || {
        lab.bastion()
            .run("pgrep -x force-command; ls -A /run/jms/egress")
            .text()
            .is_empty()
    });
}

#[test]
fn each_session_over_it_is_decided_filtered_and_recorded_for_itself() {
    let lab = lab();
    let before = logins(lab.web1());
    use_once(&lab, "alice", "web1");
    // The connection does not care; the filter does. (A change of the policy ends it, so it is made anew.)
    run(&lab, "jmsctl filter attach careful --user alice");
    use_once(&lab, "alice", "web1");
    let kept = client(&lab);
    assert_eq!(logins(lab.web1()), before + 2);
    drop(
        lab.web1()
            .run("touch /tmp/precious; chown dev /tmp/precious")
            .expect_status(0),
    );
    let denied = ssh(&lab, "rm -rf /tmp/precious").expect_status(126);
    let denied = denied.expect_stdout("");
    assert!(
        denied.error_text().contains("denied by filter careful"),
        "{denied}"
    );
    let mut terminal = lab.client().ssh_on_terminal([WAY]);
    terminal.expect("dev@web1");
    terminal.send_line("rm -rf /tmp/precious");
    terminal.expect("denied by filter careful");
    terminal.send_line("echo seen-$((40 + 2))");
    terminal.expect("seen-42");
    terminal.send_line("exit 9");
    drop(terminal.wait().expect_status(9));
    assert!(lab.web1().has("/tmp/precious"));

    // Its row, its commands, its recording.
    let rows = past(&lab);
    let shell = rows
        .iter()
        .find(|row| row["channel"] == "shell")
        .expect("a row");
    assert_eq!(
        (&shell["end_reason"], &shell["exit_status"]),
        (&"exit".into(), &9.into()),
        "{shell}"
    );
    let id = shell["id"].as_str().expect("an id");
    let replayed = lab.bastion().run(format!("jmsctl session replay {id}"));
    drop(replayed.expect_status(0).expect_stdout_contains("seen-42"));
    let live = Live {
        id: id.to_owned(),
        relay: 0,
        client: 0,
    };
    assert!(live.recording(&lab).contains("seen-42"));
    let commands = lab.bastion().run("jmsctl command ls --json --limit 0");
    let commands = commands.json_lines().expect("commands");
    let of_shell: Vec<(&Value, &Value)> = commands
        .iter()
        .filter(|row| row["session"] == id)
        .map(|row| (&row["line"], &row["action"]))
        .collect();
    assert!(
        of_shell
            .iter()
            .any(|(line, _)| *line == "rm -rf /tmp/precious"),
        "{of_shell:?}"
    );
    let used = lab
        .bastion()
        .run("jmsctl event ls --type connection.used --json");
    assert!(
        used.json_lines()
            .expect("events")
            .iter()
            .any(|it| it["session"] == id)
    );
    // All of it over one login at the asset.
    assert_eq!((client(&lab), logins(lab.web1())), (kept, before + 2));

    // A grant that is withdrawn between two sessions.
    run(&lab, "jmsctl --yes grant rm everyday");
    drop(ssh(&lab, "echo no").expect_status(126).expect_stdout(""));
    eventually("nothing is kept", SOON, || processes(&lab) == (0, 0));
    assert_eq!(logins(lab.web1()), before + 2);
}

#[test]
fn the_limits_of_sessions_count_those_over_one_connection() {
    let lab = lab();
    stay(&lab, 600, "[session]\nlimit_user = 2");
    let mut both = [lasting(&lab), lasting(&lab)];
    assert_eq!(processes(&lab), (1, 1));
    drop(ssh(&lab, "true").expect_status(75));
    for (number, one) in both.iter_mut().enumerate() {
        answers(one, &format!("number {number}"));
    }
    let [first, mut second] = both;
    drop(first);
    // The other is not concerned by the one that was killed.
    answers(&mut second, "still there");
    eventually("its place is free", SOON, || ssh(&lab, "true").succeeded());
    second.close_input();
    drop(second.wait().expect_status(0));
    assert_eq!(processes(&lab), (1, 1));
}

#[test]
fn of_too_many_connections_the_oldest_goes_of_the_user_or_of_all() {
    let lab = lab();
    let made = |user: &str, asset: &str| {
        let before = clients(&lab);
        use_once(&lab, user, asset);
        let after = clients(&lab);
        let new = after.iter().find(|pid| !before.contains(pid));
        *new.unwrap_or_else(|| panic!("{user} {asset}: no new one in {after:?}"))
    };
    let kept = |all: &[u32]| {
        let (mut there, mut all) = (clients(&lab), all.to_vec());
        there.sort_unstable();
        all.sort_unstable();
        assert_eq!(there, all);
    };
    stay(&lab, 600, "warm_per_user = 2");
    let of_bob = made("bob", "web1");
    let (one, two) = (made("alice", "web1"), made("alice", "web2"));
    kept(&[of_bob, one, two]);
    // Her oldest, though bob's is older.
    let three = made("alice", "web3");
    kept(&[of_bob, two, three]);
    ended_because(&lab, "limit");
    let one = made("alice", "web1");
    kept(&[of_bob, three, one]);

    stay(&lab, 600, "warm_in_all = 3");
    eventually("nothing is kept", SOON, || processes(&lab) == (0, 0));
    let of_bob = made("bob", "web1");
    let (one, two) = (made("alice", "web1"), made("alice", "web2"));
    let three = made("alice", "web3");
    kept(&[one, two, three]);
    assert_ne!(of_bob, one);
    // One that is in use is not the oldest to go.
    let used = lasting(&lab);
    let of_bob = made("bob", "web2");
    kept(&[one, three, of_bob]);
    let mut used = used;
    answers(&mut used, "in use");
    used.close_input();
    drop(used.wait().expect_status(0));
}
