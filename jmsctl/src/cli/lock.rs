//! `jmsctl lock …` as it is typed.
#![forbid(unsafe_code)]

use super::flags::{List, Reasoned};
use clap::{Args, Subcommand};

/// Verbs of `lock`.
#[derive(Debug, Subcommand)]
pub enum Lock {
    /// List who and what is locked now, and until when
    #[command(
        after_help = "Wrong passwords, one-time passwords and recovery codes count, after a proven key (proof: key) and
without one (proof: none) apart. Without user: a network that is locked for everybody without a key.
Without source: a user who is locked from everywhere.

Examples:
  jmsctl lock ls
  jmsctl lock ls --all --json"
    )]
    Ls(Ls),
    /// Show what is counted against a user
    #[command(after_help = "Example:\n  jmsctl lock show alice")]
    Show(Show),
    /// Unlock: take locks away and count from none again
    #[command(after_help = "Examples:
  jmsctl lock rm alice
  jmsctl lock rm alice --source 192.0.2.7 --comment 'called from the office'
  jmsctl lock rm --source 2001:db8::/64")]
    Rm(Rm),
}

/// `lock ls`
#[derive(Debug, Args)]
pub struct Ls {
    /// Also what is counted and not locked
    #[arg(long)]
    pub all: bool,
    /// Flags of lists.
    #[command(flatten)]
    pub list: List,
}

/// `lock show`
#[derive(Debug, Args)]
pub struct Show {
    /// Whose
    #[arg(value_name = "USER")]
    pub user: String,
}

/// `lock rm`
#[derive(Debug, Args)]
pub struct Rm {
    /// Whose; without: of a network, for all users
    #[arg(value_name = "USER", required_unless_present = "source")]
    pub user: Option<String>,
    /// Only from this address or network
    #[arg(long, value_name = "NET")]
    pub source: Option<String>,
    /// Flags of the change.
    #[command(flatten)]
    pub change: Reasoned,
}
