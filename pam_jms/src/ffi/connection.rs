//! The connection to the client. What sshd says there in small pieces goes out as it is said: the kernel keeps a small piece
//! back until the client's has confirmed the one before (Nagle's algorithm, tcp(7)), which confirms as late as 40 ms after.
//! sshd switches that off for terminals alone, and its first two words to every session are such pieces.

use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use libc::{c_int, sockaddr_in, sockaddr_in6, sockaddr_storage, socklen_t};

/// sshd's connection is one of its first descriptors.
const DESCRIPTORS: c_int = 64;

/// Has the kernel send at once on the connection that `SSH_CONNECTION` (client's address and port, then the server's) names,
/// if this process has it. Best effort: nothing but time depends on it.
pub(crate) fn send_at_once(connection: &str) {
    let Some(client) = client(connection) else {
        return;
    };
    let Some(socket) = (0..DESCRIPTORS).find(|descriptor| peer(*descriptor) == Some(client)) else {
        return;
    };
    let yes: c_int = 1;
    // SAFETY: the value is a live integer of the length that is said.
    unsafe {
        libc::setsockopt(
            socket,
            libc::IPPROTO_TCP,
            libc::TCP_NODELAY,
            (&raw const yes).cast(),
            length_of::<c_int>(),
        )
    };
}

/// The first two of its four words; a link-local address carries its interface after a `%`.
fn client(connection: &str) -> Option<(IpAddr, u16)> {
    let mut words = connection.split(' ');
    let (address, port) = (words.next()?, words.next()?);
    let address = address
        .split_once('%')
        .map_or(address, |(address, _)| address);
    let address: IpAddr = address.parse().ok()?;
    Some((address.to_canonical(), port.parse().ok()?))
}

/// Who is at the other end of a descriptor, if it is that of a connection over the network.
fn peer(descriptor: c_int) -> Option<(IpAddr, u16)> {
    let mut address = MaybeUninit::<sockaddr_storage>::zeroed();
    let mut length = length_of::<sockaddr_storage>();
    // SAFETY: room for any address, as the length says; a number that is no descriptor, or not a socket's, is an error.
    let asked =
        unsafe { libc::getpeername(descriptor, address.as_mut_ptr().cast(), &raw mut length) };
    if asked != 0 {
        return None;
    }
    // SAFETY: integers, for which all zero is a value; the kernel has written over a part of them.
    let address = unsafe { address.assume_init() };
    let (address, port) = match c_int::from(address.ss_family) {
        libc::AF_INET => {
            // SAFETY: by its family the storage, which is large enough and aligned for any, holds this.
            let four = unsafe { &*(&raw const address).cast::<sockaddr_in>() };
            let ip = Ipv4Addr::from(u32::from_be(four.sin_addr.s_addr));
            (IpAddr::V4(ip), four.sin_port)
        }
        libc::AF_INET6 => {
            // SAFETY: as above.
            let six = unsafe { &*(&raw const address).cast::<sockaddr_in6>() };
            (
                IpAddr::V6(Ipv6Addr::from(six.sin6_addr.s6_addr)),
                six.sin6_port,
            )
        }
        _ => return None,
    };
    Some((address.to_canonical(), u16::from_be(port)))
}

/// The length of a thing, as the socket calls want it.
fn length_of<T>() -> socklen_t {
    socklen_t::try_from(size_of::<T>()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::send_at_once;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn the_connection_that_is_named_and_no_other() {
        for place in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(place) else {
                continue; // without IPv6
            };
            let here = listener.local_addr().expect("an address");
            let accept = || {
                let client = TcpStream::connect(here).expect("connects");
                let (server, _) = listener.accept().expect("accepts");
                (client, server)
            };
            let ((client, server), (other_client, other)) = (accept(), accept());
            let them = client.local_addr().expect("an address");
            let (ip, port) = (them.ip(), them.port());
            for nobody in [
                String::new(),
                "UNKNOWN 65535 UNKNOWN 65535".to_owned(),
                ip.to_string(),
                format!("{ip} {port}1 {ip} 22"),
                format!("203.0.113.7 {port} 192.0.2.1 22"),
            ] {
                send_at_once(&nobody);
                assert!(!server.nodelay().expect("an answer"), "{nobody}");
            }
            send_at_once(&format!("{ip} {port} {} {}", here.ip(), here.port()));
            assert!(server.nodelay().expect("an answer"));
            for untouched in [&client, &other_client, &other] {
                assert!(!untouched.nodelay().expect("an answer"));
            }
        }
    }

    #[test]
    fn an_address_of_the_fourth_version_on_a_socket_of_both_is_the_same() {
        let Ok(listener) = TcpListener::bind("[::]:0") else {
            return; // without IPv6
        };
        let port = listener.local_addr().expect("an address").port();
        let client = TcpStream::connect(("127.0.0.1", port)).expect("connects");
        let (server, _) = listener.accept().expect("accepts");
        let theirs = client.local_addr().expect("an address").port();
        send_at_once(&format!("127.0.0.1 {theirs} 127.0.0.1 {port}"));
        assert!(server.nodelay().expect("an answer"));
    }
}
