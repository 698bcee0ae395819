//! `jmsctl asset …` and `jmsctl host-key …` as they are typed.
#![forbid(unsafe_code)]

use super::flags::{Change, Ls, Name, Names, Reasoned};
use super::values::{Clearable, count_or_none, text_or_none, yes_no};
use crate::input::FileArgument;
use clap::{Args, Subcommand};
use jms::nouns::{Algorithms, HostKeyPolicy};

/// Verbs of `asset`.
#[derive(Debug, Subcommand)]
pub enum Asset {
    /// Add an asset; with --scan its host keys too, or nothing at all
    #[command(after_help = "Examples:
  jmsctl asset add web1 --address 10.0.0.11 --scan
  jmsctl asset add db1 --address db1.example.org --port 2222 --limit-sessions 5

Behind a gateway, which is an asset too:
  jmsctl asset add gw1 --address 198.51.100.7 --gateway-system-user jump --scan
  jmsctl asset add db2 --address 10.1.0.12 --gateway gw1

An old device, which speaks what OpenSSH has switched off since:
  jmsctl asset add switch7 --address 10.2.0.7 --algorithms legacy --scan")]
    Add(Add),
    /// Change an asset
    #[command(after_help = "Examples:
  jmsctl asset set web1 --address 10.0.0.12
  jmsctl asset set web1 --active no
  jmsctl asset set web1 --site south --add-asset-group /prod/web")]
    Set(Set),
    /// Remove assets with their host keys and direct grants; what was done there stays in the evidence
    #[command(after_help = "Example:\n  jmsctl asset rm web1 --comment 'scrapped'")]
    Rm(Names),
    /// List assets
    #[command(after_help = "Examples:\n  jmsctl asset ls\n  jmsctl asset ls 'web*' --json")]
    Ls(Ls),
    /// Show an asset with its host keys
    #[command(after_help = "Example:\n  jmsctl asset show web1")]
    Show(Name),
}

/// Attributes of an asset.
#[derive(Debug, Clone, Default, Args)]
pub struct Attributes {
    /// Its TCP port (as `defaults show` says unless told otherwise)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// What kind of machine it is (linux unless told otherwise)
    #[arg(long, value_name = "NAME")]
    pub platform: Option<String>,
    /// What is spoken with it: ssh
    #[arg(long, value_name = "ssh", value_parser = protocol)]
    pub protocol: Option<String>,
    /// The system user that pushes the others there; none: the one of `defaults show`
    #[arg(long, value_name = "NAME", value_parser = text_or_none)]
    pub privileged_system_user: Option<Clearable<String>>,
    /// The data centre in which it stands; none takes it away
    #[arg(long, value_name = "NAME", value_parser = text_or_none)]
    pub site: Option<Clearable<String>>,
    /// Its places in the tree; none: only below /
    #[arg(long, value_name = "/PATH,…", value_delimiter = ',')]
    pub asset_group: Option<Vec<String>>,
    /// The asset through which it is reached, which may have a gateway itself; none: directly
    #[arg(long, value_name = "ASSET", value_parser = text_or_none)]
    pub gateway: Option<Clearable<String>>,
    /// As which system user others pass it, if it is their gateway; it needs no grant, and opens nothing there
    #[arg(long, value_name = "NAME", value_parser = text_or_none)]
    pub gateway_system_user: Option<Clearable<String>>,
    /// default: what the bastion's ssh offers; legacy: old algorithms for old devices, too (`ssh-rsa`, CBC ciphers, group 1 and 14)
    #[arg(long, value_name = "default|legacy", value_parser = algorithms)]
    pub algorithms: Option<Algorithms>,
    /// When no host key is stored: refuse (unless told otherwise), or pin the first one that is seen
    #[arg(long, value_name = "refuse|pin", value_parser = host_key_policy)]
    pub host_key_policy: Option<HostKeyPolicy>,
    /// At most so many sessions at once, fewer or more than the settings say; none: what they say
    #[arg(long, value_name = "N", value_parser = count_or_none)]
    pub limit_sessions: Option<Clearable<u32>>,
    /// no: nobody reaches it
    #[arg(long, value_name = "yes|no", value_parser = yes_no)]
    pub active: Option<bool>,
}

/// `asset add`
#[derive(Debug, Args)]
pub struct Add {
    /// A letter or digit, then letters, digits, . _ -
    #[arg(value_name = "NAME", required_unless_present = "csv")]
    pub name: Option<String>,
    /// Host name or IP address
    #[arg(long, value_name = "HOST", required_unless_present = "csv")]
    pub address: Option<String>,
    /// Assets from a table in CSV, as exported by JumpServer or written by hand; all lines or none
    #[arg(long, value_name = "FILE|-", conflicts_with_all = ["name", "address", "scan", "Attributes"])]
    pub csv: Option<FileArgument>,
    /// With --csv: add the lines that are right, and say which are not
    #[arg(long)]
    pub skip_bad: bool,
    /// Attributes.
    #[command(flatten)]
    pub attributes: Attributes,
    /// Ask it for its host keys, show them, and store them
    #[arg(long)]
    pub scan: bool,
    /// Flags of the change.
    #[command(flatten)]
    pub change: Change,
}

/// `asset set`
#[derive(Debug, Args)]
pub struct Set {
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Host name or IP address
    #[arg(long, value_name = "HOST")]
    pub address: Option<String>,
    /// Attributes.
    #[command(flatten)]
    pub attributes: Attributes,
    /// At these places of the tree too
    #[arg(long, value_name = "/PATH,…", value_delimiter = ',')]
    pub add_asset_group: Vec<String>,
    /// No longer at these places
    #[arg(long, value_name = "/PATH,…", value_delimiter = ',')]
    pub rm_asset_group: Vec<String>,
    /// Ask it for its host keys, show them, and store those that are new
    #[arg(long)]
    pub scan: bool,
    /// Flags of the change.
    #[command(flatten)]
    pub change: Change,
}

/// Verbs of `host-key`.
#[derive(Debug, Subcommand)]
pub enum HostKey {
    /// Ask an asset for its host keys, show them, and store those that are new
    #[command(
        after_help = "Compare the fingerprints with what `ssh-keygen -lf` says on the asset itself.

Examples:
  jmsctl host-key scan web1
  jmsctl host-key scan web1 --yes --json"
    )]
    Scan(Scan),
    /// Store a host key that you have from a safe place
    #[command(after_help = "Examples:
  jmsctl host-key add web1 ssh_host_ed25519_key.pub
  ssh admin@web1 cat /etc/ssh/ssh_host_ed25519_key.pub | jmsctl host-key add web1 -")]
    Add(HostKeyAdd),
    /// Remove a host key, for example after the asset was installed anew
    #[command(after_help = "Example:\n  jmsctl host-key rm web1 SHA256:f5d2ceb1")]
    Rm(HostKeyRm),
    /// List host keys
    #[command(after_help = "Examples:\n  jmsctl host-key ls\n  jmsctl host-key ls web1")]
    Ls(Ls),
}

/// `host-key scan`
#[derive(Debug, Args)]
pub struct Scan {
    /// Which asset
    #[arg(value_name = "ASSET")]
    pub asset: String,
    /// Flags of the change.
    #[command(flatten)]
    pub change: Reasoned,
}

/// `host-key add`
#[derive(Debug, Args)]
pub struct HostKeyAdd {
    /// Which asset
    #[arg(value_name = "ASSET")]
    pub asset: String,
    /// A .pub file or a line of known_hosts, or - for standard input
    #[arg(value_name = "FILE|-")]
    pub key: FileArgument,
    /// Flags of the change.
    #[command(flatten)]
    pub change: Reasoned,
}

/// `host-key rm`
#[derive(Debug, Args)]
pub struct HostKeyRm {
    /// Which asset
    #[arg(value_name = "ASSET")]
    pub asset: String,
    /// The key's fingerprint (SHA256:…), or the beginning of it (at least six characters)
    #[arg(value_name = "FPR")]
    pub fingerprint: String,
    /// Flags of the change.
    #[command(flatten)]
    pub change: Reasoned,
}

fn algorithms(text: &str) -> Result<Algorithms, String> {
    Algorithms::parse(text).ok_or_else(|| "algorithms are default and legacy".to_owned())
}

fn protocol(text: &str) -> Result<String, String> {
    match text {
        "ssh" => Ok(text.to_owned()),
        "telnet" | "mysql" | "postgresql" => Err("not in this version; ssh is".to_owned()),
        _ => Err("protocols are ssh".to_owned()),
    }
}

fn host_key_policy(text: &str) -> Result<HostKeyPolicy, String> {
    HostKeyPolicy::parse(text).ok_or_else(|| "policies are refuse and pin".to_owned())
}
