//! `user add --csv` and `asset add --csv`: many objects from one table, all of them or none.
//!
//! The columns of `jmsctl … ls --json` and those of JumpServer's own exports are understood (docs/csv.md). The file is
//! text that anybody may have written.
#![forbid(unsafe_code)]

pub mod assets;
mod cell;
mod columns;
pub mod users;

use crate::context::{Context, Terms};
use crate::failure::{Done, Failure};
use crate::input::FileArgument;
use columns::Row;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jms::store::{Change, StoreError};

/// The longest file that is read, in bytes.
const LONGEST: u64 = 64 * 1024 * 1024;
/// More wrong lines than a person reads.
const MOST: usize = 20;

/// What was done with a table.
struct Outcome<T> {
    added: Vec<T>,
    wrong: Vec<String>,
}

/// Adds one object for each row. `Err` of `add` is what is wrong with its row.
fn add_all<T>(
    context: &mut Context,
    file: &FileArgument,
    known: &'static [columns::Column],
    (terms, skip_bad): (Terms<'_>, bool),
    add: impl Fn(&Change<'_>, &Row<'_>) -> Result<T, StoreError>,
) -> Done<Vec<T>> {
    let text = file.read_up_to(LONGEST)?;
    let table = columns::Table::parse(text.expose(), known)
        .map_err(|sentence| Failure::BadInput(format!("{}: {sentence}", file.name())))?;
    let ignored = table.ignored();
    if !ignored.is_empty() {
        context
            .out
            .note(&format!("columns left aside: {}", ignored.join(", ")));
    }
    let bar = progress(table.len(), context.out.is_quiet());
    let mut outcome = None;
    let work = |change: &Change<'_>| {
        let mut done = Outcome {
            added: Vec::new(),
            wrong: Vec::new(),
        };
        for row in table.rows() {
            bar.inc(1);
            let row = match row {
                Ok(row) => row,
                Err(sentence) => {
                    done.wrong.push(sentence);
                    continue;
                }
            };
            match change.attempt(|| add(change, &row)) {
                Ok(added) => done.added.push(added),
                // Not the line's fault, and nothing can come after it.
                Err(error) if error.is_fatal() => {
                    bar.finish_and_clear();
                    return Err(error);
                }
                Err(error) => done.wrong.push(format!("line {}: {error}", row.line())),
            }
        }
        bar.finish_and_clear();
        let keep = done.wrong.is_empty() || skip_bad;
        outcome = Some(done);
        match keep {
            true => Ok(()),
            // Undoes the whole; what to say is in the outcome.
            false => Err(StoreError::Refused {
                sentence: "nothing was added".to_owned(),
            }),
        }
    };
    let ended = context.change(terms, work);
    let Some(outcome) = outcome else {
        return ended.map(|()| Vec::new());
    };
    for sentence in outcome.wrong.iter().take(MOST) {
        crate::output::warn(&format!("{}: {sentence}", file.name()));
    }
    let wrong = outcome.wrong.len();
    if wrong > MOST {
        crate::output::warn(&format!("… and {} more wrong lines", wrong - MOST));
    }
    if wrong > 0 && !skip_bad {
        return Err(Failure::BadInput(format!(
            "{wrong} of {} lines are wrong, and nothing was added; --skip-bad adds the others",
            table.len()
        )));
    }
    ended?;
    Ok(outcome.added)
}

/// A bar on standard error if a person watches and waits.
fn progress(rows: usize, quiet: bool) -> ProgressBar {
    let target = if quiet {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr()
    };
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len}  {eta} left");
    ProgressBar::with_draw_target(u64::try_from(rows).ok(), target)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// `--skip-bad` without a table.
pub fn skips_nothing() -> Failure {
    Failure::BadInput("--skip-bad is about the lines of a table: --csv FILE".to_owned())
}

fn wrong(sentence: String) -> StoreError {
    StoreError::Refused { sentence }
}
