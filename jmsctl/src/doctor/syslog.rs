//! Syslog: somebody listens, and nothing that comes in a rush is dropped. nscd, which keeps answers too long.
#![forbid(unsafe_code)]

use super::finding::Findings;
use super::{mend, system, table, units};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};

const SOCKET: &str = "/dev/log";
/// journald's own default (journald.conf(5)): 10000 lines in 30 seconds.
const USUAL_BURST: f64 = 10_000.0;
const USUAL_SECONDS: f64 = 30.0;

/// The process of rsyslog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rsyslog {
    Absent,
    Runs,
    /// By SIGSTOP or a debugger: its socket takes lines until it is full.
    Stopped(u32),
}

/// What was seen of the services that take or keep what we say.
#[derive(Debug)]
pub struct Syslog {
    listens: bool,
    rsyslog: Option<Rsyslog>,
    rsyslog_limit: Option<(PathBuf, usize, String)>,
    journald: (Option<String>, Option<String>),
    nscd_caches: bool,
}

impl Syslog {
    /// Looks.
    pub fn gather() -> Self {
        Self {
            listens: listens(),
            rsyslog: system::exists("/usr/sbin/rsyslogd").then(rsyslog),
            rsyslog_limit: rsyslog_limit(),
            journald: (
                units::setting("", "journald.conf", "RateLimitIntervalSec")
                    .or_else(|| units::setting("", "journald.conf", "RateLimitInterval")),
                units::setting("", "journald.conf", "RateLimitBurst"),
            ),
            nscd_caches: nscd_caches(),
        }
    }

    /// Whether events can be sent now.
    pub fn listens(&self) -> bool {
        self.listens
    }

    /// Whether programs that write to syslog wait until somebody mends it.
    pub fn hangs(&self) -> bool {
        matches!(self.rsyslog, Some(Rsyslog::Stopped(_)))
    }

    /// Judges it.
    pub fn judge(&self, findings: &mut Findings) {
        if let Some(Rsyslog::Stopped(pid)) = self.rsyslog {
            findings.add(
                table::SYSLOG_STOPPED,
                format!("rsyslogd (process {pid}) was stopped in its tracks: once its socket is full, every program that logs waits for it, sshd first"),
                format!("kill -CONT {pid}"),
            );
        }
        if !self.listens || self.rsyslog == Some(Rsyslog::Absent) {
            let what = if self.listens {
                "rsyslog is installed and does not run"
            } else {
                "nobody listens at /dev/log"
            };
            let command = if system::exists("/usr/sbin/rsyslogd") {
                mend::restart("rsyslog", "rsyslogd")
            } else {
                mend::upgrade("rsyslog")
            };
            findings.add(
                table::SYSLOG_SILENT,
                format!("{what}: events are kept and sent later, and nobody is told now"),
                command,
            );
        }
        if let Some((file, number, line)) = &self.rsyslog_limit {
            let change = if line.trim_start().starts_with('$') {
                mend::replace_line(file, *number, "$SystemLogRateLimitInterval 0")
            } else {
                let script = format!(r#"{number}s/(SysSock\.RateLimit\.Interval=")[0-9]+/\10/I"#);
                format!("sed -i -E {} {}", mend::quoted(&script), mend::path(file))
            };
            findings.add(
                table::RSYSLOG_RATE_LIMIT,
                format!(
                    "rsyslog drops lines when many come at once ({} line {number})",
                    file.display()
                ),
                format!("{change} && {}", mend::restart("rsyslog", "rsyslogd")),
            );
        }
        if is_tighter(self.journald.0.as_deref(), self.journald.1.as_deref()) {
            let folder = "/etc/systemd/journald.conf.d";
            let restart = if system::has_systemd() {
                " && systemctl restart systemd-journald"
            } else {
                ""
            };
            findings.add(
                table::JOURNALD_RATE_LIMIT,
                format!(
                    "journald takes {} lines in {} from a service and drops the rest",
                    self.journald.1.as_deref().unwrap_or("10000"),
                    self.journald.0.as_deref().unwrap_or("30s")
                ),
                format!("mkdir -p {folder} && printf '[Journal]\\nRateLimitIntervalSec=30s\\nRateLimitBurst=10000\\n' > {folder}/zz-jms.conf{restart}"),
            );
        }
        if self.nscd_caches {
            findings.add(
                table::NSCD_CACHING,
                "nscd runs and keeps answers about users: a new or disabled user reaches sshd minutes late",
                format!(
                    r"sed -i -E 's/^([[:space:]]*enable-cache[[:space:]]+passwd[[:space:]]+)yes/\1no/' /etc/nscd.conf && {}",
                    mend::restart("nscd", "nscd")
                ),
            );
        }
    }
}

fn listens() -> bool {
    let Ok(socket) = UnixDatagram::unbound() else {
        return false;
    };
    if socket.set_nonblocking(true).is_err() {
        return false;
    }
    match socket.connect(SOCKET) {
        Ok(()) => true,
        // A stream socket has a listener, too (EPROTOTYPE).
        Err(error) if error.raw_os_error() == Some(libc::EPROTOTYPE) => {
            UnixStream::connect(SOCKET).is_ok()
        }
        Err(_) => false,
    }
}

/// Of its processes the first that can be told; proc(5), stat: PID (NAME) STATE.
fn rsyslog() -> Rsyslog {
    let folders = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let found = folders.filter_map(|entry| {
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        let (pid, rest) = stat.split_once(" (")?;
        let state = rest.strip_prefix("rsyslogd) ")?.chars().next()?;
        let pid: u32 = pid.parse().ok()?;
        // A zombie has ended already.
        match state {
            'Z' | 'X' => None,
            'T' | 't' => Some(Rsyslog::Stopped(pid)),
            _ => Some(Rsyslog::Runs),
        }
    });
    found.last().unwrap_or(Rsyslog::Absent)
}

/// The first line of rsyslog's configuration that limits what comes from `/dev/log`.
fn rsyslog_limit() -> Option<(PathBuf, usize, String)> {
    let mut files = vec![PathBuf::from("/etc/rsyslog.conf")];
    files.extend(system::names_in("/etc/rsyslog.d", ".conf"));
    files.into_iter().find_map(|file| {
        let text = system::read(&file)?;
        let (number, line) = text
            .lines()
            .zip(1..)
            .find(|(line, _)| limits(line))
            .map(|(line, number)| (number, line))?;
        Some((file.clone(), number, line.to_owned()))
    })
}

fn limits(line: &str) -> bool {
    let line = line.trim().to_ascii_lowercase();
    if line.starts_with('#') {
        return false;
    }
    let legacy = line
        .strip_prefix("$systemlogratelimitinterval")
        .map(str::trim);
    let modern = line
        .split("syssock.ratelimit.interval=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    legacy
        .or(modern)
        .is_some_and(|value| value.parse::<u64>().is_ok_and(|seconds| seconds > 0))
}

/// Whether this pair of settings drops lines earlier than the default does.
fn is_tighter(interval: Option<&str>, burst: Option<&str>) -> bool {
    let interval = interval.map_or(Some(USUAL_SECONDS), seconds);
    let burst: Option<f64> = burst.map_or(Some(USUAL_BURST), |burst| burst.parse().ok());
    match (interval, burst) {
        (Some(interval), Some(burst)) if interval > 0.0 && burst > 0.0 => {
            burst / interval < USUAL_BURST / USUAL_SECONDS - 0.01
        }
        _ => false,
    }
}

/// systemd.time(7), as far as anybody writes it here.
fn seconds(text: &str) -> Option<f64> {
    let split = text
        .find(|c: char| c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = match unit.trim() {
        "" | "s" | "sec" => 1.0,
        "ms" => 0.001,
        "m" | "min" => 60.0,
        "h" | "hr" => 3600.0,
        _ => return None,
    };
    Some(number.trim().parse::<f64>().ok()? * factor)
}

fn nscd_caches() -> bool {
    let runs = ["/run/nscd/socket", "/var/run/nscd/socket"]
        .iter()
        .any(|path| UnixStream::connect(Path::new(path)).is_ok());
    let text = system::read("/etc/nscd.conf").unwrap_or_default();
    let mut value = text.lines().filter_map(|line| {
        let mut words = line.split('#').next()?.split_whitespace();
        (words.next()? == "enable-cache" && words.next()? == "passwd").then_some(())?;
        words.next().map(str::to_owned)
    });
    runs && value.next_back().as_deref() == Some("yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_both_spellings_are_seen() {
        assert!(limits("$SystemLogRateLimitInterval 5"));
        assert!(!limits("$SystemLogRateLimitInterval 0"));
        assert!(limits(
            r#"module(load="imuxsock" SysSock.RateLimit.Interval="5")"#
        ));
        assert!(!limits(r#"module(load="imuxsock")"#));
        assert!(!limits("#$SystemLogRateLimitInterval 5"));
    }

    #[test]
    fn journalds_default_is_no_finding() {
        assert!(!is_tighter(None, None));
        assert!(!is_tighter(Some("30s"), Some("10000")));
        assert!(!is_tighter(Some("0"), Some("1")));
        assert!(is_tighter(None, Some("100")));
        assert!(is_tighter(Some("10min"), None));
    }
}
