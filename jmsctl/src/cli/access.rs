//! `jmsctl access …` as it is typed.
#![forbid(unsafe_code)]

use super::flags::List;
use clap::{Args, Subcommand};
use jms::policy::Right;

/// Verbs of `access`.
#[derive(Debug, Subcommand)]
pub enum Access {
    /// List who reaches what now, through which grants
    #[command(after_help = "Examples:
  jmsctl access ls --user alice
  jmsctl access ls --asset 'web*' --sort user --json")]
    Ls(AccessLs),
    /// Explain the decision about a login, step by step; exit status 0 whatever it is
    #[command(
        after_help = "It is the same decision as the session program makes, for somebody who logs in now with a key and
without a second factor. With --json, `allow` says yes or no.

Examples:
  jmsctl access explain alice@dev@web1 --right shell
  jmsctl access explain alice@web1 --json | jq .rights"
    )]
    Explain(Explain),
}

/// `access ls`
#[derive(Debug, Args)]
#[group(id = "whose", required = true, multiple = true, args = ["user", "asset"])]
pub struct AccessLs {
    /// What these users reach (names or globs)
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub user: Vec<String>,
    /// Who reaches these assets (names or globs)
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub asset: Vec<String>,
    /// Only as these system users (names or globs)
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub system_user: Vec<String>,
    /// Flags of lists.
    #[command(flatten)]
    pub list: List,
}

/// `access explain`
#[derive(Debug, Args)]
pub struct Explain {
    /// USER@SYSTEM_USER@ASSET, or USER@ASSET where only one system user is granted
    #[arg(value_name = "LOGIN")]
    pub login: String,
    /// About this right alone: shell, exec, upload, download, delete, tunnel
    #[arg(long, value_name = "RIGHT")]
    pub right: Option<Right>,
}
