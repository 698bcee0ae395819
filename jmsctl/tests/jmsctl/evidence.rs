//! Logins, sessions, recordings, events: written as the other programs write them, read by `jmsctl`.

use crate::bastion::{Bastion, keys, text};
use crate::terminal::Terminal;
use jms::id::Id;
use jms::nouns::User;
use jms::paths::Paths;
use jms::policy::{Channel, access};
use jms::process;
use jms::recording::{Header, Recorder, path_of};
use jms::store::{EndOfSession, NewLogin, NewSession, Store};
use jms::time::Time;
use std::time::Duration;

/// What the recorded session printed: a title that types, a clipboard, a colour, and words.
const OUTPUT: &str =
    "\u{1b}]0;owned\u{7}\u{1b}]52;c;cm0gLXJm\u{7}\u{1b}[31mred\u{1b}[0m the secret word\r\n";

/// A bastion with one session.
pub struct Evidence {
    /// The bastion.
    pub bastion: Bastion,
    /// The login's id.
    pub login: String,
    /// The session's id.
    pub session: String,
}

/// alice was on web1 as dev, and it was recorded; `killed`: until somebody killed the relay.
pub fn evidence(killed: bool) -> Evidence {
    let bastion = Bastion::new();
    let (_, line) = bastion.key("alice", &["-t", "ed25519", "-N", ""]);
    let added = bastion.run_with(&["user", "add", "alice", "--key", "-"], &line);
    assert!(added.status.success());
    bastion.ok(&["asset", "add", "web1", "--address", "192.0.2.1"]);
    bastion.ok(&["system-user", "add", "dev", "--generate", "ed25519"]);
    bastion.ok(&[
        "grant",
        "add",
        "g",
        "--user",
        "alice",
        "--asset",
        "web1",
        "--system-user",
        "dev",
        "--rights",
        "shell",
    ]);
    let (login, session) = bastion.inside(move || write(killed));
    bastion.sh("chown -R jms:jms /var/lib/jms/recordings; chown jms:jms /var/lib/jms/jms.db*");
    Evidence {
        bastion,
        login,
        session,
    }
}

fn write(killed: bool) -> (String, String) {
    let paths = Paths::system();
    let mut store = Store::open(&paths).unwrap();
    let now = Time::now();
    let user: User = store.read().user("alice").unwrap();
    let myself = process::myself().unwrap();
    let key = store.read().login_keys(Some("alice")).unwrap().remove(0);
    let opened = store
        .open_login(
            &NewLogin {
                user: &user,
                login_name: "alice@dev@web1",
                source: "192.0.2.77",
                source_port: Some(40_000),
                key_type: "ssh-ed25519",
                fingerprint: &key.fingerprint,
                factors: "publickey",
                factor_at: None,
                sshd: myself,
            },
            now,
        )
        .unwrap();
    let login = store.read().login_by_token(&opened.token).unwrap().unwrap();
    let id = Id::random().unwrap();
    let recordings = paths.recordings();
    let file = path_of(&recordings, &id, now);
    let below = file
        .strip_prefix(&recordings)
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    let target = store.read().targets(&user, now).unwrap();
    let target = (target[0].asset_id, target[0].system_user_id);
    let new = NewSession {
        id: &id,
        login: &login,
        user: &user,
        target,
        channel: Channel::Shell,
        terminal: true,
        request: "echo '\u{1b}[2J'",
        recording: &below,
        relay: if killed {
            a_process_that_is_gone()
        } else {
            myself
        },
        limits: access::Counts::default(),
    };
    assert!(store.open_session(&new, now).unwrap().decision.allow);
    let header = Header {
        started_at: now,
        width: 80,
        height: 24,
        term: Some("xterm".into()),
        title: None,
        command: None,
        meta: std::collections::BTreeMap::new(),
    };
    let mut recorder = Recorder::create(&recordings, &id, &header).unwrap();
    recorder
        .output(Duration::from_millis(100), OUTPUT.as_bytes())
        .unwrap();
    recorder
        .output(Duration::from_millis(400), b"the end\r\n")
        .unwrap();
    if killed {
        recorder.flush().unwrap();
        // As kill -9 leaves it: nothing is ended, nothing is closed.
        std::mem::forget(recorder);
        return (login.id, id.to_string());
    }
    let finished = recorder.finish().unwrap();
    let end = EndOfSession {
        reason: "exit",
        exit_status: Some(0),
        bytes_in: 3,
        bytes_out: 99,
        recording_size: Some(finished.bytes),
        recording_hash: Some(&finished.last_hash.to_string()),
        bytes_not_recorded: Some(0),
    };
    store.close_session(&id, &login, &end, now).unwrap();
    (login.id, id.to_string())
}

fn a_process_that_is_gone() -> process::Process {
    let mut child = std::process::Command::new("true").spawn().unwrap();
    let pid = i32::try_from(child.id()).unwrap();
    child.wait().unwrap();
    process::Process { pid, started: 1 }
}

#[test]
fn logins_and_sessions_are_listed_and_shown() {
    let Evidence {
        bastion,
        login,
        session,
    } = evidence(false);
    bastion.ok(&["user-group", "add", "team", "--user", "alice"]);
    bastion.ok(&["user-group", "add", "nobody"]);
    bastion.ok(&["asset-group", "add", "/prod/web", "--asset", "web1"]);
    bastion.ok(&["site", "add", "south"]);
    for (words, found) in [
        (
            &[
                "session",
                "ls",
                "--user-group",
                "team",
                "--asset-group",
                "/prod",
            ][..],
            1,
        ),
        (&["session", "ls", "--user-group", "nobody"], 0),
        (&["session", "ls", "--site", "south"], 0),
        (&["session", "ls", "--site", "south", "--asset", "w*"], 1),
        (&["login", "ls", "--user-group", "team"], 1),
        (&["login", "ls", "--user-group", "nobody"], 0),
    ] {
        assert_eq!(bastion.json(words).len(), found, "{words:?}");
    }
    bastion.fails(3, &["session", "ls", "--user-group", "taem"]);
    let listed = bastion.json(&["session", "ls"]);
    assert_eq!(
        keys(&listed[0]),
        [
            "id",
            "login",
            "user",
            "asset",
            "address",
            "port",
            "system_user",
            "account",
            "channel",
            "terminal",
            "request",
            "grants",
            "relay_pid",
            "started_at",
            "ended_at",
            "end_reason",
            "exit_status",
            "bytes_in",
            "bytes_out",
            "recording",
            "recording_size",
            "recording_hash",
            "bytes_not_recorded",
            "held",
        ]
    );
    assert_eq!(
        (
            &listed[0]["user"],
            &listed[0]["asset"],
            &listed[0]["exit_status"]
        ),
        (&"alice".into(), &"web1".into(), &0.into())
    );
    let count = |arguments: &[&str]| bastion.json(arguments).len();
    assert_eq!(
        count(&[
            "session", "ls", "--past", "--user", "a*", "--asset", "web1,db1"
        ]),
        1
    );
    assert_eq!(count(&["session", "ls", "--online"]), 0);
    assert_eq!(count(&["session", "ls", "--system-user", "dba"]), 0);
    assert_eq!(count(&["session", "ls", "--since", "1h"]), 1);
    assert_eq!(count(&["session", "ls", "--until", "1h"]), 0);
    assert_eq!(
        bastion.json(&["session", "show", &session[..8]])[0]["id"],
        session
    );
    assert!(!bastion.ok(&["session", "ls"]).contains('\u{1b}'));
    bastion.fails(2, &["session", "show", "abc"]);
    bastion.fails(3, &["session", "show", "zzzzzz"]);
    bastion.fails(2, &["session", "ls", "--online", "--past"]);

    let logins = bastion.json(&["login", "ls", "--user", "alice"]);
    assert_eq!(
        keys(&logins[0]),
        [
            "id",
            "user",
            "uid",
            "login_name",
            "source",
            "source_port",
            "key_type",
            "key",
            "factors",
            "factor_at",
            "sshd_pid",
            "opened_at",
            "closed_at",
            "close_reason",
        ]
    );
    let shown = &bastion.json(&["login", "show", &login])[0];
    assert_eq!(shown["sessions"][0]["id"], session);
    assert!(bastion.ok(&["login", "show", &login]).contains(&session));
}

#[test]
fn from_a_name_to_what_was_done_in_three_commands() {
    let Evidence {
        bastion,
        login,
        session,
    } = evidence(false);
    // Written by whoever takes commands and transfers apart; hostile text, as all that users type.
    bastion.sh(&format!(
        r#"python3 - <<'END'
import sqlite3
store = sqlite3.connect('/var/lib/jms/jms.db')
store.execute("INSERT INTO command (session_id, run_at, line, captured, verdict, action, recorded_at) VALUES ('{session}', 1800000000000, 'rm -rf /srv/\x1b[2J', 'exact', 'allow', 'accept', 400)")
store.execute("INSERT INTO transfer (session_id, begun_at, operation, path, size, verdict, result) VALUES ('{session}', 1800000000001, 'upload', '/tmp/tool', 4711, 'allow', 'done')")
store.commit()
END
chown jms:jms /var/lib/jms/jms.db*"#
    ));
    // One: his logins.
    let logins = bastion.json(&["login", "ls", "--user", "alice"]);
    assert_eq!(logins[0]["id"], login);
    // Two: what he did in one of them.
    let shown = &bastion.json(&["login", "show", &login[..8]])[0];
    assert_eq!(shown["sessions"][0]["id"], session);
    assert_eq!(shown["events"][0]["type"], "login.open");
    // Three: the session, with all of its parts.
    let shown = &bastion.json(&["session", "show", &session[..8]])[0];
    assert_eq!(
        keys(&shown["commands"][0]),
        [
            "id",
            "time",
            "session",
            "user",
            "asset",
            "system_user",
            "line",
            "cut",
            "captured",
            "verdict",
            "action",
            "filter",
            "rule",
            "at"
        ]
    );
    assert_eq!(shown["commands"][0]["at"], 400);
    assert_eq!(
        keys(&shown["transfers"][0]),
        [
            "begun_at",
            "ended_at",
            "operation",
            "path",
            "other_path",
            "size",
            "sha256",
            "verdict",
            "result"
        ]
    );
    let types: Vec<&str> = shown["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    assert_eq!(types, ["session.open", "session.close"]);
    // Who looks at what was typed leaves an event, as with a recording.
    let looks = bastion.json(&["event", "ls", "--type", "evidence.read"]);
    assert_eq!(
        (looks.len(), &looks[0]["evidence"]),
        (1, &"commands".into())
    );
    // And who looked at it since.
    bastion.ok(&["session", "replay", &session]);
    let text = bastion.ok(&["session", "show", &session]);
    for part in [
        "commands:",
        "rm -rf /srv/",
        "transfers:",
        "/tmp/tool",
        "events:",
        "evidence.read",
    ] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[test]
fn a_replay_is_harmless_and_leaves_its_event() {
    let Evidence {
        bastion, session, ..
    } = evidence(false);
    let shown = bastion.ok(&["session", "replay", &session]);
    assert_eq!(
        shown,
        "\u{1b}[31mred\u{1b}[0m the secret word\r\nthe end\r\n"
    );
    assert!(!shown.contains("owned") && !shown.contains("cm0gLXJm"));
    assert!(
        bastion
            .ok(&["session", "replay", &session, "--raw"])
            .starts_with(OUTPUT)
    );
    assert_eq!(
        bastion.ok(&["session", "replay", &session, "--at", "0.3"]),
        "the end\r\n"
    );
    // Where a command was accepted: after 0.4 seconds.
    bastion.sh(&format!(
        r#"python3 - <<'END'
import sqlite3
store = sqlite3.connect('/var/lib/jms/jms.db')
store.execute("INSERT INTO command (session_id, run_at, line, captured, verdict, action, recorded_at) VALUES ('{session}', 1800000000000, 'echo the end', 'exact', 'allow', 'accept', 400)")
store.commit()
END
chown jms:jms /var/lib/jms/jms.db*"#
    ));
    let number =
        bastion.json(&["session", "show", &session]).remove(0)["commands"][0]["id"].to_string();
    assert_eq!(
        bastion.ok(&["session", "replay", &session, "--command", &number]),
        "the end\r\n"
    );
    let shown = bastion.json(&["command", "show", &number]).remove(0);
    assert_eq!(
        shown["replay"],
        format!("jmsctl session replay {session} --command {number}")
    );
    let events = bastion.json(&["event", "ls", "--type", "evidence.read"]);
    assert_eq!(events.len(), 6);
    assert_eq!(
        (&events[0]["session"], &events[0]["actor"]),
        (&session.as_str().into(), &"root".into())
    );
    assert_eq!(events[1]["raw"], true);

    // No event, no replay.
    bastion.sh("cd /var/lib/jms; mount --bind jms.db jms.db; mount -o remount,bind,ro jms.db");
    let output = bastion.run(&["session", "replay", &session]);
    assert_ne!(output.status.code(), Some(0));
    assert_eq!(text(&output.stdout), "");
}

#[test]
fn on_a_terminal_keys_step_seek_and_quit() {
    let Evidence {
        bastion, session, ..
    } = evidence(false);
    let slowly = ["session", "replay", &session, "--speed", "0.01"];
    let mut terminal = Terminal::start(&bastion, &slowly);
    terminal.expect_quiet();
    terminal.type_keys(".");
    terminal.expect("the secret word");
    assert!(!terminal.shown().contains("the end"));
    terminal.type_keys(".");
    terminal.expect("the end");
    terminal.type_keys("q");
    assert!(terminal.wait().success(), "{}", terminal.shown());
    assert!(terminal.echoes(), "the terminal is not as it was");
    assert!(!terminal.shown().contains("owned"));

    // Five seconds on is past the end.
    let mut terminal = Terminal::start(&bastion, &slowly);
    terminal.expect_quiet();
    terminal.type_keys("\u{1b}[C");
    terminal.expect("the end");
    assert!(terminal.wait().success(), "{}", terminal.shown());

    // Paused, nothing moves; the interrupt ends it and puts the terminal back.
    let mut terminal =
        Terminal::start(&bastion, &["session", "replay", &session, "--speed", "0.5"]);
    terminal.expect_quiet();
    terminal.type_keys(" ");
    std::thread::sleep(Duration::from_millis(1500));
    assert!(!terminal.shown().contains("the end"));
    terminal.type_keys("\u{3}");
    assert!(terminal.wait().success(), "{}", terminal.shown());
    assert!(terminal.echoes());
}

#[test]
fn a_recording_that_was_changed_is_told() {
    let Evidence {
        bastion, session, ..
    } = evidence(false);
    let file = format!(
        "/var/lib/jms/recordings/{}",
        bastion.json(&["session", "show", &session])[0]["recording"]
            .as_str()
            .unwrap()
    );

    // Cut behind its first frame: it plays, and the hash that the store knows is missing.
    bastion.sh(&format!(
        "cp -p {file} {file}.whole; truncate -s -10 {file}"
    ));
    let output = bastion.run(&["session", "replay", &session]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(text(&output.stdout).contains("the secret word"));
    assert!(
        said.contains("has no end") && said.contains("NOT WHAT WAS RECORDED"),
        "{said}"
    );

    bastion.sh(&format!("rm {file}"));
    let said = bastion.fails(1, &["session", "replay", &session]);
    assert!(said.contains(".cast.zst"), "{said}");
    bastion.sh(&format!("ln -s /etc/passwd {file}"));
    bastion.fails(1, &["session", "replay", &session]);
}

#[test]
fn a_session_that_was_killed_plays_and_is_no_failure() {
    let Evidence {
        bastion, session, ..
    } = evidence(true);
    let shown = &bastion.json(&["session", "show", &session])[0];
    assert_eq!(shown["end_reason"], "lost");
    assert!(shown["ended_at"].is_string());
    let output = bastion.run(&["session", "replay", &session]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        said.contains("has no end") && text(&output.stdout).contains("the end"),
        "{said}"
    );
}

#[test]
fn events_are_listed_and_followed() {
    let bastion = Bastion::new();
    bastion.ok(&["user", "add", "alice"]);
    let events = bastion.json(&["event", "ls"]);
    assert_eq!(
        (&events[0]["seq"], &events[0]["type"], &events[0]["sent"]),
        (&1.into(), &"policy.change".into(), &false.into())
    );
    assert!(events[0].get("who").is_none());
    assert_eq!(bastion.json(&["event", "ls", "--type", "policy"]).len(), 1);
    assert_eq!(bastion.json(&["event", "ls", "--type", "login"]).len(), 0);
    assert_eq!(
        bastion
            .json(&["event", "ls", "--actor", "root", "--unsent"])
            .len(),
        1
    );
    assert!(bastion.ok(&["event", "ls"]).contains("add user alice"));
    let said = bastion.fails(2, &["event", "ls", "--type", "policy.chnage"]);
    assert!(said.contains("did you mean policy.change"), "{said}");
    let said = bastion.fails(2, &["event", "ls", "--type", "polciy"]);
    assert!(said.contains("did you mean policy?"), "{said}");

    let (mut follower, mut lines) = followed(&bastion, &["event", "ls", "--follow", "--json"]);
    assert!(lines.next().unwrap().unwrap().contains("\"alice\""));
    bastion.ok(&["user", "add", "bob"]);
    assert!(lines.next().unwrap().unwrap().contains("\"bob\""));
    // Nobody reads any more: it ends by itself, though nothing happens.
    drop(lines);
    let begun = std::time::Instant::now();
    let ended = loop {
        if let Some(status) = follower.try_wait().unwrap() {
            break status;
        }
        assert!(begun.elapsed().as_secs() < 5, "it still waits");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(ended.code(), Some(0));
}

type Lines = std::io::Lines<std::io::BufReader<std::process::ChildStdout>>;

/// A command that goes on, and what it prints.
fn followed(bastion: &Bastion, arguments: &[&str]) -> (std::process::Child, Lines) {
    let mut follower = bastion
        .jmsctl(arguments)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = std::io::BufReader::new(follower.stdout.take().unwrap());
    (follower, std::io::BufRead::lines(stdout))
}

/// As the PAM helper writes it.
fn refuse(bastion: &Bastion, user: &'static str, reason: &'static str) {
    bastion.inside(move || {
        let mut store = Store::open(&Paths::system()).unwrap();
        let event = event::Event::new(event::Type::LoginRefused)
            .user(user)
            .source("192.0.2.77")
            .source_port(Some(40_000))
            .result("deny")
            .reason(reason)
            .with("login_name", format!("{user}@dev@web1"))
            .with("phase", "account");
        store.emit(&event).unwrap();
    });
    bastion.sh("chown jms:jms /var/lib/jms/jms.db*");
}

#[test]
fn refused_logins_are_listed_and_logins_are_followed() {
    let Evidence { bastion, login, .. } = evidence(false);
    assert_eq!(bastion.json(&["login", "ls", "--failed"]).len(), 0);
    refuse(&bastion, "alice", "user-disabled");
    refuse(&bastion, "bob", "user-expired");
    let failed = bastion.json(&["login", "ls", "--failed"]);
    assert_eq!(
        keys(&failed[0]),
        [
            "seq",
            "time",
            "user",
            "login_name",
            "source",
            "source_port",
            "key",
            "factors",
            "phase",
            "reason",
            "rule",
            "count",
            "first",
            "remark"
        ]
    );
    assert_eq!(
        (
            &failed[0]["user"],
            &failed[0]["reason"],
            &failed[0]["source"]
        ),
        (
            &"alice".into(),
            &"user-disabled".into(),
            &"192.0.2.77".into()
        )
    );
    let count = |flags: &[&str]| {
        let mut words = vec!["login", "ls", "--failed"];
        words.extend(flags);
        bastion.json(&words).len()
    };
    assert_eq!(count(&[]), 2);
    assert_eq!(count(&["--user", "b*"]), 1);
    assert_eq!(count(&["--user", "carol"]), 0);
    assert_eq!(count(&["--since", "1h"]), 2);
    assert_eq!(count(&["--until", "1h"]), 0);
    assert_eq!(count(&["--limit", "1"]), 1);
    assert_eq!(count(&["user-expired"]), 1);
    let text = bastion.ok(&["login", "ls", "--failed"]);
    assert!(
        text.contains("user-disabled") && text.contains("alice@dev@web1"),
        "{text}"
    );
    bastion.fails(2, &["login", "ls", "--failed", "--unknown"]);
    bastion.fails(2, &["login", "ls", "--follow", "--unknown"]);
    bastion.fails(2, &["login", "ls", "--follow", "--sort", "user"]);

    let parse = |line: Option<std::io::Result<String>>| -> serde_json::Value {
        serde_json::from_str(&line.unwrap().unwrap()).unwrap()
    };
    let (mut follower, mut lines) =
        followed(&bastion, &["login", "ls", "--failed", "--follow", "--json"]);
    assert_eq!(parse(lines.next())["user"], "alice");
    assert_eq!(parse(lines.next())["user"], "bob");
    refuse(&bastion, "carol", "user-disabled");
    assert_eq!(parse(lines.next())["user"], "carol");
    follower.kill().unwrap();
    follower.wait().unwrap();

    // The login of the past, then its end as it comes.
    let (mut follower, mut lines) = followed(&bastion, &["login", "ls", "--follow", "--json"]);
    let opened = parse(lines.next());
    assert_eq!(
        (&opened["id"], &opened["closed_at"]),
        (&login.as_str().into(), &serde_json::Value::Null)
    );
    bastion.sh(&format!(
        r#"python3 - <<'END'
import sqlite3
store = sqlite3.connect('/var/lib/jms/jms.db')
store.execute("UPDATE login SET sshd_pid = 4194303, sshd_started = 1 WHERE id = '{login}'")
store.commit()
END
chown jms:jms /var/lib/jms/jms.db*"#
    ));
    // Whoever looks finds it gone.
    bastion.ok(&["login", "ls"]);
    let closed = parse(lines.next());
    assert_eq!(
        (&closed["id"], &closed["close_reason"]),
        (&login.as_str().into(), &"lost".into())
    );
    follower.kill().unwrap();
    follower.wait().unwrap();
}
