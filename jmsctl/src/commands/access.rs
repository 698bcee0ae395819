//! `jmsctl access ls`: who reaches what. The decision itself is `jms::policy`'s.
#![forbid(unsafe_code)]

use super::evidence::Wanted;
use super::explain::explain;
use super::selection::expand;
use crate::cli::access::{Access as Verb, AccessLs};
use crate::context::Context;
use crate::failure::Done;
use crate::output::Noun;
use jms::store::{Access, Selector};

impl Noun for Access {
    const NAME: &'static str = "access";
    const KEY: &'static str = "asset";
    const FIELDS: &'static [&'static str] = &[
        "user",
        "system_user",
        "asset",
        "rights",
        "rights_with_factor",
        "grants",
        "valid_until",
    ];
    const COLUMNS: &'static [&'static str] = Self::FIELDS;
}

/// Runs a verb.
pub fn run(verb: &Verb, context: &mut Context) -> Done {
    match verb {
        Verb::Ls(verb) => ls(verb, context),
        Verb::Explain(verb) => explain(verb, context),
    }
}

fn ls(verb: &AccessLs, context: &mut Context) -> Done {
    let read = context.store.read();
    let users = expand(read, Selector::User, &verb.user)?;
    let assets = expand(read, Selector::Asset, &verb.asset)?;
    for name in &assets {
        read.asset(name)?;
    }
    // Without a filter or an order of its own, the first rows are all that is needed.
    let enough = match (&verb.list.text, &verb.list.sort, verb.list.limit) {
        (None, None, Some(limit)) if limit > 0 => limit,
        _ => usize::MAX,
    };
    let mut rows: Vec<Access> = Vec::new();
    let system_users = Wanted::new(&verb.system_user);
    let mut visit = |row: Access| {
        let wanted = system_users.fits(&row.system_user)
            && (assets.is_empty() || assets.contains(&row.asset));
        if wanted {
            rows.push(row);
        }
        rows.len() < enough
    };
    let mut remarks = Vec::new();
    if verb.user.is_empty() {
        for name in &assets {
            let asset = read.asset(name)?;
            if !asset.active {
                remarks.push(format!("{name} is not active: nobody reaches it"));
            }
            read.access_to(&asset, context.now, &mut visit)?;
        }
    }
    for name in &users {
        let user = read.user(name)?;
        if !user.enabled {
            remarks.push(format!("{name} is disabled, and reaches nothing"));
        }
        read.access_of(&user, context.now, &mut visit)?;
    }
    for remark in &remarks {
        context.out.note(remark);
    }
    context.out.list(rows, &verb.list).map(drop)
}
