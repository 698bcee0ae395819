//! Mounted file systems: where a path lies, and with which options.
#![forbid(unsafe_code)]

use super::system;
use std::path::{Path, PathBuf};

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Where.
    pub point: PathBuf,
    /// Its own options and those of the file system.
    pub options: Vec<String>,
}

impl Mount {
    /// Whether it has this option.
    pub fn has(&self, option: &str) -> bool {
        self.options.iter().any(|one| one == option)
    }
}

/// All mounts, the newest last.
#[derive(Debug, Default)]
pub struct Mounts(Vec<Mount>);

impl Mounts {
    /// Reads the kernel's list.
    pub fn gather() -> Self {
        Self::parse(&system::read("/proc/self/mountinfo").unwrap_or_default())
    }

    /// proc(5), mountinfo: ID PARENT DEVICE ROOT POINT OPTIONS … - TYPE SOURCE SUPER-OPTIONS.
    fn parse(text: &str) -> Self {
        let mount = |line: &str| {
            let (own, of_file_system) = line.split_once(" - ")?;
            let own: Vec<&str> = own.split(' ').collect();
            let options = own
                .get(5)?
                .split(',')
                .chain(of_file_system.split(' ').nth(2)?.split(','));
            Some(Mount {
                point: PathBuf::from(own.get(4)?.replace("\\040", " ")),
                options: options.map(str::to_owned).collect(),
            })
        };
        Self(text.lines().filter_map(mount).collect())
    }

    /// The mount that a path lies on.
    pub fn of(&self, path: &Path) -> Option<&Mount> {
        let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let depth = |mount: &&Mount| mount.point.components().count();
        // Of two mounts at one place the newer covers the older.
        self.0
            .iter()
            .filter(|mount| real.starts_with(&mount.point))
            .max_by_key(depth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_and_newest_mount_counts() {
        let mounts = Mounts::parse(
            "22 1 0:1 / / rw,relatime - ext4 /dev/vda rw\n\
             23 22 0:2 / /nonexistent rw,nosuid shared:1 - tmpfs none rw,size=1m\n\
             24 22 0:3 / /nonexistent ro - tmpfs none ro\n",
        );
        let mount = mounts.of(Path::new("/nonexistent/a/b")).unwrap();
        assert!(mount.has("ro") && !mount.has("nosuid"));
        assert!(mounts.of(Path::new("/nowhere")).unwrap().has("relatime"));
    }
}
