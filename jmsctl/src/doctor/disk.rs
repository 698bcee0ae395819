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
        let choose = format!(
            "{} && rm -r -- \"$file\"",
            mend::ask("File or folder to remove:", "file")
        );
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
                format!("du -xah \"{mount}\" 2> /dev/null | sort -h | tail -n 25 && {choose}"),
            );
        }
        if let Some(files) = self.files.filter(|files| *files < FEWEST_FILES) {
            findings.add(
                table::DISK_INODES,
                format!("only {files} files can still be made in {folder}"),
                format!(
                    "du -x --inodes \"{mount}\" 2> /dev/null | sort -n | tail -n 25 && {choose}"
                ),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
