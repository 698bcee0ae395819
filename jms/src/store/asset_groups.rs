//! Asset groups: the tree of places in which assets stand.

use super::change::{Change, replace_links, valid};
use super::error::StoreError;
use super::read::{Read, Visit, all, time};
use super::selector::Selector;
use crate::names::AssetGroupPath;
use crate::nouns::AssetGroup;
use rusqlite::{Row, params};

/// The whole tree; it is always there, and every asset is below it.
const ROOT: &str = "/";

/// Ids of ?1 and of all below it.
const BELOW: &str = "WITH RECURSIVE below (id) AS (
        SELECT id FROM asset_group WHERE id = ?1
        UNION
        SELECT g.id FROM asset_group g JOIN below ON g.parent_id = below.id
    )";

fn asset_group(read: Read<'_>, row: &Row<'_>) -> Result<AssetGroup, StoreError> {
    let id: i64 = row.get("id")?;
    Ok(AssetGroup {
        id,
        path: row.get("path")?,
        assets: read.texts(
            "SELECT a.name FROM asset a JOIN asset_group_member m ON m.asset_id = a.id WHERE m.asset_group_id = ?1 ORDER BY 1",
            [id],
        )?,
        comment: row.get("comment")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}

impl Read<'_> {
    /// The asset group of that path.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] with the nearest path.
    pub fn asset_group(self, path: &str) -> Result<AssetGroup, StoreError> {
        let found = self.first("SELECT * FROM asset_group WHERE path = ?1", [path], |row| {
            asset_group(self, row)
        })?;
        found.ok_or_else(|| self.missing("asset group", "asset_group", path))
    }

    /// Every asset group, by path; `/` is the first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn asset_groups(self) -> Result<Vec<AssetGroup>, StoreError> {
        all(|visit| self.each_asset_group(visit))
    }

    /// The same one after the other.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn each_asset_group(self, visit: Visit<'_, AssetGroup>) -> Result<(), StoreError> {
        self.each(
            "SELECT * FROM asset_group ORDER BY path",
            [],
            |row| asset_group(self, row),
            visit,
        )
    }

    /// Paths of the places under this one, at any depth, without itself.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the place.
    pub fn asset_groups_below(self, path: &str) -> Result<Vec<String>, StoreError> {
        let id = self.id_of("asset group", "asset_group", path)?;
        self.texts(
            &format!(
                "{BELOW} SELECT g.path FROM asset_group g JOIN below USING (id) WHERE g.id <> ?1 ORDER BY 1"
            ),
            [id],
        )
    }

    /// Names of all assets that a grant on this place covers: here, at any depth below, and with `/` all.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the place.
    pub fn assets_below(self, path: &str) -> Result<Vec<String>, StoreError> {
        let id = self.id_of("asset group", "asset_group", path)?;
        if path == ROOT {
            return self.texts("SELECT name FROM asset ORDER BY 1", []);
        }
        self.texts(
            &format!(
                "{BELOW} SELECT DISTINCT a.name FROM asset a JOIN asset_group_member m ON m.asset_id = a.id
                 JOIN below ON below.id = m.asset_group_id ORDER BY 1"
            ),
            [id],
        )
    }
}

impl Change<'_> {
    /// Adds an asset group, and the places above it that are missing.
    ///
    /// # Errors
    /// [`StoreError::Exists`]; [`StoreError::Refused`] for a bad path; [`StoreError::NotFound`] for an asset.
    pub fn add_asset_group(&self, new: &AssetGroup) -> Result<AssetGroup, StoreError> {
        valid(AssetGroupPath::new(&new.path))?;
        self.refuse_taken("asset group", "asset_group", &new.path)?;
        let above = AssetGroup::above(&new.path).unwrap_or(ROOT);
        let parent = match self.read().id_if_any("asset_group", above)? {
            Some(id) => id,
            None => {
                let made = self.add_asset_group(&AssetGroup::new(above, self.now()))?;
                self.has_consequence(format!("asset group {above} is made, too"));
                made.id
            }
        };
        self.execute(
            "INSERT INTO asset_group (path, parent_id, created_at, updated_at) VALUES (?1, ?2, ?3, ?3)",
            params![new.path, parent, self.now().0],
        )?;
        let added = self.write_asset_group(self.last_id(), new)?;
        self.audit("asset-group", &added.path, None, Some(&added))?;
        Ok(added)
    }

    /// Writes an asset group that was read and edited; the path never changes.
    ///
    /// # Errors
    /// As [`Change::add_asset_group`].
    pub fn set_asset_group(&self, edited: &AssetGroup) -> Result<AssetGroup, StoreError> {
        let before = self.read().asset_group(&edited.path)?;
        let after = self.write_asset_group(before.id, edited)?;
        self.audit("asset-group", &after.path, Some(&before), Some(&after))?;
        Ok(after)
    }

    /// Removes an asset group with all places below it; the assets stay.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Refused`] for the whole tree.
    pub fn remove_asset_group(&self, path: &str) -> Result<AssetGroup, StoreError> {
        let before = self.read().asset_group(path)?;
        if path == ROOT {
            return Err(StoreError::Refused {
                sentence: "/ is the whole tree, which is always there".to_owned(),
            });
        }
        let below = self.read().rows(
            &format!(
                "{BELOW} SELECT g.* FROM asset_group g JOIN below USING (id) WHERE g.id <> ?1 ORDER BY g.path DESC"
            ),
            [before.id],
            |row| asset_group(self.read(), row),
        )?;
        let ids: Vec<i64> = below
            .iter()
            .chain([&before])
            .map(|group| group.id)
            .collect();
        let hanging = self.hanging_on(Selector::AssetGroup, &ids)?;
        self.execute("DELETE FROM asset_group WHERE id = ?1", [before.id])?;
        for group in &below {
            self.audit("asset-group", &group.path, Some(group), None)?;
            self.has_consequence(format!("asset group {} goes with it", group.path));
        }
        self.audit("asset-group", path, Some(&before), None)?;
        self.let_go(hanging)?;
        Ok(before)
    }

    fn write_asset_group(&self, id: i64, group: &AssetGroup) -> Result<AssetGroup, StoreError> {
        if group.path == ROOT && !group.assets.is_empty() {
            return Err(StoreError::Refused {
                sentence: "every asset is below / as it is".to_owned(),
            });
        }
        self.execute(
            "UPDATE asset_group SET comment = ?2, updated_at = ?3 WHERE id = ?1",
            params![id, group.comment, self.now().0],
        )?;
        let assets = group
            .assets
            .iter()
            .map(|name| self.read().id_of("asset", "asset", name));
        let members = ("asset_group_id", id);
        replace_links(self, "asset_group_member", members, "asset_id", assets)?;
        self.read().asset_group(&group.path)
    }
}
