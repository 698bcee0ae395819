//! What passes through a session: bytes, statuses, terminals, file transfers; and what does not.

use std::fs;
use std::sync::OnceLock;

use tests::{Invocation, Lab, Outcome};

const ON_WEB1: &str = "alice@dev@web1@bastion";
const ALICE: &str = "alice@bastion";

/// Hosts that no test of this file changes for the others.
fn lab() -> &'static Lab {
    static LAB: OnceLock<Lab> = OnceLock::new();
    LAB.get_or_init(Lab::everyday)
}

fn on_web1(command: &str) -> Outcome {
    lab().client().ssh([ON_WEB1, command])
}

/// Bytes in which every value occurs, the same each time.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 88_172_645_463_325_252_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}

/// A file of a test's own on this machine.
fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    fs::write(file.path(), bytes).expect("a temporary file takes bytes");
    file
}

fn path(file: &tempfile::NamedTempFile) -> &str {
    file.path().to_str().expect("a path in UTF-8")
}

#[test]
fn every_byte_goes_there_and_back_and_the_end_of_input_too() {
    let sent = noise(2_000_000);
    lab()
        .client()
        .command("ssh", [ON_WEB1, "cat"])
        .input(sent.clone())
        .run()
        .expect_status(0)
        .expect_stdout(sent)
        .expect_stderr("");
}

#[test]
fn standard_error_stays_apart_and_the_status_is_the_commands() {
    on_web1("printf out; printf err >&2; exit 7")
        .expect_status(7)
        .expect_stdout("out")
        .expect_stderr("err");
}

#[test]
fn a_command_that_ends_with_255_or_by_a_signal_says_nothing_of_ours() {
    on_web1("exit 255").expect_status(255).expect_stderr("");
    on_web1("kill -TERM $$")
        .expect_status(255)
        .expect_stderr("");
}

#[test]
fn the_command_arrives_byte_for_byte() {
    let odd = r#"printf '%s|' "a  b" 'c'\''d' "$HOME" \\ "ü"   ; echo  done "#;
    let expected = "a  b|c'd|/home/dev|\\|ü|done\n";
    on_web1(odd).expect_status(0).expect_stdout(expected);
    let as_first_word = format!("dev@web1 \t {odd}");
    lab()
        .client()
        .ssh([ALICE, &as_first_word])
        .expect_status(0)
        .expect_stdout(expected);
}

#[test]
fn a_command_that_looks_like_an_option_of_ssh_is_a_command() {
    let outcome = lab()
        .client()
        .ssh([ALICE, "dev@web1 -oProxyCommand=touch${IFS}/tmp/pwned"]);
    assert!(outcome.error_text().contains("bash"), "{outcome}");
    assert!(!lab().bastion().has("/tmp/pwned"));
}

#[test]
fn the_only_system_user_that_is_granted_need_not_be_named() {
    lab()
        .client()
        .ssh(["alice@web1@bastion", "id -un"])
        .expect_status(0)
        .expect_stdout("dev\n");
    lab()
        .client()
        .ssh([ALICE, "web1 id -un"])
        .expect_stdout("dev\n");
    lab()
        .client()
        .ssh([ALICE, "connect web1 id -un"])
        .expect_stdout("dev\n");
}

/// The labs' hosts agree on something quicker otherwise.
#[test]
fn both_ways_are_served_by_the_key_exchange_that_the_release_itself_prefers() {
    let lab = Lab::everyday();
    for host in [lab.bastion(), lab.web1()] {
        host.run(
            "sed -i 's/^KexAlgorithms .*/LogLevel DEBUG1/' /etc/ssh/sshd_config.d/50-lab.conf",
        )
        .expect_status(0);
        host.reload_sshd();
    }
    lab.client()
        .ssh([ON_WEB1, "echo in"])
        .expect_status(0)
        .expect_stdout("in\n");
    for host in [lab.bastion(), lab.web1()] {
        let log = host.auth_log();
        let agreed = ["sntrup761x25519-sha512", "mlkem768x25519-sha256"];
        let found = agreed
            .iter()
            .any(|name| log.contains(&format!("kex: algorithm: {name}")));
        assert!(found, "{}: {log}", host.name());
    }
}

#[test]
fn a_shell_without_a_terminal_reads_its_script() {
    lab()
        .client()
        .command("ssh", ["-T", ON_WEB1])
        .input("echo from the script\ntty\nexit 4\n")
        .run()
        .expect_status(4)
        .expect_stdout_contains("from the script\nnot a tty\n");
}

#[test]
fn a_shell_on_a_terminal_knows_its_size_its_changes_its_type_and_its_status() {
    let mut shell = lab().client().ssh_on_terminal(["-t", ON_WEB1]);
    shell.expect("dev@web1");
    shell.resize(101, 33);
    shell.send_line("sleep 0.3; stty size; echo TERM is $TERM");
    shell.expect("33 101");
    shell.expect("TERM is ");
    // A line that cat has given back: before that, the key could still meet the shell that is starting cat.
    shell.send_line("echo be''gun; cat");
    shell.expect("begun");
    shell.send_line("purr");
    shell.expect("purr\r\npurr\r\n");
    shell.send("\x03");
    shell.expect("dev@web1");
    shell.send_line("echo interrupted $?");
    shell.expect("interrupted 130");
    shell.send_line("exit 9");
    let shown = shell.wait().expect_status(9).text();
    assert!(!shown.contains("Connection to 198.51.100"), "{shown:?}");
}

#[test]
fn a_command_on_a_terminal_has_one() {
    let terminal = lab()
        .client()
        .ssh_on_terminal(["-tt", ON_WEB1, "tty; stty size; exit 6"]);
    let outcome = terminal.wait().expect_status(6);
    assert!(outcome.text().contains("/dev/pts/"), "{outcome}");
}

#[test]
fn what_is_typed_while_connecting_is_typed_once() {
    let command = "read line; echo got $line; read -t 1 more || echo and no more";
    let mut shell = lab().client().ssh_on_terminal(["-tt", ON_WEB1, command]);
    shell.send_line("early");
    shell.expect("got early");
    shell.expect("and no more");
    shell.wait().expect_status(0);
}

#[test]
fn the_locale_goes_along_and_is_nothing_but_a_text_on_the_way() {
    lab()
        .client()
        .command(
            "ssh",
            [
                "-o",
                "SetEnv=LC_TIME=C LC_EVIL=$(id)",
                ON_WEB1,
                "echo \"$LC_TIME/$LC_EVIL\"",
            ],
        )
        .run()
        // As at a direct login, where sshd accepts LC_*, too.
        .expect_stdout("C/$(id)\n");
}

#[test]
fn files_go_both_ways_by_scp_in_both_protocols() {
    let bytes = noise(300_000);
    let here = file(&bytes);
    let back = file(b"");
    for protocol in ["-s", "-O"] {
        let there = format!("{ON_WEB1}:/tmp/scp{protocol}");
        lab()
            .client()
            .command("scp", [protocol, path(&here), &there])
            .run()
            .expect_status(0);
        assert_eq!(lab().web1().read(format!("/tmp/scp{protocol}")), bytes);
        lab()
            .client()
            .command("scp", [protocol, &there, path(&back)])
            .run()
            .expect_status(0);
        assert!(
            fs::read(back.path()).expect("the copy") == bytes,
            "{protocol}"
        );
    }
}

#[test]
fn sftp_lists_and_fetches() {
    let bytes = noise(100_000);
    lab().web1().write("/srv/by sftp", &bytes);
    let back = file(b"");
    let batch = format!("ls -1 /srv\nget \"/srv/by sftp\" {}\n", path(&back));
    lab()
        .client()
        .command("sftp", ["-b", "-", ON_WEB1])
        .input(batch)
        .run()
        .expect_status(0)
        .expect_stdout_contains("/srv/by sftp");
    assert!(fs::read(back.path()).expect("the copy") == bytes);
}

#[test]
fn rsync_goes_both_ways() {
    let bytes = noise(200_000);
    let (here, back) = (file(&bytes), file(b""));
    let there = format!("{ON_WEB1}:/tmp/by-rsync");
    lab()
        .client()
        .command("rsync", ["-a", path(&here), &there])
        .run()
        .expect_status(0);
    lab()
        .client()
        .command("rsync", ["-a", &there, path(&back)])
        .run()
        .expect_status(0);
    assert!(fs::read(back.path()).expect("the copy") == bytes);
}

#[test]
fn git_pushes_and_clones() {
    lab()
        .web1()
        .run("git init -q --bare -b main \"/srv/it's.git\" && chown -R dev /srv/it*")
        .expect_status(0);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    let (from, to) = (from.to_str().expect("UTF-8"), to.to_str().expect("UTF-8"));
    let local = |words: &[&str]| {
        let identity = [
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b",
            "-c",
            "init.defaultBranch=main",
        ];
        Invocation::new("git")
            .args(identity)
            .args(words)
            .run()
            .expect_status(0)
    };
    drop(local(&["init", "-q", from]));
    fs::write(format!("{from}/word"), "quince\n").expect("a file to commit");
    drop(local(&["-C", from, "add", "word"]));
    drop(local(&["-C", from, "commit", "-qm", "a word"]));
    let remote = format!("{ON_WEB1}:/srv/it's.git");
    lab()
        .client()
        .command("git", ["-C", from, "push", "-q", &remote, "HEAD:main"])
        .run()
        .expect_status(0);
    lab()
        .client()
        .command("git", ["clone", "-q", &remote, to])
        .run()
        .expect_status(0);
    let word = fs::read_to_string(format!("{to}/word")).expect("the clone has the file");
    assert_eq!(word, "quince\n");
}

#[test]
fn no_agent_no_x11_and_no_forwarding_goes_through() {
    let agent = Invocation::new("ssh-agent").args(["ssh", "-V"]).run();
    assert!(agent.succeeded(), "{agent}");
    on_web1("echo agent=$SSH_AUTH_SOCK display=$DISPLAY").expect_stdout("agent= display=\n");
    lab()
        .client()
        .command(
            "ssh",
            [
                "-A",
                "-Y",
                ON_WEB1,
                "echo agent=$SSH_AUTH_SOCK display=$DISPLAY",
            ],
        )
        .variable("DISPLAY", ":7")
        .run()
        .expect_stdout("agent= display=\n");
    lab()
        .client()
        .ssh(["-W", "web1:22", ON_WEB1])
        .expect_status(255)
        .expect_stderr_contains("prohibited");
    lab()
        .client()
        .ssh([
            "-o",
            "ExitOnForwardFailure=yes",
            "-R",
            "2222:localhost:22",
            ON_WEB1,
            "true",
        ])
        .expect_status(255);
}

#[test]
fn a_target_that_is_not_granted_and_one_that_does_not_exist_get_the_same_answer() {
    let answer = |target: &str| {
        let outcome = lab()
            .client()
            .ssh([&format!("alice@{target}@bastion"), "id"])
            .expect_status(126)
            .expect_stdout("");
        outcome.error_text().replace(target, "TARGET")
    };
    // web2 exists and has a system user dev; nobody was granted it.
    assert_eq!(answer("dev@web2"), answer("dev@web9"));
    assert_eq!(
        answer("root@web1"),
        "jms: TARGET is not granted; `ls` lists what you may reach\n"
    );
    assert_eq!(answer("web2"), answer("web9"));
    assert!(answer("dev@web2").contains("did you mean dev@web1?"));
    let events = lab()
        .bastion()
        .run("jmsctl event ls --type session.refused --json");
    assert!(events.text().contains("not-granted"), "{events}");
}

#[test]
fn the_bastions_own_words_print_on_standard_output() {
    let alice = |command: &str| lab().client().ssh([ALICE, command]);
    alice("ls")
        .expect_status(0)
        .expect_stdout("dev@web1  shell,exec,upload,download\n");
    let object = alice("ls --json").json().expect("one object");
    assert_eq!(object["target"], "dev@web1");
    let object = alice("whoami --json").json().expect("one object");
    assert_eq!(
        (&object["user"], &object["factors"]),
        (&"alice".into(), &"publickey".into())
    );
    assert!(
        object["key"]
            .as_str()
            .is_some_and(|key| key.starts_with("SHA256:")),
        "{object}"
    );
    alice("version")
        .expect_status(0)
        .expect_stdout_contains("jms ");
    alice("help")
        .expect_status(0)
        .expect_stdout_contains("SYSTEM_USER@ASSET");
}

#[test]
fn what_is_no_request_is_told_so_with_status_2() {
    let alice = |command: &str| {
        lab()
            .client()
            .ssh([ALICE, command])
            .expect_status(2)
            .expect_stdout("")
    };
    drop(alice("transfers").expect_stderr("jms: transfers: not in this version\n"));
    drop(
        alice("mfa borrow")
            .expect_stderr_contains("jms: usage: ")
            .expect_stderr_contains("mfa enroll|renew|recovery|verify"),
    );
    drop(alice("ls a b").expect_stderr("jms: usage: ls [TEXT] [--group /PATH] [--json]\n"));
    drop(alice("/bin/sh").expect_stderr_contains("jms: say where to"));
    drop(
        alice("scp -t /tmp")
            .expect_stderr_contains("jms: say where to: scp needs the target in the login name"),
    );
    lab()
        .client()
        .ssh(["-T", ALICE])
        .expect_status(2)
        .expect_stderr_contains("jms: say where to");
    lab()
        .client()
        .ssh(["alice@a@b@web1@bastion", "id"])
        .expect_status(2)
        .expect_stderr_contains("is not a target");
}

#[test]
fn two_commands_run_over_one_connection() {
    let socket = tempfile::tempdir().expect("a temporary folder");
    let path = format!("ControlPath={}/mux", socket.path().display());
    let master = lab()
        .client()
        .command("ssh", ["-M", "-N", "-o", &path, ON_WEB1])
        .spawn();
    tests::eventually(
        "the master is up",
        std::time::Duration::from_secs(10),
        || socket.path().join("mux").exists().then_some(()),
    );
    for word in ["one", "two"] {
        lab()
            .client()
            .ssh(["-o", &path, ON_WEB1, &format!("echo {word}")])
            .expect_stdout(format!("{word}\n"));
    }
    drop(master);
}

#[test]
fn a_commands_output_is_recorded_and_a_files_bytes_are_not() {
    drop(on_web1("echo recorded-quince"));
    let secret = file(b"unrecorded-medlar");
    lab()
        .client()
        .command("scp", [path(&secret), &format!("{ON_WEB1}:/tmp/medlar")])
        .run()
        .expect_status(0);
    let recordings = lab()
        .bastion()
        .run("find /var/lib/jms/recordings -name '*.zst' -exec zstd -dcq {} + 2>/dev/null");
    assert!(
        recordings.text().contains("recorded-quince"),
        "{recordings}"
    );
    assert!(!recordings.text().contains("unrecorded-medlar"));
    assert!(
        recordings
            .text()
            .contains("the bytes of files are not recorded")
    );
}
