//! More than somebody takes: an asset that never stops while its client does, a line that never ends, a window that is pulled
//! ten thousand times. Memory and recording stay small, and Ctrl-C and the administrator are heard. How fast Ctrl-C is
//! answered: `cargo run -p tests --example interrupt_in_a_flood`.

use std::time::Duration;

use tests::live::{Live, memory_of, nothing_is_left, own_memory_of};
use tests::{Lab, eventually};

const WAY: &str = "alice@dev@web1@bastion";
const SOON: Duration = Duration::from_secs(30);
const MIB: u64 = 1024 * 1024;
/// More than any session ever takes, relay or client program: three buffers of 256 KiB, SSH windows of 2 MiB, libraries.
const MEMORY: u64 = 24 * MIB;

fn signal(signal: &str, pid: u32) {
    tests::Invocation::new("kill")
        .args([&format!("-{signal}"), &pid.to_string()])
        .run()
        .expect_status(0);
}

/// Bytes that a process of web1 has written so far.
fn written(lab: &Lab, pid: u32) -> u64 {
    let counters = lab.web1().read_text(format!("/proc/{pid}/io"));
    let line = counters
        .lines()
        .find_map(|line| line.strip_prefix("wchar: "));
    line.and_then(|count| count.parse().ok())
        .expect("a counter")
}

/// Waits until the flood stands still, and returns how much was written by then.
fn stands_still(lab: &Lab, pid: u32) -> u64 {
    let mut before = 0;
    eventually("the asset's program waits", SOON, || {
        let now = written(lab, pid);
        std::thread::sleep(Duration::from_millis(500));
        let still = now == before && written(lab, pid) == now;
        before = now;
        still
    });
    before
}

/// The process of web1 that floods: the deepest one whose command line holds `mark`.
fn flood_of(lab: &Lab, mark: &str) -> u32 {
    eventually("the asset floods", SOON, || {
        let processes = lab.web1().processes().ok()?;
        let ours =
            |it: &&tests::Process| it.program.ends_with("yes") && it.command_line.contains(mark);
        processes.iter().find(ours).map(|it| it.pid)
    })
}

#[test]
fn while_the_client_is_stopped_the_asset_waits_and_memory_and_recording_stay_as_they_are() {
    let lab = Lab::everyday().without_kept_connections();
    for (mark, terminal) in [("4751001", false), ("4751002", true)] {
        let command = format!("yes flood-{mark}");
        let form = if terminal { "-tt" } else { "-T" };
        let client = lab
            .client()
            .command("ssh", [form, WAY, &command])
            .within(SOON * 8)
            // Its output is read by nobody that keeps it.
            .discard_output();
        let mut client = client.spawn();
        let session = Live::find(&lab, mark);
        let flood = flood_of(&lab, mark);
        eventually("it floods", SOON, || written(&lab, flood) > 16 * MIB);
        signal("STOP", client.pid());
        let before = stands_still(&lab, flood);
        let size = || {
            let stat = format!("stat -c %s {}", session.file(&lab));
            lab.bastion().run(stat).line_of_output()
        };
        let memory = || {
            let relay = memory_of(lab.bastion(), session.relay);
            let program = memory_of(lab.bastion(), session.client);
            assert!(relay < MEMORY && program < MEMORY, "{relay} {program}");
            own_memory_of(lab.bastion(), session.relay)
                + own_memory_of(lab.bastion(), session.client)
        };
        let (size_before, memory_before) = (size(), memory());
        std::thread::sleep(Duration::from_secs(3));
        assert_eq!(written(&lab, flood), before, "the asset's program waits");
        assert_eq!(size(), size_before, "nothing is recorded that nobody gets");
        assert!(memory() <= memory_before + MIB, "nothing piles up");
        // It goes on where it was.
        signal("CONT", client.pid());
        eventually("it floods again", SOON, || {
            written(&lab, flood) > before + 16 * MIB
        });
        // Stopped again, an administrator's word still ends it.
        signal("STOP", client.pid());
        stands_still(&lab, flood);
        let end = format!(
            "perl -MSocket -e 'socket(S, AF_UNIX, SOCK_DGRAM, 0); send(S, \"end enough\", 0, pack_sockaddr_un(\"/run/jms/sessions/{}\")) or exit 1'",
            session.id
        );
        lab.bastion().run(end).expect_status(0);
        session.is_gone_within_a_second(&lab);
        session.ended_because(&lab, "killed");
        assert!(session.recording(&lab).contains("flood-"));
        client.kill();
        drop(client);
    }
    nothing_is_left(&lab);
}

#[test]
fn a_line_that_begins_like_the_client_programs_last_words_and_never_ends_is_kept_back_by_nobody() {
    let lab = Lab::everyday().without_kept_connections();
    let address = lab.address("web1");
    let line = 32 * MIB;
    for begin in [
        format!("Connection to {address} closed"),
        format!("Read from remote host {address}: "),
    ] {
        let command = format!(
            "printf %s '{begin}' >&2; head -c {line} /dev/zero | tr '\\0' x >&2; sleep 1000; : 4752001"
        );
        let mut client = lab
            .client()
            .command("ssh", [WAY, &command])
            .within(SOON * 8)
            .spawn();
        let session = Live::find(&lab, "4752001");
        let whole = begin.len() + usize::try_from(line).expect("it fits");
        eventually("all of it is there", SOON * 4, || {
            let memory = memory_of(lab.bastion(), session.relay);
            assert!(memory < MEMORY, "{memory}");
            client.stderr_so_far().len() == whole
        });
        client.kill();
        drop(client);
        session.is_gone_within_a_second(&lab);
    }
    nothing_is_left(&lab);
}

#[test]
fn ctrl_c_in_a_flood_is_heard() {
    let lab = Lab::everyday().without_kept_connections();
    let mut shell = lab.client().ssh_on_terminal([WAY]);
    shell.expect("dev@web1");
    shell.send_line("stty -echoctl; yes flood-4753001");
    shell.expect("flood-4753001\r\nflood-4753001");
    flood_of(&lab, "4753001");
    // Not looked through from its beginning at each piece.
    shell.drain(Duration::from_millis(1));
    shell.send([3]);
    let _ = shell.skim("dev@web1");
    shell.send_line("echo the shell $((40 + 2))");
    shell.expect("the shell 42");
    shell.send_line("exit");
    drop(shell.wait());
    nothing_is_left(&lab);
}

#[test]
fn ten_thousand_window_sizes_leave_the_session_alive_and_its_recording_small() {
    let lab = Lab::everyday().without_kept_connections();
    let command = "stty -echo; echo up; read go; stty size; read go; : 4754001";
    let mut terminal = lab
        .client()
        .command("ssh", ["-tt", WAY, command])
        .within(SOON * 8)
        .on_terminal();
    terminal.expect("up");
    let session = Live::find(&lab, "4754001");
    for number in 0..10_000_u16 {
        terminal.resize(80 + number % 150, 24 + number % 50);
        // So that ssh sees each of them, or nearly.
        std::thread::sleep(Duration::from_micros(300));
    }
    terminal.resize(133, 57);
    // And at the session program's own door, where no client of ours slows it down.
    let storm = format!(
        "import fcntl, os, struct, termios; fd = os.open('/proc/{}/fd/0', os.O_RDWR | os.O_NOCTTY)\nfor n in range(10001): fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', 57, 133 + (10000 - n) % 90, 0, 0))",
        session.relay
    );
    lab.bastion()
        .command(["python3", "-c", &storm])
        .run()
        .expect_status(0);
    let memory = memory_of(lab.bastion(), session.relay);
    assert!(memory < MEMORY, "{memory}");
    eventually("the last size has arrived", SOON, || {
        let look = "for tty in /dev/pts/[0-9]*; do stty -F $tty size; done";
        lab.web1().run(look).text().contains("57 133").then_some(())
    });
    terminal.send_line("go");
    terminal.expect("57 133");
    terminal.send_line("go");
    drop(terminal.wait().expect_status(0));
    let recording = session.recording(&lab);
    let sizes: Vec<&str> = recording
        .lines()
        .filter(|line| line.contains(", \"r\", "))
        .collect();
    assert!(
        sizes.last().is_some_and(|last| last.contains("133x57")),
        "{:?}",
        sizes.last()
    );
    let last = recording.lines().last().unwrap_or_default();
    let seconds: f64 = last
        .trim_start_matches('[')
        .split(',')
        .next()
        .and_then(|time| time.parse().ok())
        .expect("a time");
    let most = seconds * 10.0 + 10.0;
    assert!(
        (sizes.len() as f64) < most,
        "{} sizes in {seconds} s",
        sizes.len()
    );
    nothing_is_left(&lab);
}
