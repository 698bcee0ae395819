//! The relay with real programs in the place of `ssh`, over sockets, pipes and terminals.

use super::*;
use crate::confinement::ClientConfinement;
use crate::egress::child::{Child, Exit, Plan, Streams};
use crate::sys::{self, Window};
use nix::pty::openpty;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use nix::sys::termios::{LocalFlags, tcgetattr};
use nix::unistd::{getegid, geteuid, gettid};
use std::ffi::CString;
use std::fs::File;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Remembers what it saw, and fails when it is told to.
#[derive(Default)]
struct Witness {
    output: Vec<u8>,
    sizes: Vec<Window>,
    fail_after: Option<usize>,
}

impl Tap for Witness {
    fn output(&mut self, _: Instant, _: Stream, bytes: &[u8]) -> Result<(), TapFailure> {
        self.output.extend_from_slice(bytes);
        match self.fail_after {
            Some(limit) if self.output.len() > limit => {
                Err(TapFailure::Recording("no room".into()))
            }
            _ => Ok(()),
        }
    }
    fn resize(&mut self, _: Instant, window: Window) -> Result<(), TapFailure> {
        self.sizes.push(window);
        Ok(())
    }
}

struct Running {
    thread: JoinHandle<(Outcome, Witness)>,
    number: i32,
    started: Receiver<(i32, i32)>,
    child: i32,
}

impl Running {
    fn wait(self) -> (Outcome, Witness) {
        self.thread.join().unwrap()
    }

    fn child_is_gone(&self) -> bool {
        !std::path::Path::new(&format!("/proc/{}", self.child)).exists()
    }
}

fn start_child(script: &str, client: &Client<'_>) -> Child {
    let texts = |words: &[&str]| {
        words
            .iter()
            .map(|word| CString::new(*word).unwrap())
            .collect::<Vec<_>>()
    };
    let (arguments, environment) = (texts(&["sh", "-c", script]), texts(&["PATH=/usr/bin:/bin"]));
    let streams = client.modes.as_ref().map_or(Streams::Pipes, |modes| {
        Streams::Terminal(modes, client.window().unwrap())
    });
    let plan = Plan {
        program: c"/bin/sh",
        arguments: &arguments,
        environment: &environment,
        uid: geteuid().as_raw(),
        gid: getegid().as_raw(),
        streams,
        confinement: &ClientConfinement::for_scripts(),
    };
    Child::start(&plan).unwrap()
}

/// Runs a relay in a thread: `input`, `output`, `errors` are its client's descriptors.
fn relay(
    script: &str,
    input: OwnedFd,
    output: OwnedFd,
    errors: OwnedFd,
    terminal: bool,
    mut tap: Witness,
) -> Running {
    relay_with(
        script,
        input,
        output,
        errors,
        terminal,
        move |client, child, signals| {
            let outcome = run(
                client,
                child,
                &mut tap,
                signals,
                &mut Alone,
                &[b"bye".to_vec()],
            );
            (outcome, tap)
        },
    )
}

fn relay_with(
    script: &str,
    input: OwnedFd,
    output: OwnedFd,
    errors: OwnedFd,
    terminal: bool,
    work: impl FnOnce(&Client<'_>, &mut Child, &Signals) -> (Outcome, Witness) + Send + 'static,
) -> Running {
    let script = script.to_owned();
    let (tell, started) = channel();
    let thread = std::thread::spawn(move || {
        let signals = Signals::block().unwrap();
        let descriptors = Descriptors {
            input: input.as_fd(),
            output: output.as_fd(),
            errors: errors.as_fd(),
        };
        let client = Client::take(descriptors, terminal).unwrap();
        let mut child = start_child(&script, &client);
        tell.send((gettid().as_raw(), child.pid())).unwrap();
        work(&client, &mut child, &signals)
    });
    let (number, child) = started.recv().unwrap();
    Running {
        thread,
        number,
        started,
        child,
    }
}

/// As sshd without a terminal: one socket for input and output, one for errors.
fn over_sockets(script: &str, tap: Witness) -> (UnixStream, UnixStream, Running) {
    let (here, there) = UnixStream::pair().unwrap();
    let (errors_here, errors_there) = UnixStream::pair().unwrap();
    let input: OwnedFd = there.try_clone().unwrap().into();
    let running = relay(script, input, there.into(), errors_there.into(), false, tap);
    (here, errors_here, running)
}

fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

#[test]
fn every_byte_goes_there_and_back_and_the_end_of_file_too() {
    let (mut client, _errors, running) = over_sockets("cat", Witness::default());
    let sent = noise(5_000_000);
    let mut writer = client.try_clone().unwrap();
    let copy = sent.clone();
    let feeder = std::thread::spawn(move || {
        writer.write_all(&copy).unwrap();
        writer.shutdown(Shutdown::Write).unwrap();
    });
    let mut back = Vec::new();
    client.read_to_end(&mut back).unwrap();
    feeder.join().unwrap();
    let (outcome, tap) = running.wait();
    assert!(back == sent && tap.output == sent);
    assert_eq!(
        outcome,
        Outcome {
            end: End::Ended(Exit::Status(0)),
            bytes_in: 5_000_000,
            bytes_out: 5_000_000,
            farewell: None
        }
    );
}

#[test]
fn errors_stay_apart_and_the_status_is_the_programs() {
    let (mut client, mut errors, running) =
        over_sockets("echo out; echo err >&2; exit 7", Witness::default());
    let (mut out, mut err) = (String::new(), String::new());
    client.read_to_string(&mut out).unwrap();
    errors.read_to_string(&mut err).unwrap();
    assert_eq!((out.as_str(), err.as_str()), ("out\n", "err\n"));
    assert_eq!(running.wait().0.end, End::Ended(Exit::Status(7)));
}

#[test]
fn output_and_errors_may_end_while_input_goes_on() {
    let taken = tempfile::NamedTempFile::new().unwrap();
    let script = format!(
        "echo out; echo err >&2; exec >&-; cat >{}",
        taken.path().display()
    );
    let (mut client, mut errors, running) = over_sockets(&script, Witness::default());
    let (mut out, mut err) = (String::new(), String::new());
    client.read_to_string(&mut out).unwrap();
    errors.read_to_string(&mut err).unwrap();
    assert_eq!((out.as_str(), err.as_str()), ("out\n", "err\n"));
    client.write_all(b"more").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(running.wait().0.end, End::Ended(Exit::Status(0)));
    assert_eq!(std::fs::read(taken.path()).unwrap(), b"more");
}

#[test]
fn the_same_over_pipes() {
    let (input, mut write) = std::io::pipe().unwrap();
    let (mut read, output) = std::io::pipe().unwrap();
    let (mut read_errors, errors) = std::io::pipe().unwrap();
    let running = relay(
        "cat; echo done >&2; exec >&-",
        input.into(),
        output.into(),
        errors.into(),
        false,
        Witness::default(),
    );
    write.write_all(b"bytes\0\xff").unwrap();
    drop(write);
    let (mut out, mut err) = (Vec::new(), Vec::new());
    read.read_to_end(&mut out).unwrap();
    read_errors.read_to_end(&mut err).unwrap();
    assert_eq!(
        (out.as_slice(), err.as_slice()),
        (&b"bytes\0\xff"[..], &b"done\n"[..])
    );
    assert_eq!(running.wait().0.end, End::Ended(Exit::Status(0)));
}

#[test]
fn a_client_that_reads_no_more_ends_a_program_that_writes_and_lets_another_finish() {
    let (client, _errors, running) = over_sockets("yes; exit 3", Witness::default());
    client.shutdown(Shutdown::Read).unwrap();
    assert_eq!(running.wait().0.end, End::Ended(Exit::Status(3)));
}

#[test]
fn a_slow_client_gets_all_of_it_after_the_program_has_ended() {
    let (mut client, _errors, running) =
        over_sockets("head -c 1500000 /dev/zero; exit 5", Witness::default());
    let mut total = 0;
    let mut piece = vec![0; 400_000];
    loop {
        std::thread::sleep(Duration::from_millis(700));
        match client.read(&mut piece).unwrap() {
            0 => break,
            length => total += length,
        }
        if total > 600_000 {
            let mut rest = Vec::new();
            total += client.read_to_end(&mut rest).unwrap();
            break;
        }
    }
    assert_eq!(total, 1_500_000);
    assert_eq!(running.wait().0.end, End::Ended(Exit::Status(5)));
}

#[test]
fn when_the_client_is_gone_nothing_is_left_within_a_second() {
    let (client, errors, running) = over_sockets("trap '' TERM HUP; sleep 60", Witness::default());
    std::thread::sleep(Duration::from_millis(50));
    drop((client, errors));
    let begun = Instant::now();
    while !running.child_is_gone() {
        assert!(
            begun.elapsed() < Duration::from_secs(1),
            "the program lives on"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(running.wait().0.end, End::ClientGone);
}

#[test]
fn what_cannot_be_tapped_is_not_shown_and_ends_the_session() {
    let tap = Witness {
        fail_after: Some(3),
        ..Witness::default()
    };
    let (mut client, _errors, running) =
        over_sockets("printf abc; sleep 0.2; printf secret; sleep 60", tap);
    let mut shown = String::new();
    client.read_to_string(&mut shown).unwrap();
    assert_eq!(shown, "abc");
    let (outcome, _) = running.wait();
    assert_eq!(
        outcome.end,
        End::Tap(TapFailure::Recording("no room".into()))
    );
}

struct Told(Instant);

impl Supervisor for Told {
    fn watched(&self) -> Vec<(std::os::fd::BorrowedFd<'_>, nix::poll::PollFlags)> {
        Vec::new()
    }
    fn ready(&mut self) -> Option<Stop> {
        None
    }
    fn next_deadline(&self) -> Option<Instant> {
        Some(self.0)
    }
    fn tick(&mut self, _: Instant) -> Option<Stop> {
        Some(Stop::Killed("enough".into()))
    }
}

#[test]
fn the_supervisor_ends_it_and_until_then_nothing_turns() {
    let (here, there) = UnixStream::pair().unwrap();
    let (_errors, errors_there) = UnixStream::pair().unwrap();
    let input: OwnedFd = there.try_clone().unwrap().into();
    let running = relay_with(
        "sleep 60",
        input,
        there.into(),
        errors_there.into(),
        false,
        |client, child, signals| {
            let mut told = Told(Instant::now() + Duration::from_millis(400));
            let before =
                nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap();
            let outcome = run(client, child, &mut Nothing, signals, &mut told, &[]);
            let after =
                nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap();
            let spent = Duration::from(after).saturating_sub(Duration::from(before));
            assert!(
                spent < Duration::from_millis(40),
                "{spent:?} of processor time for waiting"
            );
            (outcome, Witness::default())
        },
    );
    assert_eq!(
        running.wait().0.end,
        End::Stopped(Stop::Killed("enough".into()))
    );
    drop(here);
}

/// A client with a terminal: the master is what sshd holds.
fn over_a_terminal(script: &str) -> (File, OwnedFd, Running) {
    let pair = openpty(Some(&window(24, 80)), None).unwrap();
    let clone = || pair.slave.try_clone().unwrap();
    let running = relay(script, clone(), clone(), clone(), true, Witness::default());
    (pair.master.into(), pair.slave, running)
}

fn window(rows: u16, columns: u16) -> nix::pty::Winsize {
    nix::pty::Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}

fn read_until(terminal: &mut File, text: &str) -> String {
    let mut seen = Vec::new();
    let mut piece = [0; 4096];
    while !String::from_utf8_lossy(&seen).contains(text) {
        let length = terminal.read(&mut piece).unwrap();
        seen.extend_from_slice(&piece[..length]);
    }
    String::from_utf8(seen).unwrap()
}

#[test]
fn what_is_typed_before_the_terminal_is_raw_waits_for_it_and_is_echoed_nowhere() {
    let script = "sleep 0.3; stty raw -echo -iexten; printf ready; head -c 4 | od -An -tx1; printf 'bye\\r\\n' >&2";
    let (mut master, slave, running) = over_a_terminal(script);
    while tcgetattr(&slave)
        .unwrap()
        .local_flags
        .contains(LocalFlags::ECHO)
    {
        std::thread::yield_now();
    }
    master.write_all(b"ab\r\x04").unwrap();
    let seen = read_until(&mut master, "04\n");
    assert_eq!(seen, "ready 61 62 0d 04\n");
    let (outcome, tap) = running.wait();
    assert_eq!(outcome.end, End::Ended(Exit::Status(0)));
    assert_eq!(
        tap.output, b"ready 61 62 0d 04\n",
        "the client program's farewell is not the asset's"
    );
    assert_eq!(outcome.farewell.as_deref(), Some("bye"));
    assert!(
        tcgetattr(&slave)
            .unwrap()
            .local_flags
            .contains(LocalFlags::ECHO),
        "the terminal is as it was"
    );
}

/// Asks the person, as often as its stream says so.
struct Asks(UnixStream, bool);

impl Supervisor for Asks {
    fn watched(&self) -> Vec<(std::os::fd::BorrowedFd<'_>, nix::poll::PollFlags)> {
        vec![(self.0.as_fd(), nix::poll::PollFlags::POLLIN)]
    }
    fn ready(&mut self) -> Option<Stop> {
        self.1 = self.0.read(&mut [0]).unwrap() == 1;
        None
    }
    fn voids_input(&mut self) -> bool {
        if self.1 {
            self.0.write_all(b"!").unwrap();
        }
        std::mem::take(&mut self.1)
    }
    fn next_deadline(&self) -> Option<Instant> {
        None
    }
    fn tick(&mut self, _: Instant) -> Option<Stop> {
        None
    }
}

#[test]
fn what_was_typed_ahead_of_a_question_never_goes_to_the_program() {
    let pair = openpty(Some(&window(24, 80)), None).unwrap();
    let mut modes = tcgetattr(&pair.slave).unwrap();
    modes.local_flags.remove(LocalFlags::ECHO);
    nix::sys::termios::tcsetattr(&pair.slave, nix::sys::termios::SetArg::TCSANOW, &modes).unwrap();
    let mut master = File::from(pair.master);
    let waits = || {
        let mut one = [nix::poll::PollFd::new(
            pair.slave.as_fd(),
            nix::poll::PollFlags::POLLIN,
        )];
        nix::poll::poll(&mut one, nix::poll::PollTimeout::ZERO).unwrap() > 0
    };
    master.write_all(b"secret\r").unwrap();
    while !waits() {
        std::thread::yield_now();
    }
    let (mut asks, theirs) = UnixStream::pair().unwrap();
    let clone = || pair.slave.try_clone().unwrap();
    let script = "while :; do sleep 0.05; test \"$(stty size)\" = '30 90' && break; done; stty raw -echo -iexten; printf ready; head -c 3";
    let running = relay_with(
        script,
        clone(),
        clone(),
        clone(),
        true,
        move |client, child, signals| {
            let mut asks = Asks(theirs, false);
            let mut tap = Witness::default();
            let outcome = run(client, child, &mut tap, signals, &mut asks, &[]);
            (outcome, tap)
        },
    );
    // The relay has read it.
    while waits() {
        std::thread::yield_now();
    }
    asks.write_all(b"?").unwrap();
    asks.read_exact(&mut [0]).unwrap();
    let size = Window {
        rows: 30,
        columns: 90,
        pixels: (0, 0),
    };
    sys::set_window(master.as_fd(), size).unwrap();
    sys::signal_thread(running.number, libc::SIGWINCH);
    read_until(&mut master, "ready");
    master.write_all(b"abc").unwrap();
    let (outcome, tap) = running.wait();
    assert_eq!(outcome.end, End::Ended(Exit::Status(0)));
    assert_eq!(tap.output, b"readyabc");
}

#[test]
fn ctrl_c_while_connecting_ends_it() {
    let (mut master, slave, running) = over_a_terminal("sleep 60");
    while tcgetattr(&slave)
        .unwrap()
        .local_flags
        .contains(LocalFlags::ISIG)
    {
        std::thread::yield_now();
    }
    master.write_all(b"x\x03").unwrap();
    assert_eq!(running.wait().0.end, End::Interrupted);
}

#[test]
fn a_new_window_size_reaches_the_program_and_the_tap() {
    let script = "stty raw -echo -iexten; trap 'stty size; exit 0' WINCH; stty size; while :; do sleep 0.05; done";
    let (mut master, _slave, running) = over_a_terminal(script);
    read_until(&mut master, "24 80");
    sys::set_window(
        master.as_fd(),
        Window {
            rows: 40,
            columns: 132,
            pixels: (0, 0),
        },
    )
    .unwrap();
    // The kernel tells the session leader; here that is not this thread.
    sys::signal_thread(running.number, libc::SIGWINCH);
    assert!(running.started.try_recv().is_err());
    read_until(&mut master, "40 132");
    let (outcome, tap) = running.wait();
    assert_eq!(outcome.end, End::Ended(Exit::Status(0)));
    assert_eq!(
        tap.sizes,
        [Window {
            rows: 40,
            columns: 132,
            pixels: (0, 0)
        }]
    );
}

#[test]
fn a_terminal_that_hangs_up_takes_everything_with_it() {
    let (master, slave, running) = over_a_terminal("stty raw; trap '' HUP TERM; sleep 60");
    std::thread::sleep(Duration::from_millis(50));
    drop((master, slave));
    let begun = Instant::now();
    while !running.child_is_gone() {
        assert!(
            begun.elapsed() < Duration::from_secs(1),
            "the program lives on"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(running.wait().0.end, End::ClientGone);
}

#[test]
fn descriptors_are_put_back_as_they_were() {
    let (_here, there) = socketpair(
        AddressFamily::Unix,
        SockType::Stream,
        None,
        SockFlag::empty(),
    )
    .unwrap();
    let flags = |fd: &OwnedFd| nix::fcntl::fcntl(fd, nix::fcntl::FcntlArg::F_GETFL).unwrap();
    let before = flags(&there);
    let descriptors = Descriptors {
        input: there.as_fd(),
        output: there.as_fd(),
        errors: there.as_fd(),
    };
    let client = Client::take(descriptors, false).unwrap();
    assert_ne!(flags(&there), before);
    drop(client);
    assert_eq!(flags(&there), before);
}
