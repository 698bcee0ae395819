//! Sites.

use super::change::{Change, valid};
use super::error::StoreError;
use super::read::{Read, time};
use super::selector::Selector;
use crate::names::LabelName;
use crate::nouns::Site;
use rusqlite::{Row, params};

fn site(row: &Row<'_>) -> Result<Site, StoreError> {
    Ok(Site {
        id: row.get("id")?,
        name: row.get("name")?,
        comment: row.get("comment")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}

impl Read<'_> {
    /// The site of that name.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] with the nearest name.
    pub fn site(self, name: &str) -> Result<Site, StoreError> {
        let found = self.first("SELECT * FROM site WHERE name = ?1", [name], site)?;
        found.ok_or_else(|| self.missing("site", "site", name))
    }

    /// Every site, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn sites(self) -> Result<Vec<Site>, StoreError> {
        self.rows("SELECT * FROM site ORDER BY name", [], site)
    }

    /// Names of the assets of a site.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the site.
    pub fn assets_of_site(self, name: &str) -> Result<Vec<String>, StoreError> {
        let id = self.id_of("site", "site", name)?;
        self.texts("SELECT name FROM asset WHERE site_id = ?1 ORDER BY 1", [id])
    }
}

impl Change<'_> {
    /// Adds a site.
    ///
    /// # Errors
    /// [`StoreError::Exists`]; [`StoreError::Refused`] for a bad name.
    pub fn add_site(&self, new: &Site) -> Result<Site, StoreError> {
        valid(LabelName::new(&new.name))?;
        self.refuse_taken("site", "site", &new.name)?;
        self.execute(
            "INSERT INTO site (name, comment, created_at, updated_at) VALUES (?1, ?2, ?3, ?3)",
            params![new.name, new.comment, self.now().0],
        )?;
        let added = self.read().site(&new.name)?;
        self.audit("site", &added.name, None, Some(&added))?;
        Ok(added)
    }

    /// Writes a site that was read and edited; the name never changes.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn set_site(&self, edited: &Site) -> Result<Site, StoreError> {
        let before = self.read().site(&edited.name)?;
        self.execute(
            "UPDATE site SET comment = ?2, updated_at = ?3 WHERE id = ?1",
            params![before.id, edited.comment, self.now().0],
        )?;
        let after = self.read().site(&edited.name)?;
        self.audit("site", &after.name, Some(&before), Some(&after))?;
        Ok(after)
    }

    /// Removes a site; its assets stay, without a site.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn remove_site(&self, name: &str) -> Result<Site, StoreError> {
        let before = self.read().site(name)?;
        let hanging = self.hanging_on(Selector::Site, &[before.id])?;
        self.execute("DELETE FROM site WHERE id = ?1", [before.id])?;
        self.audit("site", name, Some(&before), None)?;
        self.let_go(hanging)?;
        Ok(before)
    }
}
