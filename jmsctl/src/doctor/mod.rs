//! `jmsctl doctor`: is this host, as it is now, a bastion that works and guards what it should?
//!
//! Two steps. As root, what only root can see is gathered and nothing is decided; sshd, dpkg and sudo are asked in
//! their own words. Then the service user opens the store and judges all of it. Every part of the bastion may be
//! broken, so nothing here trusts a file to be there, to be a file, or to end.
#![deny(unsafe_code)]

mod accounts;
mod administrators;
mod disk;
mod files;
mod finding;
mod installed;
mod local;
mod mend;
mod mounts;
mod names;
mod nsswitch;
mod obstacle;
mod pam;
mod platform;
mod profile;
mod programs;
mod snapshots;
mod sshd;
mod store;
mod stored;
mod sys;
mod syslog;
mod system;
mod table;
mod units;
mod way_in;

pub use disk::Disk;
pub use finding::Finding;
#[cfg(test)]
pub use finding::Severity;
pub use obstacle::obstacle;
pub use way_in::account_behind_ssh;

use accounts::Accounts;
use files::Files;
use finding::Findings;
use installed::Installed;
use jms::paths::Paths;
use jms::time::Time;
use local::Local;
use mounts::Mounts;
use names::Names;
use nsswitch::Nsswitch;
use pam::Pam;
use platform::Platform;
use programs::Programs;
use snapshots::Snapshots;
use sshd::{Member, Sshd};
use store::Surroundings;
use stored::Inside;
use syslog::Syslog;

/// So many users are looked up in the name service to find one that it knows.
const ASKED: usize = 50;

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Everything.
    Thorough,
    /// All but what takes long on a large bastion: hashes of programs, the whole store, every account.
    Quick,
}

/// What root saw.
#[derive(Debug)]
pub struct Outside {
    depth: Depth,
    accounts: Accounts,
    files: Files,
    programs: Programs,
    installed: Installed,
    platform: Platform,
    pam: Pam,
    nsswitch: Nsswitch,
    snapshots: Snapshots,
    sshd: Sshd,
    names: Names,
    syslog: Syslog,
    disk: Option<Disk>,
    /// Not asked where sshd accepts no configuration or the log daemon stands still: then nobody gets in, and that is said.
    local: Option<Local>,
    surroundings: Surroundings,
}

impl Outside {
    /// Looks at the host, as root.
    pub fn gather(paths: &Paths, depth: Depth) -> Self {
        let thorough = depth == Depth::Thorough;
        let accounts = Accounts::gather();
        let mounts = Mounts::gather();
        let snapshots = Snapshots::gather(paths);
        let names = Names::gather(paths);
        let members = members(&snapshots, &names);
        let sshd = Sshd::gather(&members);
        let today = Time::now().seconds() / 86_400;
        let syslog = Syslog::gather();
        // sudo, which is asked about each account, would wait for a log daemon that stands still.
        let local = (thorough && sshd.answers() && !syslog.hangs())
            .then(|| Local::gather(&accounts, sshd.for_unknown(), today));
        Self {
            depth,
            files: Files::gather(),
            programs: Programs::gather(&mounts, thorough),
            installed: Installed::gather(),
            platform: Platform::gather(&mounts),
            pam: Pam::gather(),
            nsswitch: Nsswitch::gather(),
            sshd,
            syslog,
            disk: Disk::gather(paths),
            local,
            surroundings: Surroundings::gather(paths, &mounts),
            accounts,
            snapshots,
            names,
        }
    }

    /// Generations of users.snap and keys.snap.
    pub fn snapshot_generations(&self) -> (Option<u64>, Option<u64>) {
        self.snapshots.generations()
    }

    /// The room for recordings.
    pub fn disk(&self) -> Option<Disk> {
        self.disk
    }

    /// Judges the host with its store, as the service user; the worst comes first. Without that user
    /// (`is_service_user` is false) the store stays closed.
    pub fn judge(&self, paths: &Paths, is_service_user: bool, with_profile: bool) -> Vec<Finding> {
        let inside = is_service_user.then(|| Inside::gather(paths, self.depth == Depth::Thorough));
        let stored = inside.as_ref().and_then(Inside::stored);
        let mut findings = Findings::default();
        self.accounts.judge(&mut findings);
        self.files.judge(&self.accounts, &mut findings);
        self.programs.judge(&self.accounts, &mut findings);
        self.installed.judge(&mut findings);
        let settings = inside
            .as_ref()
            .and_then(|inside| inside.settings.as_ref().ok().cloned())
            .unwrap_or_default();
        let requires_landlock = settings.confinement.require_landlock;
        self.platform.judge(requires_landlock, &mut findings);
        self.sshd.judge(&mut findings);
        self.pam.judge(&mut findings);
        self.nsswitch.judge(&mut findings);
        self.syslog.judge(&mut findings);
        if let Some(inside) = &inside {
            store::judge(
                inside,
                &self.surroundings,
                paths,
                self.syslog.listens(),
                &mut findings,
            );
            if let Some(disk) = self.disk {
                disk.judge(paths, &settings, &mut findings);
            }
        }
        self.snapshots.judge(stored, &mut findings);
        self.names
            .judge(&self.accounts, stored, paths, &mut findings);
        if let Some(stored) = stored {
            administrators::judge(stored, &mut findings);
        }
        if let Some(local) = &self.local {
            local.judge(&self.accounts, stored, &mut findings);
        }
        if with_profile {
            profile::judge(&self.sshd, stored, &mut findings);
        }
        findings.into_sorted()
    }
}

/// One user of each group on whose behalf sshd can be asked: the name service must know him as ours.
fn members(snapshots: &Snapshots, names: &Names) -> Vec<Member> {
    let Some(range) = names.range() else {
        return Vec::new();
    };
    [(false, "jms-users"), (true, "jms-mfa")]
        .into_iter()
        .filter_map(|(mfa, group)| {
            let users = snapshots.users().iter().filter(|user| user.mfa == mfa);
            let names: Vec<&str> = users.take(ASKED).map(|user| user.name.as_str()).collect();
            let known = system::uids_of(&names);
            let (name, _) = known.iter().find(|(_, uid)| range.contains(*uid))?;
            Some(Member {
                name: name.clone(),
                group: group.to_owned(),
            })
        })
        .collect()
}
