//! Platforms: a list that the product brings along.

use super::error::StoreError;
use super::read::Read;
use crate::nouns::Platform;
use rusqlite::Row;

fn platform(row: &Row<'_>) -> Result<Platform, StoreError> {
    Ok(Platform {
        name: row.get("name")?,
        comment: row.get("comment")?,
    })
}

impl Read<'_> {
    /// The platform of that name.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] with the nearest name.
    pub fn platform(self, name: &str) -> Result<Platform, StoreError> {
        let found = self.first("SELECT * FROM platform WHERE name = ?1", [name], platform)?;
        found.ok_or_else(|| self.missing("platform", "platform", name))
    }

    /// Every platform, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn platforms(self) -> Result<Vec<Platform>, StoreError> {
        self.rows("SELECT * FROM platform ORDER BY name", [], platform)
    }
}
