//! `jmsctl system-user …` as it is typed.
#![forbid(unsafe_code)]

use super::flags::{Change, Ls, Name, Names};
use super::values::{Clearable, shell_or_none, text_or_none, yes_no};
use crate::input::FileArgument;
use clap::{Args, Subcommand, ValueEnum};

/// Verbs of `system-user`.
#[derive(Debug, Subcommand)]
pub enum SystemUser {
    /// Add an account on assets
    #[command(after_help = "Examples:
  jmsctl system-user add dev --generate ed25519
  jmsctl system-user add dba --login postgres --key dba_key --comment 'databases'
  jmsctl system-user add router --login admin --password -
  jmsctl system-user add myself --dynamic --credential ask

The public half, for the account's authorized_keys on the assets:
  jmsctl system-user show dev --json | jq -r .public_key")]
    Add(Add),
    /// Change an account on assets, or give it another key
    #[command(after_help = "Examples:
  jmsctl system-user set dba --login postgres
  jmsctl system-user set dev --generate ed25519
  jmsctl system-user set dev --asset db1,db2 --login developer --shell /bin/sh
  jmsctl system-user set dev --rm-asset db1
  jmsctl system-user set dev --shell-hooks yes
  jmsctl system-user set dev --asset db1 --shell-hooks no

With --asset, name, shell, hooks and key are for these assets only; the others stay as they are.")]
    Set(Set),
    /// Remove accounts with their secrets and direct grants; what was done with them stays in the evidence
    #[command(after_help = "Example:\n  jmsctl system-user rm dev")]
    Rm(Names),
    /// List accounts on assets
    #[command(after_help = "Examples:\n  jmsctl system-user ls\n  jmsctl system-user ls --json")]
    Ls(Ls),
    /// Show an account on assets with its public key
    #[command(after_help = "Example:\n  jmsctl system-user show dev --json")]
    Show(Name),
}

/// What proves an account to an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Credential {
    /// A stored key.
    Key,
    /// A stored password.
    Password,
    /// What the user types at his terminal; nothing is stored.
    Ask,
}

/// Types of keys that are made here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Generate {
    /// Ed25519.
    Ed25519,
}

/// Attributes of an account on assets.
#[derive(Debug, Clone, Default, Args)]
pub struct Attributes {
    /// The account's name on the assets, where it is another one; none takes it away
    #[arg(long, value_name = "NAME", value_parser = text_or_none)]
    pub login: Option<Clearable<String>>,
    /// Its login shell, for when it is made on an asset; none: as `defaults show` says, which is usual
    #[arg(long, value_name = "PATH", value_parser = shell_or_none)]
    pub shell: Option<Clearable<String>>,
    /// It is root or may become root there, and pushes the others; --privileged=no takes it away
    #[arg(long, value_name = "yes|no", value_parser = yes_no, num_args = 0..=1, require_equals = true, default_missing_value = "yes")]
    pub privileged: Option<bool>,
    /// Its name on the assets is the user's own; --dynamic=no takes it away
    #[arg(long, value_name = "yes|no", value_parser = yes_no, num_args = 0..=1, require_equals = true, default_missing_value = "yes")]
    pub dynamic: Option<bool>,
    /// Its shells (bash, zsh, fish) announce each command before it runs and wait for the answer, so that log and filters are
    /// exact there; not for restricted shells, menus or git-shell; see docs/capture.md
    #[arg(long, value_name = "yes|no", value_parser = yes_no)]
    pub shell_hooks: Option<bool>,
    /// What proves it to an asset: a stored key, a stored password, or what the user types at his terminal; what is
    /// given with --key, --generate or --password says so itself
    #[arg(
        long,
        value_name = "key|password|ask",
        value_enum,
        hide_possible_values = true
    )]
    pub credential: Option<Credential>,
    /// Store this private key (OpenSSH format): a file, or - for standard input; its passphrase is asked for
    #[arg(long, value_name = "FILE|-", conflicts_with = "generate")]
    pub key: Option<FileArgument>,
    /// Store this password: the first line of a file or of standard input (-); at a terminal, - asks for it
    #[arg(long, value_name = "FILE|-", conflicts_with_all = ["key", "generate"])]
    pub password: Option<FileArgument>,
    /// Make a new key; only its public half is ever shown
    #[arg(long, value_name = "ed25519", value_enum, hide_possible_values = true)]
    pub generate: Option<Generate>,
}

impl Attributes {
    /// The file with the secret, if there is one.
    pub fn file(&self) -> Option<&FileArgument> {
        self.key.as_ref().or(self.password.as_ref())
    }
}

/// `system-user add`
#[derive(Debug, Args)]
pub struct Add {
    /// A letter or _, then letters, digits, _ . -
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Attributes.
    #[command(flatten)]
    pub attributes: Attributes,
    /// Flags of the change.
    #[command(flatten)]
    pub change: Change,
}

/// `system-user set`
#[derive(Debug, Args)]
pub struct Set {
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: String,
    /// For these assets only (names or globs): their login, shell, hooks, and key or password; none: as everywhere
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', conflicts_with_all = ["privileged", "dynamic", "credential"])]
    pub asset: Vec<String>,
    /// On these assets as everywhere again, key and password too
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub rm_asset: Vec<String>,
    /// Attributes.
    #[command(flatten)]
    pub attributes: Attributes,
    /// Flags of the change.
    #[command(flatten)]
    pub change: Change,
}
