//! `jmsctl system-user set NAME --asset …`: what differs of a system user on single assets.
#![forbid(unsafe_code)]

use super::secret::{self, NewSecret};
use super::selection::expand;
use crate::cli::system_user::{Attributes, Set};
use crate::context::Context;
use crate::failure::{Done, Failure};
use jms::nouns::SystemUserOverride;
use jms::store::{Change, Selector, StoreError};

/// Runs the verb for the assets that were named.
pub fn set(verb: &Set, context: &mut Context) -> Done {
    let attributes = &verb.attributes;
    let kind = secret::kind(attributes);
    let says_nothing = attributes.login.is_none()
        && attributes.shell.is_none()
        && attributes.shell_hooks.is_none()
        && kind.is_none();
    if !verb.asset.is_empty() && says_nothing {
        return Err(Failure::BadInput(
            "say what differs on these assets: --login, --shell, --shell-hooks, --key, --generate or --password"
                .to_owned(),
        ));
    }
    let read = context.store.read();
    let everywhere = read.system_user(&verb.name)?.credential;
    if let Some(kind) = kind.filter(|kind| *kind != everywhere) {
        return Err(Failure::BadInput(format!(
            "{} is proved by {}, so a {} on one asset would never be used; --credential says how it is proved",
            verb.name,
            everywhere.as_str(),
            kind.as_str()
        )));
    }
    let assets = expand(read, Selector::Asset, &verb.asset)?;
    let no_longer = expand(read, Selector::Asset, &verb.rm_asset)?;
    let secrets = secrets(attributes, assets.len(), context)?;
    let edited = context.change((&verb.change).into(), |change| {
        for asset in &no_longer {
            change.remove_override(&verb.name, asset)?;
        }
        let mut edited = Vec::new();
        for (number, asset) in assets.iter().enumerate() {
            // One that was given is for all; those that are made are one for each.
            let secret = secrets.get(number).or(secrets.first());
            edited.push(set_on(change, verb, asset, secret)?);
        }
        for asset in &no_longer {
            edited.push(change.read().override_on(&verb.name, asset)?);
        }
        Ok(edited)
    })?;
    edited.iter().try_for_each(|one| context.out.changed(one))
}

fn secrets(attributes: &Attributes, assets: usize, context: &Context) -> Done<Vec<NewSecret>> {
    let wanted = match (attributes.generate, secret::kind(attributes)) {
        (Some(_), _) => assets,
        (None, Some(_)) => 1,
        (None, None) => 0,
    };
    let mut secrets = Vec::with_capacity(wanted);
    for _ in 0..wanted {
        secrets.extend(NewSecret::given(attributes, context)?);
    }
    Ok(secrets)
}

fn set_on(
    change: &Change<'_>,
    verb: &Set,
    asset: &str,
    secret: Option<&NewSecret>,
) -> Result<SystemUserOverride, StoreError> {
    let mut said = change.read().override_on(&verb.name, asset)?;
    if let Some(login) = verb.attributes.login.clone() {
        said.login = login.into_option();
    }
    if let Some(shell) = verb.attributes.shell.clone() {
        said.shell = shell.into_option();
    }
    said.shell_hooks = verb.attributes.shell_hooks.or(said.shell_hooks);
    let written = change.set_override(&said)?;
    match secret {
        Some(secret) => secret.keep_on(change, &verb.name, asset),
        None => Ok(written),
    }
}
