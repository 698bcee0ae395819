//! The rule that the last administrator stays, for whole changes: what one step takes away, a later one may give.
//!
//! An administrator counts only with a login key that works: a security key where nothing else is published for him. And where there was one for good, there must stay one for
//! good: else the last one goes at a date, unseen.

use super::change::Change;
use super::error::StoreError;
use super::read::Read;
use crate::nouns::{Role, User};
use crate::time::Time;

/// Administrators who can log in now, of two kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Administrators {
    /// With a login key that is valid now.
    with_key: bool,
    /// With such a key, and neither they nor the key ever end.
    for_good: bool,
}

impl Read<'_> {
    fn administrators_there(self, now: Time) -> Result<Administrators, StoreError> {
        let any = |lasting: &str, key: &str| {
            let sql = format!(
                "SELECT EXISTS (SELECT 1 FROM user WHERE role = 'admin' AND enabled = 1
                   AND (valid_from IS NULL OR valid_from <= ?1) AND (valid_until IS NULL{lasting})
                   AND EXISTS (SELECT 1 FROM login_key WHERE user_id = user.id AND (valid_until IS NULL{key})
                               AND (type GLOB 'sk-*' OR NOT (user.mfa = 'security-key' OR EXISTS
                                    (SELECT 1 FROM defaults WHERE name = 'mfa-admin' AND value = 'security-key')))))"
            );
            Ok::<_, StoreError>(self.number(&sql, [now.0])? > 0)
        };
        Ok(Administrators {
            with_key: any(" OR valid_until > ?1", " OR valid_until > ?1")?,
            for_good: any("", "")?,
        })
    }
}

impl Change<'_> {
    /// Remembers, before `user` or a key of his is changed, which administrators there are.
    pub(super) fn about_to_touch(&self, user: &User) -> Result<(), StoreError> {
        self.about_to_touch_role(user.role)
    }

    /// The same before something is changed for everybody of a role.
    pub(super) fn about_to_touch_role(&self, role: Role) -> Result<(), StoreError> {
        if role == Role::Admin && self.administrators.get().is_none() {
            let there = self.read().administrators_there(self.now())?;
            self.administrators.set(Some(there));
        }
        Ok(())
    }

    /// Refuses the whole change if it leaves no administrator of a kind that there was before it.
    pub(super) fn keep_administrators(&self) -> Result<(), StoreError> {
        let Some(before) = self.administrators.get() else {
            return Ok(());
        };
        let after = self.read().administrators_there(self.now())?;
        let lost = if before.with_key && !after.with_key {
            "no administrator with a login key that he may use"
        } else if before.for_good && !after.for_good {
            "no administrator whose validity and login key have no end"
        } else {
            return Ok(());
        };
        Err(StoreError::Refused {
            sentence: format!(
                "this would leave {lost}; give somebody else the role and a key first: jmsctl user set NAME --role admin, jmsctl key add NAME FILE"
            ),
        })
    }
}
