//! What the client's log says about a connection that failed, as one sentence for the person.
//!
//! Trusts the log for nothing but this sentence: the client writes it, and much of it is the
//! asset's own text.
#![forbid(unsafe_code)]

/// Why there is no connection, or no longer one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Its name has no address.
    UnknownName,
    /// Nothing answers there, or there is no way.
    Unreachable,
    /// Something answers, but not on this port.
    PortClosed,
    /// It did not answer in time.
    Silent,
    /// It hung up before the login.
    HungUp,
    /// It proved another host key than the stored ones.
    HostKeyChanged,
    /// It has none of the stored types of host keys, or no common algorithm.
    NoCommonAlgorithm,
    /// The account or its key was refused.
    LoginRefused,
    /// It has no sftp.
    NoSftp,
    /// It would not run a shell or command.
    ChannelRefused,
    /// The connection was there and broke.
    Lost,
    /// None of these.
    Other,
}

impl Failure {
    /// Reads the client's log. `None`: the client connected, and its status is the asset's own.
    #[must_use]
    pub fn from_log(log: &str) -> Option<Self> {
        let lines = || log.lines().map(str::trim_end);
        if !is_connected(log) {
            return Some(lines().find_map(before_login).unwrap_or(Self::Other));
        }
        lines().find_map(after_login)
    }

    /// A stable word for events.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::UnknownName => "unknown-name",
            Self::Unreachable => "unreachable",
            Self::PortClosed => "port-closed",
            Self::Silent => "silent",
            Self::HungUp => "hung-up",
            Self::HostKeyChanged => "host-key-changed",
            Self::NoCommonAlgorithm => "no-common-algorithm",
            Self::LoginRefused => "login-refused",
            Self::NoSftp => "no-sftp",
            Self::ChannelRefused => "channel-refused",
            Self::Lost => "connection-lost",
            Self::Other => "connection-failed",
        }
    }
}

/// Whether the client has logged in at the asset.
#[must_use]
pub fn is_connected(log: &str) -> bool {
    log.lines()
        .any(|line| line.starts_with("Authenticated to "))
}

/// OpenSSH's own words, 9.2 to 10.0 (sshconnect.c, sshconnect2.c, kex.c, packet.c).
fn before_login(line: &str) -> Option<Failure> {
    let has = |text: &str| line.contains(text);
    if has("REMOTE HOST IDENTIFICATION HAS CHANGED")
        || has("Host key verification failed")
        || has("host key is known for")
    {
        return Some(Failure::HostKeyChanged);
    }
    if has("no matching ") && has("found") {
        return Some(Failure::NoCommonAlgorithm);
    }
    if has(": Permission denied (")
        || has("Too many authentication failures")
        || has("No more authentication methods")
    {
        return Some(Failure::LoginRefused);
    }
    if has("Could not resolve hostname") {
        return Some(Failure::UnknownName);
    }
    if line.starts_with("ssh: connect to host") {
        return Some(match line.rsplit(": ").next().unwrap_or_default() {
            "Connection refused" => Failure::PortClosed,
            "Connection timed out" | "Operation timed out" => Failure::Silent,
            _ => Failure::Unreachable,
        });
    }
    if has("timed out") || has("not responding") {
        return Some(Failure::Silent);
    }
    let hung_up = [
        "kex_exchange_identification",
        "Connection closed by",
        "Connection reset by",
        "Received disconnect from",
    ];
    (hung_up.iter().any(|text| line.starts_with(text)) || line.starts_with("Disconnected from"))
        .then_some(Failure::HungUp)
}

/// As above (clientloop.c, ssh.c, channels.c).
fn after_login(line: &str) -> Option<Failure> {
    let begins = |text: &str| line.starts_with(text);
    if begins("subsystem request failed on channel") {
        return Some(Failure::NoSftp);
    }
    if begins("exec request failed on channel")
        || begins("shell request failed on channel")
        || begins("channel 0: open failed")
    {
        return Some(Failure::ChannelRefused);
    }
    let lost = (begins("Connection to ") && line.ends_with("closed by remote host."))
        || begins("Timeout, server ")
        || begins("client_loop: send disconnect")
        || begins("Connection reset by")
        || begins("Connection closed by")
        || begins("Read from remote host")
        || begins("packet_write_wait")
        || begins("Received disconnect from")
        || begins("Disconnecting");
    lost.then_some(Failure::Lost)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_openssh_writes_before_the_login() {
        for (line, failure) in [
            (
                "ssh: connect to host 192.0.2.7 port 22: Connection refused\r",
                Failure::PortClosed,
            ),
            (
                "ssh: connect to host 192.0.2.7 port 22: No route to host",
                Failure::Unreachable,
            ),
            (
                "ssh: connect to host 192.0.2.7 port 22: Network is unreachable",
                Failure::Unreachable,
            ),
            (
                "ssh: connect to host 192.0.2.7 port 22: Connection timed out",
                Failure::Silent,
            ),
            (
                "Connection timed out during banner exchange",
                Failure::Silent,
            ),
            (
                "ssh: Could not resolve hostname web9: Name or service not known",
                Failure::UnknownName,
            ),
            (
                "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @",
                Failure::HostKeyChanged,
            ),
            ("Host key verification failed.", Failure::HostKeyChanged),
            (
                "No ED25519 host key is known for asset and you have requested strict checking.",
                Failure::HostKeyChanged,
            ),
            (
                "Unable to negotiate with 192.0.2.7 port 22: no matching host key type found. Their offer: ssh-dss",
                Failure::NoCommonAlgorithm,
            ),
            (
                "dev@192.0.2.7: Permission denied (publickey).",
                Failure::LoginRefused,
            ),
            (
                "Received disconnect from 192.0.2.7 port 22:2: Too many authentication failures",
                Failure::LoginRefused,
            ),
            (
                "kex_exchange_identification: read: Connection reset by peer",
                Failure::HungUp,
            ),
            ("Connection closed by 192.0.2.7 port 22", Failure::HungUp),
            ("something new", Failure::Other),
        ] {
            assert_eq!(Failure::from_log(line), Some(failure), "{line}");
        }
        assert_eq!(Failure::from_log(""), Some(Failure::Other));
    }

    #[test]
    fn after_the_login_only_a_broken_connection_or_a_refused_channel_is_ours_to_tell() {
        let connected = "Authenticated to 192.0.2.7 ([192.0.2.7]:22) using \"publickey\".\n";
        for (line, failure) in [
            (
                "Transferred: sent 2760, received 2828 bytes, in 0.1 seconds",
                None,
            ),
            ("dev@192.0.2.7: Permission denied (publickey).", None),
            (
                "subsystem request failed on channel 0",
                Some(Failure::NoSftp),
            ),
            (
                "exec request failed on channel 0",
                Some(Failure::ChannelRefused),
            ),
            (
                "Connection to 192.0.2.7 closed by remote host.",
                Some(Failure::Lost),
            ),
            (
                "Timeout, server 192.0.2.7 not responding.",
                Some(Failure::Lost),
            ),
            (
                "client_loop: send disconnect: Broken pipe",
                Some(Failure::Lost),
            ),
        ] {
            assert_eq!(
                Failure::from_log(&format!("{connected}{line}\r\n")),
                failure,
                "{line}"
            );
        }
    }
}
