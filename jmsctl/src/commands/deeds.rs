//! What was done in a session or a login, below what `session show` and `login show` say of it.
#![forbid(unsafe_code)]

use crate::cli::flags::List;
use crate::context::Context;
use crate::failure::Done;
use crate::output::Noun;
use jms::nouns::Transfer;

/// So many of each are shown to people, the newest; programs get all.
const SHOWN: usize = 1000;

impl Noun for Transfer {
    const NAME: &'static str = "transfer";
    const KEY: &'static str = "path";
    const FIELDS: &'static [&'static str] = &[
        "begun_at",
        "ended_at",
        "operation",
        "path",
        "other_path",
        "size",
        "sha256",
        "verdict",
        "result",
    ];
    const COLUMNS: &'static [&'static str] = &[
        "begun_at",
        "operation",
        "path",
        "other_path",
        "size",
        "verdict",
        "result",
    ];
    const NEWEST_LAST: bool = true;
}

/// How many rows of each kind to ask the store for: all, or one more than is shown.
pub fn rows_needed(json: bool) -> u32 {
    match json {
        true => u32::MAX,
        false => u32::try_from(SHOWN + 1).unwrap_or(u32::MAX),
    }
}

/// A table under its name, for people; nothing where there are no rows. What a row is called in a sentence
/// that says that there are more: `name`.
pub fn table<T: Noun>(context: &mut Context, name: &str, rows: Vec<T>) -> Done {
    if rows.is_empty() {
        return Ok(());
    }
    context.out.text(&format!("\n{name}:\n"))?;
    let newest = List {
        limit: Some(SHOWN),
        ..List::default()
    };
    if context.out.list(rows, &newest)? > 0 {
        context.out.note(&format!(
            "only the newest {SHOWN} {name} are shown; --json gives all"
        ));
    }
    Ok(())
}
