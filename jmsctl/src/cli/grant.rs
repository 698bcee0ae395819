//! `jmsctl grant …` as it is typed.
#![forbid(unsafe_code)]

use super::flags::{Change, Ls, Name, Names};
use super::values::{Clearable, span_or_none, validity};
use clap::{Args, Subcommand};
use jms::policy::{Right, Rights};
use jms::time::Time;

/// Verbs of `grant`.
#[derive(Debug, Subcommand)]
pub enum Grant {
    /// Let users reach assets as system users
    #[command(
        after_help = "A pattern such as 'web*' stands for what matches it now. A group, a place or a site
stands for what is in it, also later; a list may be `none`.

Examples:
  jmsctl grant add team --user-group web-team --asset-group /prod --system-user dev --rights shell
  jmsctl grant add web-dev --user alice,bob --asset web1 --system-user dev --rights shell,exec
  jmsctl grant add release --user bob --asset 'web*' --system-user dev --rights upload
  jmsctl grant add top --user bob --asset web1 --system-user dba --rights shell --require-mfa 15m"
    )]
    Add(Add),
    /// Change a grant: --user A,B replaces the list, --add-user and --rm-user change it
    #[command(after_help = "Examples:
  jmsctl grant set web-dev --add-user carol --rm-asset web1
  jmsctl grant set web-dev --rights shell
  jmsctl grant set web-dev --require-mfa 8h")]
    Set(Box<Set>),
    /// Remove grants; sessions that live on nothing else end at once
    #[command(after_help = "Example:\n  jmsctl grant rm web-dev")]
    Rm(Names),
    /// List grants
    #[command(after_help = "Examples:\n  jmsctl grant ls\n  jmsctl grant ls alice --json")]
    Ls(Ls),
    /// Show a grant
    #[command(after_help = "Example:\n  jmsctl grant show web-dev")]
    Show(Name),
}

/// Who, where, as whom, what, when.
#[derive(Debug, Clone, Args)]
pub struct Attributes {
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
    /// Sites: whatever stands in them then
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub site: Option<Vec<String>>,
    /// Accounts on the assets
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub system_user: Option<Vec<String>>,
    /// What they may do there: shell, exec, upload, download, delete, tunnel
    #[arg(long, value_name = "RIGHT,…", value_delimiter = ',')]
    pub rights: Option<Vec<Right>>,
    /// Holds from then on: a time, a day, 3d from now; none takes it away
    #[arg(long, value_name = "TIME", value_parser = validity)]
    pub valid_from: Option<Clearable<Time>>,
    /// Holds until then; as --valid-from
    #[arg(long, value_name = "TIME", value_parser = validity)]
    pub valid_until: Option<Clearable<Time>>,
    /// Only with a second factor that was passed at most so long ago: 15m, 8h; it is asked for in the session. none
    /// takes it away
    #[arg(long, value_name = "SPAN", value_parser = span_or_none)]
    pub require_mfa: Option<Clearable<u32>>,
}

impl Attributes {
    /// The rights as a set.
    pub fn rights(&self) -> Option<Rights> {
        self.rights
            .as_ref()
            .map(|rights| rights.iter().copied().collect())
    }
}

/// `grant add`
#[derive(Debug, Args)]
pub struct Add {
    /// A letter, digit or _, then letters, digits, . _ -
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Attributes.
    #[command(flatten)]
    pub attributes: Attributes,
    /// Flags of the change.
    #[command(flatten)]
    pub change: Change,
}

/// `grant set`
#[derive(Debug, Args)]
pub struct Set {
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Attributes.
    #[command(flatten)]
    pub attributes: Attributes,
    /// These users too
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub add_user: Vec<String>,
    /// No longer these users
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub rm_user: Vec<String>,
    /// These user groups too
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub add_user_group: Vec<String>,
    /// No longer these user groups
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub rm_user_group: Vec<String>,
    /// These assets too
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub add_asset: Vec<String>,
    /// No longer these assets
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub rm_asset: Vec<String>,
    /// These places in the tree too
    #[arg(long, value_name = "/PATH,…", value_delimiter = ',')]
    pub add_asset_group: Vec<String>,
    /// No longer these places
    #[arg(long, value_name = "/PATH,…", value_delimiter = ',')]
    pub rm_asset_group: Vec<String>,
    /// These sites too
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub add_site: Vec<String>,
    /// No longer these sites
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub rm_site: Vec<String>,
    /// As these accounts too
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub add_system_user: Vec<String>,
    /// No longer as these accounts
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub rm_system_user: Vec<String>,
    /// These rights too
    #[arg(long, value_name = "RIGHT,…", value_delimiter = ',')]
    pub add_rights: Vec<Right>,
    /// No longer these rights
    #[arg(long, value_name = "RIGHT,…", value_delimiter = ',')]
    pub rm_rights: Vec<Right>,
    /// Flags of the change.
    #[command(flatten)]
    pub change: Change,
}
