//! `jmsctl asset`.
#![forbid(unsafe_code)]

use super::remove;
use super::scan::scan;
use crate::cli::asset::{Add, Asset as Verb, Attributes, Set};
use crate::context::{Context, Terms};
use crate::failure::{Done, Failure};
use crate::output::Noun;
use jms::nouns::{Asset, HostKey};
use jms::store::{Change, Read, StoreError};
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
        Verb::Add(verb) => add(verb, context),
        Verb::Set(verb) => set(verb, context),
        Verb::Rm(names) => remove::<Asset>(
            context,
            names,
            " with all host keys and direct grants",
            |change, name| change.remove_asset(name),
        ),
        Verb::Ls(list) => {
            let assets = context.store.read().assets()?;
            context.out.list(assets, list).map(drop)
        }
        Verb::Show(verb) => {
            let asset = Whole::read(context.store.read(), &verb.name)?;
            context.out.show(&asset)
        }
    }
}

fn apply(attributes: &Attributes, asset: &mut Asset) {
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
}

fn add(verb: &Add, context: &mut Context) -> Done {
    let mut asset = Asset::new(&verb.name, &verb.address, context.now);
    apply(&verb.attributes, &mut asset);
    asset.comment = verb.change.comment.clone().unwrap_or_default();
    keep(
        context,
        (&verb.change).into(),
        verb.scan,
        &asset,
        |change| change.add_asset(&asset),
    )
}

fn set(verb: &Set, context: &mut Context) -> Done {
    let mut asset = context.store.read().asset(&verb.name)?;
    apply(&verb.attributes, &mut asset);
    if let Some(address) = &verb.address {
        asset.address.clone_from(address);
    }
    if let Some(comment) = &verb.change.comment {
        asset.comment.clone_from(comment);
    }
    keep(
        context,
        (&verb.change).into(),
        verb.scan,
        &asset,
        |change| change.set_asset(&asset),
    )
}

/// Writes the asset, with what a scan of it finds if one was asked for: both or nothing.
fn keep(
    context: &mut Context,
    terms: Terms<'_>,
    with_scan: bool,
    asset: &Asset,
    write: impl Fn(&Change<'_>) -> Result<Asset, StoreError>,
) -> Done {
    let mut keys = Vec::new();
    if with_scan {
        // What the store refuses is refused before anybody is asked or disturbed.
        let nobody = jms::store::Actor {
            name: String::new(),
            why: String::new(),
        };
        context
            .store
            .dry_run(&nobody, context.now, |change| write(change))?;
        let stored = context.store.read().host_keys(Some(&asset.name))?;
        keys = scan(context, asset, &stored, terms.dry_run).map_err(|failure| match failure {
            Failure::Failed(sentence) => {
                Failure::Failed(format!("{sentence}\nNothing was changed; without --scan the asset can be written all the same."))
            }
            other => other,
        })?;
    }
    let written = context.change(terms, |change| {
        write(change)?;
        for key in &keys {
            change.add_host_key(key)?;
        }
        Whole::read(change.read(), &asset.name)
    })?;
    context.out.changed(&written)
}
