//! The socket of the agent: one file, one connection, from one process. Nothing here blocks.

use super::protocol::{Notice, Protocol};
use nix::poll::PollFlags;
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// How many foreign connections are turned away before the agent gives up.
const MAX_STRANGERS: u32 = 16;
/// How much is read at a time, in bytes.
const CHUNK: usize = 8 * 1024;
/// How often one call reads; the rest waits for the next turn of the relay's loop.
const MAX_TURNS: usize = 8;

/// The process that may connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Process id of the child.
    pub pid: i32,
    /// The uid it runs as.
    pub uid: u32,
}

enum Stage {
    Listening(UnixListener),
    Connected(UnixStream),
    Closed,
}

/// The agent of one session. Dropping it wipes the key and removes the socket.
pub struct Agent {
    path: PathBuf,
    stage: Stage,
    peer: Option<Peer>,
    strangers: u32,
    protocol: Protocol,
}

impl Agent {
    /// Listens at `path`, which must not exist. The socket's mode is 0660, because the child runs under another uid
    /// and our group: what guards it is its folder, and the check of the peer.
    ///
    /// # Errors
    /// What the system says.
    pub fn listen(path: &Path, protocol: Protocol) -> io::Result<Self> {
        // Dropping the agent removes the file again if the rest fails.
        let agent = Self {
            path: path.to_owned(),
            stage: Stage::Listening(UnixListener::bind(path)?),
            peer: None,
            strangers: 0,
            protocol,
        };
        fs::set_permissions(path, Permissions::from_mode(0o660))?;
        if let Stage::Listening(listener) = &agent.stage {
            listener.set_nonblocking(true)?;
        }
        Ok(agent)
    }

    /// Names the one process that may connect, as soon as it is started. Nobody is accepted before.
    pub fn expect(&mut self, peer: Peer) {
        self.peer = Some(peer);
    }

    /// The descriptor to wait for and what to wait for; none when there is nothing (any more) to do.
    #[must_use]
    pub fn poll_fd(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        match &self.stage {
            Stage::Listening(listener) => self.peer.map(|_| (listener.as_fd(), PollFlags::POLLIN)),
            Stage::Connected(stream) => {
                let flags = match self.protocol.output() {
                    [] => PollFlags::POLLIN,
                    _ => PollFlags::POLLOUT,
                };
                Some((stream.as_fd(), flags))
            }
            Stage::Closed => None,
        }
    }

    /// Does what can be done now without waiting. To be called when [`Agent::poll_fd`] is ready; any other time does
    /// no harm.
    pub fn on_ready(&mut self) {
        if self.peer.is_some() {
            self.accept();
        }
        if let Stage::Connected(stream) = &mut self.stage
            && exchange(stream, &mut self.protocol).is_err()
        {
            self.stage = Stage::Closed;
            self.protocol.finish();
            self.protocol.notice(Notice::PeerClosed);
        }
    }

    /// What happened since the last call, the oldest first.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        self.protocol.take_notices()
    }

    /// The login is over: wipes the key and closes everything.
    pub fn finish(&mut self) {
        self.protocol.finish();
        self.close_listener();
        self.stage = Stage::Closed;
    }

    fn accept(&mut self) {
        while let Stage::Listening(listener) = &self.stage {
            let stream = match listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                // Nobody there, or gone again already.
                Err(_) => return,
            };
            match peer_of(&stream) {
                Ok(peer) if Some(peer) == self.peer => {
                    self.close_listener();
                    if stream.set_nonblocking(true).is_ok() {
                        self.stage = Stage::Connected(stream);
                        self.protocol.notice(Notice::Connected);
                    } else {
                        self.protocol.notice(Notice::PeerClosed);
                    }
                }
                Ok(Peer { pid, uid }) => self.turn_away(Notice::Stranger { pid, uid }),
                Err(_) => self.turn_away(Notice::Stranger {
                    pid: 0,
                    uid: u32::MAX,
                }),
            }
        }
    }

    fn turn_away(&mut self, notice: Notice) {
        // Whoever knocks often is turned away as often, and reported so often only.
        if self.strangers < MAX_STRANGERS {
            self.strangers += 1;
            self.protocol.notice(notice);
        }
    }

    /// Removes the socket's file and stops listening; a connection that waits in the queue is closed with it.
    fn close_listener(&mut self) {
        if let Stage::Listening(_) = self.stage {
            // The folder goes with the session; a file that stays leads nowhere.
            let _ = fs::remove_file(&self.path);
            self.stage = Stage::Closed;
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.finish();
    }
}

fn peer_of(stream: &UnixStream) -> io::Result<Peer> {
    let credentials = getsockopt(stream, PeerCredentials)?;
    Ok(Peer {
        pid: credentials.pid(),
        uid: credentials.uid(),
    })
}

/// Reads and writes until one of them would wait. An error is the end of the connection.
fn exchange(stream: &mut UnixStream, protocol: &mut Protocol) -> io::Result<()> {
    for _ in 0..MAX_TURNS {
        while !protocol.output().is_empty() {
            match stream.write(protocol.output()) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => protocol.sent(count),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        if protocol.is_broken() {
            return Err(ErrorKind::InvalidData.into());
        }
        let mut chunk = [0; CHUNK];
        match stream.read(&mut chunk) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => protocol.receive(chunk.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
