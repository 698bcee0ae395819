//! Where this machine gets its Debian packages, so that a base root can be built from the same place.
//!
//! Read from apt itself: whatever archive, mirror or snapshot the machine uses, in whatever file format, the lab uses too,
//! and no address of an archive stands in the tree.

use anyhow::{Context, Result, bail};

use crate::invocation::Invocation;
use crate::release::Release;

/// The machine's package sources, turned towards one release.
#[derive(Debug)]
pub struct AptSources {
    /// The archive of the release itself, for debootstrap.
    pub archive: String,
    /// One-line sources: the release, its updates, its security updates, as far as the machine has them.
    pub lines: Vec<String>,
    /// The machine's `Acquire` settings (a proxy, a frozen archive), in apt.conf's syntax.
    pub settings: String,
}

impl AptSources {
    /// Reads them.
    ///
    /// # Errors
    /// When the machine is no Debian, or apt has no package lists yet.
    pub fn of_this_machine(release: Release) -> Result<Self> {
        let own = own_codename()?;
        let format = "$(REPO_URI)|$(CODENAME)|$(COMPONENT)|$(ORIGIN)";
        let targets = Invocation::new("apt-get").args([
            "indextargets",
            "--format",
            format,
            "Created-By: Packages",
        ]);
        let targets = targets
            .run()
            .success()
            .context("cannot read this machine's package sources")?;
        let settings = Invocation::new("apt-config")
            .args(["dump", "Acquire"])
            .run()
            .success()?;
        Self::from_targets(&targets.text(), &own, release, &settings.text())
    }

    fn from_targets(targets: &str, own: &str, release: Release, settings: &str) -> Result<Self> {
        let mut archive = None;
        let mut lines = Vec::new();
        for target in targets.lines() {
            let [uri, codename, component, origin] = target.split('|').collect::<Vec<_>>()[..]
            else {
                continue;
            };
            // Only Debian's own: bookworm, bookworm-updates, bookworm-security.
            let pocket = codename
                .strip_prefix(own)
                .filter(|rest| rest.is_empty() || rest.starts_with('-'));
            let (Some(pocket), "Debian", "main") = (pocket, origin, component) else {
                continue;
            };
            if pocket.is_empty() && archive.is_none() {
                archive = Some(uri.to_owned());
            }
            let line = format!("deb {uri} {}{pocket} {component}", release.codename());
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        let Some(archive) = archive else {
            bail!(
                "apt knows no archive of Debian {own} on this machine; run apt-get update, then try again"
            );
        };
        let settings = settings
            .lines()
            .filter(|line| !line.contains("IndexTargets"))
            .collect::<Vec<_>>()
            .join("\n");
        Ok(Self {
            archive,
            lines,
            settings,
        })
    }
}

/// The codename of the Debian that this machine runs.
fn own_codename() -> Result<String> {
    let text = std::fs::read_to_string("/etc/os-release")
        .context("cannot tell which system this machine runs")?;
    let value = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name))
            .map(|value| value.trim_matches('"'))
    };
    match (value("ID="), value("VERSION_CODENAME=")) {
        (Some("debian"), Some(codename)) => Ok(codename.to_owned()),
        _ => bail!(
            "the lab builds its hosts with this machine's package sources, and this machine runs no Debian release"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGETS: &str = "http://archive.example/debian/|bookworm|main|Debian\n\
        http://archive.example/debian/|bookworm|contrib|Debian\n\
        http://archive.example/debian/|bookworm-updates|main|Debian\n\
        http://archive.example/debian-security/|bookworm-security|main|Debian\n\
        http://other.example/|bookworm|main|Somebody\n\
        http://archive.example/debian/|bookwormish|main|Debian\n";

    #[test]
    fn the_machines_sources_are_turned_towards_the_release() -> Result<()> {
        let sources = AptSources::from_targets(
            TARGETS,
            "bookworm",
            Release::Debian13,
            "A \"1\";\nA::IndexTargets \"\";",
        )?;
        assert_eq!(sources.archive, "http://archive.example/debian/");
        assert_eq!(
            sources.lines,
            [
                "deb http://archive.example/debian/ trixie main",
                "deb http://archive.example/debian/ trixie-updates main",
                "deb http://archive.example/debian-security/ trixie-security main",
            ]
        );
        assert_eq!(sources.settings, "A \"1\";");
        Ok(())
    }

    #[test]
    fn a_machine_without_package_lists_is_told_what_to_do() {
        let error = AptSources::from_targets("", "bookworm", Release::Debian12, "").unwrap_err();
        assert!(error.to_string().contains("apt-get update"), "{error}");
    }
}
