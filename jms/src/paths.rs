//! Where things lie (DESIGN, “Where things lie”). Programs use [`Paths::system`]; tests use [`Paths::under`].
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

/// The service user: owns the store, runs the helper, is the set-uid user of the session program.
pub const SERVICE_USER: &str = "jms";
/// Login shell and ForceCommand of every virtual user.
pub const FORCE_COMMAND: &str = "/usr/libexec/jms/force-command";
/// What an administrator or auditor reaches by `ssh admin@bastion jmsctl …`.
pub const JMSCTL: &str = "/usr/bin/jmsctl";
/// Home of every virtual user.
pub const HOME: &str = "/usr/share/jms/home";

/// The folders of one bastion.
#[derive(Debug, Clone)]
pub struct Paths {
    etc: PathBuf,
    state: PathBuf,
    run: PathBuf,
    programs: PathBuf,
}

impl Paths {
    /// `/etc/jms`, `/var/lib/jms`, `/run/jms`: what every program uses.
    #[must_use]
    pub fn system() -> Self {
        Self {
            etc: "/etc/jms".into(),
            state: "/var/lib/jms".into(),
            run: "/run/jms".into(),
            programs: "/usr/libexec/jms".into(),
        }
    }

    /// The same folders below `root`, for tests.
    #[must_use]
    pub fn under(root: &Path) -> Self {
        Self {
            etc: root.join("etc"),
            state: root.join("state"),
            run: root.join("run"),
            programs: root.join("programs"),
        }
    }

    /// Makes the folders (tests, `jmsctl init`); the package makes them on a real host.
    ///
    /// # Errors
    /// What `mkdir` says.
    pub fn create(&self) -> std::io::Result<()> {
        for folder in [
            &self.etc,
            &self.state,
            &self.run,
            &self.public(),
            &self.recordings(),
            &self.sessions(),
            &self.egress(),
            &self.warm(),
        ] {
            std::fs::create_dir_all(folder)?;
        }
        Ok(())
    }

    /// The programs that sshd and PAM start.
    #[must_use]
    pub fn programs(&self) -> &Path {
        &self.programs
    }
    /// Settings, `jms.toml`.
    #[must_use]
    pub fn settings(&self) -> PathBuf {
        self.etc.join("jms.toml")
    }
    /// The key that encrypts stored secrets.
    #[must_use]
    pub fn secret_key(&self) -> PathBuf {
        self.etc.join("secret.key")
    }
    /// Root's file with the uids and gids of virtual users.
    #[must_use]
    pub fn uid_range(&self) -> PathBuf {
        self.etc.join("uid-range")
    }
    /// The highest uid ever given; only grows.
    #[must_use]
    pub fn uid_high_water(&self) -> PathBuf {
        self.etc.join("uid-high-water")
    }
    /// The folder of the store.
    #[must_use]
    pub fn state(&self) -> &Path {
        &self.state
    }
    /// The store.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.state.join("jms.db")
    }
    /// The folder of the snapshots.
    #[must_use]
    pub fn public(&self) -> PathBuf {
        self.state.join("public")
    }
    /// Snapshot of names, read by `nss_jms`.
    #[must_use]
    pub fn users_snapshot(&self) -> PathBuf {
        self.public().join("users.snap")
    }
    /// Snapshot of login keys, read by `authorized-keys-command`.
    #[must_use]
    pub fn keys_snapshot(&self) -> PathBuf {
        self.public().join("keys.snap")
    }
    /// Recordings, by day.
    #[must_use]
    pub fn recordings(&self) -> PathBuf {
        self.state.join("recordings")
    }
    /// Control sockets of live sessions.
    #[must_use]
    pub fn sessions(&self) -> PathBuf {
        self.run.join("sessions")
    }
    /// A file that is locked while an answer of this kind is hashed.
    #[must_use]
    pub fn check(&self, proof: &str, number: u32) -> PathBuf {
        self.run.join(format!("check-{proof}-{number}"))
    }
    /// One folder for each live connection to an asset.
    #[must_use]
    pub fn egress(&self) -> PathBuf {
        self.run.join("egress")
    }
    /// One folder for each connection that is kept for the next session.
    #[must_use]
    pub fn warm(&self) -> PathBuf {
        self.run.join("warm")
    }
}
