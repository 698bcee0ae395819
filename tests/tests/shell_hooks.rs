//! With `--shell-hooks yes` the asset's own shell says what it is about to run, and waits for the answer: what is kept is
//! exact, and what is denied does not run even where no reading of the terminal could know it.

use std::time::{Duration, Instant};

use serde_json::Value;
use tests::{Lab, Terminal, eventually, everyday};

const WAY: &str = "alice@dev@web1@bastion";
const SOON: Duration = Duration::from_secs(30);

fn hooked() -> Lab {
    let lab = Lab::builder().assets(["web1"]).start().expect("a lab");
    // The login shell is that of the connection; here it changes.
    lab.bastion()
        .write("/etc/jms/jms.toml", "[egress]\nwarm_seconds = 0\n");
    everyday::fill(&lab).expect("an everyday lab");
    let programs = "cd /usr/local/bin
        for name in forbidden careful noted; do
            printf '#!/bin/sh\\necho ran-$0-$1; touch /tmp/ran-%s-$1\\n' $name >$name; chmod 755 $name
        done";
    lab.web1().run(programs).expect_status(0);
    let rules = "set -e
        jmsctl filter add guard
        jmsctl rule add guard --priority 1 --verdict deny --command forbidden
        jmsctl rule add guard --priority 2 --verdict confirm --command careful
        jmsctl rule add guard --priority 3 --verdict warn --command noted
        jmsctl filter attach guard --system-user dev
        jmsctl system-user set dev --shell-hooks yes";
    lab.bastion().run(rules).expect_status(0);
    lab
}

/// A shell of alice's as dev on web1, at its first prompt. `prompt`: how that ends.
fn shell(lab: &Lab, prompt: &str) -> Terminal {
    let mut shell = lab.client().ssh_on_terminal(["-tt", WAY]);
    shell.expect("dev@web1");
    shell.expect(prompt);
    shell
}

fn lives_in(lab: &Lab, shell: &str) {
    let change = format!("usermod --shell {shell} dev");
    lab.web1().run(change).expect_status(0);
}

fn rows(lab: &Lab) -> Vec<Value> {
    let listed = lab
        .bastion()
        .command(["jmsctl", "command", "ls", "--limit", "0", "--json"]);
    listed.run().json_lines().unwrap_or_default()
}

fn with_line(lab: &Lab, line: &str) -> Vec<Value> {
    let mut kept = rows(lab);
    kept.retain(|row| row["line"].as_str() == Some(line));
    kept
}

/// The one row of this very line, once it is there.
#[track_caller]
fn row(lab: &Lab, line: &str) -> Value {
    let until = Instant::now() + SOON;
    loop {
        match &with_line(lab, line)[..] {
            [row] => return row.clone(),
            [] if Instant::now() < until => std::thread::sleep(Duration::from_millis(50)),
            other => panic!("{line:?}: {other:?} among {:?}", rows(lab)),
        }
    }
}

#[track_caller]
fn ran_exactly(lab: &Lab, line: &str) {
    let row = row(lab, line);
    let said = (&row["captured"], &row["action"]);
    assert_eq!(said, (&"exact".into(), &"accept".into()), "{row}");
}

#[track_caller]
fn was_denied(lab: &Lab, mark: &str) {
    let row = row(lab, &format!("forbidden {mark}"));
    assert_eq!(row["action"], "deny", "{row}");
    assert!(!lab.web1().has(format!("/tmp/ran-forbidden-{mark}")));
}

fn unhooked(lab: &Lab) -> Vec<Value> {
    let words = [
        "jmsctl",
        "event",
        "ls",
        "--type",
        "session.unhooked",
        "--json",
    ];
    lab.bastion()
        .command(words)
        .run()
        .json_lines()
        .unwrap_or_default()
}

/// All that the recordings hold.
fn recordings(lab: &Lab) -> String {
    let all = "find /var/lib/jms/recordings -name '*.zst' -exec zstd -qdc {} + 2>/dev/null; true";
    lab.bastion().run(all).expect_status(0).text()
}

#[test]
fn bash_announces_what_it_runs_and_runs_nothing_that_is_denied() {
    let lab = hooked();
    let mut shell = shell(&lab, "$ ");
    shell.send_line("echo one-$((1 + 1)); shopt login_shell");
    shell.expect("one-2");
    shell.expect("on");
    ran_exactly(&lab, "echo one-$((1 + 1)); shopt login_shell");

    // What is typed ahead is neither lost nor taken for an answer.
    shell.send_line("sleep 2");
    shell.send_line("echo 'ahe'ad-one");
    shell.send_line("echo 'ahe'ad-two");
    shell.expect("ahead-one");
    shell.expect("ahead-two");
    ran_exactly(&lab, "sleep 2");
    ran_exactly(&lab, "echo 'ahe'ad-one");
    ran_exactly(&lab, "echo 'ahe'ad-two");

    // A key that stands for a whole command: no reading of the terminal could know it before it runs.
    shell.send_line(r#"bind '"\C-x1": "forbidden macro\C-m"'; echo bou''nd"#);
    shell.expect("bound");
    shell.send("\x181");
    shell.expect("denied by filter guard, rule 1");
    shell.send_line("echo st'atus'=$?");
    shell.expect("status=130");
    was_denied(&lab, "macro");
    shell.send_line("forbidden typed");
    shell.expect("denied by filter guard, rule 1");
    shell.send_line("echo th'er'e");
    shell.expect("there");
    was_denied(&lab, "typed");

    // Who was asked by the bastion is not asked again for the same line.
    shell.send_line("careful once");
    shell.expect("run it? [y/N]");
    shell.send("y");
    shell.expect("ran-/usr/local/bin/careful-once");
    assert_eq!(row(&lab, "careful once")["verdict"], "confirm");
    shell.send_line(r#"bind '"\C-x2": "careful key\C-m"'; echo bou''nd-2"#);
    shell.expect("bound-2");
    shell.send("\x182");
    shell.expect("run it? [y/N]");
    shell.send("n");
    shell.expect("not run");
    shell.send_line("noted this");
    shell.expect("ran-/usr/local/bin/noted-this");
    assert_eq!(row(&lab, "noted this")["verdict"], "warn");
    assert_eq!(row(&lab, "careful key")["action"], "deny");
    assert!(!lab.web1().has("/tmp/ran-careful-key"));

    // Nothing of it is on the screen, in the recording, or in what a child process gets.
    shell.send_line("env | grep -ci jms; echo 'do'ne");
    shell.expect("0\r\ndone");
    let recorded = recordings(&lab);
    for inside in ["Pjms", "[77;", "__jms"] {
        assert!(!recorded.contains(inside), "{inside} in {recorded}");
    }

    // Who takes the hook away is told of, and still watched.
    assert!(unhooked(&lab).is_empty());
    shell.send_line("PS0=; echo g'on'e");
    shell.expect("gone");
    eventually("the event", SOON, || {
        (!unhooked(&lab).is_empty()).then_some(())
    });
    shell.send_line("forbidden unhooked");
    shell.expect("denied by filter guard, rule 1");
    was_denied(&lab, "unhooked");
    shell.hang_up();

    // A shell that handles interrupts itself cannot skip a command: the session ends rather than let it run.
    let mut shell = self::shell(&lab, "$ ");
    shell.send_line(r#"trap : INT; bind '"\C-x1": "forbidden trapped\C-m"'; echo bou''nd"#);
    shell.expect("bound");
    shell.send("\x181");
    shell.expect("cannot be kept from running it");
    was_denied(&lab, "trapped");
}

#[test]
fn zsh_fish_and_shells_without_hooks() {
    let lab = hooked();
    lives_in(&lab, "/usr/bin/zsh");
    lab.web1()
        .run("echo 'PS1=\"%n@%m$ \"; echo rc-was-read' >/home/dev/.zshrc; chown dev: /home/dev/.zshrc")
        .expect_status(0);
    let mut zsh = lab.client().ssh_on_terminal(["-tt", WAY]);
    zsh.expect("rc-was-read");
    zsh.expect("dev@web1$ ");
    zsh.send_line("echo zsh-$((1 + 1))");
    zsh.expect("zsh-2");
    ran_exactly(&lab, "echo zsh-$((1 + 1))");
    zsh.send_line("bindkey -s '^X1' 'forbidden zsh^M'; echo bou''nd");
    zsh.expect("bound");
    zsh.send("\x181");
    zsh.expect("denied by filter guard, rule 1");
    zsh.send_line("echo af''ter");
    zsh.expect("after");
    was_denied(&lab, "zsh");
    zsh.hang_up();
    let left = lab.web1().run("ls -d /tmp/jms.* 2>/dev/null | wc -l");
    assert_eq!(left.expect_status(0).text().trim(), "0");

    lives_in(&lab, "/usr/bin/fish");
    let mut fish = lab.client().ssh_on_terminal(["-tt", WAY]);
    fish.expect("Welcome to fish");
    fish.expect("> ");
    fish.send_line("echo fish-(math 1 + 1)");
    fish.expect("fish-2");
    ran_exactly(&lab, "echo fish-(math 1 + 1)");
    fish.hang_up();
    assert!(unhooked(&lab).is_empty());

    lives_in(&lab, "/bin/dash");
    let mut dash = lab.client().ssh_on_terminal(["-tt", WAY]);
    dash.expect("$ ");
    dash.send_line("echo dash-$((1 + 1))");
    dash.expect("dash-2");
    dash.send_line("forbidden dash");
    dash.expect("denied by filter guard, rule 1");
    was_denied(&lab, "dash");
    let told = eventually("the event", SOON, || unhooked(&lab).first().cloned());
    assert!(
        told.to_string().contains("no hooks for the shell dash"),
        "{told}"
    );

    // A command is a command, and file transfers are left alone.
    lives_in(&lab, "/bin/bash");
    lab.client().ssh([WAY, "echo exec-ok"]).expect_status(0);
}
