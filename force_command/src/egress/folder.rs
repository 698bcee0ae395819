//! What one connection needs on disk, in a folder of its own: known hosts and the client's log.

use super::arguments::HOST_KEY_ALIAS;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jms::id::Id;
use jms::nouns::HostKey;
use jms::paths::Paths;
use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// So much of the client's log is looked at, in bytes from its beginning and from its end.
const LOG_PART: u64 = 32 * 1024;

/// One connection's folder, `/run/jms/egress/<session>/<number>`; removed when it goes out of scope, and the
/// session's with the last one.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Makes the folder with the machine's host keys and an empty log in it. `number`: which connection of the
    /// session, from 0.
    ///
    /// The client runs as another user, whose primary group is ours too: that group may pass through
    /// the folder, read the known hosts and write, not read, the log. The virtual users are in
    /// it, and no other account of the host.
    ///
    /// # Errors
    /// What the file system says; nothing is left behind then.
    pub fn create(
        paths: &Paths,
        session: &Id,
        number: usize,
        host_keys: &[HostKey],
    ) -> io::Result<Self> {
        let of_session = paths.egress().join(session.as_str());
        let folder = Self {
            path: of_session.join(number.to_string()),
        };
        match make(&of_session) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number > 0 => {}
            other => other?,
        }
        make(&folder.path)?;
        folder.file(
            folder.known_hosts(),
            0o640,
            known_hosts(host_keys).as_bytes(),
        )?;
        folder.file(folder.log(), 0o620, b"")?;
        Ok(folder)
    }

    /// A folder that somebody else made.
    #[cfg(test)]
    pub(super) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    fn file(&self, path: PathBuf, mode: u32, text: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(text)?;
        file.set_permissions(Permissions::from_mode(mode))
    }

    /// `known_hosts` of this session.
    #[must_use]
    pub fn known_hosts(&self) -> PathBuf {
        self.path.join("known_hosts")
    }

    /// The client's own messages.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.path.join("log")
    }

    /// What the client wrote there so far: the beginning and the end, if it is long.
    #[must_use]
    pub fn read_log(&self) -> String {
        let read = || -> io::Result<Vec<u8>> {
            let mut file = OpenOptions::new()
                .read(true)
                .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC)
                .open(self.log())?;
            let mut bytes = Vec::new();
            (&mut file).take(LOG_PART).read_to_end(&mut bytes)?;
            let length = file.metadata()?.len();
            if length > LOG_PART {
                io::Seek::seek(
                    &mut file,
                    io::SeekFrom::Start(length.saturating_sub(LOG_PART).max(LOG_PART)),
                )?;
                file.take(LOG_PART).read_to_end(&mut bytes)?;
            }
            Ok(bytes)
        };
        String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed now is swept by the next session.
        let _ = std::fs::remove_dir_all(&self.path);
        if let Some(of_session) = self.path.parent() {
            // Not while another connection's folder is in it.
            let _ = std::fs::remove_dir(of_session);
        }
    }
}

fn make(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o710).create(path)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o710))
}

/// The file's text (sshd(8), “SSH_KNOWN_HOSTS FILE FORMAT”).
fn known_hosts(host_keys: &[HostKey]) -> String {
    host_keys
        .iter()
        .map(|key| {
            format!(
                "{HOST_KEY_ALIAS} {} {}\n",
                key.kind,
                STANDARD.encode(&key.blob)
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jms::nouns::HostKeyOrigin;
    use jms::time::Time;

    fn key() -> HostKey {
        HostKey {
            asset: "web1".into(),
            kind: "ssh-ed25519".into(),
            blob: b"abc".to_vec(),
            fingerprint: String::new(),
            origin: HostKeyOrigin::Added,
            created_at: Time(0),
        }
    }

    #[test]
    fn the_client_may_read_the_hosts_and_only_write_the_log() {
        let root = tempfile::tempdir().unwrap();
        let paths = Paths::under(root.path());
        paths.create().unwrap();
        let id = Id::random().unwrap();
        let folder = Folder::create(&paths, &id, 0, &[key()]).unwrap();
        let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(folder.path.clone()), 0o710);
        assert_eq!(mode(paths.egress().join(id.as_str())), 0o710);
        assert_eq!(
            (mode(folder.known_hosts()), mode(folder.log())),
            (0o640, 0o620)
        );
        assert_eq!(
            std::fs::read_to_string(folder.known_hosts()).unwrap(),
            "asset ssh-ed25519 YWJj\n"
        );
        assert!(
            Folder::create(&paths, &id, 0, &[key()]).is_err(),
            "an id is never used twice"
        );
    }

    #[test]
    fn a_long_log_gives_its_beginning_and_its_end_and_the_folder_goes() {
        let root = tempfile::tempdir().unwrap();
        let paths = Paths::under(root.path());
        paths.create().unwrap();
        let folder = Folder::create(&paths, &Id::random().unwrap(), 0, &[]).unwrap();
        assert_eq!(folder.read_log(), "");
        let middle = "x".repeat(200_000);
        std::fs::write(folder.log(), format!("first\n{middle}\nlast\n")).unwrap();
        let text = folder.read_log();
        assert!(text.starts_with("first\n") && text.ends_with("\nlast\n") && text.len() <= 65_536);
        let path = folder.path.parent().unwrap().to_owned();
        drop(folder);
        assert!(!path.exists());
    }
}
