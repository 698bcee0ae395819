//! What lists of evidence have in common: the newest of many rows, chosen by names and globs.
#![forbid(unsafe_code)]

use crate::cli::flags::List;
use crate::context::Context;
use crate::failure::Done;
use crate::output::Noun;
use crate::pattern;

/// So many are shown unless told otherwise: a bastion that is some years old has millions.
const USUAL: usize = 1000;

/// The one plain name in `names`, which the store can look for itself.
pub fn plain(names: &[String]) -> Option<String> {
    match names {
        [one] if !pattern::is_glob(one) => Some(one.clone()),
        _ => None,
    }
}

/// Whether `name` is one of `names`, or matches one; no names: everything is wanted.
pub fn is_wanted(names: &[String], name: &str) -> bool {
    names.is_empty()
        || names
            .iter()
            .any(|one| one == name || pattern::matches(one, name))
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
        assert_eq!(plain(&names(&["alice"])).as_deref(), Some("alice"));
        assert_eq!(plain(&names(&["a*"])), None);
        assert!(
            is_wanted(&names(&["bob", "a*"]), "alice") && !is_wanted(&names(&["bob"]), "alice")
        );
        assert!(is_wanted(&[], "alice"));
    }
}
