//! `jmsctl rule …` as it is typed.
#![forbid(unsafe_code)]

use super::filter::Scope;
use super::flags::{Change, Ls, Reasoned};
use clap::{ArgGroup, Args, Subcommand, ValueEnum};

/// Verbs of `rule`.
#[derive(Debug, Subcommand)]
pub enum Rule {
    /// Add a rule to a filter; it reaches running sessions at once
    #[command(
        after_help = "--command names a program and, if given, flags and words. To forbid it is read widely:
'rm -rf' is rm -fr, rm -r -f, rm --recursive --force x, /bin/rm -rf x, sudo rm -rf x, and neither
alarm -rf nor echo rm -rf. To allow it is read narrowly: exactly these arguments; * stands for
anything within one part of a path, ... at the end for whatever follows, a program alone for
any arguments.
--regex is looked for in the line and in each command on it; to allow it must cover the command.

Examples:
  jmsctl rule add careful --verdict deny --command 'rm -rf'
  jmsctl rule add careful --verdict confirm --regex '^(shutdown|reboot)' --priority 20
  jmsctl rule add only-status --verdict allow --command 'systemctl status *'
  jmsctl rule add careful --verdict deny --command mysql --asset-group /prod/db"
    )]
    Add(Add),
    /// Change a rule
    #[command(after_help = "Examples:
  jmsctl rule set 7 --priority 10
  jmsctl rule set 7 --verdict warn --comment 'only watched for now'
  jmsctl rule set 7 --everywhere")]
    Set(Box<Set>),
    /// Remove rules
    #[command(after_help = "Example:\n  jmsctl rule rm 7 8")]
    Rm(Rm),
    /// List rules, by filter and in the order in which they are asked
    #[command(after_help = "Examples:\n  jmsctl rule ls\n  jmsctl rule ls --filter careful --json")]
    Ls(LsRules),
    /// Show a rule
    #[command(after_help = "Example:\n  jmsctl rule show 7")]
    Show(Show),
}

/// What happens to a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Verdict {
    /// It does not run
    Deny,
    /// It runs
    Allow,
    /// It runs, and an alert event says so
    Warn,
    /// It runs if the user says yes on a terminal; elsewhere it does not
    Confirm,
}

impl From<Verdict> for filter::Verdict {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Deny => Self::Deny,
            Verdict::Allow => Self::Allow,
            Verdict::Warn => Self::Warn,
            Verdict::Confirm => Self::Confirm,
        }
    }
}

/// `rule add`
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("matching").required(true).args(["command", "regex"])))]
pub struct Add {
    /// The filter
    #[arg(value_name = "FILTER")]
    pub filter: String,
    /// Lower numbers are asked first; of equal ones deny, confirm, warn, allow
    #[arg(long, value_name = "N", default_value_t = jms::nouns::FilterRule::PRIORITY)]
    pub priority: u32,
    /// What happens to the command
    #[arg(long, value_name = "VERDICT")]
    pub verdict: Verdict,
    /// A program with flags and words: 'rm -rf'
    #[arg(long, value_name = "CMD", allow_hyphen_values = true)]
    pub command: Option<String>,
    /// A regular expression
    #[arg(long, value_name = "RE", allow_hyphen_values = true)]
    pub regex: Option<String>,
    /// Upper and lower case are the same
    #[arg(long)]
    pub ignore_case: bool,
    /// Only there, and where the filter applies.
    #[command(flatten)]
    pub scope: Scope,
    /// Flags of the change.
    #[command(flatten)]
    pub change: Change,
}

/// `rule set`
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("matching").args(["command", "regex"])))]
pub struct Set {
    /// Its number
    #[arg(value_name = "ID")]
    pub id: i64,
    /// Lower numbers are asked first; of equal ones deny, confirm, warn, allow
    #[arg(long, value_name = "N")]
    pub priority: Option<u32>,
    /// What happens to the command
    #[arg(long, value_name = "VERDICT")]
    pub verdict: Option<Verdict>,
    /// A program with flags and words: 'rm -rf'
    #[arg(long, value_name = "CMD", allow_hyphen_values = true)]
    pub command: Option<String>,
    /// A regular expression
    #[arg(long, value_name = "RE", allow_hyphen_values = true)]
    pub regex: Option<String>,
    /// Whether upper and lower case are the same
    #[arg(long, value_name = "yes|no", value_parser = super::values::yes_no)]
    pub ignore_case: Option<bool>,
    /// Only there, and where the filter applies.
    #[command(flatten)]
    pub scope: Scope,
    /// Wherever its filter applies
    #[arg(long, conflicts_with_all = ["user", "user_group", "asset", "asset_group", "system_user"])]
    pub everywhere: bool,
    /// Flags of the change.
    #[command(flatten)]
    pub change: Change,
}

/// `rule rm`
#[derive(Debug, Args)]
pub struct Rm {
    /// Their numbers
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<i64>,
    /// Flags of the change.
    #[command(flatten)]
    pub change: Reasoned,
}

/// `rule ls`
#[derive(Debug, Args)]
pub struct LsRules {
    /// Only of this filter
    #[arg(long, value_name = "NAME")]
    pub filter: Option<String>,
    /// Flags of lists.
    #[command(flatten)]
    pub ls: Ls,
}

/// `rule show`
#[derive(Debug, Args)]
pub struct Show {
    /// Its number
    #[arg(value_name = "ID")]
    pub id: i64,
}
