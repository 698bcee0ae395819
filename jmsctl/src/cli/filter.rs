//! `jmsctl filter …` as it is typed.
#![forbid(unsafe_code)]

use super::flags::{Change, Ls, Name, Names, Reasoned};
use crate::input::FileArgument;
use clap::{Args, Subcommand, ValueEnum};
use filter::{Origin, Verdict};

/// Verbs of `filter`.
#[derive(Debug, Subcommand)]
pub enum Filter {
    /// Add a filter; it applies nowhere before it is attached
    #[command(
        after_help = "The default holds for commands of which no rule speaks. Under a default of deny, what
cannot be read or hides its words is denied, too; under allow it is matched as text.

Examples:
  jmsctl filter add careful
  jmsctl filter add only-status --default deny --comment 'robots that watch'"
    )]
    Add(Add),
    /// Change the default or the comment of a filter
    #[command(after_help = "Example:\n  jmsctl filter set careful --default deny")]
    Set(Set),
    /// Remove filters with their rules; it reaches running sessions at once
    #[command(after_help = "Example:\n  jmsctl filter rm careful")]
    Rm(Names),
    /// List filters
    #[command(after_help = "Examples:\n  jmsctl filter ls\n  jmsctl filter ls --json")]
    Ls(Ls),
    /// Show a filter with its rules
    #[command(after_help = "Example:\n  jmsctl filter show careful")]
    Show(Name),
    /// Put the rules of a file in the place of all that a filter has
    #[command(
        after_help = "The file is TOML, a table [[rule]] for each, or JSON, a list of the same:
  verdict (or action)  deny, allow, warn, confirm
  command              a program with flags and words
  regex (or pattern)   or a regular expression
  priority             50 unless it says otherwise; lower ones are asked first
  ignore_case, comment
All of them are written, or none.

Examples:
  jmsctl filter load careful /usr/share/jms/filters/dangerous.toml
  jmsctl filter load careful - < rules.json"
    )]
    Load(Load),
    /// Say what a command line would be judged as, and why; nothing runs
    #[command(after_help = "Examples:
  jmsctl filter test --as alice@dev@web1 'ls; sudo rm -rf /srv'
  jmsctl filter test --as alice@dev@web1 --filter careful 'shutdown now' --json")]
    Test(Test),
    /// Attach a filter to people, places, system users
    #[command(
        after_help = "Of each kind (people, places, system users) any that is named will do; a kind of which
nothing is named does not matter; all kinds must agree. A group or a place stands for what is in
it, also later. To a site, attach the place or the assets.

Examples:
  jmsctl filter attach careful --user-group juniors
  jmsctl filter attach careful --asset-group /prod --system-user root"
    )]
    Attach(Attach),
    /// Take it away from some of them; without flags from all, and it applies nowhere
    #[command(after_help = "Examples:
  jmsctl filter detach strict --user-group juniors
  jmsctl filter detach careful")]
    Detach(Attach),
}

/// `filter add`
#[derive(Debug, Args)]
pub struct Add {
    /// A letter, digit or _, then letters, digits, . _ -
    #[arg(value_name = "NAME")]
    pub name: String,
    /// What holds for a command of which no rule speaks
    #[arg(long, value_name = "VERDICT", default_value = "allow")]
    pub default: Default,
    /// Flags of the change.
    #[command(flatten)]
    pub change: Change,
}

/// `filter set`
#[derive(Debug, Args)]
pub struct Set {
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: String,
    /// What holds for a command of which no rule speaks
    #[arg(long, value_name = "VERDICT")]
    pub default: Option<Default>,
    /// Flags of the change.
    #[command(flatten)]
    pub change: Change,
}

/// What holds where no rule speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Default {
    /// It runs.
    Allow,
    /// It does not.
    Deny,
}

impl From<Default> for Verdict {
    fn from(default: Default) -> Self {
        match default {
            Default::Allow => Self::Allow,
            Default::Deny => Self::Deny,
        }
    }
}

/// `filter load`
#[derive(Debug, Args)]
pub struct Load {
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The rules, TOML or JSON; - for standard input
    #[arg(value_name = "FILE|-")]
    pub file: FileArgument,
    /// Flags of the change.
    #[command(flatten)]
    pub change: Reasoned,
}

/// `filter test`
#[derive(Debug, Args)]
pub struct Test {
    /// Whose session, as whom, where: USER@SYSTEM_USER@ASSET
    #[arg(long = "as", value_name = "LOGIN")]
    pub login: String,
    /// These filters instead of those that apply there
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub filter: Vec<String>,
    /// Where the line comes from
    #[arg(long, value_name = "ORIGIN", default_value = "exec")]
    pub origin: Place,
    /// The line
    #[arg(value_name = "LINE", allow_hyphen_values = true)]
    pub line: String,
}

/// Where a line comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Place {
    /// An exec request: ssh HOST LINE
    Exec,
    /// A script on standard input
    Script,
    /// A terminal
    Terminal,
}

impl From<Place> for Origin {
    fn from(place: Place) -> Self {
        match place {
            Place::Exec => Self::Exec,
            Place::Script => Self::Script,
            Place::Terminal => Self::Terminal,
        }
    }
}

/// `filter attach`, `filter detach`
#[derive(Debug, Args)]
pub struct Attach {
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Where.
    #[command(flatten)]
    pub scope: Scope,
    /// Flags of the change.
    #[command(flatten)]
    pub change: Reasoned,
}

/// People, places, system users.
#[derive(Debug, Clone, Args)]
pub struct Scope {
    /// Users
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub user: Option<Vec<String>>,
    /// User groups: whoever is in them then
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub user_group: Option<Vec<String>>,
    /// Assets
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub asset: Option<Vec<String>>,
    /// Places in the tree of assets: whatever is at or below them then; / is everything
    #[arg(long, value_name = "/PATH,…", value_delimiter = ',')]
    pub asset_group: Option<Vec<String>>,
    /// Accounts on the assets
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub system_user: Option<Vec<String>>,
}
