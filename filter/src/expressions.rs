//! Many regular expressions over one text.
//!
//! A thousand of them in one automaton would be fast for most lines and very slow for some that an attacker can find.
//! So each stays by itself, is compiled when it is first needed, and is only needed when a text holds one of the literal
//! strings without which it cannot match: one pass (Aho-Corasick) over the text finds those of all.

use crate::verdict::Verdict;
use aho_corasick::{AhoCorasick, MatchKind};
use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::OnceLock;

/// The most memory that one compiled expression may take, in bytes.
const MAX_SIZE: usize = 256 * 1024;
/// Longer literals find nothing more in a line.
const MAX_LITERAL: usize = 16;
/// An expression with more alternatives is always searched for.
const MAX_LITERALS: usize = 32;
/// From this weight on, a line could make an automaton grow without end.
const HEAVY: usize = 64;

/// How much may be searched for one line: so many expressions in one text, so many bytes in all. An expression that is
/// beyond it counts as found if it forbids, and as not found if it allows.
pub const MAX_SEARCHED: usize = 4 * 1024 * 1024;
const MAX_CANDIDATES: usize = 64;

/// An expression that is no expression, or too large a one.
pub fn compile(text: &str, verdict: Verdict, ignore_case: bool) -> Result<Regex, regex::Error> {
    let build = |text: &str| RegexBuilder::new(text).size_limit(MAX_SIZE).build();
    // By itself first: `a)(b` would compile within our parentheses.
    build(text)?;
    build(&ascii(text, verdict, ignore_case))
        .or_else(|_| build(&whole(text, verdict, ignore_case, "")))
}

/// Whether it is an expression at all; whether it is too large, [`compile`] says.
pub fn parse(text: &str) -> Result<(), String> {
    let parsed = ParserBuilder::new().utf8(false).build().parse(text);
    parsed.map(drop).map_err(|error| error.to_string())
}

/// `\w`, `\s`, `\b` and the like mean ASCII, as they do to shells, and the search need not leave its fast way for other
/// letters. An expression that asks for others by name gets them.
fn ascii(text: &str, verdict: Verdict, ignore_case: bool) -> String {
    whole(text, verdict, ignore_case, "-u")
}

/// An expression as it is matched: an allowing one must cover the whole command.
fn whole(text: &str, verdict: Verdict, ignore_case: bool, flags: &str) -> String {
    let case = if ignore_case { "i" } else { "" };
    match verdict {
        Verdict::Allow => format!("^(?{case}{flags}:{text})$"),
        _ => format!("(?{case}{flags}:{text})"),
    }
}

/// One of them.
#[derive(Debug)]
struct Expression {
    text: String,
    verdict: Verdict,
    ignore_case: bool,
    /// What searching one byte costs, at worst.
    cost: usize,
    compiled: OnceLock<Option<Regex>>,
}

impl Expression {
    /// Whether it is found; `None`: that is more than may be searched.
    fn is_in(&self, text: &str, left: &Cell<usize>) -> Option<bool> {
        let rest = left
            .get()
            .checked_sub(self.cost.saturating_mul(text.len()))?;
        left.set(rest);
        let regex = self
            .compiled
            .get_or_init(|| compile(&self.text, self.verdict, self.ignore_case).ok());
        regex.as_ref().map(|regex| regex.is_match(text.as_bytes()))
    }
}

/// All of a filter.
#[derive(Debug)]
pub struct Expressions {
    all: Vec<Expression>,
    /// Those that have no literal.
    always: Vec<usize>,
    finder: Option<AhoCorasick>,
    /// Which expressions a literal is for.
    needed_by: Vec<Vec<usize>>,
}

impl Expressions {
    /// Expressions that were checked ([`compile`]).
    pub fn new<'a>(texts: impl Iterator<Item = (&'a str, Verdict, bool)>) -> Self {
        let mut all = Vec::new();
        let mut always = Vec::new();
        let mut literals: HashMap<String, usize> = HashMap::new();
        let mut needed_by: Vec<Vec<usize>> = Vec::new();
        for (at, (text, verdict, ignore_case)) in texts.enumerate() {
            let parse = |text: &str| ParserBuilder::new().utf8(false).build().parse(text).ok();
            let hir = parse(&ascii(text, verdict, ignore_case))
                .or_else(|| parse(&whole(text, verdict, ignore_case, "")));
            let (needs, weight) = hir
                .as_ref()
                .map_or((None, HEAVY), |hir| (literals_of(hir), weight(hir)));
            all.push(Expression {
                text: text.to_owned(),
                verdict,
                ignore_case,
                cost: if weight < HEAVY { 1 } else { weight },
                compiled: OnceLock::new(),
            });
            let Some(needs) = needs else {
                always.push(at);
                continue;
            };
            for literal in needs {
                let number = *literals.entry(literal).or_insert_with(|| {
                    needed_by.push(Vec::new());
                    needed_by.len() - 1
                });
                if let Some(needed_by) = needed_by.get_mut(number) {
                    needed_by.push(at);
                }
            }
        }
        let mut patterns = vec![""; needed_by.len()];
        for (literal, number) in &literals {
            if let Some(pattern) = patterns.get_mut(*number) {
                *pattern = literal;
            }
        }
        let finder = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            .build(&patterns)
            .ok();
        if finder.is_none() {
            always = (0..all.len()).collect();
        }
        Self {
            all,
            always,
            finder,
            needed_by,
        }
    }

    /// Those that are found in `text`, by number and in order. `left`: how much may still be searched.
    pub fn found_in(&self, text: &str, left: &Cell<usize>) -> Vec<usize> {
        let mut candidates = self.always.clone();
        if let Some(finder) = self.finder.as_ref().filter(|_| !self.needed_by.is_empty()) {
            let mut seen = vec![false; self.needed_by.len()];
            for found in finder.find_overlapping_iter(text) {
                let number = found.pattern().as_usize();
                if let Some(seen) = seen.get_mut(number).filter(|seen| !**seen) {
                    *seen = true;
                    candidates.extend(self.needed_by.get(number).into_iter().flatten());
                }
            }
        }
        candidates.sort_unstable();
        candidates.dedup();
        let mut searched = 0;
        candidates.retain(|at| {
            let Some(expression) = self.all.get(*at) else {
                return false;
            };
            searched += 1;
            let found = (searched <= MAX_CANDIDATES)
                .then(|| expression.is_in(text, left))
                .flatten();
            found.unwrap_or(expression.verdict != Verdict::Allow)
        });
        candidates
    }
}

/// Strings of which every match holds one, in small letters. `None`: there are none, or too many.
fn literals_of(hir: &Hir) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Literal(_) | HirKind::Class(_) => Some(vec![cut(&exact(hir)?)]),
        HirKind::Capture(capture) => literals_of(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => literals_of(&repetition.sub),
        HirKind::Alternation(alternatives) => {
            let mut all = Vec::new();
            for alternative in alternatives {
                all.extend(literals_of(alternative)?);
                if all.len() > MAX_LITERALS {
                    return None;
                }
            }
            Some(all)
        }
        HirKind::Concat(parts) => {
            let mut best: Option<Vec<String>> = None;
            let mut consider = |found: Vec<String>| {
                let shortest = |found: &[String]| found.iter().map(String::len).min();
                if best
                    .as_ref()
                    .is_none_or(|best| shortest(&found) > shortest(best))
                {
                    best = Some(found);
                }
            };
            // What stands side by side is one literal.
            let mut run = String::new();
            for part in parts {
                match (part.kind(), exact(part)) {
                    (HirKind::Look(_) | HirKind::Empty, _) => {}
                    (_, Some(literal)) => run.push_str(&literal),
                    (_, None) => {
                        if !run.is_empty() {
                            consider(vec![cut(&run)]);
                            run.clear();
                        }
                        literals_of(part).into_iter().for_each(&mut consider);
                    }
                }
            }
            if !run.is_empty() {
                consider(vec![cut(&run)]);
            }
            best
        }
        HirKind::Empty | HirKind::Look(_) | HirKind::Repetition(_) => None,
    }
}

fn cut(literal: &str) -> String {
    literal.chars().take(MAX_LITERAL).collect()
}

/// The one text that this matches, whatever its case.
fn exact(hir: &Hir) -> Option<String> {
    match hir.kind() {
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).ok()?;
            Some(text.to_ascii_lowercase())
        }
        HirKind::Class(class) => letter(class).map(String::from),
        HirKind::Capture(capture) => exact(&capture.sub),
        _ => None,
    }
}

/// `[Rr]`.
fn letter(class: &Class) -> Option<char> {
    let mut letters = Vec::new();
    match class {
        Class::Bytes(class) => {
            for range in class.iter() {
                if range.start() != range.end() {
                    return None;
                }
                letters.push(char::from(range.start()));
            }
        }
        Class::Unicode(class) => {
            for range in class.iter() {
                if range.start() != range.end() {
                    return None;
                }
                letters.push(range.start());
            }
        }
    }
    let first = letters.first()?.to_ascii_lowercase();
    let same = |letter: &char| letter.is_ascii() && letter.to_ascii_lowercase() == first;
    letters.iter().all(same).then_some(first)
}

/// About how many states it has because of counted repetitions; the others hardly matter.
fn weight(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min).max(1);
            let times = usize::try_from(times).unwrap_or(usize::MAX);
            let inner = weight(&repetition.sub).max(1);
            inner.saturating_mul(times)
        }
        HirKind::Capture(capture) => weight(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts
            .iter()
            .fold(0, |sum: usize, part| sum.saturating_add(weight(part))),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(text: &str) -> Option<Vec<String>> {
        let hir =
            ParserBuilder::new()
                .utf8(false)
                .build()
                .parse(&ascii(text, Verdict::Deny, false));
        literals_of(&hir.unwrap())
    }

    #[test]
    fn what_a_match_must_hold_is_known() {
        for (text, literals) in [
            (r"^\s*rm\b", Some(vec!["rm"])),
            (r"rm\s+-rf", Some(vec!["-rf"])),
            (r"(?i)drop\s+table", Some(vec!["table"])),
            (r"(shutdown|reboot)", Some(vec!["shutdown", "reboot"])),
            (r"(re)boot", Some(vec!["reboot"])),
            (r"x?", None),
            (r"[a-z]+;?", None),
            (r"(rm|.)", None),
            (r"(ab)+", Some(vec!["ab"])),
            (r"\brm\b", Some(vec!["rm"])),
        ] {
            let literals = literals.map(|all| all.into_iter().map(str::to_owned).collect());
            assert_eq!(needs(text), literals, "{text}");
        }
    }

    #[test]
    fn they_find_what_each_of_them_finds_alone() {
        let texts = [
            r"^\s*rm\b",
            r"(?i)DROP\s+TABLE",
            r"a|b",
            r".{5,}",
            r"\x72m",
            "é+",
            r"\p{Greek}",
            r"[Rr][Mm]",
            r"x{3}y",
            r"(curl|wget)\s.*\|\s*sh",
            r"^$|^rm$",
            r"a(b|c)*d",
            r"(?i:é)x",
        ];
        let expressions = Expressions::new(texts.iter().map(|text| (*text, Verdict::Deny, false)));
        for line in [
            "",
            "rm",
            "RM x",
            "drop table",
            "DROP\tTABLE x",
            "a",
            "cb",
            "xxxy",
            "é",
            "α",
            "curl x | sh",
            "wget",
            "abcbd",
            "ad",
            "echo rm",
            "xrm",
            "éx",
            "Éx",
            "12345",
        ] {
            let alone: Vec<usize> = texts
                .iter()
                .enumerate()
                .filter(|(_, text)| {
                    compile(text, Verdict::Deny, false)
                        .unwrap()
                        .is_match(line.as_bytes())
                })
                .map(|(at, _)| at)
                .collect();
            assert_eq!(
                expressions.found_in(line, &Cell::new(MAX_SEARCHED)),
                alone,
                "{line:?}"
            );
        }
    }

    #[test]
    fn what_cannot_be_searched_for_any_more_counts_as_found_if_it_forbids() {
        let rules = [
            ("rm.*x", Verdict::Deny, false),
            ("rm.*", Verdict::Allow, false),
        ];
        let expressions = Expressions::new(rules.into_iter());
        assert_eq!(expressions.found_in("rm y", &Cell::new(MAX_SEARCHED)), [1]);
        assert_eq!(expressions.found_in("rm y", &Cell::new(3)), [0]);
        assert_eq!(
            expressions.found_in("ls y", &Cell::new(3)),
            Vec::<usize>::new()
        );
    }
}
