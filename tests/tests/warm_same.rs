//! What a session over a connection that stayed does, byte for byte and status for status, is what it does over one of its
//! own: commands, input, terminals, signals, files.

use std::fs;
use std::sync::{Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use tests::kept::{client, clients, logins, nothing_is_left, stay};
use tests::{End, Invocation, Lab, Outcome, eventually};

const WAY: &str = "alice@dev@web1@bastion";
const SOON: Duration = Duration::from_secs(20);

fn lab() -> MutexGuard<'static, Lab> {
    static LAB: OnceLock<Mutex<Lab>> = OnceLock::new();
    let lab = LAB.get_or_init(|| {
        let lab = Lab::everyday();
        // The asset greets who logs in, not who comes onto a connection that is there: docs/warm.md.
        let quiet = lab.web1().run(": >/etc/motd; rm -f /etc/update-motd.d/*");
        drop(quiet.expect_status(0));
        Mutex::new(lab)
    });
    lab.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// The same twice: over connections of their own, and over one that is there already and is the only one afterwards.
#[track_caller]
fn same<Seen: PartialEq + std::fmt::Debug>(lab: &Lab, what: &str, see: impl Fn() -> Seen) {
    stay(lab, 0, "");
    drop(lab.client().ssh([WAY, "true"]).expect_status(0));
    nothing_is_left(lab);
    let own = see();
    stay(lab, 600, "");
    drop(lab.client().ssh([WAY, "true"]).expect_status(0));
    let (kept, before) = (client(lab), logins(lab.web1()));
    let over_kept = see();
    assert_eq!(own, over_kept, "{what}");
    assert_eq!((client(lab), logins(lab.web1())), (kept, before), "{what}");
}

fn seen(outcome: Outcome) -> (End, String, String) {
    (outcome.end, outcome.text(), outcome.error_text())
}

#[test]
fn commands_have_their_bytes_errors_and_statuses() {
    let lab = lab();
    let large: Vec<u8> = (0..=255).cycle().take(2_000_000).collect();
    let commands: [(&[&str], &[u8]); 16] = [
        (&[WAY, "true"], b""),
        (&[WAY, "exit 3"], b""),
        (&[WAY, "exit 255"], b""),
        (&[WAY, "no-such-program"], b""),
        (&[WAY, "kill -TERM $$"], b""),
        (&[WAY, "kill -KILL $$"], b""),
        (&[WAY, "printf out; printf err >&2; exit 7"], b""),
        (&[WAY, "cat; echo end; exit 4"], &large),
        (&[WAY, "sha256sum; echo more >&2"], &large),
        (&[WAY, "head -c 10"], &large),
        (&[WAY, "exec >&- 2>&-; cat >/dev/null; exit 5"], b"late"),
        (
            &[
                WAY,
                "printf '%s|' 'a  b' \"$HOME\" \"c'd\"; echo \\\\ $SHELL $LANG $TERM",
            ],
            b"",
        ),
        (
            &[WAY, "env | cut -d= -f1 | grep -v -e SSH_ -e XDG_ | sort"],
            b"",
        ),
        (&["-T", WAY], b"echo script; id -un; exit 6\n"),
        (&["-n", WAY, "cat; echo nothing"], b""),
        (
            &[
                "-o",
                "SetEnv=LC_TIME=C LC_ALL=C.UTF-8",
                WAY,
                "echo $LC_TIME $LC_ALL",
            ],
            b"",
        ),
    ];
    same(&lab, "commands", || {
        let all = commands.iter().map(|(words, input)| {
            let command = lab.client().command("ssh", *words);
            let outcome = command.input(input.to_vec()).run();
            let given_back = outcome.stdout.starts_with(&large);
            let (end, mut text, errors) = seen(outcome);
            if given_back {
                text = text.split_off(text.len() - 10);
            }
            (words.join(" "), end, given_back, text, errors)
        });
        all.collect::<Vec<_>>()
    });
}

#[test]
fn terminals_have_their_size_its_changes_their_modes_and_the_keys_that_interrupt() {
    let lab = lab();
    let commands: [&[&str]; 3] = [
        &["-tt", WAY, "stty -a; stty size; echo $TERM; exit 6"],
        &["-tt", WAY, "kill -HUP $$"],
        &["-tt", WAY, "printf 'a\\r\\nb\\tc\\033[1m'; exit 0"],
    ];
    same(&lab, "terminals", || {
        let mut all: Vec<(End, String)> = Vec::new();
        for words in commands {
            let terminal = lab.client().command("ssh", words);
            let terminal = terminal.in_window(97, 31).on_terminal();
            let outcome = terminal.wait();
            all.push((outcome.end, outcome.text()));
        }
        let shell = lab.client().command("ssh", ["-tt", WAY, "sh"]);
        let mut shell = shell.in_window(97, 31).on_terminal();
        shell.expect("$");
        for (columns, lines) in [(101, 33), (44, 12)] {
            shell.resize(columns, lines);
            eventually("the size has arrived", SOON, || {
                shell.send_line("stty size");
                shell
                    .expect("$")
                    .contains(&format!("{lines} {columns}"))
                    .then_some(())
            });
        }
        // A line that cat has given back: before that, the key could still meet the shell that is starting cat.
        shell.send_line("echo be''gun; cat");
        shell.expect("begun");
        shell.send_line("purr");
        shell.expect("purr\r\npurr\r\n");
        shell.send("\x03");
        shell.expect("$");
        shell.send_line("echo interrupted $?");
        shell.expect("interrupted 130");
        // The terminal of a command that reads hidden input.
        shell.send_line("printf 'secret: '; stty -echo; read it; stty echo; echo; echo \"[$it]\"");
        shell.expect("secret: ");
        eventually("it is not shown", SOON, || {
            let modes = lab
                .web1()
                .run("stty -F $(ls /dev/pts/[0-9]* | head -n 1) -a");
            modes.text().contains("-echo ")
        });
        shell.send_line("quince");
        shell.expect("[quince]");
        shell.send_line("exit 9");
        all.push((shell.wait().end, String::new()));
        all
    });
}

#[test]
fn a_person_who_hangs_up_ends_the_command_and_no_other_session() {
    let lab = lab();
    stay(&lab, 600, "");
    let other = lab.client().command("ssh", [WAY, "echo up; cat"]).spawn();
    eventually("it is up", SOON, || other.stdout_so_far() == "up\n");
    let kept = client(&lab);
    let mut other = other;
    for words in [
        ["-tt", WAY, "echo up; sleep 1000 ; : 5900001"],
        [
            "-T",
            WAY,
            "trap 'exit 0' PIPE; echo up; while echo .; do sleep 0.05; done; : 5900001",
        ],
    ] {
        let mut gone = lab.client().command("ssh", words).spawn();
        eventually("it is up", SOON, || gone.stdout_so_far().starts_with("up"));
        gone.kill();
        drop(gone.wait());
        eventually("its command has ended", SOON, || {
            !lab.web1().run("pgrep -f '[5]900001'").succeeded()
        });
    }
    other.write("still\n");
    eventually("it answers", SOON, || {
        other.stdout_so_far() == "up\nstill\n"
    });
    other.close_input();
    drop(other.wait().expect_status(0));
    assert_eq!(clients(&lab), [kept]);
}

#[test]
fn files_go_both_ways_with_every_program() {
    let lab = lab();
    drop(
        lab.web1()
            .run("git init -q --bare -b main /srv/it.git && chown -R dev /srv")
            .expect_status(0),
    );
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let bytes: Vec<u8> = (0..=255).cycle().take(700_001).collect();
    fs::write(path("sent"), &bytes).expect("a file");
    let git = |words: &[&str]| {
        let who = [
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b",
            "-c",
            "init.defaultBranch=main",
        ];
        drop(
            Invocation::new("git")
                .args(who)
                .args(words)
                .run()
                .expect_status(0),
        );
    };
    git(&["init", "-q", &path("from")]);
    fs::write(path("from/word"), "quince\n").expect("a file");
    git(&["-C", &path("from"), "add", "word"]);
    git(&["-C", &path("from"), "commit", "-qm", "a word"]);
    let there = format!("{WAY}:/srv/there");
    let missing = format!("{WAY}:/srv/missing");
    let remote = format!("{WAY}:/srv/it.git");
    let (sent, back) = (path("sent"), path("back"));
    let (from, to) = (path("from"), path("to"));
    let branch = "HEAD:main";
    let programs: [(&str, Vec<&str>); 11] = [
        ("scp", vec!["-q", "-s", &sent, &there]),
        ("scp", vec!["-q", "-s", &there, &back]),
        ("scp", vec!["-q", "-O", &sent, &there]),
        ("scp", vec!["-q", "-O", &there, &back]),
        ("scp", vec!["-q", "-O", &missing, &back]),
        ("scp", vec!["-q", "-s", &missing, &back]),
        ("rsync", vec!["-a", &sent, &there]),
        ("rsync", vec!["-a", &there, &back]),
        ("rsync", vec!["-a", &missing, &back]),
        ("git", vec!["-C", &from, "push", "-q", &remote, branch]),
        ("git", vec!["clone", "-q", &remote, &to]),
    ];
    same(&lab, "files", || {
        drop(
            lab.web1()
                .run("rm -rf /srv/there; git -C /srv/it.git update-ref -d refs/heads/main; true"),
        );
        let _ = fs::remove_dir_all(&to);
        let mut all = Vec::new();
        for (program, words) in &programs {
            let _ = fs::remove_file(&back);
            all.push(seen(lab.client().command(program, words).run()));
            if words.last() == Some(&back.as_str()) && !words.contains(&missing.as_str()) {
                assert!(fs::read(&back).expect("the copy") == bytes, "{words:?}");
            }
            if words.last() == Some(&there.as_str()) {
                assert!(lab.web1().read("/srv/there") == bytes, "{words:?}");
            }
        }
        assert_eq!(
            fs::read_to_string(path("to/word")).expect("the clone"),
            "quince\n"
        );
        let batch = format!(
            "ls -1 /srv\nget /srv/there {back}\nrename /srv/there /srv/moved\nrm /srv/moved\nget /srv/missing\n"
        );
        let sftp = lab.client().command("sftp", ["-q", "-b", "-", WAY]);
        all.push(seen(sftp.input(batch).run()));
        assert!(fs::read(&back).expect("the copy") == bytes);
        assert!(
            all.iter().filter(|it| it.0 != End::Status(0)).count() == 4,
            "{all:?}"
        );
        all
    });
}
