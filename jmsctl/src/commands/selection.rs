//! Lists of names as they are typed: globs stand for what matches them now, `none` for nothing.
#![forbid(unsafe_code)]

use crate::pattern;
use jms::store::{Read, Selector, StoreError};

/// What is to become of a list: `--x A,B` replaces it, `--add-x` and `--rm-x` change it.
#[derive(Debug, Clone, Copy)]
pub struct ListEdit<'a> {
    /// `--x`
    pub replace: Option<&'a Vec<String>>,
    /// `--add-x`
    pub add: &'a [String],
    /// `--rm-x`
    pub remove: &'a [String],
}

impl<'a> ListEdit<'a> {
    /// Only `--x`.
    pub fn replace(names: Option<&'a Vec<String>>) -> Self {
        Self {
            replace: names,
            add: &[],
            remove: &[],
        }
    }

    /// Edits `list`, which belongs to a `noun`. Taking away what is not there is a mistake that is said.
    pub fn apply(
        self,
        read: Read<'_>,
        selector: Selector,
        noun: &str,
        list: &mut Vec<String>,
    ) -> Result<(), StoreError> {
        if let Some(names) = self.replace {
            *list = expand(read, selector, names)?;
        }
        list.extend(expand(read, selector, self.add)?);
        for one in self.remove {
            let before = list.len();
            list.retain(|name| {
                name != one && !(pattern::is_glob(one) && pattern::matches(one, name))
            });
            if list.len() == before {
                let near = jms::names::nearest(one, list.iter().map(String::as_str));
                return Err(StoreError::NotFound {
                    kind: selector.kind(),
                    name: format!("{one} in this {noun}"),
                    nearest: near.map(str::to_owned),
                });
            }
        }
        Ok(())
    }
}

/// The names as they are; a glob becomes what it matches now, and a glob that matches nothing is a mistake.
pub fn expand(
    read: Read<'_>,
    selector: Selector,
    given: &[String],
) -> Result<Vec<String>, StoreError> {
    if matches!(given, [one] if one == "none") {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for one in given {
        if !pattern::is_glob(one) {
            names.push(one.clone());
            continue;
        }
        let before = names.len();
        let all = read.names_of(selector)?;
        names.extend(all.into_iter().filter(|name| pattern::matches(one, name)));
        if names.len() == before {
            return Err(StoreError::NotFound {
                kind: selector.kind(),
                name: one.clone(),
                nearest: None,
            });
        }
    }
    Ok(names)
}
