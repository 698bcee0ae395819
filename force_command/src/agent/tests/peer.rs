use super::{Conversation, Login, Machine, SESSION, sign_message};
use crate::agent::refusal::Refusal;
use crate::agent::{Agent, Notice, Peer};
use jms::keys::wire::Writer;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

struct Served {
    agent: Agent,
    machine: Machine,
    key: Vec<u8>,
    path: PathBuf,
    _folder: TempDir,
}

impl Served {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent");
        let Conversation {
            protocol,
            machine,
            key,
            ..
        } = Conversation::new();
        let agent = Agent::listen(&path, protocol).unwrap();
        Self {
            agent,
            machine,
            key,
            path,
            _folder: folder,
        }
    }

    fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(&self.path).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        stream
    }

    /// A client in this very process, which is the expected one.
    fn client(&mut self) -> UnixStream {
        self.agent.expect(myself());
        let stream = self.connect();
        self.agent.on_ready();
        assert_eq!(self.agent.take_notices(), [Notice::Connected]);
        stream
    }

    fn ask(&mut self, stream: &mut UnixStream, body: &[u8]) -> Vec<u8> {
        let mut message = Vec::new();
        message.put_string(body);
        stream.write_all(&message).unwrap();
        self.agent.on_ready();
        let mut length = [0; 4];
        stream.read_exact(&mut length).unwrap();
        let mut answer = vec![0; u32::from_be_bytes(length) as usize];
        stream.read_exact(&mut answer).unwrap();
        answer
    }
}

fn myself() -> Peer {
    Peer {
        pid: nix::unistd::getpid().as_raw(),
        uid: nix::unistd::geteuid().as_raw(),
    }
}

fn is_closed(stream: &mut UnixStream) -> bool {
    matches!(stream.read(&mut [0; 16]), Ok(0) | Err(_))
}

#[test]
fn the_child_connects_once_and_the_file_is_gone() {
    let mut served = Served::new();
    let mode = std::fs::metadata(&served.path)
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o660);
    let mut client = served.client();
    assert!(!served.path.exists());
    let bind = served.machine.bind(SESSION);
    assert_eq!(served.ask(&mut client, &bind), [6]);
    let login = sign_message(&served.key, &Login::new(&served.key).data(), 0);
    assert_eq!(served.ask(&mut client, &login)[0], 14);
    assert!(UnixStream::connect(&served.path).is_err());

    drop(client);
    served.agent.on_ready();
    assert_eq!(
        served.agent.take_notices().last(),
        Some(&Notice::PeerClosed)
    );
    assert!(served.agent.poll_fd().is_none());
}

#[test]
fn nobody_is_accepted_before_the_child_is_known() {
    let mut served = Served::new();
    let mut early = served.connect();
    served.agent.on_ready();
    assert!(served.agent.poll_fd().is_none());
    assert!(served.path.exists());
    served.agent.expect(Peer {
        pid: myself().pid + 1,
        ..myself()
    });
    served.agent.on_ready();
    assert!(is_closed(&mut early));
}

#[test]
fn a_stranger_is_closed_at_once_and_the_child_still_comes_in() {
    for stranger in [
        Peer { pid: 1, ..myself() },
        Peer {
            uid: 54_321,
            ..myself()
        },
    ] {
        let mut served = Served::new();
        served.agent.expect(stranger);
        let mut stream = served.connect();
        served.agent.on_ready();
        assert!(is_closed(&mut stream));
        let Peer { pid, uid } = myself();
        assert_eq!(served.agent.take_notices(), [Notice::Stranger { pid, uid }]);
        assert!(served.path.exists());
        served.client();
    }
}

#[test]
fn a_second_connection_in_the_queue_is_closed() {
    let mut served = Served::new();
    let mut second = {
        served.agent.expect(myself());
        let _first = served.connect();
        let second = served.connect();
        served.agent.on_ready();
        second
    };
    assert!(is_closed(&mut second));
}

#[test]
fn strangers_keep_nobody_out_and_are_reported_sixteen_times() {
    let mut served = Served::new();
    served.agent.expect(Peer { pid: 1, ..myself() });
    for _ in 0..40 {
        let mut stream = served.connect();
        served.agent.on_ready();
        assert!(is_closed(&mut stream));
    }
    assert_eq!(served.agent.take_notices().len(), 16);
    served.agent.expect(myself());
    let _client = served.connect();
    served.agent.on_ready();
    assert_eq!(served.agent.take_notices(), [Notice::Connected]);
}

#[test]
fn when_the_login_is_over_everything_is_closed() {
    let mut served = Served::new();
    let mut client = served.client();
    served.agent.finish();
    assert!(is_closed(&mut client));
    assert!(served.agent.poll_fd().is_none());

    let Served {
        agent,
        path,
        _folder,
        ..
    } = Served::new();
    assert!(path.exists());
    drop(agent);
    assert!(!path.exists());
}

#[test]
fn a_client_that_does_not_read_does_not_block_or_fill_the_memory() {
    let mut served = Served::new();
    let mut client = served.client();
    client.set_nonblocking(true).unwrap();
    let mut flood = Vec::new();
    for _ in 0..2000 {
        flood.put_string(&[11]);
    }
    let mut written = 0;
    for _ in 0..2000 {
        match client.write(&flood) {
            Ok(count) => written += count,
            Err(_) => break,
        }
        served.agent.on_ready();
    }
    let (_, flags) = served.agent.poll_fd().unwrap();
    assert_eq!(flags, nix::poll::PollFlags::POLLOUT);
    assert!(
        written < 2000 * flood.len(),
        "the flood was swallowed whole"
    );
}

#[test]
fn a_broken_protocol_closes_the_connection() {
    let mut served = Served::new();
    let mut client = served.client();
    client.write_all(&[0xff; 8]).unwrap();
    served.agent.on_ready();
    assert!(is_closed(&mut client));
    let notices = served.agent.take_notices();
    assert_eq!(
        notices,
        [
            Notice::Refused(Refusal::TooLong(u32::MAX)),
            Notice::PeerClosed
        ]
    );
}

#[test]
fn a_path_that_is_taken_is_an_error() {
    let served = Served::new();
    let Conversation { protocol, .. } = Conversation::new();
    assert!(Agent::listen(&served.path, protocol).is_err());
    assert!(served.path.exists());
}
