//! The host's own accounts, which users of the bastion must not be mistaken for.
//!
//! Trusts `/etc/passwd` and the name service.
#![forbid(unsafe_code)]

use crate::failure::{Done, Failure};
use nix::unistd::{Uid, User};
use snapshot::UidRange;
use std::collections::BTreeSet;

/// The accounts in a `passwd` file.
pub struct LocalAccounts {
    names: BTreeSet<String>,
    uids: BTreeSet<u32>,
}

impl LocalAccounts {
    /// Reads `/etc/passwd`.
    pub fn load() -> Done<Self> {
        let text = std::fs::read("/etc/passwd")
            .map_err(|error| Failure::io("read", "/etc/passwd", error))?;
        Ok(Self::parse(&String::from_utf8_lossy(&text)))
    }

    fn parse(text: &str) -> Self {
        let fields = || text.lines().map(|line| line.split(':').collect::<Vec<_>>());
        Self {
            names: fields()
                .filter_map(|line| line.first().map(|name| (*name).to_owned()))
                .collect(),
            uids: fields()
                .filter_map(|line| line.get(2)?.parse().ok())
                .collect(),
        }
    }

    /// Refuses a name that an account of this host has, wherever that account is kept.
    pub fn refuse_name(&self, name: &str, range: &UidRange) -> Done {
        // Our own name service answers as well: only with uids of the range and one of our groups.
        let is_ours = |user: &User| {
            range.contains(user.uid.as_raw())
                && [range.users_gid(), range.mfa_gid()].contains(&user.gid.as_raw())
        };
        let elsewhere = || matches!(User::from_name(name), Ok(Some(user)) if !is_ours(&user));
        if self.names.contains(name) || elsewhere() {
            return Err(Failure::BadInput(format!(
                "{name} is an account of this host itself, and ssh would reach that one; choose another name"
            )));
        }
        Ok(())
    }

    /// Whether an account of this host has the uid.
    pub fn has_uid(&self, uid: u32) -> bool {
        // That a service is out of order (ours, before the first snapshot) says nothing about the uid.
        self.uids.contains(&uid) || matches!(User::from_uid(Uid::from_raw(uid)), Ok(Some(_)))
    }
}

/// Root's file with the uids of users.
pub fn uid_range(paths: &jms::paths::Paths) -> Done<UidRange> {
    let path = paths.uid_range();
    UidRange::load(&path).map_err(|error| {
        Failure::Failed(format!(
            "{}: {error}; `jmsctl init` makes it where it is missing",
            path.display()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::LocalAccounts;

    #[test]
    fn odd_lines_do_no_harm() {
        let accounts = LocalAccounts::parse(
            "root:x:0:0::/:/bin/sh\n\n+nis\nbob:x:huge:1:\ncarol:x:70005:1::/:\n",
        );
        assert!(accounts.names.contains("root") && accounts.names.contains("carol"));
        assert_eq!(
            accounts.uids.iter().copied().collect::<Vec<_>>(),
            [0, 70_005]
        );
    }
}
