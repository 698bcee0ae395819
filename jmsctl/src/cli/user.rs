//! `jmsctl user …` as it is typed.
#![forbid(unsafe_code)]

use super::flags::{Change, Ls, Name, Names, Reasoned};
use super::values::{Clearable, one_line, validity};
use crate::input::FileArgument;
use clap::{Args, Subcommand};
use jms::nouns::{Mfa, MfaAsked, Role};
use jms::time::Time;

/// Verbs of `user`.
#[derive(Debug, Subcommand)]
pub enum User {
    /// Add a user, with a uid that nobody ever had
    #[command(after_help = "Examples:
  jmsctl user add alice --full-name 'Alice Liddell' --key alice.pub
  ssh-keygen -y -f id_ed25519 | jmsctl user add robot --key - --valid-until 90d
  jmsctl user add --csv people.csv --dry-run")]
    Add(Add),
    /// Change a user
    #[command(after_help = "Examples:
  jmsctl user set alice --email alice@example.org
  jmsctl user set alice --valid-until none
  jmsctl user set alice --mfa totp --mfa-asked session")]
    Set(Set),
    /// Remove users with their keys and direct grants; what they did stays in the evidence
    #[command(after_help = "Example:\n  jmsctl user rm alice --comment 'left the company'")]
    Rm(Names),
    /// List users
    #[command(after_help = "Examples:
  jmsctl user ls
  jmsctl user ls 'a*' --json
  jmsctl user ls --columns name,email,valid_until --sort -valid_until")]
    Ls(Ls),
    /// Show a user with the login keys
    #[command(after_help = "Example:\n  jmsctl user show alice")]
    Show(Name),
    /// Keep users out: their sessions end at once, nothing else is lost
    #[command(after_help = "Example:\n  jmsctl user disable alice --comment 'laptop stolen'")]
    Disable(Names),
    /// Let users in again who were disabled, or were not here for too long
    #[command(after_help = "Example:\n  jmsctl user enable alice")]
    Enable(Names),
    /// Take a user's second factor away; print the code with which he enrols another
    #[command(
        after_help = "For a phone that was lost. What was enrolled, the recovery codes and what is remembered are gone at once. The
code is printed once: hand it to the person in another way than by mail or chat on the same machine.
Without it the login key alone enrols nothing, so whoever has stolen the key gets no further.
For a user who has no factor yet, the first one then takes this code as well.

Example:
  jmsctl user mfa-reset alice --comment 'phone lost, she came by'"
    )]
    MfaReset(MfaReset),
    /// Give a user a password that is good for one login, in which he chooses his own
    #[command(
        after_help = "Printed once, and kept only as a hash. It lets nobody in until passwords are switched on: see
password in jms.toml(5).

Examples:
  jmsctl user password-reset alice
  jmsctl user password-reset alice --password -
  jmsctl user password-reset alice --remove"
    )]
    PasswordReset(PasswordReset),
}

/// `user mfa-reset`
#[derive(Debug, Args)]
pub struct MfaReset {
    /// Login name
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Flags of the change.
    #[command(flatten)]
    pub change: Reasoned,
}

/// `user password-reset`
#[derive(Debug, Args)]
pub struct PasswordReset {
    /// Login name
    #[arg(value_name = "NAME")]
    pub name: String,
    /// This one, from a file or - for standard input or a question, instead of a random one
    #[arg(long, value_name = "FILE|-", conflicts_with = "remove")]
    pub password: Option<FileArgument>,
    /// Take the password away: only keys let the user in then
    #[arg(long)]
    pub remove: bool,
    /// Flags of the change.
    #[command(flatten)]
    pub change: Reasoned,
}

/// Attributes of a user.
#[derive(Debug, Clone, Default, Args)]
pub struct Attributes {
    /// The person's name
    #[arg(long, value_name = "TEXT", value_parser = one_line)]
    pub full_name: Option<String>,
    /// Where mail reaches the person
    #[arg(long, value_name = "ADDRESS", value_parser = one_line)]
    pub email: Option<String>,
    /// user reaches assets; auditor also reads evidence, and who reaches what; admin also changes policy
    #[arg(long, value_name = "ROLE", value_parser = role)]
    pub role: Option<Role>,
    /// Second factor demanded of him, beside what the policy of his role demands: a code (totp), security keys that
    /// verify their person and nothing else (security-key), or either (any)
    #[arg(long, value_name = "FACTOR", value_parser = factor)]
    pub mfa: Option<Mfa>,
    /// Where a code is asked for: by sshd at login, or in the session, where BatchMode clients come as far
    #[arg(long, value_name = "WHERE", value_parser = asked)]
    pub mfa_asked: Option<MfaAsked>,
    /// The user groups that he is in; none: no group
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub user_group: Option<Vec<String>>,
    /// May log in from then on: a time, a day, 3d from now; none takes it away
    #[arg(long, value_name = "TIME", value_parser = validity)]
    pub valid_from: Option<Clearable<Time>>,
    /// May log in until then; as --valid-from
    #[arg(long, value_name = "TIME", value_parser = validity)]
    pub valid_until: Option<Clearable<Time>>,
}

/// `user add`
#[derive(Debug, Args)]
pub struct Add {
    /// Login name: a lower-case letter or _, then lower-case letters, digits, _ . -
    #[arg(value_name = "NAME", required_unless_present = "csv")]
    pub name: Option<String>,
    /// The first login key: a .pub file, or - for standard input
    #[arg(long, value_name = "FILE|-")]
    pub key: Option<FileArgument>,
    /// Users from a table in CSV, as exported by JumpServer or written by hand; all lines or none
    #[arg(long, value_name = "FILE|-", conflicts_with_all = ["name", "key", "Attributes"])]
    pub csv: Option<FileArgument>,
    /// With --csv: add the lines that are right, and say which are not
    #[arg(long)]
    pub skip_bad: bool,
    /// Attributes.
    #[command(flatten)]
    pub attributes: Attributes,
    /// Flags of the change.
    #[command(flatten)]
    pub change: Change,
}

/// `user set`
#[derive(Debug, Args)]
pub struct Set {
    /// Login name
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Attributes.
    #[command(flatten)]
    pub attributes: Attributes,
    /// In these user groups too
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub add_user_group: Vec<String>,
    /// No longer in these user groups
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub rm_user_group: Vec<String>,
    /// Flags of the change.
    #[command(flatten)]
    pub change: Change,
}

/// A second factor, in `defaults set` too.
pub(super) fn factor(text: &str) -> Result<Mfa, String> {
    Mfa::parse(text).ok_or_else(|| "second factors are off, totp, security-key and any".to_owned())
}

fn asked(text: &str) -> Result<MfaAsked, String> {
    MfaAsked::parse(text).ok_or_else(|| {
        "a second factor is asked for at login or in the session: login, session".to_owned()
    })
}

fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| "roles are user, auditor and admin".to_owned())
}
