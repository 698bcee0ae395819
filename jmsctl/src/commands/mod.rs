//! The second stage: what a command means, and doing it. One file a noun.
#![forbid(unsafe_code)]

mod access;
mod accounts;
mod asset;
mod asset_group;
mod command;
pub mod config;
mod csv_file;
mod deeds;
mod defaults;
mod doctor;
pub mod event;
mod evidence;
mod explain;
mod failed;
mod filter;
mod filter_test;
mod follow;
mod grant;
mod host;
mod host_key;
mod init;
mod key;
mod lock;
mod login;
mod login_rule;
pub mod manual;
mod mfa_reset;
mod not_given;
mod password;
mod player;
mod policy_file;
mod replay;
mod rule;
mod scan;
mod secret;
mod selection;
mod session;
mod site;
mod status;
mod system_user;
mod system_user_override;
mod uid_range_file;
mod unknown;
mod user;
mod user_group;

use crate::cli::evidence::Login;
use crate::cli::flags::Reasoned;
use crate::cli::{Arguments, Noun};
use crate::context::{Asker, Context};
use crate::failure::{Done, Failure};
use crate::input::FileArgument;
use crate::output::{self, Output};
use crate::privilege;
use jms::paths::Paths;
use jms::settings::Settings;
use jms::store::{Change, Store, StoreError};

/// Runs root's command that needs the store: root on the way in, the service user after.
pub fn run(arguments: &Arguments, out: Output) -> Done {
    privilege::require_root()?;
    let paths = Paths::system();
    arguments.open_files()?;
    if let Noun::Init(init) = &arguments.noun {
        return init::run(init, arguments, &paths, out);
    }
    if let Noun::Doctor(doctor) = &arguments.noun {
        return doctor::run(doctor, arguments, &paths, out);
    }
    if matches!(arguments.noun, Noun::Status) {
        return status::run(arguments, &paths, out);
    }
    // sshd's log is root's; opened now, and read afterwards.
    let log = match &arguments.noun {
        Noun::Login(Login::Ls(ls)) if ls.unknown => Some((ls, unknown::open(ls))),
        Noun::Login(Login::Ls(ls)) if ls.failed && !ls.follow => Some((ls, not_given::open(ls))),
        _ => None,
    };
    privilege::become_service_user()?;
    let settings = settings(arguments.global.config.as_ref(), &paths)?;
    let store = Store::open(&paths)?;
    let mut context = Context::new(store, &arguments.global, &settings, out, Asker::Root);
    if let Some((ls, log)) = log {
        let done = match ls.unknown {
            true => unknown::run(ls, log?, &mut context),
            false => failed::run(ls, Some(log), &mut context),
        };
        return done.and_then(|()| context.out.flush());
    }
    dispatch(arguments, &mut context)
}

/// Runs a command with the opened store, for whoever asks.
pub fn dispatch(arguments: &Arguments, context: &mut Context) -> Done {
    match &arguments.noun {
        Noun::User(verb) => user::run(verb, context),
        Noun::UserGroup(verb) => user_group::run(verb, context),
        Noun::Key(verb) => key::run(verb, context),
        Noun::Asset(verb) => asset::run(verb, context),
        Noun::HostKey(verb) => host_key::run(verb, context),
        Noun::AssetGroup(verb) => asset_group::run(verb, context),
        Noun::Site(verb) => site::run(verb, context),
        Noun::Platform(verb) => site::run_platform(verb, context),
        Noun::SystemUser(verb) => system_user::run(verb, context),
        Noun::Grant(verb) => grant::run(verb, context),
        Noun::Filter(verb) => filter::run(verb, context),
        Noun::Rule(verb) => rule::run(verb, context),
        // Root's is run before, as root; this is what is left of it over ssh.
        Noun::Status => status::over_ssh(context),
        Noun::Access(verb) => access::run(verb, context),
        Noun::Export(verb) => policy_file::export(verb, context),
        Noun::Diff(verb) => policy_file::diff(verb, context),
        Noun::Apply(verb) => policy_file::apply(verb, context),
        Noun::Defaults(verb) => defaults::run(verb, context),
        Noun::Login(verb) => login::run(verb, context),
        Noun::LoginRule(verb) => login_rule::run(verb, context),
        Noun::Lock(verb) => lock::run(verb, context),
        Noun::Session(verb) => session::run(verb, context),
        Noun::Command(verb) => command::run(verb, context),
        Noun::Event(verb) => event::run(verb, context),
        // The others were run before, by `main`, because they need no store.
        Noun::Init(_)
        | Noun::Doctor(_)
        | Noun::Config(_)
        | Noun::Completion(_)
        | Noun::Man(_)
        | Noun::Version
        | Noun::Help(_) => Ok(()),
    }?;
    context.out.flush()
}

/// The settings. A bad file named by `--config` is an error; the bastion's own only a warning, because
/// `jmsctl user disable` must work on the day on which somebody broke it.
pub fn settings(named: Option<&FileArgument>, paths: &Paths) -> Done<Settings> {
    if let Some(file) = named {
        let text = file.read()?;
        return Settings::parse(text.expose()).map_err(|sentence| {
            Failure::BadInput(format!("{}: {}", file.name(), sentence.trim_end()))
        });
    }
    Ok(Settings::load(&paths.settings()).unwrap_or_else(|error| {
        output::warn(&format!(
            "{error}\nUntil that is mended, the defaults hold here."
        ));
        Settings::default()
    }))
}

/// Removes the objects of these names after asking; all or none. `also`: what goes with each.
fn remove<T: output::Noun>(
    context: &mut Context,
    names: &[String],
    reasoned: &Reasoned,
    also: &str,
    remove: impl Fn(&Change<'_>, &str) -> Result<T, StoreError>,
) -> Done {
    let remove_all = |change: &Change<'_>| {
        names
            .iter()
            .map(|name| remove(change, name))
            .collect::<Result<Vec<T>, _>>()
    };
    if !reasoned.dry_run {
        // Names that do not exist, and what else would go, are said before anybody is asked.
        context.foresee(remove_all)?;
        context.confirm(&format!(
            "Remove the {} {}{also}?",
            T::NAME,
            output::harmless(&names.join(", "))
        ))?;
    }
    let removed = context.change_quietly(reasoned.into(), remove_all)?;
    context.out.removed(&removed, reasoned.dry_run)
}
