//! `groups`: the part of the tree of asset groups that holds something granted.
#![forbid(unsafe_code)]

use super::{Desk, NoAnswer};
use crate::text::{json_line, table};
use jms::time::Time;
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// Groups that hold one of `assets` (row ids, each once), and all above them: how many they hold.
/// `places`: the groups of each asset.
#[must_use]
pub fn of(
    assets: impl Iterator<Item = i64>,
    places: &HashMap<i64, Vec<Rc<str>>>,
) -> BTreeMap<String, usize> {
    let mut groups: HashMap<&str, usize> = HashMap::new();
    for asset in assets {
        let mut above: Vec<&str> = Vec::new();
        for path in places.get(&asset).into_iter().flatten() {
            let mut path: &str = path;
            // `/prod/web`, then `/prod`; the root is everything and says nothing.
            while path.len() > 1 {
                above.push(path);
                path = path.rsplit_once('/').map_or("", |(above, _)| above);
            }
        }
        above.sort_unstable();
        above.dedup();
        for path in above {
            *groups.entry(path).or_default() += 1;
        }
    }
    groups
        .into_iter()
        .map(|(path, assets)| (path.to_owned(), assets))
        .collect()
}

/// A line for each.
///
/// # Errors
/// [`NoAnswer`] when the store cannot be asked.
pub fn text(desk: &Desk<'_>, json: bool) -> Result<String, NoAnswer> {
    let read = desk.store.read();
    let reachable = read.reachable(&desk.identity.user, Time::now())?;
    let assets = reachable.iter().map(|asset| asset.asset_id);
    let groups = of(assets, &read.places()?);
    if json {
        let object = |(path, assets)| json_line(&json!({ "path": path, "assets": assets }));
        return Ok(groups.iter().map(object).collect());
    }
    let cells = |(path, assets): (&String, &usize)| vec![path.clone(), assets.to_string()];
    let cells: Vec<Vec<String>> = groups.iter().map(cells).collect();
    let lines = table(&cells, None).into_iter();
    Ok(lines.map(|line| format!("{line}\n")).collect())
}
