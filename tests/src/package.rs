//! Our package, installed on a base root as a sysadmin installs it, and kept as a layer so that every lab has it at once.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::base_root::root_of;
use crate::boot::MAKE_HOST_KEYS;
use crate::cache::{Cache, Entry};
use crate::host::Host;
use crate::host_init::Plan;
use crate::invocation::Invocation;
use crate::release::Release;
use crate::say;

/// The package file: what the environment variable `JMS_DEB` names, or the newest `debian/jms_*.deb` of the target folder,
/// where `make package` leaves it.
///
/// # Errors
/// When there is none.
pub fn file() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("JMS_DEB").filter(|path| !path.is_empty()) {
        return Ok(path.into());
    }
    newest("debian", ".deb", "make package")
}

/// The package for Red Hat's systems: the newest `rpm/jms-*.rpm` of the target folder, where `make rpm` leaves it.
///
/// # Errors
/// When there is none.
pub fn rpm_file() -> Result<PathBuf> {
    newest("rpm", ".rpm", "make rpm")
}

/// The newest package in this folder of the target folder.
fn newest(folder: &str, ending: &str, made_by: &str) -> Result<PathBuf> {
    let folder = target_folder()?.join(folder);
    let mut found = Vec::new();
    for file in fs::read_dir(&folder).into_iter().flatten() {
        let path = file?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("jms") && name.ends_with(ending) {
            found.push((fs::metadata(&path)?.modified()?, path));
        }
    }
    match found.into_iter().max() {
        Some((_, path)) => Ok(path),
        None => bail!(
            "there is no package in {}: run {made_by} first",
            folder.display()
        ),
    }
}

/// The package of version 0.1.0, whose store has schema 1: what there is to upgrade from.
#[must_use]
pub fn first_version() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/jms_0.1.0_amd64.deb")
}

/// The bytes of the same package with nothing in it compressed. For tests that install it many times: unpacking `xz` is most
/// of the work of an installation, and none of ours.
///
/// # Panics
/// When it cannot be read or made.
#[must_use]
#[track_caller]
pub fn uncompressed(package: &Path) -> Vec<u8> {
    let bytes = fs::read(package).expect("the package");
    let digest = short_digest(&[&bytes]);
    let cache = Cache::of_this_machine().expect("the cache");
    let prefix = "uncompressed-";
    let entry = cache.entry(&format!("{prefix}{digest}"), |folder| {
        // deb(5): an ar archive of a version and two archives, in this order; they may be compressed or not.
        let script = "set -e; cd \"$1\"; ar x \"$2\"; unxz *.xz; ar rc jms.deb debian-binary control.tar data.tar; rm *.tar";
        let made = Invocation::new("bash").args(["-c", script, "uncompressed"]);
        made.arg(folder).arg(package).run().success()?;
        Ok(())
    });
    let entry = entry.expect("a package that is not compressed");
    cache.prune(prefix, 4).expect("old ones removed");
    fs::read(entry.path().join("jms.deb")).expect("the package")
}

/// A name for what has this content.
pub(crate) fn short_digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    let digest = hash.finalize();
    digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Cargo's target folder: the one that this program was built into.
fn target_folder() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    // target/debug/lab, target/debug/deps/hosts-0123456789abcdef, target/debug/examples/interrupt_in_a_flood
    let profile = own.parent().map(|folder| {
        if folder.ends_with("deps") || folder.ends_with("examples") {
            folder.parent().unwrap_or(folder)
        } else {
            folder
        }
    });
    let target = profile.and_then(Path::parent);
    target
        .map(Path::to_owned)
        .with_context(|| format!("{} lies in no target folder", own.display()))
}

/// The layer over `base` that has `package` installed.
///
/// # Errors
/// When there is no such file, or apt-get cannot install it; its own words are part of the error.
pub fn installed(package: &Path, release: Release, base: &Entry) -> Result<Entry> {
    let bytes = fs::read(package)
        .with_context(|| format!("cannot read the package {}", package.display()))?;
    let base_name = base.path().file_name().unwrap_or_default();
    let digest = short_digest(&[base_name.as_encoded_bytes(), &bytes]);
    let prefix = format!("jms-on-debian-{}-", release.number());
    let cache = Cache::of_this_machine()?;
    let entry = cache.entry(&format!("{prefix}{digest}"), |folder| {
        say(format!(
            "installing {} on {release}",
            package.file_name().unwrap_or_default().display()
        ));
        install(base, &bytes, folder)
    })?;
    cache.prune(&prefix, 4)?;
    Ok(entry)
}

/// Everything that installing changes on `host`, line by line: two bastions in the same state show the same text. Whatever is
/// made at random or by other programs for themselves is left out.
///
/// # Panics
/// When it cannot be listed.
#[must_use]
#[track_caller]
pub fn state(host: &Host) -> String {
    host.run(
        r"cd / && export LC_ALL=C
        find etc usr/libexec/jms usr/share/jms usr/lib/*/security usr/lib/*/libnss_* var/lib/jms var/lib/pam* run/jms*             \( -regex 'etc/\(passwd\|group\|shadow\|gshadow\|subuid\|subgid\|ld.so.cache\|mtab\)[-+.a-z]*'                -o -regex 'var/lib/jms/jms.db.*' -o -name '*.pam-old' -o -path 'etc/.pwd.lock' -o -path 'run/jms-keys/*' \) -prune             -o -printf '%p %y %M %u %g
' | sort
        find etc/pam.d var/lib/pam* etc/ssh/sshd_config.d etc/nsswitch.conf etc/jms usr/libexec/jms -type f             ! -name secret.key ! -name '*.pam-old' ! -name seen | sort | xargs sha256sum
        dpkg-statoverride --list | grep jms
        dpkg --verify jms
        dpkg-query --show --showformat '${db:Status-Abbrev}${Version}
' jms
        getent passwd jms jms-keys | cut -d: -f1,6-
        getent group jms jms-keys jms-users jms-mfa | cut -d: -f1,4",
    )
    .text()
}

/// `found` is the [`state`] that was expected.
///
/// # Panics
/// When it is not, with the lines that differ.
#[track_caller]
pub fn expect_state(found: &str, expected: &str, when: &str) {
    let only = |one: &str, other: &str| -> String {
        one.lines()
            .filter(|line| !other.lines().any(|it| it == *line))
            .map(|line| format!("\n  {line}"))
            .collect()
    };
    let (more, less) = (only(found, expected), only(expected, found));
    assert!(
        found == expected,
        "{when}: another state\nonly there:{more}\nmissing:{less}"
    );
}

fn install(base: &Entry, package: &[u8], folder: &Path) -> Result<()> {
    let mount_point = Cache::of_this_machine()?.mount_point()?;
    let upper = folder.join("root");
    let plan = Plan {
        name: "bastion".to_owned(),
        mount_point,
        upper: Some(upper),
        begin: None,
        lower: vec![root_of(base)],
    };
    let host = Host::start(&plan)?;
    // A machine with an sshd has host keys, and the package has sshd's configuration checked.
    host.run(format!("set -eu\n{MAKE_HOST_KEYS}")).success()?;
    host.write("/root/jms.deb", package);
    let install = "DEBIAN_FRONTEND=noninteractive apt-get install --yes /root/jms.deb";
    host.command(["bash", "-c", install])
        .within(Duration::from_secs(300))
        .run()
        .success()
        .context("cannot install the package")?;
    host.run("set -eu; rm /root/jms.deb /etc/ssh/ssh_host_*; rm -f /var/log/apt/* /etc/hostname")
        .success()?;
    host.stop();
    fs::remove_dir_all(folder.join("root.work"))?;
    Ok(())
}
