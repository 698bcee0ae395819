//! `pam_jms.so` as PAM loads it: its symbols, and what it does with helpers of every kind.

mod sandbox;

use std::fs;
use std::process::Command;
use std::time::Duration;

use sandbox::{Ran, Sandbox, module, pamtester};

/// What syslog(3) sends for facility authpriv, severity alert.
const ALERT: &str = "<81>";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// Consumes the request, as an honest helper does.
const READ: &str = "head -c 12 >$SEEN/header; length=$(tail -c 4 $SEEN/header | od -An -tu4 --endian=big | tr -d ' '); head -c $length >$SEEN/body; cp $SEEN/body $SEEN/body.$$";
const YES: &str = r"printf 'JMSP\0\001\001\000\0\0\0\010\0\0\0\0\0\0\0\0'";

/// After a yes: the helper stays for the next question.
const WAITS: &str = r"printf 'JMSP\0\002\001\003\0\0\0\0'";
/// What the helper was started with, a line each time.
const STARTED: &str = "echo started \"$@\" >>$SEEN/starts";

fn yes_with(name: &str, value: &str) -> String {
    let length = 4 + 4 + 4 + name.len() + 4 + value.len();
    format!(
        r"printf 'JMSP\0\001\001\000\0\0\0\{length:03o}\0\0\0\0\0\0\0\001\0\0\0\{:03o}{name}\0\0\0\{:03o}{value}'",
        name.len(),
        value.len(),
    )
}

fn no(refusal: u8, message: &str) -> String {
    let length = 4 + 4 + message.len();
    format!(
        r"printf 'JMSP\0\001\001\001\0\0\0\{length:03o}\0\0\0\{refusal:03o}\0\0\0\{:03o}{message}'",
        message.len()
    )
}

fn account(helper: &str) -> Ran {
    Sandbox::new()
        .helper(helper)
        .pam("sshd", "alice", &["acct_mgmt"])
}

fn readelf(option: &str) -> String {
    let output = Command::new("readelf")
        .args(["--wide", option])
        .arg(module())
        .output()
        .expect("readelf(1) runs");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn it_exports_the_six_hooks_and_nothing_else() {
    let symbols = readelf("--dyn-syms");
    let mut exported: Vec<&str> = symbols
        .lines()
        .filter(|line| line.contains(" GLOBAL ") && !line.contains(" UND "))
        .filter_map(|line| line.split_whitespace().last())
        .collect();
    exported.sort_unstable();
    assert_eq!(
        exported,
        [
            "pam_sm_acct_mgmt",
            "pam_sm_authenticate",
            "pam_sm_chauthtok",
            "pam_sm_close_session",
            "pam_sm_open_session",
            "pam_sm_setcred"
        ]
    );
}

#[test]
fn it_needs_libc_and_libpam_only() {
    let dynamic = readelf("--dynamic");
    let mut needed: Vec<&str> = dynamic
        .lines()
        .filter(|line| line.contains("(NEEDED)"))
        .filter_map(|line| line.split(['[', ']']).nth(1))
        .collect();
    needed.sort_unstable();
    for library in &needed {
        let known = ["libc.so.6", "libpam.so.0", "libgcc_s.so.1"].contains(library)
            || library.starts_with("ld-linux");
        assert!(known, "{needed:?}");
    }
    assert!(needed.contains(&"libpam.so.0"));
}

#[test]
fn a_yes_lets_in_and_hands_the_token_over() {
    let ran = account(&format!("{READ}; {YES}"));
    assert!(ran.went_well(), "{} {:?}", ran.text(), ran.log);
    let open = yes_with("JMS_LOGIN", TOKEN);
    // pamtester's phases share one PAM handle, as sshd's do: close_session has the token.
    let sandbox = Sandbox::new().helper(&format!(
        "{READ}; if [ -e $SEEN/opened ]; then {YES}; else touch $SEEN/opened; {open}; fi"
    ));
    let ran = sandbox.pam("sshd", "alice@dev@web1", &["open_session", "close_session"]);
    // The name service of the sandbox knows no targets: nobody of ours.
    assert!(ran.went_well(), "{}", ran.text());
    assert!(!sandbox.seen("opened").exists());
    let ran = sandbox.pam(
        "sshd",
        "alice",
        &["setcred", "open_session", "close_session"],
    );
    assert!(ran.went_well(), "{} {:?}", ran.text(), ran.log);
    let asked = fs::read(sandbox.seen("body")).expect("a request");
    let contains = |text: &str| {
        asked
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    for text in [
        "alice",
        "sshd",
        "203.0.113.7 50022 192.0.2.1 22",
        "publickey ssh-ed25519 AAAA",
        TOKEN,
    ] {
        assert!(contains(text), "{text}");
    }
}

#[test]
fn a_no_keeps_out_and_its_sentence_is_shown() {
    let sentence = "jms: this account is disabled; ask your administrator";
    let ran = account(&format!("{READ}; {}", no(2, sentence)));
    assert!(!ran.went_well());
    assert!(ran.text().contains(sentence), "{}", ran.text());
    assert!(ran.text().contains("Permission denied"), "{}", ran.text());
    let ran = account(&format!("{READ}; {}", no(4, "jms: expired")));
    assert!(
        ran.text().contains("User account has expired"),
        "{}",
        ran.text()
    );
}

#[test]
fn the_helper_is_not_root_and_starts_clean() {
    let sandbox = Sandbox::new().helper(&format!(
        "cat /proc/self/status >$SEEN/status; env >$SEEN/env; ls /proc/self/fd >$SEEN/fd; \
         readlink /proc/self/fd/2 >$SEEN/two; pwd >$SEEN/pwd; umask >$SEEN/umask; \
         ulimit -c >$SEEN/core; {READ}; {YES}"
    ));
    let command = pamtester("sshd", "alice", &["acct_mgmt"]);
    let ran = sandbox.run(&format!(
        "trap '' PIPE HUP; export SECRET=1; umask 0; exec {command} 7</dev/null 8</etc/passwd"
    ));
    assert!(ran.went_well(), "{} {:?}", ran.text(), ran.log);
    let seen = |name: &str| fs::read_to_string(sandbox.seen(name)).expect(name);
    let status = seen("status");
    let line = |name: &str| -> Vec<String> {
        let line = status
            .lines()
            .find(|line| line.starts_with(name))
            .expect(name);
        line.split_whitespace().skip(1).map(str::to_owned).collect()
    };
    assert_eq!(line("Uid:"), ["64998"; 4]);
    assert_eq!(line("Gid:"), ["64998"; 4]);
    assert_eq!(line("Groups:"), ["64998"]);
    assert_eq!(line("NoNewPrivs:"), ["1"]);
    for set in ["CapPrm:", "CapEff:", "CapAmb:", "SigBlk:", "SigIgn:"] {
        let bits = u64::from_str_radix(&line(set)[0], 16).expect("hexadecimal");
        // 32 and 33 are the C library's own; no program can set them.
        assert_eq!(bits & !0x1_8000_0000, 0, "{set} {bits:x}");
    }
    // dash has set PWD, which is not exported from nothing; no variable of the host program came.
    assert!(!seen("env").contains("SECRET"), "{}", seen("env"));
    assert!(!seen("env").contains("PATH="), "{}", seen("env"));
    // 0, 1 and 2, and the folder that ls itself has open.
    assert_eq!(seen("fd").lines().count(), 4, "{}", seen("fd"));
    assert_eq!(seen("two").trim(), "/dev/null");
    assert_eq!(
        (
            seen("pwd").trim(),
            seen("umask").trim(),
            seen("core").trim()
        ),
        ("/", "0077", "0")
    );
}

#[test]
fn a_missing_helper_is_a_refusal_that_says_so() {
    let ran = Sandbox::new().pam("sshd", "alice", &["acct_mgmt"]);
    assert!(!ran.went_well());
    assert!(
        ran.logged("jms-pam-helper is missing or cannot be executed"),
        "{:?}",
        ran.log
    );
    assert!(
        ran.text()
            .contains("jms: the bastion cannot let you in just now"),
        "{}",
        ran.text()
    );
    let ran = Sandbox::new().pam("sshd", "alice", &["open_session"]);
    assert!(!ran.went_well());
    assert!(!ran.text().contains("jms:"), "{}", ran.text());
    assert!(
        ran.text().contains("Cannot make/remove an entry"),
        "{}",
        ran.text()
    );
}

#[test]
fn a_dying_helper_is_a_refusal_whatever_it_said() {
    for (helper, logged) in [
        ("exit 0".to_owned(), "closed without a message"),
        ("exit 3".to_owned(), "exit status: 3"),
        ("kill -9 $$".to_owned(), "signal: 9"),
        (format!("{READ}; {YES}; exit 1"), "exit status: 1"),
        (format!("{READ}; {YES}; kill -11 $$"), "signal: 11"),
        (
            format!("{READ}; {YES} | head -c 15"),
            "in the middle of a message",
        ),
        (
            format!("{READ}; {YES} | head -c 5"),
            "in the middle of a message",
        ),
    ] {
        let ran = account(&helper);
        assert!(!ran.went_well(), "{helper}");
        assert!(ran.logged(logged), "{helper}: {:?}", ran.log);
        assert!(ran.log[0].contains("pam_jms(sshd:account): user \"alice\": refused"));
        assert!(ran.log[0].starts_with(ALERT), "{:?}", ran.log);
    }
}

#[test]
fn a_slow_helper_is_ended_after_five_seconds() {
    for helper in [
        "echo $$ >$SEEN/pid; exec sleep 60".to_owned(),
        format!("echo $$ >$SEEN/pid; {READ}; {YES}; exec sleep 60"),
        format!("echo $$ >$SEEN/pid; {READ}; {YES}; exec sleep 60 <&- >&-"),
        format!("echo $$ >$SEEN/pid; trap '' TERM; {READ}; printf JMSP; exec sleep 60"),
    ] {
        let sandbox = Sandbox::new().helper(&helper);
        let ran = sandbox.pam("sshd", "alice", &["acct_mgmt"]);
        assert!(!ran.went_well(), "{helper}");
        assert!(
            ran.time < Duration::from_millis(6500),
            "{helper}: {:?}",
            ran.time
        );
        assert!(
            ran.time >= Duration::from_secs(5),
            "{helper}: {:?}",
            ran.time
        );
        assert!(
            ran.logged("did not answer within 5 seconds"),
            "{helper}: {:?}",
            ran.log
        );
        let pid = fs::read_to_string(sandbox.seen("pid")).expect("a pid");
        let process = format!("/proc/{}", pid.trim());
        assert!(!fs::exists(&process).expect("a look"), "{process} is left");
    }
}

#[test]
fn a_lying_helper_is_a_refusal() {
    for (helper, logged) in [
        (format!("{READ}; {YES}; {YES}"), "more than its answer"),
        (
            format!("{READ}; echo yes, let her in, she is fine"),
            "not a message",
        ),
        (format!("{READ}; seq 100000"), "not a message"),
        (
            format!("{READ}; {}", YES.replace("JMSP\\0\\001", "JMSP\\0\\003")),
            "speaks version 3",
        ),
        (
            format!("{READ}; {}", YES.replace("\\010", "\\011")),
            "in the middle",
        ),
        (
            format!("{READ}; {}", yes_with("LD_PRELOAD", "/tmp/x.so")),
            "variables in a phase",
        ),
        (
            format!(r"{READ}; printf 'JMSP\0\001\001\001\0\0\0\013\0\0\0\002\0\0\0\003a\033b'"),
            "message has a value",
        ),
        (format!("{READ}; {}", no(99, "")), "refusal code"),
        (
            format!(r"{READ}; printf 'JMSP\0\002\001\002\0\0\0\011\0\0\0\004code\0'"),
            "wants to ask the person",
        ),
        // What the module may say, thrown back at it.
        (
            format!("{READ}; cat $SEEN/header $SEEN/body"),
            "unexpected kind",
        ),
    ] {
        let ran = account(&helper);
        assert!(!ran.went_well(), "{helper}");
        assert!(ran.logged(logged), "{helper}: {:?}", ran.log);
        assert!(ran.log[0].starts_with(ALERT), "{:?}", ran.log);
        assert!(
            ran.time < Duration::from_secs(4),
            "{helper}: {:?}",
            ran.time
        );
    }
}

fn starts(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.seen("starts")).unwrap_or_default()
}

#[test]
fn a_helper_that_stays_answers_account_and_session() {
    let open = yes_with("JMS_LOGIN", TOKEN);
    let sandbox = Sandbox::new().helper(&format!(
        "{STARTED}; {READ}; {YES}; {WAITS}; {READ}; {open}"
    ));
    for host in ["", "trap '' CHLD; "] {
        let command = pamtester("sshd", "alice", &["acct_mgmt", "open_session"]);
        let ran = sandbox.run(&format!("{host}exec {command}"));
        assert!(ran.went_well(), "{} {:?}", ran.text(), ran.log);
        assert_eq!(starts(&sandbox), "started --stay\n");
        fs::remove_file(sandbox.seen("starts")).expect("removes");
    }
    // Only before a session is it told that it may.
    let sandbox = Sandbox::new().helper(&format!("{STARTED}; {READ}; {open}"));
    let ran = sandbox.pam("sshd", "alice", &["open_session"]);
    assert!(ran.went_well(), "{} {:?}", ran.text(), ran.log);
    assert_eq!(starts(&sandbox), "started\n");
}

#[test]
fn a_helper_that_waits_is_ended_with_the_login() {
    let sandbox = Sandbox::new().helper(&format!(
        "echo $$ >$SEEN/pid; {READ}; {YES}; {WAITS}; exec sleep 60"
    ));
    let ran = sandbox.pam("sshd", "alice", &["acct_mgmt"]);
    assert!(ran.went_well(), "{} {:?}", ran.text(), ran.log);
    assert!(ran.time < Duration::from_secs(4), "{:?}", ran.time);
    let pid = fs::read_to_string(sandbox.seen("pid")).expect("a pid");
    assert!(!fs::exists(format!("/proc/{}", pid.trim())).expect("a look"));
}

#[test]
fn a_helper_that_went_while_it_waited_is_started_anew_if_it_went_well() {
    let open = yes_with("JMS_LOGIN", TOKEN);
    let first = |end: &str| {
        format!(
            "{STARTED}; {READ}; if [ -e $SEEN/went ]; then {open}; exit; fi; touch $SEEN/went; {YES}; {WAITS}; {end}"
        )
    };
    // setcred lies between the two, as in sshd, and asks nobody.
    let phases = ["acct_mgmt", "setcred", "open_session"];
    let sandbox = Sandbox::new().helper(&first("exit 0"));
    let ran = sandbox.pam("sshd", "alice", &phases);
    assert!(ran.went_well(), "{} {:?}", ran.text(), ran.log);
    assert_eq!(starts(&sandbox), "started --stay\nstarted\n");
    for (end, logged) in [
        ("exit 3", "exit status: 3"),
        ("kill -11 $$", "signal: 11"),
        ("exec sleep 60", "did not answer within 5 seconds"),
        // Said before it was asked, or just after: no answer either way.
        ("printf x; sleep 1", "refused: jms-pam-helper"),
    ] {
        let sandbox = Sandbox::new().helper(&first(end));
        let ran = sandbox.pam("sshd", "alice", &phases);
        assert!(!ran.went_well(), "{end}");
        assert!(ran.logged(logged), "{end}: {:?}", ran.log);
        assert_eq!(starts(&sandbox), "started --stay\n", "{end}");
    }
}

#[test]
fn staying_without_a_yes_or_without_having_been_asked_is_a_refusal() {
    let open = yes_with("JMS_LOGIN", TOKEN);
    for (helper, phase) in [
        (
            format!("{READ}; {}; {WAITS}", no(2, "jms: no")),
            "acct_mgmt",
        ),
        (format!("{READ}; {open}; {WAITS}"), "open_session"),
        (format!("{READ}; {YES}; {WAITS}; printf x"), "acct_mgmt"),
    ] {
        let sandbox = Sandbox::new().helper(&helper);
        let ran = sandbox.pam("sshd", "alice", &[phase, "open_session"]);
        assert!(!ran.went_well(), "{helper}");
        assert!(
            ran.logged("refused: jms-pam-helper"),
            "{helper}: {:?}",
            ran.log
        );
    }
    let ran = account(&format!("{READ}; {WAITS}; {YES}"));
    assert!(!ran.went_well());
    assert!(ran.logged("unexpected kind"), "{:?}", ran.log);
}

#[test]
fn local_users_are_left_alone_whatever_is_broken() {
    let phases = [
        "authenticate",
        "setcred",
        "acct_mgmt",
        "open_session",
        "close_session",
        "chauthtok",
    ];
    for helper in ["exec sleep 60", "exit 1", "seq 100000"] {
        for service in ["sshd", "su"] {
            for user in ["root", "bob"] {
                let ran = Sandbox::new().helper(helper).pam(service, user, &phases);
                assert!(ran.went_well(), "{service} {user}: {}", ran.text());
                assert_eq!(ran.log, Vec::<String>::new());
            }
        }
    }
}

#[test]
fn without_a_good_uid_range_there_are_no_virtual_users() {
    let without = Sandbox::new().helper("exit 1").without_uid_range();
    assert!(
        without
            .pam("sshd", "root", &["acct_mgmt", "open_session"])
            .went_well()
    );
    for bad in [
        "",
        "range 0-99999\njms-users 998\njms-mfa 997\n",
        "garbage \u{0}",
    ] {
        let sandbox = Sandbox::new().helper("exit 1");
        sandbox.uid_range(bad);
        for user in ["root", "bob", "alice"] {
            assert!(
                sandbox.pam("sshd", user, &["acct_mgmt"]).went_well(),
                "{bad:?}"
            );
        }
    }
    // The same, and a good file: it was the file.
    assert!(
        !Sandbox::new()
            .helper("exit 1")
            .pam("sshd", "alice", &["acct_mgmt"])
            .went_well()
    );
}

#[test]
fn a_uid_range_that_is_a_fifo_does_not_hang_anybody() {
    let sandbox = Sandbox::new();
    let command = pamtester("sshd", "root", &["acct_mgmt"]);
    let ran = sandbox.run(&format!(
        "rm /etc/jms/uid-range; mkfifo /etc/jms/uid-range; exec {command}"
    ));
    assert!(ran.went_well(), "{}", ran.text());
    assert!(ran.time < Duration::from_secs(4), "{:?}", ran.time);
}

#[test]
fn outside_sshd_a_virtual_user_is_refused_and_nobody_is_asked() {
    for phase in [
        "authenticate",
        "setcred",
        "acct_mgmt",
        "open_session",
        "close_session",
        "chauthtok",
    ] {
        let sandbox = Sandbox::new().helper(&format!("touch $SEEN/asked; {READ}; {YES}"));
        let ran = sandbox.pam("su", "alice", &[phase]);
        assert!(!ran.went_well(), "{phase}");
        assert!(
            ran.logged("users of the bastion exist for sshd only"),
            "{:?}",
            ran.log
        );
        assert!(!sandbox.seen("asked").exists(), "{phase}");
    }
}

#[test]
fn sshd_gets_no_password_prompt_from_us() {
    let ran =
        Sandbox::new()
            .helper(&format!("{READ}; {YES}"))
            .pam("sshd", "alice", &["authenticate"]);
    assert!(!ran.went_well());
    assert!(!ran.text().contains("assword"), "{}", ran.text());
}

#[test]
fn strange_host_programs_get_the_same_answers() {
    let yes = Sandbox::new().helper(&format!("{READ}; {YES}"));
    let dead = Sandbox::new().helper(&format!("{READ}; {YES}; exit 9"));
    let command = pamtester("sshd", "alice", &["acct_mgmt"]);
    for host in [
        // Children's statuses are thrown away by the kernel.
        format!("trap '' CHLD; exec {command}"),
        // The three standard descriptors are closed.
        format!("exec {command} <&- >&- 2>&-"),
        // Few descriptors, little processor time, core files.
        format!("ulimit -n 32; ulimit -t 3; ulimit -c unlimited; exec {command}"),
    ] {
        let ran = yes.run(&host);
        assert!(ran.went_well(), "{host}: {} {:?}", ran.text(), ran.log);
        let ran = dead.run(&host);
        assert!(!ran.went_well(), "{host}");
        assert!(ran.logged("exit status: 9"), "{host}: {:?}", ran.log);
    }
}

#[test]
fn without_the_service_user_nobody_of_ours_gets_in() {
    let command = pamtester("sshd", "alice", &["acct_mgmt"]);
    for (edit, logged) in [
        ("/^jms:/d", "there is no user jms"),
        ("s/^jms:x:64998:64998/jms:x:0:64998/", "uid or gid 0"),
        ("s/^jms:x:64998:64998/jms:x:64998:0/", "uid or gid 0"),
    ] {
        let sandbox = Sandbox::new().helper(&format!("touch $SEEN/asked; {READ}; {YES}"));
        let ran = sandbox.run(&format!("sed -i '{edit}' /etc/passwd; exec {command}"));
        assert!(!ran.went_well(), "{edit}");
        assert!(ran.logged(logged), "{edit}: {:?}", ran.log);
        assert!(!sandbox.seen("asked").exists());
    }
}
