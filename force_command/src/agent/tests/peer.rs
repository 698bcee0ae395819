use super::{Conversation, Login, Machine, SESSION, sign_message};
use crate::agent::refusal::Refusal;
use crate::agent::{Agent, Notice};
use jms::keys::wire::Writer;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

struct Served {
    agent: Agent,
    machine: Machine,
    key: Vec<u8>,
}

impl Served {
    fn new() -> Self {
        let Conversation {
            protocol,
            machine,
            key,
            ..
        } = Conversation::new();
        Self {
            agent: Agent::new(protocol),
            machine,
            key,
        }
    }

    /// The client's end, if there is (still) one to be had.
    fn connect(&mut self) -> Option<UnixStream> {
        let mut stream = None;
        self.agent.hand_over(|end| {
            stream = end.try_clone_to_owned().ok().map(UnixStream::from);
            true
        });
        stream.inspect(|stream| {
            stream
                .set_read_timeout(Some(Duration::from_secs(5)))
                .unwrap();
        })
    }

    fn client(&mut self) -> UnixStream {
        let stream = self.connect().unwrap();
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

fn is_closed(stream: &mut UnixStream) -> bool {
    matches!(stream.read(&mut [0; 16]), Ok(0) | Err(_))
}

#[test]
fn there_is_one_connection_and_no_other() {
    let mut served = Served::new();
    let mut client = served.client();
    assert!(!served.agent.waits() && served.connect().is_none());
    let bind = served.machine.bind(SESSION);
    assert_eq!(served.ask(&mut client, &bind), [6]);
    let login = sign_message(&served.key, &Login::new(&served.key).data(), 0);
    assert_eq!(served.ask(&mut client, &login)[0], 14);

    drop(client);
    served.agent.on_ready();
    assert_eq!(
        served.agent.take_notices().last(),
        Some(&Notice::PeerClosed)
    );
    assert!(served.agent.poll_fd().is_none() && served.connect().is_none());
}

#[test]
fn a_client_that_could_not_take_it_gets_it_later() {
    let mut served = Served::new();
    served.agent.hand_over(|_| false);
    assert!(served.agent.waits() && served.agent.take_notices().is_empty());
    served.client();
}

#[test]
fn when_the_login_is_over_everything_is_closed() {
    let mut served = Served::new();
    let mut client = served.client();
    served.agent.finish();
    assert!(is_closed(&mut client));
    assert!(served.agent.poll_fd().is_none());

    let mut served = Served::new();
    served.agent.finish();
    assert!(served.connect().is_none());
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
