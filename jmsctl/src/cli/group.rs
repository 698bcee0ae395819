//! `jmsctl user-group …` and `jmsctl asset-group …` as they are typed.
#![forbid(unsafe_code)]

use super::flags::{Change, Ls, Name, Names, Reasoned};
use clap::{Args, Subcommand};

/// Verbs of `user-group`.
#[derive(Debug, Subcommand)]
pub enum UserGroup {
    /// Add a user group
    #[command(after_help = "Examples:
  jmsctl user-group add web-team --user alice,bob
  jmsctl user-group add contractors --comment 'until the move is done'")]
    Add(UserGroupAdd),
    /// Change a user group: --user A,B replaces its users, --add-user and --rm-user change them
    #[command(after_help = "Examples:
  jmsctl user-group set web-team --add-user carol --rm-user bob
  jmsctl user-group set web-team --user none")]
    Set(UserGroupSet),
    /// Remove user groups; their users stay, and grants that name nobody else go with them
    #[command(after_help = "Example:\n  jmsctl user-group rm contractors")]
    Rm(Names),
    /// List user groups
    #[command(
        after_help = "Examples:\n  jmsctl user-group ls\n  jmsctl user-group ls alice --json"
    )]
    Ls(Ls),
    /// Show a user group with its users and the grants that name it
    #[command(after_help = "Example:\n  jmsctl user-group show web-team")]
    Show(Name),
}

/// `user-group add`
#[derive(Debug, Args)]
pub struct UserGroupAdd {
    /// A letter, digit or _, then letters, digits, . _ -
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Its users (names or globs)
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub user: Option<Vec<String>>,
    /// Flags of the change.
    #[command(flatten)]
    pub change: Change,
}

/// `user-group set`
#[derive(Debug, Args)]
pub struct UserGroupSet {
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Its users (names or globs); none: nobody
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub user: Option<Vec<String>>,
    /// These users too
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub add_user: Vec<String>,
    /// No longer these users
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub rm_user: Vec<String>,
    /// Flags of the change.
    #[command(flatten)]
    pub change: Change,
}

/// Verbs of `asset-group`.
#[derive(Debug, Subcommand)]
pub enum AssetGroup {
    /// Add a place to the tree of assets, and the places above it that are missing
    #[command(after_help = "Examples:
  jmsctl asset-group add /prod/web --asset 'web*'
  jmsctl asset-group add /test --comment 'may break'")]
    Add(AssetGroupAdd),
    /// Change a place: --asset A,B replaces its assets, --add-asset and --rm-asset change them
    #[command(after_help = "Examples:
  jmsctl asset-group set /prod/web --add-asset web7
  jmsctl asset-group set /prod/web --asset none")]
    Set(AssetGroupSet),
    /// Remove places with all places below; the assets stay, and grants that name no other place go with them
    #[command(after_help = "Example:\n  jmsctl asset-group rm /prod/web")]
    Rm(Paths),
    /// List places
    #[command(after_help = "Examples:
  jmsctl asset-group ls --tree
  jmsctl asset-group ls '/prod/*' --json")]
    Ls(AssetGroupLs),
    /// Show a place with what stands there and below, and the grants that cover it
    #[command(after_help = "Example:\n  jmsctl asset-group show /prod")]
    Show(Path),
}

/// A place by its path.
#[derive(Debug, Args)]
pub struct Path {
    /// Its path, as /prod/web; / is the whole tree
    #[arg(value_name = "/PATH")]
    pub path: String,
}

/// Places by their paths.
#[derive(Debug, Args)]
pub struct Paths {
    /// Their paths
    #[arg(value_name = "/PATH", required = true)]
    pub paths: Vec<String>,
    /// Flags of the change.
    #[command(flatten)]
    pub change: Reasoned,
}

/// `asset-group add`
#[derive(Debug, Args)]
pub struct AssetGroupAdd {
    /// Its path, as /prod/web: each part letters, digits, . _ -
    #[arg(value_name = "/PATH")]
    pub path: String,
    /// The assets at this place (names or globs)
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub asset: Option<Vec<String>>,
    /// Flags of the change.
    #[command(flatten)]
    pub change: Change,
}

/// `asset-group set`
#[derive(Debug, Args)]
pub struct AssetGroupSet {
    /// Its path
    #[arg(value_name = "/PATH")]
    pub path: String,
    /// The assets at this place (names or globs); none: no asset
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub asset: Option<Vec<String>>,
    /// These assets too
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub add_asset: Vec<String>,
    /// No longer these assets
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub rm_asset: Vec<String>,
    /// Flags of the change.
    #[command(flatten)]
    pub change: Change,
}

/// `asset-group ls`
#[derive(Debug, Args)]
pub struct AssetGroupLs {
    /// Show the tree, with the number of assets at and below each place
    #[arg(long, conflicts_with_all = ["sort", "columns", "limit"])]
    pub tree: bool,
    /// Flags of lists.
    #[command(flatten)]
    pub ls: Ls,
}
