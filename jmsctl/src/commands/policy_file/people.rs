//! Users and user groups in the file.
#![forbid(unsafe_code)]

use super::keys::LoginKey;
use super::object::{Object, Surroundings, put, start};
use super::values::{Line, Mfa, MfaAsked, Moment, Names, OrNone, Role};
use crate::commands::user::check;
use jms::nouns;
use jms::store::{Change, Read, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `[user-group.NAME]`; who is in it, each user says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserGroup {
    comment: Option<Line>,
}

impl Object for UserGroup {
    const NOUN: &'static str = "user-group";

    fn all(read: Read<'_>) -> Result<BTreeMap<String, Self>, StoreError> {
        let groups = read.user_groups()?.into_iter();
        Ok(groups
            .map(|group| {
                let comment = Some(Line(group.comment));
                (group.name, Self { comment })
            })
            .collect())
    }

    fn write(
        &self,
        name: &str,
        is_new: bool,
        change: &Change<'_>,
        surroundings: &Surroundings,
    ) -> Result<(), StoreError> {
        let mut group = start(
            is_new,
            || nouns::UserGroup::new(name, surroundings.now),
            || change.read().user_group(name),
        )?;
        put(&self.comment, &mut group.comment);
        match is_new {
            true => change.add_user_group(&group).map(drop),
            false => change.set_user_group(&group).map(drop),
        }
    }

    fn remove(name: &str, change: &Change<'_>) -> Result<(), StoreError> {
        change.remove_user_group(name).map(drop)
    }
}

/// `[user.NAME]`; its uid is this bastion's own affair and not in the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    full_name: Option<Line>,
    email: Option<Line>,
    role: Option<Role>,
    enabled: Option<bool>,
    mfa: Option<Mfa>,
    mfa_asked: Option<MfaAsked>,
    valid_from: Option<OrNone<Moment>>,
    valid_until: Option<OrNone<Moment>>,
    user_groups: Option<Names>,
    comment: Option<Line>,
    key: Option<Vec<LoginKey>>,
}

impl Object for User {
    const NOUN: &'static str = "user";

    fn all(read: Read<'_>) -> Result<BTreeMap<String, Self>, StoreError> {
        let mut keys: BTreeMap<String, Vec<LoginKey>> = BTreeMap::new();
        for key in read.login_keys(None)? {
            let user = key.user.clone();
            keys.entry(user).or_default().push(LoginKey::of(&key)?);
        }
        let users = read.users()?.into_iter();
        Ok(users
            .map(|user| {
                let mut key = keys.remove(&user.name).unwrap_or_default();
                key.sort();
                let said = Self {
                    full_name: Some(Line(user.full_name)),
                    email: Some(Line(user.email)),
                    role: Some(Role(user.role)),
                    enabled: Some(user.enabled),
                    mfa: Some(Mfa(user.mfa)),
                    mfa_asked: Some(MfaAsked(user.mfa_asked)),
                    valid_from: Some(OrNone(user.valid_from.map(Moment))),
                    valid_until: Some(OrNone(user.valid_until.map(Moment))),
                    user_groups: Some(user.user_groups.into()),
                    comment: Some(Line(user.comment)),
                    key: Some(key),
                };
                (user.name, said)
            })
            .collect())
    }

    fn write(
        &self,
        name: &str,
        is_new: bool,
        change: &Change<'_>,
        surroundings: &Surroundings,
    ) -> Result<(), StoreError> {
        let mut user = start(
            is_new,
            || nouns::User::new(name, surroundings.now),
            || change.read().user(name),
        )?;
        put(&self.full_name, &mut user.full_name);
        put(&self.email, &mut user.email);
        put(&self.role, &mut user.role);
        put(&self.enabled, &mut user.enabled);
        put(&self.mfa, &mut user.mfa);
        put(&self.mfa_asked, &mut user.mfa_asked);
        put(&self.valid_from, &mut user.valid_from);
        put(&self.valid_until, &mut user.valid_until);
        put(&self.user_groups, &mut user.user_groups);
        put(&self.comment, &mut user.comment);
        check(&user)?;
        if is_new {
            let range = surroundings.range.first()..=surroundings.range.last();
            let is_local = |uid| surroundings.accounts.has_uid(uid);
            change.add_user(&user, range, &surroundings.high_water, is_local)?;
        } else {
            change.set_user(&user)?;
        }
        match &self.key {
            Some(keys) => LoginKey::replace(name, keys, change, surroundings.now),
            None => Ok(()),
        }
    }

    fn remove(name: &str, change: &Change<'_>) -> Result<(), StoreError> {
        change.remove_user(name).map(drop)
    }
}
