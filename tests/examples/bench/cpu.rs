//! The processor time that a host's servers take, with everything that they start: a control group of the kernel counts it
//! in nanoseconds, whoever reaps whom.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use tests::Host;

/// A control group with the sshds of one host in it.
#[derive(Debug)]
pub struct Meter {
    folder: PathBuf,
    usage: fn(&Path) -> Result<Duration>,
}

impl Meter {
    /// Puts every sshd of `host` into a group of its own; what they start from now on is counted.
    ///
    /// # Errors
    /// When the kernel has no such groups.
    pub fn of_servers(host: &Host, name: &str) -> Result<Self> {
        let (mount, usage): (&str, fn(&Path) -> Result<Duration>) =
            if Path::new("/sys/fs/cgroup/cpuacct").is_dir() {
                ("/sys/fs/cgroup/cpuacct", nanoseconds)
            } else {
                ("/sys/fs/cgroup", microseconds)
            };
        let folder = Path::new(mount).join(format!("jms-bench-{}-{name}", std::process::id()));
        fs::create_dir(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        let meter = Self { folder, usage };
        let space = fs::read_link(format!("/proc/{}/ns/pid_for_children", host.pid()))?;
        for entry in fs::read_dir("/proc")? {
            let path = entry?.path();
            let inside = fs::read_link(path.join("ns/pid")).is_ok_and(|its| its == space);
            let sshd = fs::read_link(path.join("exe")).is_ok_and(|it| it.ends_with("sshd"));
            if let (true, true, Some(pid)) = (inside, sshd, path.file_name()) {
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
