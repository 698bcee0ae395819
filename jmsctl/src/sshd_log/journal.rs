//! The journal, through `journalctl` with fixed arguments: its file format is its own business.
#![forbid(unsafe_code)]

use super::Within;
use super::lines::each_line;
use crate::failure::{Done, Failure};
use jms::sshd_log::{Line, journal};
use std::io::{BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const PROGRAM: &str = "/usr/bin/journalctl";
/// Where journald keeps its files: for ever, and until the next start.
const FOLDERS: [&str; 2] = ["/var/log/journal", "/run/log/journal"];
/// The most that is read of its complaints, in bytes.
const COMPLAINTS: u64 = 16 * 1024;

/// A running `journalctl`.
pub struct Journal {
    child: Child,
}

/// How it went.
pub enum Outcome {
    /// All was read.
    Read,
    /// We may not read it, or only what is our own.
    Denied,
    /// Something else; the sentence that says it.
    Failed(String),
}

impl Journal {
    /// Starts it, with the rights that we have now. `None` where no journal is kept.
    pub fn open(within: Within) -> Done<Option<Self>> {
        if !Path::new(PROGRAM).exists() || !FOLDERS.iter().any(|folder| is_kept(Path::new(folder)))
        {
            return Ok(None);
        }
        let mut command = Command::new(PROGRAM);
        command.args(["--no-pager", "--output=json", "--output-fields=MESSAGE"]);
        for (option, time) in [("since", within.since), ("until", within.until)] {
            if let Some(time) = time {
                // Whole seconds, one more at the end; what is too early or late is sorted out line by line.
                let seconds = time.0.div_euclid(1000) + i64::from(option == "until");
                command.arg(format!("--{option}=@{seconds}"));
            }
        }
        // Root's own process wrote it: any account may write what looks like sshd's.
        command.args([
            "_UID=0",
            "SYSLOG_IDENTIFIER=sshd",
            "SYSLOG_IDENTIFIER=sshd-session",
        ]);
        let child = command
            .env_clear()
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let child = child.map_err(|error| Failure::io("run", PROGRAM, error))?;
        Ok(Some(Self { child }))
    }

    /// Reads all entries.
    pub fn read(mut self, take: &mut impl FnMut(Line)) -> Done<Outcome> {
        let failed = |error: std::io::Error| Failure::io("read", "the journal", error);
        if let Some(stdout) = self.child.stdout.take() {
            each_line(BufReader::new(stdout), |line| take(journal(line))).map_err(failed)?;
        }
        let mut complaints = String::new();
        if let Some(stderr) = self.child.stderr.take() {
            // What is not text says nothing.
            let _ = stderr.take(COMPLAINTS).read_to_string(&mut complaints);
        }
        let status = self.child.wait().map_err(failed)?;
        if complaints.contains("insufficient permissions")
            || complaints.contains("not seeing messages from other users")
        {
            return Ok(Outcome::Denied);
        }
        if status.success() {
            return Ok(Outcome::Read);
        }
        let first = complaints.lines().next().unwrap_or("it did not say why");
        Ok(Outcome::Failed(format!(
            "the journal could not be read: {first}"
        )))
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether journal files lie below: in a folder that is called by the machine's id.
fn is_kept(folder: &Path) -> bool {
    let entries = |path: &Path| std::fs::read_dir(path).into_iter().flatten().flatten();
    entries(folder).any(|machine| {
        entries(&machine.path())
            .any(|file| file.path().extension().is_some_and(|end| end == "journal"))
    })
}
