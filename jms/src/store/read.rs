//! The door to everything that can be looked up, inside or outside of a change.

use super::error::StoreError;
use crate::time::Time;
use rusqlite::{Connection, Row};

/// Is given one row after the other; says whether it wants more.
pub type Visit<'a, T> = &'a mut dyn FnMut(T) -> bool;

/// Looks things up. The methods stand beside what they look up (`users`, `assets`, …).
#[derive(Clone, Copy)]
pub struct Read<'a> {
    pub(super) connection: &'a Connection,
}

impl<'a> Read<'a> {
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self { connection }
    }

    /// One value of a query that counts or adds up.
    pub(super) fn number(
        self,
        sql: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<i64, StoreError> {
        Ok(self
            .connection
            .prepare_cached(sql)?
            .query_row(parameters, |row| row.get(0))?)
    }

    /// Every first column, as text.
    pub(super) fn texts(
        self,
        sql: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<Vec<String>, StoreError> {
        self.rows(sql, parameters, |row| Ok(row.get(0)?))
    }

    /// Every row, made into something.
    pub(super) fn rows<T>(
        self,
        sql: &str,
        parameters: impl rusqlite::Params,
        make: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(parameters)?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(make(row)?);
        }
        Ok(all)
    }

    /// Every row, one after the other, until `visit` has enough: the first page of many rows costs no more
    /// than a page.
    pub(super) fn each<T>(
        self,
        sql: &str,
        parameters: impl rusqlite::Params,
        make: impl Fn(&Row<'_>) -> Result<T, StoreError>,
        visit: Visit<'_, T>,
    ) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(parameters)?;
        while let Some(row) = rows.next()? {
            if !visit(make(row)?) {
                break;
            }
        }
        Ok(())
    }

    /// The first row, if there is one.
    pub(super) fn first<T>(
        self,
        sql: &str,
        parameters: impl rusqlite::Params,
        make: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(parameters)?;
        rows.next()?.map(make).transpose()
    }

    /// The error for a name that is not there, with the nearest that is.
    pub(super) fn missing(self, kind: &'static str, table: &'static str, name: &str) -> StoreError {
        let column = key_column(table);
        let names = self
            .texts(&format!("SELECT {column} FROM {table}"), [])
            .unwrap_or_default();
        let nearest =
            crate::names::nearest(name, names.iter().map(String::as_str)).map(str::to_owned);
        StoreError::NotFound {
            kind,
            name: name.chars().take(128).collect(),
            nearest,
        }
    }

    /// Id of the row of that name in `table`, if there is one.
    pub(super) fn id_if_any(
        self,
        table: &'static str,
        name: &str,
    ) -> Result<Option<i64>, StoreError> {
        let column = key_column(table);
        self.first(
            &format!("SELECT id FROM {table} WHERE {column} = ?1"),
            [name],
            |row| Ok(row.get(0)?),
        )
    }

    /// Id of the row of that name in `table`.
    pub(super) fn id_of(
        self,
        kind: &'static str,
        table: &'static str,
        name: &str,
    ) -> Result<i64, StoreError> {
        self.id_if_any(table, name)?
            .ok_or_else(|| self.missing(kind, table, name))
    }
}

/// The column by which people call the rows of `table`.
fn key_column(table: &str) -> &'static str {
    if table == "asset_group" {
        "path"
    } else {
        "name"
    }
}

/// What `each` visits, all of it.
pub(super) fn all<T>(
    each: impl FnOnce(Visit<'_, T>) -> Result<(), StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut all = Vec::new();
    each(&mut |one| {
        all.push(one);
        true
    })?;
    Ok(all)
}

/// A word of the store, or an error that shows it.
pub(super) fn word<T>(
    what: &'static str,
    text: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<T, StoreError> {
    parse(text).ok_or_else(|| StoreError::Nonsense {
        what,
        found: text.to_owned(),
    })
}

pub(super) fn time(row: &Row<'_>, column: &str) -> Result<Time, StoreError> {
    Ok(Time(row.get(column)?))
}

pub(super) fn maybe_time(row: &Row<'_>, column: &str) -> Result<Option<Time>, StoreError> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Time))
}

/// A number of the store in the size that the noun wants.
pub(super) fn number<T: TryFrom<i64>>(what: &'static str, value: i64) -> Result<T, StoreError> {
    T::try_from(value).map_err(|_| StoreError::Nonsense {
        what,
        found: value.to_string(),
    })
}
