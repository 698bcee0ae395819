//! What differs of a system user on one asset: name, shell, and a secret of its own there.

use super::change::{Change, valid};
use super::error::StoreError;
use super::read::Read;
use crate::names::SystemUserName;
use crate::nouns::SystemUserOverride;
use rusqlite::{Row, params};

/// Pairs for which anything is said, with what is said.
const PAIRS: &str = "SELECT s.name AS system_user, a.name AS asset, o.login, o.shell, o.shell_hooks,
        c.id AS credential_id, c.public_key, c.fingerprint
     FROM (SELECT system_user_id, asset_id FROM system_user_override
           UNION SELECT system_user_id, asset_id FROM credential WHERE asset_id IS NOT NULL AND state = 'current') p
     JOIN system_user s ON s.id = p.system_user_id
     JOIN asset a ON a.id = p.asset_id
     LEFT JOIN system_user_override o ON o.system_user_id = s.id AND o.asset_id = a.id
     LEFT JOIN credential c ON c.system_user_id = s.id AND c.asset_id = a.id AND c.state = 'current' AND c.kind = s.credential_kind";

fn system_user_override(row: &Row<'_>) -> Result<SystemUserOverride, StoreError> {
    let some = |text: Option<String>| text.filter(|text| !text.is_empty());
    Ok(SystemUserOverride {
        system_user: row.get("system_user")?,
        asset: row.get("asset")?,
        login: row.get("login")?,
        shell: row.get("shell")?,
        shell_hooks: row.get("shell_hooks")?,
        has_secret: row.get::<_, Option<i64>>("credential_id")?.is_some(),
        public_key: some(row.get("public_key")?),
        fingerprint: some(row.get("fingerprint")?),
    })
}

impl Read<'_> {
    /// What differs of one system user anywhere, or of all, by system user and asset.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn overrides(
        self,
        system_user: Option<&str>,
    ) -> Result<Vec<SystemUserOverride>, StoreError> {
        self.rows(
            &format!("{PAIRS} WHERE ?1 IS NULL OR s.name = ?1 ORDER BY s.name, a.name"),
            [system_user],
            system_user_override,
        )
    }

    /// What differs of a system user on an asset; nothing, if nothing is said.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for either of the two.
    pub fn override_on(
        self,
        system_user: &str,
        asset: &str,
    ) -> Result<SystemUserOverride, StoreError> {
        self.system_user(system_user)?;
        self.asset(asset)?;
        let said = self.first(
            &format!("{PAIRS} WHERE s.name = ?1 AND a.name = ?2"),
            [system_user, asset],
            system_user_override,
        )?;
        Ok(said.unwrap_or_else(|| SystemUserOverride::new(system_user, asset)))
    }
}

impl Change<'_> {
    /// Writes name, shell and hooks of a system user on one asset; its secret there has its own function,
    /// [`Change::set_credential`].
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Refused`] for a bad name.
    pub fn set_override(
        &self,
        edited: &SystemUserOverride,
    ) -> Result<SystemUserOverride, StoreError> {
        if let Some(login) = &edited.login {
            valid(SystemUserName::new(login))?;
        }
        let before = self
            .read()
            .override_on(&edited.system_user, &edited.asset)?;
        let ids = self.ids_of(edited)?;
        if edited.login.is_none() && edited.shell.is_none() && edited.shell_hooks.is_none() {
            self.execute(
                "DELETE FROM system_user_override WHERE system_user_id = ?1 AND asset_id = ?2",
                params![ids.0, ids.1],
            )?;
        } else {
            self.execute(
                "INSERT INTO system_user_override (system_user_id, asset_id, login, shell, shell_hooks) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (system_user_id, asset_id) DO UPDATE
                 SET login = excluded.login, shell = excluded.shell, shell_hooks = excluded.shell_hooks",
                params![ids.0, ids.1, edited.login, edited.shell, edited.shell_hooks],
            )?;
        }
        self.audit_override(&before)
    }

    /// Takes away all that is said of a system user on one asset, the secret too.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when nothing is said.
    pub fn remove_override(
        &self,
        system_user: &str,
        asset: &str,
    ) -> Result<SystemUserOverride, StoreError> {
        let before = self.read().override_on(system_user, asset)?;
        if before == SystemUserOverride::new(system_user, asset) {
            return Err(StoreError::NotFound {
                kind: "override",
                name: format!("of {system_user} on {asset}"),
                nearest: None,
            });
        }
        let ids = self.ids_of(&before)?;
        for table in ["system_user_override", "credential"] {
            self.execute(
                &format!("DELETE FROM {table} WHERE system_user_id = ?1 AND asset_id = ?2"),
                params![ids.0, ids.1],
            )?;
        }
        self.audit_override(&before)?;
        Ok(before)
    }

    fn ids_of(&self, pair: &SystemUserOverride) -> Result<(i64, i64), StoreError> {
        let read = self.read();
        Ok((
            read.id_of("system user", "system_user", &pair.system_user)?,
            read.id_of("asset", "asset", &pair.asset)?,
        ))
    }

    /// The event of what was said before and is said now.
    pub(super) fn audit_override(
        &self,
        before: &SystemUserOverride,
    ) -> Result<SystemUserOverride, StoreError> {
        let after = self
            .read()
            .override_on(&before.system_user, &before.asset)?;
        let nothing = SystemUserOverride::new(&before.system_user, &before.asset);
        let name = format!("{}@{}", before.system_user, before.asset);
        let said = |one: &SystemUserOverride| (*one != nothing).then(|| one.clone());
        let (was, is) = (said(before), said(&after));
        if was != is {
            self.audit("system-user-override", &name, was.as_ref(), is.as_ref())?;
        }
        Ok(after)
    }
}
