//! Flags that many verbs share, worded once.
#![forbid(unsafe_code)]

use super::values::{one_line, past};
use crate::input::FileArgument;
use clap::Args;
use jms::time::Time;

/// Flags that every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global flags")]
pub struct Global {
    /// Print JSON: one object per line, times in UTC, for programs to read
    #[arg(long, global = true)]
    pub json: bool,
    /// Answer every question with yes
    #[arg(long, global = true)]
    pub yes: bool,
    /// Print no remarks, and nothing after a change
    #[arg(long, global = true)]
    pub quiet: bool,
    /// Print without colours (NO_COLOR in the environment does the same)
    #[arg(long, global = true)]
    pub no_color: bool,
    /// Read the settings from FILE instead of /etc/jms/jms.toml
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<FileArgument>,
}

/// Flags of verbs that change an object which has a comment of its own.
#[derive(Debug, Clone, Args)]
pub struct Change {
    /// Free text, kept with the object and shown beside it
    #[arg(long, value_name = "TEXT", value_parser = one_line)]
    pub comment: Option<String>,
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Flags of verbs that change something without a comment of its own.
#[derive(Debug, Clone, Args)]
pub struct Reasoned {
    /// Why; kept in the event of this change
    #[arg(long = "comment", value_name = "TEXT", value_parser = one_line)]
    pub why: Option<String>,
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Flags of `ls`.
#[derive(Debug, Clone, Default, Args)]
pub struct List {
    /// Only what has TEXT in one of its columns, or whose name matches the GLOB (* ? [a-z])
    #[arg(value_name = "TEXT|GLOB")]
    pub text: Option<String>,
    /// At most N; 0: all
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Sort by FIELD, or by -FIELD from the end; fields are called as in --json
    #[arg(long, value_name = "FIELD", allow_hyphen_values = true)]
    pub sort: Option<String>,
    /// Show these fields, called as in --json
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub columns: Vec<String>,
}

/// Flags of `ls` of what has a time: policy is listed by when it was last changed.
#[derive(Debug, Clone, Default, Args)]
pub struct Ls {
    /// Flags of lists.
    #[command(flatten)]
    pub list: List,
    /// Changed from when until when.
    #[command(flatten)]
    pub span: Span,
}

/// From when until when.
#[derive(Debug, Clone, Default, Args)]
pub struct Span {
    /// Not before: 2026-12-31T18:00:00Z, 2026-12-31, today, 2h or 3d ago
    #[arg(long, value_name = "TIME", value_parser = past)]
    pub since: Option<Time>,
    /// Before: as --since
    #[arg(long, value_name = "TIME", value_parser = past)]
    pub until: Option<Time>,
}

/// An object by its name.
#[derive(Debug, Clone, Args)]
pub struct Name {
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// Objects by their names.
#[derive(Debug, Clone, Args)]
pub struct Names {
    /// Their names
    #[arg(value_name = "NAME", required = true)]
    pub names: Vec<String>,
    /// Flags of the change.
    #[command(flatten)]
    pub change: Reasoned,
}

/// Logins and sessions by the beginning of their ids.
#[derive(Debug, Clone, Args)]
pub struct Prefix {
    /// Its id, or the beginning of it (at least six characters)
    #[arg(value_name = "ID")]
    pub id: String,
}
