//! Users.

use super::change::{Change, replace_links};
use super::error::StoreError;
use super::high_water;
use super::read::{Read, Visit, all, maybe_time, number, time, word};
use super::selector::Selector;
use crate::names::UserName;
use crate::nouns::{Mfa, MfaAsked, Role, User};
use crate::policy::factor::is_weaker;
use crate::time::Time;
use rusqlite::{Row, params};
use std::path::Path;

const COLUMNS: &str = "SELECT * FROM user";

fn user(read: Read<'_>, row: &Row<'_>) -> Result<User, StoreError> {
    let id: i64 = row.get("id")?;
    Ok(User {
        id,
        name: row.get("name")?,
        uid: number("uid", row.get("uid")?)?,
        full_name: row.get("full_name")?,
        email: row.get("email")?,
        role: word("role", &row.get::<_, String>("role")?, Role::parse)?,
        enabled: row.get("enabled")?,
        valid_from: maybe_time(row, "valid_from")?,
        valid_until: maybe_time(row, "valid_until")?,
        mfa: word("mfa", &row.get::<_, String>("mfa")?, Mfa::parse)?,
        mfa_asked: word("mfa_asked", &row.get::<_, String>("mfa_asked")?, MfaAsked::parse)?,
        user_groups: read.texts(
            "SELECT g.name FROM user_group g JOIN user_group_member m ON m.user_group_id = g.id WHERE m.user_id = ?1 ORDER BY 1",
            [id],
        )?,
        comment: row.get("comment")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}

impl Read<'_> {
    /// The user of that name.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] with the nearest name.
    pub fn user(self, name: &str) -> Result<User, StoreError> {
        self.user_if_any(name)?
            .ok_or_else(|| self.missing("user", "user", name))
    }

    /// The user of that name, if there is one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn user_if_any(self, name: &str) -> Result<Option<User>, StoreError> {
        self.first(&format!("{COLUMNS} WHERE name = ?1"), [name], |row| {
            user(self, row)
        })
    }

    /// The user of that uid, if there is one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn user_by_uid(self, uid: u32) -> Result<Option<User>, StoreError> {
        self.first(&format!("{COLUMNS} WHERE uid = ?1"), [uid], |row| {
            user(self, row)
        })
    }

    /// The name of every user.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn user_names(self) -> Result<Vec<String>, StoreError> {
        self.texts("SELECT name FROM user ORDER BY name", [])
    }

    /// Every user, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn users(self) -> Result<Vec<User>, StoreError> {
        all(|visit| self.each_user(visit))
    }

    /// The same one after the other.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn each_user(self, visit: Visit<'_, User>) -> Result<(), StoreError> {
        self.each(
            &format!("{COLUMNS} ORDER BY name"),
            [],
            |row| user(self, row),
            visit,
        )
    }

    /// How many administrators can log in at that moment.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn administrators(self, now: Time) -> Result<i64, StoreError> {
        self.number(
            "SELECT count(*) FROM user WHERE role = 'admin' AND enabled = 1
               AND (valid_from IS NULL OR valid_from <= ?1) AND (valid_until IS NULL OR valid_until > ?1)",
            [now.0],
        )
    }
}

impl Change<'_> {
    /// Adds a user and gives him a uid that nobody ever had.
    ///
    /// `range`: first and last uid. `high_water`: the file that remembers the highest ever given.
    /// Whether the name or uid exists locally is the caller's to ask the system, through `is_local`.
    ///
    /// # Errors
    /// [`StoreError::Exists`], [`StoreError::NoUidLeft`], [`StoreError::Refused`] for a bad name.
    pub fn add_user(
        &self,
        new: &User,
        range: std::ops::RangeInclusive<u32>,
        high_water: &Path,
        is_local: impl Fn(u32) -> bool,
    ) -> Result<User, StoreError> {
        UserName::new(&new.name).map_err(|error| StoreError::Refused {
            sentence: error.to_string(),
        })?;
        // The snapshots refuse these names, and with one of them inside nothing could be published.
        if snapshot::is_reserved_user_name(new.name.as_bytes()) {
            return Err(StoreError::Refused {
                sentence: format!(
                    "the name {} belongs to the system; choose another",
                    new.name
                ),
            });
        }
        if self.read().user_if_any(&new.name)?.is_some() {
            return Err(StoreError::Exists {
                kind: "user",
                name: new.name.clone(),
            });
        }
        let highest = self.read().number("SELECT max(ifnull((SELECT max(uid) FROM user), 0), ifnull((SELECT max(uid) FROM login), 0))", [])?;
        let above = number::<u32>("highest uid", highest)?
            .max(high_water::read(high_water)?)
            .max(self.highest_given_uid());
        let first = above.saturating_add(1).max(*range.start());
        let uid = (first..=*range.end())
            .find(|uid| !is_local(*uid))
            .ok_or(StoreError::NoUidLeft { last: *range.end() })?;
        self.gave_uid(high_water, uid);
        self.execute(
            "INSERT INTO user (name, uid, full_name, email, role, enabled, valid_from, valid_until, mfa, mfa_asked, comment, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12)",
            params![
                new.name, uid, new.full_name, new.email, new.role.as_str(), new.enabled,
                new.valid_from.map(|at| at.0), new.valid_until.map(|at| at.0),
                new.mfa.as_str(), new.mfa_asked.as_str(), new.comment, self.now().0
            ],
        )?;
        self.set_user_groups(self.last_id(), &new.user_groups)?;
        let added = self.read().user(&new.name)?;
        self.audit("user", &added.name, None, Some(&added))?;
        Ok(added)
    }

    /// Writes a user that was read and edited; name and uid never change.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Refused`] when no administrator would be left;
    /// [`StoreError::NotAllowed`] for what nobody does to himself.
    pub fn set_user(&self, edited: &User) -> Result<User, StoreError> {
        let before = self.read().user(&edited.name)?;
        if before.role != edited.role {
            self.refuse_own("nobody changes his own role", &before)?;
        }
        let may = |user: &User| (user.enabled, user.valid_from, user.valid_until);
        if may(&before) != may(edited) {
            self.refuse_own(
                "nobody changes whether or until when he himself may log in",
                &before,
            )?;
        }
        let factor = |user: &User| (user.mfa, user.mfa_asked);
        if is_weaker(factor(edited), factor(&before)) {
            self.refuse_own(
                "nobody weakens the second factor that is demanded of himself",
                &before,
            )?;
        }
        self.about_to_touch(&before)?;
        self.execute(
            "UPDATE user SET full_name = ?2, email = ?3, role = ?4, enabled = ?5, valid_from = ?6, valid_until = ?7,
                    mfa = ?8, mfa_asked = ?9, comment = ?10, updated_at = ?11 WHERE id = ?1",
            params![
                before.id, edited.full_name, edited.email, edited.role.as_str(), edited.enabled,
                edited.valid_from.map(|at| at.0), edited.valid_until.map(|at| at.0),
                edited.mfa.as_str(), edited.mfa_asked.as_str(), edited.comment, self.now().0
            ],
        )?;
        self.set_user_groups(before.id, &edited.user_groups)?;
        if edited.enabled && !before.enabled {
            self.renew_activity(&before)?;
        }
        let demands = |user: &User| (user.mfa, user.mfa_asked, user.role, user.enabled);
        if demands(&before) != demands(edited) {
            self.forget_factor(&before)?;
        }
        self.keep_an_administrator(&before)?;
        let after = self.read().user(&edited.name)?;
        self.audit("user", &after.name, Some(&before), Some(&after))?;
        Ok(after)
    }

    /// Removes a user with keys, memberships and direct grants; evidence keeps his name.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Refused`] when no administrator would be left;
    /// [`StoreError::NotAllowed`] for what nobody does to himself.
    pub fn remove_user(&self, name: &str) -> Result<User, StoreError> {
        let before = self.read().user(name)?;
        self.refuse_own("nobody removes himself", &before)?;
        self.about_to_touch(&before)?;
        let hanging = self.hanging_on(Selector::User, &[before.id])?;
        self.execute("DELETE FROM user WHERE id = ?1", [before.id])?;
        self.keep_an_administrator(&before)?;
        self.audit("user", name, Some(&before), None)?;
        self.let_go(hanging)?;
        Ok(before)
    }

    fn set_user_groups(&self, id: i64, groups: &[String]) -> Result<(), StoreError> {
        let ids = groups
            .iter()
            .map(|name| self.read().id_of("user group", "user_group", name));
        replace_links(
            self,
            "user_group_member",
            ("user_id", id),
            "user_group_id",
            ids,
        )
    }

    /// What an administrator may do to others and not to himself. No user is called like root's
    /// actors (`root`, `root (sudo by carol)`): such names are refused.
    pub(super) fn refuse_own(&self, rule: &str, user: &User) -> Result<(), StoreError> {
        if self.actor_name() == user.name {
            return Err(StoreError::NotAllowed {
                sentence: format!("{rule}: ask another administrator, or root"),
            });
        }
        Ok(())
    }

    fn keep_an_administrator(&self, before: &User) -> Result<(), StoreError> {
        let was_one = before.role == Role::Admin && before.may_log_in_at(self.now());
        if was_one && self.read().administrators(self.now())? == 0 {
            let sentence = format!(
                "{} is the last administrator; give somebody else the role first: jmsctl user set NAME --role admin",
                before.name
            );
            return Err(StoreError::Refused { sentence });
        }
        Ok(())
    }
}
