//! `jmsctl command …` as it is typed.
#![forbid(unsafe_code)]

use super::flags::{List, Span};
use clap::{Args, Subcommand, ValueEnum};

/// Verbs of `command`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List command lines, the newest last; that somebody did is an event
    #[command(after_help = "Examples:
  jmsctl command ls --user alice --since today
  jmsctl command ls --asset 'web*' --text 'rm -rf' --json
  jmsctl command ls --verdict deny --follow")]
    Ls(Box<CommandLs>),
    /// Show a command line with everything that is known of it, and how its recording is opened at that second
    #[command(
        after_help = "Examples:\n  jmsctl command show 4711\n  jmsctl command show 4711 --json | jq -r .line"
    )]
    Show(Number),
}

/// `command ls`
#[derive(Debug, Args)]
pub struct CommandLs {
    /// Only of this session: its id, or the beginning of it (at least six characters)
    #[arg(long, value_name = "ID")]
    pub session: Option<String>,
    /// Only lines with this text in them, upper or lower case
    #[arg(long = "text", value_name = "TEXT")]
    pub line: Option<String>,
    /// Only lines of which the filters said this
    #[arg(long, value_enum, value_name = "VERDICT")]
    pub verdict: Option<Verdict>,
    /// Wait for new ones and print them as they come, until interrupted
    #[arg(long)]
    pub follow: bool,
    /// Only of these users (names or globs)
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub user: Vec<String>,
    /// Only of who is in these user groups now
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub user_group: Vec<String>,
    /// Only on these assets (names or globs)
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub asset: Vec<String>,
    /// Only on what is at or below these places now
    #[arg(long, value_name = "/PATH,…", value_delimiter = ',')]
    pub asset_group: Vec<String>,
    /// Only on what stands in these sites now
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub site: Vec<String>,
    /// Only as these system users (names or globs)
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub system_user: Vec<String>,
    /// From when until when.
    #[command(flatten)]
    pub span: Span,
    /// Flags of lists.
    #[command(flatten)]
    pub list: List,
}

/// What filters say of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Verdict {
    /// It runs.
    Allow,
    /// It runs, and an event tells of it.
    Warn,
    /// It runs if its user says yes.
    Confirm,
    /// It does not run.
    Deny,
}

impl From<Verdict> for filter::Verdict {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Allow => Self::Allow,
            Verdict::Warn => Self::Warn,
            Verdict::Confirm => Self::Confirm,
            Verdict::Deny => Self::Deny,
        }
    }
}

/// A command by its number.
#[derive(Debug, Args)]
pub struct Number {
    /// Its number, as `command ls` shows it
    #[arg(value_name = "ID", value_parser = clap::value_parser!(i64).range(1..))]
    pub id: i64,
}
