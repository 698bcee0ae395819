//! The way through the network to one machine. An IP address is connected to at once, without waiting; a name is
//! resolved, and its addresses tried, in a process of its own that has nothing but the user's uid and a socket to us.
//! The client program gets the finished connection, so that neither it nor the relay needs the network.
//!
//! To be begun before a secret is in memory, so that the process has none.
//!
//! Trusts the name service for nothing but an address: who answers there is proved by its host key. The
//! process that reads its answer is not shut in: what it could do if a forged one took it over stands in
//! docs/confinement.md.

use super::child::{ChildError, Step, become_user};
use super::failure::Failure;
use crate::sys::{self, Forked};
use jms::names::Address;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::PollFlags;
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockProtocol, SockType, SockaddrIn, SockaddrIn6, SockaddrLike,
    SockaddrStorage, connect as connect_socket, getpeername, getsockopt, setsockopt, socket,
    socketpair, sockopt,
};
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, dup2_stderr, dup2_stdin, dup2_stdout, getpid};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

/// A connection that is being made. Dropped, the attempt is over.
#[derive(Debug)]
pub struct Connector {
    attempt: Attempt,
    /// When it is given up.
    until: Instant,
}

#[derive(Debug)]
enum Attempt {
    /// To one address.
    Address(OwnedFd),
    /// To a name, by a process.
    Name(Resolver),
    /// Refused at once.
    Failed(Failure),
}

impl Connector {
    /// Begins to connect to `port` of `address`, for at most `patience`; names are looked up by the user `uid`.
    ///
    /// # Errors
    /// [`ChildError`] when there can be no process for it.
    pub fn begin(
        address: &Address,
        port: u16,
        patience: Duration,
        (uid, gid): (u32, u32),
    ) -> Result<Self, ChildError> {
        let address = address.to_string();
        let attempt = match address.parse::<IpAddr>() {
            Ok(ip) => begin_one(SocketAddr::new(ip, port))
                .map_or_else(|errno| Attempt::Failed(refused(errno)), Attempt::Address),
            Err(_) => Attempt::Name(Resolver::begin(&address, port, patience, (uid, gid))?),
        };
        Ok(Self {
            attempt,
            until: Instant::now() + patience,
        })
    }

    /// The process that looks up the name, if it is one.
    #[must_use]
    pub fn process(&self) -> Option<i32> {
        match &self.attempt {
            Attempt::Name(resolver) => Some(resolver.process.as_raw()),
            _ => None,
        }
    }

    /// What to wait for.
    #[must_use]
    pub fn watched(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        match &self.attempt {
            Attempt::Address(socket) => Some((socket.as_fd(), PollFlags::POLLOUT)),
            Attempt::Name(resolver) => Some((resolver.socket.as_fd(), PollFlags::POLLIN)),
            Attempt::Failed(_) => None,
        }
    }

    /// When [`Connector::outcome`] has something to say, even if nothing happens.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        match &self.attempt {
            Attempt::Address(_) => Some(self.until),
            // It keeps the time itself.
            Attempt::Name(_) => None,
            Attempt::Failed(_) => Some(Instant::now()),
        }
    }

    /// What came of it, if it is over; never waits. To be asked until there is an answer.
    #[must_use]
    pub fn outcome(&self) -> Option<Result<OwnedFd, Failure>> {
        match &self.attempt {
            Attempt::Failed(failure) => Some(Err(*failure)),
            Attempt::Name(resolver) => resolver.outcome(),
            Attempt::Address(socket) => match state(socket) {
                Ok(true) => Some(socket.try_clone().map_err(|_| Failure::Other)),
                Err(errno) => Some(Err(refused(errno))),
                Ok(false) if self.until <= Instant::now() => Some(Err(Failure::Silent)),
                Ok(false) => None,
            },
        }
    }
}

/// Begins to connect to one address.
fn begin_one(to: SocketAddr) -> Result<OwnedFd, Errno> {
    let (family, to): (_, Box<dyn SockaddrLike>) = match to {
        SocketAddr::V4(to) => (AddressFamily::Inet, Box::new(SockaddrIn::from(to))),
        SocketAddr::V6(to) => (AddressFamily::Inet6, Box::new(SockaddrIn6::from(to))),
    };
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(family, SockType::Stream, flags, SockProtocol::Tcp)?;
    // `ssh` asks for its first service right after its keys: the kernel would keep that back until the keys are confirmed,
    // which is late. Only time depends on it.
    let _ = setsockopt(&socket, sockopt::TcpNoDelay, &true);
    match connect_socket(socket.as_raw_fd(), &*to) {
        Ok(()) | Err(Errno::EINPROGRESS | Errno::EINTR) => Ok(socket),
        Err(errno) => Err(errno),
    }
}

/// Whether it is connected; an error when it never will be.
fn state(socket: &OwnedFd) -> Result<bool, Errno> {
    match getsockopt(socket, sockopt::SocketError)? {
        0 => match getpeername::<SockaddrStorage>(socket.as_raw_fd()) {
            Ok(_) => Ok(true),
            Err(Errno::ENOTCONN) => Ok(false),
            Err(errno) => Err(errno),
        },
        errno => Err(Errno::from_raw(errno)),
    }
}

fn refused(errno: Errno) -> Failure {
    not_connected(&errno.into())
}

/// The process that looks up a name.
#[derive(Debug)]
struct Resolver {
    process: Pid,
    socket: OwnedFd,
}

impl Resolver {
    fn begin(
        name: &str,
        port: u16,
        patience: Duration,
        (uid, gid): (u32, u32),
    ) -> Result<Self, ChildError> {
        let at = |step| move |errno| ChildError { step, errno };
        let (socket, theirs) = socketpair(
            AddressFamily::Unix,
            SockType::SeqPacket,
            None,
            SockFlag::SOCK_CLOEXEC,
        )
        .map_err(at(Step::Pipes))?;
        fcntl(&socket, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).map_err(at(Step::Pipes))?;
        let parent = getpid();
        match sys::fork().map_err(at(Step::Fork))? {
            Forked::Child => {
                let alone = || -> Result<(), Errno> {
                    dup2_stdin(&theirs)?;
                    dup2_stdout(&theirs)?;
                    dup2_stderr(&theirs)?;
                    sys::close_from(3, false)?;
                    become_user(uid, gid, parent)
                };
                let socket = sys::standard(sys::StandardNumber::Input);
                let connected = alone()
                    .map_err(|_| Failure::Other)
                    .and_then(|()| connect(name, port, patience));
                let _ = match &connected {
                    Ok(stream) => sys::send_descriptor(socket, &[CONNECTED], Some(stream.as_fd())),
                    Err(failure) => sys::send_descriptor(socket, &[code(*failure)], None),
                };
                sys::leave(0)
            }
            Forked::Parent(pid) => Ok(Self {
                process: Pid::from_raw(pid),
                socket,
            }),
        }
    }

    fn outcome(&self) -> Option<Result<OwnedFd, Failure>> {
        let mut answer = [0];
        match sys::receive_descriptor(self.socket.as_fd(), &mut answer) {
            Err(Errno::EAGAIN) => None,
            Ok((1, Some(connection))) if answer == [CONNECTED] => Some(Ok(connection)),
            Ok((1, _)) => Some(Err(failure(answer[0]))),
            Ok(_) | Err(_) => Some(Err(Failure::Other)),
        }
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        // It has not been waited for, so the number is still its own.
        let _ = kill(self.process, Signal::SIGKILL);
        while waitpid(self.process, None) == Err(Errno::EINTR) {}
    }
}

const CONNECTED: u8 = 0;
/// What the process may say; its answer is the place in this list, counted from 1.
const FAILURES: [Failure; 6] = [
    Failure::UnknownName,
    Failure::NoNameService,
    Failure::PortClosed,
    Failure::Unreachable,
    Failure::Silent,
    Failure::Other,
];

fn code(failure: Failure) -> u8 {
    (1..)
        .zip(FAILURES)
        .find(|(_, it)| *it == failure)
        .map_or(u8::MAX, |(code, _)| code)
}

fn failure(code: u8) -> Failure {
    let place = usize::from(code).checked_sub(1);
    place
        .and_then(|place| FAILURES.get(place).copied())
        .unwrap_or(Failure::Other)
}

/// Resolves and connects; blocks. Each of several addresses gets its share of the time that is left.
fn connect(host: &str, port: u16, patience: Duration) -> Result<TcpStream, Failure> {
    let until = Instant::now() + patience;
    let mut addresses: Vec<SocketAddr> = (host, port)
        .to_socket_addrs()
        .map_err(|error| not_resolved(&error))?
        .collect();
    addresses.dedup();
    addresses.truncate(8);
    let mut worst = None;
    for (place, address) in addresses.iter().enumerate() {
        let left = until.saturating_duration_since(Instant::now());
        let shares = u32::try_from(addresses.len() - place).unwrap_or(1);
        match TcpStream::connect_timeout(address, (left / shares).max(Duration::from_millis(1))) {
            Ok(stream) => {
                // As to an address that needs no looking up.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => worst = telling(worst, not_connected(&error)),
        }
    }
    Err(worst.unwrap_or(Failure::UnknownName))
}

/// Of two addresses that failed, the failure that says more about the machine.
fn telling(before: Option<Failure>, now: Failure) -> Option<Failure> {
    let order = [
        Failure::PortClosed,
        Failure::Silent,
        Failure::Unreachable,
        Failure::Other,
    ];
    order
        .into_iter()
        .find(|it| before == Some(*it) || now == *it)
}

fn not_resolved(error: &io::Error) -> Failure {
    // EAI_AGAIN in the C library's words; the locale is always C here.
    if error.to_string().contains("Temporary failure") {
        Failure::NoNameService
    } else {
        Failure::UnknownName
    }
}

fn not_connected(error: &io::Error) -> Failure {
    match error.kind() {
        ErrorKind::ConnectionRefused => Failure::PortClosed,
        ErrorKind::TimedOut => Failure::Silent,
        ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::PermissionDenied
        | ErrorKind::NetworkDown => Failure::Unreachable,
        _ => Failure::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::poll::{PollFd, PollTimeout, poll};
    use nix::unistd::{getegid, geteuid};
    use std::io::{Read, Write};
    use std::net::TcpListener;

    fn outcome_of(address: &str, port: u16, patience: Duration) -> Result<OwnedFd, Failure> {
        let address = Address::new(address).unwrap();
        let me = (geteuid().as_raw(), getegid().as_raw());
        let connector = Connector::begin(&address, port, patience, me).unwrap();
        loop {
            if let Some(outcome) = connector.outcome() {
                return outcome;
            }
            let (descriptor, events) = connector.watched().unwrap();
            let left = connector
                .deadline()
                .map_or(Duration::from_secs(20), |at| at - Instant::now());
            let left = PollTimeout::try_from(left.as_millis() + 1).unwrap();
            let _ = poll(&mut [PollFd::new(descriptor, events)], left).unwrap();
        }
    }

    #[test]
    fn a_connection_that_another_process_made_is_ours_to_use() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        for address in ["127.0.0.1", "localhost"] {
            let connection = outcome_of(address, port, Duration::from_secs(10)).unwrap();
            let mut connection = TcpStream::from(connection);
            connection.set_nonblocking(false).unwrap();
            let (mut accepted, _) = listener.accept().unwrap();
            accepted.write_all(b"SSH").unwrap();
            let mut read = [0; 3];
            connection.read_exact(&mut read).unwrap();
            assert_eq!(&read, b"SSH");
        }
    }

    #[test]
    fn a_closed_port_and_an_unknown_name_are_told_apart() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let patience = Duration::from_secs(10);
        for address in ["127.0.0.1", "localhost"] {
            assert_eq!(
                outcome_of(address, port, patience).unwrap_err(),
                Failure::PortClosed
            );
        }
        let unknown = outcome_of("no-such-host.invalid", 22, patience).unwrap_err();
        assert!(
            [Failure::UnknownName, Failure::NoNameService].contains(&unknown),
            "{unknown:?}"
        );
    }

    #[test]
    fn an_address_that_does_not_answer_is_given_up_in_time() {
        // A queue of one that is full: nobody who comes now is answered.
        let listener = nix::sys::socket::socket(
            AddressFamily::Inet,
            SockType::Stream,
            SockFlag::empty(),
            None,
        )
        .unwrap();
        let anywhere = SockaddrIn::new(127, 0, 0, 1, 0);
        nix::sys::socket::bind(listener.as_raw_fd(), &anywhere).unwrap();
        nix::sys::socket::listen(&listener, nix::sys::socket::Backlog::new(0).unwrap()).unwrap();
        let address: SockaddrIn = nix::sys::socket::getsockname(listener.as_raw_fd()).unwrap();
        let full: Vec<_> = (0..3)
            .map(|_| begin_one(SocketAddr::from((address.ip(), address.port()))).unwrap())
            .collect();
        let short = Duration::from_millis(300);
        let failure = outcome_of("127.0.0.1", address.port(), short).unwrap_err();
        assert_eq!(failure, Failure::Silent);
        drop(full);
    }

    #[test]
    fn of_several_addresses_the_one_that_said_most_is_told() {
        assert_eq!(
            telling(Some(Failure::Silent), Failure::PortClosed),
            Some(Failure::PortClosed)
        );
        assert_eq!(
            telling(Some(Failure::Silent), Failure::Unreachable),
            Some(Failure::Silent)
        );
        assert_eq!(telling(None, Failure::Other), Some(Failure::Other));
    }

    #[test]
    fn every_failure_has_its_number() {
        for it in FAILURES {
            assert_eq!(failure(code(it)), it);
            assert_ne!(code(it), CONNECTED);
        }
        assert_eq!(failure(200), Failure::Other);
    }
}
