//! The start with real programs in the client's place.

use super::*;
use std::io::Read;

fn texts(words: &[&str]) -> Vec<CString> {
    words
        .iter()
        .map(|word| CString::new(*word).unwrap())
        .collect()
}

fn start(script: &str, streams: Streams<'_>) -> Child {
    let (arguments, environment) = (
        texts(&["sh", "-c", script]),
        texts(&["PATH=/usr/bin:/bin", "A=b"]),
    );
    let plan = Plan {
        program: c"/bin/sh",
        arguments: &arguments,
        environment: &environment,
        uid: getresuid().unwrap().effective.as_raw(),
        gid: getresgid().unwrap().effective.as_raw(),
        streams,
        confinement: &ClientConfinement::for_scripts(),
    };
    Child::start(&plan).unwrap()
}

fn output(child: &mut Child) -> String {
    let mut text = String::new();
    fcntl(
        child.output.as_ref().unwrap(),
        FcntlArg::F_SETFL(OFlag::empty()),
    )
    .unwrap();
    std::fs::File::from(child.output.take().unwrap())
        .read_to_string(&mut text)
        .unwrap();
    text
}

#[test]
fn it_runs_alone_in_its_session_without_new_privileges_and_with_our_environment_only() {
    let mut child = start(
        "echo $A; grep NoNewPrivs /proc/self/status; cut -d' ' -f6 /proc/self/stat; ls /proc/$$/fd; exit 3",
        Streams::Pipes,
    );
    let text = output(&mut child);
    let expected = format!("b\nNoNewPrivs:\t1\n{}\n0\n1\n2\n", child.pid());
    assert_eq!(text, expected);
    assert_eq!(child.wait(), Some(Exit::Status(3)));
}

#[test]
fn a_terminal_is_its_input_and_controls_it_with_the_modes_and_size_that_were_asked_for() {
    let (_keep, any) = terminal_pair();
    let mut modes = nix::sys::termios::tcgetattr(&any).unwrap();
    modes.control_chars[nix::sys::termios::SpecialCharacterIndices::VINTR as usize] = 7;
    let window = Window {
        rows: 33,
        columns: 101,
        pixels: (0, 0),
    };
    let mut child = start(
        "stty size; stty -a | grep -o 'intr = [^;]*'; test -t 1 || echo pipe; : </dev/tty && echo own",
        Streams::Terminal(&modes, window),
    );
    assert_eq!(output(&mut child), "33 101\nintr = ^G\npipe\nown\n");
    assert_eq!(child.wait(), Some(Exit::Status(0)));
}

fn terminal_pair() -> (OwnedFd, OwnedFd) {
    let pair = nix::pty::openpty(None, None).unwrap();
    (pair.master, pair.slave)
}

#[test]
fn a_program_that_is_not_there_is_an_error_with_its_step() {
    let arguments = texts(&["x"]);
    let plan = Plan {
        program: c"/nonexistent",
        arguments: &arguments,
        environment: &[],
        uid: getresuid().unwrap().effective.as_raw(),
        gid: getresgid().unwrap().effective.as_raw(),
        streams: Streams::Pipes,
        confinement: &ClientConfinement::for_scripts(),
    };
    let error = Child::start(&plan).unwrap_err();
    assert_eq!(
        error,
        ChildError {
            step: Step::Execute,
            errno: Errno::ENOENT
        }
    );
    assert!(error.to_string().contains("run its program"));
}

#[test]
fn a_signal_reaches_everything_in_its_session_and_a_drop_leaves_nothing() {
    let mut child = start("sleep 60 & echo $!; wait", Streams::Pipes);
    let mut byte = [0; 16];
    fcntl(
        child.output.as_ref().unwrap(),
        FcntlArg::F_SETFL(OFlag::empty()),
    )
    .unwrap();
    let length = nix::unistd::read(child.output.as_ref().unwrap(), &mut byte).unwrap();
    let grandchild: i32 = std::str::from_utf8(&byte[..length])
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    assert!(child.ended().is_none());
    child.signal(Signal::SIGTERM);
    assert_eq!(child.wait(), Some(Exit::Signal(libc::SIGTERM)));
    drop(child);
    let gone = || {
        std::fs::read_to_string(format!("/proc/{grandchild}/stat"))
            .map_or(true, |stat| stat.contains(") Z "))
    };
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(1);
    while !gone() {
        assert!(
            std::time::Instant::now() < deadline,
            "the grandchild lives on"
        );
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[test]
fn another_user_is_become_for_good() {
    if !Uid::effective().is_root() {
        return;
    }
    let (arguments, environment) = (
        texts(&["sh", "-c", "grep -E '^(Uid|Gid)' /proc/self/status"]),
        texts(&["PATH=/usr/bin:/bin"]),
    );
    let plan = Plan {
        program: c"/bin/sh",
        arguments: &arguments,
        environment: &environment,
        uid: 70001,
        gid: 998,
        streams: Streams::Pipes,
        confinement: &ClientConfinement::for_scripts(),
    };
    let mut child = Child::start(&plan).unwrap();
    assert_eq!(
        output(&mut child),
        "Uid:\t70001\t70001\t70001\t70001\nGid:\t998\t998\t998\t998\n"
    );
}
