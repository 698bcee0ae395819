//! Who reaches what through which grant: pairs that some grant joins, each put to the one decision.

use super::error::StoreError;
use super::read::Read;
use super::targets::{ABOVE, COVERS_2, MY_GRANTS, Spot};
use crate::nouns::{Asset, SystemUser, User};
use crate::policy::{Reason, Right, Rights, decide_rights};
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
        for reachable in self.reachable(user, now)? {
            let Some(asset) = self.asset_by_id(reachable.asset_id)? else {
                continue;
            };
            let spot = self.spot(&asset)?;
            for account in reachable.accounts.iter() {
                let system_user = (account.system_user_id, account.system_user.as_ref());
                if let Some(access) = self.access(user, &spot, system_user, now)?
                    && !visit(access)
                {
                    return Ok(());
                }
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
        // CROSS JOIN: from the grants to the people. Left to itself, SQLite walks through all users by name.
        let sql = format!(
            "WITH RECURSIVE {ABOVE},
             covering (id) AS (
                 SELECT grant_id FROM grant_asset WHERE asset_id = ?1
                 UNION
                 SELECT l.grant_id FROM above CROSS JOIN grant_asset_group l ON l.asset_group_id = above.id
                 UNION
                 SELECT l.grant_id FROM asset a CROSS JOIN grant_site l ON l.site_id = a.site_id WHERE a.id = ?1
             ),
             person (grant_id, user_id) AS (
                 SELECT l.grant_id, l.user_id FROM covering c CROSS JOIN grant_user l ON l.grant_id = c.id
                 UNION
                 SELECT l.grant_id, m.user_id FROM covering c CROSS JOIN grant_user_group l ON l.grant_id = c.id
                 CROSS JOIN user_group_member m ON m.user_group_id = l.user_group_id
             )
             SELECT DISTINCT u.uid, s.id, s.name FROM person p
             CROSS JOIN user u ON u.id = p.user_id
             CROSS JOIN grant_system_user l ON l.grant_id = p.grant_id
             CROSS JOIN system_user s ON s.id = l.system_user_id
             ORDER BY u.name, s.name"
        );
        let pairs = self.rows(&sql, [asset.id], |row| {
            Ok((
                row.get::<_, u32>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, String>(2)?,
            ))
        })?;
        let spot = self.spot(asset)?;
        let mut last: Option<User> = None;
        for (uid, id, name) in pairs {
            // Pairs come by user.
            let user = match last.take().filter(|user| user.uid == uid) {
                Some(user) => Some(user),
                None => self.user_by_uid(uid)?,
            };
            let Some(user) = user else {
                continue;
            };
            if let Some(access) = self.access(&user, &spot, (id, &name), now)?
                && !visit(access)
            {
                break;
            }
            last = Some(user);
        }
        Ok(())
    }

    /// What the decision says to each right of one user on one pair; `None`: no to all.
    fn access(
        self,
        user: &User,
        spot: &Spot,
        system_user: (i64, &str),
        now: Time,
    ) -> Result<Option<Access>, StoreError> {
        // How many sessions there are just now is not a matter of who may what.
        let facts = self.facts_there(user, spot, system_user)?;
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
                     {COVERS_2}
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
