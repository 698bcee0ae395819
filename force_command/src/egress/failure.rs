//! What the client's log says about a connection that failed, as one sentence for the person.
//!
//! Trusts the log for nothing but this sentence: the client writes it, and much of it is the
//! asset's own text.
#![forbid(unsafe_code)]

use jms::legacy;

/// Why there is no connection, or no longer one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Its name has no address.
    UnknownName,
    /// The name service does not answer.
    NoNameService,
    /// Nothing answers there, or there is no way.
    Unreachable,
    /// Something answers, but not on this port.
    PortClosed,
    /// It did not answer in time.
    Silent,
    /// It let us connect and never said that it speaks ssh.
    Mute,
    /// It began to speak ssh and then said nothing more, before the login.
    Stalled,
    /// It hung up before the login.
    HungUp,
    /// What answers speaks something else than ssh, or not as it should.
    NotSsh,
    /// It proved another host key than the stored ones.
    HostKeyChanged,
    /// It was to be known from now on, and did not prove its host key.
    HostKeyUnproved,
    /// It has no common algorithm.
    NoCommonAlgorithm,
    /// What it has in common is spoken only where an administrator says so.
    OldAlgorithms,
    /// It has none of the stored types of host keys.
    NoStoredKeyType,
    /// The account or its key was refused.
    LoginRefused,
    /// It asked for a password and had not proved its host key to the relay.
    PasswordWithheld,
    /// The stored password was refused.
    PasswordRefused,
    /// What the person typed was refused.
    TypedRefused,
    /// It asked for no password, or for something else.
    NoPasswordLogin,
    /// Nobody typed what it asked for.
    NotTyped,
    /// It has no sftp.
    NoSftp,
    /// It would not run a shell or command.
    ChannelRefused,
    /// A gateway would not lead further.
    NoWayThrough,
    /// The connection was there and broke.
    Lost,
    /// None of these.
    Other,
}

/// Where on the way a connection failed: the number of the machine, gateways first, and how.
pub type Place = (usize, Failure);

/// Reads the logs of the clients of a chain, the first gateway's first. `None`: all of them connected and
/// nothing broke, so that the last one's status is the asset's own.
#[must_use]
pub fn diagnose(logs: &[String]) -> Option<Place> {
    let last = logs.len().saturating_sub(1);
    for (place, log) in logs.iter().enumerate() {
        let mut lines = log.lines().map(str::trim_end);
        if !is_connected(log) {
            let failure = lines.find_map(before_login).unwrap_or(Failure::Other);
            return Some((place, behind_gateway(place, failure)));
        }
        let found = if place == last {
            lines.find_map(after_login).map(|failure| (place, failure))
        } else {
            lines.find_map(|line| passage(place, line))
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// What the client of a kept connection says of a session on its standard error.
#[must_use]
pub fn of_session(said: &str) -> Option<Failure> {
    said.lines().map(str::trim_end).find_map(after_login)
}

/// How such lines begin.
pub const OF_SESSION: [&[u8]; 4] = [
    b"exec request failed",
    b"shell request failed",
    b"subsystem request failed",
    b"PTY allocation request failed",
];

/// The same when the time for connecting is over and nobody has complained: who is waited for, and how far it got.
#[must_use]
pub fn overdue(logs: &[String]) -> Place {
    let place = logs.iter().position(|log| !is_connected(log)).unwrap_or(0);
    let log = logs.get(place).map(String::as_str).unwrap_or_default();
    let said = log.lines().map(str::trim_end).find_map(before_login);
    // The client itself complains about one that has not even said that it speaks ssh.
    (
        place,
        behind_gateway(place, said.unwrap_or(Failure::Stalled)),
    )
}

/// Behind a gateway the connection is always there at once, and a machine that does not answer looks mute.
fn behind_gateway(place: usize, failure: Failure) -> Failure {
    match failure {
        Failure::Mute if place > 0 => Failure::Silent,
        other => other,
    }
}

impl Failure {
    /// A stable word for events.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::UnknownName => "unknown-name",
            Self::Unreachable => "unreachable",
            Self::PortClosed => "port-closed",
            Self::NoNameService => "no-name-service",
            Self::Silent => "silent",
            Self::Mute => "mute",
            Self::Stalled => "stalled",
            Self::HungUp => "hung-up",
            Self::NotSsh => "not-ssh",
            Self::NoWayThrough => "no-way-through",
            Self::HostKeyChanged => "host-key-changed",
            Self::HostKeyUnproved => "host-key-unproved",
            Self::NoCommonAlgorithm => "no-common-algorithm",
            Self::OldAlgorithms => "old-algorithms",
            Self::NoStoredKeyType => "no-stored-key-type",
            Self::LoginRefused => "login-refused",
            Self::PasswordWithheld => "password-withheld",
            Self::PasswordRefused => "password-refused",
            Self::TypedRefused => "typed-password-refused",
            Self::NoPasswordLogin => "no-password-login",
            Self::NotTyped => "no-password-typed",
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
    if let Some((_, rest)) = line.split_once("no matching ") {
        let (what, offer) = rest
            .split_once(" found. Their offer: ")
            .unwrap_or((rest, ""));
        return Some(no_match(what, offer));
    }
    if has(": Permission denied (")
        || has("Too many authentication failures")
        || has("No more authentication methods")
    {
        return Some(Failure::LoginRefused);
    }
    if has("timed out during banner exchange") {
        return Some(Failure::Mute);
    }
    let no_ssh = [
        "banner line contains invalid characters",
        "banner line too long",
        "No SSH version received",
        "Bad remote protocol version",
        "Protocol major versions differ",
        "Bad packet length",
        "message authentication code incorrect",
        "padding error",
    ];
    if no_ssh.iter().any(|text| has(text))
        || (line.starts_with("banner exchange:") && has("invalid format"))
    {
        return Some(Failure::NotSsh);
    }
    if has("timed out") || has("not responding") {
        return Some(Failure::Stalled);
    }
    if let Some(why) = line.strip_prefix("ssh_dispatch_run_fatal: ") {
        return Some(broken_exchange(why));
    }
    let hung_up = [
        "kex_exchange_identification",
        "Connection closed by",
        "Connection reset by",
        "Received disconnect from",
    ];
    if hung_up.iter().any(|text| line.starts_with(text)) {
        return Some(Failure::HungUp);
    }
    // Without a disconnect that was received, it was the client that broke off: what came was against the protocol.
    line.starts_with("Disconnected from")
        .then_some(Failure::NotSsh)
}

/// Why there is no common algorithm of the kind `what`; `offer` is the machine's own list (ssh.c, kex.c).
fn no_match(what: &str, offer: &str) -> Failure {
    let mut offered = offer.split(',').map(str::trim);
    if what.starts_with("host key type") {
        // A machine of today signs with SHA-1 beside SHA-2, if at all.
        let is_old = offered
            .clone()
            .any(|name| name == legacy::HOST_KEY_SIGNATURE)
            && !offered.any(|name| name.starts_with("rsa-sha2-"));
        return if is_old {
            Failure::OldAlgorithms
        } else {
            Failure::NoStoredKeyType
        };
    }
    if offered.any(|name| legacy::names().any(|allowed| allowed == name)) {
        Failure::OldAlgorithms
    } else {
        Failure::NoCommonAlgorithm
    }
}

/// Why the client gave up amid the exchange of keys (ssherr.c): nobody is there any more, or what came was no ssh.
fn broken_exchange(why: &str) -> Failure {
    let gone = ["onnection closed", "onnection reset", "roken pipe"];
    if gone.iter().any(|text| why.contains(text)) {
        Failure::HungUp
    } else {
        Failure::NotSsh
    }
}

/// What the client of a gateway says of the channel to the next machine (channels.c; serverloop.c of the gateway).
fn passage(place: usize, line: &str) -> Option<Place> {
    if let Some(reason) = line.strip_prefix("channel 0: open failed: ") {
        let next = place + 1;
        let has = |text: &str| reason.contains(text);
        return Some(match () {
            () if has("Connection refused") => (next, Failure::PortClosed),
            () if has("timed out") => (next, Failure::Silent),
            () if has("No route") || has("unreachable") => (next, Failure::Unreachable),
            () if has("Name or service") || has("name resolution") || has("resolve") => {
                (next, Failure::UnknownName)
            }
            () if reason.starts_with("connect failed") => (next, Failure::Unreachable),
            () => (place, Failure::NoWayThrough),
        });
    }
    if line.starts_with("stdio forwarding failed") {
        return Some((place, Failure::NoWayThrough));
    }
    after_login(line).map(|failure| (place, failure))
}

/// As above (clientloop.c, ssh.c, channels.c).
fn after_login(line: &str) -> Option<Failure> {
    let begins = |text: &str| line.starts_with(text);
    if begins("subsystem request failed") {
        return Some(Failure::NoSftp);
    }
    if begins("exec request failed")
        || begins("shell request failed")
        || begins("PTY allocation request failed")
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

    fn of(log: &str) -> Option<Failure> {
        diagnose(&[log.to_owned()]).map(|(_, failure)| failure)
    }

    #[test]
    fn what_openssh_writes_before_the_login() {
        for (line, failure) in [
            ("Connection timed out during banner exchange", Failure::Mute),
            (
                "kex_exchange_identification: banner line contains invalid characters",
                Failure::NotSsh,
            ),
            (
                "kex_exchange_identification: No SSH version received in first 1024 lines from server",
                Failure::NotSsh,
            ),
            ("Bad packet length 4210818301.", Failure::NotSsh),
            (
                "kex_exchange_identification: banner line too long",
                Failure::NotSsh,
            ),
            (
                "ssh_dispatch_run_fatal: Connection to 192.0.2.7 port 22: incomplete message",
                Failure::NotSsh,
            ),
            (
                "ssh_dispatch_run_fatal: Connection to 192.0.2.7 port 22: Connection reset by peer",
                Failure::HungUp,
            ),
            (
                "Timeout, server 192.0.2.7 not responding.",
                Failure::Stalled,
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
                "Unable to negotiate with 192.0.2.7 port 22: no matching host key type found. Their offer: ssh-rsa,ssh-dss",
                Failure::OldAlgorithms,
            ),
            (
                "Unable to negotiate with 192.0.2.7 port 22: no matching host key type found. Their offer: ssh-rsa,rsa-sha2-512,rsa-sha2-256",
                Failure::NoStoredKeyType,
            ),
            (
                "Unable to negotiate with 192.0.2.7 port 22: no matching host key type found. Their offer: ssh-dss",
                Failure::NoStoredKeyType,
            ),
            (
                "Unable to negotiate with 192.0.2.7 port 22: no matching key exchange method found. Their offer: diffie-hellman-group14-sha1",
                Failure::OldAlgorithms,
            ),
            (
                "Unable to negotiate with 192.0.2.7 port 22: no matching cipher found. Their offer: arcfour,3des-cbc",
                Failure::OldAlgorithms,
            ),
            (
                "Unable to negotiate with 192.0.2.7 port 22: no matching MAC found. Their offer: hmac-md5",
                Failure::OldAlgorithms,
            ),
            (
                "Unable to negotiate with 192.0.2.7 port 22: no matching cipher found. Their offer: arcfour",
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
            ("Disconnected from 192.0.2.7 port 22", Failure::NotSsh),
            (
                "Received disconnect from 192.0.2.7 port 22:11: bye\nDisconnected from 192.0.2.7 port 22",
                Failure::HungUp,
            ),
            (
                "kex_exchange_identification: read: Connection reset by peer",
                Failure::HungUp,
            ),
            ("Connection closed by 192.0.2.7 port 22", Failure::HungUp),
            ("something new", Failure::Other),
        ] {
            assert_eq!(of(line), Some(failure), "{line}");
        }
        assert_eq!(of(""), Some(Failure::Other));
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
            assert_eq!(of(&format!("{connected}{line}\r\n")), failure, "{line}");
        }
    }

    const CONNECTED: &str = "Authenticated to asset (via proxy) using \"publickey\".\n";

    fn chain(logs: &[&str]) -> Option<Place> {
        let logs: Vec<String> = logs.iter().map(|log| (*log).to_owned()).collect();
        diagnose(&logs)
    }

    #[test]
    fn in_a_chain_the_first_machine_that_fails_is_named() {
        let refused = "dev@asset: Permission denied (publickey).\n";
        let closed = "Connection closed by UNKNOWN port 65535\n";
        assert_eq!(chain(&[refused, closed]), Some((0, Failure::LoginRefused)));
        assert_eq!(
            chain(&[CONNECTED, refused]),
            Some((1, Failure::LoginRefused))
        );
        assert_eq!(chain(&[CONNECTED, CONNECTED]), None);
        for (reason, place) in [
            (
                "connect failed: Connection refused",
                (1, Failure::PortClosed),
            ),
            (
                "connect failed: No route to host",
                (1, Failure::Unreachable),
            ),
            ("connect failed: Connection timed out", (1, Failure::Silent)),
            (
                "connect failed: Name or service not known",
                (1, Failure::UnknownName),
            ),
            (
                "administratively prohibited: open failed",
                (0, Failure::NoWayThrough),
            ),
        ] {
            let gateway = format!(
                "{CONNECTED}channel 0: open failed: {reason}\r\nstdio forwarding failed\r\n"
            );
            assert_eq!(chain(&[&gateway, closed]), Some(place), "{reason}");
        }
    }

    #[test]
    fn when_the_time_is_over_the_machine_that_is_waited_for_is_named() {
        let logs = |texts: [&str; 2]| texts.map(str::to_owned);
        assert_eq!(overdue(&logs(["", ""])), (0, Failure::Stalled));
        assert_eq!(overdue(&logs([CONNECTED, ""])), (1, Failure::Stalled));
        let mute = "Connection timed out during banner exchange\n";
        assert_eq!(overdue(&logs([mute, mute])), (0, Failure::Mute));
        assert_eq!(overdue(&logs([CONNECTED, mute])), (1, Failure::Silent));
    }
}
