//! `groups`: the part of the tree of asset groups that holds something granted.
#![forbid(unsafe_code)]

use super::{Desk, NoAnswer, granted, list};
use crate::text::{json_line, table};
use jms::store::Target;
use serde_json::json;
use std::collections::{BTreeMap, HashMap, HashSet};

/// A group and the row ids of the granted assets in it and below.
pub type Groups = BTreeMap<String, HashSet<i64>>;

/// Groups that hold one of `targets`, and all above them. `places`: the groups of each asset.
#[must_use]
pub fn of(targets: &[Target], places: &HashMap<i64, Vec<String>>) -> Groups {
    let mut groups = Groups::new();
    for target in targets {
        for path in places.get(&target.asset_id).into_iter().flatten() {
            let mut path = path.as_str();
            // `/prod/web`, then `/prod`; the root is everything and says nothing.
            while path.len() > 1 {
                let assets = groups.entry(path.to_owned()).or_default();
                assets.insert(target.asset_id);
                path = path.rsplit_once('/').map_or("", |(above, _)| above);
            }
        }
    }
    groups
}

/// A line for each.
///
/// # Errors
/// [`NoAnswer`] when the store cannot be asked.
pub fn text(desk: &Desk<'_>, json: bool) -> Result<String, NoAnswer> {
    let groups = of(&granted(desk)?, &list::places(desk)?);
    if json {
        let object = |(path, assets): (&String, &HashSet<i64>)| {
            json_line(&json!({ "path": path, "assets": assets.len() }))
        };
        return Ok(groups.iter().map(object).collect());
    }
    let cells =
        |(path, assets): (&String, &HashSet<i64>)| vec![path.clone(), assets.len().to_string()];
    let cells: Vec<Vec<String>> = groups.iter().map(cells).collect();
    let lines = table(&cells, None).into_iter();
    Ok(lines.map(|line| format!("{line}\n")).collect())
}
