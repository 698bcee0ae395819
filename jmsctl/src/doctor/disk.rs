//! Room for recordings: without it, no session begins.
#![forbid(unsafe_code)]

use super::finding::Findings;
use super::{mend, table};
use jms::paths::Paths;
use jms::settings::Settings;
use nix::sys::statvfs::statvfs;

/// With less than so many times the smallest room for a session, it is time to act.
const FACTOR: u64 = 4;
/// So many files: sessions for some hours of a busy day.
const FEWEST_FILES: u64 = 2_000;

/// The room where recordings are kept.
#[derive(Debug, Clone, Copy)]
pub struct Disk {
    /// Free for the service user, in bytes.
    pub free: u64,
    /// Of so many bytes.
    pub size: u64,
    /// Files that can still be made; `None` where the file system knows no number.
    pub files: Option<u64>,
}

impl Disk {
    /// Asks the kernel; `None` without the folder.
    pub fn gather(paths: &Paths) -> Option<Self> {
        let room = statvfs(&paths.recordings()).ok()?;
        let has_inodes = room.files() > 0;
        Some(Self {
            free: room.blocks_available().saturating_mul(room.fragment_size()),
            size: room.blocks().saturating_mul(room.fragment_size()),
            files: has_inodes.then(|| room.files_available()),
        })
    }

    /// Judges it by the settings; those that hold where they are wrong are the defaults.
    pub fn judge(&self, paths: &Paths, settings: &Settings, findings: &mut Findings) {
        let least = settings
            .recording
            .minimum_free_mib
            .saturating_mul(1024 * 1024);
        let folder = mend::path(&paths.recordings());
        let mount = format!("$(df --output=target {folder} | tail -n 1)");
        let choose = choose(&folder);
        if self.free < least.saturating_mul(FACTOR) {
            let mib = self.free / (1024 * 1024);
            let sentence = if self.free < least {
                format!(
                    "{mib} MiB are free in {folder}, and no session begins with less than {}",
                    least / (1024 * 1024)
                )
            } else {
                format!(
                    "{mib} MiB are free in {folder}; with less than {} no session begins",
                    least / (1024 * 1024)
                )
            };
            findings.add(
                table::DISK_SPACE,
                sentence,
                format!("{} && {choose}", largest("ah", "h", &mount)),
            );
        }
        if let Some(files) = self.files.filter(|files| *files < FEWEST_FILES) {
            findings.add(
                table::DISK_INODES,
                format!("only {files} files can still be made in {folder}"),
                format!("{} && {choose}", largest(" --inodes", "n", &mount)),
            );
        }
    }
}

/// Lists what is largest below `$mount`, one name a line: anybody may have chosen these names, line ends and a terminal's
/// commands in them.
fn largest(count: &str, order: &str, mount: &str) -> String {
    format!(
        r#"du -x0{count} "{mount}" 2> /dev/null | sort -z{order} | tail -zn 25 | tr '\n\0' '?\n' | cat -v"#
    )
}

/// Asks what is to go, and leaves alone what the host and the bastion are made of, and recordings: their time is the
/// settings' to say, and `jmsctl recording prune` looks at it.
fn choose(recordings: &str) -> String {
    let kept = format!(
        "/|/etc|/etc/*|/var|/var/lib|/var/lib/jms|/var/lib/jms/[!r]*|{recordings}|{recordings}/[0-9]*"
    );
    format!(
        r#"{} && case $(realpath -m -- "$file") in {kept}) echo 'This stays: settings, or evidence (jmsctl recording prune)' >&2; false;; *) rm -r -- "$file";; esac"#,
        mend::ask("File or folder to remove:", "file")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(folder: &std::path::Path, command: &str) -> (bool, String) {
        let output = std::process::Command::new("sh")
            .args(["-c", command])
            .current_dir(folder)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (output.status.success(), text)
    }

    #[test]
    fn a_name_of_a_strangers_is_one_line_and_commands_no_terminal() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a\n99G\t/var/lib/jms/recordings", "b\u{1b}]0;title\u{7}"] {
            std::fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        for command in [largest("ah", "h", "."), largest(" --inodes", "n", ".")] {
            let (_, listed) = sh(folder.path(), &command);
            assert!(listed.contains("\t./a?99G\t/var"), "{listed}");
            assert!(!listed.contains("\n99G"), "{listed}");
            assert!(listed.contains("\t./b^[]0;title^G\n"), "{listed}");
            assert!(listed.ends_with("\t.\n"), "{listed}");
        }
    }

    #[test]
    fn settings_and_evidence_are_not_removed_by_whatever_name() {
        let folder = tempfile::tempdir().unwrap();
        let recordings = folder.path().canonicalize().unwrap().join("recordings");
        std::fs::create_dir_all(recordings.join("2026")).unwrap();
        std::fs::create_dir_all(recordings.join("filler")).unwrap();
        std::os::unix::fs::symlink(&recordings, folder.path().join("link")).unwrap();
        std::os::unix::fs::symlink("/etc", folder.path().join("etc")).unwrap();
        let ask = choose(&mend::path(&recordings)).replace("rm -r --", "echo removes");
        for (answer, goes) in [
            ("recordings/2026", false),
            ("link/2026", false),
            ("recordings", false),
            ("/etc", false),
            ("etc/no-such-file", false),
            ("/var/lib/jms/jms.db", false),
            ("/var/lib/../lib/jms/public", false),
            ("recordings/filler", true),
            ("/var/tmp/large", true),
        ] {
            let (done, said) = sh(folder.path(), &format!("echo {answer} | {{ {ask}; }}"));
            assert_eq!(
                (done, said.contains("removes")),
                (goes, goes),
                "{answer}: {said}"
            );
        }
    }

    #[test]
    fn little_room_and_few_files_are_found() {
        let paths = Paths::system();
        let settings = Settings::default();
        let found = |free: u64, files: Option<u64>| {
            let mut findings = Findings::default();
            Disk {
                free: free << 20,
                size: 1 << 40,
                files,
            }
            .judge(&paths, &settings, &mut findings);
            findings
                .into_sorted()
                .iter()
                .map(|finding| finding.id)
                .collect::<Vec<_>>()
        };
        assert_eq!(found(256, Some(2_000)), [""; 0]);
        assert_eq!(found(255, None), ["disk.space"]);
        assert_eq!(found(1 << 20, Some(1_999)), ["disk.inodes"]);
    }
}
