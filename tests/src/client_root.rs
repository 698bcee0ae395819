//! The layers over a base root: what clients and assets of a lab have, what the corpus's asset has, what the benchmark's
//! plain bastion has, and the cache of names that it asks.
//!
//! Not on the bastion, which is to have what a bastion has. Built once per base root and list of packages
//! (`tests/client-packages`, `tests/corpus-packages`, `tests/bench-packages` and `-12`, `tests/sssd-packages`), then kept in the cache.

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

const CLIENTS: &str = include_str!("../client-packages");
const CORPUS: &str = include_str!("../corpus-packages");
const BENCH: &str = include_str!("../bench-packages");
/// Debian 13 has no tlog.
const BENCH_12: &str = concat!(
    include_str!("../bench-packages"),
    include_str!("../bench-packages-12")
);
const SSSD: &str = include_str!("../sssd-packages");
const RECIPE: &str = include_str!("client_root.sh");

/// The clients that must work and what they want to find, over `base`, which is a base root of `release`: from the cache, or
/// built now, which takes less than a minute.
///
/// # Errors
/// When it cannot be built; the build's own words are part of the error.
pub fn client_root(release: Release, base: &Entry) -> Result<Entry> {
    layer(release, base, "clients", CLIENTS)
}

/// The shells and programs of the command corpus, in the same way.
///
/// # Errors
/// When it cannot be built; the build's own words are part of the error.
pub fn corpus_root(release: Release, base: &Entry) -> Result<Entry> {
    layer(release, base, "corpus", CORPUS)
}

/// What the benchmark measures ours against, in the same way.
///
/// # Errors
/// When it cannot be built; the build's own words are part of the error.
pub fn bench_root(release: Release, base: &Entry) -> Result<Entry> {
    let packages = match release {
        Release::Debian12 => BENCH_12,
        Release::Debian13 => BENCH,
    };
    layer(release, base, "bench", packages)
}

/// The cache of names that the benchmark asks beside our module, in the same way.
///
/// # Errors
/// When it cannot be built; the build's own words are part of the error.
pub fn sssd_root(release: Release, base: &Entry) -> Result<Entry> {
    layer(release, base, "sssd", SSSD)
}

fn layer(release: Release, base: &Entry, what: &str, packages: &'static str) -> Result<Entry> {
    let cache = Cache::of_this_machine()?;
    let prefix = format!("{what}-on-debian-{}-", release.number());
    let name = format!("{prefix}{}", digest(base, packages));
    let entry = cache.entry(&name, |folder| build(release, base, what, packages, folder))?;
    cache.prune(&prefix, 4)?;
    Ok(entry)
}

fn digest(base: &Entry, packages: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(
        base.path()
            .file_name()
            .unwrap_or_default()
            .as_encoded_bytes(),
    );
    hash.update(packages);
    hash.update(RECIPE);
    hash.finalize()
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn build(
    release: Release,
    base: &Entry,
    what: &str,
    packages: &'static str,
    folder: &Path,
) -> Result<()> {
    let sources = AptSources::of_this_machine(release)?;
    say(format!(
        "adding {what} to the base root of {release}, once; this takes about a minute"
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
        .variable("PACKAGES", names_in(packages).collect::<Vec<_>>().join(" "))
        .within(Duration::from_secs(1800))
        .run();
    if !outcome.succeeded() {
        bail!(
            "cannot add {what} to the base root of {release} ({}):\n{}",
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
    fn every_line_of_the_lists_is_one_name_and_perhaps_a_reason() {
        for package in names_in(CLIENTS)
            .chain(names_in(CORPUS))
            .chain(names_in(BENCH_12))
            .chain(names_in(SSSD))
        {
            assert!(
                package
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-.+".contains(&byte)),
                "{package:?}"
            );
        }
        assert!(names_in(CLIENTS).any(|package| package == "putty-tools"));
        assert!(names_in(CORPUS).any(|package| package == "mksh"));
    }
}
