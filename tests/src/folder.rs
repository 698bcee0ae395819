//! The lab's folder: what a person or a script outside the hosts uses.
//!
//! ```text
//!   env                      addresses, roots and process ids, for `. target/lab/env`
//!   on HOST COMMAND…         a command as root in a host
//!   ssh scp sftp rsync git   clients in the client's network, as alice, or as whoever LAB_AS names
//!   people/NAME/             a person's key pair and ssh_config
//!   known_hosts              the bastion's host keys
//! ```

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::unistd::{AccessFlags, access};

use crate::host;
use crate::invocation::Invocation;
use crate::network::Segment;

/// The person whose key a client uses when nobody is named.
pub const ALICE: &str = "alice";
/// The programs that connect to the bastion from outside.
const CLIENTS: [&str; 5] = ["ssh", "scp", "sftp", "rsync", "git"];

/// A lab's folder.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Makes the folder if it is not there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make(path: &Path) -> Result<Self> {
        fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self {
            path: path.canonicalize()?,
        })
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The private key file of a person, made when it is asked for the first time.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn key_of(&self, person: &str) -> Result<PathBuf> {
        let key = self.path.join("people").join(person).join("key");
        if !key.exists() {
            self.make_place_of(person)?;
            let generate = Invocation::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-C", person, "-f"]);
            generate.arg(&key).run().success()?;
        }
        Ok(key)
    }

    /// Gives a person the key pair in the folder `from`, in place of a new one.
    ///
    /// # Errors
    /// When it cannot be copied.
    pub(crate) fn take_key(&self, person: &str, from: &Path) -> Result<()> {
        let own = self.make_place_of(person)?;
        for name in ["key", "key.pub"] {
            fs::copy(from.join(name), own.join(name))?;
        }
        Ok(())
    }

    /// Who has a key here.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub(crate) fn people(&self) -> Result<Vec<String>> {
        let entries = fs::read_dir(self.path.join("people"))?;
        entries
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect()
    }

    fn make_place_of(&self, person: &str) -> Result<PathBuf> {
        let own = self.path.join("people").join(person);
        fs::create_dir_all(&own)?;
        let config = self.ssh_config(&own.join("key"), person);
        fs::write(own.join("ssh_config"), config)?;
        Ok(own)
    }

    /// The public key of a person, one line.
    ///
    /// # Errors
    /// When it cannot be made or read.
    pub fn public_key_of(&self, person: &str) -> Result<String> {
        let key = self.key_of(person)?;
        Ok(fs::read_to_string(key.with_extension("pub"))?
            .trim_end()
            .to_owned())
    }

    /// A client tries again where nobody listens: an sshd that reloads its settings does not for a moment.
    fn ssh_config(&self, key: &Path, person: &str) -> String {
        let known_hosts = self.path.join("known_hosts");
        format!(
            "# ssh as {person}, in place of the machine's own settings\n\
             Host bastion\n    HostName {bastion}\n    HostKeyAlias bastion\n    User {person}\n\
             Host *\n    IdentityFile \"{key}\"\n    IdentitiesOnly yes\n    IdentityAgent none\n\
             \x20   UserKnownHostsFile \"{known_hosts}\"\n    GlobalKnownHostsFile none\n    StrictHostKeyChecking yes\n\
             \x20   ConnectTimeout 20\n    ConnectionAttempts 3\n    SendEnv LANG LC_*\n",
            bastion = Segment::Outside.address(crate::lab::BASTION),
            key = key.display(),
            known_hosts = known_hosts.display(),
        )
    }

    /// Writes the host keys that clients know, as lines of known_hosts(5).
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write_known_hosts(&self, lines: &str) -> Result<()> {
        Ok(fs::write(self.path.join("known_hosts"), lines)?)
    }

    /// Writes `env`: one `NAME=VALUE` a line; the values need no quotes in a shell.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write_env(&self, variables: &[(String, String)]) -> Result<()> {
        let lines: String = variables
            .iter()
            .map(|(name, value)| format!("{name}={value}\n"))
            .collect();
        Ok(fs::write(self.path.join("env"), lines)?)
    }

    /// Writes the programs: `on` and the clients.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(crate) fn write_programs(&self, client_pid: u32) -> Result<()> {
        let programs = self.programs();
        fs::create_dir_all(&programs)?;
        for client in CLIENTS {
            self.write_program(
                &format!("bin/{client}"),
                &self.client_program(client, client_pid)?,
            )?;
            let link = self.path.join(client);
            let _ = fs::remove_file(&link);
            std::os::unix::fs::symlink(format!("bin/{client}"), link)?;
        }
        let words = host::enter("$pid")
            .iter()
            .map(|word| format!("\"{word}\""))
            .collect::<Vec<_>>()
            .join(" ");
        let on = format!(
            "#!/bin/sh\n# Runs a command as root in a host of the lab: on HOST COMMAND ARGUMENT…\n\
             [ $# -ge 1 ] || {{ echo 'usage: on HOST COMMAND ARGUMENT…' >&2; exit 2; }}\n\
             variable=$(printf %s \"$1\" | tr 'a-z.-' 'A-Z__')_PID\n\
             pid=$(sed -n \"s/^$variable=//p\" \"{env}\")\n\
             [ -n \"$pid\" ] || {{ echo \"on: the lab has no host $1\" >&2; exit 2; }}\n\
             [ -e \"/proc/$pid/root\" ] || {{ echo 'on: the lab is not running' >&2; exit 2; }}\n\
             shift\n[ $# -gt 0 ] || set -- bash -l\n\
             exec nsenter {words} TERM=\"${{TERM:-dumb}}\" \"$@\"\n",
            env = self.path.join("env").display(),
        );
        self.write_program("on", &on)
    }

    /// The folder to put first in `PATH`, so that plain `ssh` and the others are the lab's.
    #[must_use]
    pub fn programs(&self) -> PathBuf {
        self.path.join("bin")
    }

    fn client_program(&self, client: &str, client_pid: u32) -> Result<String> {
        let folder = self.path.display();
        let real = find_program(client)?;
        let real = real.display();
        let enter = format!("nsenter --target {client_pid} --net --");
        let config = format!("\"{folder}/people/${{LAB_AS:-{ALICE}}}/ssh_config\"");
        let run = match client {
            "rsync" => format!("exec \"{real}\" -e \"'{folder}/bin/ssh'\" \"$@\""),
            "git" => {
                format!("GIT_SSH=\"{folder}/bin/ssh\" GIT_SSH_VARIANT=ssh exec \"{real}\" \"$@\"")
            }
            _ => format!("exec {enter} \"{real}\" -F {config} \"$@\""),
        };
        Ok(format!(
            "#!/bin/sh\n# {client} from the lab's client network\n{run}\n"
        ))
    }

    fn write_program(&self, name: &str, text: &str) -> Result<()> {
        let path = self.path.join(name);
        fs::write(&path, text)?;
        Ok(fs::set_permissions(
            &path,
            fs::Permissions::from_mode(0o755),
        )?)
    }
}

/// A program of this machine by its name, wherever `PATH` has it.
fn find_program(name: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_else(|| host::PATH.into());
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file() && access(file, AccessFlags::X_OK).is_ok());
    found.with_context(|| format!("this machine has no {name}: run tests/prepare-machine"))
}
