//! Grants.

use super::change::{Change, replace_links, valid};
use super::error::StoreError;
use super::read::{Read, Visit, all, maybe_time, number, time};
use super::selector::Selector;
use crate::names::LabelName;
use crate::nouns::Grant;
use crate::policy::Rights;
use rusqlite::{Row, params};

fn grant(read: Read<'_>, row: &Row<'_>) -> Result<Grant, StoreError> {
    let id: i64 = row.get("id")?;
    let linked = |table: &str, other: &str, column: &str| {
        read.texts(
            &format!("SELECT o.{column} FROM {other} o JOIN {table} l ON l.{other}_id = o.id WHERE l.grant_id = ?1 ORDER BY 1"),
            [id],
        )
    };
    let rights: String = row.get("rights")?;
    let require_mfa: Option<i64> = row.get("require_mfa")?;
    Ok(Grant {
        id,
        name: row.get("name")?,
        users: linked("grant_user", "user", "name")?,
        user_groups: linked("grant_user_group", "user_group", "name")?,
        assets: linked("grant_asset", "asset", "name")?,
        asset_groups: linked("grant_asset_group", "asset_group", "path")?,
        sites: linked("grant_site", "site", "name")?,
        system_users: linked("grant_system_user", "system_user", "name")?,
        rights: Rights::parse(&rights).map_err(|_| StoreError::Nonsense {
            what: "rights",
            found: rights.clone(),
        })?,
        valid_from: maybe_time(row, "valid_from")?,
        valid_until: maybe_time(row, "valid_until")?,
        require_mfa: require_mfa
            .map(|seconds| number("require_mfa", seconds))
            .transpose()?,
        comment: row.get("comment")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}

impl Read<'_> {
    /// The grant of that name.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] with the nearest name.
    pub fn grant(self, name: &str) -> Result<Grant, StoreError> {
        let found = self.first(
            "SELECT * FROM access_grant WHERE name = ?1",
            [name],
            |row| grant(self, row),
        )?;
        found.ok_or_else(|| self.missing("grant", "access_grant", name))
    }

    /// Every grant, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn grants(self) -> Result<Vec<Grant>, StoreError> {
        all(|visit| self.each_grant(visit))
    }

    /// The same one after the other.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn each_grant(self, visit: Visit<'_, Grant>) -> Result<(), StoreError> {
        self.each(
            "SELECT * FROM access_grant ORDER BY name",
            [],
            |row| grant(self, row),
            visit,
        )
    }
}

impl Change<'_> {
    /// Adds a grant.
    ///
    /// # Errors
    /// [`StoreError::Exists`]; [`StoreError::NotFound`] for whoever or whatever it names;
    /// [`StoreError::Refused`] for a grant that could never allow anything.
    pub fn add_grant(&self, new: &Grant) -> Result<Grant, StoreError> {
        valid(LabelName::new(&new.name))?;
        self.refuse_taken("grant", "access_grant", &new.name)?;
        self.execute(
            "INSERT INTO access_grant (name, rights, created_at, updated_at) VALUES (?1, '', ?2, ?2)",
            params![new.name, self.now().0],
        )?;
        let added = self.write_grant(self.last_id(), new)?;
        self.audit("grant", &added.name, None, Some(&added))?;
        Ok(added)
    }

    /// Writes a grant that was read and edited; the name never changes.
    ///
    /// # Errors
    /// As [`Change::add_grant`].
    pub fn set_grant(&self, edited: &Grant) -> Result<Grant, StoreError> {
        let before = self.read().grant(&edited.name)?;
        let after = self.write_grant(before.id, edited)?;
        self.audit("grant", &after.name, Some(&before), Some(&after))?;
        Ok(after)
    }

    /// Removes a grant.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn remove_grant(&self, name: &str) -> Result<Grant, StoreError> {
        let before = self.read().grant(name)?;
        self.execute("DELETE FROM access_grant WHERE id = ?1", [before.id])?;
        self.audit("grant", name, Some(&before), None)?;
        Ok(before)
    }

    fn write_grant(&self, id: i64, grant: &Grant) -> Result<Grant, StoreError> {
        let refuse = |sentence: &str| {
            Err(StoreError::Refused {
                sentence: sentence.to_owned(),
            })
        };
        if grant.rights.is_empty() {
            return refuse(
                "a grant needs at least one right: --rights shell,exec,upload,download,delete,tunnel",
            );
        }
        if grant.users.is_empty() && grant.user_groups.is_empty() {
            return refuse("a grant needs somebody: --user NAME or --user-group NAME");
        }
        if grant.assets.is_empty() && grant.asset_groups.is_empty() && grant.sites.is_empty() {
            return refuse(
                "a grant needs a place: --asset NAME, --asset-group /PATH or --site NAME",
            );
        }
        if grant.system_users.is_empty() {
            return refuse("a grant needs an account on the assets: --system-user NAME");
        }
        if let (Some(from), Some(until)) = (grant.valid_from, grant.valid_until)
            && from >= until
        {
            return refuse(
                "the grant would end before it begins: --valid-until must be after --valid-from",
            );
        }
        self.execute(
            "UPDATE access_grant SET rights = ?2, valid_from = ?3, valid_until = ?4, require_mfa = ?5, comment = ?6, updated_at = ?7 WHERE id = ?1",
            params![
                id, grant.rights.to_string(), grant.valid_from.map(|at| at.0), grant.valid_until.map(|at| at.0),
                grant.require_mfa, grant.comment, self.now().0
            ],
        )?;
        self.link_grant(id, Selector::User, &grant.users)?;
        self.link_grant(id, Selector::UserGroup, &grant.user_groups)?;
        self.link_grant(id, Selector::Asset, &grant.assets)?;
        self.link_grant(id, Selector::AssetGroup, &grant.asset_groups)?;
        self.link_grant(id, Selector::Site, &grant.sites)?;
        self.link_grant(id, Selector::SystemUser, &grant.system_users)?;
        self.read().grant(&grant.name)
    }

    fn link_grant(&self, id: i64, selector: Selector, names: &[String]) -> Result<(), StoreError> {
        let (links, column) = selector.grant_link();
        let ids = names
            .iter()
            .map(|name| self.read().id_of(selector.kind(), selector.table(), name));
        replace_links(self, links, ("grant_id", id), column, ids)
    }
}
