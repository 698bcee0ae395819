//! The layer over a base root that clients and assets of a lab have: the clients that must work, and what they want to find.
//!
//! Not on the bastion, which is to have what a bastion has. Built once per base root and list of packages
//! (`tests/client-packages`), then kept in the cache.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};
use sha2::{Digest, Sha256};

use crate::apt_sources::AptSources;
use crate::base_root::{LOG, last_lines, names_in, root_of};
use crate::cache::{Cache, Entry};
use crate::invocation::Invocation;
use crate::release::Release;
use crate::say;

const PACKAGES: &str = include_str!("../client-packages");
const RECIPE: &str = include_str!("client_root.sh");

/// The layer over `base`, which is a base root of `release`: from the cache, or built now, which takes less than a minute.
///
/// # Errors
/// When it cannot be built; the build's own words are part of the error.
pub fn client_root(release: Release, base: &Entry) -> Result<Entry> {
    let cache = Cache::of_this_machine()?;
    let prefix = format!("clients-on-debian-{}-", release.number());
    let name = format!("{prefix}{}", digest(base));
    let entry = cache.entry(&name, |folder| build(release, base, folder))?;
    cache.prune(&prefix, 4)?;
    Ok(entry)
}

fn digest(base: &Entry) -> String {
    let mut hash = Sha256::new();
    hash.update(
        base.path()
            .file_name()
            .unwrap_or_default()
            .as_encoded_bytes(),
    );
    hash.update(PACKAGES);
    hash.update(RECIPE);
    hash.finalize()
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn build(release: Release, base: &Entry, folder: &Path) -> Result<()> {
    let sources = AptSources::of_this_machine(release)?;
    say(format!(
        "adding clients to the base root of {release}, once; this takes less than a minute"
    ));
    let log = folder.join(LOG);
    let outcome = Invocation::new("unshare")
        .args(["--mount", "--pid", "--fork", "--kill-child"])
        .args(["--propagation", "private", "--", "bash", "-c"])
        .args([RECIPE, "client_root.sh"])
        .arg(root_of(base))
        .arg(folder)
        .variable("LOG", &log)
        .variable("SOURCES", sources.lines.join("\n"))
        .variable("APT_CONF", &sources.settings)
        .variable("PACKAGES", names_in(PACKAGES).collect::<Vec<_>>().join(" "))
        .within(Duration::from_secs(1800))
        .run();
    if !outcome.succeeded() {
        bail!(
            "cannot add clients to the base root of {release} ({}):\n{}",
            outcome.end,
            last_lines(&log)
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_list_of_clients_is_one_name_and_perhaps_a_reason() {
        for package in names_in(PACKAGES) {
            assert!(
                package
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-.+".contains(&byte)),
                "{package:?}"
            );
        }
        assert!(names_in(PACKAGES).any(|package| package == "putty-tools"));
    }
}
