//! `jmsctl grant`.
#![forbid(unsafe_code)]

use super::remove;
use crate::cli::grant::{Add, Attributes, Grant as Verb, Set};
use crate::context::Context;
use crate::failure::Done;
use crate::output::Noun;
use crate::pattern;
use jms::nouns::Grant;
use jms::policy::Rights;
use jms::store::{Read, StoreError};

impl Noun for Grant {
    const NAME: &'static str = "grant";
    const KEY: &'static str = "name";
    const FIELDS: &'static [&'static str] = &[
        "name",
        "users",
        "user_groups",
        "assets",
        "asset_groups",
        "sites",
        "system_users",
        "rights",
        "valid_from",
        "valid_until",
        "require_mfa",
        "comment",
        "created_at",
        "updated_at",
    ];
    const COLUMNS: &'static [&'static str] = &[
        "name",
        "users",
        "assets",
        "system_users",
        "rights",
        "valid_until",
        "comment",
    ];
}

/// Runs a verb.
pub fn run(verb: &Verb, context: &mut Context) -> Done {
    match verb {
        Verb::Add(verb) => add(verb, context),
        Verb::Set(verb) => set(verb, context),
        Verb::Rm(names) => {
            remove::<Grant>(context, names, "", |change, name| change.remove_grant(name))
        }
        Verb::Ls(list) => {
            let grants = context.store.read().grants()?;
            context.out.list(grants, list).map(drop)
        }
        Verb::Show(verb) => {
            let grant = context.store.read().grant(&verb.name)?;
            context.out.show(&grant)
        }
    }
}

/// What a name or glob on the command line can stand for.
#[derive(Clone, Copy)]
enum Kind {
    User,
    Asset,
    SystemUser,
}

impl Kind {
    fn all(self, read: Read<'_>) -> Result<Vec<String>, StoreError> {
        Ok(match self {
            Self::User => read.users()?.into_iter().map(|user| user.name).collect(),
            Self::Asset => read.assets()?.into_iter().map(|asset| asset.name).collect(),
            Self::SystemUser => read
                .system_users()?
                .into_iter()
                .map(|one| one.name)
                .collect(),
        })
    }

    fn noun(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Asset => "asset",
            Self::SystemUser => "system user",
        }
    }
}

/// The names as they are; a glob becomes what it matches now.
fn names(read: Read<'_>, kind: Kind, given: &[String]) -> Result<Vec<String>, StoreError> {
    let mut names = Vec::new();
    for one in given {
        if !pattern::is_glob(one) {
            names.push(one.clone());
            continue;
        }
        let before = names.len();
        names.extend(
            kind.all(read)?
                .into_iter()
                .filter(|name| pattern::matches(one, name)),
        );
        if names.len() == before {
            return Err(StoreError::NotFound {
                kind: kind.noun(),
                name: one.clone(),
                nearest: None,
            });
        }
    }
    Ok(names)
}

fn apply(read: Read<'_>, attributes: &Attributes, grant: &mut Grant) -> Result<(), StoreError> {
    if let Some(users) = &attributes.user {
        grant.users = names(read, Kind::User, users)?;
    }
    if let Some(assets) = &attributes.asset {
        grant.assets = names(read, Kind::Asset, assets)?;
    }
    if let Some(system_users) = &attributes.system_user {
        grant.system_users = names(read, Kind::SystemUser, system_users)?;
    }
    if let Some(rights) = attributes.rights() {
        grant.rights = rights;
    }
    if let Some(from) = attributes.valid_from.clone() {
        grant.valid_from = from.into_option();
    }
    if let Some(until) = attributes.valid_until.clone() {
        grant.valid_until = until.into_option();
    }
    Ok(())
}

fn add(verb: &Add, context: &mut Context) -> Done {
    let now = context.now;
    let added = context.change((&verb.change).into(), |change| {
        let mut grant = Grant::new(&verb.name, now);
        apply(change.read(), &verb.attributes, &mut grant)?;
        grant.comment = verb.change.comment.clone().unwrap_or_default();
        change.add_grant(&grant)
    })?;
    context.out.changed(&added)
}

fn set(verb: &Set, context: &mut Context) -> Done {
    let edited = context.change((&verb.change).into(), |change| {
        let read = change.read();
        let mut grant = read.grant(&verb.name)?;
        apply(read, &verb.attributes, &mut grant)?;
        edit(
            &mut grant.users,
            names(read, Kind::User, &verb.add_user)?,
            &verb.rm_user,
            "user",
        )?;
        edit(
            &mut grant.assets,
            names(read, Kind::Asset, &verb.add_asset)?,
            &verb.rm_asset,
            "asset",
        )?;
        let added = names(read, Kind::SystemUser, &verb.add_system_user)?;
        edit(
            &mut grant.system_users,
            added,
            &verb.rm_system_user,
            "system user",
        )?;
        let added: Rights = verb.add_rights.iter().copied().collect();
        let removed: Rights = verb.rm_rights.iter().copied().collect();
        grant.rights = grant.rights.union(added).without(removed);
        if let Some(comment) = &verb.change.comment {
            grant.comment.clone_from(comment);
        }
        change.set_grant(&grant)
    })?;
    context.out.changed(&edited)
}

/// Adds to a list and takes away from it; taking away what is not there is a mistake that is said.
fn edit(
    list: &mut Vec<String>,
    add: Vec<String>,
    remove: &[String],
    kind: &'static str,
) -> Result<(), StoreError> {
    list.extend(add);
    for one in remove {
        let before = list.len();
        list.retain(|name| {
            if pattern::is_glob(one) {
                !pattern::matches(one, name)
            } else {
                name != one
            }
        });
        if list.len() == before {
            return Err(StoreError::NotFound {
                kind,
                name: format!("{one} in this grant"),
                nearest: None,
            });
        }
    }
    Ok(())
}
