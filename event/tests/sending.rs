//! What arrives at a log daemon, and what happens when it is slow, gone or restarted.

use std::io::Read;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use event::{DATAGRAM_MAX, LINE_MAX, SendError, Sender, Severity};
use jiff::{Timestamp, tz::TimeZone};

fn clock() -> Timestamp {
    "2026-11-05T22:04:09Z".parse().expect("a time")
}

fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    (folder, path)
}

fn sender(path: &PathBuf) -> Sender {
    Sender::to(path).with_clock(clock, TimeZone::fixed(jiff::tz::offset(9)))
}

fn receive(daemon: &UnixDatagram) -> String {
    let mut buffer = vec![0; 2 * DATAGRAM_MAX];
    daemon
        .set_read_timeout(Some(Duration::from_secs(5)))
        .expect("a timeout");
    let length = daemon.recv(&mut buffer).expect("a message");
    String::from_utf8(buffer[..length].to_vec()).expect("UTF-8")
}

#[test]
fn a_message_is_rfc_3164_in_local_time_with_facility_authpriv() {
    let (_folder, path) = place();
    let daemon = UnixDatagram::bind(&path).unwrap();
    sender(&path).send(Severity::Warning, "type=\"x\"").unwrap();
    // authpriv is 10, warning 4; 22:04 UTC on the 5th is 07:04 on the 6th nine hours east.
    let expected = format!(
        "<84>Nov  6 07:04:09 jms[{}]: type=\"x\"",
        std::process::id()
    );
    assert_eq!(receive(&daemon), expected);
}

#[test]
fn severities_are_those_of_syslog() {
    let (_folder, path) = place();
    let daemon = UnixDatagram::bind(&path).unwrap();
    let mut sender = sender(&path);
    let numbers: Vec<String> = Severity::ALL
        .into_iter()
        .map(|severity| {
            sender.send(severity, "x").unwrap();
            receive(&daemon).split('>').next().unwrap().to_owned()
        })
        .collect();
    assert_eq!(numbers, ["<81", "<82", "<83", "<84", "<85", "<86"]);
}

#[test]
fn whatever_is_handed_over_leaves_as_one_bounded_line() {
    let (_folder, path) = place();
    let daemon = UnixDatagram::bind(&path).unwrap();
    let mut sender = sender(&path);
    sender
        .send(
            Severity::Info,
            "a\n<86>Nov  6 07:04:09 sshd[1]: Accepted\0\u{2028}",
        )
        .unwrap();
    let line = receive(&daemon);
    assert!(
        !line.chars().any(|c| c.is_control() || c == '\u{2028}'),
        "{line:?}"
    );
    assert!(line.contains(r"a\n<86>"), "{line:?}");
    sender
        .send(Severity::Info, &"é\n".repeat(LINE_MAX))
        .unwrap();
    assert!(receive(&daemon).len() <= DATAGRAM_MAX);
    sender.send(Severity::Info, &"a".repeat(LINE_MAX)).unwrap();
    assert!(
        receive(&daemon).ends_with(&"a".repeat(LINE_MAX)),
        "a full line arrives whole"
    );
}

#[test]
fn a_restarted_daemon_gets_the_next_line() {
    let (_folder, path) = place();
    let daemon = UnixDatagram::bind(&path).unwrap();
    let mut sender = sender(&path);
    sender.send(Severity::Info, "one").unwrap();
    assert!(receive(&daemon).ends_with("one"));
    drop(daemon);
    assert!(matches!(
        sender.send(Severity::Info, "two"),
        Err(SendError::Unreachable(..))
    ));
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(
        sender.send(Severity::Info, "three"),
        Err(SendError::Unreachable(..))
    ));
    let daemon = UnixDatagram::bind(&path).unwrap();
    sender.send(Severity::Info, "four").unwrap();
    assert!(receive(&daemon).ends_with("four"));
    // Restarted between two lines: nothing is lost and nobody is told.
    drop(daemon);
    std::fs::remove_file(&path).unwrap();
    let daemon = UnixDatagram::bind(&path).unwrap();
    sender.send(Severity::Info, "five").unwrap();
    assert!(receive(&daemon).ends_with("five"));
}

#[test]
fn a_daemon_that_does_not_read_never_makes_us_wait() {
    let (_folder, path) = place();
    let daemon = UnixDatagram::bind(&path).unwrap();
    let mut sender = sender(&path);
    let begin = Instant::now();
    let mut sent = 0;
    let error = loop {
        match sender.send(Severity::Info, "x") {
            Ok(()) => sent += 1,
            Err(error) => break error,
        }
        assert!(sent < 1_000_000, "the socket never filled");
    };
    assert!(matches!(error, SendError::Busy(_)), "{error}");
    assert!(begin.elapsed() < Duration::from_secs(5));
    for _ in 0..sent {
        receive(&daemon);
    }
    sender.send(Severity::Info, "again").unwrap();
    assert!(receive(&daemon).ends_with("again"));
}

#[test]
fn a_stream_gets_messages_with_an_end_mark_and_survives_the_daemon() {
    let (_folder, path) = place();
    let listener = UnixListener::bind(&path).unwrap();
    let mut sender = sender(&path);
    sender.send(Severity::Info, "one").unwrap();
    sender.send(Severity::Info, "two").unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    let mut bytes = vec![0; 1024];
    let length = stream.read(&mut bytes).unwrap();
    let text = String::from_utf8(bytes[..length].to_vec()).unwrap();
    let messages: Vec<&str> = text.split_terminator('\0').collect();
    assert!(
        messages[0].ends_with("one") && messages[1].ends_with("two"),
        "{text:?}"
    );
    drop(stream);
    // The peer is gone: the broken pipe is an error to mend, not a signal that ends the process.
    sender.send(Severity::Info, "three").unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    assert_ne!(stream.read(&mut bytes).unwrap(), 0);
}

#[test]
fn a_stream_that_is_full_is_given_up_and_never_awaited() {
    let (_folder, path) = place();
    let _listener = UnixListener::bind(&path).unwrap();
    let mut sender = sender(&path);
    let begin = Instant::now();
    let error = (0..1_000_000).find_map(|_| sender.send(Severity::Info, "x").err());
    assert!(matches!(error, Some(SendError::Busy(_))), "{error:?}");
    assert!(begin.elapsed() < Duration::from_secs(10));
}

#[test]
fn no_daemon_and_no_socket_are_errors_with_a_sentence() {
    let (_folder, path) = place();
    let error = sender(&path).send(Severity::Info, "x").unwrap_err();
    assert!(error.to_string().contains("start rsyslog"), "{error}");
    std::fs::write(&path, "").unwrap();
    assert!(sender(&path).send(Severity::Info, "x").is_err());
    let long = path.join("a".repeat(200));
    assert!(matches!(
        sender(&long).connect(),
        Err(SendError::Failed(..))
    ));
}

#[test]
fn a_connection_made_before_outlives_the_path() {
    let (_folder, path) = place();
    let daemon = UnixDatagram::bind(&path).unwrap();
    let mut sender = sender(&path);
    sender.connect().unwrap();
    std::fs::remove_file(&path).unwrap();
    sender.send(Severity::Info, "from within").unwrap();
    assert!(receive(&daemon).ends_with("from within"));
}
