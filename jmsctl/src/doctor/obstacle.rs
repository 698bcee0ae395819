//! What stands in the way of every look-up of a name: then no program of the host may be asked anything, nor may doctor
//! look up the service user. Looks at paths alone and opens nothing.
#![forbid(unsafe_code)]

use super::finding::{Finding, Findings};
use super::{mend, nsswitch, pam, system, table};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

/// What the C library reads before it answers for any name.
const DATABASES: [&str; 3] = ["/etc/nsswitch.conf", "/etc/passwd", "/etc/group"];
/// What Debian's C library brings as a pattern.
const PATTERN: &str = "/usr/share/libc-bin/nsswitch.conf";
/// For where there is none.
const LINES: &str = r"passwd: files jms\ngroup: files\nshadow: files\nhosts: files dns\n";

/// What is found where something stands in the way; nothing else can be judged then.
pub fn obstacle() -> Option<Vec<Finding>> {
    let mut findings = Findings::default();
    for path in DATABASES.map(Path::new) {
        if never_ends(path) {
            findings.add(
                table::NSSWITCH_HANGS,
                format!(
                    "{} is no file but a FIFO or a device: whoever looks up a name waits for ever",
                    path.display()
                ),
                put_back(path),
            );
        }
    }
    for path in modules().iter().filter(|path| never_ends(path)) {
        let shown = mend::path(path);
        findings.add(
            table::FILES_TYPE,
            format!(
                "{} is no plain file: whoever loads it waits for ever",
                path.display()
            ),
            format!("rm -f -- {shown} && {}", mend::reinstall()),
        );
    }
    let found = findings.into_sorted();
    (!found.is_empty()).then_some(found)
}

fn put_back(path: &Path) -> String {
    let shown = mend::path(path);
    if path == Path::new(DATABASES[0]) {
        let lines = if system::exists(PATTERN) {
            format!("sed '/^passwd:/s/$/ jms/' {PATTERN}")
        } else {
            format!("printf '{LINES}'")
        };
        return format!("rm -f {shown} && {lines} > {shown} && chmod 0644 {shown}");
    }
    let question = format!("Copy of {shown} to put back (the host keeps one as {shown}-):");
    // No look-up of a name here: install(1) makes none without an owner.
    format!(
        "{} && [ -f \"$copy\" ] && install -T -m 0644 -- \"$copy\" {shown}.new && mv -fT {shown}.new {shown}",
        mend::ask(&question, "copy")
    )
}

/// The two plug-ins, wherever their loaders look.
fn modules() -> Vec<PathBuf> {
    let name_service = nsswitch::module_folders();
    let names = name_service
        .iter()
        .map(|folder| folder.join(nsswitch::MODULE));
    let pam = pam::module_folders();
    names
        .chain(pam.iter().map(|folder| folder.join(pam::MODULE)))
        .collect()
}

/// Whether opening or reading what stands there may take for ever; links are followed as the C library does.
fn never_ends(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| {
        let kind = metadata.file_type();
        kind.is_fifo() || (kind.is_char_device() && !is_null(path))
    })
}

fn is_null(path: &Path) -> bool {
    path.canonicalize()
        .is_ok_and(|path| path == Path::new("/dev/null"))
}

#[cfg(test)]
mod tests {
    use super::never_ends;

    #[test]
    fn fifos_and_endless_devices_stand_in_the_way_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&fifo, &link).unwrap();
        assert!(never_ends(&fifo) && never_ends(&link));
        assert!(never_ends("/dev/zero".as_ref()));
        for other in ["/dev/null", "/etc/passwd", "/etc", "/no/such/file"] {
            assert!(!never_ends(other.as_ref()), "{other}");
        }
    }
}
