//! `jmsctl user`.
#![forbid(unsafe_code)]

use super::accounts::{LocalAccounts, uid_range};
use super::csv_file;
use super::key::login_key;
use super::remove;
use super::selection::ListEdit;
use crate::cli::flags::Names;
use crate::cli::user::{Add, Attributes, Set, User as Verb};
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output::Noun;
use jms::nouns::{LoginKey, User};
use jms::store::{Change, Read, Selector, StoreError};
use jms::time::Time;
use serde::Serialize;

impl Noun for User {
    const NAME: &'static str = "user";
    const KEY: &'static str = "name";
    const FIELDS: &'static [&'static str] = &[
        "name",
        "uid",
        "full_name",
        "email",
        "role",
        "enabled",
        "valid_from",
        "valid_until",
        "mfa",
        "mfa_asked",
        "user_groups",
        "comment",
        "created_at",
        "updated_at",
    ];
    const COLUMNS: &'static [&'static str] = &[
        "name",
        "uid",
        "role",
        "enabled",
        "valid_until",
        "full_name",
        "comment",
    ];
}

/// A user with what belongs to him.
#[derive(Serialize)]
pub struct Whole {
    #[serde(flatten)]
    user: User,
    /// Which second factor applies, and why.
    second_factor: String,
    keys: Vec<LoginKey>,
    /// When he last logged in, was let in again or was added: what `inactivity_days` counts from.
    seen_at: Time,
}

impl Whole {
    /// The user as the store shows it now.
    pub fn read(read: Read<'_>, name: &str) -> Result<Self, StoreError> {
        let user = read.user(name)?;
        Ok(Self {
            second_factor: read.factor_of(&user)?.in_words(),
            seen_at: read.seen_at(&user)?,
            keys: read.login_keys(Some(name))?,
            user,
        })
    }
}

/// Runs a verb.
pub fn run(verb: &Verb, context: &mut Context) -> Done {
    match verb {
        Verb::Add(verb) => match &verb.csv {
            Some(file) => csv_file::users::add(verb, file, context),
            None if verb.skip_bad => Err(csv_file::skips_nothing()),
            None => add(verb, context),
        },
        Verb::Set(verb) => set(verb, context),
        Verb::Rm(names) => remove::<User>(
            context,
            &names.names,
            &names.change,
            " with all keys and direct grants",
            |change, name| change.remove_user(name),
        ),
        Verb::Ls(ls) => {
            let read = context.store.read();
            context.out.list_each(ls, |visit| read.each_user(visit))
        }
        Verb::Show(verb) => {
            let user = Whole::read(context.store.read(), &verb.name)?;
            context.out.show(&user)
        }
        Verb::Disable(names) => enable(names, false, context),
        Verb::Enable(names) => enable(names, true, context),
        Verb::MfaReset(verb) => super::mfa_reset::run(verb, context),
        Verb::PasswordReset(verb) => super::password::reset(verb, context),
    }
}

fn apply(read: Read<'_>, attributes: &Attributes, user: &mut User) -> Result<(), StoreError> {
    let attributes = attributes.clone();
    user.full_name = attributes
        .full_name
        .unwrap_or(std::mem::take(&mut user.full_name));
    user.email = attributes.email.unwrap_or(std::mem::take(&mut user.email));
    user.role = attributes.role.unwrap_or(user.role);
    user.mfa = attributes.mfa.unwrap_or(user.mfa);
    user.mfa_asked = attributes.mfa_asked.unwrap_or(user.mfa_asked);
    if let Some(from) = attributes.valid_from {
        user.valid_from = from.into_option();
    }
    if let Some(until) = attributes.valid_until {
        user.valid_until = until.into_option();
    }
    ListEdit::replace(attributes.user_group.as_ref()).apply(
        read,
        Selector::UserGroup,
        User::NAME,
        &mut user.user_groups,
    )
}

/// Whether the attributes of a user go together.
pub fn check(user: &User) -> Result<(), StoreError> {
    match (user.valid_from, user.valid_until) {
        (Some(from), Some(until)) if from >= until => Err(StoreError::Refused {
            sentence:
                "the user would end before he begins: --valid-until must be after --valid-from"
                    .to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Gives a new user a uid and a first key, inside of a change.
pub fn add_to(
    change: &Change<'_>,
    user: &User,
    key: Option<&LoginKey>,
    range: &snapshot::UidRange,
    high_water: &std::path::Path,
    accounts: &LocalAccounts,
) -> Result<Whole, StoreError> {
    check(user)?;
    change.add_user(user, range.first()..=range.last(), high_water, |uid| {
        accounts.has_uid(uid)
    })?;
    if let Some(key) = key {
        change.add_login_key(key)?;
    }
    Whole::read(change.read(), &user.name)
}

fn add(verb: &Add, context: &mut Context) -> Done {
    let mut user = User::new(verb.name.as_deref().unwrap_or_default(), context.now);
    apply(context.store.read(), &verb.attributes, &mut user)?;
    user.comment = verb.change.comment.clone().unwrap_or_default();
    jms::names::UserName::new(&user.name).map_err(Failure::bad)?;
    let key = verb
        .key
        .as_ref()
        .map(|file| login_key(file, &user.name, context.now))
        .transpose()?;
    let range = uid_range(context.paths())?;
    let accounts = LocalAccounts::load()?;
    accounts.refuse_name(&user.name, &range)?;
    let high_water = context.paths().uid_high_water();
    let added = context.change((&verb.change).into(), |change| {
        add_to(change, &user, key.as_ref(), &range, &high_water, &accounts)
    })?;
    context.out.changed(&added)
}

fn set(verb: &Set, context: &mut Context) -> Done {
    let edited = context.change((&verb.change).into(), |change| {
        let mut user = change.read().user(&verb.name)?;
        apply(change.read(), &verb.attributes, &mut user)?;
        let edit = ListEdit {
            replace: None,
            add: &verb.add_user_group,
            remove: &verb.rm_user_group,
        };
        edit.apply(
            change.read(),
            Selector::UserGroup,
            User::NAME,
            &mut user.user_groups,
        )?;
        if let Some(comment) = &verb.change.comment {
            user.comment.clone_from(comment);
        }
        check(&user)?;
        change.set_user(&user)?;
        Whole::read(change.read(), &verb.name)
    })?;
    context.out.changed(&edited)
}

fn enable(names: &Names, enabled: bool, context: &mut Context) -> Done {
    let changed = context.change((&names.change).into(), |change| {
        let one = |name: &String| {
            let mut user = change.read().user(name)?;
            user.enabled = enabled;
            change.set_user(&user)?;
            if enabled {
                change.renew_activity(&user)?;
            }
            Whole::read(change.read(), name)
        };
        names.names.iter().map(one).collect::<Result<Vec<_>, _>>()
    })?;
    changed
        .iter()
        .try_for_each(|user| context.out.changed(user))
}
