//! The root file system under every host of a lab: Debian's minimal base and the packages of `tests/base-packages`.
//!
//! Built once per release and package list with debootstrap and this machine's own package sources, then kept in the cache
//! and never written again: hosts lay their changes over it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::apt_sources::AptSources;
use crate::cache::{Cache, Entry};
use crate::invocation::Invocation;
use crate::release::Release;
use crate::say;

const PACKAGES: &str = include_str!("../base-packages");
const RECIPE: &str = include_str!("base_root.sh");
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// Debootstrap's recipes by codename; those of Debian 12 and 13 are both the one of "sid".
const DEBOOTSTRAP_SCRIPT: &str = "/usr/share/debootstrap/scripts/sid";
/// The file with a build's own words, beside the root.
pub(crate) const LOG: &str = "build.log";

/// The base root of `release`: from the cache, or built now, which takes about two minutes.
///
/// # Errors
/// When it cannot be built; the build's own words are part of the error.
pub fn base_root(release: Release) -> Result<Entry> {
    let cache = Cache::of_this_machine()?;
    let entry = cache.entry(&name(release), |folder| build(release, folder))?;
    cache.prune(&format!("debian-{}-", release.number()), 4)?;
    Ok(entry)
}

/// The folder of a base root inside its cache entry.
#[must_use]
pub fn root_of(entry: &Entry) -> PathBuf {
    entry.path().join("root")
}

fn name(release: Release) -> String {
    let mut hash = Sha256::new();
    hash.update(PACKAGES);
    hash.update(RECIPE);
    let digest: String = hash
        .finalize()
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("debian-{}-{digest}", release.number())
}

/// The names in a list of packages: one a line, behind `#` the reason.
pub(crate) fn names_in(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.lines()
        .filter_map(|line| line.split('#').next())
        .map(str::trim)
        .filter(|name| !name.is_empty())
}

fn build(release: Release, folder: &Path) -> Result<()> {
    for needed in [KEYRING, DEBOOTSTRAP_SCRIPT] {
        if !Path::new(needed).exists() {
            bail!(
                "{needed} is missing: tests/prepare-machine installs debootstrap and what else the lab needs"
            );
        }
    }
    let sources = AptSources::of_this_machine(release)?;
    say(format!(
        "building the base root of {release}, once; this takes about two minutes"
    ));
    let root = folder.join("root");
    let log = folder.join(LOG);
    let outcome = Invocation::new("unshare")
        .args([
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--propagation",
            "private",
            "--",
            "bash",
            "-c",
        ])
        .args([RECIPE, "base_root.sh"])
        .arg(&root)
        .args([
            release.codename(),
            &sources.archive,
            KEYRING,
            DEBOOTSTRAP_SCRIPT,
        ])
        .variable("LOG", &log)
        .variable("SOURCES", sources.lines.join("\n"))
        .variable("APT_CONF", &sources.settings)
        .variable("PACKAGES", names_in(PACKAGES).collect::<Vec<_>>().join(" "))
        .within(Duration::from_secs(1800))
        .run();
    if !outcome.succeeded() {
        bail!(
            "cannot build the base root of {release} ({}):\n{}",
            outcome.end,
            last_lines(&log)
        );
    }
    std::fs::metadata(root.join("usr/sbin/sshd")).context("the new base root has no sshd")?;
    Ok(())
}

/// The end of a build's log.
pub(crate) fn last_lines(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines = text.lines().collect::<Vec<_>>();
    lines
        .get(lines.len().saturating_sub(20)..)
        .unwrap_or_default()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_package_list_is_one_name_and_perhaps_a_reason() {
        for package in names_in(PACKAGES) {
            assert!(
                package
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-.+".contains(&byte)),
                "{package:?}"
            );
        }
        assert!(names_in(PACKAGES).any(|package| package == "openssh-server"));
    }
}
