//! What hangs on an object that is removed. Links go with it by the schema; here those that were linked
//! get their own events, and a grant that could never allow anything again goes as well.

use super::change::Change;
use super::error::StoreError;
use super::selector::Selector;
use crate::nouns::{Asset, Grant};
use rusqlite::params;

/// Columns by which assets name it.
fn asset_columns(what: Selector) -> &'static [&'static str] {
    match what {
        Selector::Site => &["site_id"],
        Selector::SystemUser => &["privileged_system_user_id", "gateway_system_user_id"],
        _ => &[],
    }
}

/// Grants and assets as they were while they still named it.
pub(super) struct Hanging {
    grants: Vec<Grant>,
    assets: Vec<Asset>,
}

impl Change<'_> {
    /// Looks at what names these rows; before they go.
    pub(super) fn hanging_on(&self, what: Selector, ids: &[i64]) -> Result<Hanging, StoreError> {
        let read = self.read();
        let mut hanging = Hanging {
            grants: Vec::new(),
            assets: Vec::new(),
        };
        for id in ids {
            for name in read.grants_linked(what, *id)? {
                if !hanging.grants.iter().any(|grant| grant.name == name) {
                    hanging.grants.push(read.grant(&name)?);
                }
            }
            for column in asset_columns(what) {
                let sql = format!("SELECT name FROM asset WHERE {column} = ?1 ORDER BY 1");
                for name in read.texts(&sql, [id])? {
                    if !hanging.assets.iter().any(|asset| asset.name == name) {
                        hanging.assets.push(read.asset(&name)?);
                    }
                }
            }
        }
        Ok(hanging)
    }

    /// Says what has become of them; after.
    pub(super) fn let_go(&self, hanging: Hanging) -> Result<(), StoreError> {
        for before in &hanging.assets {
            self.execute(
                "UPDATE asset SET updated_at = ?2 WHERE id = ?1",
                params![before.id, self.now().0],
            )?;
            let after = self.read().asset(&before.name)?;
            self.audit("asset", &before.name, Some(before), Some(&after))?;
        }
        match hanging.assets.as_slice() {
            [] => {}
            [one] => self.has_consequence(format!("asset {} no longer names it", one.name)),
            several => {
                self.has_consequence(format!("{} assets no longer name it", several.len()));
            }
        }
        for before in &hanging.grants {
            self.let_go_of_grant(before)?;
        }
        Ok(())
    }

    fn let_go_of_grant(&self, before: &Grant) -> Result<(), StoreError> {
        let after = self.read().grant(&before.name)?;
        let void = if after.users.is_empty() && after.user_groups.is_empty() {
            "nobody"
        } else if after.assets.is_empty() && after.asset_groups.is_empty() && after.sites.is_empty()
        {
            "no place"
        } else if after.system_users.is_empty() {
            "no system user"
        } else {
            self.execute(
                "UPDATE access_grant SET updated_at = ?2 WHERE id = ?1",
                params![before.id, self.now().0],
            )?;
            let after = self.read().grant(&before.name)?;
            self.audit("grant", &before.name, Some(before), Some(&after))?;
            self.has_consequence(format!("grant {} goes on without it", before.name));
            return Ok(());
        };
        self.execute("DELETE FROM access_grant WHERE id = ?1", [before.id])?;
        self.audit("grant", &before.name, Some(before), None)?;
        self.has_consequence(format!(
            "grant {} goes, too: {void} is left in it",
            before.name
        ));
        Ok(())
    }
}
