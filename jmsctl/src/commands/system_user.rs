//! `jmsctl system-user`.
#![forbid(unsafe_code)]

use super::{remove, system_user_override};
use crate::cli::system_user::{Add, Attributes, Credential, Generate, Set, SystemUser as Verb};
use crate::cli::values::Clearable;
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::input::{FileArgument, passphrase};
use crate::output::Noun;
use jms::keys::{PrivateKey, PrivateKeyError};
use jms::nouns::{CredentialKind, SystemUser, SystemUserOverride};
use jms::secret::{Context as Place, MasterKey};
use jms::store::{Change, NewCredential, Read, StoreError};
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
    if let Some(Credential::Key) = attributes.credential {
        system_user.credential = CredentialKind::Key;
    }
    Ok(())
}

fn add(verb: &Add, context: &mut Context) -> Done {
    jms::names::SystemUserName::new(&verb.name).map_err(Failure::bad)?;
    let key = new_key(&verb.attributes, context)?;
    let now = context.now;
    let added = context.change((&verb.change).into(), |change| {
        let mut system_user = SystemUser::new(&verb.name, now);
        system_user.shell = change.read().defaults()?.shell;
        apply(change.read(), &verb.attributes, &mut system_user)?;
        system_user.comment = verb.change.comment.clone().unwrap_or_default();
        change.add_system_user(&system_user)?;
        keep_key(change, &system_user.name, key.as_ref())
    })?;
    if !added.has_secret {
        context.out.note(
            "it has no key yet: jmsctl system-user set NAME --generate ed25519, or --key FILE",
        );
    }
    context.out.changed(&added)
}

fn set(verb: &Set, context: &mut Context) -> Done {
    context.store.read().system_user(&verb.name)?;
    if !verb.asset.is_empty() || !verb.rm_asset.is_empty() {
        return system_user_override::set(verb, context);
    }
    let key = new_key(&verb.attributes, context)?;
    let edited = context.change((&verb.change).into(), |change| {
        let mut system_user = change.read().system_user(&verb.name)?;
        let before = system_user.clone();
        apply(change.read(), &verb.attributes, &mut system_user)?;
        if let Some(comment) = &verb.change.comment {
            system_user.comment.clone_from(comment);
        }
        // A new key alone is one event, not two.
        if system_user != before || key.is_none() {
            change.set_system_user(&system_user)?;
        }
        keep_key(change, &system_user.name, key.as_ref())
    })?;
    context.out.changed(&edited)
}

/// The private key that was given or asked for, and the key that seals it.
pub fn new_key(
    attributes: &Attributes,
    context: &Context,
) -> Done<Option<(PrivateKey, MasterKey)>> {
    let key = match (&attributes.key, attributes.generate) {
        (Some(file), _) => private_key(file)?,
        (None, Some(Generate::Ed25519)) => {
            PrivateKey::generate_ed25519().map_err(|error| Failure::Failed(error.to_string()))?
        }
        (None, None) => return Ok(None),
    };
    Ok(Some((key, context.master_key()?)))
}

fn private_key(file: &FileArgument) -> Done<PrivateKey> {
    let bad = |error: PrivateKeyError| Failure::BadInput(format!("{}: {error}", file.name()));
    let text = file.read()?;
    match PrivateKey::parse(text.expose(), None) {
        Err(PrivateKeyError::Encrypted) => {
            let passphrase = passphrase(&format!("Passphrase of {}", file.name()))?;
            PrivateKey::parse(text.expose(), Some(passphrase.expose())).map_err(bad)
        }
        other => other.map_err(bad),
    }
}

fn keep_key(
    change: &Change<'_>,
    name: &str,
    key: Option<&(PrivateKey, MasterKey)>,
) -> Result<SystemUser, StoreError> {
    let Some((key, master)) = key else {
        return change.read().system_user(name);
    };
    let public_key = key.public().openssh_line(name);
    let fingerprint = key.public().fingerprint().to_string();
    let new = NewCredential {
        kind: CredentialKind::Key,
        public_key: &public_key,
        fingerprint: &fingerprint,
    };
    change.set_credential(name, &new, |row| seal(key, master, row))
}

/// The key as it is stored in the credential's row of that id.
pub fn seal(key: &PrivateKey, master: &MasterKey, row: i64) -> Result<Vec<u8>, StoreError> {
    let secret = key.to_openssh();
    master
        .seal(&Place::credential(row), secret.expose().as_bytes())
        .map_err(|error| StoreError::Secret {
            sentence: error.to_string(),
        })
}
