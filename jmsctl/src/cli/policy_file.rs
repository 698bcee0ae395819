//! `jmsctl export`, `jmsctl diff` and `jmsctl apply` as they are typed.
#![forbid(unsafe_code)]

use super::flags::Reasoned;
use crate::input::FileArgument;
use clap::Args;
use clap::builder::PossibleValuesParser;

/// What the file has sections for, in the order in which they are written.
pub const NOUNS: [&str; 11] = [
    "site",
    "user-group",
    "asset-group",
    "user",
    "system-user",
    "defaults",
    "asset",
    "system-user-override",
    "grant",
    "filter",
    "login-rule",
];

/// `export`
#[derive(Debug, Args)]
pub struct Export {
    /// Only these nouns
    #[arg(value_name = "NOUN", value_parser = PossibleValuesParser::new(NOUNS))]
    pub nouns: Vec<String>,
}

/// `diff`
#[derive(Debug, Args)]
pub struct Diff {
    /// A file as `jmsctl export` writes it, or - for standard input
    #[arg(value_name = "FILE|-")]
    pub file: FileArgument,
    /// Also show what is not in the file as to be removed
    #[arg(long)]
    pub prune: bool,
}

/// `apply`
#[derive(Debug, Args)]
pub struct Apply {
    /// A file as `jmsctl export` writes it, or - for standard input
    #[arg(value_name = "FILE|-")]
    pub file: FileArgument,
    /// Remove what is not in the file, of the nouns that the file mentions
    #[arg(long)]
    pub prune: bool,
    /// Flags of the change.
    #[command(flatten)]
    pub change: Reasoned,
}
