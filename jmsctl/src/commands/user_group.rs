//! `jmsctl user-group`.
#![forbid(unsafe_code)]

use super::remove;
use super::selection::ListEdit;
use crate::cli::group::{UserGroup as Verb, UserGroupAdd, UserGroupSet};
use crate::context::Context;
use crate::failure::Done;
use crate::output::Noun;
use jms::nouns::UserGroup;
use jms::store::Selector;
use serde::Serialize;

impl Noun for UserGroup {
    const NAME: &'static str = "user group";
    const KEY: &'static str = "name";
    const FIELDS: &'static [&'static str] =
        &["name", "users", "comment", "created_at", "updated_at"];
    const COLUMNS: &'static [&'static str] = &["name", "users", "comment"];
}

/// A user group with the grants that name it.
#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    group: UserGroup,
    grants: Vec<String>,
}

/// Runs a verb.
pub fn run(verb: &Verb, context: &mut Context) -> Done {
    match verb {
        Verb::Add(verb) => add(verb, context),
        Verb::Set(verb) => set(verb, context),
        Verb::Rm(names) => {
            remove::<UserGroup>(context, &names.names, &names.change, "", |change, name| {
                change.remove_user_group(name)
            })
        }
        Verb::Ls(ls) => {
            let read = context.store.read();
            context
                .out
                .list_each(ls, |visit| read.each_user_group(visit))
        }
        Verb::Show(verb) => {
            let read = context.store.read();
            let whole = Whole {
                group: read.user_group(&verb.name)?,
                grants: read.grants_naming(Selector::UserGroup, &verb.name)?,
            };
            context.out.show(&whole)
        }
    }
}

fn add(verb: &UserGroupAdd, context: &mut Context) -> Done {
    let now = context.now;
    let added = context.change((&verb.change).into(), |change| {
        let mut group = UserGroup::new(&verb.name, now);
        ListEdit::replace(verb.user.as_ref()).apply(
            change.read(),
            Selector::User,
            UserGroup::NAME,
            &mut group.users,
        )?;
        group.comment = verb.change.comment.clone().unwrap_or_default();
        change.add_user_group(&group)
    })?;
    context.out.changed(&added)
}

fn set(verb: &UserGroupSet, context: &mut Context) -> Done {
    let edited = context.change((&verb.change).into(), |change| {
        let mut group = change.read().user_group(&verb.name)?;
        let edit = ListEdit {
            replace: verb.user.as_ref(),
            add: &verb.add_user,
            remove: &verb.rm_user,
        };
        edit.apply(
            change.read(),
            Selector::User,
            UserGroup::NAME,
            &mut group.users,
        )?;
        if let Some(comment) = &verb.change.comment {
            group.comment.clone_from(comment);
        }
        change.set_user_group(&group)
    })?;
    context.out.changed(&edited)
}
