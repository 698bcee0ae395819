//! User groups.

use super::change::{Change, replace_links, valid};
use super::error::StoreError;
use super::read::{Read, Visit, all, time};
use super::selector::Selector;
use crate::names::LabelName;
use crate::nouns::UserGroup;
use rusqlite::{Row, params};

fn user_group(read: Read<'_>, row: &Row<'_>) -> Result<UserGroup, StoreError> {
    let id: i64 = row.get("id")?;
    Ok(UserGroup {
        id,
        name: row.get("name")?,
        users: read.texts(
            "SELECT u.name FROM user u JOIN user_group_member m ON m.user_id = u.id WHERE m.user_group_id = ?1 ORDER BY 1",
            [id],
        )?,
        comment: row.get("comment")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}

impl Read<'_> {
    /// The user group of that name.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] with the nearest name.
    pub fn user_group(self, name: &str) -> Result<UserGroup, StoreError> {
        let found = self.first("SELECT * FROM user_group WHERE name = ?1", [name], |row| {
            user_group(self, row)
        })?;
        found.ok_or_else(|| self.missing("user group", "user_group", name))
    }

    /// Every user group, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn user_groups(self) -> Result<Vec<UserGroup>, StoreError> {
        all(|visit| self.each_user_group(visit))
    }

    /// The same one after the other.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn each_user_group(self, visit: Visit<'_, UserGroup>) -> Result<(), StoreError> {
        self.each(
            "SELECT * FROM user_group ORDER BY name",
            [],
            |row| user_group(self, row),
            visit,
        )
    }
}

impl Change<'_> {
    /// Adds a user group.
    ///
    /// # Errors
    /// [`StoreError::Exists`]; [`StoreError::Refused`] for a bad name; [`StoreError::NotFound`] for a user.
    pub fn add_user_group(&self, new: &UserGroup) -> Result<UserGroup, StoreError> {
        valid(LabelName::new(&new.name))?;
        self.refuse_taken("user group", "user_group", &new.name)?;
        self.execute(
            "INSERT INTO user_group (name, created_at, updated_at) VALUES (?1, ?2, ?2)",
            params![new.name, self.now().0],
        )?;
        let added = self.write_user_group(self.last_id(), new)?;
        self.audit("user-group", &added.name, None, Some(&added))?;
        Ok(added)
    }

    /// Writes a user group that was read and edited; the name never changes.
    ///
    /// # Errors
    /// As [`Change::add_user_group`].
    pub fn set_user_group(&self, edited: &UserGroup) -> Result<UserGroup, StoreError> {
        let before = self.read().user_group(&edited.name)?;
        let after = self.write_user_group(before.id, edited)?;
        self.audit("user-group", &after.name, Some(&before), Some(&after))?;
        Ok(after)
    }

    /// Removes a user group; its users stay.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn remove_user_group(&self, name: &str) -> Result<UserGroup, StoreError> {
        let before = self.read().user_group(name)?;
        let hanging = self.hanging_on(Selector::UserGroup, &[before.id])?;
        self.execute("DELETE FROM user_group WHERE id = ?1", [before.id])?;
        self.audit("user-group", name, Some(&before), None)?;
        self.let_go(hanging)?;
        Ok(before)
    }

    fn write_user_group(&self, id: i64, group: &UserGroup) -> Result<UserGroup, StoreError> {
        self.execute(
            "UPDATE user_group SET comment = ?2, updated_at = ?3 WHERE id = ?1",
            params![id, group.comment, self.now().0],
        )?;
        let users = group
            .users
            .iter()
            .map(|name| self.read().id_of("user", "user", name));
        let members = ("user_group_id", id);
        replace_links(self, "user_group_member", members, "user_id", users)?;
        self.read().user_group(&group.name)
    }
}
