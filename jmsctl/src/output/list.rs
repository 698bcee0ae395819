//! Lists: which rows, in which order, with which columns.
#![forbid(unsafe_code)]

use super::{Output, harmless, table, to_value};
use crate::cli::flags::{List, Ls, Span};
use crate::failure::{Done, Failure};
use crate::pattern;
use jms::store::{StoreError, Visit};
use serde::Serialize;
use serde_json::{Map, Value};
use std::cmp::Ordering;

/// Something that can be listed.
pub trait Noun: Serialize {
    /// What people call it.
    const NAME: &'static str;
    /// The field that a GLOB must match as a whole.
    const KEY: &'static str;
    /// All its fields, as JSON calls them.
    const FIELDS: &'static [&'static str];
    /// The fields that a table shows unless told otherwise.
    const COLUMNS: &'static [&'static str];
    /// The field that `--since` and `--until` are about.
    const TIME: &'static str = "updated_at";
    /// Whether a limit leaves out the first ones, because the last are the newest.
    const NEWEST_LAST: bool = false;
}

/// Whether a text and a span leave `noun` in the list.
pub fn is_listed<T: Noun>(noun: &T, ls: &Ls) -> Done<bool> {
    let row = to_value(noun)?;
    let text = ls.list.text.as_deref();
    Ok(text.is_none_or(|text| is_wanted::<T>(&row, text)) && is_within::<T>(&row, &ls.span))
}

impl Output {
    /// Prints what of `nouns` was asked for, by what they are and when they were changed.
    pub fn list_policy<T: Noun>(&mut self, nouns: Vec<T>, ls: &Ls) -> Done {
        self.list_each(ls, |visit| {
            nouns.into_iter().all(visit);
            Ok(())
        })
    }

    /// The same for rows that come one after the other, of which no more are fetched than are shown:
    /// only who wants them in another order must wait for all.
    pub fn list_each<T: Noun>(
        &mut self,
        ls: &Ls,
        each: impl FnOnce(Visit<'_, T>) -> Result<(), StoreError>,
    ) -> Done {
        let in_order = ls.list.sort.is_none() && !T::NEWEST_LAST;
        let enough = ls.list.limit.filter(|limit| in_order && *limit > 0);
        let mut wanted = Vec::new();
        let mut failed = None;
        each(&mut |noun| {
            match is_listed(&noun, ls) {
                Ok(true) => wanted.push(noun),
                Ok(false) => {}
                Err(failure) => failed = Some(failure),
            }
            failed.is_none() && enough.is_none_or(|enough| wanted.len() < enough)
        })?;
        match failed {
            Some(failure) => Err(failure),
            None => self.list(wanted, &ls.list).map(drop),
        }
    }

    /// Prints what of `nouns` was asked for; returns how many a limit left out.
    pub fn list<T: Noun>(&mut self, nouns: Vec<T>, list: &List) -> Done<usize> {
        let columns = columns::<T>(list)?;
        let mut rows = nouns.iter().map(to_value).collect::<Done<Vec<Value>>>()?;
        drop(nouns);
        if let Some(text) = &list.text {
            rows.retain(|row| is_wanted::<T>(row, text));
        }
        if let Some(sort) = &list.sort {
            sort_by::<T>(&mut rows, sort)?;
        }
        let left_out = shorten::<T>(&mut rows, list);
        if self.json {
            for row in &rows {
                match list.columns.is_empty() {
                    true => self.json_line(row)?,
                    false => self.json_line(&only(row, &columns))?,
                }
            }
            return Ok(left_out);
        }
        if rows.is_empty() {
            return Ok(left_out);
        }
        let cells = |row: &Value| {
            let value = |name: &&str| row.get(*name).map(table::cell).unwrap_or_default();
            columns.iter().map(value).collect()
        };
        let cells: Vec<Vec<String>> = rows.iter().map(cells).collect();
        self.rows(&columns, &cells)?;
        Ok(left_out)
    }

    /// Prints a table of rows that were made elsewhere.
    pub fn rows(&mut self, columns: &[&str], rows: &[Vec<String>]) -> Done {
        let headings: Vec<String> = columns.iter().map(|name| name.replace('_', " ")).collect();
        let rows: Vec<Vec<String>> = rows
            .iter()
            .map(|row| row.iter().map(|cell| harmless(cell)).collect())
            .collect();
        let text = table::render(&headings, &rows, self.columns, self.bold);
        self.text(&text)
    }
}

fn shorten<T: Noun>(rows: &mut Vec<Value>, list: &List) -> usize {
    let limit = list.limit.filter(|limit| *limit > 0).unwrap_or(usize::MAX);
    let left_out = rows.len().saturating_sub(limit);
    if T::NEWEST_LAST && list.sort.is_none() {
        rows.drain(..left_out);
    } else {
        rows.truncate(limit);
    }
    left_out
}

fn columns<T: Noun>(list: &List) -> Done<Vec<&'static str>> {
    if list.columns.is_empty() {
        return Ok(T::COLUMNS.to_vec());
    }
    list.columns.iter().map(|name| field::<T>(name)).collect()
}

/// The field of that name; `-` may stand for `_`, as it does in flags.
fn field<T: Noun>(name: &str) -> Done<&'static str> {
    let wanted = name.replace('-', "_");
    let found = T::FIELDS.iter().copied().find(|field| *field == wanted);
    found.ok_or_else(|| {
        Failure::BadInput(format!(
            "{} {} has no field “{}”; its fields are {}",
            jms::names::article(T::NAME),
            T::NAME,
            name.escape_debug(),
            T::FIELDS.join(", ")
        ))
    })
}

fn is_within<T: Noun>(row: &Value, span: &Span) -> bool {
    if span.since.is_none() && span.until.is_none() {
        return true;
    }
    let time = row.get(T::TIME).and_then(Value::as_str);
    let Some(time) = time.and_then(jms::time::Time::parse_rfc3339) else {
        return false;
    };
    span.since.is_none_or(|since| time >= since) && span.until.is_none_or(|until| time < until)
}

fn is_wanted<T: Noun>(row: &Value, text: &str) -> bool {
    if pattern::is_glob(text) {
        let key = row.get(T::KEY).map(table::cell).unwrap_or_default();
        return pattern::matches(text, &key);
    }
    let text = text.to_lowercase();
    let mut fields = T::FIELDS.iter().filter_map(|name| row.get(*name));
    fields.any(|value| table::cell(value).to_lowercase().contains(&text))
}

fn sort_by<T: Noun>(rows: &mut [Value], sort: &str) -> Done {
    let (name, reversed) = match sort.strip_prefix('-') {
        Some(name) => (name, true),
        None => (sort, false),
    };
    let field = field::<T>(name)?;
    rows.sort_by(|a, b| {
        let (a, b) = (a.get(field), b.get(field));
        let order = compare(a, b);
        // What is not there stays at the end in both directions.
        let missing = |value: Option<&Value>| value.is_none_or(Value::is_null);
        if reversed && !missing(a) && !missing(b) {
            order.reverse()
        } else {
            order
        }
    });
    Ok(())
}

fn compare(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    let (a, b) = (a.unwrap_or(&Value::Null), b.unwrap_or(&Value::Null));
    match (a, b) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Greater,
        (_, Value::Null) => Ordering::Less,
        (Value::Number(a), Value::Number(b)) => a
            .as_f64()
            .unwrap_or(0.0)
            .total_cmp(&b.as_f64().unwrap_or(0.0)),
        _ => table::cell(a).cmp(&table::cell(b)),
    }
}

fn only(row: &Value, columns: &[&'static str]) -> Map<String, Value> {
    let value = |name: &&str| {
        (
            (*name).to_owned(),
            row.get(*name).cloned().unwrap_or(Value::Null),
        )
    };
    columns.iter().map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Thing {
        name: &'static str,
        size: Option<u32>,
    }

    impl Noun for Thing {
        const NAME: &'static str = "thing";
        const KEY: &'static str = "name";
        const FIELDS: &'static [&'static str] = &["name", "size"];
        const COLUMNS: &'static [&'static str] = &["name"];
    }

    fn sorted(sort: &str) -> Vec<String> {
        let things = [("b", Some(2)), ("a", None), ("c", Some(10))];
        let mut rows: Vec<Value> = things
            .iter()
            .map(|(name, size)| to_value(&Thing { name, size: *size }).unwrap())
            .collect();
        sort_by::<Thing>(&mut rows, sort).unwrap();
        rows.iter().map(|row| table::cell(&row["name"])).collect()
    }

    #[test]
    fn numbers_sort_as_numbers_and_what_is_missing_comes_last() {
        assert_eq!(sorted("name"), ["a", "b", "c"]);
        assert_eq!(sorted("size"), ["b", "c", "a"]);
        assert_eq!(sorted("-size"), ["c", "b", "a"]);
    }

    #[test]
    fn a_glob_is_for_the_whole_name_and_text_for_anywhere() {
        let row = to_value(&Thing {
            name: "web1",
            size: Some(7),
        })
        .unwrap();
        assert!(is_wanted::<Thing>(&row, "web*") && !is_wanted::<Thing>(&row, "eb*"));
        assert!(is_wanted::<Thing>(&row, "EB") && is_wanted::<Thing>(&row, "7"));
        assert!(!is_wanted::<Thing>(&row, "x"));
    }

    #[test]
    fn an_unknown_field_is_named_with_those_that_exist() {
        let list = List {
            columns: vec!["colour".into()],
            ..List::default()
        };
        let failure = columns::<Thing>(&list).unwrap_err().to_string();
        assert!(
            failure.contains("colour") && failure.contains("name, size"),
            "{failure}"
        );
    }
}
