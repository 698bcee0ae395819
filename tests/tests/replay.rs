//! Recordings on a terminal over ssh: an auditor's look at anybody's, a user's at his own.

use std::time::Duration;

use tests::{Lab, Terminal, eventually};

const SLOWLY: &str = "--speed 0.01 --at 1";

/// alice ran something that says three words, two seconds apart; the session's id. dave is an auditor.
fn recorded(lab: &Lab) -> String {
    let key = lab.client_of("dave").public_key().expect("a key");
    lab.bastion()
        .command([
            "jmsctl", "user", "add", "dave", "--role", "auditor", "--key", "-",
        ])
        .input(key)
        .run()
        .expect_status(0);
    lab.client()
        .ssh_on_terminal([
            "-t",
            "alice@dev@web1@bastion",
            "echo al''pha; sleep 2; echo ome''ga; sleep 2; echo fi''nal",
        ])
        .wait()
        .expect_status(0);
    let sessions = lab.bastion().run("jmsctl session ls --json");
    let session = sessions.json_lines().expect("sessions").remove(0);
    session["id"].as_str().expect("an id").to_owned()
}

fn dave(lab: &Lab, command: &str) -> Terminal {
    lab.client_of("dave")
        .ssh_on_terminal(["-t", "bastion", command])
}

#[test]
fn an_auditor_plays_a_recording_over_ssh_with_keys() {
    let lab = Lab::everyday();
    let id = recorded(&lab);
    let slowly = format!("jmsctl session replay {id} {SLOWLY}");

    // What was before the first second is there at once; the rest would take minutes. A step shows the next piece.
    let mut screen = dave(&lab, &slowly);
    screen.expect("alpha");
    screen.send(".");
    screen.expect("omega");
    // Paused by the step; on again, and a thousand times faster.
    screen.send(" ++++++++++");
    screen.expect("final");
    screen.wait().expect_status(0);

    // Five seconds on is past the end.
    let mut screen = dave(&lab, &slowly);
    screen.expect("alpha");
    screen.send("\u{1b}[C");
    screen.expect("final");
    screen.wait().expect_status(0);

    // To the beginning, paused, one step; and enough of it.
    let mut screen = dave(&lab, &slowly);
    screen.expect("alpha");
    screen.send(" 0.");
    screen.expect("alpha");
    screen.send("q");
    let shown = screen.wait().expect_status(0).text();
    assert!(!shown.contains("omega"), "{shown}");

    // Long pauses are cut short by a key as well as by the flag.
    let at_speed = format!("jmsctl session replay {id} --speed 0.1 --idle 0.01 --at 1");
    let mut screen = dave(&lab, &at_speed);
    screen.expect("final");
    screen.wait().expect_status(0);

    let looks = lab
        .bastion()
        .run("jmsctl event ls --type evidence.read --json")
        .json_lines()
        .expect("events");
    assert_eq!(looks.len(), 4);
    for look in looks {
        assert_eq!(
            (&look["actor"], &look["session"]),
            (&"dave".into(), &id.as_str().into())
        );
    }
}

#[test]
fn without_a_terminal_a_replay_is_plain_and_waits_for_nothing() {
    let lab = Lab::everyday();
    let id = recorded(&lab);
    let line = format!("jmsctl session replay {id} --speed 0.01");
    let played = lab
        .client_of("dave")
        .ssh(["bastion", &line])
        .expect_status(0);
    let text = played.text();
    for word in ["alpha", "omega", "final"] {
        assert!(text.contains(word), "no {word} in {text:?}");
    }
    assert!(!text.contains('\u{1b}'), "{text:?}");
    // Somebody else's recording is nobody's but auditors' and administrators'.
    let refused = lab.client().ssh(["alice@bastion", &line]);
    refused.expect_status(4).expect_stdout("");
}

#[test]
fn who_is_disabled_while_he_looks_sees_no_more() {
    let lab = Lab::everyday();
    let id = recorded(&lab);
    let mut screen = dave(&lab, &format!("jmsctl session replay {id} {SLOWLY}"));
    screen.expect("alpha");
    screen.send(" ");
    let mut follower = dave(&lab, "jmsctl event ls --follow");
    follower.expect("evidence.read");
    lab.bastion()
        .run("jmsctl user disable dave")
        .expect_status(0);
    for mut terminal in [screen, follower] {
        eventually("it ends", Duration::from_secs(10), || {
            !terminal.is_running()
        });
        let shown = terminal.wait().expect_status(4).text();
        assert!(!shown.contains("omega"), "{shown}");
    }
}

#[test]
fn a_user_plays_his_own_session_with_keys_where_he_may() {
    let lab = Lab::everyday();
    let id = recorded(&lab);
    lab.bastion().write(
        "/etc/jms/jms.toml",
        "[recording]\nusers_may_replay = true\n",
    );
    let replay = format!("session replay {id}");
    let alice = || {
        lab.client()
            .ssh_on_terminal(["-t", "alice@bastion", &replay])
    };
    let mut screen = alice();
    screen.expect("alpha");
    screen.send("-------");
    screen.send(".");
    screen.expect("omega");
    screen.send("0");
    screen.send(".");
    screen.expect("alpha");
    screen.send("q");
    screen.wait().expect_status(0);

    let mut screen = alice();
    screen.expect("alpha");
    screen.send("\u{1b}[C");
    screen.expect("final");
    screen.wait().expect_status(0);
}
