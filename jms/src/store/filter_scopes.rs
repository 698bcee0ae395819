//! Whom and what filters and their rules are attached to.

use super::change::Change;
use super::error::StoreError;
use super::read::Read;
use super::selector::Selector;
use super::targets::ABOVE;
use crate::nouns::Scope;
use filter::FilterText;
use rusqlite::params;
use std::collections::HashMap;

/// What a scope can name, with its column.
const COLUMNS: [(Selector, &str); 5] = [
    (Selector::User, "user_id"),
    (Selector::UserGroup, "user_group_id"),
    (Selector::Asset, "asset_id"),
    (Selector::AssetGroup, "asset_group_id"),
    (Selector::SystemUser, "system_user_id"),
];

/// A filter, or one rule of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Scoped {
    /// Row id of the filter.
    pub filter: i64,
    /// Number of the rule, if it is one.
    pub rule: Option<i64>,
}

impl Scoped {
    pub(super) fn filter(filter: i64) -> Self {
        Self { filter, rule: None }
    }

    pub(super) fn rule(filter: i64, rule: i64) -> Self {
        Self {
            filter,
            rule: Some(rule),
        }
    }
}

impl Scope {
    /// The names of that kind; `None`: a scope names none of them.
    #[must_use]
    pub fn list(&self, selector: Selector) -> Option<&Vec<String>> {
        match selector {
            Selector::User => Some(&self.users),
            Selector::UserGroup => Some(&self.user_groups),
            Selector::Asset => Some(&self.assets),
            Selector::AssetGroup => Some(&self.asset_groups),
            Selector::SystemUser => Some(&self.system_users),
            Selector::Site => None,
        }
    }

    /// The same, to be changed.
    pub fn list_mut(&mut self, selector: Selector) -> Option<&mut Vec<String>> {
        match selector {
            Selector::User => Some(&mut self.users),
            Selector::UserGroup => Some(&mut self.user_groups),
            Selector::Asset => Some(&mut self.assets),
            Selector::AssetGroup => Some(&mut self.asset_groups),
            Selector::SystemUser => Some(&mut self.system_users),
            Selector::Site => None,
        }
    }
}

/// Whether people, places and system users are named, and whether one of those named is it.
#[derive(Default)]
struct Agreement([Option<bool>; 3]);

impl Agreement {
    fn holds(&self) -> bool {
        self.0 != [None; 3] && self.0.iter().all(|kind| *kind != Some(false))
    }
}

impl Read<'_> {
    pub(super) fn scope_of(self, scoped: Scoped) -> Result<Scope, StoreError> {
        let mut scope = Scope::default();
        for (selector, column) in COLUMNS {
            let (table, name) = (selector.table(), selector.name_column());
            let sql = format!(
                "SELECT o.{name} FROM filter_scope s JOIN {table} o ON o.id = s.{column}
                 WHERE s.filter_id = ?1 AND s.rule_id IS ?2 ORDER BY 1"
            );
            let names = self.texts(&sql, params![scoped.filter, scoped.rule])?;
            if let Some(list) = scope.list_mut(selector) {
                *list = names;
            }
        }
        Ok(scope)
    }

    /// Filters and rules that name this very object.
    pub(super) fn scoped_to(self, what: Selector, id: i64) -> Result<Vec<Scoped>, StoreError> {
        let Some((_, column)) = COLUMNS.iter().find(|(selector, _)| *selector == what) else {
            return Ok(Vec::new());
        };
        let sql = format!(
            "SELECT DISTINCT filter_id, rule_id FROM filter_scope WHERE {column} = ?1 ORDER BY 1, 2"
        );
        self.rows(&sql, [id], |row| {
            Ok(Scoped {
                filter: row.get(0)?,
                rule: row.get(1)?,
            })
        })
    }

    /// The filters that apply to one user on one asset as one system user, by name, each with those of its rules that
    /// hold there. [`filter::Filter::compile_all`] makes them ready to judge.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if one of the three is gone: nobody knows then what would apply.
    pub fn filters_for(
        self,
        user: &str,
        asset: &str,
        system_user: &str,
    ) -> Result<Vec<FilterText>, StoreError> {
        let id = |selector: Selector, name| self.id_of(selector.kind(), selector.table(), name);
        let ids = params![
            id(Selector::Asset, asset)?,
            id(Selector::User, user)?,
            id(Selector::SystemUser, system_user)?
        ];
        let sql = format!(
            "WITH RECURSIVE {ABOVE}
             SELECT filter_id, rule_id,
                 CASE WHEN user_id IS NOT NULL OR user_group_id IS NOT NULL THEN 0
                      WHEN asset_id IS NOT NULL OR asset_group_id IS NOT NULL THEN 1
                      ELSE 2 END,
                 coalesce(user_id = ?2, 0)
                 OR coalesce(user_group_id IN (SELECT user_group_id FROM user_group_member WHERE user_id = ?2), 0)
                 OR coalesce(asset_id = ?1, 0)
                 OR coalesce(asset_group_id IN (SELECT id FROM above), 0)
                 OR coalesce(system_user_id = ?3, 0)
             FROM filter_scope"
        );
        let rows = self.rows(&sql, ids, |row| {
            let scoped = Scoped {
                filter: row.get(0)?,
                rule: row.get(1)?,
            };
            Ok((
                scoped,
                usize::from(row.get::<_, u8>(2)?),
                row.get::<_, bool>(3)?,
            ))
        })?;
        let mut agreements: HashMap<Scoped, Agreement> = HashMap::new();
        for (scoped, kind, is_it) in rows {
            if let Some(known) = agreements.entry(scoped).or_default().0.get_mut(kind) {
                *known = Some(known.unwrap_or(false) || is_it);
            }
        }
        let holds = |scoped| agreements.get(&scoped).is_some_and(Agreement::holds);
        let mut texts = Vec::new();
        self.each_filter(&mut |filter| {
            texts.push(filter);
            true
        })?;
        texts.retain(|filter| holds(Scoped::filter(filter.id)));
        texts
            .into_iter()
            .map(|filter| {
                let mut rules = self.filter_rules(&filter.name)?;
                rules.retain(|rule| rule.everywhere || holds(Scoped::rule(filter.id, rule.id)));
                Ok(FilterText {
                    name: filter.name,
                    default: filter.default,
                    rules: rules.iter().map(crate::nouns::FilterRule::text).collect(),
                })
            })
            .collect()
    }
}

impl Change<'_> {
    /// Replaces what a filter or a rule is attached to.
    pub(super) fn write_scope(&self, scoped: Scoped, scope: &Scope) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM filter_scope WHERE filter_id = ?1 AND rule_id IS ?2",
            params![scoped.filter, scoped.rule],
        )?;
        for (selector, column) in COLUMNS {
            let mut names: Vec<&String> = scope.list(selector).into_iter().flatten().collect();
            names.sort_unstable();
            names.dedup();
            for name in names {
                let id = self.read().id_of(selector.kind(), selector.table(), name)?;
                self.execute(
                    &format!(
                        "INSERT INTO filter_scope (filter_id, rule_id, {column}) VALUES (?1, ?2, ?3)"
                    ),
                    params![scoped.filter, scoped.rule, id],
                )?;
            }
        }
        Ok(())
    }
}
