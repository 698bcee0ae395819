//! Rules that never speak, because an earlier one always speaks first.

use crate::look_into::Command;
use crate::pattern::{Given, Pattern};
use crate::rule::{Matching, RuleText};
use crate::shell::Simple;
use crate::verdict::Verdict;
use regex::Regex;
use std::collections::HashMap;

/// A rule and the one that always speaks before it, by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreachable {
    /// The rule.
    pub rule: i64,
    /// The one before it.
    pub by: i64,
}

/// An expression that finds these finds everything.
const ANYTHING: [&str; 6] = ["a", "Z", "0", " ", "/", "\u{1}"];

struct Earlier<'a> {
    rule: &'a RuleText,
    pattern: Pattern,
}

/// Those of `rules` that are never reached. `holds_with(one, other)`: wherever the rule with number `other` holds, `one` does.
/// What it finds is so; what is hidden by several rules together it does not find.
pub fn unreachable(rules: &[RuleText], holds_with: impl Fn(i64, i64) -> bool) -> Vec<Unreachable> {
    let mut sorted: Vec<&RuleText> = rules.iter().collect();
    sorted.sort_by_key(|rule| (rule.priority, std::cmp::Reverse(rule.verdict), rule.id));
    let mut programs: HashMap<String, Vec<Earlier<'_>>> = HashMap::new();
    let mut expressions: HashMap<&str, Vec<&RuleText>> = HashMap::new();
    let mut everything: Vec<&RuleText> = Vec::new();
    let mut found = Vec::new();
    for rule in sorted {
        let counts =
            |by: &RuleText| holds_with(by.id, rule.id) && (by.ignore_case || !rule.ignore_case);
        let mut by = everything
            .iter()
            .find(|by| holds_with(by.id, rule.id))
            .map(|by| by.id);
        match &rule.matching {
            Matching::Regex(text) => {
                let same = expressions.entry(text.as_str()).or_default();
                by = by.or_else(|| {
                    same.iter()
                        .find(|by| {
                            // One that allows covers the whole command, one that does not only has to be found in it.
                            counts(by)
                                && (by.verdict != Verdict::Allow || rule.verdict == Verdict::Allow)
                        })
                        .map(|by| by.id)
                });
                same.push(rule);
                let finds_all = rule.verdict != Verdict::Allow
                    && Regex::new(text)
                        .is_ok_and(|regex| ANYTHING.iter().all(|text| regex.is_match(text)));
                if finds_all {
                    everything.push(rule);
                }
            }
            Matching::Command(text) => {
                let Ok(pattern) = Pattern::parse(text, rule.ignore_case) else {
                    continue;
                };
                let earlier = programs
                    .entry(pattern.program().to_lowercase())
                    .or_default();
                by = by.or_else(|| {
                    earlier
                        .iter()
                        .find(|by| counts(by.rule) && always_first(by, rule, &pattern))
                        .map(|by| by.rule.id)
                });
                earlier.push(Earlier { rule, pattern });
            }
        }
        found.extend(by.map(|by| Unreachable { rule: rule.id, by }));
    }
    found
}

/// Whether everything that `pattern` of `rule` looks for is caught, or allowed, by the earlier one.
fn always_first(by: &Earlier<'_>, rule: &RuleText, pattern: &Pattern) -> bool {
    let earlier = &by.pattern;
    if by.rule.verdict == Verdict::Allow {
        let same = by.rule.matching == rule.matching;
        return rule.verdict == Verdict::Allow && (same || earlier.is_program_only());
    }
    let command = Command {
        simple: Simple {
            words: pattern.words(),
            ..Simple::default()
        },
        ..Command::default()
    };
    Given::new(&command).is_some_and(|given| earlier.catches(&given))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(texts: &[(i64, Verdict, Matching)]) -> Vec<RuleText> {
        texts
            .iter()
            .zip(1..)
            .map(|((priority, verdict, matching), id)| RuleText {
                id,
                priority: *priority,
                verdict: *verdict,
                matching: matching.clone(),
                ignore_case: false,
            })
            .collect()
    }

    fn found(first: (Verdict, Matching), second: (Verdict, Matching)) -> bool {
        let rules = rules(&[(1, first.0, first.1), (2, second.0, second.1)]);
        let found = unreachable(&rules, |_, _| true);
        assert!(found.iter().all(|one| (one.rule, one.by) == (2, 1)));
        !found.is_empty()
    }

    fn command(text: &str) -> Matching {
        Matching::Command(text.to_owned())
    }

    fn regex(text: &str) -> Matching {
        Matching::Regex(text.to_owned())
    }

    #[test]
    fn what_an_earlier_rule_always_catches_is_never_reached() {
        use Verdict::{Allow, Deny, Warn};
        for (first, second) in [
            ((Deny, command("rm")), (Warn, command("rm -rf"))),
            ((Deny, command("rm -r")), (Allow, command("rm -rf /tmp/x"))),
            ((Warn, command("rm -rf")), (Deny, command("rm --force -r"))),
            (
                (Deny, command("rm /etc/*")),
                (Warn, command("rm /etc/passwd")),
            ),
            ((Allow, command("ls")), (Allow, command("ls -l"))),
            ((Deny, regex("x")), (Warn, regex("x"))),
            ((Deny, regex(".")), (Warn, command("ls"))),
            ((Deny, regex(".+")), (Allow, regex("ls"))),
        ] {
            assert!(found(first.clone(), second.clone()), "{first:?} {second:?}");
        }
    }

    #[test]
    fn what_it_does_not_always_catch_is_reached() {
        use Verdict::{Allow, Deny, Warn};
        for (first, second) in [
            ((Deny, command("rm -rf")), (Warn, command("rm"))),
            ((Deny, command("rm -rf")), (Warn, command("rm -r x"))),
            (
                (Deny, command("rm /etc/passwd")),
                (Warn, command("rm /etc/*")),
            ),
            ((Allow, command("rm")), (Deny, command("rm -rf"))),
            ((Allow, command("rm x")), (Deny, command("rm x"))),
            ((Deny, command("rmdir")), (Deny, command("rm"))),
            ((Deny, regex("x")), (Warn, regex("y"))),
            ((Deny, regex("[a-z]")), (Warn, command("ls"))),
            ((Allow, regex("x")), (Deny, regex("x"))),
        ] {
            assert!(
                !found(first.clone(), second.clone()),
                "{first:?} {second:?}"
            );
        }
    }

    #[test]
    fn a_rule_that_holds_elsewhere_hides_nothing() {
        let rules = rules(&[
            (1, Verdict::Deny, command("rm")),
            (2, Verdict::Deny, command("rm -rf")),
        ]);
        assert_eq!(unreachable(&rules, |_, _| false), []);
    }
}
