//! Sends lines to the system's log without ever making a login wait for it.
//!
//! The `syslog` crate gives facility, severities and the trait of its formatters. Its sockets
//! block and never reconnect, and its formatter writes UTC where RFC 3164 says local time, so both
//! are our own. Whoever is going to shut itself in calls [`Sender::connect`] before.

use std::io::Write;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use jiff::{Timestamp, tz::TimeZone};
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, UnixAddr, connect, send, socket,
};
use syslog::{Facility, LogFormat};

use crate::escape::{escape_char, is_unsafe};
use crate::kind::Severity;

/// Where programs hand their lines to the log daemon.
pub const SYSTEM_SOCKET: &str = "/dev/log";
/// Longest message, header included, in bytes: rsyslog's default `maxMessageSize`.
pub const DATAGRAM_MAX: usize = 8192;
/// Room for `<86>Nov 21 02:44:41 jms[4294967295]: `.
pub(crate) const HEADER_MAX: usize = 64;
/// The program's name in syslog.
const TAG: &str = "jms";

/// Why a line did not reach the log daemon. The store still has the event, marked unsent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendError {
    /// No log daemon listens at the path.
    Unreachable(PathBuf, Errno),
    /// The daemon does not keep up; waiting for it would hold up a login.
    Busy(PathBuf),
    /// Anything else that the system said.
    Failed(PathBuf, Errno),
}

impl std::fmt::Display for SendError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SendError::Unreachable(path, errno) => write!(
                f,
                "no log daemon answers at {}: {}; start rsyslog or systemd-journald",
                path.display(),
                errno.desc()
            ),
            SendError::Busy(path) => {
                write!(
                    f,
                    "the log daemon at {} does not keep up; the event waits in the store",
                    path.display()
                )
            }
            SendError::Failed(path, errno) => {
                write!(
                    f,
                    "cannot write to the log daemon at {}: {}",
                    path.display(),
                    errno.desc()
                )
            }
        }
    }
}

impl std::error::Error for SendError {}

/// A way to the log daemon: never blocks, never panics, reconnects once when the daemon has
/// been restarted.
#[derive(Debug)]
pub struct Sender {
    path: PathBuf,
    zone: TimeZone,
    clock: fn() -> Timestamp,
    connection: Option<Connection>,
}

#[derive(Debug)]
struct Connection {
    socket: OwnedFd,
    /// A stream needs an end mark after each message, and may take only a part of one.
    stream: bool,
}

impl Sender {
    /// A sender to the system's log. Opens nothing yet; reads the local time zone now, so that it
    /// is known when files can no longer be read.
    pub fn system() -> Sender {
        Sender::to(Path::new(SYSTEM_SOCKET))
    }

    /// A sender to a socket elsewhere.
    pub fn to(path: impl Into<PathBuf>) -> Sender {
        Sender {
            path: path.into(),
            zone: TimeZone::try_system().unwrap_or(TimeZone::UTC),
            clock: Timestamp::now,
            connection: None,
        }
    }

    /// The same with another clock and time zone.
    #[must_use]
    pub fn with_clock(mut self, clock: fn() -> Timestamp, zone: TimeZone) -> Sender {
        self.clock = clock;
        self.zone = zone;
        self
    }

    /// Connects now, for a process that will not be able to later.
    ///
    /// # Errors
    /// When nobody listens there.
    pub fn connect(&mut self) -> Result<(), SendError> {
        self.connection = Some(Connection::open(&self.path).map_err(|errno| self.error(errno))?);
        Ok(())
    }

    /// Sends one line with facility authpriv. Characters that could end the line are escaped and a
    /// line above [`crate::LINE_MAX`] is cut, whatever the caller hands over.
    ///
    /// # Errors
    /// When the line was not taken by the daemon.
    pub fn send(&mut self, severity: Severity, line: &str) -> Result<(), SendError> {
        let header = Header {
            time: (self.clock)().to_zoned(self.zone.clone()),
            pid: std::process::id(),
        };
        let mut message = Vec::with_capacity(line.len() + HEADER_MAX);
        if header
            .format(&mut message, level(severity), one_line(line).as_str())
            .is_err()
        {
            return Err(SendError::Failed(self.path.clone(), Errno::EINVAL));
        }
        if self.connection.is_none() {
            self.connect()?;
        }
        match self.transmit(&message) {
            Err(
                Errno::ECONNREFUSED
                | Errno::ENOTCONN
                | Errno::ENOENT
                | Errno::ECONNRESET
                | Errno::EPIPE,
            ) => {
                self.connect()?;
                self.transmit(&message).map_err(|errno| self.error(errno))
            }
            sent => sent.map_err(|errno| self.error(errno)),
        }
    }

    /// Hands the message over; a connection that broke or took only a part is given up.
    fn transmit(&mut self, message: &[u8]) -> Result<(), Errno> {
        let Some(connection) = &self.connection else {
            return Err(Errno::ENOTCONN);
        };
        let sent = connection.transmit(message);
        if !matches!(sent, Ok(()) | Err(Errno::EAGAIN)) || (connection.stream && sent.is_err()) {
            self.connection = None;
        }
        sent
    }

    fn error(&self, errno: Errno) -> SendError {
        let path = self.path.clone();
        match errno {
            Errno::EAGAIN | Errno::ENOBUFS => SendError::Busy(path),
            Errno::ENOENT | Errno::ECONNREFUSED | Errno::ENOTCONN => {
                SendError::Unreachable(path, errno)
            }
            errno => SendError::Failed(path, errno),
        }
    }
}

impl Connection {
    /// A datagram socket as rsyslog and journald have, else a stream as some others have.
    fn open(path: &Path) -> Result<Connection, Errno> {
        match Connection::open_as(path, SockType::Datagram) {
            Err(Errno::EPROTOTYPE) => Connection::open_as(path, SockType::Stream),
            opened => opened,
        }
    }

    fn open_as(path: &Path, kind: SockType) -> Result<Connection, Errno> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(AddressFamily::Unix, kind, flags, None)?;
        connect(socket.as_raw_fd(), &UnixAddr::new(path)?)?;
        Ok(Connection {
            socket,
            stream: kind == SockType::Stream,
        })
    }

    fn transmit(&self, message: &[u8]) -> Result<(), Errno> {
        let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
        let marked;
        let message = if self.stream {
            marked = [message, b"\0"].concat();
            marked.as_slice()
        } else {
            message
        };
        match send(self.socket.as_raw_fd(), message, flags)? {
            sent if sent == message.len() => Ok(()),
            // Half a message in a stream cannot be taken back: the connection goes.
            _ => Err(Errno::EAGAIN),
        }
    }
}

/// RFC 3164 as local programs write it: no host name, local time, day padded with a blank.
struct Header {
    time: jiff::Zoned,
    pid: u32,
}

impl LogFormat<&str> for Header {
    fn format<W: Write>(
        &self,
        w: &mut W,
        severity: syslog::Severity,
        message: &str,
    ) -> syslog::Result<()> {
        const MONTHS: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        let time = &self.time;
        let month = usize::try_from(time.month() - 1)
            .ok()
            .and_then(|month| MONTHS.get(month));
        write!(
            w,
            "<{}>{} {:>2} {:02}:{:02}:{:02} {TAG}[{}]: {message}",
            (Facility::LOG_AUTHPRIV as u8) | (severity as u8),
            month.unwrap_or(&"Jan"),
            time.day(),
            time.hour(),
            time.minute(),
            time.second(),
            self.pid,
        )
        .map_err(syslog::Error::Write)
    }
}

fn level(severity: Severity) -> syslog::Severity {
    match severity {
        Severity::Alert => syslog::Severity::LOG_ALERT,
        Severity::Critical => syslog::Severity::LOG_CRIT,
        Severity::Error => syslog::Severity::LOG_ERR,
        Severity::Warning => syslog::Severity::LOG_WARNING,
        Severity::Notice => syslog::Severity::LOG_NOTICE,
        Severity::Info => syslog::Severity::LOG_INFO,
    }
}

/// The line with unsafe characters escaped, in at most [`crate::LINE_MAX`] bytes.
fn one_line(line: &str) -> String {
    let mut out = String::with_capacity(line.len().min(crate::LINE_MAX));
    for c in line.chars() {
        let before = out.len();
        if is_unsafe(c) {
            escape_char(&mut out, c)
        } else {
            out.push(c)
        }
        if out.len() > crate::LINE_MAX {
            out.truncate(before);
            break;
        }
    }
    out
}
