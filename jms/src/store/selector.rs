//! What policy can name: the words SELECT of the command line, and where the store keeps each.

use super::error::StoreError;
use super::read::Read;

/// A kind of object that a grant names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Selector {
    /// Users.
    User,
    /// User groups.
    UserGroup,
    /// Assets.
    Asset,
    /// Asset groups, each with all below it.
    AssetGroup,
    /// Sites.
    Site,
    /// System users.
    SystemUser,
}

impl Selector {
    /// What people call it.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::UserGroup => "user group",
            Self::Asset => "asset",
            Self::AssetGroup => "asset group",
            Self::Site => "site",
            Self::SystemUser => "system user",
        }
    }

    pub(super) fn table(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::UserGroup => "user_group",
            Self::Asset => "asset",
            Self::AssetGroup => "asset_group",
            Self::Site => "site",
            Self::SystemUser => "system_user",
        }
    }

    pub(super) fn name_column(self) -> &'static str {
        match self {
            Self::AssetGroup => "path",
            _ => "name",
        }
    }

    /// Table and column by which grants name it.
    pub(super) fn grant_link(self) -> (&'static str, &'static str) {
        match self {
            Self::User => ("grant_user", "user_id"),
            Self::UserGroup => ("grant_user_group", "user_group_id"),
            Self::Asset => ("grant_asset", "asset_id"),
            Self::AssetGroup => ("grant_asset_group", "asset_group_id"),
            Self::Site => ("grant_site", "site_id"),
            Self::SystemUser => ("grant_system_user", "system_user_id"),
        }
    }
}

impl Read<'_> {
    /// Every name of the kind, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn names_of(self, selector: Selector) -> Result<Vec<String>, StoreError> {
        let (column, table) = (selector.name_column(), selector.table());
        self.texts(&format!("SELECT {column} FROM {table} ORDER BY 1"), [])
    }

    /// Names of the grants that name this very object, in order.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the object.
    pub fn grants_naming(self, selector: Selector, name: &str) -> Result<Vec<String>, StoreError> {
        self.grants_linked(
            selector,
            self.id_of(selector.kind(), selector.table(), name)?,
        )
    }

    pub(super) fn grants_linked(
        self,
        selector: Selector,
        id: i64,
    ) -> Result<Vec<String>, StoreError> {
        let (table, column) = selector.grant_link();
        self.texts(
            &format!(
                "SELECT g.name FROM access_grant g JOIN {table} l ON l.grant_id = g.id WHERE l.{column} = ?1 ORDER BY 1"
            ),
            [id],
        )
    }
}
