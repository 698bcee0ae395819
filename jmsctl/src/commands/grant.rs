//! `jmsctl grant`.
#![forbid(unsafe_code)]

use super::remove;
use super::selection::ListEdit;
use crate::cli::grant::{Add, Attributes, Grant as Verb, Set};
use crate::context::Context;
use crate::failure::Done;
use crate::output::Noun;
use jms::nouns::Grant;
use jms::policy::Rights;
use jms::store::{Read, Selector, StoreError};

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
        "user_groups",
        "assets",
        "asset_groups",
        "sites",
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
            remove::<Grant>(context, &names.names, &names.change, "", |change, name| {
                change.remove_grant(name)
            })
        }
        Verb::Ls(ls) => {
            let read = context.store.read();
            context.out.list_each(ls, |visit| read.each_grant(visit))
        }
        Verb::Show(verb) => {
            let grant = context.store.read().grant(&verb.name)?;
            context.out.show(&grant)
        }
    }
}

fn apply(read: Read<'_>, attributes: &Attributes, grant: &mut Grant) -> Result<(), StoreError> {
    let lists = [
        (Selector::User, &attributes.user, &mut grant.users),
        (
            Selector::UserGroup,
            &attributes.user_group,
            &mut grant.user_groups,
        ),
        (Selector::Asset, &attributes.asset, &mut grant.assets),
        (
            Selector::AssetGroup,
            &attributes.asset_group,
            &mut grant.asset_groups,
        ),
        (Selector::Site, &attributes.site, &mut grant.sites),
        (
            Selector::SystemUser,
            &attributes.system_user,
            &mut grant.system_users,
        ),
    ];
    for (selector, names, list) in lists {
        ListEdit::replace(names.as_ref()).apply(read, selector, Grant::NAME, list)?;
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
    if let Some(age) = attributes.require_mfa.clone() {
        grant.require_mfa = age.into_option();
    }
    Ok(())
}

fn edit(read: Read<'_>, verb: &Set, grant: &mut Grant) -> Result<(), StoreError> {
    let lists = [
        (
            Selector::User,
            &verb.add_user,
            &verb.rm_user,
            &mut grant.users,
        ),
        (
            Selector::UserGroup,
            &verb.add_user_group,
            &verb.rm_user_group,
            &mut grant.user_groups,
        ),
        (
            Selector::Asset,
            &verb.add_asset,
            &verb.rm_asset,
            &mut grant.assets,
        ),
        (
            Selector::AssetGroup,
            &verb.add_asset_group,
            &verb.rm_asset_group,
            &mut grant.asset_groups,
        ),
        (
            Selector::Site,
            &verb.add_site,
            &verb.rm_site,
            &mut grant.sites,
        ),
        (
            Selector::SystemUser,
            &verb.add_system_user,
            &verb.rm_system_user,
            &mut grant.system_users,
        ),
    ];
    for (selector, add, remove, list) in lists {
        let edit = ListEdit {
            replace: None,
            add,
            remove,
        };
        edit.apply(read, selector, Grant::NAME, list)?;
    }
    let added: Rights = verb.add_rights.iter().copied().collect();
    let removed: Rights = verb.rm_rights.iter().copied().collect();
    grant.rights = grant.rights.union(added).without(removed);
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
        let mut grant = change.read().grant(&verb.name)?;
        apply(change.read(), &verb.attributes, &mut grant)?;
        edit(change.read(), verb, &mut grant)?;
        if let Some(comment) = &verb.change.comment {
            grant.comment.clone_from(comment);
        }
        change.set_grant(&grant)
    })?;
    context.out.changed(&edited)
}
