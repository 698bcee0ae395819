//! A process that holds namespaces, and lives exactly as long as somebody wants it.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How long a process may take to end after it was let go.
const PATIENCE: Duration = Duration::from_secs(10);

/// A process of the `lab` binary that ends, with all that its namespaces hold, when this value or its process goes away: its
/// standard input is a pipe whose other end lies here.
#[derive(Debug)]
pub struct Held {
    what: String,
    process: Child,
    lifeline: Option<ChildStdin>,
    pid: u32,
}

impl Held {
    /// Starts `lab ROLE ARGUMENTS…`, which prints the id of the process whose namespaces count once all is ready.
    pub(crate) fn start(what: &str, role: &str, arguments: &[OsString]) -> Result<Self> {
        let mut process = Command::new(lab_binary()?)
            .arg(role)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // A Ctrl-C at the terminal is for the command in the foreground, not for the hosts.
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start the process of {what}"))?;
        let lifeline = process.stdin.take();
        let stdout = process.stdout.take().context("no pipe")?;
        let mut held = Self {
            what: what.to_owned(),
            process,
            lifeline,
            pid: 0,
        };
        let mut said = String::new();
        BufReader::new(stdout).read_line(&mut said)?;
        match said.trim().parse() {
            Ok(pid) => held.pid = pid,
            Err(_) => bail!("{what} did not start; the reason is above"),
        }
        Ok(held)
    }

    /// The process, on this machine, whose namespaces count.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Tells it to end.
    pub(crate) fn let_go(&mut self) {
        self.lifeline = None;
    }

    /// Tells it to end and waits until all of it is gone.
    pub(crate) fn release(&mut self) {
        self.let_go();
        let until = Instant::now() + PATIENCE;
        while matches!(self.process.try_wait(), Ok(None)) {
            if Instant::now() > until {
                crate::say(format!("{} does not end by itself; killed", self.what));
                let _ = self.process.kill();
                let _ = self.process.wait();
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.release();
    }
}

/// The `lab` binary: this program itself, or for a test the one that cargo built beside it.
fn lab_binary() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    if own.file_name().is_some_and(|name| name == "lab") {
        return Ok(own);
    }
    // target/debug/deps/hosts-0123456789abcdef beside target/debug/lab
    let beside = own
        .parent()
        .and_then(|deps| deps.parent())
        .map(|profile| profile.join("lab"));
    match beside {
        Some(lab) if lab.is_file() => Ok(lab),
        _ => bail!(
            "there is no lab binary beside {}: run the tests with cargo test -p tests",
            own.display()
        ),
    }
}
