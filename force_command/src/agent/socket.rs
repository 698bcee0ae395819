//! The socket of the agent: one connection, to one process. Nothing here blocks.

use super::protocol::{Notice, Protocol};
use nix::poll::PollFlags;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

/// How much is read at a time, in bytes.
const CHUNK: usize = 8 * 1024;
/// How often one call reads; the rest waits for the next turn of the relay's loop.
const MAX_TURNS: usize = 8;

enum Stage {
    Waiting,
    Connected(UnixStream),
    Closed,
    /// The login is over.
    Finished,
}

/// The agent of one session. Dropping it wipes the key.
///
/// It has no name in the file system and listens nowhere: its one connection is made by us and handed to the client.
pub struct Agent {
    stage: Stage,
    protocol: Protocol,
}

impl Agent {
    /// Waits for its client.
    #[must_use]
    pub fn new(protocol: Protocol) -> Self {
        Self {
            stage: Stage::Waiting,
            protocol,
        }
    }

    /// Whether its one connection is still to be had.
    #[must_use]
    pub fn waits(&self) -> bool {
        matches!(self.stage, Stage::Waiting)
    }

    /// Makes the connection and gives its other end to `take`, whose answer says whether the client has it. There is
    /// one connection: later calls do nothing.
    pub fn hand_over(&mut self, take: impl FnOnce(BorrowedFd<'_>) -> bool) {
        if !self.waits() {
            return;
        }
        let Ok((ours, theirs)) = UnixStream::pair() else {
            return;
        };
        if ours.set_nonblocking(true).is_ok() && take(theirs.as_fd()) {
            self.stage = Stage::Connected(ours);
            self.protocol.notice(Notice::Connected);
        }
    }

    /// The descriptor to wait for and what to wait for; none when there is nothing (any more) to do.
    #[must_use]
    pub fn poll_fd(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        match &self.stage {
            Stage::Connected(stream) => {
                let flags = match self.protocol.output() {
                    [] => PollFlags::POLLIN,
                    _ => PollFlags::POLLOUT,
                };
                Some((stream.as_fd(), flags))
            }
            Stage::Waiting | Stage::Closed | Stage::Finished => None,
        }
    }

    /// Does what can be done now without waiting. To be called when [`Agent::poll_fd`] is ready; any other time does
    /// no harm.
    pub fn on_ready(&mut self) {
        if let Stage::Connected(stream) = &mut self.stage
            && exchange(stream, &mut self.protocol).is_err()
        {
            self.stage = Stage::Closed;
            self.protocol.finish();
            self.protocol.notice(Notice::PeerClosed);
        }
    }

    /// The host key that the machine at the other end has proved to have, in its wire form.
    #[must_use]
    pub fn proved(&self) -> Option<&[u8]> {
        self.protocol.proved()
    }

    /// Whether a password may be given to the machine at the other end.
    #[must_use]
    pub fn may_give_password(&self) -> bool {
        self.protocol.may_give_password()
    }

    /// Says that a password was asked for before that.
    pub fn withhold(&mut self) {
        self.protocol.notice(Notice::Withheld);
    }

    /// What happened since the last call, the oldest first.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        self.protocol.take_notices()
    }

    /// The login is over: wipes the key and closes everything.
    pub fn finish(&mut self) {
        self.protocol.finish();
        self.stage = Stage::Finished;
    }

    /// Whether it was told that the login is over.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        matches!(self.stage, Stage::Finished)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.finish();
    }
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
