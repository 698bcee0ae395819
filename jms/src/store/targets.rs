//! Who reaches what: the facts for one decision, and the list of everything that a user could ask for.

use super::error::StoreError;
use super::read::{Read, maybe_time, number};
use crate::nouns::{Asset, Login, SystemUser, User};
use crate::policy::{Right, Rights, Validity, access};
use crate::time::Time;
use rusqlite::params;
use std::collections::HashMap;
use std::rc::Rc;

/// The grants of user ?1: his own and those of his groups.
pub(super) const MY_GRANTS: &str = "WITH RECURSIVE my_grant (id) AS (
        SELECT grant_id FROM grant_user WHERE user_id = ?1
        UNION
        SELECT g.grant_id FROM grant_user_group g JOIN user_group_member m ON m.user_group_id = g.user_group_id WHERE m.user_id = ?1
    )";

/// Those of them that hold at the time ?2, with their rights.
const HOLDING: &str = "holding (id, rights) AS (
        SELECT g.id, g.rights FROM access_grant g JOIN my_grant USING (id)
        WHERE (g.valid_from IS NULL OR g.valid_from <= ?2) AND (g.valid_until IS NULL OR ?2 < g.valid_until)
    )";

/// The places that cover asset ?1: where it stands, all above, and the whole tree.
pub(super) const ABOVE: &str = "above (id) AS (
        SELECT asset_group_id FROM asset_group_member WHERE asset_id = ?1
        UNION
        SELECT id FROM asset_group WHERE path = '/'
        UNION
        SELECT g.parent_id FROM asset_group g JOIN above ON above.id = g.id WHERE g.parent_id IS NOT NULL
    )";

/// Whether grant `g` covers asset ?2, beside [`ABOVE`] of ?2. Sets that do not depend on the grant are made once, not for
/// each of its rows.
pub(super) const COVERS_2: &str = "EXISTS (SELECT 1 FROM grant_asset WHERE grant_id = g.id AND asset_id = ?2)
    OR EXISTS (SELECT 1 FROM grant_asset_group WHERE grant_id = g.id AND asset_group_id IN (SELECT id FROM above))
    OR EXISTS (SELECT 1 FROM grant_site WHERE grant_id = g.id AND site_id = (SELECT site_id FROM asset WHERE id = ?2))";

/// One pair that a user could reach, with what its valid grants give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Row id of the asset.
    pub asset_id: i64,
    /// Its name.
    pub asset: String,
    /// Its address.
    pub address: String,
    /// What the administrator noted about it.
    pub comment: String,
    /// Row id of the system user.
    pub system_user_id: i64,
    /// Its name.
    pub system_user: String,
    /// All rights of all grants that hold now.
    pub rights: Rights,
}

/// An asset that a user could reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reachable {
    /// Row id of the asset.
    pub asset_id: i64,
    /// Its name.
    pub asset: String,
    /// Its address.
    pub address: String,
    /// What the administrator noted about it.
    pub comment: String,
    /// As whom, by name; at least one.
    pub accounts: Rc<[Account]>,
}

/// A system user that grants give, and their rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Row id of the system user.
    pub system_user_id: i64,
    /// Its name.
    pub system_user: Rc<str>,
    /// All rights of all grants that hold now.
    pub rights: Rights,
}

impl Reachable {
    /// A target for each system user.
    pub fn targets(&self) -> impl Iterator<Item = Target> {
        self.accounts.iter().map(|account| Target {
            asset_id: self.asset_id,
            asset: self.asset.clone(),
            address: self.address.clone(),
            comment: self.comment.clone(),
            system_user_id: account.system_user_id,
            system_user: account.system_user.to_string(),
            rights: account.rights,
        })
    }
}

/// An asset, as decisions know it.
pub(super) struct Spot {
    pub(super) asset_id: i64,
    asset: access::Asset,
    obstacle: Option<access::Obstacle>,
}

impl Read<'_> {
    /// Every asset and system user that a grant which holds now gives to `user`, by name. Who is disabled,
    /// or whose time is not now, has none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn targets(self, user: &User, now: Time) -> Result<Vec<Target>, StoreError> {
        let reachable = self.reachable(user, now)?;
        let pairs = reachable.iter().flat_map(Reachable::targets);
        Ok(pairs.collect())
    }

    /// The same, an asset at a time.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn reachable(self, user: &User, now: Time) -> Result<Vec<Reachable>, StoreError> {
        if !user.enabled || !validity_of(user).holds(now) {
            return Ok(Vec::new());
        }
        let accounts = self.accounts_of_grants(user, now)?;
        let sql = format!(
            "{MY_GRANTS}, {HOLDING},
             place (grant_id, asset_group_id) AS (
                 SELECT l.grant_id, l.asset_group_id FROM grant_asset_group l JOIN holding h ON h.id = l.grant_id
                 UNION
                 SELECT p.grant_id, c.id FROM place p JOIN asset_group c ON c.parent_id = p.asset_group_id
             ),
             covered (grant_id, asset_id) AS (
                 SELECT l.grant_id, l.asset_id FROM grant_asset l JOIN holding h ON h.id = l.grant_id
                 UNION ALL
                 SELECT p.grant_id, m.asset_id FROM place p JOIN asset_group_member m ON m.asset_group_id = p.asset_group_id
                 UNION ALL
                 SELECT p.grant_id, a.id FROM place p JOIN asset_group r ON r.id = p.asset_group_id AND r.path = '/', asset a
                 UNION ALL
                 SELECT l.grant_id, a.id FROM grant_site l JOIN holding h ON h.id = l.grant_id JOIN asset a ON a.site_id = l.site_id
             )
             SELECT c.grant_id, a.id, a.name, a.address, a.comment
             FROM covered c CROSS JOIN asset a ON a.id = c.asset_id AND a.active = 1"
        );
        // Sorted here: ten thousand rows cost SQLite more than all the rest.
        let mut covered = self.rows(&sql, params![user.id, now.0], |row| {
            Ok(Covered {
                grant_id: row.get(0)?,
                asset_id: row.get(1)?,
                asset: row.get(2)?,
                address: row.get(3)?,
                comment: row.get(4)?,
            })
        })?;
        covered.sort_unstable_by(|a, b| (&a.asset, a.grant_id).cmp(&(&b.asset, b.grant_id)));
        Ok(join(covered, &accounts))
    }

    /// What each of the user's grants gives where it holds: the system users, by name, and the rights.
    fn accounts_of_grants(
        self,
        user: &User,
        now: Time,
    ) -> Result<HashMap<i64, Vec<Account>>, StoreError> {
        let sql = format!(
            "{MY_GRANTS}, {HOLDING}
             SELECT h.id, s.id, s.name, h.rights FROM holding h
             JOIN grant_system_user l ON l.grant_id = h.id JOIN system_user s ON s.id = l.system_user_id"
        );
        let rows = self.rows(&sql, params![user.id, now.0], |row| {
            let rights: String = row.get(3)?;
            let account = Account {
                system_user_id: row.get(1)?,
                system_user: Rc::from(row.get::<_, String>(2)?),
                rights: parse_rights(&rights)?,
            };
            Ok((row.get::<_, i64>(0)?, account))
        })?;
        let mut accounts: HashMap<i64, Vec<Account>> = HashMap::new();
        for (grant, account) in rows {
            accounts.entry(grant).or_default().push(account);
        }
        Ok(accounts)
    }

    /// Where assets stand in the tree: by the asset's row id, the paths of the groups that it is in, sorted.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn places(self) -> Result<HashMap<i64, Vec<Rc<str>>>, StoreError> {
        let paths = self.rows("SELECT id, path FROM asset_group", [], |row| {
            Ok((row.get::<_, i64>(0)?, Rc::from(row.get::<_, String>(1)?)))
        })?;
        let paths: HashMap<i64, Rc<str>> = paths.into_iter().collect();
        let members = self.rows(
            "SELECT asset_id, asset_group_id FROM asset_group_member ORDER BY asset_id",
            [],
            |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)),
        )?;
        let mut places: HashMap<i64, Vec<Rc<str>>> = HashMap::new();
        for (asset, group) in members {
            places
                .entry(asset)
                .or_default()
                .extend(paths.get(&group).cloned());
        }
        for paths in places.values_mut() {
            paths.sort_unstable();
        }
        Ok(places)
    }

    /// The facts for one decision of [`crate::policy::decide`].
    ///
    /// `login`: the login that asks, `None` to find out what one without a second factor could; `asset_id`, `system_user_id`: rows, as in [`Target`]; `limits`: of the settings.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::NotFound`] when user, asset or system user is gone.
    pub fn facts(
        self,
        user: &User,
        login: Option<&Login>,
        (asset_id, system_user_id): (i64, i64),
        limits: access::Counts,
    ) -> Result<access::Facts, StoreError> {
        let (asset, system_user) = self.destination((asset_id, system_user_id))?;
        let spot = self.spot(&asset)?;
        let facts = self.facts_there(user, &spot, (system_user_id, &system_user.name))?;
        Ok(access::Facts {
            login: access::Login {
                factor_at: login.and_then(|login| login.factor_at),
                session_since: None,
                key: self.key_of(user, login)?,
            },
            running: self.live_counts(login.map_or("", |login| &login.id), user.id, asset_id)?,
            limits: access::Counts {
                asset: asset.limit_sessions.or(limits.asset),
                ..limits
            },
            ..facts
        })
    }

    /// What of an asset is the same for everybody who asks for it.
    pub(super) fn spot(self, asset: &Asset) -> Result<Spot, StoreError> {
        Ok(Spot {
            asset_id: asset.id,
            asset: access::Asset {
                name: asset.name.clone(),
                active: asset.active,
            },
            obstacle: self.gateways(asset)?.obstacle,
        })
    }

    /// The facts for a decision about whoever has no login yet, and no limit.
    pub(super) fn facts_there(
        self,
        user: &User,
        spot: &Spot,
        (system_user_id, system_user): (i64, &str),
    ) -> Result<access::Facts, StoreError> {
        Ok(access::Facts {
            user: access::User {
                name: user.name.clone(),
                enabled: user.enabled,
                validity: validity_of(user),
            },
            login: access::Login {
                factor_at: None,
                session_since: None,
                key: access::Key::NotAsked,
            },
            asset: spot.asset.clone(),
            obstacle: spot.obstacle.clone(),
            system_user: system_user.to_owned(),
            grants: self.joining_grants(user.id, spot.asset_id, system_user_id)?,
            running: access::Counts::default(),
            limits: access::Counts::default(),
        })
    }

    /// What has become of the key of a login.
    pub(super) fn key_of(
        self,
        user: &User,
        login: Option<&Login>,
    ) -> Result<access::Key, StoreError> {
        let Some(login) = login.filter(|login| !login.key.is_empty()) else {
            return Ok(access::Key::NotAsked);
        };
        let until = self.first(
            "SELECT valid_until FROM login_key WHERE user_id = ?1 AND fingerprint = ?2",
            params![user.id, login.key],
            |row| maybe_time(row, "valid_until"),
        )?;
        Ok(until.map_or(access::Key::Removed, |until| access::Key::Held { until }))
    }

    /// The asset and the system user of a target.
    pub(super) fn destination(
        self,
        (asset_id, system_user_id): (i64, i64),
    ) -> Result<(Asset, SystemUser), StoreError> {
        let gone = |kind, id: i64| StoreError::NotFound {
            kind,
            name: id.to_string(),
            nearest: None,
        };
        let asset = self.asset_by_id(asset_id)?;
        let system_user = self.system_user_by_id(system_user_id)?;
        Ok((
            asset.ok_or_else(|| gone("asset", asset_id))?,
            system_user.ok_or_else(|| gone("system user", system_user_id))?,
        ))
    }

    fn joining_grants(
        self,
        user_id: i64,
        asset_id: i64,
        system_user_id: i64,
    ) -> Result<Vec<access::Grant>, StoreError> {
        let sql = format!(
            "{MY_GRANTS}, {ABOVE_2}
             SELECT g.name, g.rights, g.valid_from, g.valid_until, g.require_mfa
             FROM access_grant g JOIN my_grant USING (id)
             WHERE EXISTS (SELECT 1 FROM grant_system_user WHERE grant_id = g.id AND system_user_id = ?3)
               AND ({COVERS_2})
             ORDER BY g.name",
            ABOVE_2 = ABOVE.replace("?1", "?2")
        );
        self.rows(&sql, params![user_id, asset_id, system_user_id], |row| {
            let rights: String = row.get("rights")?;
            let require_mfa: Option<i64> = row.get("require_mfa")?;
            Ok(access::Grant {
                name: row.get("name")?,
                rights: parse_rights(&rights)?,
                validity: Validity {
                    from: maybe_time(row, "valid_from")?,
                    until: maybe_time(row, "valid_until")?,
                },
                require_mfa: require_mfa.map(|seconds| seconds.saturating_mul(1000)),
            })
        })
    }

    fn live_counts(
        self,
        login_id: &str,
        user_id: i64,
        asset_id: i64,
    ) -> Result<access::Counts, StoreError> {
        let count = |condition: &str, value: &dyn rusqlite::ToSql| {
            let sql =
                format!("SELECT count(*) FROM session WHERE ended_at IS NULL AND {condition}");
            number::<u32>("number of sessions", self.number(&sql, [value])?).map(Some)
        };
        Ok(access::Counts {
            login: count("login_id = ?1", &login_id)?,
            user: count("user_id = ?1", &user_id)?,
            asset: count("asset_id = ?1", &asset_id)?,
            bastion: count("?1", &1)?,
        })
    }
}

fn validity_of(user: &User) -> Validity {
    Validity {
        from: user.valid_from,
        until: user.valid_until,
    }
}

fn parse_rights(text: &str) -> Result<Rights, StoreError> {
    let rights: Result<Rights, _> = text
        .split(',')
        .filter(|word| !word.is_empty())
        .map(str::parse::<Right>)
        .collect();
    rights.map_err(|_| StoreError::Nonsense {
        what: "rights",
        found: text.to_owned(),
    })
}

/// An asset that a grant covers.
struct Covered {
    grant_id: i64,
    asset_id: i64,
    asset: String,
    address: String,
    comment: String,
}

/// Every asset once, with the rights of all grants that join it to a system user. Rows come sorted by asset and grant.
fn join(covered: Vec<Covered>, accounts: &HashMap<i64, Vec<Account>>) -> Vec<Reachable> {
    let mut reachable: Vec<Reachable> = Vec::with_capacity(covered.len());
    // Most assets are covered by the same grants as many others.
    let mut known: HashMap<Vec<i64>, Rc<[Account]>> = HashMap::new();
    let mut rows = covered.into_iter().peekable();
    while let Some(first) = rows.next() {
        let mut grants = vec![first.grant_id];
        while let Some(row) = rows.next_if(|row| row.asset_id == first.asset_id) {
            grants.push(row.grant_id);
        }
        // A grant may cover an asset in several ways.
        grants.dedup();
        let here = match known.get(&grants) {
            Some(here) => Rc::clone(here),
            None => {
                let here = together(&grants, accounts);
                known.insert(grants, Rc::clone(&here));
                here
            }
        };
        if !here.is_empty() {
            reachable.push(Reachable {
                asset_id: first.asset_id,
                asset: first.asset,
                address: first.address,
                comment: first.comment,
                accounts: here,
            });
        }
    }
    reachable
}

/// What these grants give together, by name.
fn together(grants: &[i64], accounts: &HashMap<i64, Vec<Account>>) -> Rc<[Account]> {
    let mut here: Vec<Account> = Vec::new();
    for account in grants
        .iter()
        .filter_map(|grant| accounts.get(grant))
        .flatten()
    {
        let same = here
            .iter_mut()
            .find(|one| one.system_user_id == account.system_user_id);
        match same {
            Some(one) => one.rights = one.rights.union(account.rights),
            None => here.push(account.clone()),
        }
    }
    here.sort_unstable_by(|a, b| a.system_user.cmp(&b.system_user));
    here.into()
}
