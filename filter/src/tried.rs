//! Which rules a command was put to, for people who ask why.

use crate::judge::first_rule_about;
use crate::look_into::Command;
use crate::pattern::Pattern;
use crate::rule::Filter;
use crate::verdict::Verdict;

/// A rule that was asked about a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// Its number.
    pub id: i64,
    /// How it was written.
    pub text: String,
    /// What it would say.
    pub verdict: Verdict,
    /// Whether it speaks of the command.
    pub hit: bool,
}

/// The rules of `filter` that were asked about `command`, in their order, to the first that speaks. Rules about other
/// programs are not asked.
pub fn tried(filter: &Filter, command: &Command) -> Vec<Tried> {
    let name = command.program();
    let same_program = |pattern: &Pattern| {
        name.is_some_and(|name| pattern.program().to_lowercase() == name.to_lowercase())
    };
    let first = first_rule_about(filter, command);
    let last = first.unwrap_or(filter.rules.len());
    filter
        .rules
        .iter()
        .enumerate()
        .take_while(|(at, _)| *at <= last)
        .filter(|(_, rule)| rule.pattern.as_ref().is_none_or(same_program))
        .map(|(at, rule)| Tried {
            id: rule.id,
            text: rule.text.clone(),
            verdict: rule.verdict,
            hit: first == Some(at),
        })
        .collect()
}
