//! `ls`: granted targets with their rights.
#![forbid(unsafe_code)]

use super::{Desk, NoAnswer, granted};
use crate::request::Filter;
use crate::target;
use crate::text::{json_line, table};
use jms::store::Target;
use serde_json::json;
use std::rc::Rc;

/// A target, and the asset groups that it lies in.
pub struct Row {
    /// The target.
    pub target: Target,
    /// Paths, sorted.
    pub groups: Vec<Rc<str>>,
}

/// The granted targets that `filter` leaves.
///
/// # Errors
/// [`NoAnswer`] when the store cannot be asked.
pub fn select(desk: &Desk<'_>, filter: &Filter) -> Result<Vec<Row>, NoAnswer> {
    let mut places = desk.store.read().places()?;
    let mut rows: Vec<Row> = Vec::new();
    let mut targets = granted(desk)?;
    targets.retain(|target| {
        filter
            .text
            .as_deref()
            .is_none_or(|text| holds(target, text))
    });
    for target in targets {
        // An asset's targets stand together: its groups are taken once and copied on.
        let groups = match rows.last() {
            Some(last) if last.target.asset_id == target.asset_id => last.groups.clone(),
            _ => places.remove(&target.asset_id).unwrap_or_default(),
        };
        rows.push(Row { target, groups });
    }
    if let Some(group) = &filter.group {
        rows.retain(|row| row.groups.iter().any(|path| is_within(path, group)));
    }
    Ok(rows)
}

/// Whether `path` is `group` or lies below it.
pub fn is_within(path: &str, group: &str) -> bool {
    group == "/"
        || path
            .strip_prefix(group)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a person who looks for `text` may mean this target: by name, address or comment, in any case.
pub fn holds(target: &Target, text: &str) -> bool {
    let text = text.to_lowercase();
    target::name(target).to_lowercase().contains(&text)
        || target.address.to_lowercase().contains(&text)
        || target.comment.to_lowercase().contains(&text)
}

/// A line for each.
pub fn text(rows: &[Row], json: bool) -> String {
    if json {
        return rows.iter().map(|row| json_line(&object(row))).collect();
    }
    let cells = |row: &Row| {
        vec![
            target::name(&row.target),
            row.target.rights.to_string(),
            row.target.comment.clone(),
        ]
    };
    let cells: Vec<Vec<String>> = rows.iter().map(cells).collect();
    table(&cells, None)
        .into_iter()
        .map(|line| format!("{line}\n"))
        .collect()
}

fn object(row: &Row) -> serde_json::Value {
    let target = &row.target;
    json!({
        "target": target::name(target),
        "asset": target.asset,
        "system_user": target.system_user,
        "rights": target.rights.iter().map(|right| right.as_str()).collect::<Vec<_>>(),
        "comment": target.comment,
        "address": target.address,
        "asset_groups": row.groups.iter().map(|path| &**path).collect::<Vec<&str>>(),
    })
}
