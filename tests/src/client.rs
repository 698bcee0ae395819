//! A person with an ordinary OpenSSH client, on the outside of the bastion.

use std::ffi::OsStr;
use std::path::PathBuf;

use anyhow::Result;

use crate::folder::Folder;
use crate::invocation::Invocation;
use crate::outcome::Outcome;
use crate::terminal::Terminal;

/// A person at a client: this machine's own `ssh`, `scp`, `sftp`, `rsync` and `git`, in the client's network, with that
/// person's key and the bastion's host keys known. Files are this machine's.
#[derive(Debug, Clone)]
pub struct Client {
    folder: Folder,
    person: String,
}

impl Client {
    pub(crate) fn new(folder: &Folder, person: &str) -> Result<Self> {
        folder.key_of(person)?;
        Ok(Self {
            folder: folder.clone(),
            person: person.to_owned(),
        })
    }

    /// `ssh` with these arguments, run to its end without a terminal.
    #[must_use]
    #[track_caller]
    pub fn ssh<Word: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = Word>) -> Outcome {
        self.command("ssh", arguments).run()
    }

    /// `ssh` with these arguments on a terminal.
    #[must_use]
    #[track_caller]
    pub fn ssh_on_terminal<Word: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = Word>,
    ) -> Terminal {
        self.command("ssh", arguments).on_terminal()
    }

    /// One of the client programs, not yet started: `ssh`, `scp`, `sftp`, `rsync` or `git`.
    #[must_use]
    pub fn command<Word: AsRef<OsStr>>(
        &self,
        program: &str,
        arguments: impl IntoIterator<Item = Word>,
    ) -> Invocation {
        Invocation::new(self.folder.programs().join(program))
            .variable("LAB_AS", &self.person)
            .variable("SSH_ASKPASS_REQUIRE", "never")
            .args(arguments)
    }

    /// The file with this person's private key.
    #[must_use]
    pub fn key(&self) -> PathBuf {
        self.folder
            .path()
            .join("people")
            .join(&self.person)
            .join("key")
    }

    /// This person's public key, one line.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn public_key(&self) -> Result<String> {
        self.folder.public_key_of(&self.person)
    }
}
