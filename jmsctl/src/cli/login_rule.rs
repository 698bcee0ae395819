//! `jmsctl login-rule …` as it is typed.
#![forbid(unsafe_code)]

use super::flags::{Change, Ls, Name, Names};
use super::values::{moment_or_now, network_or_none};
use clap::{Args, Subcommand};
use jms::nouns::Role;
use jms::policy::login_rule::Verdict;
use jms::time::Time;
use std::net::IpAddr;

/// Verbs of `login-rule`.
#[derive(Debug, Subcommand)]
pub enum LoginRule {
    /// Say from where and when users may log in
    #[command(
        after_help = "The first rule that fits decides, by priority, lower numbers first; of equal ones
the stricter verdict. Where no rule fits, nothing is said against a login. Rules judge logins
and what is begun through them; what runs already goes on.

Examples:
  jmsctl login-rule add office --time 'Mon-Fri 09:00-18:00 Asia/Shanghai' --verdict allow
  jmsctl login-rule add nobody-else --priority 99 --verdict deny
  jmsctl login-rule add vpn-only --user-group contractors --source 10.8.0.0/16 --verdict allow
  jmsctl login-rule add night --role admin --time 'Mon-Sun 22:00-06:00 UTC' --verdict notify"
    )]
    Add(Add),
    /// Change a login rule: --user A,B replaces the list, --add-user and --rm-user change it
    #[command(after_help = "Examples:
  jmsctl login-rule set office --add-user bob
  jmsctl login-rule set office --time 'Mon-Sat 08:00-20:00 Europe/Berlin' --source none")]
    Set(Box<Set>),
    /// Remove login rules
    #[command(after_help = "Example:\n  jmsctl login-rule rm office")]
    Rm(Names),
    /// List login rules in the order in which they are asked
    #[command(after_help = "Examples:\n  jmsctl login-rule ls\n  jmsctl login-rule ls --json")]
    Ls(Ls),
    /// Show a login rule
    #[command(after_help = "Example:\n  jmsctl login-rule show office")]
    Show(Name),
    /// Say what the rules would say of a login, and why, rule by rule
    #[command(after_help = "Ends with 0 if the login would be let in, with 1 if not.

Examples:
  jmsctl login-rule test alice --source 10.8.1.2
  jmsctl login-rule test alice --source 10.8.1.2 --at 2026-12-24T20:00:00+01:00")]
    Test(Test),
}

/// When in the order, who, from where, when.
#[derive(Debug, Clone, Args)]
pub struct Attributes {
    /// A number from 1 to 10000; lower ones are asked first (50 unless told otherwise)
    #[arg(long, value_name = "N")]
    pub priority: Option<u32>,
    /// Users; who names nobody at all means everybody
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub user: Option<Vec<String>>,
    /// User groups: whoever is in them then
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub user_group: Option<Vec<String>>,
    /// Roles: user, auditor, admin
    #[arg(long, value_name = "ROLE,…", value_delimiter = ',', value_parser = role_or_none)]
    pub role: Option<Vec<String>>,
    /// Networks that logins come from; none: from anywhere
    #[arg(long, value_name = "CIDR,…", value_delimiter = ',', value_parser = network_or_none)]
    pub source: Option<Vec<String>>,
    /// Hours of the week and their time zone, as in 'Mon-Fri 09:00-18:00 Asia/Shanghai'; may be given more than
    /// once; an end before its beginning lies on the next day; none: at any time
    #[arg(long, value_name = "DAYS HOURS ZONE")]
    pub time: Option<Vec<String>>,
}

/// `login-rule add`
#[derive(Debug, Args)]
pub struct Add {
    /// A letter, digit or _, then letters, digits, . _ -
    #[arg(value_name = "NAME")]
    pub name: String,
    /// What it says: allow, deny, or notify (allow, and an event of its own)
    #[arg(long, value_name = "VERDICT", value_parser = verdict)]
    pub verdict: Verdict,
    /// Attributes.
    #[command(flatten)]
    pub attributes: Attributes,
    /// Flags of the change.
    #[command(flatten)]
    pub change: Change,
}

/// `login-rule set`
#[derive(Debug, Args)]
pub struct Set {
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: String,
    /// What it says: allow, deny, or notify (allow, and an event of its own)
    #[arg(long, value_name = "VERDICT", value_parser = verdict)]
    pub verdict: Option<Verdict>,
    /// Attributes.
    #[command(flatten)]
    pub attributes: Attributes,
    /// About everybody from now on, whoever was named before
    #[arg(long, conflicts_with_all = ["user", "user_group", "role", "add_user", "add_user_group"])]
    pub everybody: bool,
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
    /// Flags of the change.
    #[command(flatten)]
    pub change: Change,
}

/// `login-rule test`
#[derive(Debug, Args)]
pub struct Test {
    /// Who would log in
    #[arg(value_name = "USER")]
    pub user: String,
    /// From which address
    #[arg(long, value_name = "IP")]
    pub source: IpAddr,
    /// When: 2026-12-31T18:00:00Z, a day, 2h or 3d from now; now unless told otherwise
    #[arg(long, value_name = "TIME", value_parser = moment_or_now)]
    pub at: Option<Time>,
}

fn verdict(text: &str) -> Result<Verdict, String> {
    Verdict::parse(text).ok_or_else(|| "one of allow, deny, notify".to_owned())
}

fn role_or_none(text: &str) -> Result<String, String> {
    match Role::parse(text) {
        None if text != "none" => Err("one of user, auditor, admin; or none".to_owned()),
        _ => Ok(text.to_owned()),
    }
}
