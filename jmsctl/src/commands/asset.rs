//! `jmsctl asset`.
#![forbid(unsafe_code)]

use super::csv_file;
use super::remove;
use super::scan::scan;
use super::selection::ListEdit;
use crate::cli::asset::{Add, Asset as Verb, Attributes, Set};
use crate::context::{Context, Terms};
use crate::failure::{Done, Failure};
use crate::output::Noun;
use jms::nouns::{Asset, HostKey};
use jms::store::{Change, Read, Selector, StoreError};
use serde::Serialize;

impl Noun for Asset {
    const NAME: &'static str = "asset";
    const KEY: &'static str = "name";
    const FIELDS: &'static [&'static str] = &[
        "name",
        "address",
        "port",
        "protocol",
        "platform",
        "site",
        "gateway",
        "gateway_system_user",
        "asset_groups",
        "algorithms",
        "host_key_policy",
        "privileged_system_user",
        "limit_sessions",
        "active",
        "comment",
        "created_at",
        "updated_at",
    ];
    const COLUMNS: &'static [&'static str] =
        &["name", "address", "port", "platform", "active", "comment"];
}

/// An asset with its host keys.
#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    asset: Asset,
    host_keys: Vec<HostKey>,
}

impl Whole {
    fn read(read: Read<'_>, name: &str) -> Result<Self, StoreError> {
        Ok(Self {
            asset: read.asset(name)?,
            host_keys: read.host_keys(Some(name))?,
        })
    }
}

/// Runs a verb.
pub fn run(verb: &Verb, context: &mut Context) -> Done {
    match verb {
        Verb::Add(verb) => match &verb.csv {
            Some(file) => csv_file::assets::add(verb, file, context),
            None if verb.skip_bad => Err(csv_file::skips_nothing()),
            None => add(verb, context),
        },
        Verb::Set(verb) => set(verb, context),
        Verb::Rm(names) => remove::<Asset>(
            context,
            &names.names,
            &names.change,
            " with all host keys and direct grants",
            |change, name| change.remove_asset(name),
        ),
        Verb::Ls(ls) => {
            let read = context.store.read();
            context.out.list_each(ls, |visit| read.each_asset(visit))
        }
        Verb::Show(verb) => {
            let asset = Whole::read(context.store.read(), &verb.name)?;
            context.out.show(&asset)
        }
    }
}

fn apply(read: Read<'_>, attributes: &Attributes, asset: &mut Asset) -> Result<(), StoreError> {
    let attributes = attributes.clone();
    asset.port = attributes.port.unwrap_or(asset.port);
    asset.platform = attributes
        .platform
        .unwrap_or(std::mem::take(&mut asset.platform));
    asset.host_key_policy = attributes.host_key_policy.unwrap_or(asset.host_key_policy);
    asset.active = attributes.active.unwrap_or(asset.active);
    if let Some(limit) = attributes.limit_sessions {
        asset.limit_sessions = limit.into_option();
    }
    if let Some(gateway) = attributes.gateway {
        asset.gateway = gateway.into_option();
    }
    if let Some(passing) = attributes.gateway_system_user {
        asset.gateway_system_user = passing.into_option();
    }
    asset.algorithms = attributes.algorithms.unwrap_or(asset.algorithms);
    asset.protocol = attributes
        .protocol
        .unwrap_or(std::mem::take(&mut asset.protocol));
    if let Some(name) = attributes.privileged_system_user {
        asset.privileged_system_user = name.into_option();
    }
    if let Some(site) = attributes.site {
        asset.site = site.into_option();
    }
    ListEdit::replace(attributes.asset_group.as_ref()).apply(
        read,
        Selector::AssetGroup,
        Asset::NAME,
        &mut asset.asset_groups,
    )
}

fn add(verb: &Add, context: &mut Context) -> Done {
    let now = context.now;
    // The command line asks for both unless there is a table.
    let name = verb.name.as_deref().unwrap_or_default();
    let address = verb.address.as_deref().unwrap_or_default();
    keep(context, name, (&verb.change).into(), verb.scan, |change| {
        let mut asset = Asset::new(name, address, now);
        asset.port = change.read().defaults()?.port;
        apply(change.read(), &verb.attributes, &mut asset)?;
        asset.comment = verb.change.comment.clone().unwrap_or_default();
        change.add_asset(&asset)
    })
}

fn set(verb: &Set, context: &mut Context) -> Done {
    keep(
        context,
        &verb.name,
        (&verb.change).into(),
        verb.scan,
        |change| {
            let mut asset = change.read().asset(&verb.name)?;
            apply(change.read(), &verb.attributes, &mut asset)?;
            let edit = ListEdit {
                replace: None,
                add: &verb.add_asset_group,
                remove: &verb.rm_asset_group,
            };
            edit.apply(
                change.read(),
                Selector::AssetGroup,
                Asset::NAME,
                &mut asset.asset_groups,
            )?;
            if let Some(address) = &verb.address {
                asset.address.clone_from(address);
            }
            if let Some(comment) = &verb.change.comment {
                asset.comment.clone_from(comment);
            }
            change.set_asset(&asset)
        },
    )
}

/// Writes the asset, with what a scan of it finds if one was asked for: both or nothing. `write` reads
/// what it edits in the transaction in which it writes, so that two administrators lose nothing.
fn keep(
    context: &mut Context,
    name: &str,
    terms: Terms<'_>,
    with_scan: bool,
    write: impl Fn(&Change<'_>) -> Result<Asset, StoreError>,
) -> Done {
    let mut scanned = None;
    if with_scan {
        // What the store refuses is refused before anybody is asked or disturbed.
        let asset = context.foresee(&write)?;
        let stored = context.store.read().host_keys(Some(name))?;
        let keys = scan(context, &asset, &stored, terms.dry_run).map_err(|failure| match failure {
            Failure::Failed(sentence) => {
                Failure::Failed(format!("{sentence}\nNothing was changed; without --scan the asset can be written all the same."))
            }
            other => other,
        })?;
        scanned = Some((asset, keys));
    }
    let written = context.change(terms, |change| {
        let asset = write(change)?;
        if let Some((seen, keys)) = &scanned {
            if (&seen.address, seen.port) != (&asset.address, asset.port) {
                let sentence = format!(
                    "the address of {name} was changed by somebody else while {} was scanned; nothing was changed",
                    seen.address
                );
                return Err(StoreError::Refused { sentence });
            }
            for key in keys {
                change.add_host_key(key)?;
            }
        }
        Whole::read(change.read(), name)
    })?;
    context.out.changed(&written)
}
