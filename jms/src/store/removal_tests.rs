//! Removing means removing: a walk over the whole schema, whatever tables it has, finds nothing that is
//! derived from an object that is gone.

use super::tests::{Fixture, alices_key, fixture};
use super::*;
use crate::nouns::{
    Asset, AssetGroup, Filter, FilterRule, Grant, LoginRule, Scope, Site, SystemUser, User,
    UserGroup,
};
use crate::policy::login_rule::Verdict;
use crate::policy::{Right, Rights};
use crate::time::Time;
use rusqlite::types::Value;

const NOW: Time = Time(1_800_000_000_000);
/// In every name here, and nowhere else.
const MARK: &str = "zyzzyva";

/// Tables that tell what happened: they keep names, and let go of ids.
const EVIDENCE: &[&str] = &[
    "login",
    "session",
    "command",
    "transfer",
    "event",
    "push_run",
    "push_result",
    "rotation",
    "batch",
    "batch_result",
    "certificate",
];

/// A column of the schema.
struct Column {
    name: String,
    kind: String,
    /// The table that it refers to by id.
    refers_to: Option<String>,
    key: bool,
}

fn tables(f: &Fixture) -> Vec<String> {
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rootpage";
    f.store.read().texts(sql, []).unwrap()
}

fn columns(f: &Fixture, table: &str) -> Vec<Column> {
    let sql = format!(
        "SELECT c.name, c.type, (SELECT f.\"table\" FROM pragma_foreign_key_list('{table}') f WHERE f.\"from\" = c.name), c.pk
         FROM pragma_table_info('{table}') c"
    );
    let column = |row: &rusqlite::Row<'_>| {
        Ok(Column {
            name: row.get(0)?,
            kind: row.get(1)?,
            refers_to: row.get(2)?,
            key: row.get::<_, i64>(3)? > 0,
        })
    };
    f.store.read().rows(&sql, [], column).unwrap()
}

/// Tables that the store itself reads in these tests: their rows are made by its own functions.
const NOUNS: &[&str] = &[
    "meta",
    "platform",
    "defaults",
    "user",
    "user_group",
    "login_key",
    "asset",
    "asset_group",
    "site",
    "system_user",
    "access_grant",
    "filter",
    "filter_rule",
    "filter_scope",
    "login_rule",
];

/// A policy that does not name the object that goes, and stays.
fn surroundings(change: &Change<'_>, high_water: &std::path::Path) -> Result<(), StoreError> {
    change.add_user(
        &User::new("alice", NOW),
        70_000..=70_099,
        high_water,
        |_| false,
    )?;
    change.add_login_key(&alices_key())?;
    change.add_user_group(&UserGroup::new("team", NOW))?;
    change.add_site(&Site::new("south", NOW))?;
    change.add_asset_group(&AssetGroup::new("/prod", NOW))?;
    change.add_asset(&Asset::new("web1", "192.0.2.1", NOW))?;
    change.add_system_user(&SystemUser::new("dev", NOW))?;
    change.add_grant(&Grant {
        users: vec!["alice".into()],
        assets: vec!["web1".into()],
        system_users: vec!["dev".into()],
        rights: Rights::NONE.with(Right::Shell),
        ..Grant::new("everyday", NOW)
    })?;
    let scope = Scope {
        users: vec!["alice".into()],
        user_groups: vec!["team".into()],
        assets: vec!["web1".into()],
        asset_groups: vec!["/prod".into()],
        system_users: vec!["dev".into()],
    };
    change.add_filter(&Filter {
        scope: scope.clone(),
        ..Filter::new("careful", NOW)
    })?;
    let matching = filter::Matching::Command("reboot".into());
    change.add_filter_rule(&FilterRule {
        everywhere: false,
        scope,
        ..FilterRule::new("careful", filter::Verdict::Deny, matching, NOW)
    })?;
    change.add_login_rule(&LoginRule {
        users: vec!["alice".into()],
        ..LoginRule::new("office", Verdict::Deny, NOW)
    })?;
    Ok(())
}

/// Gives every other table a row that refers to the newest row of whatever it can refer to. Which values
/// make sense does not matter here, so the checks of single values are put off.
fn fill(f: &Fixture) {
    let tables = tables(f);
    // Whoever refers comes after what it refers to; with a few rounds the order does not matter.
    for _ in 0..4 {
        for table in &tables {
            if !NOUNS.contains(&table.as_str()) {
                fill_table(f, table);
            }
        }
    }
}

fn check_single_values(f: &Fixture, check: bool) {
    f.store
        .connection
        .pragma_update(None, "ignore_check_constraints", !check)
        .unwrap();
}

fn fill_table(f: &Fixture, table: &str) {
    let mut names = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    for column in columns(f, table) {
        let value = match (&column.refers_to, column.kind.as_str()) {
            (Some(to), _) => {
                let newest = format!("SELECT {} FROM {to} ORDER BY rowid DESC LIMIT 1", id_of(to));
                let newest = if ["login", "session", "push_run", "batch"].contains(&to.as_str()) {
                    newest.replace(" ORDER BY rowid DESC", "")
                } else {
                    newest
                };
                match f
                    .store
                    .read()
                    .first(&newest, [], |row| Ok(row.get::<_, Value>(0)?))
                {
                    Ok(Some(id)) => id,
                    // Nothing to refer to yet: the next round.
                    _ => Value::Null,
                }
            }
            // Not a name that the objects here have: those must come from nowhere but the links.
            (None, "TEXT") => Value::Text(format!("{table}-filler")),
            (None, "BLOB") => Value::Blob(vec![0]),
            _ if column.key => continue,
            _ => Value::Integer(1),
        };
        names.push(column.name);
        values.push(value);
    }
    let marks: Vec<String> = (1..=values.len()).map(|n| format!("?{n}")).collect();
    let sql = format!(
        "INSERT OR IGNORE INTO {table} ({}) VALUES ({})",
        names.join(", "),
        marks.join(", ")
    );
    // A row without what it must refer to is refused, and comes in a later round.
    let _ = f
        .store
        .connection
        .execute(&sql, rusqlite::params_from_iter(values));
}

fn id_of(table: &str) -> &'static str {
    if table == "certificate" {
        "serial"
    } else {
        "id"
    }
}

/// Every table with a column that refers to `table`.
fn referring(f: &Fixture, table: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for from in tables(f) {
        for column in columns(f, &from) {
            if column.refers_to.as_deref() == Some(table) {
                found.push((from.clone(), column.name));
            }
        }
    }
    found
}

fn count(f: &Fixture, table: &str, column: &str, id: i64) -> i64 {
    let sql = format!("SELECT count(*) FROM {table} WHERE {column} = ?1");
    f.store.read().number(&sql, [id]).unwrap()
}

/// Tables other than evidence in which some text holds the mark.
fn named_in(f: &Fixture) -> Vec<String> {
    let mut found = Vec::new();
    for table in tables(f) {
        if EVIDENCE.contains(&table.as_str()) {
            continue;
        }
        for column in columns(f, &table) {
            if column.kind == "TEXT" {
                let name = &column.name;
                let sql = format!("SELECT count(*) FROM {table} WHERE instr({name}, '{MARK}')");
                if f.store.read().number(&sql, []).unwrap() > 0 {
                    found.push(format!("{table}.{name}"));
                }
            }
        }
    }
    found
}

/// Adds one object with the mark in its name, and a policy around it that stays; then everything that could
/// refer to it does; then it is removed.
fn nothing_is_left_of(
    table: &str,
    add: impl FnOnce(&Change<'_>, &std::path::Path) -> Result<i64, StoreError>,
    remove: impl FnOnce(&Change<'_>) -> Result<(), StoreError>,
) {
    let mut f = fixture();
    let high_water = f.store.paths().uid_high_water();
    let id = f
        .change(|change| {
            surroundings(change, &high_water)?;
            add(change, &high_water)
        })
        .unwrap();
    check_single_values(&f, false);
    fill(&f);
    let referring = referring(&f, table);
    assert!(!referring.is_empty(), "does nothing refer to {table}?");
    for (from, column) in &referring {
        // A gateway is refused before it is removed, which has its own test.
        if (from.as_str(), column.as_str()) == ("asset", "gateway_id") {
            continue;
        }
        let sql = format!("UPDATE OR IGNORE {from} SET {column} = ?1");
        f.store.connection.execute(&sql, [id]).unwrap();
        assert!(
            count(&f, from, column, id) > 0,
            "no row of {from}.{column} refers to it"
        );
    }
    check_single_values(&f, true);
    assert!(!named_in(&f).is_empty());
    f.store
        .connection
        .execute("UPDATE asset SET gateway_id = NULL", [])
        .unwrap();

    f.change(remove).unwrap();

    let gone = format!("SELECT count(*) FROM {table} WHERE id = ?1");
    assert_eq!(f.store.read().number(&gone, [id]).unwrap(), 0);
    for (from, column) in &referring {
        assert_eq!(
            count(&f, from, column, id),
            0,
            "{from}.{column} still refers to it"
        );
    }
    assert_eq!(
        named_in(&f),
        Vec::<String>::new(),
        "policy still knows its name"
    );
    let broken = f
        .store
        .read()
        .texts("SELECT \"table\" FROM pragma_foreign_key_check", []);
    assert_eq!(broken.unwrap(), Vec::<String>::new());
}

fn name() -> String {
    MARK.to_owned()
}

#[test]
fn nothing_is_left_of_a_user() {
    nothing_is_left_of(
        "user",
        |change, high_water| {
            let user = User::new(MARK, NOW);
            Ok(change
                .add_user(&user, 70_000..=70_099, high_water, |_| false)?
                .id)
        },
        |change| change.remove_user(MARK).map(drop),
    );
}

#[test]
fn nothing_is_left_of_a_user_group() {
    nothing_is_left_of(
        "user_group",
        |change, _| Ok(change.add_user_group(&UserGroup::new(MARK, NOW))?.id),
        |change| change.remove_user_group(MARK).map(drop),
    );
}

#[test]
fn nothing_is_left_of_an_asset() {
    nothing_is_left_of(
        "asset",
        |change, _| Ok(change.add_asset(&Asset::new(MARK, "192.0.2.1", NOW))?.id),
        |change| change.remove_asset(MARK).map(drop),
    );
}

#[test]
fn nothing_is_left_of_a_place_or_of_those_below() {
    let path = format!("/{MARK}");
    let below = format!("{path}/below");
    nothing_is_left_of(
        "asset_group",
        |change, _| {
            change.add_asset_group(&AssetGroup::new(&below, NOW))?;
            Ok(change.read().asset_group(&path)?.id)
        },
        |change| change.remove_asset_group(&path).map(drop),
    );
}

#[test]
fn nothing_is_left_of_a_site() {
    nothing_is_left_of(
        "site",
        |change, _| Ok(change.add_site(&Site::new(MARK, NOW))?.id),
        |change| change.remove_site(MARK).map(drop),
    );
}

#[test]
fn nothing_is_left_of_a_system_user_not_even_as_a_default() {
    nothing_is_left_of(
        "system_user",
        |change, _| {
            let added = change.add_system_user(&SystemUser {
                privileged: true,
                ..SystemUser::new(MARK, NOW)
            })?;
            let mut defaults = change.read().defaults()?;
            defaults.privileged_system_user = Some(name());
            change.set_defaults(&defaults)?;
            Ok(added.id)
        },
        |change| change.remove_system_user(MARK).map(drop),
    );
}

#[test]
fn nothing_is_left_of_a_grant() {
    nothing_is_left_of(
        "access_grant",
        |change, _| {
            let grant = Grant {
                users: vec!["alice".into()],
                asset_groups: vec!["/".into()],
                system_users: vec!["dev".into()],
                rights: Rights::NONE.with(Right::Shell),
                ..Grant::new(MARK, NOW)
            };
            Ok(change.add_grant(&grant)?.id)
        },
        |change| change.remove_grant(MARK).map(drop),
    );
}
