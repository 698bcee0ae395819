//! What runs in a terminal is judged, kept and recorded, whatever the asset prints and the user types.
//!
//! How often lines are read right is measured by `make corpus`; here are the attacks, each in a real session: after each of
//! them a forbidden command is still denied, an ordinary one still kept, and the recording goes on.

use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;
use tests::{Lab, Terminal, eventually, everyday};

const WAY: &str = "alice@dev@web1@bastion";
const SOON: Duration = Duration::from_secs(30);

/// web1 has shells and editors; `forbidden` is denied there, `careful` asks, `noted` warns.
fn guarded() -> Lab {
    let lab = Lab::builder()
        .assets(["web1"])
        .corpus()
        .start()
        .expect("a lab");
    everyday::fill(&lab).expect("an everyday lab");
    let programs = "cd /usr/local/bin
        for name in forbidden careful noted; do
            printf '#!/bin/sh\\necho ran-$0-$1; touch /tmp/ran-%s-$1\\n' $name >$name; chmod 755 $name
        done";
    lab.web1().run(programs).expect_status(0);
    // An echo that is late counts as none: here a line may be late because the machine is busy, and is not hidden for that.
    let rules = "set -e
        printf '[filter]\\nhold = 3000\\n' >/etc/jms/jms.toml
        jmsctl filter add guard
        jmsctl rule add guard --priority 1 --verdict deny --command forbidden
        jmsctl rule add guard --priority 2 --verdict confirm --command careful
        jmsctl rule add guard --priority 3 --verdict warn --command noted
        jmsctl filter attach guard --system-user dev";
    lab.bastion().run(rules).expect_status(0);
    lab
}

/// One for the tests that change nothing for each other.
fn lab() -> &'static Lab {
    static LAB: OnceLock<Lab> = OnceLock::new();
    LAB.get_or_init(guarded)
}

/// A shell of alice's as dev on web1, at its first prompt.
fn shell(lab: &Lab) -> Terminal {
    let mut shell = lab.client().ssh_on_terminal(["-tt", WAY]);
    shell.expect("dev@web1");
    shell.expect("$ ");
    shell
}

fn rows(lab: &Lab, text: &str) -> Vec<Value> {
    let listed = lab
        .bastion()
        .command(["jmsctl", "command", "ls", "--text", text, "--json"]);
    listed.run().json_lines().unwrap_or_default()
}

/// The row of this very line, once it is there.
#[track_caller]
fn row(lab: &Lab, line: &str) -> Value {
    let until = std::time::Instant::now() + SOON;
    loop {
        let kept = rows(lab, "");
        if let Some(row) = kept.iter().find(|row| row["line"].as_str() == Some(line)) {
            return row.clone();
        }
        let lines: Vec<&Value> = kept.iter().map(|row| &row["line"]).collect();
        assert!(
            std::time::Instant::now() < until,
            "{line:?} is not among {lines:?}"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn events(lab: &Lab, kind: &str) -> Vec<Value> {
    let words = ["jmsctl", "event", "ls", "--type", kind, "--json"];
    lab.bastion()
        .command(words)
        .run()
        .json_lines()
        .unwrap_or_default()
}

/// The recording of a session that has ended.
fn recording(lab: &Lab, session: &str) -> String {
    let find = format!("zstd -qdc $(find /var/lib/jms/recordings -name '{session}*')");
    lab.bastion().run(find).expect_status(0).text()
}

/// A forbidden command is denied and does not run, an ordinary one runs and is kept; then the session is ended, and its
/// recording is whole and has both.
#[track_caller]
fn still_watched(lab: &Lab, mut shell: Terminal, mark: &str) {
    // Accepted when it is shown, as people do: on a busy machine an echo may come too late to be told from none.
    let forbidden = format!("forbidden {mark}");
    shell.send(&forbidden);
    shell.expect(&forbidden);
    shell.send_line("");
    shell.expect("denied by filter guard, rule");
    shell.send_line(&format!("echo 'af'ter-{mark}"));
    shell.expect(&format!("after-{mark}"));
    let denied = row(lab, &format!("forbidden {mark}"));
    assert_eq!(
        (&denied["action"], &denied["verdict"], &denied["filter"]),
        (&"deny".into(), &"deny".into(), &"guard".into()),
        "{denied}"
    );
    let ran = row(lab, &format!("echo 'af'ter-{mark}"));
    assert_eq!(ran["action"], "accept", "{ran}");
    assert!(!lab.web1().has(format!("/tmp/ran-forbidden-{mark}")));
    shell.hang_up();
    let session = ran["session"].as_str().expect("a session").to_owned();
    let ended = eventually(&format!("the session of {mark} is closed"), SOON, || {
        let shown = lab
            .bastion()
            .command(["jmsctl", "session", "show", &session, "--json"]);
        let shown = shown.run().json().ok()?;
        shown["end_reason"].as_str().map(str::to_owned)
    });
    assert_eq!(ended, "client-gone", "{mark}");
    let recorded = recording(lab, &session);
    for words in [
        format!("\"command: echo 'af'ter-{mark}\""),
        format!("\"denied: forbidden {mark}\""),
        format!("after-{mark}"),
    ] {
        assert!(recorded.contains(&words), "no {words} in {recorded}");
    }
}

/// Has the asset's shell do something, and waits until it is done.
#[track_caller]
fn attacked(lab: &Lab, mark: &str, command: &str) -> Terminal {
    let mut shell = shell(lab);
    shell.send_line(&format!("{command}; printf 'at''tacked-{mark}\\n'"));
    shell.skim(&format!("attacked-{mark}"));
    shell
}

#[test]
fn no_single_sequence_switches_the_watch_off() {
    let attacks = [
        // A ZMODEM header, with and without its checksum, and the word before it.
        ("zmodem", r"printf 'rz\r**\030B00000000000000\r\212\021'"),
        ("zrqinit", r"printf '**\030B0100000023be50\r\212\021'"),
        ("zfile", r"printf 'rz waiting to receive.**\030B01'"),
        ("trzsz", r"printf '::TRZSZ:TRANSFER:S:1.0.0:0\n'"),
        ("alternate", r"printf '\033[?1049h'"),
        ("alternate47", r"printf '\033[?47h\033[?1047h\033[?1048h'"),
        ("cursorkeys", r"printf '\033[?1h\033=\033[?25l\033[?1000h'"),
        ("prompt", r"printf 'dev@web1:~$ forbidden fake\n'"),
        (
            "look-alike",
            r"printf 'Password: \n[sudo] password for dev: '",
        ),
        ("hidden", r"printf '\033[8m\033[30;40m'"),
        ("brackets", r"printf '\033[?2004h\033[?2004l\033[200~'"),
        (
            "integration",
            r"printf '\033]133;A\007\033]133;C\007\033]633;E;ls\007'",
        ),
        ("region", r"printf '\033[5;6r\033[?6h\033[20;20H'"),
        ("reset", r"printf '\033c\033[!p'"),
    ];
    for (mark, command) in attacks {
        let mark = format!("one-{mark}");
        let shell = attacked(lab(), &mark, command);
        still_watched(lab(), shell, &mark);
    }
}

#[test]
fn no_flood_and_no_broken_sequence_switches_the_watch_off() {
    let attacks = [
        (
            "titles",
            r"for i in $(seq 20000); do printf '\033]0;%s\007' $i; done",
        ),
        (
            "split",
            r"printf '\033'; sleep 0.2; printf '['; sleep 0.2; printf '?10'; sleep 0.2; printf '49h'",
        ),
        (
            "parameters",
            r"printf '\033['; head -c 200000 /dev/zero | tr '\0' '1;'; printf m",
        ),
        (
            "endless",
            r"printf '\033]0;'; head -c 3000000 /dev/zero | tr '\0' a; printf '\033\\'",
        ),
        (
            "device",
            r"printf '\033P'; head -c 1000000 /dev/zero | tr '\0' q; printf '\033\\'",
        ),
        ("long", r"head -c 2000000 /dev/zero | tr '\0' x; echo"),
        (
            "bytes",
            r"head -c 300000 /dev/urandom; printf '\033\\\030\033c'; echo",
        ),
        (
            "utf8",
            r"printf '\303\050\377\376\360\237\222\355\240\200\n'",
        ),
        (
            "wide",
            r"printf 'e\314\201%.0s' $(seq 3000); printf '\360\237\221\251\342\200\215%.0s' $(seq 500); echo",
        ),
    ];
    for (mark, command) in attacks {
        let mark = format!("many-{mark}");
        let shell = attacked(lab(), &mark, command);
        still_watched(lab(), shell, &mark);
    }
}

#[test]
fn what_is_typed_on_another_screen_before_the_prompt_is_there_is_kept() {
    let lab = lab();
    for (mark, shell_of) in [("bash", ""), ("dash", "exec dash\n")] {
        let mut shell = shell(lab);
        if !shell_of.is_empty() {
            shell.send(shell_of);
            shell.expect("$ ");
            shell.send_line(":");
            shell.expect("$ ");
        }
        shell.send_line("printf '\\033[?1049h'; printf 'ta''ken-away\\n'; sleep 3");
        shell.expect("taken-away");
        let mark = format!("before-{mark}");
        shell.send_line(&format!("forbidden {mark}"));
        shell.expect("denied by filter guard, rule");
        shell.send_line(&format!("echo 'ear'ly-{mark}"));
        shell.expect(&format!("early-{mark}"));
        let ran = row(lab, &format!("echo 'ear'ly-{mark}"));
        assert_eq!(ran["action"], "accept", "{ran}");
        still_watched(lab, shell, &format!("{mark}-after"));
    }
}

#[test]
fn prompts_of_every_kind_and_a_window_that_is_pulled_switch_nothing_off() {
    let attacks = [
        ("password", "PS1='password:'"),
        ("sudo", "PS1='[sudo] password for dev: '"),
        ("none", "PS1=''"),
        ("question", "PS1='Are you sure? [y/N] '"),
        ("colours", r"PS1='\[\033[?1049h\033[8m\]\u\$ '"),
        (
            "dumb",
            "export TERM=dumb; bind 'set enable-bracketed-paste off'",
        ),
    ];
    for (mark, command) in attacks {
        let mark = format!("prompt-{mark}");
        let shell = attacked(lab(), &mark, command);
        still_watched(lab(), shell, &mark);
    }
    let shell = shell(lab());
    for turn in 0..300_u16 {
        shell.resize(20 + turn % 180, 5 + turn % 60);
    }
    still_watched(lab(), shell, "pulled");
}

#[test]
fn whatever_accepts_a_line_ahead_and_a_paste_are_judged() {
    let lab = lab();
    // Every key that accepts, and a paste with several lines.
    for (mark, end) in [("cr", "\r"), ("lf", "\n"), ("ctrl-o", "\x0f")] {
        let mut shell = shell(lab);
        shell.send(format!("forbidden key-{mark}{end}"));
        shell.expect("denied by filter guard, rule");
        still_watched(lab, shell, &format!("key-after-{mark}"));
        assert!(!lab.web1().has(format!("/tmp/ran-forbidden-key-{mark}")));
    }
    let mut ahead = shell(lab);
    ahead.send("sleep 1\rforbidden ahead\recho 'a'head-done\r");
    ahead.expect("denied by filter guard, rule");
    ahead.expect("ahead-done");
    still_watched(lab, ahead, "ahead-after");
    let mut pasted = shell(lab);
    pasted.send("\x1b[200~echo first\nforbidden pasted\necho last\x1b[201~\r");
    pasted.expect("denied by filter guard, rule");
    assert!(!lab.web1().has("/tmp/ran-forbidden-pasted"));
    still_watched(lab, pasted, "pasted-after");
}

#[test]
fn what_a_pager_starts_is_judged() {
    let lab = lab();
    let mut shell = shell(lab);
    shell.send_line("seq 500 | less");
    shell.expect("20");
    shell.expect(":");
    shell.send("!forbidden less\r");
    shell.expect("denied by filter guard, rule");
    assert!(!lab.web1().has("/tmp/ran-forbidden-less"));
    // Typed before the pager has answered: the shell reads it.
    shell.send("qforbidden pager\r");
    shell.expect("denied by filter guard, rule");
    shell.expect("$ ");
    assert!(!lab.web1().has("/tmp/ran-forbidden-pager"));
    still_watched(lab, shell, "pager-after");
}

#[test]
fn a_rule_can_ask_and_can_warn() {
    let lab = lab();
    let mut shell = shell(lab);
    shell.send_line("careful one");
    shell.expect("run it? [y/N] ");
    shell.send("n");
    shell.expect("$ ");
    shell.send_line("careful two");
    shell.expect("run it? [y/N] ");
    shell.send("y");
    shell.expect("ran-/usr/local/bin/careful-two");
    shell.send_line("noted three");
    shell.expect("allowed with a warning by filter guard");
    shell.expect("ran-/usr/local/bin/noted-three");
    for (line, verdict, action) in [
        ("careful one", "confirm", "deny"),
        ("careful two", "confirm", "accept"),
        ("noted three", "warn", "accept"),
    ] {
        let row = row(lab, line);
        assert_eq!(
            (&row["verdict"], &row["action"]),
            (&verdict.into(), &action.into()),
            "{row}"
        );
    }
    assert!(!lab.web1().has("/tmp/ran-careful-one"));
    assert!(
        events(lab, "command.warned")
            .iter()
            .any(|it| it["line"] == "noted three")
    );
    still_watched(lab, shell, "asked");
}

#[test]
fn what_is_typed_without_echo_is_kept_nowhere() {
    let lab = lab();
    let mut shell = shell(lab);
    // What is waited for is not in what was typed: only the program shows it.
    let secrets = ["qu1nce-one", "qu1nce-two", "qu1nce-three"];
    shell.send_line("read -rsp 'Passphrase for the va''ult: ' word; echo; echo 'th'anks-one");
    shell.expect("for the vault: ");
    shell.send_line(secrets[0]);
    shell.expect("thanks-one");
    shell.expect("$ ");
    shell.send_line(
        "python3 -c 'import getpass; getpass.getpass(\"PI\" \"N \")'; echo 'th'anks-two",
    );
    shell.expect("PIN ");
    shell.send_line(secrets[1]);
    shell.expect("thanks-two");
    shell.expect("$ ");
    shell.send_line("su root -c true; echo 'th'anks-three");
    shell.expect("assword: ");
    shell.send_line(secrets[2]);
    shell.expect("thanks-three");
    shell.expect("$ ");
    let session = eventually("it is kept", SOON, || {
        let row = rows(lab, "su root -c true").pop()?;
        Some(row["session"].clone())
    });
    still_watched(lab, shell, "secrets");
    let session = session.as_str().expect("a session");
    let shown = [
        lab.bastion().run("jmsctl command ls --json").text(),
        lab.bastion()
            .run("jmsctl event ls --limit 100000 --json")
            .text(),
        lab.bastion().run("cat /var/log/*log").text(),
        recording(lab, session),
    ];
    for (place, text) in ["rows", "events", "logs", "recording"].iter().zip(&shown) {
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} is in {place}");
        }
    }
    assert!(shown[3].contains("\"hidden input\""));
}

#[test]
fn a_found_command_opens_the_recording_at_its_second() {
    let lab = lab();
    let mut shell = shell(lab);
    shell.send_line("echo 'ear'lier");
    shell.expect("earlier");
    shell.expect("$ ");
    // Places in a recording are milliseconds: what a person types is not in that of the output before.
    shell.drain(Duration::from_millis(50));
    shell.send_line("sleep 1; echo 'la'ter-on");
    shell.expect("later-on");
    let row = row(lab, "sleep 1; echo 'la'ter-on");
    let (session, number) = (row["session"].as_str().expect("a session"), &row["id"]);
    shell.send_line("exit");
    drop(shell.wait());
    let replay = format!("jmsctl session replay {session} --command {number}");
    lab.bastion()
        .run(replay)
        .expect_status(0)
        .expect_stdout_contains("later-on")
        .expect_stdout_lacks("earlier");
    let other = format!("jmsctl session replay {session} --command 999999");
    lab.bastion().run(other).expect_status(3);
}

#[test]
fn rules_reach_a_running_session_within_a_second() {
    let lab = guarded();
    let mut shell = shell(&lab);
    shell.send_line("echo 'st'ill-free");
    shell.expect("still-free");
    let jmsctl = |line: &str| drop(lab.bastion().run(format!("jmsctl {line}")).expect_status(0));
    jmsctl("rule add guard --priority 4 --verdict deny --command printf");
    std::thread::sleep(Duration::from_secs(1));
    shell.send_line("printf never");
    shell.expect("denied by filter guard, rule");
    jmsctl("filter detach guard --system-user dev");
    std::thread::sleep(Duration::from_secs(1));
    shell.send_line("printf 'once'-more");
    shell.expect("once-more");
}

/// The shell has switched echo off, and is at its prompt again.
#[track_caller]
fn without_echo(shell: &mut Terminal) {
    shell.send_line("stty -echo; echo 'qu'iet");
    shell.expect("quiet");
    shell.expect("$ ");
}

#[test]
fn a_line_without_echo_is_told_of_and_a_setting_says_what_becomes_of_it() {
    let lab = guarded();
    let settings = |what: &str| {
        let write = format!("printf '[filter]\\nhidden_input = \"{what}\"\\n' >/etc/jms/jms.toml");
        drop(lab.bastion().run(write).expect_status(0));
    };
    settings("allow");
    let mut shell = shell(&lab);
    without_echo(&mut shell);
    shell.send_line("touch /tmp/hidden-one");
    eventually("it ran", SOON, || lab.web1().has("/tmp/hidden-one"));
    eventually("it is told", SOON, || {
        (!events(&lab, "command.hidden").is_empty()).then_some(())
    });
    shell.hang_up();

    settings("end");
    let mut shell = self::shell(&lab);
    without_echo(&mut shell);
    shell.send_line("touch /tmp/hidden-two");
    let ended = shell.wait();
    ended
        .expect_status(76)
        .expect_stdout_contains("the session was ended: a line was typed without echo");
    assert!(!lab.web1().has("/tmp/hidden-two"));
}

#[test]
fn an_interrupt_does_not_stand_behind_a_long_paste_and_a_flood_of_lines_is_counted() {
    let lab = guarded();
    let set = "printf '[filter]\\nlines_per_hour = 100\\n' >/etc/jms/jms.toml";
    lab.bastion().run(set).expect_status(0);
    let mut shell = shell(&lab);
    shell.send_line("cat >/dev/null");
    shell.expect("cat >/dev/null");
    // Lines that differ from each other are kept still, one in a second.
    let line = |n: usize| match n {
        300 => "the marker\r".to_owned(),
        _ => format!("a line {:02}\r", n % 50),
    };
    shell.send((0..1500).map(line).collect::<String>());
    shell.expect("the marker");
    // As a person does who wants to be rid of it; the paste may still be on its way.
    for _ in 0..10 {
        shell.send("\x03");
        std::thread::sleep(Duration::from_millis(300));
    }
    shell.send_line("echo 'al'ive");
    shell.expect("alive");
    shell.send_line("forbidden there");
    shell.expect("denied by filter guard");
    shell.hang_up();
    assert!(!lab.web1().has("/tmp/ran-forbidden-there"));
    assert_eq!(row(&lab, "forbidden there")["action"], "deny");
    let counted = |row: &Value| {
        row["line"]
            .as_str()
            .is_some_and(|line| line.contains("lines more, allowed"))
    };
    eventually("it is told how many more there were", SOON, || {
        rows(&lab, "lines more").iter().any(counted).then_some(())
    });
    assert!(rows(&lab, "a line").len() <= 300);
    assert!(!events(&lab, "command.many").is_empty());
}
