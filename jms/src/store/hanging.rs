//! What hangs on an object that is removed. Links go with it by the schema; here those that were linked
//! get their own events, a grant that could never allow anything again goes as well, a login rule about nobody goes with it, and a
//! filter or rule that was for the people (places, system users) that are gone is for none, not for all.

use super::change::Change;
use super::error::StoreError;
use super::filter_scopes::Scoped;
use super::selector::Selector;
use crate::nouns::{Asset, Filter, FilterRule, Grant, LoginRule, Scope};
use rusqlite::params;

/// Columns by which assets name it.
fn asset_columns(what: Selector) -> &'static [&'static str] {
    match what {
        Selector::Site => &["site_id"],
        Selector::SystemUser => &["privileged_system_user_id", "gateway_system_user_id"],
        _ => &[],
    }
}

/// Grants, login rules and assets as they were while they still named it.
pub(super) struct Hanging {
    grants: Vec<Grant>,
    login_rules: Vec<LoginRule>,
    assets: Vec<Asset>,
    filters: Vec<Filter>,
    rules: Vec<FilterRule>,
}

impl Change<'_> {
    /// Looks at what names these rows; before they go.
    pub(super) fn hanging_on(&self, what: Selector, ids: &[i64]) -> Result<Hanging, StoreError> {
        let read = self.read();
        let mut hanging = Hanging {
            grants: Vec::new(),
            login_rules: Vec::new(),
            assets: Vec::new(),
            filters: Vec::new(),
            rules: Vec::new(),
        };
        for id in ids {
            for name in read.grants_linked(what, *id)? {
                if !hanging.grants.iter().any(|grant| grant.name == name) {
                    hanging.grants.push(read.grant(&name)?);
                }
            }
            for scoped in read.scoped_to(what, *id)? {
                match scoped.rule {
                    Some(rule) if hanging.rules.iter().all(|known| known.id != rule) => {
                        hanging.rules.push(read.filter_rule(rule)?);
                    }
                    None if hanging
                        .filters
                        .iter()
                        .all(|known| known.id != scoped.filter) =>
                    {
                        hanging.filters.extend(read.filter_by_id(scoped.filter)?);
                    }
                    _ => {}
                }
            }
            for name in read.login_rules_linked(what, *id)? {
                if !hanging.login_rules.iter().any(|rule| rule.name == name) {
                    hanging.login_rules.push(read.login_rule(&name)?);
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
        for before in &hanging.rules {
            self.let_go_of_rule(before)?;
        }
        for before in &hanging.filters {
            self.let_go_of_filter(before)?;
        }
        for before in &hanging.login_rules {
            self.let_go_of_login_rule(before)?;
        }
        Ok(())
    }

    fn let_go_of_filter(&self, before: &Filter) -> Result<(), StoreError> {
        let scope = self.read().filter(&before.name)?.scope;
        let nowhere = lost_a_kind(&before.scope, &scope);
        if nowhere {
            self.write_scope(Scoped::filter(before.id), &Scope::default())?;
        }
        self.execute(
            "UPDATE filter SET updated_at = ?2 WHERE id = ?1",
            params![before.id, self.now().0],
        )?;
        let after = self.read().filter(&before.name)?;
        self.audit("filter", &before.name, Some(before), Some(&after))?;
        self.has_consequence(if nowhere {
            format!("filter {} applies nowhere any more", before.name)
        } else {
            format!("filter {} goes on without it", before.name)
        });
        Ok(())
    }

    fn let_go_of_rule(&self, before: &FilterRule) -> Result<(), StoreError> {
        let (id, filter) = (before.id, &before.filter);
        let scope = self.read().filter_rule(id)?.scope;
        let nowhere = lost_a_kind(&before.scope, &scope);
        if nowhere {
            let scoped = Scoped::rule(self.read().filter(filter)?.id, id);
            self.write_scope(scoped, &Scope::default())?;
        }
        self.execute(
            "UPDATE filter_rule SET updated_at = ?2 WHERE id = ?1",
            params![id, self.now().0],
        )?;
        let after = self.read().filter_rule(id)?;
        self.audit("rule", &id.to_string(), Some(before), Some(&after))?;
        self.has_consequence(if nowhere {
            format!("rule {id} of filter {filter} holds nowhere any more")
        } else {
            format!("rule {id} of filter {filter} goes on without it")
        });
        Ok(())
    }

    fn let_go_of_login_rule(&self, before: &LoginRule) -> Result<(), StoreError> {
        let name = &before.name;
        if self.read().login_rule(name)?.names_somebody() {
            self.execute(
                "UPDATE login_rule SET updated_at = ?2 WHERE id = ?1",
                params![before.id, self.now().0],
            )?;
            let after = self.read().login_rule(name)?;
            self.audit("login-rule", name, Some(before), Some(&after))?;
            self.has_consequence(format!("login rule {name} goes on without it"));
            return Ok(());
        }
        self.execute("DELETE FROM login_rule WHERE id = ?1", [before.id])?;
        self.audit("login-rule", name, Some(before), None)?;
        self.has_consequence(format!("login rule {name} goes, too: nobody is left in it"));
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

/// Whether the last of the people, places or system users that it was for is gone.
fn lost_a_kind(before: &Scope, after: &Scope) -> bool {
    before
        .kinds()
        .iter()
        .zip(after.kinds())
        .any(|(before, after)| *before && !after)
}
