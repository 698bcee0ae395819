//! The decision: a line, the filters that apply to it, one verdict with its reason.
//!
//! Each command on the line gets the verdict of the first rule that speaks of it, or its filter's default; the line
//! gets the strictest of them, and of several filters the strictest again.

use crate::context::{Context, Language, Origin};
use crate::expressions::MAX_SEARCHED;
use crate::judgement::{Finding, Judgement, Reason};
use crate::look_into::{Command, Line, Opaque, look_into, look_into_each_line};
use crate::pattern::{Given, Pattern};
use crate::rule::{Filter, Rule};
use crate::shell::{Comments, Simple, Word, words};
use crate::verdict::Verdict;
use std::cell::Cell;

/// How many words behind a program are looked at in a line that cannot be read.
const WORDS_AS_TEXT: usize = 64;
/// At how many places in such a line a program's arguments are looked at. Whoever names it more often is taken at his word.
const PLACES_AS_TEXT: usize = 32;
/// How often commands of a line are compared with patterns. Whoever needs more is taken at his word, too: what a rule
/// forbids of a program, it forbids then of whatever that program is told.
const MAX_COMPARISONS: usize = 32_000;

/// Judges a line by every filter that applies.
pub fn judge(filters: &[Filter], text: &str, context: Context) -> Judgement {
    let comments = match context.origin {
        Origin::Terminal => Comments::AlsoRead,
        Origin::Exec | Origin::Script => Comments::Skipped,
    };
    let mut line = match context.language {
        Language::Shell if context.in_doubt => look_into_each_line(text, comments),
        Language::Shell => look_into(text, comments),
        Language::Text => Line::default(),
    };
    line.text = text.trim().to_owned();
    let mut findings = Vec::new();
    let comparisons = Cell::new(MAX_COMPARISONS);
    let searchable = Cell::new(MAX_SEARCHED);
    for filter in filters {
        let mut judging = Judging {
            filter,
            found: Vec::new(),
            hides: line.fault.is_some() || context.out_of_step,
            comparisons: &comparisons,
            searchable: &searchable,
        };
        match context.language {
            Language::Shell => {
                judging.line(&line, text);
                if context.out_of_step {
                    judging.by_default(text, Some(Opaque::OutOfStep));
                }
            }
            Language::Text => judging.text(text),
        }
        findings.extend(judging.found);
    }
    let comparisons = MAX_COMPARISONS - comparisons.get();
    Judgement::new(line, findings, comparisons)
}

/// The first rule of `filter`, by priority, that speaks of this very command.
pub(crate) fn first_rule_about(filter: &Filter, command: &Command) -> Option<usize> {
    let judging = Judging {
        filter,
        found: Vec::new(),
        hides: false,
        comparisons: &Cell::new(MAX_COMPARISONS),
        searchable: &Cell::new(MAX_SEARCHED),
    };
    let given = Given::new(command);
    judging.first_rule(command, given.as_ref())
}

struct Judging<'a> {
    filter: &'a Filter,
    found: Vec<Finding>,
    /// Something on the line cannot be known.
    hides: bool,
    /// How many are left, for all filters.
    comparisons: &'a Cell<usize>,
    /// How many bytes expressions may still search, for all filters.
    searchable: &'a Cell<usize>,
}

/// Up to which of its rules, in their order, a filter's allowing ones have already spoken of something.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Allowed {
    /// None has.
    No,
    /// This one has, and it lists all arguments: only rules before it could still object.
    By(usize),
}

impl Judging<'_> {
    fn say(&mut self, verdict: Verdict, reason: Reason, command: &str) {
        self.found.push(Finding {
            verdict,
            filter: self.filter.name.clone(),
            reason,
            command: command.trim().to_owned(),
        });
    }

    fn rule(&mut self, rule: &Rule, command: &str) {
        let reason = Reason::Rule {
            id: rule.id,
            text: rule.text.clone(),
        };
        self.say(rule.verdict, reason, command);
    }

    fn line(&mut self, line: &Line, text: &str) {
        // The last of the rules that allowed the commands; `None` if one of them is not allowed by a rule.
        let mut allowed = (!line.commands.is_empty() && line.fault.is_none()).then_some(0);
        for command in &line.commands {
            let by = self.command(command, Allowed::No);
            allowed = allowed.zip(by).map(|(one, other)| one.max(other));
        }
        self.whole(text, allowed);
        if let Some(fault) = &line.fault {
            self.by_default(text, Some(Opaque::Unreadable(fault.clone())));
        }
        if self.hides {
            self.as_text(text);
        }
    }

    /// What expressions say of the line as it was written. None of them can allow it: that is asked of each command. If
    /// rules allowed all commands, only those before the last of these still count.
    fn whole(&mut self, text: &str, allowed: Option<usize>) {
        let filter = self.filter;
        let first = filter
            .expressions_in(text, self.searchable)
            .take_while(|at| allowed.is_none_or(|last| *at < last))
            .filter_map(|at| filter.rules.get(at))
            .find(|rule| rule.verdict != Verdict::Allow);
        if let Some(rule) = first {
            self.rule(rule, text);
        }
    }

    /// A text in a language that is not read.
    fn text(&mut self, text: &str) {
        let filter = self.filter;
        let first = filter
            .expressions_in(text, self.searchable)
            .find_map(|at| filter.rules.get(at));
        match first {
            Some(rule) => self.rule(rule, text),
            None => self.by_default(text, None),
        }
    }

    /// What holds for something of which no rule speaks.
    fn by_default(&mut self, command: &str, opaque: Option<Opaque>) {
        let reason = opaque.map_or(Reason::Default, Reason::Opaque);
        self.say(self.filter.default, reason, command);
    }

    /// Takes so many comparisons; `false`: there are not so many left.
    fn may_compare(&self, with: usize) -> bool {
        let rest = self.comparisons.get().checked_sub(with);
        self.comparisons.set(rest.unwrap_or(0));
        rest.is_some()
    }

    /// The first rule that forbids something of this program.
    fn forbids_any(&self, name: &str) -> Option<usize> {
        let rules = self.filter.patterns_for(name).iter().copied();
        rules.into_iter().find(|at| {
            self.filter
                .rules
                .get(*at)
                .is_some_and(|rule| rule.verdict != Verdict::Allow)
        })
    }

    /// Judges a command and what it starts; `covered`: what a rule about the command that starts it has allowed. By
    /// which rule this one is allowed, if all of it is.
    fn command(&mut self, command: &Command, covered: Allowed) -> Option<usize> {
        let simple = &command.simple;
        let patterns = command
            .program()
            .map_or(0, |name| self.filter.patterns_for(name).len());
        let given = (patterns > 0 && self.may_compare(patterns))
            .then(|| Given::new(command))
            .flatten();
        // What hides is compared a second time.
        let given = given.filter(|given| !given.hides() || self.may_compare(patterns));
        let taken_at_his_word = (patterns > 0 && given.is_none())
            .then(|| command.program().and_then(|name| self.forbids_any(name)))
            .flatten();
        let first = self
            .first_rule(command, given.as_ref())
            .into_iter()
            .chain(taken_at_his_word)
            .min()
            .filter(|at| match covered {
                Allowed::No => true,
                Allowed::By(earlier) => *at < earlier,
            });
        let mut covers = covered;
        let mut allowed = match covered {
            Allowed::No => None,
            Allowed::By(at) => Some(at),
        };
        let rule = first.and_then(|at| self.filter.rules.get(at).map(|rule| (at, rule)));
        match rule {
            Some((at, rule)) => {
                let only_program = rule.pattern.as_ref().is_some_and(Pattern::is_program_only);
                allowed = (rule.verdict == Verdict::Allow).then_some(at);
                if allowed.is_some() && !only_program {
                    covers = Allowed::By(at);
                }
                self.rule(rule, &simple.source);
            }
            None if covered != Allowed::No => {}
            // Another shell would run it, and which one it will be nobody knows.
            None if simple.other_shells && self.filter.default == Verdict::Allow => {}
            None => self.unruled(command),
        }
        if simple.other_shells {
            allowed = allowed.or(Some(0));
        }
        let unseen = given.as_ref().filter(|given| given.hides());
        let unknown = unseen.and_then(|given| self.may_be_forbidden(given, first, covered));
        if let (Some(opaque), false) = (unknown, simple.other_shells) {
            allowed = None;
            self.by_default(&simple.source, Some(opaque));
        }
        for inner in &command.inner {
            let by = self.command(inner, covers);
            allowed = allowed.zip(by).map(|(one, other)| one.max(other));
        }
        // That it is allowed to start a shell says nothing of what the shell is told.
        if let (Some(opaque), Allowed::No) = (&command.opaque, covers)
            && !simple.other_shells
        {
            self.hides = true;
            allowed = None;
            if rule.is_some() || !matches!(opaque, Opaque::Program(_)) {
                self.by_default(&simple.source, Some(opaque.clone()));
            }
        }
        allowed
    }

    /// Whether a rule before `first` forbids what this may be, and why nobody can say.
    fn may_be_forbidden(
        &self,
        given: &Given<'_>,
        first: Option<usize>,
        covered: Allowed,
    ) -> Option<Opaque> {
        let rules = self.filter.patterns_for(given.program()).iter();
        rules
            .take_while(|at| first.is_none_or(|first| **at < first))
            .take_while(|at| match covered {
                Allowed::No => true,
                Allowed::By(earlier) => **at < earlier,
            })
            .filter_map(|at| self.filter.rules.get(*at))
            .filter(|rule| rule.verdict != Verdict::Allow)
            .find_map(|rule| rule.pattern.as_ref()?.may_catch(given))
    }

    /// A line that cannot be read: a program that a rule forbids is looked for at each word, whatever is before it.
    fn as_text(&mut self, text: &str) {
        let filter = self.filter;
        let unquoted = plain_text(text);
        let ends = |character: char| ";&|\n(){}`<>$!".contains(character);
        let mut tried = 0;
        for segment in unquoted.split(ends) {
            let words: Vec<&str> = segment.split_ascii_whitespace().collect();
            for (at, word) in words.iter().enumerate() {
                // `x=rm` may be run as `$x`.
                let first = word.rsplit('=').next().unwrap_or(word);
                let name = first.rsplit('/').next().unwrap_or(first);
                let rules = filter.patterns_for(name);
                if rules.is_empty() {
                    continue;
                }
                tried += 1;
                if tried > PLACES_AS_TEXT || !self.may_compare(rules.len()) {
                    let mut forbids = rules.iter().filter_map(|at| filter.rules.get(*at));
                    if let Some(rule) = forbids.find(|rule| rule.verdict != Verdict::Allow) {
                        return self.rule(rule, text);
                    }
                    continue;
                }
                let rest = words.iter().skip(at + 1).take(WORDS_AS_TEXT);
                let rest = std::iter::once(&first).chain(rest);
                let command = Command {
                    simple: Simple {
                        words: rest.map(|word| Word::literal(word)).collect(),
                        ..Simple::default()
                    },
                    ..Command::default()
                };
                let Some(given) = Given::new(&command) else {
                    continue;
                };
                let caught = rules
                    .iter()
                    .filter_map(|at| filter.rules.get(*at))
                    .find(|rule| {
                        let catches = |pattern: &Pattern| pattern.catches(&given);
                        rule.verdict != Verdict::Allow && rule.pattern.as_ref().is_some_and(catches)
                    });
                if let Some(rule) = caught {
                    // One is enough; there may be thousands.
                    return self.rule(rule, text);
                }
            }
        }
    }

    fn unruled(&mut self, command: &Command) {
        let simple = &command.simple;
        let more = match (
            simple.assignments.is_empty(),
            simple.redirections.is_empty(),
        ) {
            (false, _) => Some("an assignment in front"),
            (_, false) => Some("a redirection to or from a file"),
            _ => None,
        };
        let opaque = command
            .opaque
            .clone()
            .filter(|opaque| matches!(opaque, Opaque::Program(_)));
        match (opaque, more) {
            (Some(opaque), _) => self.by_default(&simple.source, Some(opaque)),
            (None, Some(more)) if self.filter.default == Verdict::Deny => {
                self.say(
                    Verdict::Deny,
                    Reason::NotOnlyArguments(more),
                    &simple.source,
                );
            }
            _ => self.by_default(&simple.source, None),
        }
    }

    /// The first rule, by priority, that speaks of this command.
    fn first_rule(&self, command: &Command, given: Option<&Given<'_>>) -> Option<usize> {
        let filter = self.filter;
        let simple = &command.simple;
        let is = |at: usize, allowing: bool| {
            filter
                .rules
                .get(at)
                .is_some_and(|rule| (rule.verdict == Verdict::Allow) == allowing)
        };
        let mut first: Option<usize> = None;
        let mut earlier = |at: usize| {
            if first.is_none_or(|known| at < known) {
                first = Some(at);
            }
        };
        if let (Some(given), Some(name)) = (given, command.program()) {
            let found = filter.patterns_for(name).iter().copied().find(|at| {
                filter.rules.get(*at).is_some_and(|rule| {
                    rule.pattern
                        .as_ref()
                        .is_some_and(|pattern| match rule.verdict {
                            Verdict::Allow => pattern.allows(given),
                            _ => pattern.catches(given),
                        })
                })
            });
            found.into_iter().for_each(&mut earlier);
        }
        // As written; without quotes; without the program's folder.
        let unquoted = words(&simple.words);
        filter
            .expressions_in(&simple.source, self.searchable)
            .filter(|at| is(*at, false))
            .for_each(&mut earlier);
        if unquoted != simple.source {
            filter
                .expressions_in(&unquoted, self.searchable)
                .filter(|at| is(*at, false))
                .for_each(&mut earlier);
        }
        if let (Some(name), Some(path)) = (
            command.program(),
            simple.words.first().map(|word| word.text.as_str()),
        ) && name != path
            && let Some(arguments) = unquoted.get(path.len()..)
        {
            filter
                .expressions_in(&format!("{name}{arguments}"), self.searchable)
                .filter(|at| is(*at, false))
                .for_each(&mut earlier);
        }
        let known = simple
            .words
            .iter()
            .all(|word| word.hidden.is_none() && !word.tilde);
        if known && simple.assignments.is_empty() && simple.redirections.is_empty() {
            filter
                .expressions_in(&unquoted, self.searchable)
                .filter(|at| is(*at, true))
                .for_each(&mut earlier);
        }
        first
    }
}

/// Without quotes, backslashes, and expansions that are mostly empty; what mostly makes words of one is a blank.
fn plain_text(text: &str) -> String {
    let mut plain = text.replace(['\'', '"', '\\'], "");
    for blank in ["${IFS}", "$IFS", ","] {
        plain = plain.replace(blank, " ");
    }
    for nothing in ["${@}", "$@", "${*}", "$*", "$()", "``"] {
        plain = plain.replace(nothing, "");
    }
    plain
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
