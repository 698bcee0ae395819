//! `jmsctl asset-group`.
#![forbid(unsafe_code)]

use super::remove;
use super::selection::ListEdit;
use crate::cli::group::{AssetGroup as Verb, AssetGroupAdd, AssetGroupLs, AssetGroupSet};
use crate::context::Context;
use crate::failure::Done;
use crate::output::{self, Noun};
use jms::nouns::AssetGroup;
use jms::store::{Read, Selector, StoreError};
use serde::Serialize;

impl Noun for AssetGroup {
    const NAME: &'static str = "asset group";
    const KEY: &'static str = "path";
    const FIELDS: &'static [&'static str] =
        &["path", "assets", "comment", "created_at", "updated_at"];
    const COLUMNS: &'static [&'static str] = &["path", "assets", "comment"];
}

/// A place with what is said of it.
#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    group: AssetGroup,
    /// Paths of the places below.
    below: Vec<String>,
    /// Names of the assets that a grant on the place covers.
    all_assets: Vec<String>,
    /// Grants that name this place or one above it.
    grants: Vec<String>,
}

impl Whole {
    fn read(read: Read<'_>, path: &str) -> Result<Self, StoreError> {
        let group = read.asset_group(path)?;
        let mut grants = Vec::new();
        let mut place = Some(path);
        while let Some(path) = place {
            grants.extend(read.grants_naming(Selector::AssetGroup, path)?);
            place = AssetGroup::above(path);
        }
        grants.sort_unstable();
        grants.dedup();
        Ok(Self {
            group,
            below: read.asset_groups_below(path)?,
            all_assets: read.assets_below(path)?,
            grants,
        })
    }
}

/// Runs a verb.
pub fn run(verb: &Verb, context: &mut Context) -> Done {
    match verb {
        Verb::Add(verb) => add(verb, context),
        Verb::Set(verb) => set(verb, context),
        Verb::Rm(paths) => {
            remove::<AssetGroup>(context, &paths.paths, &paths.change, "", |change, path| {
                change.remove_asset_group(path)
            })
        }
        Verb::Ls(verb) => ls(verb, context),
        Verb::Show(verb) => {
            let whole = Whole::read(context.store.read(), &verb.path)?;
            context.out.show(&whole)
        }
    }
}

fn add(verb: &AssetGroupAdd, context: &mut Context) -> Done {
    let now = context.now;
    let added = context.change((&verb.change).into(), |change| {
        let mut group = AssetGroup::new(&verb.path, now);
        ListEdit::replace(verb.asset.as_ref()).apply(
            change.read(),
            Selector::Asset,
            AssetGroup::NAME,
            &mut group.assets,
        )?;
        group.comment = verb.change.comment.clone().unwrap_or_default();
        change.add_asset_group(&group)
    })?;
    context.out.changed(&added)
}

fn set(verb: &AssetGroupSet, context: &mut Context) -> Done {
    let edited = context.change((&verb.change).into(), |change| {
        let mut group = change.read().asset_group(&verb.path)?;
        let edit = ListEdit {
            replace: verb.asset.as_ref(),
            add: &verb.add_asset,
            remove: &verb.rm_asset,
        };
        edit.apply(
            change.read(),
            Selector::Asset,
            AssetGroup::NAME,
            &mut group.assets,
        )?;
        if let Some(comment) = &verb.change.comment {
            group.comment.clone_from(comment);
        }
        change.set_asset_group(&group)
    })?;
    context.out.changed(&edited)
}

fn ls(verb: &AssetGroupLs, context: &mut Context) -> Done {
    let mut groups = context.store.read().asset_groups()?;
    if !verb.tree || context.out.is_json() {
        return context.out.list_policy(groups, &verb.ls);
    }
    // By parts, so that /prod/web follows /prod and not /prod-old.
    groups.sort_by(|a, b| a.path.split('/').cmp(b.path.split('/')));
    let mut rows = Vec::with_capacity(groups.len());
    for group in &groups {
        if !output::is_listed(group, &verb.ls)? {
            continue;
        }
        let count = context.store.read().assets_below(&group.path)?.len();
        let (depth, name) = match group.path.rsplit_once('/') {
            Some((_, "")) | None => (0, "/"),
            Some((above, name)) => (above.matches('/').count() + 1, name),
        };
        rows.push(vec![
            format!("{}{name}", "  ".repeat(depth)),
            count.to_string(),
            group.comment.clone(),
        ]);
    }
    context.out.rows(&["place", "assets", "comment"], &rows)
}
