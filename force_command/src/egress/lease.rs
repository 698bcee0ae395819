//! What a session and the keeper of its connection say to each other, over a socket that is the session's lease: closed,
//! in whatever way, the session uses the connection no more.
#![forbid(unsafe_code)]

use crate::sys;
use jms::time::Time;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, UnixAddr, connect, send, socket,
};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

/// The longest of these, in bytes.
pub const LONGEST: usize = 512;

/// On what a session uses a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// When its own right runs out, or its user would not be let in any more.
    pub until: Option<Time>,
    /// Number of the newest change of the policy that it was decided by.
    pub policy: u64,
}

/// What a session says; one datagram each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// It wants to use the connection. It is answered.
    Attach(Terms),
    /// It asks the client for a channel now. A lease that ends after that, and before it says [`Word::Connected`] or
    /// [`Word::Nothing`], ends the connection: the client may have a request of nobody's to send. The far end of a
    /// fuse comes with it, by which the kernel does the same where the keeper is late.
    Asks,
    /// The asset has opened its channel.
    Connected,
    /// The size of its terminal is another one.
    Resized,
    /// Nothing was asked of the asset for it, or will be: the channel was refused.
    Nothing,
    /// The connection does not answer: it ends if nobody has a channel on it, and takes nobody any more.
    End,
    /// Its client is not what it should be: whatever uses it, it ends.
    Broken,
    /// There are too many connections: it ends if nobody uses it. It is answered.
    EndIfIdle,
}

impl Word {
    fn bytes(self) -> Vec<u8> {
        let until = |until: Option<Time>| until.map_or(i64::MAX, |until| until.0).to_be_bytes();
        match self {
            Self::Attach(terms) => {
                let policy = terms.policy.to_be_bytes();
                [b"a".as_slice(), &policy, &until(terms.until)].concat()
            }
            Self::Asks => b"q".into(),
            Self::Connected => b"c".into(),
            Self::Resized => b"r".into(),
            Self::Nothing => b"n".into(),
            Self::End => b"e".into(),
            Self::Broken => b"b".into(),
            Self::EndIfIdle => b"i".into(),
        }
    }

    /// Reads one; `None` if it means nothing.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [b'a', terms @ ..] => {
                let (policy, until) = terms.split_first_chunk()?;
                let until = i64::from_be_bytes(until.try_into().ok()?);
                Some(Self::Attach(Terms {
                    until: (until != i64::MAX).then_some(Time(until)),
                    policy: u64::from_be_bytes(*policy),
                }))
            }
            b"q" => Some(Self::Asks),
            b"c" => Some(Self::Connected),
            b"r" => Some(Self::Resized),
            b"n" => Some(Self::Nothing),
            b"e" => Some(Self::End),
            b"b" => Some(Self::Broken),
            b"i" => Some(Self::EndIfIdle),
            _ => None,
        }
    }
}

/// The session's end of it.
#[derive(Debug)]
pub struct Lease(OwnedFd);

impl Lease {
    /// One that exists.
    #[must_use]
    pub fn new(socket: OwnedFd) -> Self {
        Self(socket)
    }

    /// Goes to the keeper that listens at `path`.
    ///
    /// # Errors
    /// What the kernel says: nobody listens there.
    pub fn connect(path: &Path) -> Result<Self, Errno> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(AddressFamily::Unix, SockType::SeqPacket, flags, None)?;
        connect(socket.as_raw_fd(), &UnixAddr::new(path)?)?;
        Ok(Self(socket))
    }

    /// Says something. Whoever is gone hears nothing.
    pub fn say(&self, word: Word) {
        let _ = send(self.0.as_raw_fd(), &word.bytes(), MsgFlags::MSG_NOSIGNAL);
    }

    /// Says something, and gives a descriptor with it.
    ///
    /// # Errors
    /// What the kernel says: nobody hears it.
    pub fn give(&self, word: Word, descriptor: BorrowedFd<'_>) -> Result<(), Errno> {
        sys::send_descriptor(self.0.as_fd(), &word.bytes(), Some(descriptor))
    }

    /// What the keeper says, and a descriptor that came with it; `None` when nothing comes in time, or it is gone.
    #[must_use]
    pub fn hear(&self, patience: Duration) -> Option<(Vec<u8>, Option<OwnedFd>)> {
        let patience = PollTimeout::try_from(patience.as_millis()).unwrap_or(PollTimeout::MAX);
        let mut one = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
        poll(&mut one, patience).ok().filter(|ready| *ready > 0)?;
        let mut bytes = [0; LONGEST];
        let (length, descriptor) = sys::receive_descriptor(self.0.as_fd(), &mut bytes).ok()?;
        let said = bytes.get(..length).filter(|said| !said.is_empty())?;
        Some((said.to_vec(), descriptor))
    }

    /// Says something and hears whether it is so.
    #[must_use]
    pub fn ask(&self, word: Word, patience: Duration) -> Answer {
        self.say(word);
        match self.hear(patience) {
            Some((said, Some(gone))) => match said.split_first() {
                Some((&YES, pid)) => pid.try_into().map_or(Answer::No, |pid| {
                    let pid = i32::from_ne_bytes(pid);
                    Answer::Yes(Kept { pid, gone })
                }),
                _ => Answer::No,
            },
            Some((said, None)) if said == NOT_YET => Answer::NotYet,
            _ => Answer::No,
        }
    }
}

/// A connection's client.
#[derive(Debug)]
pub struct Kept {
    /// Its process id, for as long as `gone` is not readable.
    pub pid: i32,
    /// Readable when it has ended.
    pub gone: OwnedFd,
}

/// What a keeper answers.
#[derive(Debug)]
pub enum Answer {
    /// Yes.
    Yes(Kept),
    /// The asset has not let us in yet.
    NotYet,
    /// No, or nothing.
    No,
}

impl AsFd for Lease {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The keeper's yes; its client's process id follows, and a descriptor comes with it that becomes readable when that has
/// ended.
pub const YES: u8 = b'+';
/// The keeper's no.
pub const NO: &[u8] = b"-";
/// The keeper's no for now.
pub const NOT_YET: &[u8] = b"~";
/// Of the keeper, first of all: its client runs; its process id follows, and the listener comes with it.
pub const STARTED: u8 = b's';
/// The same when there is none: why follows.
pub const FAILED: u8 = b'f';

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_as_it_was_said() {
        for word in [
            Word::Attach(Terms {
                until: None,
                policy: u64::MAX,
            }),
            Word::Attach(Terms {
                until: Some(Time(1_700_000_000_123)),
                policy: 5,
            }),
            Word::Asks,
            Word::Connected,
            Word::Resized,
            Word::Nothing,
            Word::End,
            Word::Broken,
            Word::EndIfIdle,
        ] {
            assert_eq!(Word::parse(&word.bytes()), Some(word));
        }
        for nonsense in [b"".as_slice(), b"a", b"a1234567", b"a12345678", b"x", b"cc"] {
            assert_eq!(Word::parse(nonsense), None);
        }
    }

    #[test]
    fn who_is_not_answered_in_time_or_gone_says_neither_yes_nor_no() {
        use nix::sys::socket::socketpair;
        let pair = || {
            let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags).unwrap()
        };
        let (near, far) = pair();
        let lease = Lease::new(near);
        let short = Duration::from_millis(20);
        let is_yes = || matches!(lease.ask(Word::EndIfIdle, short), Answer::Yes(_));
        assert!(!is_yes());
        let (passed, _) = pair();
        sys::send_descriptor(far.as_fd(), NO, Some(passed.as_fd())).unwrap();
        assert!(!is_yes());
        sys::send_descriptor(far.as_fd(), b"+1", Some(passed.as_fd())).unwrap();
        assert!(!is_yes());
        sys::send_descriptor(far.as_fd(), b"+1234", Some(passed.as_fd())).unwrap();
        assert!(is_yes());
        drop(far);
        assert!(!is_yes());
    }
}
