//! Lines that are too long, too many or not shown, and windows that are pulled, in real sessions: each line is kept, cut or
//! counted, and never passes unseen.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;
use tests::{Lab, Terminal, eventually, everyday};

const WAY: &str = "alice@dev@web1@bastion";
const SOON: Duration = Duration::from_secs(60);
const MEBIBYTE: usize = 1024 * 1024;
/// What is kept of a line, in bytes.
const KEPT: usize = 64 * 1024;

fn everyday() -> Lab {
    let lab = Lab::builder().assets(["web1"]).start().expect("a lab");
    everyday::fill(&lab).expect("an everyday lab");
    lab
}

/// Without rules; for the tests that change nothing for each other.
fn free() -> &'static Lab {
    static LAB: OnceLock<Lab> = OnceLock::new();
    LAB.get_or_init(everyday)
}

/// With a rule, and what is typed without echo is denied.
fn guarded() -> Lab {
    let lab = everyday();
    let rules = "set -e
        printf '[filter]\\nhidden_input = \"deny\"\\n' >/etc/jms/jms.toml
        jmsctl filter add guard
        jmsctl rule add guard --priority 1 --verdict deny --command forbidden
        jmsctl filter attach guard --system-user dev";
    lab.bastion().run(rules).expect_status(0);
    lab
}

/// A shell of alice's as dev on web1, at its first prompt.
fn shell(lab: &Lab) -> Terminal {
    let mut shell = lab.client().ssh_on_terminal(["-tt", WAY]);
    shell.expect("dev@web1");
    shell.expect("$ ");
    shell
}

fn rows(lab: &Lab) -> Vec<Value> {
    let listed = lab
        .bastion()
        .command(["jmsctl", "command", "ls", "--limit", "0", "--json"]);
    listed.run().json_lines().unwrap_or_default()
}

fn line(row: &Value) -> &str {
    row["line"].as_str().unwrap_or_default()
}

/// The rows of the session that `mark` was typed in, once `mark` is among them.
#[track_caller]
fn rows_with(lab: &Lab, mark: &str) -> Vec<Value> {
    let until = Instant::now() + SOON;
    loop {
        let mut rows = rows(lab);
        if let Some(found) = rows.iter().find(|row| line(row).contains(mark)) {
            let session = found["session"].clone();
            rows.retain(|row| row["session"] == session);
            return rows;
        }
        assert!(Instant::now() < until, "{mark} is in no row");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Pastes a line of a mebibyte that begins with this, as a terminal does where the program asked for brackets.
fn paste_endless(shell: &mut Terminal, begin: &str) {
    let long = format!("\x1b[200~{begin}{}\x1b[201~", "x".repeat(MEBIBYTE));
    shell.send(long);
}

#[test]
fn of_a_line_of_a_mebibyte_the_beginning_is_kept_and_marked_as_cut() {
    let lab = free();
    let mut shell = shell(lab);
    shell.send_line("bind 'set enable-bracketed-paste on'; echo re''ady-long");
    shell.skim("ready-long");
    shell.skim("$ ");
    paste_endless(&mut shell, ": 'endless';echo 'go'ne-long; : ");
    shell.send("\r");
    shell.skim("gone-long");
    shell.send_line("echo 'af'ter-long");
    shell.skim("after-long");
    let rows = rows_with(lab, "echo 'af'ter-long");
    let cut = rows.iter().find(|row| line(row).starts_with(": 'endless'"));
    let cut = cut.expect("the line is kept");
    assert_eq!(
        (&cut["cut"], &cut["action"]),
        (&true.into(), &"accept".into())
    );
    let kept = line(cut).len();
    assert!((KEPT / 2..=KEPT).contains(&kept), "{kept}");
    shell.hang_up();
}

#[test]
fn where_rules_apply_a_line_that_cannot_be_read_whole_does_not_run() {
    let lab = guarded();
    let mut shell = shell(&lab);
    shell.send_line("echo re''ady-long");
    shell.skim("ready-long");
    shell.skim("$ ");
    paste_endless(&mut shell, "touch /tmp/ran-endless; : ");
    shell.send("\r");
    drop(shell.wait());
    assert!(!lab.web1().has("/tmp/ran-endless"));
}

#[test]
fn what_is_typed_without_echo_can_be_denied_whatever_the_prompt_says() {
    let lab = guarded();
    for (mark, hide) in [
        ("plain", "stty -echo"),
        ("prompt", "stty -echo; PS1='[sudo] password for dev: '"),
    ] {
        let mut shell = shell(&lab);
        shell.send_line(&format!("{hide}; echo 're'ady-{mark}"));
        shell.expect(&format!("ready-{mark}"));
        shell.expect(if mark == "plain" {
            "$ "
        } else {
            "password for dev: "
        });
        shell.send_line(&format!("touch /tmp/hidden-{mark}"));
        shell.expect("denied, because it was typed without echo (filter.hidden_input)");
        let rows = rows_with(&lab, &format!("'re'ady-{mark}"));
        let session = rows[0]["session"].clone();
        let hidden = eventually("its row", SOON, || {
            let mut rows = self::rows(&lab).into_iter();
            rows.find(|row| line(row).is_empty() && row["session"] == session)
        });
        assert_eq!(
            (&hidden["action"], &hidden["verdict"]),
            (&"deny".into(), &"deny".into()),
            "{hidden}"
        );
        let events = lab
            .bastion()
            .run("jmsctl event ls --type command.hidden --json");
        let events = events.json_lines().unwrap_or_default();
        let event = events.iter().find(|event| event["session"] == session);
        assert!(
            event.is_some_and(|event| event["result"] == "deny" || event["action"] == "deny"),
            "{events:?}"
        );
        assert!(!lab.web1().has(format!("/tmp/hidden-{mark}")));
        shell.hang_up();
        let everything = lab.bastion().run("jmsctl command ls --limit 0 --json; jmsctl event ls --limit 0 --json; find /var/lib/jms/recordings -name '*.zst' -exec zstd -qdc {} + 2>/dev/null; true");
        assert!(!everything.text().contains(&format!("/tmp/hidden-{mark}")));
    }
}

#[test]
fn a_paste_of_two_thousand_lines_is_kept_or_counted_line_by_line() {
    let lab = free();
    for (mark, reader) in [("cat", "cat >/dev/null"), ("dash", "PS1='dash> ' dash")] {
        let mut shell = shell(lab);
        shell.send_line(&format!("echo 're'ady-{mark}; {reader}"));
        shell.skim(&format!("ready-{mark}"));
        if mark == "dash" {
            shell.skim("dash> ");
        }
        // Pieces as a client sends them, each read before the next one comes.
        for piece in 0..20 {
            let lines: String = (0..100)
                .map(|number| format!(": {mark} {}\r", piece * 100 + number))
                .collect();
            shell.send(lines);
        }
        // What is echoed may be torn by prompts; what a shell prints is not.
        shell.send(format!(": {mark} last; echo 'en'd-{mark}\r"));
        let last = if mark == "cat" {
            ": cat last"
        } else {
            "end-dash"
        };
        shell.skim(last);
        shell.send("\x04");
        shell.skim("dev@web1");
        shell.send_line(&format!("echo 'af'ter-{mark}"));
        shell.skim(&format!("after-{mark}"));
        let traces = || {
            let rows = rows_with(lab, &format!("'af'ter-{mark}"));
            let lines = rows.iter().flat_map(|row| line(row).lines());
            let kept = lines.filter(|line| line.starts_with(&format!(": {mark} ")));
            let counted = rows.iter().filter_map(|row| {
                let (number, _) = line(row)
                    .strip_prefix('(')?
                    .split_once(" lines typed ahead")?;
                number.parse::<usize>().ok()
            });
            // One whose echo was lost where a shell reads is a row of its own, without its text.
            let hidden = rows.iter().filter(|row| line(row).is_empty());
            kept.count() + counted.sum::<usize>() + hidden.count()
        };
        // They are counted when nothing has been printed for a while.
        eventually(
            &format!("{mark}: all are kept, counted or hidden"),
            SOON,
            || traces() == 2001,
        );
        shell.hang_up();
    }
}

#[test]
fn a_window_that_is_pulled_all_the_time_disturbs_no_line() {
    let lab = free();
    let mut shell = shell(lab);
    for turn in 0..40_u16 {
        for step in 0..20_u16 {
            shell.resize(40 + (turn * 20 + step) % 120, 10 + step);
        }
        shell.send_line(&format!("echo 'pul'led-{turn}-"));
        shell.expect(&format!("pulled-{turn}-"));
    }
    let rows = rows_with(lab, "'pul'led-39-");
    for turn in 0..40 {
        let typed = format!("echo 'pul'led-{turn}-");
        let kept = rows.iter().filter(|row| line(row) == typed).count();
        assert_eq!(
            kept,
            1,
            "{typed}: {:?}",
            rows.iter().map(line).collect::<Vec<_>>()
        );
    }
    shell.hang_up();
}
