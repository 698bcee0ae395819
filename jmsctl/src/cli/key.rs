//! `jmsctl key …` as it is typed.
#![forbid(unsafe_code)]

use super::flags::{self, Change, List, Reasoned, Span};
use super::values::{Clearable, network, validity, yes_no};
use crate::input::FileArgument;
use clap::{Args, Subcommand};
use jms::time::Time;

/// Verbs of `key`.
#[derive(Debug, Subcommand)]
pub enum Key {
    /// Add a login key to a user
    #[command(after_help = "Examples:
  jmsctl key add alice alice.pub --from 10.0.0.0/8,2001:db8::/32
  jmsctl key add alice - --valid-until 90d < alice.pub")]
    Add(Add),
    /// Change what a login key may be used for
    #[command(after_help = "Examples:
  jmsctl key set SHA256:f5d2ceb1 --add-from 192.0.2.7
  jmsctl key set SHA256:f5d2ceb1 --from none")]
    Set(Set),
    /// Remove a login key
    #[command(after_help = "Example:\n  jmsctl key rm SHA256:f5d2ceb1 --comment 'laptop stolen'")]
    Rm(Rm),
    /// List login keys, of one user or of all
    #[command(after_help = "Examples:\n  jmsctl key ls alice\n  jmsctl key ls --json")]
    Ls(Ls),
    /// Show a login key
    #[command(after_help = "Example:\n  jmsctl key show SHA256:f5d2ceb1")]
    Show(Show),
}

/// `key add`
#[derive(Debug, Args)]
pub struct Add {
    /// Whose
    #[arg(value_name = "USER")]
    pub user: String,
    /// A .pub file, or - for standard input
    #[arg(value_name = "FILE|-")]
    pub key: FileArgument,
    /// Usable only from these networks
    #[arg(long, value_name = "CIDR,…", value_delimiter = ',', value_parser = network)]
    pub from: Vec<String>,
    /// Usable until then: a time, a day, 90d from now
    #[arg(long, value_name = "TIME", value_parser = validity)]
    pub valid_until: Option<Clearable<Time>>,
    /// The security key must verify its person, by PIN or finger (only for sk- keys)
    #[arg(long)]
    pub verify_required: bool,
    /// Flags of the change.
    #[command(flatten)]
    pub change: Change,
}

/// `key set`
#[derive(Debug, Args)]
pub struct Set {
    /// The key.
    #[command(flatten)]
    pub key: Fingerprint,
    /// Usable only from these networks; none: from anywhere
    #[arg(long, value_name = "CIDR,…", value_delimiter = ',', value_parser = network_or_none)]
    pub from: Option<Vec<Clearable<String>>>,
    /// From these networks too
    #[arg(long, value_name = "CIDR,…", value_delimiter = ',', value_parser = network)]
    pub add_from: Vec<String>,
    /// No longer from these networks
    #[arg(long, value_name = "CIDR,…", value_delimiter = ',', value_parser = network)]
    pub rm_from: Vec<String>,
    /// Usable until then: a time, a day, 90d from now; none takes it away
    #[arg(long, value_name = "TIME", value_parser = validity)]
    pub valid_until: Option<Clearable<Time>>,
    /// The security key must verify its person; --verify-required=no takes it away
    #[arg(long, value_name = "yes|no", value_parser = yes_no, num_args = 0..=1, require_equals = true, default_missing_value = "yes")]
    pub verify_required: Option<bool>,
    /// Flags of the change.
    #[command(flatten)]
    pub change: Change,
}

/// `key rm`
#[derive(Debug, Args)]
pub struct Rm {
    /// The key.
    #[command(flatten)]
    pub key: Fingerprint,
    /// Flags of the change.
    #[command(flatten)]
    pub change: Reasoned,
}

/// `key ls`
#[derive(Debug, Args)]
pub struct Ls {
    /// Whose; without: everybody's
    #[arg(value_name = "USER")]
    pub user: Option<String>,
    /// At most N; 0: all
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Sort by FIELD, or by -FIELD from the end; fields are called as in --json
    #[arg(long, value_name = "FIELD", allow_hyphen_values = true)]
    pub sort: Option<String>,
    /// Show these fields, called as in --json
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub columns: Vec<String>,
    /// Changed from when until when.
    #[command(flatten)]
    pub span: Span,
}

impl Ls {
    /// The flags that all lists share.
    pub fn ls(&self) -> flags::Ls {
        flags::Ls {
            list: List {
                text: None,
                limit: self.limit,
                sort: self.sort.clone(),
                columns: self.columns.clone(),
            },
            span: self.span.clone(),
        }
    }
}

/// `key show`
#[derive(Debug, Args)]
pub struct Show {
    /// The key.
    #[command(flatten)]
    pub key: Fingerprint,
}

/// A login key by its fingerprint.
#[derive(Debug, Args)]
pub struct Fingerprint {
    /// Its fingerprint (SHA256:…), or the beginning of it (at least six characters)
    #[arg(value_name = "FPR")]
    pub fingerprint: String,
    /// Whose, where two users have the same key
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
}

fn network_or_none(text: &str) -> Result<Clearable<String>, String> {
    match text {
        "none" => Ok(Clearable::Nothing),
        _ => network(text).map(Clearable::Set),
    }
}
