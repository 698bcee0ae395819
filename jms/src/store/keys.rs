//! Login keys.

use super::change::Change;
use super::error::StoreError;
use super::read::{Read, Visit, all, maybe_time, time};
use crate::nouns::LoginKey;
use rusqlite::{Row, params};

const COLUMNS: &str =
    "SELECT k.*, u.name AS user_name FROM login_key k JOIN user u ON u.id = k.user_id";

fn list(text: &str) -> Vec<String> {
    text.split(',')
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

fn key(row: &Row<'_>) -> Result<LoginKey, StoreError> {
    Ok(LoginKey {
        id: row.get("id")?,
        user: row.get("user_name")?,
        kind: row.get("type")?,
        blob: row.get("blob")?,
        fingerprint: row.get("fingerprint")?,
        from: list(&row.get::<_, String>("sources")?),
        valid_until: maybe_time(row, "valid_until")?,
        verify_required: row.get("verify_required")?,
        comment: row.get("comment")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}

impl Read<'_> {
    /// Login keys of one user, or of all, by user and age.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn login_keys(self, user: Option<&str>) -> Result<Vec<LoginKey>, StoreError> {
        all(|visit| self.each_login_key(user, visit))
    }

    /// The same one after the other.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn each_login_key(
        self,
        user: Option<&str>,
        visit: Visit<'_, LoginKey>,
    ) -> Result<(), StoreError> {
        // By the rows of their users, so that nothing has to be sorted before the first is seen.
        let sql = match user {
            Some(_) => format!("{COLUMNS} WHERE u.name = ?1 ORDER BY k.id"),
            None => "SELECT k.*, u.name AS user_name FROM user u CROSS JOIN login_key k ON k.user_id = u.id
                     WHERE ?1 IS NULL ORDER BY u.name"
                .to_owned(),
        };
        self.each(&sql, [user], key, visit)
    }

    /// The login keys whose fingerprint is or begins with `fingerprint` (two users may have one key).
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Refused`] for fewer than six characters.
    pub fn login_keys_by_fingerprint(self, fingerprint: &str) -> Result<Vec<LoginKey>, StoreError> {
        let wanted = if fingerprint.starts_with("SHA256:") {
            fingerprint.to_owned()
        } else {
            format!("SHA256:{fingerprint}")
        };
        if wanted.len() < "SHA256:".len() + 6 {
            let sentence = "give at least six characters of the fingerprint".to_owned();
            return Err(StoreError::Refused { sentence });
        }
        let found = self.rows(
            &format!(
                "{COLUMNS} WHERE substr(k.fingerprint, 1, length(?1)) = ?1 ORDER BY u.name, k.id"
            ),
            [&wanted],
            key,
        )?;
        if found.is_empty() {
            return Err(StoreError::NotFound {
                kind: "login key",
                name: fingerprint.chars().take(64).collect(),
                nearest: None,
            });
        }
        Ok(found)
    }
}

/// One key that the snapshot refuses would keep all others from being published.
fn check(key: &LoginKey) -> Result<(), StoreError> {
    let refused = |why: String| StoreError::Refused {
        sentence: format!("this login key cannot be kept: {why}"),
    };
    let from: Result<Vec<snapshot::Cidr>, _> =
        key.from.iter().map(|network| network.parse()).collect();
    let conditions = snapshot::keys::Conditions {
        from: from.map_err(|error| refused(error.to_string()))?,
        valid_until: None,
        verify_required: key.verify_required,
        user_disabled: false,
    };
    let name = snapshot::UserName::new(key.user.as_bytes())
        .ok_or_else(|| refused(format!("{} is no user name", key.user)))?;
    let hash = <sha2::Sha256 as sha2::Digest>::digest(&key.blob).into();
    match snapshot::keys::Key::new(name, hash, key.blob.clone(), conditions) {
        Ok(_) => Ok(()),
        Err(error) => Err(refused(error.to_string())),
    }
}

impl Change<'_> {
    /// Adds a login key to a user.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the user; [`StoreError::Exists`].
    pub fn add_login_key(&self, new: &LoginKey) -> Result<LoginKey, StoreError> {
        let user = self.read().user(&new.user)?;
        check(new)?;
        if self
            .read()
            .login_keys(Some(&new.user))?
            .iter()
            .any(|old| old.fingerprint == new.fingerprint)
        {
            return Err(StoreError::Exists {
                kind: "login key",
                name: new.fingerprint.clone(),
            });
        }
        self.execute(
            "INSERT INTO login_key (user_id, type, blob, fingerprint, sources, valid_until, verify_required, comment, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)",
            params![
                user.id, new.kind, new.blob, new.fingerprint, new.from.join(","),
                new.valid_until.map(|at| at.0), new.verify_required, new.comment, self.now().0
            ],
        )?;
        let added = LoginKey {
            id: self.last_id(),
            created_at: self.now(),
            updated_at: self.now(),
            ..new.clone()
        };
        self.audit(
            "key",
            &format!("{} {}", added.user, added.fingerprint),
            None,
            Some(&added),
        )?;
        Ok(added)
    }

    /// Writes a login key that was read and edited; key and user never change.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; the change is refused when over ssh no administrator with a key would be left.
    pub fn set_login_key(&self, edited: &LoginKey) -> Result<LoginKey, StoreError> {
        let before = self.login_key(edited)?;
        check(edited)?;
        self.about_to_touch_key(&before)?;
        self.execute(
            "UPDATE login_key SET sources = ?2, valid_until = ?3, verify_required = ?4, comment = ?5, updated_at = ?6 WHERE id = ?1",
            params![
                before.id, edited.from.join(","), edited.valid_until.map(|at| at.0),
                edited.verify_required, edited.comment, self.now().0
            ],
        )?;
        self.forget_factor_of_key(&before.user, &before.fingerprint)?;
        let after = self.login_key(edited)?;
        self.audit(
            "key",
            &format!("{} {}", after.user, after.fingerprint),
            Some(&before),
            Some(&after),
        )?;
        Ok(after)
    }

    /// Removes a login key.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; the change is refused when over ssh no administrator with a key would be left.
    pub fn remove_login_key(&self, key: &LoginKey) -> Result<LoginKey, StoreError> {
        let before = self.login_key(key)?;
        self.about_to_touch_key(&before)?;
        self.execute("DELETE FROM login_key WHERE id = ?1", [before.id])?;
        self.forget_factor_of_key(&before.user, &before.fingerprint)?;
        self.audit(
            "key",
            &format!("{} {}", before.user, before.fingerprint),
            Some(&before),
            None,
        )?;
        Ok(before)
    }

    /// A stolen key root takes away at once, whoever is left.
    fn about_to_touch_key(&self, key: &LoginKey) -> Result<(), StoreError> {
        if !self.is_over_ssh() {
            return Ok(());
        }
        let user = self.read().user(&key.user)?;
        self.about_to_touch(&user)
    }

    fn login_key(&self, wanted: &LoginKey) -> Result<LoginKey, StoreError> {
        let keys = self.read().login_keys(Some(&wanted.user))?;
        keys.into_iter()
            .find(|key| key.fingerprint == wanted.fingerprint)
            .ok_or_else(|| StoreError::NotFound {
                kind: "login key",
                name: wanted.fingerprint.clone(),
                nearest: None,
            })
    }
}
