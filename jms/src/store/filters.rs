//! Command filters.

use super::change::{Change, valid};
use super::error::StoreError;
use super::filter_scopes::Scoped;
use super::read::{Read, Visit, all, number, time};
use crate::names::LabelName;
use crate::nouns::Filter;
use filter::Verdict;
use rusqlite::{Row, params};

pub(super) fn verdict(row: &Row<'_>, column: &str) -> Result<Verdict, StoreError> {
    let word: String = row.get(column)?;
    Verdict::parse(&word).ok_or(StoreError::Nonsense {
        what: "verdict",
        found: word,
    })
}

fn filter(read: Read<'_>, row: &Row<'_>) -> Result<Filter, StoreError> {
    let id: i64 = row.get("id")?;
    Ok(Filter {
        id,
        name: row.get("name")?,
        default: verdict(row, "default_verdict")?,
        scope: read.scope_of(Scoped::filter(id))?,
        rule_count: number(
            "rules",
            read.number(
                "SELECT count(*) FROM filter_rule WHERE filter_id = ?1",
                [id],
            )?,
        )?,
        comment: row.get("comment")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}

impl Read<'_> {
    /// The filter of that name.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] with the nearest name.
    pub fn filter(self, name: &str) -> Result<Filter, StoreError> {
        let found = self.first("SELECT * FROM filter WHERE name = ?1", [name], |row| {
            filter(self, row)
        })?;
        found.ok_or_else(|| self.missing("filter", "filter", name))
    }

    pub(super) fn filter_by_id(self, id: i64) -> Result<Option<Filter>, StoreError> {
        self.first("SELECT * FROM filter WHERE id = ?1", [id], |row| {
            filter(self, row)
        })
    }

    /// Every filter, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn filters(self) -> Result<Vec<Filter>, StoreError> {
        all(|visit| self.each_filter(visit))
    }

    /// The same one after the other.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn each_filter(self, visit: Visit<'_, Filter>) -> Result<(), StoreError> {
        self.each(
            "SELECT * FROM filter ORDER BY name",
            [],
            |row| filter(self, row),
            visit,
        )
    }
}

impl Change<'_> {
    /// Adds a filter, without rules.
    ///
    /// # Errors
    /// [`StoreError::Exists`]; [`StoreError::NotFound`] for whoever or whatever it is attached to;
    /// [`StoreError::Refused`] for a default that is neither allow nor deny.
    pub fn add_filter(&self, new: &Filter) -> Result<Filter, StoreError> {
        valid(LabelName::new(&new.name))?;
        self.refuse_taken("filter", "filter", &new.name)?;
        self.execute(
            "INSERT INTO filter (name, created_at, updated_at) VALUES (?1, ?2, ?2)",
            params![new.name, self.now().0],
        )?;
        let added = self.write_filter(self.last_id(), new)?;
        self.audit("filter", &added.name, None, Some(&added))?;
        Ok(added)
    }

    /// Writes a filter that was read and edited; the name never changes, nor do its rules.
    ///
    /// # Errors
    /// As [`Change::add_filter`].
    pub fn set_filter(&self, edited: &Filter) -> Result<Filter, StoreError> {
        let before = self.read().filter(&edited.name)?;
        let after = self.write_filter(before.id, edited)?;
        self.audit("filter", &after.name, Some(&before), Some(&after))?;
        Ok(after)
    }

    /// Removes a filter with its rules.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn remove_filter(&self, name: &str) -> Result<Filter, StoreError> {
        let before = self.read().filter(name)?;
        self.execute("DELETE FROM filter WHERE id = ?1", [before.id])?;
        self.audit("filter", name, Some(&before), None)?;
        Ok(before)
    }

    fn write_filter(&self, id: i64, filter: &Filter) -> Result<Filter, StoreError> {
        if !matches!(filter.default, Verdict::Allow | Verdict::Deny) {
            return Err(StoreError::Refused {
                sentence: "the default of a filter is allow or deny".to_owned(),
            });
        }
        self.execute(
            "UPDATE filter SET default_verdict = ?2, comment = ?3, updated_at = ?4 WHERE id = ?1",
            params![id, filter.default.as_str(), filter.comment, self.now().0],
        )?;
        let scoped = Scoped::filter(id);
        self.write_scope(scoped, &filter.scope)?;
        self.read().filter(&filter.name)
    }
}
