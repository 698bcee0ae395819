//! Passing a descriptor to another process over a Unix socket (`unix(7)`, `SCM_RIGHTS`).

use nix::cmsg_space;
use nix::errno::Errno;
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, UnixAddr, recvmsg, sendmsg};
use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// Sends `bytes`, and `descriptor` with them.
///
/// # Errors
/// What the kernel says.
pub fn send_descriptor(
    socket: BorrowedFd<'_>,
    bytes: &[u8],
    descriptor: Option<BorrowedFd<'_>>,
) -> Result<(), Errno> {
    let numbers: Vec<RawFd> = descriptor.iter().map(AsRawFd::as_raw_fd).collect();
    let rights = [ControlMessage::ScmRights(&numbers)];
    let messages: &[ControlMessage<'_>] = if numbers.is_empty() { &[] } else { &rights };
    let parts = [IoSlice::new(bytes)];
    loop {
        let flags = MsgFlags::MSG_NOSIGNAL;
        match sendmsg::<UnixAddr>(socket.as_raw_fd(), &parts, messages, flags, None) {
            Err(Errno::EINTR) => {}
            other => return other.map(drop),
        }
    }
}

/// Receives into `bytes`: how many came, and the descriptor that came with them.
///
/// # Errors
/// What the kernel says; `EAGAIN` when nothing is there and the socket does not block.
pub fn receive_descriptor(
    socket: BorrowedFd<'_>,
    bytes: &mut [u8],
) -> Result<(usize, Option<OwnedFd>), Errno> {
    let mut space = cmsg_space!(RawFd);
    let mut parts = [IoSliceMut::new(bytes)];
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let message = loop {
        match recvmsg::<UnixAddr>(socket.as_raw_fd(), &mut parts, Some(&mut space), flags) {
            Err(Errno::EINTR) => {}
            other => break other?,
        }
    };
    let mut received: Vec<OwnedFd> = Vec::new();
    for control in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(numbers) = control {
            for number in numbers {
                // SAFETY: the kernel has just made it for us, and nobody else in this process knows it.
                received.push(unsafe { OwnedFd::from_raw_fd(number) });
            }
        }
    }
    Ok((message.bytes, received.pop()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_descriptor_arrives_with_its_bytes_or_without_one() {
        let (here, there) = UnixStream::pair().unwrap();
        let (passed, mut other_end) = UnixStream::pair().unwrap();
        send_descriptor(here.as_fd(), b"x", Some(passed.as_fd())).unwrap();
        drop(passed);
        let mut bytes = [0; 4];
        let (length, descriptor) = receive_descriptor(there.as_fd(), &mut bytes).unwrap();
        assert_eq!((length, bytes[0]), (1, b'x'));
        let mut passed = std::fs::File::from(descriptor.unwrap());
        other_end.write_all(b"hello").unwrap();
        let mut five = [0; 5];
        passed.read_exact(&mut five).unwrap();
        assert_eq!(&five, b"hello");

        send_descriptor(here.as_fd(), b"yz", None).unwrap();
        let (length, descriptor) = receive_descriptor(there.as_fd(), &mut bytes).unwrap();
        assert!(length == 2 && descriptor.is_none());
        drop(here);
        assert_eq!(
            receive_descriptor(there.as_fd(), &mut bytes).unwrap().0,
            0,
            "the end"
        );
    }
}
