//! `jmsctl system-user`.
#![forbid(unsafe_code)]

use super::secret::{self, NewSecret};
use super::{remove, system_user_override};
use crate::cli::system_user::{Add, Attributes, Credential, Set, SystemUser as Verb};
use crate::cli::values::Clearable;
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output::Noun;
use jms::nouns::{CredentialKind, SystemUser, SystemUserOverride};
use jms::store::{Change, Read, StoreError};
use serde::Serialize;

impl Noun for SystemUser {
    const NAME: &'static str = "system user";
    const KEY: &'static str = "name";
    const FIELDS: &'static [&'static str] = &[
        "name",
        "login",
        "privileged",
        "dynamic",
        "shell",
        "credential",
        "public_key",
        "fingerprint",
        "has_secret",
        "auto_push",
        "shell_hooks",
        "comment",
        "created_at",
        "updated_at",
    ];
    const COLUMNS: &'static [&'static str] = &[
        "name",
        "login",
        "privileged",
        "credential",
        "fingerprint",
        "has_secret",
        "comment",
    ];
}

/// A system user with what differs on single assets.
#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    system_user: SystemUser,
    overrides: Vec<SystemUserOverride>,
}

impl Whole {
    fn read(read: Read<'_>, name: &str) -> Result<Self, StoreError> {
        Ok(Self {
            system_user: read.system_user(name)?,
            overrides: read.overrides(Some(name))?,
        })
    }
}

/// Runs a verb.
pub fn run(verb: &Verb, context: &mut Context) -> Done {
    match verb {
        Verb::Add(verb) => add(verb, context),
        Verb::Set(verb) => set(verb, context),
        Verb::Rm(names) => remove::<SystemUser>(
            context,
            &names.names,
            &names.change,
            " with all secrets and direct grants",
            |change, name| change.remove_system_user(name),
        ),
        Verb::Ls(ls) => {
            let system_users = context.store.read().system_users()?;
            context.out.list_policy(system_users, ls)
        }
        Verb::Show(verb) => {
            let whole = Whole::read(context.store.read(), &verb.name)?;
            context.out.show(&whole)
        }
    }
}

fn apply(
    read: Read<'_>,
    attributes: &Attributes,
    system_user: &mut SystemUser,
) -> Result<(), StoreError> {
    let given = secret::kind(attributes);
    let attributes = attributes.clone();
    if let Some(login) = attributes.login {
        system_user.login = login.into_option();
    }
    match attributes.shell {
        Some(Clearable::Set(shell)) => system_user.shell = shell,
        Some(Clearable::Nothing) => system_user.shell = read.defaults()?.shell,
        None => {}
    }
    system_user.privileged = attributes.privileged.unwrap_or(system_user.privileged);
    system_user.dynamic = attributes.dynamic.unwrap_or(system_user.dynamic);
    system_user.shell_hooks = attributes.shell_hooks.unwrap_or(system_user.shell_hooks);
    let said = attributes.credential.map(|credential| match credential {
        Credential::Key => CredentialKind::Key,
        Credential::Password => CredentialKind::Password,
        Credential::Ask => CredentialKind::Ask,
    });
    if let (Some(said), Some(given)) = (said, given)
        && said != given
    {
        let sentence = format!(
            "--credential {} does not go with a {} that is given",
            said.as_str(),
            given.as_str()
        );
        return Err(StoreError::Refused { sentence });
    }
    system_user.credential = said.or(given).unwrap_or(system_user.credential);
    Ok(())
}

fn add(verb: &Add, context: &mut Context) -> Done {
    jms::names::SystemUserName::new(&verb.name).map_err(Failure::bad)?;
    let secret = NewSecret::given(&verb.attributes, context)?;
    let now = context.now;
    let added = context.change((&verb.change).into(), |change| {
        let mut system_user = SystemUser::new(&verb.name, now);
        system_user.shell = change.read().defaults()?.shell;
        apply(change.read(), &verb.attributes, &mut system_user)?;
        system_user.comment = verb.change.comment.clone().unwrap_or_default();
        change.add_system_user(&system_user)?;
        keep(change, &system_user.name, secret.as_ref())
    })?;
    match added.credential {
        CredentialKind::Key if !added.has_secret => context.out.note(
            "it has no key yet: jmsctl system-user set NAME --generate ed25519, or --key FILE",
        ),
        CredentialKind::Password if !added.has_secret => context
            .out
            .note("it has no password yet: jmsctl system-user set NAME --password -"),
        _ => {}
    }
    context.out.changed(&added)
}

fn set(verb: &Set, context: &mut Context) -> Done {
    context.store.read().system_user(&verb.name)?;
    if !verb.asset.is_empty() || !verb.rm_asset.is_empty() {
        return system_user_override::set(verb, context);
    }
    let secret = NewSecret::given(&verb.attributes, context)?;
    let edited = context.change((&verb.change).into(), |change| {
        let mut system_user = change.read().system_user(&verb.name)?;
        let before = system_user.clone();
        apply(change.read(), &verb.attributes, &mut system_user)?;
        if let Some(comment) = &verb.change.comment {
            system_user.comment.clone_from(comment);
        }
        // A new secret alone is one event, not two.
        if system_user != before || secret.is_none() {
            change.set_system_user(&system_user)?;
        }
        keep(change, &system_user.name, secret.as_ref())
    })?;
    context.out.changed(&edited)
}

fn keep(
    change: &Change<'_>,
    name: &str,
    secret: Option<&NewSecret>,
) -> Result<SystemUser, StoreError> {
    match secret {
        Some(secret) => secret.keep(change, name),
        None => change.read().system_user(name),
    }
}
