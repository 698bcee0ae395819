//! What is kept of a command without a terminal: the command, its exit, its bytes, and as much of its output as the setting
//! `recording.exec_output_bytes` says. All of it is found with `jmsctl session show` and `replay`.

use serde_json::Value;
use std::time::Duration;
use tests::live::nothing_is_left;
use tests::{Lab, Outcome, eventually};

const WAY: &str = "alice@dev@web1@bastion";

/// The session that has ended since the last one was asked for.
#[derive(Default)]
struct Newest {
    seen: Vec<String>,
}

impl Newest {
    /// As `jmsctl session show` tells it.
    fn session(&mut self, lab: &Lab) -> Value {
        nothing_is_left(lab);
        let listed = lab
            .bastion()
            .run("jmsctl session ls --past --json")
            .json_lines()
            .expect("sessions");
        let ids = listed.iter().filter_map(|it| it["id"].as_str());
        let mut new: Vec<&str> = ids
            .filter(|id| !self.seen.iter().any(|it| it == id))
            .collect();
        assert_eq!(new.len(), 1, "one new session: {listed:?}");
        let id = new.remove(0);
        self.seen.push(id.to_owned());
        let shown = lab
            .bastion()
            .run(format!("jmsctl session show {id} --json"));
        shown.expect_status(0).json().expect("the session")
    }
}

fn replay(lab: &Lab, session: &Value) -> Outcome {
    let id = session["id"].as_str().expect("an id");
    lab.bastion()
        .run(format!("jmsctl session replay {id} --speed 1000"))
        .expect_status(0)
}

#[test]
fn command_exit_and_bytes_are_in_the_row_and_all_output_is_in_the_recording() {
    let lab = Lab::everyday().without_kept_connections();
    let mut newest = Newest::default();
    let command = "cat; echo to errors >&2; printf '%s\\n' a b c; exit 7";
    lab.client()
        .command("ssh", [WAY, command])
        .input("typed\n")
        .run()
        .expect_status(7)
        .expect_stdout("typed\na\nb\nc\n")
        .expect_stderr("to errors\n");
    let session = newest.session(&lab);
    assert_eq!(session["request"], command, "{session}");
    assert_eq!(session["channel"], "exec", "{session}");
    assert_eq!(session["exit_status"], 7, "{session}");
    assert_eq!(session["bytes_in"], 6, "{session}");
    assert_eq!(session["bytes_out"], 12 + 10, "{session}");
    let shown = replay(&lab, &session).text();
    for line in ["typed", "to errors", "a", "b", "c"] {
        assert!(shown.lines().any(|it| it.trim_end() == line), "{shown}");
    }
    // Bytes that are no text pass unchanged and are counted; a signal at the asset is its status.
    lab.client()
        .ssh([WAY, "head -c 100000 /dev/urandom"])
        .expect_status(0);
    assert_eq!(newest.session(&lab)["bytes_out"], 100_000);
    let killed = lab.client().ssh([WAY, "kill -TERM $$"]);
    assert!(!killed.succeeded(), "{killed}");
    let session = newest.session(&lab);
    assert_eq!(session["exit_status"], 255, "{session}");
}

#[test]
fn of_the_output_as_much_is_kept_as_the_setting_says_and_the_client_gets_it_all() {
    let lab = Lab::everyday().without_kept_connections();
    let mut newest = Newest::default();
    let command = "printf 1234567890; printf abcdefghij";
    for (setting, kept, cut) in [
        ("exec_output_bytes = 0", "", true),
        ("exec_output_bytes = 15", "1234567890abcde", true),
        ("exec_output_bytes = 20", "1234567890abcdefghij", false),
        ("exec_output_bytes = \"all\"", "1234567890abcdefghij", false),
        ("", "1234567890abcdefghij", false),
    ] {
        lab.bastion().write(
            "/etc/jms/jms.toml",
            format!("[egress]\nwarm_seconds = 0\n[recording]\n{setting}\n"),
        );
        lab.client()
            .ssh([WAY, command])
            .expect_status(0)
            .expect_stdout("1234567890abcdefghij");
        let session = newest.session(&lab);
        assert_eq!(session["request"], command, "{setting}: {session}");
        assert_eq!(session["bytes_out"], 20, "{setting}: {session}");
        assert_eq!(
            session["bytes_not_recorded"],
            20 - kept.len(),
            "{setting}: {session}"
        );
        let replayed = replay(&lab, &session);
        let said = format!("{} bytes of the output were not recorded", 20 - kept.len());
        let errors = replayed.error_text();
        assert_eq!(errors.contains(&said), cut, "{setting}: {errors}");
        assert!(cut || !errors.contains("not recorded"), "{errors}");
        let shown = replayed.text();
        let printed = shown.lines().next().unwrap_or_default();
        assert!(
            if kept.is_empty() {
                !shown.contains('1')
            } else {
                printed.contains(kept)
            },
            "{setting}: {shown}"
        );
        assert!(
            kept.len() == 20 || !shown.contains("fghij"),
            "{setting}: {shown}"
        );
        let id = session["id"].as_str().unwrap_or_default();
        let text = lab
            .bastion()
            .run(format!(
                "zstd -qdc $(find /var/lib/jms/recordings -name '{id}*')"
            ))
            .expect_status(0)
            .text();
        assert_eq!(
            text.contains("bytes of the output were not recorded in all"),
            cut,
            "{setting}: {text}"
        );
        assert!(
            text.contains("printf 1234567890"),
            "the command is in its head: {text}"
        );
    }
    // A terminal is recorded whole, whatever the setting.
    lab.bastion().write(
        "/etc/jms/jms.toml",
        "[egress]\nwarm_seconds = 0\n[recording]\nexec_output_bytes = 0\n",
    );
    let terminal = lab.client().ssh_on_terminal(["-tt", WAY, command]);
    drop(terminal.wait().expect_status(0));
    let shown = replay(&lab, &newest.session(&lab)).text();
    assert!(shown.contains("1234567890abcdefghij"), "{shown}");
}

#[test]
fn a_shell_behind_a_stream_that_used_up_the_limit_is_recorded_and_the_limit_is_an_event_at_once() {
    let lab = Lab::everyday().without_kept_connections();
    lab.bastion().write(
        "/etc/jms/jms.toml",
        "[egress]\nwarm_seconds = 0\n[recording]\nexec_output_bytes = 1000\nusers_may_replay = true\n",
    );
    let command = "head -c 300000 /dev/zero | tr '\\0' x; bash -i 2>&1";
    let mut shell = lab.client().command("ssh", [WAY, command]).spawn();
    let told = eventually("the limit is told", Duration::from_secs(60), || {
        let listed = lab
            .bastion()
            .run("jmsctl event ls --type recording.limit --json");
        listed
            .json_lines()
            .ok()
            .and_then(|events| events.first().cloned())
    });
    assert!(shell.is_running(), "it is told while the session lives");
    assert_eq!(told["severity"], "notice", "{told}");
    assert_eq!(told["user"], "alice", "{told}");
    assert_eq!(told["asset"], "web1", "{told}");
    assert_eq!(told["setting"], "recording.exec_output_bytes", "{told}");
    // A stream is left out whatever its length; a second later there is room for a person.
    eventually("the stream is through", Duration::from_secs(60), || {
        shell.stdout_so_far().matches('x').count() >= 300_000
    });
    std::thread::sleep(Duration::from_millis(1100));
    shell.write("echo seen be''hind\n");
    eventually("the shell answers", Duration::from_secs(60), || {
        shell.stdout_so_far().contains("seen behind")
    });
    shell.write("exit 3\n");
    drop(shell.wait().expect_status(3));

    let session = Newest::default().session(&lab);
    assert_eq!(told["session"], session["id"], "{told}");
    let missing = session["bytes_not_recorded"].as_u64().unwrap_or_default();
    let printed = session["bytes_out"].as_u64().unwrap_or_default();
    assert!((1..=printed - 1000).contains(&missing), "{session}");
    let id = session["id"].as_str().unwrap_or_default();
    let text = lab
        .bastion()
        .run(format!(
            "zstd -qdc $(find /var/lib/jms/recordings -name '{id}*')"
        ))
        .expect_status(0)
        .text();
    let gap = text.find("bytes of the output were not recorded here");
    let seen = text.find("seen behind");
    assert!(
        gap.is_some() && gap < seen,
        "the gap, and what follows it: {text}"
    );

    let said = format!("{missing} bytes of the output were not recorded");
    replay(&lab, &session)
        .expect_stdout_contains("seen behind")
        .expect_stderr_contains(&said);
    // His own replay says so as well.
    lab.client()
        .ssh(["alice@bastion", &format!("session replay {id}")])
        .expect_status(0)
        .expect_stdout_contains("seen behind")
        .expect_stderr_contains(&said);
    let events = lab
        .bastion()
        .run("jmsctl event ls --type recording.limit --json");
    assert_eq!(events.json_lines().expect("events").len(), 1, "once");
}
