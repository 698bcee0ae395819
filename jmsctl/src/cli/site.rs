//! `jmsctl site …`, `jmsctl platform …` and `jmsctl defaults …` as they are typed.
#![forbid(unsafe_code)]

use super::flags::{Change, List, Ls, Name, Names, Reasoned};
use super::user::factor;
use super::values::{Clearable, shell, text_or_none};
use clap::{Args, Subcommand};
use jms::nouns::Mfa;

/// Verbs of `site`.
#[derive(Debug, Subcommand)]
pub enum Site {
    /// Add a site
    #[command(after_help = "Example:\n  jmsctl site add south --comment 'Marseille, hall 2'")]
    Add(SiteChange),
    /// Change a site
    #[command(after_help = "Example:\n  jmsctl site set south --comment 'Marseille, hall 3'")]
    Set(SiteChange),
    /// Remove sites; their assets stay, and grants that name no other place go with them
    #[command(after_help = "Example:\n  jmsctl site rm south")]
    Rm(Names),
    /// List sites
    #[command(after_help = "Example:\n  jmsctl site ls")]
    Ls(Ls),
    /// Show a site with its assets and the grants that name it
    #[command(after_help = "Example:\n  jmsctl site show south")]
    Show(Name),
}

/// `site add`, `site set`
#[derive(Debug, Args)]
pub struct SiteChange {
    /// A letter, digit or _, then letters, digits, . _ -
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Flags of the change.
    #[command(flatten)]
    pub change: Change,
}

/// Verbs of `platform`.
#[derive(Debug, Subcommand)]
pub enum Platform {
    /// List the kinds of machine that assets can be
    #[command(after_help = "Example:\n  jmsctl platform ls")]
    Ls(List),
    /// Show a kind of machine
    #[command(after_help = "Example:\n  jmsctl platform show linux")]
    Show(Name),
}

/// Verbs of `defaults`.
#[derive(Debug, Subcommand)]
pub enum Defaults {
    /// Show what new objects get when nobody says otherwise
    #[command(after_help = "Example:\n  jmsctl defaults show --json")]
    Show,
    /// Change what new objects get; those that are there stay as they are
    #[command(after_help = "Examples:
  jmsctl defaults set --port 2222 --shell /bin/sh
  jmsctl defaults set --privileged-system-user root
  jmsctl defaults set --mfa-admin totp")]
    Set(DefaultsSet),
}

/// `defaults set`
#[derive(Debug, Args)]
pub struct DefaultsSet {
    /// The system user that pushes the others to assets that name none; none takes it away
    #[arg(long, value_name = "NAME", value_parser = text_or_none)]
    pub privileged_system_user: Option<Clearable<String>>,
    /// TCP port of new assets
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// Login shell of new system users
    #[arg(long, value_name = "PATH", value_parser = shell)]
    pub shell: Option<String>,
    /// Second factor demanded of every user of the role user, old ones too: off, totp, security-key or any
    #[arg(long, value_name = "FACTOR", value_parser = factor)]
    pub mfa_user: Option<Mfa>,
    /// The same for auditors
    #[arg(long, value_name = "FACTOR", value_parser = factor)]
    pub mfa_auditor: Option<Mfa>,
    /// The same for administrators
    #[arg(long, value_name = "FACTOR", value_parser = factor)]
    pub mfa_admin: Option<Mfa>,
    /// Flags of the change.
    #[command(flatten)]
    pub change: Reasoned,
}
