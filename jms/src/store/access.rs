//! Who reaches what through which grant: pairs that some grant joins, each put to the one decision.

use super::error::StoreError;
use super::read::Read;
use super::targets::{ABOVE, MY_GRANTS};
use crate::nouns::{Asset, SystemUser, User};
use crate::policy::{Reason, Right, Rights, access, decide_rights};
use crate::time::Time;
use rusqlite::params;
use serde::{Serialize, Serializer};

/// What one user may do on one asset as one system user, now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Access {
    /// Login name.
    pub user: String,
    /// The account's name in policy.
    pub system_user: String,
    /// The asset.
    pub asset: String,
    /// What the decision allows.
    #[serde(serialize_with = "as_list")]
    pub rights: Rights,
    /// What it would allow after a fresh second factor.
    #[serde(serialize_with = "as_list")]
    pub rights_with_factor: Rights,
    /// The grants that the rights come from.
    pub grants: Vec<String>,
    /// When the first of the rights ends.
    pub valid_until: Option<Time>,
}

fn as_list<S: Serializer>(rights: &Rights, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(rights.iter().map(Right::as_str))
}

/// A grant that would join user, asset and system user but for one of the three.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearMiss {
    /// Its name.
    pub grant: String,
    /// What it does not name.
    pub lacks: Lack,
}

/// Which of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// The user, or a group of his.
    User,
    /// The asset, a place above it, or its site.
    Asset,
    /// The system user.
    SystemUser,
}

impl Read<'_> {
    /// Everything that `user` may do anywhere, by asset and system user. `visit` says whether to go on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn access_of(
        self,
        user: &User,
        now: Time,
        visit: &mut dyn FnMut(Access) -> bool,
    ) -> Result<(), StoreError> {
        for target in self.targets(user, now)? {
            let pair = (target.asset_id, target.system_user_id);
            if let Some(access) = self.access(user, pair, now)?
                && !visit(access)
            {
                break;
            }
        }
        Ok(())
    }

    /// Everything that anybody may do on `asset`, by user and system user. `visit` says whether to go on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn access_to(
        self,
        asset: &Asset,
        now: Time,
        visit: &mut dyn FnMut(Access) -> bool,
    ) -> Result<(), StoreError> {
        let sql = format!(
            "WITH RECURSIVE {ABOVE},
             covering (id) AS (
                 SELECT grant_id FROM grant_asset WHERE asset_id = ?1
                 UNION
                 SELECT l.grant_id FROM grant_asset_group l JOIN above ON above.id = l.asset_group_id
                 UNION
                 SELECT l.grant_id FROM grant_site l JOIN asset a ON a.site_id = l.site_id WHERE a.id = ?1
             ),
             person (grant_id, user_id) AS (
                 SELECT l.grant_id, l.user_id FROM grant_user l JOIN covering c ON c.id = l.grant_id
                 UNION
                 SELECT l.grant_id, m.user_id FROM grant_user_group l JOIN covering c ON c.id = l.grant_id
                 JOIN user_group_member m ON m.user_group_id = l.user_group_id
             )
             SELECT DISTINCT u.uid, s.id FROM person p
             JOIN user u ON u.id = p.user_id
             JOIN grant_system_user l ON l.grant_id = p.grant_id
             JOIN system_user s ON s.id = l.system_user_id
             ORDER BY u.name, s.name"
        );
        let pairs = self.rows(&sql, [asset.id], |row| {
            Ok((row.get::<_, u32>(0)?, row.get::<_, i64>(1)?))
        })?;
        for (uid, system_user) in pairs {
            let Some(user) = self.user_by_uid(uid)? else {
                continue;
            };
            if let Some(access) = self.access(&user, (asset.id, system_user), now)?
                && !visit(access)
            {
                break;
            }
        }
        Ok(())
    }

    /// What the decision says to each right of one user on one pair; `None`: no to all.
    fn access(
        self,
        user: &User,
        pair: (i64, i64),
        now: Time,
    ) -> Result<Option<Access>, StoreError> {
        // How many sessions there are just now is not a matter of who may what.
        let mut facts = self.facts(user, None, pair, access::Counts::default())?;
        facts.limits = access::Counts::default();
        let mut access = Access {
            user: user.name.clone(),
            system_user: facts.system_user.clone(),
            asset: facts.asset.name.clone(),
            rights: Rights::NONE,
            rights_with_factor: Rights::NONE,
            grants: Vec::new(),
            valid_until: None,
        };
        for right in Right::ALL {
            let needed = Rights::NONE.with(right);
            let decision = decide_rights(&facts, right.as_str(), needed, now);
            match decision.reason {
                Reason::Granted { by } => {
                    access.rights = access.rights.with(right);
                    access.grants.extend(by);
                    let ends = access.valid_until.into_iter().chain(decision.limits.until);
                    access.valid_until = ends.min();
                }
                Reason::FactorNeeded => {
                    access.rights_with_factor = access.rights_with_factor.with(right);
                }
                _ => {}
            }
        }
        access.grants.sort_unstable();
        access.grants.dedup();
        let nothing = access.rights.is_empty() && access.rights_with_factor.is_empty();
        Ok((!nothing).then_some(access))
    }

    /// Grants that miss the three by one, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn near_misses(
        self,
        user: &User,
        asset: &Asset,
        system_user: &SystemUser,
    ) -> Result<Vec<NearMiss>, StoreError> {
        let sql = format!(
            "{MY_GRANTS}, {ABOVE_2},
             joins (name, who, as_whom, place) AS (
                 SELECT g.name, g.id IN (SELECT id FROM my_grant),
                     EXISTS (SELECT 1 FROM grant_system_user WHERE grant_id = g.id AND system_user_id = ?3),
                     EXISTS (SELECT 1 FROM grant_asset WHERE grant_id = g.id AND asset_id = ?2)
                     OR EXISTS (SELECT 1 FROM grant_asset_group l JOIN above ON above.id = l.asset_group_id WHERE l.grant_id = g.id)
                     OR EXISTS (SELECT 1 FROM grant_site l JOIN asset a ON a.site_id = l.site_id WHERE l.grant_id = g.id AND a.id = ?2)
                 FROM access_grant g
             )
             SELECT name, who, as_whom, place FROM joins WHERE who + as_whom + place = 2 ORDER BY name",
            ABOVE_2 = ABOVE.replace("?1", "?2")
        );
        self.rows(&sql, params![user.id, asset.id, system_user.id], |row| {
            let lacks = if !row.get::<_, bool>(1)? {
                Lack::User
            } else if !row.get::<_, bool>(2)? {
                Lack::SystemUser
            } else {
                Lack::Asset
            };
            Ok(NearMiss {
                grant: row.get(0)?,
                lacks,
            })
        })
    }
}
