//! Hands the finished connection to the client: its `ProxyCommand` is our program `take-connection`, which
//! fetches it here and passes it on (`ProxyUseFdpass`, ssh_config(5)).
//!
//! The client itself never calls the network; what it gets is a socket that leads to one machine.

use super::connector::Connector;
use super::door::Door;
use super::failure::Failure;
use crate::sys;
use nix::poll::PollFlags;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// The program that fetches the connection; its argument is the socket's path.
pub const TAKE_CONNECTION: &str = "/usr/libexec/jms/take-connection";

/// Where the connection comes from.
#[derive(Debug)]
pub enum Source {
    /// It is being made.
    Connecting(Connector),
    /// It is there: the far end of a gateway's client.
    There(OwnedFd),
}

/// One connection on its way to one client.
#[derive(Debug)]
pub struct Way {
    door: Option<Door>,
    source: Option<Source>,
    taker: Option<UnixStream>,
    client: Option<(i32, u32)>,
}

impl Way {
    /// Listens at `path` for the client of this connection.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path, source: Source) -> io::Result<Self> {
        Ok(Self {
            door: Some(Door::listen(path)?),
            source: Some(source),
            taker: None,
            client: None,
        })
    }

    /// Names the client: its pid and uid. Nobody is let in before.
    pub fn expect(&mut self, pid: i32, uid: u32) {
        self.client = Some((pid, uid));
    }

    /// What to wait for; nothing once the connection is handed over.
    pub fn watched(&self) -> impl Iterator<Item = (BorrowedFd<'_>, PollFlags)> {
        let connecting = match &self.source {
            Some(Source::Connecting(connector)) => Some(connector.descriptor()),
            _ => None,
        };
        let door = self.door.as_ref().filter(|_| self.client.is_some());
        let door = door.map(Door::descriptor).filter(|_| self.taker.is_none());
        connecting
            .into_iter()
            .chain(door)
            .map(|descriptor| (descriptor, PollFlags::POLLIN))
    }

    /// Does what can be done now without waiting.
    ///
    /// # Errors
    /// Why there is no connection to hand over.
    pub fn on_ready(&mut self) -> Result<(), Failure> {
        if let Some(Source::Connecting(connector)) = &self.source
            && let Some(outcome) = connector.outcome()
        {
            self.source = None;
            self.source = Some(Source::There(outcome?));
        }
        if let (Some(door), Some((pid, uid)), None) = (&self.door, self.client, &self.taker) {
            self.taker = door.enter(pid, uid);
        }
        if let (Some(Source::There(connection)), Some(taker)) = (&self.source, &self.taker) {
            // If it does not arrive the client says so, and ends.
            let _ = sys::send_descriptor(taker.as_fd(), b"c", Some(connection.as_fd()));
            (self.source, self.taker, self.door) = (None, None, None);
        }
        Ok(())
    }
}

/// The program `take-connection`: fetches the connection from the socket at `path` and passes it to the client,
/// which is at the other end of standard output; the exit status.
#[must_use]
pub fn take_connection(path: &Path) -> i32 {
    let fetch = || -> io::Result<()> {
        let relay = UnixStream::connect(path)?;
        let mut byte = [0];
        let (length, connection) = sys::receive_descriptor(relay.as_fd(), &mut byte)?;
        let connection = connection.filter(|_| length == 1);
        let connection = connection.ok_or(io::ErrorKind::UnexpectedEof)?;
        let client = sys::standard(sys::StandardNumber::Output);
        // One byte: OpenSSH's mm_receive_fd.
        sys::send_descriptor(client, &[0], Some(connection.as_fd()))?;
        Ok(())
    };
    i32::from(fetch().is_err())
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::unistd::{geteuid, getpid};
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    #[test]
    fn the_connection_goes_to_the_clients_child_and_the_way_is_closed_behind_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("way");
        let (connection, mut far_end) = UnixStream::pair().unwrap();
        let mut way = Way::open(&path, Source::There(connection.into())).unwrap();
        way.expect(getpid().as_raw(), geteuid().as_raw());
        let script = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); \
             m,f,*_=socket.recv_fds(s,1,1); c=socket.socket(fileno=f[0]); c.sendall(b'through'); print(len(m))";
        let mut child = Command::new("python3")
            .args(["-c", script])
            .arg(&path)
            .stdout(Stdio::null())
            .spawn()
            .expect("python3 is needed");
        let until = Instant::now() + Duration::from_secs(20);
        while way.watched().next().is_some() && Instant::now() < until {
            way.on_ready().unwrap();
            std::thread::sleep(Duration::from_millis(5));
        }
        let mut read = Vec::new();
        far_end.read_to_end(&mut read).unwrap();
        assert_eq!(read, b"through");
        assert!(child.wait().unwrap().success() && !path.exists());
        assert!(far_end.write_all(b"x").is_err(), "nobody else holds it");
    }
}
