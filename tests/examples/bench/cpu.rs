//! The processor time of a host, with everything that runs in it: a control group of the kernel counts it in nanoseconds, whoever
//! reaps whom, and however short a child lives.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tests::Host;

/// Between two looks at whether a host is still at work.
const LOOK: Duration = Duration::from_millis(20);
/// What a host may use of that when it rests.
const REST: Duration = Duration::from_micros(200);
/// How long its rest is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// A control group with all services of one host in it: its sshds, its syslog, and what they start from now on. What the
/// benchmark itself starts in the host is not in it.
#[derive(Debug)]
pub struct Meter {
    folder: PathBuf,
    usage: fn(&Path) -> Result<Duration>,
}

impl Meter {
    /// Puts every process of `host` into a group of its own.
    ///
    /// # Errors
    /// When the kernel has no such groups.
    pub fn of(host: &Host, name: &str) -> Result<Self> {
        let (mount, usage): (&str, fn(&Path) -> Result<Duration>) =
            if Path::new("/sys/fs/cgroup/cpuacct").is_dir() {
                ("/sys/fs/cgroup/cpuacct", nanoseconds)
            } else {
                ("/sys/fs/cgroup", microseconds)
            };
        let folder = Path::new(mount).join(format!("jms-bench-{}-{name}", std::process::id()));
        fs::create_dir(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        let meter = Self { folder, usage };
        let space = fs::read_link(format!("/proc/{}/ns/pid", host.pid()))?;
        for entry in fs::read_dir("/proc")? {
            let path = entry?.path();
            let inside = fs::read_link(path.join("ns/pid")).is_ok_and(|its| its == space);
            if let (true, Some(pid)) = (inside, path.file_name()) {
                fs::write(meter.folder.join("cgroup.procs"), pid.as_encoded_bytes())?;
            }
        }
        Ok(meter)
    }

    /// All processor time so far.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn used(&self) -> Result<Duration> {
        (self.usage)(&self.folder)
    }

    /// The same once the host rests: what ends behind a client's back belongs to that client as well.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn used_at_rest(&self) -> Result<Duration> {
        let begun = Instant::now();
        let mut before = self.used()?;
        loop {
            std::thread::sleep(LOOK);
            let now = self.used()?;
            if now.saturating_sub(before) < REST || begun.elapsed() > PATIENCE {
                return Ok(now);
            }
            before = now;
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        // A group can only go when nobody is in it any more.
        let root = self.folder.parent().map(|root| root.join("cgroup.procs"));
        let members = fs::read_to_string(self.folder.join("cgroup.procs")).unwrap_or_default();
        for pid in members.lines() {
            let _ = root.as_ref().map(|root| fs::write(root, pid));
        }
        let _ = fs::remove_dir(&self.folder);
    }
}

/// Version 1: `cpuacct.usage`.
fn nanoseconds(folder: &Path) -> Result<Duration> {
    let text = fs::read_to_string(folder.join("cpuacct.usage"))?;
    Ok(Duration::from_nanos(text.trim().parse()?))
}

/// Version 2: `usage_usec` of `cpu.stat`.
fn microseconds(folder: &Path) -> Result<Duration> {
    let text = fs::read_to_string(folder.join("cpu.stat"))?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("usage_usec "));
    let count = line.context("cpu.stat has no usage_usec")?.trim().parse()?;
    Ok(Duration::from_micros(count))
}
