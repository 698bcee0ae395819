//! Who may do what over ssh: one table, from the grammar's column WHO, and what holds for all of it.
//!
//! Trusts nothing that was typed. Root on the bastion itself may do everything; this is about
//! `ssh admin@bastion jmsctl …`. A command without a row is root's, and a test fails for it: whoever adds a
//! command says here who may use it.
#![forbid(unsafe_code)]

use crate::input::FileArgument;
use clap::parser::ArgMatches;
use clap::{Arg, Command};
use std::any::TypeId;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// For whom a command is, the least role first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// Auditors and administrators over ssh: what reads evidence.
    Auditor,
    /// Administrators over ssh: what reads and changes policy.
    Admin,
    /// Root on the bastion only: what deletes or releases evidence, and what needs files.
    Root,
}

/// Noun, its verbs (none: the noun alone is the command), who may use them over ssh.
type Row = (&'static str, &'static str, Who);

const TABLE: &[Row] = {
    use Who::{Admin, Auditor, Root};
    &[
        ("init", "", Root),
        ("status", "", Auditor),
        ("doctor", "", Root),
        ("config", "check show path", Root),
        ("defaults", "show set", Admin),
        ("export", "", Admin),
        ("diff", "", Admin),
        ("apply", "", Admin),
        (
            "user",
            "add set rm ls show disable enable mfa-reset password-reset",
            Admin,
        ),
        ("user-group", "add set rm ls show", Admin),
        ("key", "add set rm ls show", Admin),
        ("asset", "add set rm ls show test gather", Admin),
        ("host-key", "scan ls add rm", Admin),
        ("asset-group", "add set rm ls show", Admin),
        ("site", "add set rm ls show", Admin),
        ("platform", "ls show", Admin),
        ("system-user", "add set rm ls show", Admin),
        ("grant", "add set rm ls show", Admin),
        ("access", "ls explain", Auditor),
        ("login", "ls show", Auditor),
        ("login-rule", "add set rm ls show test", Admin),
        ("lock", "ls show rm", Admin),
        ("session", "ls show replay export search watch", Auditor),
        ("session", "hold kill pause resume message join", Admin),
        ("session", "unhold", Root),
        ("command", "ls show", Auditor),
        ("transfer", "ls show", Auditor),
        (
            "filter",
            "add set rm ls show load test attach detach",
            Admin,
        ),
        ("rule", "add set rm ls show", Admin),
        ("sudo-alias", "add set rm ls show", Admin),
        ("push", "run plan status ls show", Admin),
        ("credential", "ls show rotate verify due", Admin),
        ("ca", "show rotate finish-rotation revoke krl", Admin),
        ("batch", "run put ls show", Admin),
        ("recording", "verify checkpoint du", Auditor),
        ("recording", "prune", Root),
        ("recording key", "add ls rm", Root),
        ("event", "ls schema", Auditor),
        ("event", "resend", Admin),
        ("report", "", Auditor),
        ("backup", "", Root),
        ("restore", "", Root),
        ("mail", "test", Admin),
        ("completion", "", Auditor),
        ("man", "", Auditor),
        ("version", "", Auditor),
        ("help", "", Auditor),
    ]
};

/// Who asks, of those for whom there is something to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OverSsh {
    /// An administrator.
    Admin,
    /// An auditor.
    Auditor,
}

/// Why somebody over ssh may not do what he typed. [`Refusal::sentence`] is for him.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It is for others.
    Role {
        /// Noun and verb.
        command: String,
        /// For whom it is.
        who: Who,
    },
    /// It names a file of the bastion.
    File {
        /// The flag or operand.
        argument: String,
        /// Whether standard input may take the file's place.
        standard: bool,
    },
}

impl Refusal {
    /// A stable word for events.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Role { .. } => "role",
            Self::File { .. } => "file",
        }
    }

    /// What to say to whoever asked.
    pub fn sentence(&self) -> String {
        match self {
            Self::Role { command, who } => {
                let who = match who {
                    Who::Auditor => "auditors and administrators",
                    Who::Admin => "administrators",
                    Who::Root => "root on the bastion itself",
                };
                format!("{command} is not allowed for you: it is for {who}")
            }
            Self::File {
                argument,
                standard: true,
            } => format!(
                "{argument}: over ssh no file of the bastion is read or written; give - and the content on standard input"
            ),
            Self::File {
                argument,
                standard: false,
            } => format!(
                "{argument}: over ssh no file of the bastion is read or written; leave it out"
            ),
        }
    }
}

/// Refuses what `matches`, of the commands in `tree`, may not be asked over ssh.
pub fn check(asker: OverSsh, tree: &Command, matches: &ArgMatches) -> Result<(), Refusal> {
    let mut words: Vec<&str> = Vec::new();
    let (mut command, mut given) = (tree, matches);
    let mut refused_file = file_of(command, given);
    while let Some((word, inner)) = given.subcommand() {
        words.push(word);
        let Some(found) = command.find_subcommand(word) else {
            break;
        };
        (command, given) = (found, inner);
        refused_file = refused_file.or(file_of(command, given));
    }
    let who = who_may(&words);
    let allowed = match asker {
        OverSsh::Admin => who <= Who::Admin,
        OverSsh::Auditor => who <= Who::Auditor,
    };
    if !allowed {
        let command = words.join(" ");
        return Err(Refusal::Role { command, who });
    }
    refused_file.map_or(Ok(()), Err)
}

/// Who may use the command of these words over ssh.
pub fn who_may(words: &[&str]) -> Who {
    let (noun, verb) = match words {
        [noun] => ((*noun).to_owned(), ""),
        [nouns @ .., verb] => (nouns.join(" "), *verb),
        [] => return Who::Root,
    };
    let is_row = |row: &&Row| {
        row.0 == noun
            && (row.1 == verb || !verb.is_empty() && row.1.split(' ').any(|one| one == verb))
    };
    TABLE.iter().find(is_row).map_or(Who::Root, |row| row.2)
}

/// The first argument of `command` that names a file.
fn file_of(command: &Command, given: &ArgMatches) -> Option<Refusal> {
    let refusal = |argument: &Arg, standard| Refusal::File {
        argument: spelled(argument),
        standard,
    };
    let raw = |argument: &Arg| -> Vec<OsString> {
        let values = given.try_get_raw(argument.get_id().as_str()).ok().flatten();
        values.into_iter().flatten().map(OsStr::to_owned).collect()
    };
    command.get_arguments().find_map(|argument| {
        let values = raw(argument);
        match file_kind(argument)? {
            // The settings are root's file: nobody chooses others over ssh, by no way.
            FileKind::Read if argument.get_id() == "config" => {
                (!values.is_empty()).then(|| refusal(argument, false))
            }
            FileKind::Read => {
                let outside = values.iter().any(|value| value != "-");
                outside.then(|| refusal(argument, true))
            }
            FileKind::Path => (!values.is_empty()).then(|| refusal(argument, false)),
        }
    })
}

/// How an argument names a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileKind {
    /// A file that is read, or `-`.
    Read,
    /// A place where something is written.
    Path,
}

fn file_kind(argument: &Arg) -> Option<FileKind> {
    let kind = argument.get_value_parser().type_id();
    if kind == TypeId::of::<FileArgument>() {
        Some(FileKind::Read)
    } else if kind == TypeId::of::<PathBuf>() {
        Some(FileKind::Path)
    } else {
        None
    }
}

/// The argument as it is typed.
fn spelled(argument: &Arg) -> String {
    argument.get_long().map_or_else(
        || argument.get_id().to_string().to_uppercase(),
        |long| format!("--{long}"),
    )
}

#[cfg(test)]
#[path = "roles_tests.rs"]
mod tests;
