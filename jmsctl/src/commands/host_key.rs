//! `jmsctl host-key`.
#![forbid(unsafe_code)]

use super::scan::scan;
use crate::cli::asset::{HostKey as Verb, HostKeyAdd, HostKeyRm, Scan};
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output::Noun;
use jms::keys;
use jms::nouns::{HostKey, HostKeyOrigin};
use jms::store::StoreError;
use jms::time::Time;

impl Noun for HostKey {
    const NAME: &'static str = "host key";
    const KEY: &'static str = "asset";
    const FIELDS: &'static [&'static str] =
        &["asset", "type", "fingerprint", "origin", "created_at"];
    const COLUMNS: &'static [&'static str] = Self::FIELDS;
    const TIME: &'static str = "created_at";
}

/// Runs a verb.
pub fn run(verb: &Verb, context: &mut Context) -> Done {
    match verb {
        Verb::Scan(verb) => scan_asset(verb, context),
        Verb::Add(verb) => add(verb, context),
        Verb::Rm(verb) => rm(verb, context),
        Verb::Ls(ls) => {
            let keys = context.store.read().host_keys(None)?;
            context.out.list_policy(keys, ls)
        }
    }
}

/// A host key as the store keeps it.
pub fn noun(asset: &str, key: &keys::HostKey, origin: HostKeyOrigin, now: Time) -> HostKey {
    HostKey {
        asset: asset.to_owned(),
        kind: key.kind().as_str().to_owned(),
        blob: key.blob().to_vec(),
        fingerprint: key.fingerprint().to_string(),
        origin,
        created_at: now,
    }
}

fn scan_asset(verb: &Scan, context: &mut Context) -> Done {
    let asset = context.store.read().asset(&verb.asset)?;
    let stored = context.store.read().host_keys(Some(&asset.name))?;
    let new = scan(context, &asset, &stored, verb.change.dry_run)?;
    if new.is_empty() {
        context
            .out
            .note("every key that it showed is stored already");
        return stored.iter().try_for_each(|key| context.out.changed(key));
    }
    let added = context.change((&verb.change).into(), |change| {
        new.iter()
            .map(|key| change.add_host_key(key))
            .collect::<Result<Vec<_>, _>>()
    })?;
    added.iter().try_for_each(|key| context.out.changed(key))
}

fn add(verb: &HostKeyAdd, context: &mut Context) -> Done {
    let asset = context.store.read().asset(&verb.asset)?;
    let text = verb.key.read()?;
    let key = keys::HostKey::parse_line(text.expose())
        .map_err(|error| Failure::BadInput(format!("{}: {error}", verb.key.name())))?;
    let key = noun(&asset.name, &key, HostKeyOrigin::Added, context.now);
    let added = context.change((&verb.change).into(), |change| change.add_host_key(&key))?;
    context.out.changed(&added)
}

fn rm(verb: &HostKeyRm, context: &mut Context) -> Done {
    let read = context.store.read();
    let asset = read.asset(&verb.asset)?;
    let wanted = match verb.fingerprint.strip_prefix("SHA256:") {
        Some(digest) => digest,
        None => &verb.fingerprint,
    };
    if wanted.len() < 6 {
        return Err(Failure::BadInput(
            "give at least six characters of the fingerprint".to_owned(),
        ));
    }
    let keys = read.host_keys(Some(&asset.name))?;
    let mut found = keys.into_iter().filter(|key| {
        key.fingerprint
            .strip_prefix("SHA256:")
            .is_some_and(|digest| digest.starts_with(wanted))
    });
    let key = match (found.next(), found.next()) {
        (Some(key), None) => key,
        (None, _) => {
            return Err(StoreError::NotFound {
                kind: "host key",
                name: verb.fingerprint.chars().take(64).collect(),
                nearest: None,
            }
            .into());
        }
        _ => {
            return Err(Failure::BadInput(
                "several host keys begin so; give more of the fingerprint".to_owned(),
            ));
        }
    };
    if !verb.change.dry_run {
        context.confirm(&format!(
            "Remove the host key {} of {}?",
            key.fingerprint, asset.name
        ))?;
    }
    let removed = context.change((&verb.change).into(), |change| {
        change.remove_host_key(&asset.name, &key.fingerprint)
    })?;
    context.out.removed(&[removed], verb.change.dry_run)
}
