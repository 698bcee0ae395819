//! `jmsctl host-key`.
#![forbid(unsafe_code)]

use super::scan::scan;
use crate::cli::asset::{HostKey as Verb, HostKeyAdd, HostKeyRm, Scan};
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output::Noun;
use jms::keys;
use jms::nouns::{HostKey, HostKeyOrigin};
use jms::store::{Change, Read, StoreError};
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
            let read = context.store.read();
            context
                .out
                .list_each(ls, |visit| read.each_host_key(None, visit))
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
    let remove = |change: &Change<'_>| {
        let key = find(change.read(), &verb.asset, &verb.fingerprint)?;
        change.remove_host_key(&verb.asset, &key.fingerprint)
    };
    if !verb.change.dry_run {
        let key = context.foresee(remove)?;
        context.confirm(&format!(
            "Remove the host key {} of {}?",
            key.fingerprint, key.asset
        ))?;
    }
    let removed = context.change_quietly((&verb.change).into(), remove)?;
    context.out.removed(&[removed], verb.change.dry_run)
}

/// The one host key of the asset whose fingerprint begins so.
fn find(read: Read<'_>, asset: &str, fingerprint: &str) -> Result<HostKey, StoreError> {
    let asset = read.asset(asset)?;
    let refuse = |sentence: &str| {
        Err(StoreError::Refused {
            sentence: sentence.to_owned(),
        })
    };
    let wanted = fingerprint.strip_prefix("SHA256:").unwrap_or(fingerprint);
    if wanted.len() < 6 {
        return refuse("give at least six characters of the fingerprint");
    }
    let mut keys = read.host_keys(Some(&asset.name))?;
    keys.retain(|key| {
        let digest = key.fingerprint.strip_prefix("SHA256:");
        digest.is_some_and(|digest| digest.starts_with(wanted))
    });
    match (keys.pop(), keys.is_empty()) {
        (Some(key), true) => Ok(key),
        (Some(_), false) => refuse("several host keys begin so; give more of the fingerprint"),
        (None, _) => Err(StoreError::NotFound {
            kind: "host key",
            name: fingerprint.chars().take(64).collect(),
            nearest: None,
        }),
    }
}
