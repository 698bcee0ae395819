//! System users, grants and the defaults in the file.
#![forbid(unsafe_code)]

use super::object::{Object, Surroundings, put, start};
use super::values::{CredentialKind, Line, Mfa, Moment, Names, OrNone, Shell};
use jms::nouns;
use jms::policy::Rights;
use jms::store::{Change, Read, StoreError};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// `[system-user.NAME]`; its secret is not in the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemUser {
    login: Option<OrNone<String>>,
    privileged: Option<bool>,
    dynamic: Option<bool>,
    shell: Option<Shell>,
    credential: Option<CredentialKind>,
    auto_push: Option<bool>,
    shell_hooks: Option<bool>,
    comment: Option<Line>,
}

impl Object for SystemUser {
    const NOUN: &'static str = "system-user";

    fn all(read: Read<'_>) -> Result<BTreeMap<String, Self>, StoreError> {
        let system_users = read.system_users()?.into_iter();
        Ok(system_users
            .map(|system_user| {
                let said = Self {
                    login: Some(OrNone(system_user.login)),
                    privileged: Some(system_user.privileged),
                    dynamic: Some(system_user.dynamic),
                    shell: Some(Shell(system_user.shell)),
                    credential: Some(CredentialKind(system_user.credential)),
                    auto_push: Some(system_user.auto_push),
                    shell_hooks: Some(system_user.shell_hooks),
                    comment: Some(Line(system_user.comment)),
                };
                (system_user.name, said)
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
        let mut system_user = if is_new {
            let mut system_user = nouns::SystemUser::new(name, surroundings.now);
            system_user.shell = change.read().defaults()?.shell;
            system_user
        } else {
            change.read().system_user(name)?
        };
        put(&self.login, &mut system_user.login);
        put(&self.privileged, &mut system_user.privileged);
        put(&self.dynamic, &mut system_user.dynamic);
        put(&self.shell, &mut system_user.shell);
        put(&self.credential, &mut system_user.credential);
        put(&self.auto_push, &mut system_user.auto_push);
        put(&self.shell_hooks, &mut system_user.shell_hooks);
        put(&self.comment, &mut system_user.comment);
        match is_new {
            true => change.add_system_user(&system_user).map(drop),
            false => change.set_system_user(&system_user).map(drop),
        }
    }

    fn remove(name: &str, change: &Change<'_>) -> Result<(), StoreError> {
        change.remove_system_user(name).map(drop)
    }
}

/// `[system-user-override."SYSTEM_USER@ASSET"]`: what differs on one asset; its secret there is not in the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemUserOverride {
    login: Option<OrNone<String>>,
    shell: Option<OrNone<Shell>>,
    shell_hooks: Option<OrNone<bool>>,
}

/// System user and asset of a table's name.
fn pair(name: &str) -> Result<(&str, &str), StoreError> {
    name.split_once('@').ok_or_else(|| StoreError::Refused {
        sentence: "the table is called SYSTEM_USER@ASSET, in quotes".to_owned(),
    })
}

impl Object for SystemUserOverride {
    const NOUN: &'static str = "system-user-override";

    fn all(read: Read<'_>) -> Result<BTreeMap<String, Self>, StoreError> {
        let overrides = read.overrides(None)?.into_iter();
        // One that is nothing but a secret is none for the file.
        let said = overrides
            .filter(|one| one.login.is_some() || one.shell.is_some() || one.shell_hooks.is_some());
        Ok(said
            .map(|one| {
                let said = Self {
                    login: Some(OrNone(one.login)),
                    shell: Some(OrNone(one.shell.map(Shell))),
                    shell_hooks: Some(OrNone(one.shell_hooks)),
                };
                (format!("{}@{}", one.system_user, one.asset), said)
            })
            .collect())
    }

    fn write(
        &self,
        name: &str,
        _is_new: bool,
        change: &Change<'_>,
        _surroundings: &Surroundings,
    ) -> Result<(), StoreError> {
        let (system_user, asset) = pair(name)?;
        let mut differs = change.read().override_on(system_user, asset)?;
        put(&self.login, &mut differs.login);
        put(&self.shell, &mut differs.shell);
        put(&self.shell_hooks, &mut differs.shell_hooks);
        change.set_override(&differs).map(drop)
    }

    fn remove(name: &str, change: &Change<'_>) -> Result<(), StoreError> {
        let (system_user, asset) = pair(name)?;
        change.remove_override(system_user, asset).map(drop)
    }
}

/// Rights as a list of their words.
#[derive(Debug, Clone, Copy)]
pub struct RightList(Rights);

impl Serialize for RightList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(jms::policy::Right::as_str))
    }
}

impl<'de> Deserialize<'de> for RightList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = Vec::<String>::deserialize(deserializer)?;
        let rights: Result<Rights, _> = words.iter().map(|word| word.parse()).collect();
        rights.map(Self).map_err(D::Error::custom)
    }
}

impl From<RightList> for Rights {
    fn from(list: RightList) -> Self {
        list.0
    }
}

/// `[grant.NAME]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    users: Option<Names>,
    user_groups: Option<Names>,
    assets: Option<Names>,
    asset_groups: Option<Names>,
    sites: Option<Names>,
    system_users: Option<Names>,
    rights: Option<RightList>,
    valid_from: Option<OrNone<Moment>>,
    valid_until: Option<OrNone<Moment>>,
    /// Seconds.
    require_mfa: Option<OrNone<u32>>,
    comment: Option<Line>,
}

impl Object for Grant {
    const NOUN: &'static str = "grant";

    fn all(read: Read<'_>) -> Result<BTreeMap<String, Self>, StoreError> {
        let grants = read.grants()?.into_iter();
        Ok(grants
            .map(|grant| {
                let said = Self {
                    users: Some(grant.users.into()),
                    user_groups: Some(grant.user_groups.into()),
                    assets: Some(grant.assets.into()),
                    asset_groups: Some(grant.asset_groups.into()),
                    sites: Some(grant.sites.into()),
                    system_users: Some(grant.system_users.into()),
                    rights: Some(RightList(grant.rights)),
                    valid_from: Some(OrNone(grant.valid_from.map(Moment))),
                    valid_until: Some(OrNone(grant.valid_until.map(Moment))),
                    require_mfa: Some(OrNone(grant.require_mfa)),
                    comment: Some(Line(grant.comment)),
                };
                (grant.name, said)
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
        let mut grant = start(
            is_new,
            || nouns::Grant::new(name, surroundings.now),
            || change.read().grant(name),
        )?;
        put(&self.users, &mut grant.users);
        put(&self.user_groups, &mut grant.user_groups);
        put(&self.assets, &mut grant.assets);
        put(&self.asset_groups, &mut grant.asset_groups);
        put(&self.sites, &mut grant.sites);
        put(&self.system_users, &mut grant.system_users);
        put(&self.rights, &mut grant.rights);
        put(&self.valid_from, &mut grant.valid_from);
        put(&self.valid_until, &mut grant.valid_until);
        if self.require_mfa == Some(OrNone(Some(0))) {
            return Err(StoreError::Refused {
                sentence: "require_mfa is a number of seconds from 1 up, or \"none\"".to_owned(),
            });
        }
        put(&self.require_mfa, &mut grant.require_mfa);
        put(&self.comment, &mut grant.comment);
        match is_new {
            true => change.add_grant(&grant).map(drop),
            false => change.set_grant(&grant).map(drop),
        }
    }

    fn remove(name: &str, change: &Change<'_>) -> Result<(), StoreError> {
        change.remove_grant(name).map(drop)
    }
}

/// `[defaults]`: one table, which is always there.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    privileged_system_user: Option<OrNone<String>>,
    port: Option<u16>,
    shell: Option<Shell>,
    mfa_user: Option<Mfa>,
    mfa_auditor: Option<Mfa>,
    mfa_admin: Option<Mfa>,
}

impl Object for Defaults {
    const NOUN: &'static str = "defaults";

    fn all(read: Read<'_>) -> Result<BTreeMap<String, Self>, StoreError> {
        let defaults = read.defaults()?;
        let said = Self {
            privileged_system_user: Some(OrNone(defaults.privileged_system_user)),
            port: Some(defaults.port),
            shell: Some(Shell(defaults.shell)),
            mfa_user: Some(Mfa(defaults.mfa_user)),
            mfa_auditor: Some(Mfa(defaults.mfa_auditor)),
            mfa_admin: Some(Mfa(defaults.mfa_admin)),
        };
        Ok(BTreeMap::from([(String::new(), said)]))
    }

    fn write(
        &self,
        _name: &str,
        _is_new: bool,
        change: &Change<'_>,
        _surroundings: &Surroundings,
    ) -> Result<(), StoreError> {
        let mut defaults = change.read().defaults()?;
        put(
            &self.privileged_system_user,
            &mut defaults.privileged_system_user,
        );
        put(&self.port, &mut defaults.port);
        put(&self.shell, &mut defaults.shell);
        put(&self.mfa_user, &mut defaults.mfa_user);
        put(&self.mfa_auditor, &mut defaults.mfa_auditor);
        put(&self.mfa_admin, &mut defaults.mfa_admin);
        change.set_defaults(&defaults).map(drop)
    }

    fn is_permanent(_name: &str) -> bool {
        true
    }

    fn remove(_name: &str, _change: &Change<'_>) -> Result<(), StoreError> {
        Ok(())
    }
}
