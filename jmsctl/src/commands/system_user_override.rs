//! `jmsctl system-user set NAME --asset …`: what differs of a system user on single assets.
#![forbid(unsafe_code)]

use super::selection::expand;
use super::system_user::{new_key, seal};
use crate::cli::system_user::{Attributes, Set};
use crate::context::Context;
use crate::failure::{Done, Failure};
use jms::keys::PrivateKey;
use jms::nouns::{CredentialKind, SystemUserOverride};
use jms::secret::MasterKey;
use jms::store::{Change, NewCredential, Selector, StoreError};

type Key = (PrivateKey, MasterKey);

/// Runs the verb for the assets that were named.
pub fn set(verb: &Set, context: &mut Context) -> Done {
    let attributes = &verb.attributes;
    let says_nothing =
        attributes.login.is_none() && attributes.shell.is_none() && !has_key(attributes);
    if !verb.asset.is_empty() && says_nothing {
        return Err(Failure::BadInput(
            "say what differs on these assets: --login, --shell, --key or --generate".to_owned(),
        ));
    }
    let read = context.store.read();
    let assets = expand(read, Selector::Asset, &verb.asset)?;
    let no_longer = expand(read, Selector::Asset, &verb.rm_asset)?;
    let keys = keys(attributes, assets.len(), context)?;
    let edited = context.change((&verb.change).into(), |change| {
        for asset in &no_longer {
            change.remove_override(&verb.name, asset)?;
        }
        let mut edited = Vec::new();
        for (number, asset) in assets.iter().enumerate() {
            // One that was given is for all; those that are made are one for each.
            let key = keys.get(number).or(keys.first());
            edited.push(set_on(change, verb, asset, key)?);
        }
        for asset in &no_longer {
            edited.push(change.read().override_on(&verb.name, asset)?);
        }
        Ok(edited)
    })?;
    edited.iter().try_for_each(|one| context.out.changed(one))
}

fn has_key(attributes: &Attributes) -> bool {
    attributes.key.is_some() || attributes.generate.is_some()
}

fn keys(attributes: &Attributes, assets: usize, context: &Context) -> Done<Vec<Key>> {
    let wanted = match (attributes.generate, has_key(attributes)) {
        (Some(_), _) => assets,
        (None, true) => 1,
        (None, false) => 0,
    };
    let mut keys = Vec::with_capacity(wanted);
    for _ in 0..wanted {
        keys.extend(new_key(attributes, context)?);
    }
    Ok(keys)
}

fn set_on(
    change: &Change<'_>,
    verb: &Set,
    asset: &str,
    key: Option<&Key>,
) -> Result<SystemUserOverride, StoreError> {
    let mut said = change.read().override_on(&verb.name, asset)?;
    if let Some(login) = verb.attributes.login.clone() {
        said.login = login.into_option();
    }
    if let Some(shell) = verb.attributes.shell.clone() {
        said.shell = shell.into_option();
    }
    let written = change.set_override(&said)?;
    let Some((key, master)) = key else {
        return Ok(written);
    };
    let public_key = key.public().openssh_line(&format!("{}@{asset}", verb.name));
    let fingerprint = key.public().fingerprint().to_string();
    let new = NewCredential {
        kind: CredentialKind::Key,
        public_key: &public_key,
        fingerprint: &fingerprint,
    };
    change.set_credential_on(&verb.name, asset, &new, |row| seal(key, master, row))
}
