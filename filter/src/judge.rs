//! The decision: a line, the filters that apply to it, one verdict with its reason.
//!
//! Each command on the line gets the verdict of the first rule that speaks of it, or its filter's default; the line
//! gets the strictest of them, and of several filters the strictest again.

use crate::look_into::{Command, Line, Opaque, look_into};
use crate::pattern::{Given, Pattern};
use crate::rule::{Filter, Rule, Verdict};
use crate::shell::{Simple, Word, words};

/// How many words behind a program are looked at in a line that cannot be read.
const WORDS_AS_TEXT: usize = 64;
/// At how many places in such a line a program's arguments are looked at. Whoever names it more often is taken at his word.
const PLACES_AS_TEXT: usize = 32;

/// In which language a line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// A shell's.
    Shell,
    /// None that is read here: only expressions are looked for, in the whole text.
    Text,
}

/// Why a line got its verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// A rule of the filter: its number and text.
    Rule {
        /// The rule's number.
        id: i64,
        /// How it was written.
        text: String,
    },
    /// No rule speaks of it.
    Default,
    /// No rule can speak of it, because it cannot be known what runs.
    Opaque(Opaque),
    /// It is more than a program with arguments: an assignment or redirection, which no rule allows.
    NotOnlyArguments(&'static str),
}

impl std::fmt::Display for Reason {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rule { text, .. } => write!(out, "rule \"{text}\""),
            Self::Default => write!(out, "no rule allows it"),
            Self::Opaque(opaque) => write!(out, "{opaque}"),
            Self::NotOnlyArguments(what) => write!(out, "it has {what}"),
        }
    }
}

/// What one filter says of one command, or of the whole line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// The filter; empty if none applies.
    pub filter: String,
    /// Why.
    pub reason: Reason,
    /// Of what on the line.
    pub command: String,
}

/// A line with everything that was said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// What was found on the line.
    pub line: Line,
    /// All that was said, in the order of filters and commands.
    pub judgements: Vec<Judgement>,
}

impl Judged {
    /// The strictest judgement, the first of equals. `None`: no filter applies, or nothing would run.
    pub fn strictest(&self) -> Option<&Judgement> {
        let mut strictest: Option<&Judgement> = None;
        for judgement in &self.judgements {
            if strictest.is_none_or(|known| judgement.verdict > known.verdict) {
                strictest = Some(judgement);
            }
        }
        strictest
    }

    /// The verdict of the line.
    pub fn verdict(&self) -> Verdict {
        self.strictest()
            .map_or(Verdict::Allow, |found| found.verdict)
    }
}

/// Judges a line by every filter that applies.
pub fn judge(filters: &[Filter], text: &str, language: Language) -> Judged {
    let line = match language {
        Language::Shell => look_into(text),
        Language::Text => Line::default(),
    };
    let mut judgements = Vec::new();
    for filter in filters {
        let mut judging = Judging {
            filter,
            found: Vec::new(),
        };
        judging.whole(text, language);
        for command in &line.commands {
            judging.command(command, false);
        }
        if let Some(fault) = &line.fault {
            judging.as_text(text);
            judging.by_default(text, Some(Opaque::Unreadable(fault.clone())));
        }
        judgements.extend(judging.found);
    }
    Judged { line, judgements }
}

struct Judging<'a> {
    filter: &'a Filter,
    found: Vec<Judgement>,
}

impl Judging<'_> {
    fn say(&mut self, verdict: Verdict, reason: Reason, command: &str) {
        self.found.push(Judgement {
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

    /// What expressions say of the line as it was written. None of them can allow it: that is asked of each command.
    fn whole(&mut self, text: &str, language: Language) {
        let filter = self.filter;
        let first = filter
            .expressions_in(text)
            .filter_map(|at| filter.rules.get(at))
            .find(|rule| rule.verdict != Verdict::Allow || language == Language::Text);
        match first {
            Some(rule) => self.rule(rule, text),
            None if language == Language::Text => self.by_default(text, None),
            None => {}
        }
    }

    /// What holds for something of which no rule speaks.
    fn by_default(&mut self, command: &str, opaque: Option<Opaque>) {
        let reason = opaque.map_or(Reason::Default, Reason::Opaque);
        self.say(self.filter.default, reason, command);
    }

    /// Judges a command and what it starts. `covered`: a rule that lists all its words allowed it, so only rules that
    /// say otherwise are of interest.
    fn command(&mut self, command: &Command, covered: bool) {
        let simple = &command.simple;
        let ruled = |name| !self.filter.patterns_for(name).is_empty();
        let given = command
            .program()
            .filter(|name| ruled(name))
            .and_then(|_| Given::new(command));
        let first = self.first_rule(command, given.as_ref());
        let mut covers = covered;
        match first.and_then(|at| self.filter.rules.get(at)) {
            Some(rule) => {
                let only_program = rule.pattern.as_ref().is_some_and(Pattern::is_program_only);
                covers |= rule.verdict == Verdict::Allow && !only_program;
                self.rule(rule, &simple.source);
            }
            None if covered || simple.other_shells => {}
            None => self.unruled(command),
        }
        for inner in &command.inner {
            self.command(inner, covers || simple.other_shells);
        }
        // That it is allowed to start a shell says nothing of what the shell is told.
        if let (Some(opaque), false) = (&command.opaque, covers || simple.other_shells) {
            let ruled = first.is_some();
            if ruled || !matches!(opaque, Opaque::Program(_)) {
                self.by_default(&simple.source, Some(opaque.clone()));
            }
        }
    }

    /// A line that cannot be read: a program that a rule forbids is looked for at each word, whatever is before it.
    fn as_text(&mut self, text: &str) {
        let filter = self.filter;
        let unquoted = text.replace(['\'', '"', '\\'], "");
        let ends = |character: char| ";&|\n(){}`<>$".contains(character);
        let mut tried = 0;
        for segment in unquoted.split(ends) {
            let words: Vec<&str> = segment.split_ascii_whitespace().collect();
            for (at, word) in words.iter().enumerate() {
                let name = word.rsplit('/').next().unwrap_or(word);
                let rules = filter.patterns_for(name);
                if rules.is_empty() {
                    continue;
                }
                tried += 1;
                if tried > PLACES_AS_TEXT {
                    let mut forbids = rules.iter().filter_map(|at| filter.rules.get(*at));
                    if let Some(rule) = forbids.find(|rule| rule.verdict != Verdict::Allow) {
                        return self.rule(rule, text);
                    }
                    continue;
                }
                let rest = words.iter().skip(at).take(WORDS_AS_TEXT);
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
            .expressions_in(&simple.source)
            .filter(|at| is(*at, false))
            .for_each(&mut earlier);
        if unquoted != simple.source {
            filter
                .expressions_in(&unquoted)
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
                .expressions_in(&format!("{name}{arguments}"))
                .filter(|at| is(*at, false))
                .for_each(&mut earlier);
        }
        let known = simple
            .words
            .iter()
            .all(|word| word.hidden.is_none() && !word.tilde);
        if known && simple.assignments.is_empty() && simple.redirections.is_empty() {
            filter
                .expressions_in(&unquoted)
                .filter(|at| is(*at, true))
                .for_each(&mut earlier);
        }
        first
    }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
