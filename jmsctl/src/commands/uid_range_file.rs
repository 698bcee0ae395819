//! `/etc/jms/uid-range`: which uids users may get. Root's file; every name lookup of the host trusts it.
//!
//! A uid belongs to one user for ever, so the range never lets go of one that was given.
#![forbid(unsafe_code)]

use crate::cli::values::Uids;
use crate::failure::{Done, Failure};
use jms::paths::Paths;
use nix::unistd::Gid;
use snapshot::UidRange;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Unless told otherwise: high uids make huge sparse lastlog files, low ones belong to people.
const USUAL: Uids = Uids {
    first: 70_000,
    last: 99_999,
};

/// Writes the file where it is missing, or changes its range when `wanted` says so.
pub fn settle(paths: &Paths, wanted: Option<Uids>, users: Gid, mfa: Gid) -> Done {
    let path = paths.uid_range();
    let exists = path.symlink_metadata().is_ok();
    if !exists {
        let uids = wanted.unwrap_or(USUAL);
        refuse_used(uids)?;
        let text = format!(
            "# The uids of the bastion's users, and the gids of their groups. Root's file: the name service\n\
             # answers for no uid outside this range. Change it with: jmsctl init --uid-range A-B\n\
             range {}-{}\njms-users {users}\njms-mfa {mfa}\n",
            uids.first, uids.last
        );
        return write(&path, &text);
    }
    let Some(wanted) = wanted else { return Ok(()) };
    let bad =
        |error: &dyn std::fmt::Display| Failure::Failed(format!("{}: {error}", path.display()));
    let now = UidRange::load(&path).map_err(|error| bad(&error))?;
    if (now.first(), now.last()) == (wanted.first, wanted.last) {
        return Ok(());
    }
    refuse_to_lose_uids(&now, wanted, highest_given(paths)?)?;
    refuse_used(wanted)?;
    let text = std::fs::read_to_string(&path).map_err(|error| bad(&error))?;
    write(&path, &with_range(&text, wanted))
}

/// The text with another range; comments and everything else stay.
fn with_range(text: &str, uids: Uids) -> String {
    let line = |line: &str| {
        if line.split_ascii_whitespace().next() == Some("range") {
            format!("range {}-{}\n", uids.first, uids.last)
        } else {
            format!("{line}\n")
        }
    };
    text.lines().map(line).collect()
}

/// The highest uid that any user ever had; 0: none.
fn highest_given(paths: &Paths) -> Done<u32> {
    let path = paths.uid_high_water();
    let text = match std::fs::read_to_string(&path) {
        Err(error)
            if error.kind() == std::io::ErrorKind::NotFound && !paths.database().exists() =>
        {
            String::new()
        }
        other => other.map_err(|error| Failure::io("read", path.display(), error))?,
    };
    let text = text.trim();
    if text.is_empty() {
        return Ok(0);
    }
    text.parse()
        .map_err(|error| Failure::io("read", path.display(), error))
}

/// Uids are given upwards from the range's beginning, so all that were given lie between it and `highest`.
fn refuse_to_lose_uids(now: &UidRange, wanted: Uids, highest: u32) -> Done {
    if highest == 0 || (wanted.first <= now.first() && wanted.last >= highest) {
        return Ok(());
    }
    Err(Failure::BadInput(format!(
        "users have, or had, uids from {} to {highest}, and these stay theirs for ever; a new range must hold them, \
         as in --uid-range {}-{}",
        now.first(),
        wanted.first.min(now.first()),
        wanted.last.max(highest)
    )))
}

/// Refuses uids that the host gives to somebody else.
fn refuse_used(uids: Uids) -> Done {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let used = used(
        uids,
        &read("/etc/login.defs"),
        &read("/etc/passwd"),
        &read("/etc/subuid"),
    );
    match used.first() {
        None => Ok(()),
        Some(first) => Err(Failure::BadInput(format!(
            "the uids {}-{} are not free here: {first}; choose others with --uid-range, as in 700000000-700029999",
            uids.first, uids.last
        ))),
    }
}

fn used(uids: Uids, login_defs: &str, passwd: &str, subuid: &str) -> Vec<String> {
    let overlaps =
        |low: u64, high: u64| low <= u64::from(uids.last) && high >= u64::from(uids.first);
    let mut found = Vec::new();
    let setting = |name: String| {
        let mut lines = login_defs
            .lines()
            .map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
        lines.find_map(|words| match words.as_slice() {
            [word, value, ..] if *word == name => value.parse::<u64>().ok(),
            _ => None,
        })
    };
    for prefix in ["UID", "SUB_UID", "SYS_UID"] {
        if let (Some(low), Some(high)) = (
            setting(format!("{prefix}_MIN")),
            setting(format!("{prefix}_MAX")),
        ) && overlaps(low, high)
        {
            found.push(format!(
                "/etc/login.defs keeps {low} to {high} ({prefix}_MIN to {prefix}_MAX)"
            ));
        }
    }
    for line in passwd.lines() {
        let fields: Vec<&str> = line.split(':').collect();
        if let [name, _, uid, ..] = fields.as_slice()
            && let Ok(uid) = uid.parse()
            && overlaps(uid, uid)
        {
            found.push(format!("the user {name} has {uid} in /etc/passwd"));
        }
    }
    for line in subuid.lines() {
        let fields: Vec<&str> = line.split(':').collect();
        if let [name, first, count] = fields.as_slice()
            && let (Ok(first), Ok(count)) = (first.parse::<u64>(), count.trim().parse::<u64>())
            && count > 0
            && overlaps(first, first.saturating_add(count - 1))
        {
            found.push(format!(
                "/etc/subuid gives {first} and {count} more to {name}"
            ));
        }
    }
    found
}

/// Replaces the file at once: a name lookup sees the old or the new one, never a part.
fn write(path: &Path, text: &str) -> Done {
    UidRange::parse(text.as_bytes())
        .map_err(|error| Failure::Failed(format!("{}: {error}", path.display())))?;
    let new = path.with_extension("new");
    let replace = || {
        let _ = std::fs::remove_file(&new);
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o644)
            .open(&new)?;
        file.set_permissions(std::fs::Permissions::from_mode(0o644))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&new, path)
    };
    replace().map_err(|error| Failure::io("write", path.display(), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    const UIDS: Uids = Uids {
        first: 70_000,
        last: 99_999,
    };

    #[test]
    fn what_the_host_gives_to_others_is_seen() {
        let login_defs = "UID_MIN 1000\nUID_MAX 60000\n# SUB_UID_MIN 70000\nSUB_UID_MIN 100000\nSUB_UID_MAX 600100000\n";
        let passwd = "root:x:0:0::/:/bin/sh\nbob:x:1000:1000::/:\n";
        assert_eq!(
            used(UIDS, login_defs, passwd, "bob:100000:65536\n"),
            Vec::<String>::new()
        );
        assert_eq!(used(UIDS, "UID_MIN 1000\nUID_MAX 70000\n", "", "").len(), 1);
        assert_eq!(used(UIDS, "", "bob:x:70001:1::/:\n", "").len(), 1);
        assert_eq!(used(UIDS, "", "", "bob:65536:65536\n").len(), 1);
        assert!(used(UIDS, "UID_MIN x\n", "a\n::::\n", "b:c:d\n\n:1:0\n").is_empty());
    }

    #[test]
    fn a_uid_that_was_given_never_falls_out() {
        let now = UidRange::parse(b"range 70000-99999\njms-users 1\njms-mfa 2\n").unwrap();
        let allowed =
            |first, last, highest| refuse_to_lose_uids(&now, Uids { first, last }, highest).is_ok();
        assert!(allowed(200_000, 300_000, 0));
        assert!(allowed(70_000, 199_999, 70_007) && allowed(66_000, 70_007, 70_007));
        assert!(
            !allowed(200_000, 300_000, 70_007)
                && !allowed(70_001, 99_999, 70_007)
                && !allowed(70_000, 70_006, 70_007)
        );
    }

    #[test]
    fn everything_but_the_range_stays() {
        let text = "# mine\nrange 1000-2000\njms-users 998\njms-mfa 997\nenumerate yes\n";
        assert_eq!(
            with_range(text, UIDS),
            "# mine\nrange 70000-99999\njms-users 998\njms-mfa 997\nenumerate yes\n"
        );
    }
}
