//! How doctor looks at the host: files that may be anything, programs that may hang.
//!
//! Trusts no file: nothing waits for a FIFO's writer, nothing is read without a bound.
#![forbid(unsafe_code)]

use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// The most that is read of one file, in bytes: a passwd file with a hundred thousand users is shorter.
const LONGEST: u64 = 16 * 1024 * 1024;
/// How long a program may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The text of a regular file; `None` when it is missing, something else, or cannot be read.
pub fn read(path: impl AsRef<Path>) -> Option<String> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC | libc::O_NOCTTY);
    let file = options.open(path).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The names in a folder that end so, in the order of their bytes.
pub fn names_in(folder: impl AsRef<Path>, suffix: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.ends_with(suffix) && !name.starts_with('.')
        })
        .collect();
    found.sort();
    found
}

/// What a program said.
#[derive(Debug, Clone)]
pub struct Said {
    /// Exit status 0.
    pub succeeded: bool,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub error: String,
}

/// Runs a program of the host; `None` when it cannot be started. One that takes too long is killed, with all
/// that it started, and has not succeeded.
pub fn run(program: &str, arguments: &[&str]) -> Option<Said> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("LC_ALL", "C")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let child = command.spawn().ok()?;
    let group = nix::unistd::Pid::from_raw(i32::try_from(child.id()).ok()?);
    let (done, ended) = mpsc::channel::<()>();
    let watcher = std::thread::spawn(move || {
        if ended.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
            let _ = nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL);
        }
    });
    let output = child.wait_with_output();
    drop(done);
    // Ids and capabilities are given up later, and that is done for one thread only.
    let _ = watcher.join();
    let output = output.ok()?;
    Some(Said {
        succeeded: output.status.success(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        error: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// The uids that the name service gives for these names. Another process asks: a broken module ends or stops that one.
pub fn uids_of(names: &[&str]) -> Vec<(String, u32)> {
    if names.is_empty() {
        return Vec::new();
    }
    let arguments: Vec<&str> = ["passwd"]
        .into_iter()
        .chain(names.iter().copied())
        .collect();
    let said = run("getent", &arguments).map(|said| said.out);
    let entry = |line: &str| {
        let mut fields = line.split(':');
        Some((fields.next()?.to_owned(), fields.nth(1)?.parse().ok()?))
    };
    said.unwrap_or_default().lines().filter_map(entry).collect()
}

/// Whether there is something at this path, a dangling link included.
pub fn exists(path: impl AsRef<Path>) -> bool {
    path.as_ref().symlink_metadata().is_ok()
}

/// Whether systemd runs this host.
pub fn has_systemd() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_is_not_read_and_nothing_waits() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(read(&fifo), None);
        assert_eq!(read(folder.path()), None);
        std::fs::write(folder.path().join("b.conf"), "x").unwrap();
        std::fs::write(folder.path().join("a.conf"), b"a\xff").unwrap();
        std::fs::write(folder.path().join(".c.conf"), "x").unwrap();
        let names = names_in(folder.path(), ".conf");
        assert_eq!(
            names,
            [folder.path().join("a.conf"), folder.path().join("b.conf")]
        );
        assert_eq!(read(&names[0]).unwrap(), "a\u{fffd}");
    }

    #[test]
    fn names_are_looked_up_elsewhere() {
        let found = uids_of(&["root", "no-such-user-here"]);
        assert_eq!(found, [("root".to_owned(), 0)]);
        assert!(uids_of(&[]).is_empty());
    }

    #[test]
    fn a_program_is_heard_on_both_sides() {
        let said = run("/bin/sh", &["-c", "echo out; echo err >&2; exit 3"]).unwrap();
        assert_eq!(
            (said.out.as_str(), said.error.as_str(), said.succeeded),
            ("out\n", "err\n", false)
        );
        assert!(run("/nonexistent", &[]).is_none());
    }
}
