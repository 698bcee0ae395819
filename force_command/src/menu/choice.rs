//! A wording that fits several granted targets: on a terminal, the person says which.
//!
//! Nothing is decided here: the choice only words the request anew.

use super::ask::choose;
use super::editor::Question;
use super::process;
use crate::entrance::is_still_there;
use crate::message::menu::Menu;
use crate::request::{Connect, Wording};
use crate::start::Start;
use crate::target::{self, TargetError};
use crate::terminal::Terminal;
use crate::watch::{Watch, Woken};
use jms::paths::Paths;
use jms::store::Target;

/// The targets among which a person must choose; none where the wording means one, or nothing.
#[must_use]
pub fn choices(connect: &Connect, granted: &[Target]) -> Vec<String> {
    match target::resolve(&connect.wording, granted) {
        Err(TargetError::Ambiguous(choices)) => choices,
        _ => Vec::new(),
    }
}

/// Asks which of `choices` a request on a terminal means; the request with that target, or `None` if
/// none of them. To be called with no store open.
///
/// # Errors
/// Nobody is there any more, or may be.
pub fn settle(
    start: &Start,
    connect: Connect,
    choices: &[String],
) -> Result<Option<Connect>, Woken> {
    let term = start.environment.own_term();
    let (Ok(terminal), Ok(watch)) = (Terminal::find(term), Watch::begin(&Paths::system())) else {
        return Ok(None);
    };
    process::ignore_keys();
    let title = connect.wording.to_string();
    let complete = completions(choices);
    let chosen = choose(
        &title,
        choices,
        &question(start, &terminal, &complete),
        &terminal,
        &watch,
        &mut || is_still_there(start),
    );
    process::heed_keys();
    Ok(chosen?.and_then(|place| with(connect, choices.get(place)?)))
}

/// Completion to one of `choices`.
pub fn completions(choices: &[String]) -> impl Fn(&str, &str) -> Vec<String> {
    |ahead, part| {
        let fits = |choice: &&String| ahead.is_empty() && choice.starts_with(part);
        choices.iter().filter(fits).cloned().collect()
    }
}

/// The question which of several.
pub fn question<'a>(
    start: &'a Start,
    terminal: &Terminal,
    complete: &'a dyn Fn(&str, &str) -> Vec<String>,
) -> Question<'a> {
    let term = start.environment.own_term();
    Question {
        prompt: Menu::ChoicePrompt.to_string(),
        complete,
        history: &[],
        term: term.filter(|_| !terminal.is_plain()),
        uid: start.uid,
        gid: start.gid,
    }
}

/// The same request to the target that was chosen.
#[must_use]
pub fn with(connect: Connect, target: &str) -> Option<Connect> {
    Some(Connect {
        wording: Wording::parse(target.as_bytes())?,
        otherwise: None,
        ..connect
    })
}
