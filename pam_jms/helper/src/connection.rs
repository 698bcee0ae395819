//! `SSH_CONNECTION`: where the client is. sshd writes it from its own socket (`sshpam_init` in
//! auth-pam.c): client address, client port, server address, server port.

use std::net::IpAddr;

use pam_jms_protocol::Request;

/// Where a client comes from, as it is kept and logged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {
    /// The address as sshd writes it; else PAM_RHOST; else empty.
    pub address: String,
    /// The address as a number, where there is one.
    pub ip: Option<IpAddr>,
    /// The port, where sshd told it.
    pub port: Option<u16>,
}

impl Source {
    /// From the socket if sshd told it, else from PAM_RHOST, which can be a name (UseDNS).
    #[must_use]
    pub fn of(request: &Request) -> Self {
        let told = request.connection.as_deref().and_then(parse);
        told.unwrap_or_else(|| {
            let address = request.remote_host.clone().unwrap_or_default();
            Self {
                ip: address_of(&address),
                address,
                port: None,
            }
        })
    }
}

/// Exactly four words, two addresses and two ports. sshd without a socket writes `UNKNOWN`: none.
#[must_use]
pub fn parse(text: &str) -> Option<Source> {
    let mut words = text.split(' ');
    let (client, port) = (words.next()?, words.next()?);
    let (server, server_port) = (words.next()?, words.next()?);
    let port = port_of(port)?;
    address_of(server)?;
    port_of(server_port)?;
    if words.next().is_some() {
        return None;
    }
    Some(Source {
        ip: Some(address_of(client)?),
        address: client.to_owned(),
        port: Some(port),
    })
}

/// A link-local IPv6 address carries its interface after a `%`.
fn address_of(text: &str) -> Option<IpAddr> {
    let (address, scope) = match text.split_once('%') {
        Some((address, scope)) => (address, Some(scope)),
        None => (text, None),
    };
    let is_interface = |scope: &str| {
        (1..=16).contains(&scope.len()) && scope.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let ip: IpAddr = address.parse().ok()?;
    match scope {
        None => Some(ip),
        Some(scope) => (ip.is_ipv6() && is_interface(scope)).then_some(ip),
    }
}

fn port_of(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_families_are_read() {
        let source = parse("203.0.113.7 50022 192.0.2.1 22").unwrap();
        assert_eq!(
            (source.address.as_str(), source.port),
            ("203.0.113.7", Some(50022))
        );
        let source = parse("fe80::1%eth0 50022 fe80::2%eth0 22").unwrap();
        assert_eq!(source.address, "fe80::1%eth0");
        assert_eq!(source.ip, "fe80::1".parse().ok());
    }

    #[test]
    fn anything_else_is_not() {
        for text in [
            "",
            "UNKNOWN 65535 UNKNOWN 65535",
            "203.0.113.7 50022",
            "203.0.113.7 50022 192.0.2.1 22 x",
            "203.0.113.7 65536 192.0.2.1 22",
            "203.0.113.7 +22 192.0.2.1 22",
            "203.0.113.7  22 192.0.2.1 22",
            "host 22 192.0.2.1 22",
            "203.0.113.7%eth0 22 192.0.2.1 22",
            "fe80::1% 22 fe80::2 22",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
