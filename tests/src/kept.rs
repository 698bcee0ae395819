//! Connections to assets that stay for a user's next session (`[egress] warm_seconds`), as the bastion and the asset see them.

use std::time::Duration;

use crate::host::{Host, Process};
use crate::lab::Lab;
use crate::outcome::eventually;

/// For what happens at once, on a slow machine.
const SOON: Duration = Duration::from_secs(20);

/// Connections stay for so many seconds; `more` are further lines of `jms.toml`, the first of them of its section `egress`.
/// Those that are kept already end.
pub fn stay(lab: &Lab, seconds: u32, more: &str) {
    let text = format!("[egress]\nwarm_seconds = {seconds}\n{more}\n");
    lab.bastion().write("/etc/jms/jms.toml", text);
}

/// The clients of kept connections.
///
/// # Panics
/// When the bastion's processes cannot be listed.
#[must_use]
#[track_caller]
pub fn clients(lab: &Lab) -> Vec<u32> {
    let Ok(processes) = lab.bastion().processes() else {
        panic!("no processes")
    };
    let is_kept = |it: &&Process| {
        it.program.as_os_str() == "/usr/bin/ssh" && it.command_line.contains("ControlMaster=yes")
    };
    processes.iter().filter(is_kept).map(|it| it.pid).collect()
}

/// The one client that there is.
///
/// # Panics
/// When there are others, or none.
#[must_use]
#[track_caller]
pub fn client(lab: &Lab) -> u32 {
    let all = clients(lab);
    assert_eq!(all.len(), 1, "{all:?}");
    all.first().copied().unwrap_or_default()
}

/// How many keepers there are, and how many of their clients.
#[must_use]
#[track_caller]
pub fn processes(lab: &Lab) -> (usize, usize) {
    let keepers = lab.bastion().run("pgrep -x jms-kept").text();
    (keepers.lines().count(), clients(lab).len())
}

/// How many times an account was logged in to by key, as the asset's own log says.
#[must_use]
pub fn logins(asset: &Host) -> usize {
    let log = asset.auth_log();
    let accepted = |line: &&str| line.contains("Accepted publickey for dev");
    log.lines().filter(accepted).count()
}

/// What is left of kept connections and of sessions: processes, sockets, folders, live rows; on the assets, too.
#[must_use]
pub fn left(lab: &Lab) -> String {
    let look = "pgrep -ax jms-kept; pgrep -ax ssh; pgrep -a force-command
        ls -A /run/jms/warm | grep -vx lock
        ls -A /run/jms/egress /run/jms/sessions | grep -v ':$' | grep .
        jmsctl session ls --online --json";
    let mut left = lab.bastion().run(look).text();
    for asset in lab.assets() {
        let there = lab.host(asset).run("pgrep -af '^sshd(-session)?: dev'");
        left += &there.text();
    }
    left
}

/// Nothing is left of kept connections and of sessions, within a few seconds.
///
/// # Panics
/// When something is.
#[track_caller]
pub fn nothing_is_left(lab: &Lab) {
    let mut last = String::new();
    for _ in 0..400 {
        last = left(lab);
        if last.is_empty() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("left: {last}");
}

/// The last connection that ended did so for this reason, as syslog has it.
///
/// # Panics
/// When it does not say so within a few seconds.
#[track_caller]
pub fn ended_because(lab: &Lab, reason: &str) {
    let script =
        "cat /var/log/auth.log /var/log/syslog 2>/dev/null | grep -a connection.ended | tail -n 1";
    let word = format!("reason={reason}");
    eventually("syslog says why", SOON, || {
        let line = lab.bastion().run(script).text();
        line.replace('"', "")
            .split_whitespace()
            .any(|it| it == word)
    });
}
