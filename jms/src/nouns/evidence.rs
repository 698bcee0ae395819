//! Evidence: what happened. It keeps names as they were at the time.

use crate::time::Time;
use serde::Serialize;

/// One authenticated connection to the bastion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Login {
    /// Id.
    pub id: String,
    /// Who.
    pub user: String,
    /// With which uid.
    pub uid: u32,
    /// The name that was asked for, target included.
    pub login_name: String,
    /// Client's address.
    pub source: String,
    /// Client's port, where known.
    pub source_port: Option<u16>,
    /// Type of the key that was proven.
    pub key_type: String,
    /// Its fingerprint, `SHA256:…`
    pub key: String,
    /// Methods that sshd accepted, in order, separated by commas.
    pub factors: String,
    /// When a second factor was passed.
    pub factor_at: Option<Time>,
    /// Pid of its sshd on the bastion.
    pub sshd_pid: i32,
    /// Start time of that process, clock ticks after boot (proc(5), field 22).
    #[serde(skip)]
    pub sshd_started: i64,
    /// From.
    pub opened_at: Time,
    /// Until; null: still open.
    pub closed_at: Option<Time>,
    /// `closed` by sshd; `lost`: its process was gone when somebody looked.
    pub close_reason: Option<String>,
}

impl Login {
    /// The client's address as a number, without the interface of a link-local one; `None`: sshd did not tell one.
    #[must_use]
    pub fn source_address(&self) -> Option<std::net::IpAddr> {
        let (address, _) = self.source.split_once('%').unwrap_or((&self.source, ""));
        address.parse().ok()
    }
}

/// One channel of a login to one asset as one system user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Session {
    /// Id.
    pub id: String,
    /// The login that it belongs to.
    pub login: Option<String>,
    /// Who.
    pub user: String,
    /// Where.
    pub asset: String,
    /// At which address.
    pub address: String,
    /// And port.
    pub port: u16,
    /// As which system user.
    pub system_user: String,
    /// The account's name there.
    pub account: String,
    /// Type of channel.
    pub channel: String,
    /// With a terminal.
    pub terminal: bool,
    /// The command that was asked for.
    pub request: String,
    /// The grants that it lives on, separated by commas.
    pub grants: String,
    /// Pid of the relay on the bastion.
    pub relay_pid: i32,
    /// Start time of that process, clock ticks after boot.
    #[serde(skip)]
    pub relay_started: i64,
    /// From.
    pub started_at: Time,
    /// Until; null: live.
    pub ended_at: Option<Time>,
    /// Why it ended: `exit`, `client-gone`, `killed`, `lost`, …
    pub end_reason: Option<String>,
    /// Exit status that the client was given.
    pub exit_status: Option<i32>,
    /// Bytes from the client.
    pub bytes_in: u64,
    /// Bytes to the client.
    pub bytes_out: u64,
    /// File of the recording, below the folder of recordings.
    pub recording: String,
    /// Its size in bytes.
    pub recording_size: Option<u64>,
    /// Its last hash.
    pub recording_hash: Option<String>,
    /// Bytes of the output that `recording.exec_output_bytes` left out of it; null: live, lost (killed with its bastion,
    /// say: its recording says where bytes are missing), or no output is recorded.
    pub bytes_not_recorded: Option<u64>,
    /// Held as evidence: never pruned.
    pub held: bool,
}

/// One event as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// Number; a gap is visible.
    pub seq: u64,
    /// The event as JSON, without its number.
    pub body: String,
    /// Whether syslog took it.
    pub sent: bool,
}

/// How sure it is that a line is what ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Captured {
    /// Byte for byte.
    Exact,
    /// Read off a terminal, and nothing speaks against it.
    Likely,
    /// What was typed, whatever it became.
    Raw,
}

impl Captured {
    /// As it stands in rows, JSON and events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Likely => "likely",
            Self::Raw => "raw",
        }
    }
}

/// One command line of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Command {
    /// Its number.
    pub id: i64,
    /// When it was run.
    pub time: Time,
    /// Id of its session.
    pub session: String,
    /// Who.
    pub user: String,
    /// Where.
    pub asset: String,
    /// As which system user.
    pub system_user: String,
    /// The line.
    pub line: String,
    /// Only its beginning was kept.
    pub cut: bool,
    /// How sure it is that the line is what ran: `exact`, `likely` or `raw`.
    pub captured: String,
    /// What the filter said: `allow`, `deny`, `warn`, `confirm`.
    pub verdict: String,
    /// What became of it: `accept` or `deny`.
    pub action: String,
    /// The filter that spoke; empty: none.
    pub filter: String,
    /// The rule of it that spoke; empty: its default.
    pub rule: String,
    /// Where in the recording, in milliseconds after its start.
    pub at: Option<i64>,
}

/// One file that a session moved, made or removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Transfer {
    /// When it began.
    pub begun_at: Time,
    /// When it ended; null: it did not, or nobody saw it.
    pub ended_at: Option<Time>,
    /// `upload`, `download`, `remove`, `rename`, …
    pub operation: String,
    /// The file on the asset.
    pub path: String,
    /// The other one, of operations with two.
    pub other_path: String,
    /// Bytes.
    pub size: Option<u64>,
    /// SHA-256 of what was moved, hexadecimal.
    pub sha256: Option<String>,
    /// What the decision said: `allow` or `deny`.
    pub verdict: String,
    /// What became of it.
    pub result: String,
}
