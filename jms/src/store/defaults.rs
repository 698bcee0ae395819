//! What new objects get when nobody says otherwise.

use super::change::Change;
use super::error::StoreError;
use super::read::{Read, number, word};
use crate::nouns::{Defaults, Mfa, Role};
use crate::time::Time;
use rusqlite::params;

const PRIVILEGED: &str = "privileged-system-user";
const PORT: &str = "port";
const SHELL: &str = "shell";
const MFA_USER: &str = "mfa-user";
const MFA_AUDITOR: &str = "mfa-auditor";
const MFA_ADMIN: &str = "mfa-admin";
/// When one of the three was last changed.
const MFA_CHANGED: &str = "mfa-changed-at";

impl Read<'_> {
    /// The defaults; what was never set is as the product brings it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn defaults(self) -> Result<Defaults, StoreError> {
        let mut defaults = Defaults::default();
        let rows = self.rows("SELECT name, value FROM defaults", [], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?;
        for (name, value) in rows {
            match name.as_str() {
                PRIVILEGED => defaults.privileged_system_user = Some(value),
                PORT => {
                    let nonsense = || StoreError::Nonsense {
                        what: "the default port",
                        found: value.clone(),
                    };
                    defaults.port =
                        number("the default port", value.parse().map_err(|_| nonsense())?)?;
                }
                SHELL => defaults.shell = value,
                MFA_USER => defaults.mfa_user = factor(&value)?,
                MFA_AUDITOR => defaults.mfa_auditor = factor(&value)?,
                MFA_ADMIN => defaults.mfa_admin = factor(&value)?,
                _ => {}
            }
        }
        Ok(defaults)
    }

    /// When the second factor that is demanded of a role was last changed; `None`: never.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(in crate::store) fn factors_of_roles_since(self) -> Result<Option<Time>, StoreError> {
        let written = self.first(
            "SELECT value FROM defaults WHERE name = ?1",
            [MFA_CHANGED],
            |row| Ok(row.get::<_, String>(0)?),
        )?;
        Ok(written.and_then(|text| text.parse().ok()).map(Time))
    }
}

fn factor(value: &str) -> Result<Mfa, StoreError> {
    word("the second factor of a role", value, Mfa::parse)
}

impl Change<'_> {
    /// Writes the defaults.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the system user; [`StoreError::Refused`] for port 0, and for a second factor that
    /// would shut every administrator out.
    pub fn set_defaults(&self, edited: &Defaults) -> Result<Defaults, StoreError> {
        let before = self.read().defaults()?;
        if let Some(name) = &edited.privileged_system_user {
            self.refuse_unprivileged(name)?;
        }
        if edited.port == 0 {
            return Err(StoreError::Refused {
                sentence: "the default port must be from 1 to 65535".to_owned(),
            });
        }
        self.write_default(PRIVILEGED, edited.privileged_system_user.as_deref())?;
        self.write_default(PORT, Some(&edited.port.to_string()))?;
        self.write_default(SHELL, Some(&edited.shell))?;
        self.write_factors(&before, edited)?;
        let after = self.read().defaults()?;
        self.audit("defaults", "defaults", Some(&before), Some(&after))?;
        Ok(after)
    }

    /// What is demanded of a role stands in the snapshots, too, so that they must be published anew.
    fn write_factors(&self, before: &Defaults, edited: &Defaults) -> Result<(), StoreError> {
        for (role, name) in [
            (Role::User, MFA_USER),
            (Role::Auditor, MFA_AUDITOR),
            (Role::Admin, MFA_ADMIN),
        ] {
            let (old, new) = (before.mfa_of(role), edited.mfa_of(role));
            if old == new {
                continue;
            }
            self.about_to_touch_role(role)?;
            self.write_default(name, Some(new.as_str()))?;
            self.write_default(MFA_CHANGED, Some(&self.now().0.to_string()))?;
            self.forget_factors_of_role(role)?;
            self.snapshots_are_old()?;
        }
        Ok(())
    }

    /// A system user that is gone is nobody's default any more.
    pub(super) fn forget_default_system_user(&self, name: &str) -> Result<(), StoreError> {
        let before = self.read().defaults()?;
        if before.privileged_system_user.as_deref() != Some(name) {
            return Ok(());
        }
        self.write_default(PRIVILEGED, None)?;
        let after = self.read().defaults()?;
        self.has_consequence("the defaults name no privileged system user any more".to_owned());
        self.audit("defaults", "defaults", Some(&before), Some(&after))
    }

    fn write_default(&self, name: &str, value: Option<&str>) -> Result<(), StoreError> {
        match value {
            Some(value) => self.execute(
                "INSERT INTO defaults (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                params![name, value],
            )?,
            None => self.execute("DELETE FROM defaults WHERE name = ?1", [name])?,
        };
        Ok(())
    }
}
