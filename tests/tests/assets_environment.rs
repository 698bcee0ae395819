//! What a session finds at the asset is what a direct login finds there: environment, folder, umask, terminal modes, locale,
//! window. The direct login comes from the bastion, so that both have the same source.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tests::boot::authorize;
use tests::{Invocation, Lab, eventually};

const TARGET: &str = "alice@dev@web1@bastion";

/// Writes what it finds, name by name, to `/tmp/seen-NAME`. What cannot be the same (a source port, the number of
/// a terminal) is made so. Signals are those of the shell that asks: one that is just starting another has all of them blocked.
const PROBE: &str = r#"#!/bin/sh
exec 3>"/tmp/seen-$1.part"
{
    echo "[environment]"; tr '\0' '\n' </proc/$$/environ | LC_ALL=C sort
    echo "[folder and umask]"; pwd; umask; id
    echo "[limits]"; cat /proc/$$/limits
    echo "[signals]"; while read -r line; do case $line in Sig[BIC]*) echo "$line" ;; esac; done </proc/self/status
    echo "[parent]"; tr '\0' ' ' </proc/$PPID/cmdline; echo
    echo "[descriptors]"; for number in 0 1 2; do test -t $number && echo "$number is a terminal"; done
    echo "[locale]"; locale 2>&1
    echo "[terminal]"; tty; stty -a 2>&1
} | sed -E 's/^(SSH_(CLIENT|CONNECTION)=[^ ]+) [0-9]+/\1 PORT/; s/pts\/[0-9]+/pts\/N/' >&3
mv "/tmp/seen-$1.part" "/tmp/seen-$1"
"#;

/// Writes the size of its window to the file that it is given, a line at the start and one for each change.
const SIZES: &str = r#"#!/usr/bin/python3
import os, signal, sys
def size(*_):
    columns, rows = os.get_terminal_size(0)
    with open(sys.argv[1], "a") as file:
        print(columns, rows, file=file)
signal.signal(signal.SIGWINCH, size)
size()
while True:
    signal.pause()
"#;

fn lab() -> &'static Lab {
    static LAB: OnceLock<Lab> = OnceLock::new();
    LAB.get_or_init(|| {
        let lab = Lab::everyday();
        let web1 = lab.web1();
        web1.write("/usr/local/bin/probe", PROBE);
        web1.write("/usr/local/bin/sizes", SIZES);
        web1.run("chmod 755 /usr/local/bin/probe /usr/local/bin/sizes")
            .expect_status(0);
        lab.bastion()
            .run("ssh-keygen -q -t ed25519 -N '' -C direct -f /root/direct")
            .expect_status(0);
        let key = lab.bastion().read_text("/root/direct.pub");
        authorize(web1, "dev", key.trim()).expect("dev is let in");
        // What the bastion's own environment is must not matter to anybody.
        lab.bastion().write(
            "/etc/default/locale",
            "LANG=fr_FR.UTF-8\nLC_MONETARY=fr_FR.UTF-8\n",
        );
        lab.bastion()
            .write("/etc/environment", "LANG=fr_FR.UTF-8\nEDITOR=ed\n");
        // Over one connection sshd's title names the other sessions on it.
        lab.bastion()
            .write("/etc/jms/jms.toml", "[egress]\nwarm_seconds = 0\n");
        lab
    })
}

/// Which way a session takes.
#[derive(Debug, Clone, Copy)]
enum Way {
    Direct,
    Bastion,
}

/// `ssh` by this way, with exactly these variables, and these arguments after its options; `target` stands for the asset.
fn ssh(way: Way, variables: &[&str], options: &[&str], command: &[&str]) -> Invocation {
    let own = ["-o", "SendEnv=COLORTERM NO_COLOR", "-o", "EscapeChar=none"];
    match way {
        Way::Bastion => {
            let folder = lab().folder().path().to_str().expect("a path").to_owned();
            let path = std::env::var("PATH").expect("a path");
            Invocation::new("env")
                .args(["-i", "LAB_AS=alice", &format!("PATH={path}")])
                .args(variables)
                .arg(format!("{folder}/bin/ssh"))
                .args(own)
                .args(options)
                .arg(TARGET)
                .args(command)
        }
        Way::Direct => {
            let address = lab().address("web1").to_string();
            lab()
                .bastion()
                .command(["env", "-i", "PATH=/usr/bin:/bin"])
                .args(variables)
                .args(["ssh", "-F", "none", "-i", "/root/direct", "-l", "dev"])
                .args(["-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR"])
                .args(["-o", "SendEnv=LANG LC_*"])
                .args(own)
                .args(options)
                .arg(address)
                .args(command)
        }
    }
}

/// Another name for each probe.
fn next_name() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    NUMBER.fetch_add(1, Ordering::Relaxed).to_string()
}

fn seen(name: &str) -> String {
    let path = format!("/tmp/seen-{name}");
    eventually("the probe has looked", Duration::from_secs(20), || {
        lab().web1().has(&path)
    });
    lab().web1().read_text(path)
}

/// What a command finds.
fn command(way: Way, variables: &[&str]) -> String {
    let name = next_name();
    let probe = format!("probe {name}");
    let outcome = ssh(way, variables, &[], &[&probe]).run();
    outcome.expect_status(0).expect_stdout("");
    seen(&name)
}

/// What a command on a terminal finds.
fn command_on_terminal(way: Way, variables: &[&str]) -> String {
    let name = next_name();
    let probe = format!("probe {name}");
    let terminal = ssh(way, variables, &["-tt"], &[&probe]).in_window(93, 31);
    terminal.on_terminal().wait().expect_status(0);
    seen(&name)
}

/// What a shell finds.
fn shell(way: Way, variables: &[&str]) -> String {
    let name = next_name();
    let mut shell = ssh(way, variables, &["-t"], &[])
        .in_window(93, 31)
        .on_terminal();
    shell.expect("dev@web1");
    shell.send_line(&format!("probe {name}; exit"));
    shell.wait().expect_status(0);
    seen(&name)
}

/// The variables of clients: a usual one, a terminal that the asset does not know, none, an odd one.
const CLIENTS: [&[&str]; 6] = [
    &["TERM=xterm-256color", "LANG=C.UTF-8"],
    &["TERM=no-such-terminal", "LANG=C", "COLORTERM=truecolor"],
    &["TERM=", "LANG=de_DE.ISO-8859-1"],
    &[],
    &["TERM=we ird;$(id)/../x", "LANG=", "LC_ALL=POSIX"],
    &[
        "TERM=dumb",
        "LC_TIME=ja_JP.eucJP",
        "LC_AUTHOR=Jörg <j@example.org>",
        "NO_COLOR=1",
    ],
];

fn compare(what: fn(Way, &[&str]) -> String) {
    for variables in CLIENTS {
        let direct = what(Way::Direct, variables);
        let bastion = what(Way::Bastion, variables);
        assert!(direct.contains("[terminal]") && direct.contains("USER=dev"));
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let (direct, bastion) = (lines(&direct), lines(&bastion));
        let only = |one: &[String], other: &[String]| -> Vec<String> {
            let lacks = |line: &&String| !other.contains(line);
            one.iter().filter(lacks).cloned().collect()
        };
        let (lost, added) = (only(&direct, &bastion), only(&bastion, &direct));
        assert!(
            direct == bastion,
            "{variables:?}: a direct login has {lost:#?}, one through the bastion {added:#?}"
        );
    }
}

#[test]
fn a_command_finds_what_it_finds_after_a_direct_login() {
    compare(command);
}

#[test]
fn a_command_on_a_terminal_finds_what_it_finds_after_a_direct_login() {
    compare(command_on_terminal);
}

#[test]
fn a_shell_finds_what_it_finds_after_a_direct_login() {
    compare(shell);
}

/// Modes that a person has set on the own terminal go with him.
#[test]
fn the_modes_of_the_clients_terminal_are_those_at_the_asset() {
    let set = "stty intr ^G erase ^H -ixon -iutf8 -echoctl tostop cstopb";
    let modes = |way| {
        let name = next_name();
        let stty = format!("{set}; exec \"$@\"");
        ssh(way, &["TERM=vt100"], &["-tt"], &[&format!("probe {name}")])
            .behind(&["sh", "-c", &stty, "sh"])
            .on_terminal()
            .wait()
            .expect_status(0);
        let text = seen(&name);
        let (_, terminal) = text.split_once("[terminal]").expect("a terminal");
        terminal.to_owned()
    };
    let direct = modes(Way::Direct);
    assert!(
        direct.contains("intr = ^G") && direct.contains("-ixon") && direct.contains("-iutf8"),
        "{direct}"
    );
    assert_eq!(direct, modes(Way::Bastion));
}

/// Every byte but those that a terminal acts upon, in no encoding at all.
fn bytes() -> Vec<u8> {
    (0x20..=0xff_u8).filter(|byte| *byte != 0x7f).collect()
}

#[test]
fn bytes_of_any_encoding_come_and_go_unchanged() {
    let octal: String = bytes().iter().map(|byte| format!("\\{byte:03o}")).collect();
    for language in ["LANG=C", "LANG=de_DE.ISO-8859-1", "LANG=C.UTF-8"] {
        let variables = ["TERM=vt100", language];
        // Without a terminal, both ways.
        let echoed = ssh(Way::Bastion, &variables, &[], &["cat"])
            .input(bytes())
            .run();
        echoed.expect_status(0).expect_stdout(bytes());
        // On a terminal, from the asset.
        let print = format!("printf '<{octal}>'");
        let shown = ssh(Way::Bastion, &variables, &["-tt"], &[&print])
            .on_terminal()
            .wait()
            .expect_status(0)
            .stdout;
        let whole = [b"<".as_slice(), &bytes(), b">"].concat();
        assert!(
            shown.windows(whole.len()).any(|part| part == whole),
            "{language}: {shown:?}"
        );
        // And to it: the reader takes them raw, once it has said that it reads.
        let count = bytes().len();
        let read =
            format!("stty raw -echo; printf ready; head -c {count} >/tmp/typed; printf done");
        let mut terminal = ssh(Way::Bastion, &variables, &["-tt"], &[&read]).on_terminal();
        terminal.expect("ready");
        terminal.send(bytes());
        terminal.expect("done");
        terminal.wait().expect_status(0);
        assert_eq!(lab().web1().read("/tmp/typed"), bytes(), "{language}");
    }
}

#[test]
fn windows_of_one_character_and_of_a_hundred_thousand_and_what_lies_between() {
    let file = "/tmp/sizes";
    let last = || {
        let text = lab().web1().try_read(file).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        text.lines().last().unwrap_or_default().to_owned()
    };
    for (columns, lines) in [(1, 1), (500, 200)] {
        lab().web1().run(format!("rm -f {file}")).expect_status(0);
        let mut terminal = ssh(
            Way::Bastion,
            &["TERM=vt100"],
            &["-tt"],
            &["sizes /tmp/sizes"],
        )
        .in_window(columns, lines)
        .on_terminal();
        let becomes = |columns: u16, lines: u16| {
            let wanted = format!("{columns} {lines}");
            let what = format!("the window at the asset is {wanted}");
            eventually(&what, Duration::from_secs(20), || last() == wanted);
        };
        becomes(columns, lines);
        for (columns, lines) in [
            (500, 200),
            (1, 1),
            (80, 24),
            (1, 200),
            (500, 1),
            (65_535, 1),
        ] {
            terminal.resize(columns, lines);
            becomes(columns, lines);
        }
        terminal.send(b"\x03");
        let outcome = terminal.wait();
        assert!(!outcome.succeeded(), "{outcome}");
    }
}

#[test]
fn a_shell_works_in_a_window_of_one_character_and_in_a_huge_one() {
    for (columns, lines) in [(1, 1), (500, 200)] {
        let name = next_name();
        // Where a prompt has no room none is drawn; but the shell says to the terminal that it reads (bracketed paste).
        let mut shell = ssh(Way::Bastion, &["TERM=vt100"], &["-t"], &[])
            .in_window(columns, lines)
            .on_terminal();
        shell.expect("\u{1b}[?2004h");
        shell.send_line(&format!("probe {name}; exit 9"));
        shell.wait().expect_status(9);
        let found = seen(&name);
        let size = format!("rows {lines}; columns {columns};");
        assert!(found.contains(&size), "{found}");
    }
    // Its recording has the size that it had.
    let listed = lab()
        .bastion()
        .run("for file in $(find /var/lib/jms/recordings -name '*.cast.zst'); do zstd -dc $file | head -1; done");
    let text = listed.text();
    for size in ["\"width\":1,\"height\":1", "\"width\":500,\"height\":200"] {
        assert!(text.contains(size), "{size}\n{text}");
    }
}
