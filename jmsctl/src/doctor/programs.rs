//! Programs and modules of the package: those that it brought, with the rights that they need.
#![forbid(unsafe_code)]

use super::accounts::Accounts;
use super::finding::Findings;
use super::mounts::Mounts;
use super::{mend, system, table};
use jms::paths::FORCE_COMMAND;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What runs or is loaded lies here; documentation may be left out of an installation.
const FOLDERS: [&str; 5] = [
    "/usr/bin/",
    "/usr/sbin/",
    "/usr/libexec/",
    "/usr/lib",
    "/lib",
];

/// What the package manager and the kernel say about them.
#[derive(Debug)]
pub struct Programs {
    changed: Vec<String>,
    /// Owner and mode of the session program.
    session: Option<(u32, u32)>,
    has_override: bool,
    nosuid: Option<String>,
}

impl Programs {
    /// Looks. Hashes of files are compared only when `thorough`.
    pub fn gather(mounts: &Mounts, thorough: bool) -> Self {
        let metadata = Path::new(FORCE_COMMAND).symlink_metadata().ok();
        let mount = mounts.of(Path::new(FORCE_COMMAND));
        Self {
            changed: if thorough { changed() } else { Vec::new() },
            session: metadata
                .filter(std::fs::Metadata::is_file)
                .map(|file| (file.uid(), file.mode() & 0o7777)),
            has_override: has_override(),
            nosuid: mount
                .filter(|mount| mount.has("nosuid"))
                .map(|mount| mount.point.display().to_string()),
        }
    }

    /// Judges it.
    pub fn judge(&self, accounts: &Accounts, findings: &mut Findings) {
        if let Some(point) = &self.nosuid {
            findings.add(
                table::PROGRAMS_NOSUID,
                format!("{point}, where the session program lies, is mounted nosuid: its set-uid bit has no effect (see /etc/fstab for the next start)"),
                format!("mount -o remount,bind,suid {}", mend::quoted(point)),
            );
        }
        if !self.changed.is_empty() {
            findings.add(
                table::PROGRAMS_CHANGED,
                format!(
                    "not as the package brought them: {}",
                    self.changed.join(", ")
                ),
                mend::reinstall(),
            );
        }
        let wanted = accounts.uid("jms").map(|uid| (uid, 0o4755));
        match self.session {
            None if self.changed.is_empty() => findings.add(
                table::PROGRAMS_CHANGED,
                format!("{FORCE_COMMAND} is missing"),
                mend::reinstall(),
            ),
            Some(found) if wanted.is_some_and(|wanted| wanted != found) => findings.add(
                table::PROGRAMS_SET_UID,
                format!("{FORCE_COMMAND} belongs to uid {} with mode {:04o} and must be jms's with mode 4755", found.0, found.1),
                format!("chown jms:root {FORCE_COMMAND} && chmod 4755 {FORCE_COMMAND}"),
            ),
            Some(_) if !self.has_override => findings.add(
                table::PROGRAMS_SET_UID,
                format!("dpkg does not know that {FORCE_COMMAND} is set-uid: the next upgrade would take the bit away"),
                format!("dpkg-statoverride --update --add jms root 4755 {FORCE_COMMAND}"),
            ),
            _ => {}
        }
    }
}

fn has_override() -> bool {
    match system::run("dpkg-statoverride", &["--list", FORCE_COMMAND]) {
        Some(said) => said.succeeded && !said.out.trim().is_empty(),
        // Another package manager keeps modes itself.
        None => true,
    }
}

/// Files whose contents differ from the package manager's record, or are missing.
fn changed() -> Vec<String> {
    let said = match system::run("dpkg", &["--verify", "jms"]) {
        Some(said) => said,
        None => match system::run("rpm", &["--verify", "--nomtime", "jms"]) {
            Some(said) => said,
            None => return Vec::new(),
        },
    };
    said.out
        .lines()
        .filter_map(changed_file)
        .map(str::to_owned)
        .collect()
}

/// `??5??????   /path`, `missing     /path`; a letter between is an attribute (`c`: configuration).
fn changed_file(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    let result = words.next()?;
    let path = words.find(|word| word.starts_with('/'))?;
    let differs = result == "missing" || result.as_bytes().get(2) == Some(&b'5');
    let matters =
        FOLDERS.iter().any(|folder| path.starts_with(folder)) && !path.contains("/share/");
    (differs && matters && !line.contains(" c /")).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::changed_file;

    #[test]
    fn only_programs_and_modules_count() {
        assert_eq!(
            changed_file("??5??????   /usr/bin/jmsctl"),
            Some("/usr/bin/jmsctl")
        );
        assert_eq!(
            changed_file("missing     /usr/lib/x86_64-linux-gnu/libnss_jms.so.2"),
            Some("/usr/lib/x86_64-linux-gnu/libnss_jms.so.2")
        );
        assert_eq!(
            changed_file("S.5....T.    /usr/libexec/jms/force-command"),
            Some("/usr/libexec/jms/force-command")
        );
        assert_eq!(changed_file("??5?????? c /etc/jms/jms.toml"), None);
        assert_eq!(
            changed_file("missing     /usr/share/doc/jms/README.md"),
            None
        );
        assert_eq!(changed_file(".......T.    /usr/bin/jmsctl"), None);
    }
}
