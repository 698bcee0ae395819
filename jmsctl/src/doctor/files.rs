//! Files and folders of the bastion: owners, groups, modes. What lies in the files is judged elsewhere.
#![forbid(unsafe_code)]

use super::accounts::Accounts;
use super::finding::Findings;
use super::{mend, system, table};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What must hold for one path.
struct Rule {
    path: &'static str,
    is_folder: bool,
    owner: &'static str,
    /// `None`: any.
    group: Option<&'static str>,
    mode: Mode,
    /// Whether its absence is judged here.
    must_exist: bool,
}

/// What a mode must be.
#[derive(Clone, Copy)]
enum Mode {
    /// Exactly this.
    Exact(u32),
    /// Nobody but the owner may write, everybody may read; mended to this.
    Readable(u32),
}

impl Mode {
    fn holds(self, mode: u32) -> bool {
        match self {
            Self::Exact(wanted) => mode == wanted,
            Self::Readable(_) => mode & 0o022 == 0 && mode & 0o044 == 0o044,
        }
    }

    fn wanted(self) -> u32 {
        match self {
            Self::Exact(mode) | Self::Readable(mode) => mode,
        }
    }
}

const fn folder(path: &'static str, owner: &'static str, group: &'static str, mode: u32) -> Rule {
    Rule {
        path,
        is_folder: true,
        owner,
        group: Some(group),
        mode: Mode::Exact(mode),
        must_exist: true,
    }
}

const fn file(
    path: &'static str,
    owner: &'static str,
    group: Option<&'static str>,
    mode: Mode,
) -> Rule {
    Rule {
        path,
        is_folder: false,
        owner,
        group,
        mode,
        must_exist: false,
    }
}

/// docs/house.md, “Who may touch what”, and what packaging/scripts/postinst makes.
const RULES: &[Rule] = &[
    folder("/etc/jms", "root", "root", 0o755),
    folder("/var/lib/jms", "jms", "jms", 0o711),
    folder("/var/lib/jms/public", "jms", "jms-keys", 0o2755),
    folder("/var/lib/jms/recordings", "jms", "jms", 0o700),
    folder("/run/jms", "jms", "jms", 0o711),
    folder("/run/jms/sessions", "jms", "jms", 0o700),
    folder("/run/jms/egress", "jms", "jms", 0o711),
    // Without it no connection stays for a next session.
    Rule {
        must_exist: false,
        ..folder("/run/jms/warm", "jms", "jms", 0o700)
    },
    // Without it names are looked up more slowly, no more.
    Rule {
        must_exist: false,
        ..folder("/run/jms-keys", "jms-keys", "jms-keys", 0o755)
    },
    file(
        "/run/jms-keys/users.copy",
        "jms-keys",
        None,
        Mode::Exact(0o444),
    ),
    folder("/usr/share/jms/home", "root", "root", 0o555),
    folder("/usr/libexec/jms", "root", "root", 0o755),
    file("/etc/jms/jms.toml", "root", None, Mode::Readable(0o644)),
    file("/etc/jms/uid-range", "root", None, Mode::Readable(0o644)),
    file("/etc/jms/uid-high-water", "jms", None, Mode::Exact(0o644)),
    file("/etc/jms/secret.key", "jms", None, Mode::Exact(0o400)),
    file("/var/lib/jms/jms.db", "jms", None, Mode::Exact(0o600)),
    file(
        "/var/lib/jms/public/users.snap",
        "jms",
        None,
        Mode::Exact(0o444),
    ),
    file(
        "/var/lib/jms/public/keys.snap",
        "jms",
        Some("jms-keys"),
        Mode::Exact(0o440),
    ),
    file(
        "/etc/ssh/sshd_config.d/00-jms.conf",
        "root",
        None,
        Mode::Readable(0o644),
    ),
    file("/usr/bin/jmsctl", "root", None, Mode::Exact(0o755)),
    file(
        "/usr/libexec/jms/authorized-keys-command",
        "root",
        None,
        Mode::Exact(0o755),
    ),
    file("/usr/libexec/jms/askpass", "root", None, Mode::Exact(0o755)),
    file(
        "/usr/libexec/jms/jms-pam-helper",
        "root",
        None,
        Mode::Exact(0o755),
    ),
];

/// Folders of live sessions: whoever restarts the host makes them anew.
const RUN: &str = "/run/jms";

/// Whether owner and mode of this path are judged here.
pub fn has_rule(path: &str) -> bool {
    RULES.iter().any(|rule| rule.path == path)
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    is_folder: bool,
    is_file: bool,
    owner: u32,
    group: u32,
    mode: u32,
}

/// What stands at each path of the rules.
#[derive(Debug)]
pub struct Files(Vec<Option<Seen>>);

impl Files {
    /// Looks, without following a link.
    pub fn gather() -> Self {
        let look = |rule: &Rule| {
            let metadata = Path::new(rule.path).symlink_metadata().ok()?;
            Some(Seen {
                is_folder: metadata.is_dir(),
                is_file: metadata.is_file(),
                owner: metadata.uid(),
                group: metadata.gid(),
                mode: metadata.mode() & 0o7777,
            })
        };
        Self(RULES.iter().map(look).collect())
    }

    /// Judges what was seen; who is who, the accounts say.
    pub fn judge(&self, accounts: &Accounts, findings: &mut Findings) {
        for (rule, seen) in RULES.iter().zip(&self.0) {
            match seen {
                None => missing(rule, findings),
                Some(seen) => judge(rule, *seen, accounts, findings),
            }
        }
    }
}

fn missing(rule: &Rule, findings: &mut Findings) {
    let is_run = Path::new(rule.path).starts_with(RUN);
    let kind = if is_run {
        table::RUN_FOLDERS
    } else {
        table::FILES_MISSING
    };
    if !rule.must_exist || findings.has(kind) {
        return;
    }
    let tmpfiles = "/usr/bin/systemd-tmpfiles";
    let command = if is_run && system::exists(tmpfiles) {
        "systemd-tmpfiles --create /usr/lib/tmpfiles.d/jms.conf".to_owned()
    } else if rule.path.starts_with("/usr/") {
        mend::reinstall()
    } else {
        mend::configure_again()
    };
    findings.add(kind, format!("{} is missing", rule.path), command);
}

fn judge(rule: &Rule, seen: Seen, accounts: &Accounts, findings: &mut Findings) {
    if rule.is_folder && !seen.is_folder {
        let command = format!(
            "mv -f {0} {0}.wrong && {1}",
            rule.path,
            mend::configure_again()
        );
        findings.add(
            table::FILES_TYPE,
            format!("{} is no folder", rule.path),
            command,
        );
        return;
    }
    // A file's place is looked at by whoever reads the file.
    if !rule.is_folder && !seen.is_file {
        return;
    }
    // Without the account, that is the finding.
    let Some(owner) = accounts.uid(rule.owner) else {
        return;
    };
    let group = rule.group.map(|group| (group, accounts.gid(group)));
    let wrong_group = group.filter(|(_, gid)| gid.is_some_and(|gid| gid != seen.group));
    if seen.owner != owner || wrong_group.is_some() {
        let wanted = format!(
            "{}{}",
            rule.owner,
            rule.group
                .map(|group| format!(":{group}"))
                .unwrap_or_default()
        );
        let sentence = format!(
            "{} belongs to {}:{} and not to {wanted}",
            rule.path, seen.owner, seen.group
        );
        findings.add(table::FILES_OWNER, sentence, put_right(rule, &wanted));
    } else if !rule.mode.holds(seen.mode) {
        let sentence = format!(
            "{} has mode {:04o} and not {:04o}",
            rule.path,
            seen.mode,
            rule.mode.wanted()
        );
        findings.add(table::FILES_MODE, sentence, change_mode(rule));
    }
}

fn put_right(rule: &Rule, owner: &str) -> String {
    // Root follows no link here: chown -h, and the mode as the one who owns the folder around it.
    format!("chown -h {owner} {} && {}", rule.path, change_mode(rule))
}

fn change_mode(rule: &Rule) -> String {
    let command = format!("chmod {:04o} {}", rule.mode.wanted(), rule.path);
    if rule.owner == "jms" {
        mend::as_service_user(&command)
    } else {
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_is_judged_once() {
        let mut paths: Vec<&str> = RULES.iter().map(|rule| rule.path).collect();
        paths.sort_unstable();
        let count = paths.len();
        paths.dedup();
        assert_eq!(paths.len(), count);
    }

    #[test]
    fn settings_may_be_stricter_but_never_writable_or_hidden() {
        let mode = Mode::Readable(0o644);
        assert!(mode.holds(0o644) && mode.holds(0o444));
        assert!(!mode.holds(0o664) && !mode.holds(0o646) && !mode.holds(0o600));
        assert!(!Mode::Exact(0o400).holds(0o440));
    }
}
