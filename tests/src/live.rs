//! A live session as its bastion sees it, and what has to be left of it afterwards: a closed row, a whole recording, nothing else.

use std::time::Duration;

use serde_json::Value;

use crate::host::Host;
use crate::lab::Lab;
use crate::outcome::eventually;

/// For what has no promise of its own, on a slow machine.
const SOON: Duration = Duration::from_secs(15);

/// A session as the bastion sees it.
#[derive(Debug, Clone)]
pub struct Live {
    /// Its id.
    pub id: String,
    /// The process that relays it.
    pub relay: i64,
    /// The client program towards the asset.
    pub client: u32,
}

impl Live {
    /// The live session whose command holds `mark`.
    ///
    /// # Panics
    /// When there is none within a few seconds.
    #[must_use]
    #[track_caller]
    pub fn find(lab: &Lab, mark: &str) -> Self {
        eventually("the session is live", SOON, || {
            let sessions = lab
                .bastion()
                .run("jmsctl session ls --online --json")
                .json_lines()
                .ok()?;
            let ours = sessions
                .iter()
                .find(|it| it["request"].as_str().is_some_and(|it| it.contains(mark)))?;
            let processes = lab.bastion().processes().ok()?;
            let client = processes.iter().find(|it| {
                it.program.as_os_str() == "/usr/bin/ssh" && it.command_line.contains(mark)
            })?;
            Some(Self {
                id: ours["id"].as_str()?.to_owned(),
                relay: ours["relay_pid"].as_i64()?,
                client: client.pid,
            })
        })
    }

    /// Relay and client program are gone within a second from now.
    ///
    /// # Panics
    /// When one of them is not.
    #[track_caller]
    pub fn is_gone_within_a_second(&self, lab: &Lab) {
        let (relay, client) = (self.relay, self.client);
        lab.bastion()
            .run(format!(
                "for turn in $(seq 100); do [ -e /proc/{relay}/exe ] || [ -e /proc/{client}/exe ] || exit 0; sleep 0.01; done; exit 1"
            ))
            .expect_status(0);
    }

    /// The row, once it is closed.
    ///
    /// # Panics
    /// When it is not closed within a few seconds.
    #[must_use]
    #[track_caller]
    pub fn closed(&self, lab: &Lab) -> Value {
        eventually("the session's row is closed", SOON, || {
            let sessions = lab
                .bastion()
                .run("jmsctl session ls --past --json")
                .json_lines()
                .ok()?;
            sessions.into_iter().find(|it| it["id"] == self.id.as_str())
        })
    }

    /// The closed row says that it ended for `reason`.
    ///
    /// # Panics
    /// When it says something else.
    #[track_caller]
    pub fn ended_because(&self, lab: &Lab, reason: &str) {
        assert_eq!(self.closed(lab)["end_reason"], reason);
    }

    /// What was recorded, of a recording that is whole and closed: every frame can be read to its end, and size and hash
    /// are in the row.
    ///
    /// # Panics
    /// When it is not so.
    #[must_use]
    #[track_caller]
    pub fn recording(&self, lab: &Lab) -> String {
        let row = self.closed(lab);
        let file = self.file(lab);
        let size = lab.bastion().run(format!("stat -c %s {file}"));
        assert_eq!(
            row["recording_size"].to_string(),
            size.line_of_output(),
            "{row}"
        );
        assert!(row["recording_hash"].is_string(), "{row}");
        let plain = lab.bastion().run(format!("zstd -qdc {file}"));
        plain.expect_status(0).text()
    }

    /// The path of its recording.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    #[track_caller]
    pub fn file(&self, lab: &Lab) -> String {
        let find = format!("find /var/lib/jms/recordings -name '{}*'", self.id);
        let found = lab.bastion().run(find).line_of_output();
        assert!(!found.is_empty(), "no recording of {}", self.id);
        found
    }
}

/// What a process holds of the memory, its part of what is shared included: bytes.
///
/// # Panics
/// When there is no such process.
#[must_use]
#[track_caller]
pub fn memory_of(host: &Host, pid: impl std::fmt::Display) -> u64 {
    of_its_memory(host, pid, "Pss:")
}

/// What of its memory is in no file: what it has asked for itself. Other processes do not change it. Bytes.
///
/// # Panics
/// When there is no such process.
#[must_use]
#[track_caller]
pub fn own_memory_of(host: &Host, pid: impl std::fmt::Display) -> u64 {
    of_its_memory(host, pid, "Anonymous:")
}

#[track_caller]
fn of_its_memory(host: &Host, pid: impl std::fmt::Display, what: &str) -> u64 {
    let rollup = host.read_text(format!("/proc/{pid}/smaps_rollup"));
    let line = rollup.lines().find_map(|line| line.strip_prefix(what));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    let Some(kib) = kib else {
        panic!("process {pid} has no memory: {rollup}")
    };
    kib * 1024
}

/// No live session, no process of one, no control socket, no folder of a client program.
///
/// # Panics
/// When something is left after a few seconds.
#[track_caller]
pub fn nothing_is_left(lab: &Lab) {
    let look = "ls -A /run/jms/egress /run/jms/sessions | grep -v ':$' | grep .; pgrep -a force-command; pgrep -ax ssh; jmsctl session ls --online --json";
    let mut left = String::new();
    for _ in 0..500 {
        left = lab.bastion().run(look).text();
        if left.is_empty() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("left: {left}");
}
