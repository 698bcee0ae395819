//! What of the package runs or is loaded: plain files that are root's alone. What is in them, `programs` compares;
//! what `files` has rules for, it judges.
#![forbid(unsafe_code)]

use super::finding::Findings;
use super::{files, mend, system, table};
use jms::paths::FORCE_COMMAND;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Documentation may be left out of an installation, and nothing runs it.
const FOLDERS: [&str; 5] = [
    "/usr/bin/",
    "/usr/sbin/",
    "/usr/lib",
    "/lib",
    "/usr/share/pam-configs/",
];

/// One file of the package.
#[derive(Debug)]
struct Seen {
    path: String,
    is_file: bool,
    owner: u32,
    mode: u32,
}

/// What stands at each path of the package's list. What is missing is judged elsewhere.
#[derive(Debug)]
pub struct Installed(Vec<Seen>);

impl Installed {
    /// Looks, and opens nothing.
    pub fn gather() -> Self {
        let said = system::run("dpkg", &["--listfiles", "jms"])
            .or_else(|| system::run("rpm", &["--query", "--list", "jms"]));
        let list = said.map(|said| said.out).unwrap_or_default();
        let seen = list
            .lines()
            .filter(|path| FOLDERS.iter().any(|folder| path.starts_with(folder)))
            .filter_map(|path| {
                let metadata = Path::new(path).symlink_metadata().ok()?;
                (!metadata.is_dir() || is_module(path)).then(|| Seen {
                    path: path.to_owned(),
                    is_file: metadata.is_file(),
                    owner: metadata.uid(),
                    mode: metadata.mode() & 0o7777,
                })
            });
        Self(seen.collect())
    }

    /// Judges it.
    pub fn judge(&self, findings: &mut Findings) {
        for seen in &self.0 {
            let path = mend::quoted(&seen.path);
            if !seen.is_file {
                findings.add(
                    table::FILES_TYPE,
                    format!("{} is no plain file", seen.path),
                    format!("rm -rf -- {path} && {}", mend::reinstall()),
                );
                continue;
            }
            if seen.path == FORCE_COMMAND || files::has_rule(&seen.path) {
                continue;
            }
            if seen.owner != 0 {
                findings.add(
                    table::FILES_OWNER,
                    format!(
                        "{} belongs to uid {} and not to root",
                        seen.path, seen.owner
                    ),
                    format!("chown root:root {path} && chmod u=rwX,go=rX {path}"),
                );
            } else if seen.mode & 0o022 != 0 || seen.mode & 0o444 != 0o444 {
                findings.add(
                    table::FILES_MODE,
                    format!("{} has mode {:04o}: everybody must be able to read it, and root alone to write", seen.path, seen.mode),
                    format!("chmod u=rwX,go=rX {path}"),
                );
            }
        }
    }
}

fn is_module(path: &str) -> bool {
    path.ends_with("/libnss_jms.so.2") || path.ends_with("/pam_jms.so")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(path: &str, is_file: bool, owner: u32, mode: u32) -> Installed {
        Installed(vec![Seen {
            path: path.to_owned(),
            is_file,
            owner,
            mode,
        }])
    }

    fn ids(installed: &Installed) -> Vec<&'static str> {
        let mut findings = Findings::default();
        installed.judge(&mut findings);
        findings
            .into_sorted()
            .iter()
            .map(|finding| finding.id)
            .collect()
    }

    #[test]
    fn a_module_that_others_may_write_or_that_is_no_file_is_found() {
        let module = "/usr/lib/x86_64-linux-gnu/security/pam_jms.so";
        assert!(ids(&seen(module, true, 0, 0o644)).is_empty());
        assert_eq!(ids(&seen(module, true, 0, 0o666)), ["files.mode"]);
        assert_eq!(ids(&seen(module, true, 0, 0)), ["files.mode"]);
        assert_eq!(ids(&seen(module, true, 1000, 0o644)), ["files.owner"]);
        assert_eq!(ids(&seen(module, false, 0, 0o644)), ["files.type"]);
    }
}
