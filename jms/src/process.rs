//! Which process is which: a pid alone is used again, a pid and its start time are not.
//!
//! Trusts `/proc` of the kernel. Where it is mounted with `hidepid`, other people's processes look
//! dead, so callers treat “cannot tell” as alive unless the kernel says that the pid is free.
#![forbid(unsafe_code)]

use crate::time::Time;
use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::time::{ClockId, clock_gettime};
use nix::unistd::{Pid, SysconfVar, sysconf};

/// A process, named so that it cannot be mistaken for a later one with the same pid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Process {
    /// Process id.
    pub pid: i32,
    /// Start time in clock ticks after boot (proc(5), field 22 of `stat`).
    pub started: i64,
}

/// What `/proc/PID/stat` says that matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// The process.
    pub process: Process,
    /// Its parent's pid (field 4).
    pub parent: i32,
    /// It has ended and only waits for its parent to notice (field 3 is `Z` or `X`).
    pub ended: bool,
}

/// Reads `/proc/PID/stat`; `None` when the process is gone or hidden.
#[must_use]
pub fn stat(pid: i32) -> Option<Stat> {
    parse_stat(&std::fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// The process's name may hold spaces and brackets, so fields count from the last `)`.
fn parse_stat(text: &[u8]) -> Option<Stat> {
    let text = String::from_utf8_lossy(text);
    let pid = text.split(' ').next()?.parse().ok()?;
    let mut fields = text.get(text.rfind(')')? + 1..)?.split_ascii_whitespace();
    let ended = matches!(fields.next()?, "Z" | "X");
    let parent = fields.next()?.parse().ok()?;
    let started = fields.nth(17)?.parse().ok()?;
    Some(Stat {
        process: Process { pid, started },
        parent,
        ended,
    })
}

/// The calling process.
#[must_use]
pub fn myself() -> Option<Process> {
    stat(nix::unistd::getpid().as_raw()).map(|stat| stat.process)
}

impl Process {
    /// When it started, to the clock tick, by a clock that says `now`; `None` when the kernel does not say how long it has run.
    #[must_use]
    pub fn started_at(self, now: Time) -> Option<Time> {
        let since_boot = clock_gettime(ClockId::CLOCK_BOOTTIME).ok()?;
        let since_boot = i64::try_from(std::time::Duration::from(since_boot).as_millis()).ok()?;
        let ticks = sysconf(SysconfVar::CLK_TCK).ok()??;
        let started = self.started.checked_mul(1000)?.checked_div(ticks)?;
        Some(now.plus(started.checked_sub(since_boot)?))
    }

    /// Whether it is gone for certain.
    #[must_use]
    pub fn is_gone(self) -> bool {
        match stat(self.pid) {
            Some(now) => now.process != self || now.ended,
            None => kill(Pid::from_raw(self.pid), None) == Err(Errno::ESRCH),
        }
    }

    /// Whether it is the caller or one of the processes that the caller descends from.
    #[must_use]
    pub fn is_ancestor_of_caller(self) -> bool {
        let mut pid = nix::unistd::getpid().as_raw();
        // A chain is as deep as sshd's own processes; the bound is against a loop that cannot be.
        for _ in 0..64 {
            let Some(stat) = stat(pid) else { return false };
            if stat.process == self {
                return true;
            }
            if stat.parent <= 1 {
                return false;
            }
            pid = stat.parent;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_spaces_does_not_move_the_fields() {
        let line = b"77 (a) b (c)) S 12 77 77 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1000 2 18446744073709551615";
        let stat = parse_stat(line).unwrap();
        assert_eq!(
            stat,
            Stat {
                process: Process {
                    pid: 77,
                    started: 987_654
                },
                parent: 12,
                ended: false
            }
        );
        assert_eq!(parse_stat(b"77 (cut"), None);
        assert_eq!(parse_stat(b""), None);
    }

    #[test]
    fn i_am_alive_and_my_own_ancestor_and_another_start_time_is_somebody_else() {
        let me = myself().unwrap();
        assert!(!me.is_gone() && me.is_ancestor_of_caller());
        let other = Process {
            started: me.started + 1,
            ..me
        };
        assert!(other.is_gone() && !other.is_ancestor_of_caller());
    }

    #[test]
    fn a_child_that_was_killed_is_gone_even_before_it_is_reaped() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let process = stat(i32::try_from(child.id()).unwrap()).unwrap().process;
        assert!(!process.is_gone() && !process.is_ancestor_of_caller());
        child.kill().unwrap();
        while !process.is_gone() {
            std::thread::yield_now();
        }
        child.wait().unwrap();
        assert!(process.is_gone());
    }
}
