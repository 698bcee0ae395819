//! Users from a table.
#![forbid(unsafe_code)]

use super::columns::{Column, Row};
use super::{add_all, cell, wrong};
use crate::cli::user::Add;
use crate::cli::values::one_line;
use crate::commands::accounts::{LocalAccounts, uid_range};
use crate::commands::user::add_to;
use crate::context::Context;
use crate::failure::Done;
use crate::input::FileArgument;
use jms::keys::PublicKey;
use jms::nouns::{LoginKey, Role, User, UserGroup};
use jms::store::{Change, StoreError};
use jms::time::Time;

const COLUMNS: &[Column] = &[
    Column {
        field: "name",
        headings: &["name", "username"],
    },
    Column {
        field: "full_name",
        headings: &["full name"],
    },
    Column {
        field: "email",
        headings: &["email"],
    },
    Column {
        field: "role",
        headings: &["role", "system roles", "system role"],
    },
    Column {
        field: "user_groups",
        headings: &["user groups", "groups", "user group"],
    },
    Column {
        field: "enabled",
        headings: &["enabled", "is active", "active"],
    },
    Column {
        field: "valid_from",
        headings: &["valid from"],
    },
    Column {
        field: "valid_until",
        headings: &[
            "valid until",
            "date expired",
            "expiration date",
            "expire date",
        ],
    },
    Column {
        field: "key",
        headings: &["key", "public key", "ssh public key"],
    },
    Column {
        field: "comment",
        headings: &["comment", "description"],
    },
];

/// Adds them.
pub fn add(verb: &Add, file: &FileArgument, context: &mut Context) -> Done {
    let range = uid_range(context.paths())?;
    let accounts = LocalAccounts::load()?;
    let high_water = context.paths().uid_high_water();
    let now = context.now;
    let terms = ((&verb.change).into(), verb.skip_bad);
    let added = add_all(context, file, COLUMNS, terms, |change, row| {
        let user = user(row, now)?;
        accounts
            .refuse_name(&user.name, &range)
            .map_err(|failure| wrong(failure.to_string()))?;
        make_groups(change, &user, now)?;
        let key = row
            .text("key")
            .map(|line| login_key(line, &user.name, now))
            .transpose()?;
        add_to(change, &user, key.as_ref(), &range, &high_water, &accounts)
    })?;
    added.iter().try_for_each(|user| context.out.changed(user))
}

fn user(row: &Row<'_>, now: Time) -> Result<User, StoreError> {
    let name = row
        .text("name")
        .ok_or_else(|| wrong("the login name is missing".to_owned()))?;
    let line = |field| {
        let text = row.text(field).unwrap_or_default();
        one_line(text).map_err(|error| wrong(format!("{field}: {error}")))
    };
    let time = |field| row.text(field).map(cell::time).transpose().map_err(wrong);
    let enabled = row.text("enabled").map(cell::yes).transpose();
    Ok(User {
        full_name: line("full_name")?,
        email: line("email")?,
        comment: line("comment")?,
        role: role(row)?,
        enabled: enabled.map_err(wrong)?.unwrap_or(true),
        valid_from: time("valid_from")?,
        valid_until: time("valid_until")?,
        user_groups: row.names("user_groups").unwrap_or_default(),
        ..User::new(name, now)
    })
}

/// The highest of the roles in the cell; JumpServer's have other names.
fn role(row: &Row<'_>) -> Result<Role, StoreError> {
    let mut highest = Role::User;
    for name in row.names("role").unwrap_or_default() {
        let role = match name.to_lowercase().as_str() {
            "admin" | "system admin" | "systemadmin" => Role::Admin,
            "auditor" | "system auditor" | "systemauditor" => Role::Auditor,
            "user" | "system user" => Role::User,
            _ => {
                return Err(wrong(format!(
                    "“{}” is no role; roles are user, auditor and admin",
                    name.escape_debug()
                )));
            }
        };
        if role == Role::Admin || highest == Role::User {
            highest = role;
        }
    }
    Ok(highest)
}

fn make_groups(change: &Change<'_>, user: &User, now: Time) -> Result<(), StoreError> {
    for group in &user.user_groups {
        if let Err(StoreError::NotFound { .. }) = change.read().user_group(group) {
            change.add_user_group(&UserGroup::new(group, now))?;
        }
    }
    Ok(())
}

fn login_key(line: &str, user: &str, now: Time) -> Result<LoginKey, StoreError> {
    let key = PublicKey::parse_line(line).map_err(|error| wrong(format!("key: {error}")))?;
    Ok(crate::commands::key::noun(&key, user, now))
}
