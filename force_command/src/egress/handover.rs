//! What the client is given when it asks for a socket: the asset's connection, once, and its agent, once.
//!
//! The client never connects to anything, so it can reach nothing else, whatever it or the asset makes of it. A
//! connection may be one to the asset's address or the way through a gateway: the client sees no difference.
#![forbid(unsafe_code)]

use super::connector::Connector;
use super::failure::Failure;
use crate::agent::Agent;
use crate::confinement::listener::{Listener, Request, Wanted};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Instant;

/// So many refusals are reported; a client that asks for ever must not fill the memory.
const MAX_REFUSALS: usize = 16;

/// What a client was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// A connection beside the one to its asset.
    Connection,
    /// A connection to a program on the bastion beside the one to its agent.
    Local,
    /// Anything, to a process that it has started and that is owed nothing.
    Process,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connection => "the client wanted a second connection",
            Self::Local => "the client wanted to speak with a program of the bastion",
            Self::Process => "a process that the client started wanted a connection",
        })
    }
}

/// Where the connection comes from.
#[derive(Debug)]
pub enum Source {
    /// It is being made.
    Connecting(Connector),
    /// It is there: the far end of a gateway's client.
    There(OwnedFd),
    /// The client has it.
    Given,
}

/// Answers one client.
#[derive(Debug)]
pub struct Handover {
    listener: Option<Listener>,
    client: i32,
    source: Source,
    waiting: Option<Request>,
    /// So many more connections are made for programs that the client starts.
    helpers: u32,
    visitor: Option<UnixStream>,
    /// Where sessions come to the client, if it keeps its connection; given once, behind the agent.
    door: Option<OwnedFd>,
    refusals: Vec<Refused>,
}

impl Handover {
    /// For a client that is yet to be started.
    #[must_use]
    pub fn new(source: Source) -> Self {
        Self {
            listener: None,
            client: 0,
            source,
            waiting: None,
            helpers: 0,
            visitor: None,
            door: None,
            refusals: Vec::new(),
        }
    }

    /// The client keeps its connection, and will ask for the socket at which sessions come: this one, which listens.
    pub fn offer_door(&mut self, door: OwnedFd) {
        self.door = Some(door);
    }

    /// Whether the client has yet to ask for that socket.
    #[must_use]
    pub fn has_door(&self) -> bool {
        self.door.is_some()
    }

    /// Programs that the client starts may have `count` local connections, one after the other: the one that it
    /// starts to be told a password. Each appears at [`Handover::take_visitor`].
    pub fn allow_helpers(&mut self, count: u32) {
        self.helpers = count;
    }

    /// Our end of a connection that a program of the client's has been given.
    pub fn take_visitor(&mut self) -> Option<UnixStream> {
        self.visitor.take()
    }

    /// The process that is looking up a name, if there is one.
    #[must_use]
    pub fn resolver(&self) -> Option<i32> {
        match &self.source {
            Source::Connecting(connector) => connector.process(),
            _ => None,
        }
    }

    /// The client runs, under this process id, and asks here.
    pub fn answer(&mut self, client: i32, listener: Listener) {
        (self.client, self.listener) = (client, Some(listener));
    }

    /// What to wait for.
    pub fn watched(&self) -> impl Iterator<Item = (BorrowedFd<'_>, PollFlags)> {
        let connecting = match &self.source {
            Source::Connecting(connector) => connector.watched(),
            _ => None,
        };
        let listener = self.listener.as_ref();
        connecting
            .into_iter()
            .chain(listener.map(|listener| (listener.as_fd(), PollFlags::POLLIN)))
    }

    /// When [`Handover::on_ready`] has something to do, even if nothing happens.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        match &self.source {
            Source::Connecting(connector) => connector.deadline(),
            _ => None,
        }
    }

    /// Does what can be done now without waiting. `agent`: what a local connection of the client leads to.
    ///
    /// # Errors
    /// Why there is no connection to hand over.
    pub fn on_ready(&mut self, agent: &mut Agent) -> Result<(), Failure> {
        if let Source::Connecting(connector) = &self.source
            && let Some(outcome) = connector.outcome()
        {
            // What failed is given nobody: who waits is left waiting, and ended with the session.
            let connector = std::mem::replace(&mut self.source, Source::Given);
            drop(connector);
            self.source = Source::There(outcome?);
        }
        if !matches!(self.source, Source::Connecting(_))
            && let Some(request) = self.waiting.take()
        {
            self.serve(request, agent);
        }
        while let Some(request) = self.next_request() {
            self.serve(request, agent);
        }
        Ok(())
    }

    /// What was refused since the last call.
    pub fn take_refusals(&mut self) -> Vec<Refused> {
        std::mem::take(&mut self.refusals)
    }

    fn next_request(&mut self) -> Option<Request> {
        let listener = self.listener.as_ref()?;
        let mut one = [PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
        let ready = poll(&mut one, PollTimeout::ZERO).is_ok_and(|ready| ready > 0);
        let events = one.first().and_then(PollFd::revents).filter(|_| ready)?;
        if events.contains(PollFlags::POLLIN) {
            return listener.next();
        }
        // Nobody is left who could ask.
        self.listener = None;
        None
    }

    fn serve(&mut self, request: Request, agent: &mut Agent) {
        let Some(listener) = &self.listener else {
            return;
        };
        let of_client = request.pid == self.client;
        match (request.wanted, &self.source) {
            (Wanted::Connection, Source::Connecting(_)) if of_client => {
                self.waiting = Some(request)
            }
            (Wanted::Connection, Source::There(connection)) if of_client => {
                // Who was interrupted asks again.
                if listener.hand_over(request, connection.as_fd()).is_ok() {
                    self.source = Source::Given;
                }
            }
            (Wanted::Local, _) if of_client && agent.waits() => {
                agent.hand_over(|end| listener.hand_over(request, end).is_ok());
            }
            (Wanted::Local, _) if !of_client && self.helpers > 0 && self.visitor.is_none() => {
                if let Ok((ours, theirs)) = UnixStream::pair()
                    && ours.set_nonblocking(true).is_ok()
                    && listener.hand_over(request, theirs.as_fd()).is_ok()
                {
                    self.helpers -= 1;
                    self.visitor = Some(ours);
                }
            }
            // The agent is done: the asset has let us in.
            (Wanted::Local, _) if of_client && agent.is_finished() && self.door.is_some() => {
                let door = self.door.take();
                if let Some(door) = door
                    && listener.hand_over(request, door.as_fd()).is_err()
                {
                    self.door = Some(door);
                }
            }
            (wanted, _) => {
                listener.refuse(request);
                let refused = match wanted {
                    _ if !of_client => Refused::Process,
                    Wanted::Connection => Refused::Connection,
                    Wanted::Local => Refused::Local,
                };
                if self.refusals.len() < MAX_REFUSALS {
                    self.refusals.push(refused);
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "handover_tests.rs"]
mod tests;
