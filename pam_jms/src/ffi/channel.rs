//! Our end of the socket pair: reads and writes that end at a deadline and never raise SIGPIPE.

use std::io::{self, Read};
use std::mem::{ManuallyDrop, MaybeUninit};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Instant;

use libc::{c_int, c_short};

/// A stream socket with a deadline for all that is said through it.
pub(crate) struct Channel {
    socket: ManuallyDrop<OwnedFd>,
    /// Which socket that is, for when others may have closed the descriptor and been given its number.
    identity: (libc::dev_t, libc::ino_t),
    deadline: Instant,
}

impl Channel {
    /// A connected pair, both ends close-on-exec and above the three standard descriptors (a host
    /// program may have those closed).
    pub(crate) fn pair(deadline: Instant) -> io::Result<(Self, OwnedFd)> {
        let mut ends: [RawFd; 2] = [-1, -1];
        let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC;
        // SAFETY: the array has room for the two descriptors.
        if unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()) } != 0 {
            return Err(io::Error::last_os_error());
        }
        let [ours, theirs] = ends;
        // SAFETY: the call has just made this descriptor, nobody else knows it.
        let ours = unsafe { OwnedFd::from_raw_fd(ours) };
        // SAFETY: as above.
        let theirs = unsafe { OwnedFd::from_raw_fd(theirs) };
        let socket = above_standard(ours)?;
        let theirs = above_standard(theirs)?;
        let channel = Self {
            identity: identity(socket.as_raw_fd())?,
            socket: ManuallyDrop::new(socket),
            deadline,
        };
        Ok((channel, theirs))
    }

    /// Whether the descriptor is still that of our socket. A host program may have closed all that it does not know.
    pub(crate) fn is_ours(&self) -> bool {
        identity(self.socket.as_raw_fd()).is_ok_and(|now| now == self.identity)
    }

    /// Whether something has come that is not read yet, or the other end is closed.
    pub(crate) fn has_news(&self) -> bool {
        let mut descriptor = libc::pollfd {
            fd: self.socket.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        // SAFETY: one live pollfd, as the count says; it does not wait.
        unsafe { libc::poll(&raw mut descriptor, 1, 0) != 0 }
    }

    /// Everything from now on ends at another deadline: a person was waited for.
    pub(crate) fn set_deadline(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }

    /// Sends all of it.
    pub(crate) fn send(&self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            self.wait(libc::POLLOUT)?;
            let flags = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
            // SAFETY: pointer and length are those of a live slice.
            let sent = unsafe {
                libc::send(
                    self.socket.as_raw_fd(),
                    rest.as_ptr().cast(),
                    rest.len(),
                    flags,
                )
            };
            match usize::try_from(sent) {
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(_) => try_again(io::Error::last_os_error())?,
            }
        }
        Ok(())
    }

    /// Waits until the socket is ready or closed; at the deadline an error.
    fn wait(&self, events: c_short) -> io::Result<()> {
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            // Rounded up: a rest of less than a millisecond must not become a busy loop.
            let milliseconds = left.as_millis().saturating_add(1);
            let timeout = c_int::try_from(milliseconds).unwrap_or(c_int::MAX);
            let mut descriptor = libc::pollfd {
                fd: self.socket.as_raw_fd(),
                events,
                revents: 0,
            };
            // SAFETY: one live pollfd, as the count says.
            match unsafe { libc::poll(&raw mut descriptor, 1, timeout) } {
                0 => {}
                1.. => return Ok(()),
                _ => try_again(io::Error::last_os_error())?,
            }
        }
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        if self.is_ours() {
            // SAFETY: dropped here and nowhere else.
            unsafe { ManuallyDrop::drop(&mut self.socket) };
        }
    }
}

/// Device and inode of what a descriptor stands for.
fn identity(descriptor: RawFd) -> io::Result<(libc::dev_t, libc::ino_t)> {
    let mut status = MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: room for the answer; a descriptor that is not open is an error of the call.
    if unsafe { libc::fstat(descriptor, status.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: integers, which the call has filled in.
    let status = unsafe { status.assume_init() };
    Ok((status.st_dev, status.st_ino))
}

impl Read for Channel {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.wait(libc::POLLIN)?;
            // SAFETY: pointer and length are those of a live slice that is ours to write.
            let received = unsafe {
                libc::recv(
                    self.socket.as_raw_fd(),
                    buffer.as_mut_ptr().cast(),
                    buffer.len(),
                    libc::MSG_DONTWAIT,
                )
            };
            match usize::try_from(received) {
                Ok(count) => return Ok(count),
                Err(_) => match io::Error::last_os_error() {
                    // It went without reading all that we said: an end like any other.
                    error if error.kind() == io::ErrorKind::ConnectionReset => return Ok(0),
                    error => try_again(error)?,
                },
            }
        }
    }
}

/// Interrupted or not ready after all is no error.
fn try_again(error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock => Ok(()),
        _ => Err(error),
    }
}

/// The same file under a number above 2, close-on-exec.
pub(crate) fn above_standard(descriptor: OwnedFd) -> io::Result<OwnedFd> {
    if descriptor.as_raw_fd() > 2 {
        return Ok(descriptor);
    }
    // SAFETY: the descriptor is open and owned; the third argument is the lowest number wanted.
    let moved = unsafe { libc::fcntl(descriptor.as_raw_fd(), libc::F_DUPFD_CLOEXEC, 3) };
    if moved < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has just made this descriptor, nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(moved) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn pair(milliseconds: u64) -> (Channel, std::os::unix::net::UnixStream) {
        let deadline = Instant::now() + Duration::from_millis(milliseconds);
        let (channel, theirs) = Channel::pair(deadline).expect("a pair");
        (channel, theirs.into())
    }

    #[test]
    fn what_is_sent_arrives_and_a_closed_end_is_an_end() {
        let (mut channel, mut theirs) = pair(5000);
        channel.send(b"question").expect("sends");
        let mut read = [0; 8];
        theirs.read_exact(&mut read).expect("reads");
        assert_eq!(&read, b"question");
        drop(theirs);
        assert_eq!(channel.read(&mut read).expect("an end"), 0);
    }

    #[test]
    fn an_end_that_went_without_reading_is_an_end() {
        let (mut channel, theirs) = pair(5000);
        channel.send(b"question").expect("sends");
        drop(theirs);
        assert_eq!(channel.read(&mut [0; 8]).expect("an end"), 0);
    }

    #[test]
    fn a_closed_end_is_an_error_and_no_signal() {
        let (channel, theirs) = pair(5000);
        drop(theirs);
        let error = channel.send(b"question").expect_err("nobody there");
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn silence_ends_at_the_deadline() {
        let (mut channel, _theirs) = pair(60);
        let start = Instant::now();
        let error = channel.read(&mut [0; 8]).expect_err("silence");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(start.elapsed() >= Duration::from_millis(60));
        assert!(start.elapsed() < Duration::from_secs(3));
    }

    #[test]
    fn a_listener_that_never_reads_is_not_waited_for() {
        let (channel, _theirs) = pair(60);
        let error = channel.send(&vec![0; 8 << 20]).expect_err("full");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
