//! One login whose connection several sessions share (`ControlMaster`), and the store held while they ask.

use std::time::Duration;

use crate::host::Host;
use crate::invocation::Running;
use crate::lab::Lab;
use crate::outcome::eventually;

const SOON: Duration = Duration::from_secs(60);
/// How long logins and sessions may last.
const LONG: Duration = Duration::from_secs(400);

/// A login of alice.
#[derive(Debug)]
pub struct SharedLogin {
    folder: tempfile::TempDir,
    target: String,
    _master: Running,
}

impl SharedLogin {
    /// Opens one to `target`, a login name with its bastion.
    ///
    /// # Panics
    /// When there is none within a minute.
    #[must_use]
    #[track_caller]
    pub fn open(lab: &Lab, target: &str) -> Self {
        let Ok(folder) = tempfile::tempdir() else {
            panic!("no folder")
        };
        let control = format!("ControlPath={}/mux", folder.path().display());
        let master = lab
            .client()
            .command("ssh", ["-M", "-N", "-o", &control, target])
            .within(LONG)
            .spawn();
        eventually("the login is open", SOON, || {
            folder.path().join("mux").exists()
        });
        Self {
            folder,
            target: target.to_owned(),
            _master: master,
        }
    }

    /// A session over it that runs `command`. It never opens a connection of its own.
    #[must_use]
    #[track_caller]
    pub fn session(&self, lab: &Lab, command: &str) -> Running {
        let control = format!("ControlPath={}/mux", self.folder.path().display());
        let words = [
            "-o",
            &control,
            "-o",
            "ProxyCommand=false",
            &self.target,
            command,
        ];
        lab.client().command("ssh", words).within(LONG).spawn()
    }
}

/// Takes the one place for writers of the bastion's store, until the input of what is returned is closed. SQLite's lock of WAL
/// writers is byte 120 of the shared-memory file (walformat.html, "WAL_WRITE_LOCK"), which is there while the store is open.
///
/// # Panics
/// When nobody has the store open.
#[must_use]
#[track_caller]
pub fn hold_the_store(bastion: &Host) -> Running {
    let script = "import fcntl, sys; file = open('/var/lib/jms/jms.db-shm', 'r+b'); fcntl.lockf(file, fcntl.LOCK_EX, 1, 120); print('held', flush=True); sys.stdin.read()";
    let mut holder = bastion.command(["python3", "-c", script]).spawn();
    eventually("the store is held", SOON, || {
        assert!(holder.is_running(), "{}", holder.stderr_so_far());
        holder.stdout_so_far() == "held\n"
    });
    holder
}

/// How many sessions stand at the door or behind it: their control sockets are there before the store is asked.
#[must_use]
#[track_caller]
pub fn control_sockets(bastion: &Host) -> usize {
    bastion.run("ls /run/jms/sessions").text().lines().count()
}
