//! System users and their credentials.

use super::change::Change;
use super::error::StoreError;
use super::read::{Read, time, word};
use super::selector::Selector;
use crate::names::SystemUserName;
use crate::nouns::{Credential, CredentialKind, SystemUser};
use rusqlite::{Row, params};

const COLUMNS: &str = "SELECT s.*, c.public_key AS public_key, c.fingerprint AS fingerprint, c.id AS credential_id
     FROM system_user s
     LEFT JOIN credential c ON c.system_user_id = s.id AND c.asset_id IS NULL AND c.state = 'current' AND c.kind = s.credential_kind";

fn some(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn system_user(row: &Row<'_>) -> Result<SystemUser, StoreError> {
    Ok(SystemUser {
        id: row.get("id")?,
        name: row.get("name")?,
        login: some(row.get("login")?),
        privileged: row.get("privileged")?,
        dynamic: row.get("dynamic")?,
        shell: row.get("shell")?,
        credential: word(
            "credential",
            &row.get::<_, String>("credential_kind")?,
            CredentialKind::parse,
        )?,
        public_key: some(row.get("public_key")?),
        fingerprint: some(row.get("fingerprint")?),
        has_secret: row.get::<_, Option<i64>>("credential_id")?.is_some(),
        auto_push: row.get("auto_push")?,
        shell_hooks: row.get("shell_hooks")?,
        comment: row.get("comment")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}

/// A new secret for a system user; `seal` is given the id of its row, which is bound into the seal.
pub struct NewCredential<'a> {
    /// Key or password.
    pub kind: CredentialKind,
    /// Public half, as a line for `authorized_keys`; empty for a password.
    pub public_key: &'a str,
    /// `SHA256:…`; empty for a password.
    pub fingerprint: &'a str,
}

impl Read<'_> {
    /// The system user of that name.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] with the nearest name.
    pub fn system_user(self, name: &str) -> Result<SystemUser, StoreError> {
        let found = self.first(&format!("{COLUMNS} WHERE s.name = ?1"), [name], system_user)?;
        found.ok_or_else(|| self.missing("system user", "system_user", name))
    }

    pub(super) fn system_user_by_id(self, id: i64) -> Result<Option<SystemUser>, StoreError> {
        self.first(&format!("{COLUMNS} WHERE s.id = ?1"), [id], system_user)
    }

    /// Every system user, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn system_users(self) -> Result<Vec<SystemUser>, StoreError> {
        self.rows(&format!("{COLUMNS} ORDER BY s.name"), [], system_user)
    }

    /// Whether a secret is stored with which the system user gets into `asset`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn has_credential(
        self,
        system_user: &SystemUser,
        asset: &crate::nouns::Asset,
    ) -> Result<bool, StoreError> {
        Ok(self.credential(system_user, asset.id)?.is_some())
    }

    /// The sealed credential of a system user at an asset: its own there, or the common one.
    pub(super) fn credential(
        self,
        system_user: &SystemUser,
        asset_id: i64,
    ) -> Result<Option<Credential>, StoreError> {
        self.first(
            "SELECT id, kind, secret, public_key, fingerprint FROM credential
             WHERE system_user_id = ?1 AND (asset_id = ?2 OR asset_id IS NULL) AND state = 'current' AND kind = ?3
             ORDER BY asset_id IS NULL LIMIT 1",
            params![system_user.id, asset_id, system_user.credential.as_str()],
            |row| {
                Ok(Credential {
                    id: row.get("id")?,
                    kind: word("credential", &row.get::<_, String>("kind")?, CredentialKind::parse)?,
                    sealed: row.get("secret")?,
                    public_key: row.get("public_key")?,
                    fingerprint: row.get("fingerprint")?,
                })
            },
        )
    }
}

impl Change<'_> {
    /// Adds a system user, without a secret yet.
    ///
    /// # Errors
    /// [`StoreError::Exists`]; [`StoreError::Refused`] for a bad name.
    pub fn add_system_user(&self, new: &SystemUser) -> Result<SystemUser, StoreError> {
        SystemUserName::new(&new.name).map_err(|error| StoreError::Refused {
            sentence: error.to_string(),
        })?;
        if self
            .read()
            .first(
                "SELECT 1 FROM system_user WHERE name = ?1",
                [&new.name],
                |_| Ok(()),
            )?
            .is_some()
        {
            return Err(StoreError::Exists {
                kind: "system user",
                name: new.name.clone(),
            });
        }
        self.execute(
            "INSERT INTO system_user (name, created_at, updated_at) VALUES (?1, ?2, ?2)",
            params![new.name, self.now().0],
        )?;
        let added = self.write_system_user(self.last_id(), new)?;
        self.audit("system-user", &added.name, None, Some(&added))?;
        Ok(added)
    }

    /// Writes a system user that was read and edited; the name never changes.
    ///
    /// # Errors
    /// As [`Change::add_system_user`].
    pub fn set_system_user(&self, edited: &SystemUser) -> Result<SystemUser, StoreError> {
        let before = self.read().system_user(&edited.name)?;
        if before.privileged && !edited.privileged {
            self.refuse_while_counted_on(&before)?;
        }
        let after = self.write_system_user(before.id, edited)?;
        self.audit("system-user", &after.name, Some(&before), Some(&after))?;
        Ok(after)
    }

    /// Removes a system user with its secrets and direct grants.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn remove_system_user(&self, name: &str) -> Result<SystemUser, StoreError> {
        let before = self.read().system_user(name)?;
        let hanging = self.hanging_on(Selector::SystemUser, &[before.id])?;
        self.execute("DELETE FROM system_user WHERE id = ?1", [before.id])?;
        self.audit("system-user", name, Some(&before), None)?;
        self.forget_default_system_user(name)?;
        self.let_go(hanging)?;
        Ok(before)
    }

    /// Stores a new secret for one asset alone, in place of the current one there.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; what `seal` returns.
    pub fn set_credential_on(
        &self,
        system_user: &str,
        asset: &str,
        new: &NewCredential<'_>,
        seal: impl FnOnce(i64) -> Result<Vec<u8>, StoreError>,
    ) -> Result<crate::nouns::SystemUserOverride, StoreError> {
        let before = self.read().override_on(system_user, asset)?;
        let system_user = self.read().system_user(system_user)?;
        let asset = self.read().asset(asset)?;
        self.replace_credential(system_user.id, Some(asset.id), new, seal)?;
        self.audit_override(&before)
    }

    /// Stores a new secret in place of the current one. The event names the public half only.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; what `seal` returns.
    pub fn set_credential(
        &self,
        system_user: &str,
        new: &NewCredential<'_>,
        seal: impl FnOnce(i64) -> Result<Vec<u8>, StoreError>,
    ) -> Result<SystemUser, StoreError> {
        let before = self.read().system_user(system_user)?;
        self.replace_credential(before.id, None, new, seal)?;
        self.execute(
            "UPDATE system_user SET updated_at = ?2 WHERE id = ?1",
            params![before.id, self.now().0],
        )?;
        let after = self.read().system_user(system_user)?;
        self.audit("credential", system_user, Some(&before), Some(&after))?;
        Ok(after)
    }

    /// The new row has another id, so what was sealed for the old one opens nothing.
    fn replace_credential(
        &self,
        system_user: i64,
        asset: Option<i64>,
        new: &NewCredential<'_>,
        seal: impl FnOnce(i64) -> Result<Vec<u8>, StoreError>,
    ) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM credential WHERE system_user_id = ?1 AND asset_id IS ?2 AND state = 'current' AND kind = ?3",
            params![system_user, asset, new.kind.as_str()],
        )?;
        self.execute(
            "INSERT INTO credential (system_user_id, asset_id, kind, secret, public_key, fingerprint, created_at)
             VALUES (?1, ?2, ?3, x'', ?4, ?5, ?6)",
            params![system_user, asset, new.kind.as_str(), new.public_key, new.fingerprint, self.now().0],
        )?;
        let id = self.last_id();
        let sealed = seal(id)?;
        self.execute(
            "UPDATE credential SET secret = ?2 WHERE id = ?1",
            params![id, sealed],
        )?;
        Ok(())
    }

    /// Who pushes the others must be made for it, and stays so while assets count on it.
    pub(super) fn refuse_unprivileged(&self, name: &str) -> Result<(), StoreError> {
        if self.read().system_user(name)?.privileged {
            return Ok(());
        }
        Err(StoreError::Refused {
            sentence: format!(
                "{name} is no privileged system user; if it is root or may become root there: jmsctl system-user set {name} --privileged"
            ),
        })
    }

    fn refuse_while_counted_on(&self, before: &SystemUser) -> Result<(), StoreError> {
        let mut users = self.read().texts(
            "SELECT 'asset ' || name FROM asset WHERE privileged_system_user_id = ?1 ORDER BY name LIMIT 5",
            [before.id],
        )?;
        if self.read().defaults()?.privileged_system_user.as_deref() == Some(&before.name) {
            users.push("the defaults".to_owned());
        }
        if users.is_empty() {
            return Ok(());
        }
        Err(StoreError::Refused {
            sentence: format!(
                "{} must stay privileged: {} name it",
                before.name,
                users.join(", ")
            ),
        })
    }

    fn write_system_user(&self, id: i64, edited: &SystemUser) -> Result<SystemUser, StoreError> {
        if edited.dynamic && edited.login.is_some() {
            return Err(StoreError::Refused {
                sentence: format!(
                    "{} takes the user's own name on assets, so it has no login of its own; --login none, or --dynamic=no",
                    edited.name
                ),
            });
        }
        if let Some(login) = &edited.login {
            SystemUserName::new(login).map_err(|error| StoreError::Refused {
                sentence: error.to_string(),
            })?;
        }
        self.execute(
            "UPDATE system_user SET login = ?2, privileged = ?3, dynamic = ?4, shell = ?5, credential_kind = ?6,
                    auto_push = ?7, shell_hooks = ?8, comment = ?9, updated_at = ?10 WHERE id = ?1",
            params![
                id, edited.login.as_deref().unwrap_or(""), edited.privileged, edited.dynamic, edited.shell,
                edited.credential.as_str(), edited.auto_push, edited.shell_hooks, edited.comment, self.now().0
            ],
        )?;
        self.read().system_user(&edited.name)
    }
}
