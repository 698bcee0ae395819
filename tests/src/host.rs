//! One throw-away machine: its files, its commands, its processes.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat2};
use nix::sys::stat::Mode;

use crate::host_init::Plan;
use crate::invocation::Invocation;
use crate::lifeline::Held;
use crate::outcome::Outcome;

/// The search path of commands in a host.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A running host. It is gone, with all its processes, mounts and changes, when this value goes away.
#[derive(Debug)]
pub struct Host {
    name: String,
    first_process: Held,
}

impl Host {
    /// Starts a host with nothing running in it.
    pub(crate) fn start(plan: &Plan) -> Result<Self> {
        let first_process = Held::start(
            &format!("the host {}", plan.name),
            "host-init",
            &plan.arguments(),
        )?;
        Ok(Self {
            name: plan.name.clone(),
            first_process,
        })
    }

    /// Its host name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id, on this machine, of its first process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.first_process.pid()
    }

    /// Its root folder as this machine sees it. Absolute symbolic links below it lead astray: [`Host::read`] and
    /// [`Host::write`] follow them inside the host.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root", self.pid()))
    }

    /// A command line for bash, run as root in `/` with a clean environment.
    #[must_use]
    #[track_caller]
    pub fn run(&self, script: impl AsRef<str>) -> Outcome {
        self.command(["bash", "-c", script.as_ref()]).run()
    }

    /// A program with its arguments, as root in `/` with a clean environment; not yet started.
    #[must_use]
    pub fn command<'word>(&self, words: impl IntoIterator<Item = &'word str>) -> Invocation {
        Invocation::new("nsenter")
            .args(enter(&self.pid().to_string()))
            .into_host(&self.name)
            .args(words)
    }

    /// Makes sshd read its configuration again, and waits until it listens again.
    ///
    /// # Panics
    /// When its log does not say so within a few seconds.
    #[track_caller]
    pub fn reload_sshd(&self) {
        let script = r"
            listens() { grep -c 'Server listening on 0.0.0.0' /var/log/auth.log; }
            before=$(listens)
            kill -HUP $(cat /run/sshd.pid)
            for try in $(seq 500); do
                [ $(listens) -gt $before ] && exit 0
                sleep 0.01
            done
            exit 1";
        self.run(script).expect_status(0);
    }

    /// The same as a local user of the host, in that user's home and without a terminal.
    #[must_use]
    pub fn command_as<'word>(
        &self,
        user: &str,
        words: impl IntoIterator<Item = &'word str>,
    ) -> Invocation {
        self.command(["runuser", "--user", user, "--"]).args(words)
    }

    /// Writes a file, owned by root, mode 0644 if it is new; its folder must exist.
    ///
    /// # Panics
    /// When that fails.
    #[track_caller]
    pub fn write(&self, path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
        let path = path.as_ref();
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_TRUNC;
        let written = self
            .open(path, flags)
            .and_then(|mut file| Ok(file.write_all(bytes.as_ref())?));
        if let Err(error) = written {
            panic!(
                "cannot write {} in {}: {error:#}",
                path.display(),
                self.name
            );
        }
    }

    /// Reads a file.
    ///
    /// # Panics
    /// When that fails.
    #[must_use]
    #[track_caller]
    pub fn read(&self, path: impl AsRef<Path>) -> Vec<u8> {
        let path = path.as_ref();
        match self.try_read(path) {
            Ok(bytes) => bytes,
            Err(error) => panic!("cannot read {} in {}: {error:#}", path.display(), self.name),
        }
    }

    /// Reads a file of text.
    ///
    /// # Panics
    /// When that fails.
    #[must_use]
    #[track_caller]
    pub fn read_text(&self, path: impl AsRef<Path>) -> String {
        String::from_utf8_lossy(&self.read(path)).into_owned()
    }

    /// Reads a file that may be missing.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn try_read(&self, path: impl AsRef<Path>) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open(path.as_ref(), OFlag::O_RDONLY)?
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Whether there is something at this path.
    #[must_use]
    pub fn has(&self, path: impl AsRef<Path>) -> bool {
        self.open(path.as_ref(), OFlag::O_PATH).is_ok()
    }

    /// Opens a path as the host's own processes would: links and `..` stay inside.
    fn open(&self, path: &Path, flags: OFlag) -> Result<File> {
        let root = open(
            &self.root(),
            OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC,
            Mode::empty(),
        )
        .with_context(|| format!("the host {} is gone", self.name))?;
        let mut how = OpenHow::new()
            .flags(flags | OFlag::O_CLOEXEC)
            .resolve(ResolveFlag::RESOLVE_IN_ROOT);
        if flags.contains(OFlag::O_CREAT) {
            how = how.mode(Mode::from_bits_truncate(0o644));
        }
        Ok(File::from(openat2(root.as_fd(), path, how)?))
    }

    /// Every process of the host but its first one.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub fn processes(&self) -> Result<Vec<Process>> {
        // Its own /proc, so that ids are the host's; the links' paths are, too, since its root is a mount of its own.
        let proc = self.root().join("proc");
        let entries =
            std::fs::read_dir(&proc).with_context(|| format!("the host {} is gone", self.name))?;
        let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        // One that ends meanwhile, or has ended and was not waited for, has no program.
        Ok(pids
            .filter(|pid| *pid != 1)
            .filter_map(|pid| Process::read(&proc, pid))
            .collect())
    }

    /// What the host's syslog has taken into `/var/log/auth.log`.
    #[must_use]
    pub fn auth_log(&self) -> String {
        self.try_read("/var/log/auth.log")
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// Ends the host now and waits until all of it is gone.
    pub fn stop(mut self) {
        self.first_process.release();
    }

    /// Tells the host to end, so that several can end side by side.
    pub(crate) fn let_go(&mut self) {
        self.first_process.let_go();
    }
}

/// A process of a host.
#[derive(Debug, Clone)]
pub struct Process {
    /// Its id in the host.
    pub pid: u32,
    /// The file that it runs.
    pub program: PathBuf,
    /// Its arguments, separated by blanks.
    pub command_line: String,
}

impl Process {
    fn read(proc: &Path, pid: u32) -> Option<Self> {
        let own = proc.join(pid.to_string());
        let program = std::fs::read_link(own.join("exe")).ok()?;
        let words = std::fs::read(own.join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&words).replace('\0', " ");
        Some(Self {
            pid,
            program,
            command_line: line.trim_end().to_owned(),
        })
    }
}

/// What stands between `nsenter` and a command that is to run as root in the host with this first process.
pub(crate) fn enter(pid: &str) -> Vec<String> {
    let path = format!("PATH={PATH}");
    let namespaces = [
        "--target", pid, "--mount", "--uts", "--ipc", "--net", "--pid", "--",
    ];
    let environment = [
        "/usr/bin/env",
        "-i",
        "HOME=/root",
        "USER=root",
        "LOGNAME=root",
        "LANG=C.UTF-8",
        &path,
    ];
    namespaces
        .iter()
        .chain(&environment)
        .map(ToString::to_string)
        .collect()
}
