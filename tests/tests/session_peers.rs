//! A peer that falls silent: its packets are lost and nobody is told. The other side notices within the time that settings
//! and drop-in promise, or at once when the peer is back and knows of nothing; nothing is left, and the recording is whole.

use std::time::{Duration, Instant};

use tests::live::{Live, nothing_is_left};
use tests::{Lab, Running, Terminal, eventually};

const WAY: &str = "alice@dev@web1@bastion";
const SOON: Duration = Duration::from_secs(20);
/// Fifteen seconds between questions, the fourth finds three without an answer.
const A_MINUTE: Duration = Duration::from_secs(60);
/// For a slow machine to see what has happened.
const SLACK: Duration = Duration::from_secs(8);

/// A command on web1; it has said `up`.
fn running(lab: &Lab, mark: &str, command: &str) -> (Running, Live) {
    let running = lab
        .client()
        .command("ssh", [WAY, &format!("echo up; {command}; : {mark}")])
        .within(A_MINUTE * 4)
        .spawn();
    eventually("it is up", SOON, || {
        running.stdout_so_far().starts_with("up")
    });
    let live = Live::find(lab, mark);
    (running, live)
}

/// The same on a terminal.
fn on_a_terminal(lab: &Lab, mark: &str, command: &str) -> (Terminal, Live) {
    let command = format!("echo up; {command}; : {mark}");
    let client = lab.client().command("ssh", ["-tt", WAY, &command]);
    let mut terminal = client.within(A_MINUTE * 4).on_terminal();
    terminal.expect("up");
    let live = Live::find(lab, mark);
    (terminal, live)
}

/// Relay and client program of all of them are gone before `limit` has passed since `begun`.
#[track_caller]
fn are_gone(lab: &Lab, sessions: &[&Live], begun: Instant, limit: Duration) {
    for session in sessions {
        let left = limit.saturating_sub(begun.elapsed());
        eventually("the session is gone", left, || {
            let (relay, client) = (session.relay, session.client);
            let there = lab.bastion().run(format!(
                "[ -e /proc/{relay}/exe ] || [ -e /proc/{client}/exe ]"
            ));
            !there.succeeded()
        });
    }
}

/// sshd asks its clients, and our client program its asset, every second, and never counts what is unanswered.
fn ask_every_second(lab: &Lab) {
    lab.bastion()
        .run("sed -i -e 's/ClientAliveInterval .*/ClientAliveInterval 1/' -e 's/ClientAliveCountMax .*/ClientAliveCountMax 1000/' /etc/ssh/sshd_config.d/00-jms.conf")
        .expect_status(0);
    lab.bastion().reload_sshd();
    lab.bastion().write(
        "/etc/jms/jms.toml",
        "[egress]\nwarm_seconds = 0\n[session]\nalive_interval = 1\nalive_count_max = 1000\n",
    );
}

#[test]
fn a_client_that_falls_silent_is_noticed_within_two_minutes_with_a_terminal_without_one_and_in_a_flood()
 {
    let lab = Lab::everyday().without_kept_connections();
    let (terminal, first) = on_a_terminal(&lab, "4731001", "sleep 1000");
    let (idle, second) = running(&lab, "4731002", "sleep 1000");
    let (flooded, third) = running(&lab, "4731003", "yes flood");
    let begun = Instant::now();
    lab.cut("client");
    let all = [&first, &second, &third];
    // sshd lets every second turn go by, at worst.
    are_gone(&lab, &all, begun, A_MINUTE * 2 + SLACK);
    assert!(
        begun.elapsed() > A_MINUTE / 2,
        "a short silence ends nothing"
    );
    for session in [&first, &second] {
        session.ended_because(&lab, "client-gone");
    }
    // Who writes into nothing may end by itself before the bastion's sshd is seen to be gone.
    let reason = third.closed(&lab)["end_reason"].clone();
    assert!(
        ["client-gone", "exit"].iter().any(|it| reason == *it),
        "{reason}"
    );
    for session in all {
        assert!(session.recording(&lab).contains("up"));
    }
    drop((terminal, idle, flooded));
    nothing_is_left(&lab);
    // What sleeps there without a terminal is told nothing, as after a plain ssh.
    eventually("the asset has nothing left, too", SOON, || {
        let processes = lab.web1().processes().ok()?;
        let ours = |it: &tests::Process| {
            ["4731001", "4731003"]
                .iter()
                .any(|mark| it.command_line.contains(mark))
        };
        (!processes.iter().any(ours)).then_some(())
    });
}

#[test]
fn an_asset_that_falls_silent_is_noticed_within_a_minute_even_while_the_client_sends() {
    let lab = Lab::everyday().without_kept_connections();
    let (terminal, first) = on_a_terminal(&lab, "4732001", "sleep 1000");
    let (idle, second) = running(&lab, "4732002", "sleep 1000");
    let (mut sending, third) = running(&lab, "4732003", "cat >/dev/null");
    let begun = Instant::now();
    lab.cut("web1");
    sending.write(vec![b'x'; 32 * 1024]);
    let all = [&first, &second, &third];
    are_gone(&lab, &all, begun, A_MINUTE + SLACK);
    assert!(
        begun.elapsed() > A_MINUTE / 2,
        "a short silence ends nothing"
    );
    let sentence = "jms: dev@web1: the connection to it was lost";
    let shown = terminal.wait().expect_status(255);
    assert!(shown.text().contains(sentence), "{shown}");
    for client in [idle, sending] {
        client
            .wait()
            .expect_status(255)
            .expect_stdout("up\n")
            .expect_stderr_contains(sentence);
    }
    for session in all {
        session.ended_because(&lab, "connection-lost");
        assert!(session.recording(&lab).contains("up"));
    }
    nothing_is_left(&lab);
}

#[test]
fn a_peer_that_comes_back_and_knows_of_nothing_ends_the_session_at_the_next_question() {
    let lab = Lab::everyday().without_kept_connections();
    ask_every_second(&lab);
    // The asset restarts, and its last words are lost.
    let (client, session) = running(&lab, "4733001", "sleep 1000");
    lab.cut("web1");
    lab.web1()
        .run("pkill -9 -f 'sshd(-session)?: dev'")
        .expect_status(0);
    lab.mend("web1");
    are_gone(&lab, &[&session], Instant::now(), SOON);
    client
        .wait()
        .expect_status(255)
        .expect_stderr_contains("jms: dev@web1: the connection to it was lost");
    session.ended_because(&lab, "connection-lost");
    assert!(session.recording(&lab).contains("up"));
    // The client's machine restarts.
    for terminal in [true, false] {
        let mark = format!("473300{}", 2 + i32::from(terminal));
        let session = if terminal {
            let (mut client, session) = on_a_terminal(&lab, &mark, "sleep 1000");
            lab.cut("client");
            client.hang_up();
            drop(client);
            session
        } else {
            let (mut client, session) = running(&lab, &mark, "sleep 1000");
            lab.cut("client");
            client.kill();
            drop(client);
            session
        };
        lab.mend("client");
        are_gone(&lab, &[&session], Instant::now(), SOON);
        session.ended_because(&lab, "client-gone");
        assert!(session.recording(&lab).contains("up"));
    }
    nothing_is_left(&lab);
}

#[test]
fn half_a_channel_may_close_and_the_other_half_goes_on() {
    let lab = Lab::everyday().without_kept_connections();
    // The client says no more, and reads on.
    let command = "cat; echo end of input; sleep 0.5; echo still here; : 4734001";
    lab.client()
        .command("ssh", [WAY, command])
        .input("words\n")
        .run()
        .expect_status(0)
        .expect_stdout("words\nend of input\nstill here\n");
    // The asset's command says no more, and reads on: its answer is its status.
    let command = "echo up; exec >&- 2>&-; read word; [ \"$word\" = quince ] && exit 9; : 4734002";
    let mut asset = lab.client().command("ssh", [WAY, command]).spawn();
    eventually("it is up", SOON, || asset.stdout_so_far() == "up\n");
    asset.write("quince\n");
    asset.wait().expect_status(9).expect_stdout("up\n");
    // Nobody reads the client's output any more, and the command learns of it as any program does.
    let command = "trap 'exit 7' PIPE; while :; do echo line || exit 7; done; : 4734003";
    let script = format!("set -o pipefail; \"$0\" {WAY} '{command}' | head -n 3");
    let program = lab.folder().programs().join("ssh");
    let cut_off = tests::Invocation::new("bash")
        .args(["-c", &script])
        .arg(program)
        .variable("LAB_AS", "alice")
        .run();
    assert_eq!(cut_off.text(), "line\nline\nline\n");
    nothing_is_left(&lab);
}

#[test]
fn a_client_program_that_hears_no_signal_is_killed_and_a_command_that_hears_none_holds_nobody() {
    let lab = Lab::everyday().without_kept_connections();
    // Stopped, the client program towards the asset takes neither SIGHUP nor SIGTERM.
    let (mut terminal, session) = on_a_terminal(&lab, "4735001", "sleep 1000");
    let client = session.client;
    lab.bastion()
        .run(format!("kill -STOP {client}"))
        .expect_status(0);
    terminal.hang_up();
    session.is_gone_within_a_second(&lab);
    session.ended_because(&lab, "client-gone");
    // What runs at the asset is the asset's, as after a plain ssh; nothing of it holds the bastion.
    let deaf = "trap '' HUP TERM INT PIPE; while :; do sleep 1; done";
    let (mut terminal, session) = on_a_terminal(&lab, "4735002", deaf);
    terminal.hang_up();
    session.is_gone_within_a_second(&lab);
    session.ended_because(&lab, "client-gone");
    let (mut piped, session) = running(&lab, "4735003", deaf);
    piped.kill();
    session.is_gone_within_a_second(&lab);
    session.ended_because(&lab, "client-gone");
    nothing_is_left(&lab);
}
