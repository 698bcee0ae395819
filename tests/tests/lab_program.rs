//! The program `lab`, as people and their scripts use it: `make lab`, `make lab-down`, `make demo`.

use std::path::Path;
use std::time::Duration;

use tests::{Invocation, eventually, proof};

fn lab(words: &[&str]) -> Invocation {
    Invocation::new(env!("CARGO_BIN_EXE_lab"))
        .args(words)
        .within(Duration::from_secs(120))
}

#[test]
fn a_lab_stays_until_it_is_taken_down() {
    let parent = tempfile::tempdir().expect("a folder");
    let folder = parent.path().join("lab");
    let dir = folder.display().to_string();
    let dir = dir.as_str();

    lab(&["on", "--dir", dir, "bastion", "true"])
        .run()
        .expect_status(1)
        .expect_stderr_contains("lab up starts it");
    lab(&["up", "--dir", dir])
        .run()
        .expect_status(0)
        .expect_stdout_contains("make lab-down removes it.");
    lab(&["up", "--dir", dir])
        .run()
        .expect_status(1)
        .expect_stderr_contains("is running already");

    let on = ["on", "--dir", dir, "web1", "sh", "-c", "hostname; exit 4"];
    lab(&on).run().expect_status(4).expect_stdout("web1\n");
    let ssh = Invocation::new(folder.join("ssh")).args([proof::WAY, "hostname; exit 5"]);
    ssh.run().expect_status(5).expect_stdout("web1\n");

    let env = std::fs::read_to_string(folder.join("env")).expect("env");
    let pids: Vec<&str> = env
        .lines()
        .filter_map(|line| Some(line.split_once("_PID=")?.1))
        .collect();
    assert_eq!(pids.len(), 4, "client, bastion, web1 and web2: {env}");
    lab(&["down", "--dir", dir]).run().expect_status(0);
    assert!(!folder.exists(), "the lab's folder is left");
    for pid in pids {
        assert!(
            !Path::new("/proc").join(pid).exists(),
            "process {pid} is left"
        );
    }
    lab(&["down", "--dir", dir]).run().expect_status(0);
}

#[test]
fn a_lab_whose_keeper_was_killed_is_gone_and_can_be_taken_down() {
    let parent = tempfile::tempdir().expect("a folder");
    let folder = parent.path().join("lab");
    let dir = folder.display().to_string();
    lab(&["up", "--dir", &dir]).run().expect_status(0);
    let env = std::fs::read_to_string(folder.join("env")).expect("env");
    let first = env
        .lines()
        .find_map(|line| line.strip_prefix("BASTION_PID="))
        .expect("a pid")
        .to_owned();

    // The keeper is the parent of the parent of a host's first process.
    let parent_of = |pid: &str| {
        let found = Invocation::new("ps")
            .args(["-o", "ppid=", "-p", pid])
            .run()
            .expect_status(0);
        found.text().trim().to_owned()
    };
    Invocation::new("kill")
        .args(["-9", &parent_of(&parent_of(&first))])
        .run()
        .expect_status(0);
    eventually(
        "the hosts end with their keeper",
        Duration::from_secs(5),
        || (!Path::new("/proc").join(&first).exists()).then_some(()),
    );
    let on = Invocation::new(folder.join("on"))
        .args(["bastion", "true"])
        .run();
    on.expect_status(2)
        .expect_stderr("on: the lab is not running\n");
    lab(&["down", "--dir", &dir]).run().expect_status(0);
    assert!(!folder.exists(), "the lab's folder is left");
}

#[test]
fn the_demo_runs_one_command_and_has_its_exit_status() {
    lab(&["demo", &format!("ssh {} 'hostname; exit 6'", proof::WAY)])
        .run()
        .expect_status(6)
        .expect_stdout("web1\n");
}

#[test]
fn the_demo_without_a_terminal_shows_the_proof_of_the_way() {
    let shown = lab(&["demo"])
        .run()
        .expect_status(0)
        .expect_stdout_lacks("[NO]");
    let _ = shown
        .expect_stdout_contains("[ok] the word is in the recording")
        .expect_stdout_contains("What to try next:");
}

#[test]
fn the_demo_at_a_terminal_opens_a_shell_on_web1() {
    let mut terminal = lab(&["demo"]).on_terminal();
    terminal.expect("dev@web1: ~");
    terminal.send_line("echo here-is-$(hostname)");
    terminal.expect("here-is-web1");
    terminal.send_line("exit");
    terminal.expect("What to try next:");
    terminal.wait().expect_status(0);
}

#[test]
fn an_interrupted_demo_leaves_nothing() {
    let mut demo = lab(&["demo", "echo \"$PATH\"; sleep 1000"]).spawn();
    let path = eventually("the demo's command runs", Duration::from_secs(60), || {
        demo.stdout_so_far().lines().next().map(str::to_owned)
    });
    let folder = path
        .split("/bin:")
        .next()
        .expect("the lab's folder")
        .to_owned();
    assert!(Path::new(&folder).is_dir(), "{folder} is no folder");
    // As Ctrl-C at a terminal: to the whole session.
    let group = format!("-{}", demo.pid());
    Invocation::new("kill")
        .args(["-INT", "--", &group])
        .run()
        .expect_status(0);
    demo.close_input();
    demo.wait()
        .expect_status(130)
        .expect_within(Duration::from_secs(60));
    assert!(!Path::new(&folder).exists(), "{folder} is left");
}

#[test]
fn a_wrong_command_line_is_told_so() {
    lab(&[])
        .run()
        .expect_status(2)
        .expect_stderr_contains("lab up");
    lab(&["up", "--release", "11"])
        .run()
        .expect_status(1)
        .expect_stderr_contains("Debian 12 and 13");
    lab(&["--help"])
        .run()
        .expect_status(0)
        .expect_stdout_contains("lab demo");
}
