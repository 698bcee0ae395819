//! Signals to the session program in every phase: before the decision, while connecting, in the session, while the recording
//! is sealed. Whatever comes when, nothing of the session is left, and its row is closed, by itself or by whoever looks next.

use std::time::Duration;

use tests::live::{Live, nothing_is_left};
use tests::shared_login::{SharedLogin, control_sockets, hold_the_store};
use tests::{Lab, eventually};

const WAY: &str = "alice@dev@web1@bastion";
const SOON: Duration = Duration::from_secs(30);
const SIGNALS: [&str; 4] = ["HUP", "INT", "TERM", "KILL"];

fn kill(lab: &Lab, signal: &str, pid: impl std::fmt::Display) {
    lab.bastion()
        .run(format!("kill -{signal} {pid}"))
        .expect_status(0);
}

/// Whoever looks next finds what a killed process has left, and the bastion goes on.
fn the_next_session_cleans_up(lab: &Lab) {
    lab.client()
        .ssh([WAY, "id -un"])
        .expect_status(0)
        .expect_stdout("dev\n");
    nothing_is_left(lab);
}

#[test]
fn before_the_decision() {
    let lab = Lab::everyday().without_kept_connections();
    let login = SharedLogin::open(&lab, WAY);
    for signal in SIGNALS {
        let mut other = login.session(&lab, "echo in; cat");
        eventually("another session is in", SOON, || {
            other.stdout_so_far() == "in\n"
        });
        let before = lab.bastion().run("pgrep -x force-command").text();
        let holder = hold_the_store(lab.bastion());
        let asking = login.session(&lab, "sleep 1000; : 4741001");
        eventually("it stands at the door", SOON, || {
            control_sockets(lab.bastion()) == 2
        });
        let now = lab.bastion().run("pgrep -x force-command").text();
        let asks: Vec<&str> = now
            .lines()
            .filter(|pid| !before.lines().any(|it| it == *pid))
            .collect();
        assert_eq!(asks.len(), 1, "{before} {now}");
        kill(&lab, signal, asks[0]);
        drop(holder);
        let outcome = asking.wait();
        assert!(!outcome.succeeded(), "{signal}: {outcome}");
        assert_eq!(outcome.text(), "", "{signal}");
        other.close_input();
        other.wait().expect_status(0);
        the_next_session_cleans_up(&lab);
    }
}

#[test]
fn while_connecting() {
    let lab = Lab::everyday().without_kept_connections();
    for (number, signal) in SIGNALS.into_iter().enumerate() {
        lab.cut("web1");
        let mark = format!("474200{number}");
        let connecting = lab
            .client()
            .command("ssh", [WAY, &format!("echo {mark}")])
            .spawn();
        let session = Live::find(&lab, &mark);
        kill(&lab, signal, session.relay);
        session.is_gone_within_a_second(&lab);
        let outcome = connecting.wait();
        assert!(!outcome.succeeded(), "{signal}: {outcome}");
        lab.mend("web1");
        the_next_session_cleans_up(&lab);
        session.ended_because(&lab, reason(signal));
    }
}

#[test]
fn in_the_session() {
    let lab = Lab::everyday().without_kept_connections();
    for (number, signal) in SIGNALS.into_iter().enumerate() {
        let mark = format!("474300{number}");
        let command = format!("echo up; sleep 1000; : {mark}");
        let running = lab.client().command("ssh", [WAY, &command]).spawn();
        eventually("it is up", SOON, || running.stdout_so_far() == "up\n");
        let session = Live::find(&lab, &mark);
        kill(&lab, signal, session.relay);
        session.is_gone_within_a_second(&lab);
        let outcome = running.wait();
        match signal {
            "INT" | "TERM" => {
                let sentence = format!("jms: the session was ended by the system (SIG{signal})\n");
                drop(outcome.expect_status(76).expect_stderr(sentence));
            }
            _ => assert!(!outcome.succeeded(), "{signal}: {outcome}"),
        }
        the_next_session_cleans_up(&lab);
        session.ended_because(&lab, reason(signal));
        if signal != "KILL" {
            assert!(session.recording(&lab).contains("up"));
        }
    }
}

#[test]
fn while_the_recording_is_sealed() {
    let lab = Lab::everyday().without_kept_connections();
    for (number, signal) in SIGNALS.into_iter().enumerate() {
        let mark = format!("474400{number}");
        let command = format!("echo up; cat; : {mark}");
        let mut running = lab.client().command("ssh", [WAY, &command]).spawn();
        eventually("it is up", SOON, || running.stdout_so_far() == "up\n");
        let session = Live::find(&lab, &mark);
        // The disk takes three seconds for what it is asked to keep.
        let slow = "inject=fsync,fdatasync:delay_enter=3000000";
        let relay = session.relay.to_string();
        let traced = lab
            .bastion()
            .command(["strace", "-f", "-e", slow, "-p", &relay])
            .spawn();
        eventually("the disk is slow", SOON, || {
            traced.stderr_so_far().contains("attached")
        });
        running.close_input();
        // The client program's folder goes when nothing is left to relay.
        eventually("only the recording is left to do", SOON, || {
            let folders = lab.bastion().run("ls /run/jms/egress").text();
            !folders.contains(&session.id)
        });
        kill(&lab, signal, session.relay);
        let outcome = running.wait();
        drop(traced);
        if signal == "KILL" {
            assert!(!outcome.succeeded(), "{outcome}");
            the_next_session_cleans_up(&lab);
            session.ended_because(&lab, "lost");
            let file = session.file(&lab);
            let text = lab.bastion().run(format!("zstd -qdc {file}")).text();
            assert!(text.contains("up"), "{text}");
        } else {
            // It was over before: the signal changes nothing.
            outcome.expect_status(0);
            session.ended_because(&lab, "exit");
            assert!(session.recording(&lab).contains("up"));
            nothing_is_left(&lab);
        }
    }
}

/// What the row says when the relay got this signal before the end.
fn reason(signal: &str) -> &'static str {
    match signal {
        "HUP" => "client-gone",
        "KILL" => "lost",
        _ => "signalled",
    }
}
