//! The first stage of the command line: what was typed. What it means is the commands' business.
//!
//! Trusts nothing that was typed. Help, completions and man pages come from the same tree
//! ([`tree`]); what the grammar plans and nobody has built yet is in `unbuilt`, and shown nowhere.
#![forbid(unsafe_code)]

pub mod access;
pub mod asset;
pub mod command;
pub mod evidence;
pub mod filter;
pub mod flags;
pub mod grant;
pub mod group;
pub mod health;
pub mod key;
pub mod lock;
pub mod login_rule;
pub mod policy_file;
pub mod roles;
pub mod rule;
pub mod site;
pub mod system_user;
mod unbuilt;
pub mod user;
pub mod values;

use crate::failure::{Failure, exit_statuses};
use crate::input::FileArgument;
use clap::{Args, ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use flags::Global;
use std::ffi::OsString;
use std::path::PathBuf;

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "jmsctl",
    version,
    about = "Administer the bastion: users, assets, grants, and what was done with them",
    disable_help_subcommand = true,
    subcommand_value_name = "NOUN",
    subcommand_help_heading = "Nouns",
    max_term_width = 100,
    after_help = format!("{}

Examples:
  jmsctl init --first-admin alice --key alice.pub
  jmsctl help grant add
  jmsctl session ls --online --json", exit_statuses())
)]
pub struct Arguments {
    /// Flags that every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What it is about.
    #[command(subcommand)]
    pub noun: Noun,
}

/// What a command is about.
#[derive(Debug, Subcommand)]
pub enum Noun {
    /// Make the store and what belongs to it, once
    #[command(after_help = "Examples:
  jmsctl init --first-admin alice --key alice.pub
  jmsctl init --uid-range 700000000-700029999")]
    Init(Init),
    /// People and robots who log in to the bastion
    #[command(
        subcommand,
        subcommand_value_name = "VERB",
        subcommand_help_heading = "Verbs",
        after_help = "Example:\n  jmsctl user add alice --key alice.pub"
    )]
    User(user::User),
    /// Sets of users, for grants
    #[command(
        subcommand,
        subcommand_value_name = "VERB",
        subcommand_help_heading = "Verbs",
        after_help = "Example:\n  jmsctl user-group add web-team --user alice,bob"
    )]
    UserGroup(group::UserGroup),
    /// The keys with which users log in
    #[command(
        subcommand,
        subcommand_value_name = "VERB",
        subcommand_help_heading = "Verbs",
        after_help = "Example:\n  jmsctl key add alice alice.pub"
    )]
    Key(key::Key),
    /// Machines that users reach through the bastion
    #[command(
        subcommand,
        subcommand_value_name = "VERB",
        subcommand_help_heading = "Verbs",
        after_help = "Example:\n  jmsctl asset add web1 --address 10.0.0.11 --scan"
    )]
    Asset(asset::Asset),
    /// The keys by which assets are known
    #[command(
        subcommand,
        subcommand_value_name = "VERB",
        subcommand_help_heading = "Verbs",
        after_help = "Example:\n  jmsctl host-key scan web1"
    )]
    HostKey(asset::HostKey),
    /// The tree of places in which assets stand, for grants
    #[command(
        subcommand,
        subcommand_value_name = "VERB",
        subcommand_help_heading = "Verbs",
        after_help = "Example:\n  jmsctl asset-group add /prod/web --asset web1"
    )]
    AssetGroup(group::AssetGroup),
    /// Data centres
    #[command(
        subcommand,
        subcommand_value_name = "VERB",
        subcommand_help_heading = "Verbs",
        after_help = "Example:\n  jmsctl site add south"
    )]
    Site(site::Site),
    /// Kinds of machine
    #[command(
        subcommand,
        subcommand_value_name = "VERB",
        subcommand_help_heading = "Verbs",
        after_help = "Example:\n  jmsctl platform ls"
    )]
    Platform(site::Platform),
    /// Accounts on assets, and their secrets
    #[command(
        subcommand,
        subcommand_value_name = "VERB",
        subcommand_help_heading = "Verbs",
        after_help = "Example:\n  jmsctl system-user add dev --generate ed25519"
    )]
    SystemUser(system_user::SystemUser),
    /// Who may reach what, as whom, with which rights
    #[command(
        subcommand,
        subcommand_value_name = "VERB",
        subcommand_help_heading = "Verbs",
        after_help = "Example:\n  jmsctl grant add web-dev --user alice --asset web1 --system-user dev --rights shell"
    )]
    Grant(grant::Grant),
    /// Lists of rules over command lines, and whom they hold for
    #[command(
        subcommand,
        subcommand_value_name = "VERB",
        subcommand_help_heading = "Verbs",
        after_help = "Example:\n  jmsctl filter test --as alice@dev@web1 'sudo rm -rf /srv'"
    )]
    Filter(filter::Filter),
    /// What filters forbid, allow, warn of or have confirmed
    #[command(
        subcommand,
        subcommand_value_name = "VERB",
        subcommand_help_heading = "Verbs",
        after_help = "Example:\n  jmsctl rule add careful --verdict deny --command 'rm -rf'"
    )]
    Rule(rule::Rule),
    /// Who reaches what, through which grant, and why
    #[command(
        subcommand,
        subcommand_value_name = "VERB",
        subcommand_help_heading = "Verbs",
        after_help = "Example:\n  jmsctl access explain alice@dev@web1 --right shell"
    )]
    Access(access::Access),
    /// What new objects get when nobody says otherwise
    #[command(
        subcommand,
        subcommand_value_name = "VERB",
        subcommand_help_heading = "Verbs",
        after_help = "Example:\n  jmsctl defaults show"
    )]
    Defaults(site::Defaults),
    /// Print the policy as a TOML file, without secrets
    #[command(
        after_help = "Examples:\n  jmsctl export > policy.toml\n  jmsctl export user user-group"
    )]
    Export(policy_file::Export),
    /// Show how the policy differs from a file; exit status 1 if it does
    #[command(after_help = "Example:\n  jmsctl diff policy.toml --prune")]
    Diff(policy_file::Diff),
    /// Make the policy what a file says: shown first, asked for, all or nothing
    #[command(
        after_help = "Examples:\n  jmsctl apply policy.toml\n  jmsctl apply - --yes --prune < policy.toml"
    )]
    Apply(policy_file::Apply),
    /// From where and when users may log in
    #[command(
        subcommand,
        subcommand_value_name = "VERB",
        subcommand_help_heading = "Verbs",
        after_help = "Example:\n  jmsctl login-rule test alice --source 10.8.1.2"
    )]
    LoginRule(login_rule::LoginRule),
    /// Connections of users to the bastion
    #[command(
        subcommand,
        subcommand_value_name = "VERB",
        subcommand_help_heading = "Verbs",
        after_help = "Example:\n  jmsctl login ls --since today"
    )]
    Login(evidence::Login),
    /// Wrong answers that are counted, and whom they keep out
    #[command(
        subcommand,
        subcommand_value_name = "VERB",
        subcommand_help_heading = "Verbs",
        after_help = "Example:\n  jmsctl lock ls"
    )]
    Lock(lock::Lock),
    /// What users did on assets, and its recordings
    #[command(
        subcommand,
        subcommand_value_name = "VERB",
        subcommand_help_heading = "Verbs",
        after_help = "Example:\n  jmsctl session ls --online"
    )]
    Session(evidence::Session),
    /// What users ran on assets, line by line, and what the filters said of it
    #[command(
        subcommand,
        subcommand_value_name = "VERB",
        subcommand_help_heading = "Verbs",
        after_help = "Example:\n  jmsctl command ls --user alice --since today"
    )]
    Command(command::Command),
    /// Everything that happened, as syslog is told it
    #[command(
        subcommand,
        subcommand_value_name = "VERB",
        subcommand_help_heading = "Verbs",
        after_help = "Example:\n  jmsctl event ls --follow"
    )]
    Event(evidence::Event),
    /// Say what is wrong with this host, and the command that mends it; exit status 1 if anything is
    #[command(
        after_help = "Every finding has an id that stays, a severity (critical, error, warning), a sentence, and a
line for the shell that mends it, to be read first and then run by root.

Examples:
  jmsctl doctor
  jmsctl doctor --profile bastion --json
  ssh vault cat secret.key | jmsctl doctor --confirm-backup -
  ssh -t ADMIN@bastion sudo jmsctl doctor --confirm-local-account"
    )]
    Doctor(health::Doctor),
    /// Show on one screen how the bastion is: online, last logins, refusals, store, disk, clock
    #[command(after_help = "Examples:\n  jmsctl status\n  jmsctl status --json")]
    Status,
    /// The settings of this bastion
    #[command(
        subcommand,
        subcommand_value_name = "VERB",
        subcommand_help_heading = "Verbs",
        after_help = "Example:\n  jmsctl config check"
    )]
    Config(Config),
    /// Print the completions for a shell
    #[command(after_help = "Example:\n  jmsctl completion bash > /etc/bash_completion.d/jmsctl")]
    Completion(Completion),
    /// Print the manual page of a noun, or write them all
    #[command(
        after_help = "Examples:\n  jmsctl man | man -l -\n  jmsctl man grant | man -l -\n  jmsctl man --out /usr/local/share/man/man8"
    )]
    Man(Man),
    /// Print the version
    #[command(after_help = "Example:\n  jmsctl version --json")]
    Version,
    /// Explain a noun or one of its verbs
    #[command(after_help = "Example:\n  jmsctl help grant add")]
    Help(Words),
}

/// `init`
#[derive(Debug, Args)]
pub struct Init {
    /// Add this user with the role admin
    #[arg(long, value_name = "NAME")]
    pub first_admin: Option<String>,
    /// The first administrator's login key: a .pub file, or - for standard input
    #[arg(long, value_name = "FILE|-", requires = "first_admin")]
    pub key: Option<FileArgument>,
    /// The uids that users may get (70000-99999 unless told otherwise), none of which is used here
    #[arg(long, value_name = "A-B")]
    pub uid_range: Option<values::Uids>,
}

/// Verbs of `config`.
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Say whether the settings are right; exit status 1 if not
    #[command(after_help = "Example:\n  jmsctl config check /tmp/new-jms.toml")]
    Check(Check),
    /// Print the settings
    #[command(after_help = "Example:\n  jmsctl config show --effective")]
    Show(Show),
    /// Print where the settings are read from
    #[command(after_help = "Example:\n  jmsctl config path")]
    Path,
}

/// `config check`
#[derive(Debug, Args)]
pub struct Check {
    /// The file; without: the one that is in force
    #[arg(value_name = "FILE|-")]
    pub file: Option<FileArgument>,
}

/// `config show`
#[derive(Debug, Args)]
pub struct Show {
    /// With the defaults of everything that the file does not say
    #[arg(long)]
    pub effective: bool,
}

/// `completion`
#[derive(Debug, Args)]
pub struct Completion {
    /// Which shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Shells that are completed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// Bash.
    Bash,
    /// Zsh.
    Zsh,
    /// Fish.
    Fish,
}

/// `man`
#[derive(Debug, Args)]
pub struct Man {
    /// The command.
    #[command(flatten)]
    pub words: Words,
    /// Write the pages of all commands into this folder
    #[arg(long, value_name = "FOLDER", conflicts_with = "words")]
    pub out: Option<PathBuf>,
}

/// A command by its words.
#[derive(Debug, Args)]
pub struct Words {
    /// A noun, and perhaps one of its verbs
    #[arg(value_name = "NOUN [VERB]", num_args = 0..=2)]
    pub words: Vec<String>,
}

/// Why there is no command to run.
pub enum Stop {
    /// Help, version, or a wrong usage: clap's own words and exit status.
    Clap(clap::Error),
    /// Something of ours.
    Failure(Failure),
    /// Who asks over ssh may not.
    Refused(roles::Refusal),
}

/// The tree of everything that is built: the source of help, completions and man pages.
pub fn tree() -> clap::Command {
    Arguments::command()
}

/// Reads the command line, of root or of somebody over ssh.
pub fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    asker: Option<roles::OverSsh>,
) -> Result<Arguments, Stop> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    // Clap colours its own help and errors before it knows that nobody wants that.
    let plain = arguments.iter().any(|word| word == "--no-color");
    let colour = if plain {
        ColorChoice::Never
    } else {
        ColorChoice::Auto
    };
    let tree = unbuilt::add_to(tree()).color(colour);
    let matches = tree
        .clone()
        .try_get_matches_from(&arguments)
        .map_err(|error| Stop::Clap(without_planned(error, &arguments, colour)))?;
    if let Some(asker) = asker {
        roles::check(asker, &tree, &matches).map_err(Stop::Refused)?;
    }
    if let Some(what) = unbuilt::asked_for(&matches) {
        return Err(Stop::Failure(Failure::NotInThisVersion(what)));
    }
    Arguments::from_arg_matches(&matches).map_err(Stop::Clap)
}

/// The same error of the tree without what is planned, so that no advice leads to it.
fn without_planned(error: clap::Error, words: &[OsString], colour: ColorChoice) -> clap::Error {
    use clap::error::ErrorKind::{InvalidSubcommand, UnknownArgument};
    if !matches!(error.kind(), InvalidSubcommand | UnknownArgument) {
        return error;
    }
    let again = tree().color(colour).try_get_matches_from(words);
    match again {
        Err(plain) if plain.kind() == error.kind() => plain,
        _ => error,
    }
}

/// The command of these words, for help and man pages.
pub fn find(words: &[String]) -> Result<clap::Command, Failure> {
    let mut tree = tree();
    tree.build();
    let mut found = &tree;
    for (depth, word) in words.iter().enumerate() {
        found = found.find_subcommand(word).ok_or_else(|| {
            let asked: Vec<&str> = words.iter().take(depth + 1).map(String::as_str).collect();
            if unbuilt::is_planned(&asked) {
                return Failure::NotInThisVersion(asked.join(" "));
            }
            let names: Vec<&str> = found
                .get_subcommands()
                .map(clap::Command::get_name)
                .collect();
            let near =
                jms::names::nearest(word, names).map(|near| format!("; did you mean {near}?"));
            Failure::Missing(format!(
                "there is no command “{}”{}",
                word.escape_debug(),
                near.unwrap_or_default()
            ))
        })?;
    }
    Ok(found.clone())
}

impl Arguments {
    /// Opens the files that were named: root's right to read them ends when we become the service user.
    pub fn open_files(&self) -> Result<(), Failure> {
        let files = [
            self.global.config.as_ref(),
            match &self.noun {
                Noun::User(user::User::Add(add)) if add.csv.is_some() => add.csv.as_ref(),
                Noun::Asset(asset::Asset::Add(add)) => add.csv.as_ref(),
                Noun::Init(init) => init.key.as_ref(),
                Noun::User(user::User::Add(add)) => add.key.as_ref(),
                Noun::User(user::User::PasswordReset(reset)) => reset.password.as_ref(),
                Noun::Key(key::Key::Add(add)) => Some(&add.key),
                Noun::HostKey(asset::HostKey::Add(add)) => Some(&add.key),
                Noun::SystemUser(system_user::SystemUser::Add(add)) => add.attributes.file(),
                Noun::SystemUser(system_user::SystemUser::Set(set)) => set.attributes.file(),
                Noun::Filter(filter::Filter::Load(load)) => Some(&load.file),
                Noun::Diff(diff) => Some(&diff.file),
                Noun::Apply(apply) => Some(&apply.file),
                Noun::Config(Config::Check(check)) => check.file.as_ref(),
                Noun::Doctor(doctor) => doctor.confirm_backup.as_ref(),
                _ => None,
            },
        ];
        files.into_iter().flatten().try_for_each(FileArgument::open)
    }
}

#[cfg(test)]
mod tests;
