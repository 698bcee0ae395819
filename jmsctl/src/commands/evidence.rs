//! What lists of evidence have in common: the newest of many rows, chosen by names and globs.
#![forbid(unsafe_code)]

use super::selection::expand;
use crate::cli::flags::List;
use crate::context::Context;
use crate::failure::Done;
use crate::output::Noun;
use crate::pattern;
use jms::nouns::Session;
use jms::store::{Read, Selector, StoreError};
use std::collections::BTreeSet;

/// So many are shown unless told otherwise: a bastion that is some years old has millions.
const USUAL: usize = 1000;

/// Names and globs of which a row must fit one.
pub struct Wanted {
    /// False: no row is asked for its name.
    asked: bool,
    names: BTreeSet<String>,
    globs: Vec<String>,
}

impl Wanted {
    /// The users that were named, with those of the groups.
    pub fn users(read: Read<'_>, users: &[String], groups: &[String]) -> Result<Self, StoreError> {
        let mut wanted = Self::new(users);
        for group in expand(read, Selector::UserGroup, groups)? {
            wanted.add(read.user_group(&group)?.users);
        }
        wanted.asked |= !groups.is_empty();
        Ok(wanted)
    }

    /// The assets that were named, with those of the places and sites.
    pub fn assets(
        read: Read<'_>,
        assets: &[String],
        places: &[String],
        sites: &[String],
    ) -> Result<Self, StoreError> {
        let mut wanted = Self::new(assets);
        for place in expand(read, Selector::AssetGroup, places)? {
            wanted.add(read.assets_below(&place)?);
        }
        for site in expand(read, Selector::Site, sites)? {
            wanted.add(read.assets_of_site(&site)?);
        }
        wanted.asked |= !places.is_empty() || !sites.is_empty();
        Ok(wanted)
    }

    /// Those that were named.
    pub fn new(given: &[String]) -> Self {
        let (globs, names) = given.iter().cloned().partition(|one| pattern::is_glob(one));
        Self {
            asked: !given.is_empty(),
            names: Vec::into_iter(names).collect(),
            globs,
        }
    }

    fn add(&mut self, names: Vec<String>) {
        self.names.extend(names);
    }

    /// The one plain name, which the store can look for itself.
    pub fn one(&self) -> Option<String> {
        let only = self.names.len() == 1 && self.globs.is_empty();
        self.names.first().filter(|_| only).cloned()
    }

    /// Whether any name was asked for.
    pub fn asks(&self) -> bool {
        self.asked
    }

    /// Whether the store can apply it itself, as one name or none.
    pub fn is_plain(&self) -> bool {
        !self.asked || self.one().is_some()
    }

    /// Whether a row of this name is wanted.
    pub fn fits(&self, name: &str) -> bool {
        !self.asked
            || self.names.contains(name)
            || self.globs.iter().any(|glob| pattern::matches(glob, name))
    }
}

/// The event that whoever asks looked at `what` of a session.
pub fn looked_at(context: &Context, session: &Session, what: &'static str) -> event::Event {
    context
        .event(event::Type::EvidenceRead)
        .session(session.id.as_str())
        .user(session.user.as_str())
        .asset(session.asset.as_str())
        .system_user(session.system_user.as_str())
        .with("evidence", what)
}

/// How many rows the store must give, so that what is shown is right: one more than is shown tells
/// whether there are more. `is_plain`: the store has applied every other condition itself.
pub fn rows_needed(list: &List, is_plain: bool) -> u32 {
    let limit = list.limit.unwrap_or(USUAL);
    if !is_plain || list.text.is_some() || list.sort.is_some() || limit == 0 {
        return u32::MAX;
    }
    u32::try_from(limit.saturating_add(1)).unwrap_or(u32::MAX)
}

/// Prints rows that came oldest first.
pub fn print<T: Noun>(context: &mut Context, rows: Vec<T>, list: &List) -> Done {
    let limited = List {
        limit: Some(list.limit.unwrap_or(USUAL)),
        ..list.clone()
    };
    let left_out = context.out.list(rows, &limited)?;
    if left_out > 0 && list.limit.is_none() {
        context.out.note(&format!(
            "only the newest {USUAL} are shown; --limit N shows more, --limit 0 all"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_is_asked_for_no_more_than_needed() {
        let list = |limit, text: Option<&str>| List {
            limit,
            text: text.map(str::to_owned),
            ..List::default()
        };
        assert_eq!(rows_needed(&list(Some(5), None), true), 6);
        assert_eq!(rows_needed(&list(None, None), true), 1001);
        assert_eq!(rows_needed(&list(Some(0), None), true), u32::MAX);
        assert_eq!(rows_needed(&list(Some(5), Some("x")), true), u32::MAX);
        assert_eq!(rows_needed(&list(Some(5), None), false), u32::MAX);
    }

    #[test]
    fn names_and_globs_choose() {
        let names = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        let one = Wanted::new(&names(&["alice"]));
        assert_eq!(one.one().as_deref(), Some("alice"));
        assert_eq!(Wanted::new(&names(&["a*"])).one(), None);
        let several = Wanted::new(&names(&["bob", "a*"]));
        assert!(several.fits("alice") && several.fits("bob") && !several.fits("carol"));
        assert!(!one.fits("bob") && Wanted::new(&[]).fits("alice"));
    }
}
